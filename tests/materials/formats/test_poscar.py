import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.constraints import FixAtoms, FixScaled
from pymatgen.core import Structure

from sciml.errors import DataError
from tests.materials.formats.samples import DATA, POSCAR, parse


def read(tmp_path, text, **options):
    (record,) = parse("poscar", tmp_path / "POSCAR", text, **options)
    return record


def test_case_minus_the_volume():
    """|negative| is the volume: the factor (70 / V)^(1/3) acts on vectors and Cartesian coordinates."""
    (record,) = parse("poscar", DATA / "POSCAR-volume")
    assert abs(np.linalg.det(record.cell) - 70) < 1e-6
    assert record.positions[1] - record.positions[0] == pytest.approx([2.06064] * 3, abs=1e-5)


def test_case_three_factors():
    (record,) = parse("poscar", DATA / "three.vasp")
    assert record.cell == pytest.approx(np.array([[4, 0, 0], [0, 5, 0], [2, 0, 6]]), abs=1e-6)
    assert record.positions[1] == pytest.approx([2, 2.5, 3], abs=1e-6)


@pytest.mark.parametrize("name", ["02_acetic_acid__POSCAR_solid.vasp", "08_cyanamide__POSCAR_molecule.vasp"])
def test_as_ase_and_pymatgen_read_it(name):
    (record,) = parse("poscar", DATA / name)
    theirs, others = ase.io.read(DATA / name), Structure.from_file(DATA / name)
    assert record.numbers.tolist() == theirs.numbers.tolist() == list(others.atomic_numbers)
    assert np.abs(record.positions - theirs.positions).max() < 1e-9
    assert np.abs(record.positions - others.cart_coords).max() < 1e-9
    assert np.abs(record.cell - others.lattice.matrix).max() < 1e-12


@pytest.mark.parametrize("name", ["cubic__POSCAR-223.vasp", "virtual_structure__POSCAR-5-227-75.vasp"])
def test_no_element_line(name):
    with pytest.raises(DataError, match=rf"{name}: record 0 .*no element line.*expected symbols="):
        parse("poscar", DATA / name)
    groups = 1 if "223" in name else 15
    (record,) = parse("poscar", DATA / name, symbols=["Si"] * groups)
    assert set(record.numbers.tolist()) == {14}


def test_elements_from_the_comment_line_are_noted(tmp_path):
    four = POSCAR.replace("Na Cl\n", "")
    plain = read(tmp_path, four.replace("salt", "Na Cl"))
    assert plain.numbers.tolist() == [11, 17]
    assert plain.notes == []
    assert read(tmp_path, four.replace("salt", "NaCl")).notes == []
    (noted,) = parse("poscar", DATA / "distorted__POSCAR-161-1.vasp")
    assert "no element line; F, I, N were read from letters of the first line" in noted.notes[0]
    assert "symbols=" in noted.notes[0]


@pytest.mark.parametrize(
    ("line", "numbers"), [("Na_pv Cl", [11, 17]), ("Na_sv/6a2f546d Cl/0", [11, 17]), ("Si.5 O_h", [14, 8]), ("Na Cl ! two", [11, 17])]
)
def test_element_names(tmp_path, line, numbers):
    assert read(tmp_path, POSCAR.replace("Na Cl", line)).numbers.tolist() == numbers


@pytest.mark.parametrize("mode", ["Cartesian", "cartesian", "c", "K", "Kartesisch", "CART"])
def test_cartesian(tmp_path, mode):
    text = POSCAR.replace("Direct", mode).replace("0.5 0.5 0.5", "2.0 2.0 2.0").replace("\n1.0\n", "\n1.5\n")
    assert read(tmp_path, text).positions[1].tolist() == [3, 3, 3]


@pytest.mark.parametrize("mode", ["Direct", "direct", "d", "D"])
def test_direct(tmp_path, mode):
    assert read(tmp_path, POSCAR.replace("Direct", mode)).positions[1].tolist() == [2, 2, 2]


def test_selective_dynamics_and_line_ends(tmp_path):
    text = POSCAR.replace("Direct", "Selective dynamics\nDirect").replace("0.0 0.0 0.0\n0.5", "0.0 0.0 0.0 T T F\n0.5")
    text = text.replace("0.5 0.5 0.5", "0.5 0.5 0.5 F F F")
    plain = read(tmp_path, text)
    assert plain.fixed.tolist() == [[False, False, True], [True, True, True]]
    (tmp_path / "CONTCAR").write_bytes(text.replace("\n", "\r\n").encode())
    (other,) = parse("poscar", tmp_path / "CONTCAR")
    assert np.array_equal(other.positions, plain.positions)
    assert other.info == plain.info


def test_what_ase_writes(tmp_path):
    atoms = bulk("NaCl", "rocksalt", a=5.6)
    atoms.rattle(0.1)
    atoms.set_constraint([FixAtoms([0]), FixScaled(1, [True, False, False])])
    ase.io.write(tmp_path / "POSCAR", atoms, format="vasp", direct=True)
    (record,) = parse("poscar", tmp_path / "POSCAR")
    assert np.abs(record.positions - atoms.positions).max() < 1e-12
    assert record.fixed.tolist() == [[True] * 3, [True, False, False]]


def test_velocities(tmp_path):
    assert read(tmp_path, POSCAR + "\n0.0 0.0 0.0\n0.0 0.0 0.0\n").arrays == {}
    moving = read(tmp_path, POSCAR + "\n0.01 0.0 0.0\n0.0 0.0 -0.02\n")
    assert moving.arrays["velocities_A_per_fs"].tolist() == [[0.01, 0, 0], [0, 0, -0.02]]
    assert "velocities_direct_per_step" in read(tmp_path, POSCAR + "Direct\n0.01 0.0 0.0\n0.0 0.0 0.0\n").arrays
    with pytest.raises(DataError, match="velocities: the block ends early"):
        read(tmp_path, POSCAR + "\n0.01 0.0 0.0\n0.0 0.0\n")


FAULTS = {
    "": "comment line: the file ends",
    POSCAR[:60]: "the file ends|expected",
    POSCAR[:-13]: "the file ends|found",
    POSCAR.replace("1.0\n", "1.0 2.0\n", 1): r"scale \(line 2\)",
    POSCAR.replace("1.0\n", "0.0\n", 1): r"scale \(line 2\)",
    POSCAR.replace("1.0\n", "1 -1 1\n", 1): r"scale \(line 2\)",
    POSCAR.replace("1.0\n", "1.0x\n", 1): r"scale \(line 2\)",
    POSCAR.replace("0.0 4.0 0.0", "0.0 4.0"): "lattice vector 1",
    POSCAR.replace("0.0 4.0 0.0", "0.0 4.0 0.0o"): "lattice vector 1",
    POSCAR.replace("Na Cl", "Na Qq"): "'Qq' is no element",
    POSCAR.replace("Na Cl", "Na"): "1 for 2 groups",
    POSCAR.replace("1 1\n", "1 x\n"): "a whole number",
    POSCAR.replace("1 1\n", "0 0\n"): "numbers of atoms",
    POSCAR.replace("1 1\n", "-1 3\n"): "numbers of atoms",
    POSCAR.replace("1 1\n", "1 99999\n"): "max_sites",
    POSCAR.replace("1 1\n", "2 2\n"): "the file ends before it",
    POSCAR.replace("Direct", "Spherical"): "Direct or Cartesian",
    POSCAR.replace("Direct", "Selective\nDirect"): "three of T, F",
    POSCAR.replace("0.5 0.5 0.5", "0.5 0.5 0.5 Na"): "a different element",
    POSCAR.replace("0.5 0.5 0.5", "0.5 0.5 .5.5"): "found '.5.5'",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items())
def test_faults(tmp_path, text, message):
    with pytest.raises(DataError, match=rf"POSCAR: .*({message})"):
        read(tmp_path, text)


def test_symbols(tmp_path):
    four = POSCAR.replace("Na Cl\n", "").replace("1 1", "2")
    assert read(tmp_path, four, symbols=["Na", "Cl"]).numbers.tolist() == [11, 17]
    assert read(tmp_path, four, symbols=["Na"]).numbers.tolist() == [11, 11]
    with pytest.raises(DataError, match="3 for 1 groups"):
        read(tmp_path, four, symbols=["Na"] * 3)
    with pytest.raises(DataError, match="contradicts symbols="):
        read(tmp_path, POSCAR, symbols=["Na", "Br"])
