import ase.io
import pytest
from ase.build import bulk

from sciml.errors import DataError
from sciml.materials.formats import FORMATS, detect
from sciml.materials.formats.detect import by_content, by_name
from sciml.materials.formats.parse import READERS
from tests.materials.formats.samples import DATA, EXTXYZ, POSCAR
from tests.materials.formats.test_outcar import TEXT as OUTCAR
from tests.materials.formats.test_pymatgen_json import SALT
from tests.materials.formats.test_vasprun import calculation, document

TEXTS = {
    "extxyz": EXTXYZ,
    "poscar": POSCAR,
    "cif": (DATA / "salt.cif").read_text(),
    "outcar": OUTCAR,
    "vasprun": document(calculation(-1)),
    "json": SALT.to_json(),
}


def test_every_format_has_a_reader():
    assert set(FORMATS) == set(READERS)


@pytest.mark.parametrize("form", TEXTS)
@pytest.mark.parametrize("name", ["x", "x.cif", "x.xyz", "POSCAR", "x.json"])
def test_content_decides_whatever_the_name(tmp_path, form, name):
    (tmp_path / name).write_text("\ufeff" + TEXTS[form])
    assert detect(tmp_path / name) == form


def test_a_trajectory(tmp_path):
    ase.io.write(tmp_path / "x.traj", bulk("Cu"))
    (tmp_path / "x.cif").write_bytes((tmp_path / "x.traj").read_bytes())
    assert detect(tmp_path / "x.cif") == "traj"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.CIF", "cif"),
        ("a.extxyz.gz", "extxyz"),
        ("датa №2.xyz.bz2", "extxyz"),
        ("POSCAR_solid", "poscar"),
        ("CONTCAR.relax1.gz", "poscar"),
        ("OUTCAR.xz", "outcar"),
        ("vasprun.xml.gz", "vasprun"),
        ("x.traj", "traj"),
        ("a.b.json", "json"),
        ("readme.txt", None),
    ],
)
def test_names(name, form):
    assert by_name(name) == form


@pytest.mark.parametrize(
    "text", ["3\ncomment\nSi 0 0 0\n", "2\n\nO 1.0x 2 3\n", "1\nProperties=species:S:1:pos:R:3\nbroken", "\n 1\n\nH 0 0 0"]
)
def test_xyz_is_seen_even_if_broken(text):
    assert by_content(text.encode()) == "extxyz"


def test_refusal(tmp_path):
    (tmp_path / "notes.txt").write_text("Dear all,\nhello\n")
    with pytest.raises(DataError, match=r"notes\.txt: format: not recognised, it starts with 'Dear all,'; expected CIF"):
        detect(tmp_path / "notes.txt")
