import io

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms

from sciml.errors import DataError
from tests.materials.formats.samples import DATA, EXTXYZ, parse


def read(tmp_path, text, **options):
    return parse("extxyz", tmp_path / "f.extxyz", text, **options)


def test_a_frame(tmp_path):
    (record,) = read(tmp_path, EXTXYZ)
    assert record.numbers.tolist() == [11, 17]
    assert record.positions.tolist() == [[0, 0, 0], [2, 2, 2]]
    assert record.cell.tolist() == [[4, 0, 0], [0, 4, 0], [0, 0, 4]]
    assert record.pbc.all()
    assert record.info == {"energy": -1.5, "name": "two words"}
    assert record.arrays["forces"].tolist() == [[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]]


def test_what_ase_writes(tmp_path):
    rng = np.random.default_rng(1)
    frames = []
    for k, atoms in enumerate([bulk("Si"), molecule("H2O"), bulk("NaCl", "rocksalt", a=5.6, cubic=True), Atoms("Ar")]):
        atoms.rattle(0.1, seed=k)
        atoms.info.update(config_type="x y", number=k, flags=[True, False], vector=np.arange(3.0), mapping={"a": 1})
        atoms.set_tags(range(len(atoms)))
        atoms.set_array("name", np.array([f"at{i}" for i in range(len(atoms))]))
        atoms.calc = SinglePointCalculator(atoms, energy=-float(k), forces=rng.normal(size=(len(atoms), 3)))
        frames.append(atoms)
    frames[0].set_constraint(FixAtoms([1]))
    frames[1].pbc = (True, True, False)
    frames[1].cell = [9, 9, 12]
    path = tmp_path / "a.extxyz"
    ase.io.write(path, frames, format="extxyz")
    for ours, theirs in zip(parse("extxyz", path), ase.io.read(path, ":"), strict=True):
        assert np.array_equal(ours.numbers, theirs.numbers)
        assert np.array_equal(ours.positions, theirs.positions)
        assert np.array_equal(ours.cell, theirs.cell.array)
        assert np.array_equal(ours.pbc, theirs.pbc)
        assert ours.info["energy"] == theirs.calc.results["energy"]
        assert np.array_equal(ours.arrays["forces"], theirs.calc.results["forces"])
        assert np.array_equal(ours.arrays["tags"], theirs.arrays["tags"])
        assert ours.info["config_type"] == "x y"
        assert ours.info["mapping"] == {"a": 1}


def test_windows_and_old_mac_line_ends(tmp_path):
    (plain,) = read(tmp_path, EXTXYZ)
    for end in ("\r\n", "\r"):
        (tmp_path / "g.extxyz").write_bytes(EXTXYZ.replace("\n", end).encode())
        (other,) = parse("extxyz", tmp_path / "g.extxyz")
        assert other.info == plain.info
        assert np.array_equal(other.positions, plain.positions)


def test_plain_xyz_keeps_its_comment_and_columns(tmp_path):
    (record,) = read(tmp_path, "2\nwater, half of it\nO 0 0 0 -0.8\n1 0 0 0.96 0.4\n\n\n")
    assert record.numbers.tolist() == [8, 1]
    assert record.info == {"comment": "water, half of it"}
    assert record.arrays["columns"].tolist() == [-0.8, 0.4]
    assert not record.pbc.any()
    assert not record.cell.any()


def test_keys_in_any_case_and_species_as_numbers(tmp_path):
    text = (
        EXTXYZ.replace("Lattice", "lattice")
        .replace("Properties=species:S:1", "properties=Z:I:1")
        .replace("Na ", "11 ")
        .replace("Cl ", "17 ")
    )
    (record,) = read(tmp_path, text.replace('pbc="T T T"', 'PBC="1 0 1"'))
    assert record.numbers.tolist() == [11, 17]
    assert record.cell[0, 0] == 4
    assert record.pbc.tolist() == [True, False, True]


def test_pbc_without_lattice_and_lattice_without_pbc(tmp_path):
    (periodic,) = read(tmp_path, EXTXYZ.replace(' pbc="T T T"', ""))
    assert periodic.pbc.all()
    (open_box,) = read(tmp_path, EXTXYZ.replace('"T T T"', '"F F F"').replace("4 0 0 0 4 0 0 0 4", "1 0 0 0 1 0 0 0 1"))
    assert not open_box.pbc.any()
    assert np.trace(open_box.cell) == 3


FAULTS = {
    "": "no frame",
    "\n \n": "no frame",
    "two\n\nH 0 0 0\n": "number of atoms: found 'two'",
    "0\n\n": "number of atoms: 0",
    "1.0\n\nH 0 0 0\n": "number of atoms: found '1.0'",
    "3\n\nH 0 0 0\nH 0 0 1\n": "ends after 2 of 3 atoms",
    "1\n": "ends after 0 of 1 atoms",
    "1\n\nH 0 0\n": "pos: |columns",
    "1\n\nH 0 0 1.0x\n": "pos: found '1.0x'",
    "1\n\nH 0 0 1_0\n": "pos: found '1_0'",
    "1\n\nX 0 0 0\n": "species: 'X' is no element",
    EXTXYZ.replace("0.3\n", "0.3 7\n", 1): "atom 0: 8 columns",
    EXTXYZ.replace("pos:R:3", "pos:R"): "Properties: found",
    EXTXYZ.replace("pos:R:3", "pos:Q:3"): "Properties: found",
    EXTXYZ.replace("pos:R:3", "place:R:3"): "no positions",
    EXTXYZ.replace("species:S:1:pos", "kind:S:1:pos"): "no species",
    EXTXYZ.replace("forces:R:3", "pos:R:3"): "a name stands twice",
    EXTXYZ.replace("4 0 0 0 4 0 0 0 4", "4 0 0 0 4 0 0 0"): "Lattice: found",
    EXTXYZ.replace("4 0 0 0 4 0 0 0 4", "4 0 0 0 4 0 0 0 x"): "Lattice: found",
    EXTXYZ.replace("T T T", "T T"): "pbc: found",
    EXTXYZ.replace("T T T", "yes"): "pbc: found",
    EXTXYZ + EXTXYZ[:-8]: r"record 1 .*within its last number|record 1 .*columns",
    EXTXYZ[: EXTXYZ.rindex("0.3")] + "0.": "within its last number",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items())
def test_faults(tmp_path, text, message):
    with pytest.raises(DataError, match=rf"f\.extxyz: .*({message})"):
        read(tmp_path, text)


def test_a_last_line_without_line_end_is_whole(tmp_path):
    assert len(read(tmp_path, EXTXYZ.rstrip("\n"))) == 1


def test_any_cut_is_refused_or_loses_no_atom(tmp_path):
    """Cut at every byte: what is read is whole frames with the right numbers."""
    text = EXTXYZ + EXTXYZ
    whole = read(tmp_path, text)
    for cut in range(1, len(text) - 1):
        try:
            found = read(tmp_path, text[:cut])
        except DataError:
            continue
        for a, b in zip(found, whole, strict=False):
            assert np.array_equal(a.positions, b.positions)
            assert np.array_equal(a.arrays["forces"], b.arrays["forces"])


def test_too_many_atoms_are_refused_before_they_are_read(tmp_path):
    with pytest.raises(DataError, match=r"999999999; expected at most 20000 \(max_sites=\)"):
        read(tmp_path, "999999999\n\nH 0 0 0\n")
    with pytest.raises(DataError, match="at most 1 "):
        read(tmp_path, EXTXYZ, max_sites=1)


def test_fixed_atoms(tmp_path):
    text = "2\nProperties=species:S:1:pos:R:3:move_mask:L:1\nH 0 0 0 T\nH 0 0 1 F\n"
    (record,) = read(tmp_path, text)
    assert record.fixed.tolist() == [[False] * 3, [True] * 3]


def test_speed_is_linear(tmp_path):
    """3,000 frames are read in about three times the time of 1,000 (a quadratic reader: nine times)."""
    import time

    frame = EXTXYZ * 10
    times = []
    for count in (100, 300):
        (tmp_path / "f.extxyz").write_text(frame * count)
        start = time.process_time()
        assert len(parse("extxyz", tmp_path / "f.extxyz")) == 10 * count
        times.append(time.process_time() - start)
    assert times[1] < 6 * times[0] + 0.2


def test_the_carbon_set_as_ase_reads_it():
    theirs = ase.io.read(io.StringIO((DATA / "carbon.extxyz").read_text()), ":", format="extxyz")
    for ours, other in zip(parse("extxyz", DATA / "carbon.extxyz"), theirs, strict=True):
        assert np.array_equal(ours.positions, other.positions)
        assert ours.info["class_label"] == other.info["class_label"]
        assert np.array_equal(ours.info["class"], other.info["class"])
