"""The door: files and objects in, checked Atoms with labels out; cases that users reported, with their right values."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
import warnings

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from pymatgen.core import DummySpecies, Lattice, Molecule, Structure

from sciml.errors import ConfigError, DataError
from sciml.materials.structure import as_atoms, iterate_structures, read_structures
from tests.materials.formats.samples import DATA, EXTXYZ, POSCAR

VOIGT = [0.010, -0.020, 0.030, 0.004, -0.005, 0.006]


@pytest.mark.parametrize("name", ["four-digits.cif", "three-digits.cif"])
def test_case_01_thirds_written_with_few_digits(name):
    (atoms,) = read_structures(DATA / name)
    assert atoms.get_chemical_formula() == "Mo2S4"
    lengths = atoms.get_all_distances(mic=True)
    assert lengths[lengths > 0].min() == pytest.approx(2.418, abs=0.003)


def test_case_03_scales_of_a_poscar():
    (volume,) = read_structures(DATA / "POSCAR-volume")
    assert volume.get_volume() == pytest.approx(70, abs=1e-6)
    assert volume.positions[1] - volume.positions[0] == pytest.approx([2.06064] * 3, abs=1e-5)
    (three,) = read_structures(str(DATA / "three.vasp"))
    assert three.cell.array == pytest.approx(np.array([[4, 0, 0], [0, 5, 0], [2, 0, 6]]))
    assert three.positions[1] == pytest.approx([2, 2.5, 3])


def test_case_04_stress_and_virial():
    for atoms in [*read_structures(DATA / "agree.extxyz"), *read_structures(DATA / "six.extxyz")]:
        assert atoms.calc.results["stress"] == pytest.approx(VOIGT, abs=1e-9)
        assert atoms.get_stress() == pytest.approx(VOIGT, abs=1e-9)
        assert atoms.calc.results["energy"] == -14
    with pytest.raises(DataError, match=r"disagree\.extxyz: record 3 \(from 0\): virial"):
        read_structures(DATA / "disagree.extxyz")


@pytest.mark.parametrize("name", ["POSCAR-salt", "salt.cif", "salt.extxyz"])
def test_case_28_windows_line_ends(tmp_path, name):
    (tmp_path / name).write_bytes((DATA / name).read_bytes().replace(b"\n", b"\r\n"))
    (plain,), (other,) = read_structures(DATA / name), read_structures(tmp_path / name)
    assert plain.symbols.get_chemical_formula() == other.symbols.get_chemical_formula() == "Cl4Na4"
    assert np.array_equal(plain.positions, other.positions)
    assert np.array_equal(plain.cell.array, other.cell.array)
    assert plain.info == other.info
    assert name != "salt.extxyz" or other.info["config_type"] == "bulk"


def write_many(path, frames):
    grid = np.stack(np.meshgrid([0, 4], [0, 4], [0, 2, 4, 6], indexing="ij"), -1).reshape(16, 3)
    rows = []
    for k in range(frames):
        rows.append(f'16\nLattice="8 0 0 0 8 0 0 0 8" Properties=species:S:1:pos:R:3:forces:R:3 pbc="T T T" energy={-1 - k / 1000:.3f}\n')
        rows += [f"Cu {x:.9f} {y:.9f} {z + 0.2 * np.sin(k + n):.9f} 0.1 0.0 -0.2\n" for n, (x, y, z) in enumerate(grid)]
    text = "".join(rows).encode()
    path.write_bytes(gzip.compress(text, 1) if path.suffix == ".gz" else text)


@pytest.mark.parametrize("frames", [1500, pytest.param(6000, marks=pytest.mark.long)])
def test_case_30_large_gzip_with_a_strange_name(tmp_path, frames):
    path = tmp_path / "träin set (1)" / "датa №2.extxyz.gz"
    path.parent.mkdir()
    write_many(path, frames)
    start = time.perf_counter()
    found = read_structures(path)
    assert time.perf_counter() - start < frames / 100
    assert len(found) == frames
    assert found[0].cell.lengths().tolist() == found[-1].cell.lengths().tolist() == [8, 8, 8]
    assert found[0].pbc.all()
    assert sum(atoms.calc.results["energy"] for atoms in found) == pytest.approx(-frames - sum(range(frames)) / 1000, abs=1e-3)


@pytest.mark.parametrize(
    "name",
    [
        "cod_9007640.cif",
        "cod_9007661.cif",
        "odac_LUFQUZ.cif",
        "gvd.cif",
        "02_acetic_acid__POSCAR_solid.vasp",
        "08_cyanamide__POSCAR_molecule.vasp",
    ],
)
def test_zoo_as_ase_reads_it(name):
    (ours,), theirs = read_structures(DATA / name), ase.io.read(DATA / name)
    assert sorted(ours.numbers) == sorted(theirs.numbers)
    assert np.allclose(ours.cell.cellpar(), theirs.cell.cellpar(), atol=1e-6)
    distances = [np.sort(atoms.get_all_distances(mic=True), axis=None) for atoms in (ours, theirs)]
    assert np.allclose(*distances, atol=2e-6)


def test_zoo_refusals():
    with pytest.raises(DataError, match=r"carbon\.extxyz: record 3 \(from 0\): smallest distance: .* are 0.355 A apart"):
        read_structures(DATA / "carbon.extxyz")
    assert len(read_structures(DATA / "carbon.extxyz", min_distance_A=0.1)) == 5
    with pytest.raises(DataError, match=r"elz\.cif: .*disordered, 6 of 8 sites"):
        read_structures(DATA / "elz.cif")
    name = "virtual_structure__POSCAR-5-227-75.vasp"
    with pytest.raises(DataError, match=rf"{name}: record 0 .*no element line.*symbols="):
        read_structures(DATA / name)
    assert len(read_structures(DATA / name, symbols=["Si"] * 15)[0]) == 56
    with pytest.warns(UserWarning, match="no element line; P, O were read from letters of the first line"):
        assert read_structures(DATA / "trigonal__POSCAR-153.vasp")[0].get_chemical_formula() == "O18P6"


def test_labels_units_and_keys_of_a_file(tmp_path):
    path = tmp_path / "a.extxyz"
    stress = "1 0 0 0 2 0 0 0 3"
    text = EXTXYZ.replace("energy=-1.5", f'REF_energy=-1.5 energy=7 stress="{stress}" spin=2')
    path.write_text(text + EXTXYZ.replace("energy=-1.5", "spin=0"))
    first, second = read_structures(path, keys={"energy": "REF_energy"}, units={"stress": "-kBar", "forces": "meV/A"})
    assert first.get_potential_energy() == -1.5
    assert first.calc.results["free_energy"] == -1.5
    assert first.get_forces()[0] == pytest.approx([1e-4, 2e-4, 3e-4])
    assert first.get_stress()[:3] == pytest.approx(-np.array([1, 2, 3]) / 1602.1766208)
    assert first.info == {"name": "two words", "spin": 2, "unused_energy": 7}
    assert "energy" not in second.calc.results
    with pytest.raises(DataError, match="energy: none of 2 records has the column 'dft_energy'.*REF_energy"):
        read_structures(path, keys={"energy": "dft_energy"})
    with pytest.raises(ConfigError, match="unknown unit"):
        read_structures(path, units={"energy": "eVV"})


def test_a_label_with_nan_names_record_and_field(tmp_path):
    (tmp_path / "a.extxyz").write_text(EXTXYZ + EXTXYZ.replace("energy=-1.5", "energy=nan"))
    with pytest.raises(DataError, match=r"a\.extxyz: record 1 \(from 0\): energy: a component is NaN"):
        read_structures(tmp_path / "a.extxyz")


def test_forces_come_without_constraints(tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1)
    atoms.calc = EMT()
    raw = atoms.get_forces()
    atoms.set_constraint(FixAtoms(range(4)))
    atoms.get_potential_energy()
    (own,) = read_structures(atoms)
    ase.io.write(tmp_path / "a.traj", atoms)
    (file,) = read_structures(tmp_path / "a.traj")
    for found in (own, file):
        assert np.array_equal(found.calc.results["forces"], raw)
        assert np.array_equal(found.get_forces(apply_constraint=False), raw)
        assert found.constraints[0].index.tolist() == [0, 1, 2, 3]


def test_selective_dynamics_and_velocities(tmp_path):
    text = (
        POSCAR.replace("Direct", "Selective\nDirect")
        .replace("0.5 0.5 0.5", "0.5 0.5 0.5 F F T")
        .replace("0.0 0.0 0.0\n0.5", "0 0 0 F F F\n0.5")
    )
    (tmp_path / "POSCAR").write_text(text)
    (atoms,) = read_structures(tmp_path / "POSCAR")
    assert [type(c).__name__ for c in atoms.constraints] == ["FixAtoms", "FixScaled"]
    assert atoms.constraints[1].mask.tolist() == [True, True, False]
    (tmp_path / "CONTCAR").write_text(POSCAR + "\n0.01 0 0\n0 0 -0.02\n")
    (moving,) = read_structures(tmp_path / "CONTCAR")
    assert np.allclose(moving.get_velocities(), ase.io.read(tmp_path / "CONTCAR").get_velocities())


def test_mixed_boundaries_molecules_slabs_and_lone_atoms(tmp_path):
    slab = bulk("Cu", cubic=True)
    slab.center(vacuum=5, axis=2)
    slab.pbc = (True, True, False)
    frames = [molecule("H2O"), slab, Atoms("Ar"), Atoms("Ar", cell=[20] * 3, pbc=True)]
    ase.io.write(tmp_path / "a.extxyz", frames)
    for one, two in zip(read_structures(tmp_path / "a.extxyz"), frames, strict=True):
        assert np.array_equal(one.pbc, two.pbc)
        assert np.allclose(one.positions, two.positions, atol=1e-7)
        assert np.array_equal(one.cell.array, two.cell.array)
        assert one.calc is None


def test_objects():
    atoms = bulk("Si")
    atoms.info["energy"] = -3.0
    atoms.arrays["forces"] = np.ones((2, 3))
    before = (atoms.info.copy(), set(atoms.arrays))
    salt = Structure(Lattice.cubic(4), ["Na+", "Cl-"], [[0, 0, 0], [0.5] * 3], site_properties={"magmom": [1, 2]})
    water = Molecule("OHH", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    found = read_structures([atoms, salt, water])
    assert found[0].calc.results["energy"] == -3
    assert found[0].calc.results["forces"].tolist() == [[1, 1, 1]] * 2
    assert (atoms.info, set(atoms.arrays)) == before
    assert atoms.calc is None
    assert found[1].get_chemical_formula() == "ClNa"
    assert found[1].arrays["magmom"].tolist() == [1, 2]
    assert not found[2].pbc.any()
    assert read_structures(salt)[0] == found[1]


def test_results_of_another_state_are_refused():
    atoms = bulk("Si")
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0)
    atoms.positions[0] += 0.1
    with pytest.raises(DataError, match=r"object: record 0 .*another state \(changed since: positions\)"):
        read_structures(atoms)


def test_as_atoms():
    atoms = bulk("Si")
    assert as_atoms(atoms) is atoms
    salt = Structure(Lattice.from_parameters(4, 5, 6, 80, 85, 100), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.6, 1.7]])
    assert np.allclose(as_atoms(salt).positions, salt.cart_coords)
    assert as_atoms(salt).pbc.all()
    for wrong, message in (
        (Structure(Lattice.cubic(4), [{"Na": 0.5}], [[0, 0, 0]]), "disordered, 1 of 1 sites"),
        (Structure(Lattice.cubic(4), [DummySpecies("Qq")], [[0, 0, 0]]), "is no element"),
        ("POSCAR", "str is no structure"),
    ):
        with pytest.raises(DataError, match=message):
            as_atoms(wrong)


def test_json_is_never_decoded_into_objects(tmp_path):
    evil = {"@module": "os", "@class": "system", "command": f"touch {tmp_path / 'touched'}"}
    for tree in (evil, [evil], {"lattice": {"matrix": np.eye(3).tolist()}, "sites": [evil]}):
        (tmp_path / "a.json").write_text(json.dumps(tree))
        with pytest.raises(DataError, match=r"a\.json"):
            read_structures(tmp_path / "a.json")
    assert not (tmp_path / "touched").exists()


def test_killers_are_refused_quickly(tmp_path):
    """A gzip bomb, an endless line, a cell of NaN, entities that grow: typed errors, seconds, little memory."""
    names = {
        "bomb.extxyz.gz": gzip.compress(b"1\n\nH 0 0 0\n" + b"\n" * (200 << 20), 6),
        "bomb.cif.gz": gzip.compress(b"data_x\n" + b"#" * (200 << 20), 6),
        "nan.extxyz": EXTXYZ.replace("4 0 0 0 4 0 0 0 4", "nan 0 0 0 nan 0 0 0 nan").encode(),
        "huge.xyz": b"99999999999999\n\nH 0 0 0\n",
        "deep.json": b"[" * 1_000_000,
        "vasprun.xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa">]><modeling>&a;</modeling>',
        "pickle.traj": b"\x80\x04\x95",
    }
    for name, data in names.items():
        (tmp_path / name).write_bytes(data)
        start = time.perf_counter()
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            read_structures(tmp_path / name)
        assert time.perf_counter() - start < 10, name


def test_options_that_cannot_be_meant(tmp_path):
    with pytest.raises(ConfigError, match="unknown format 'xml'"):
        read_structures(DATA / "salt.cif", format="xml")
    with pytest.raises(ConfigError, match="names its elements"):
        read_structures(DATA / "salt.cif", symbols=["Na"])
    with pytest.raises(DataError, match="no such file"):
        read_structures(tmp_path / "nothing.cif")
    (tmp_path / "x.cif").write_text(POSCAR)
    assert len(read_structures(tmp_path / "x.cif")) == 1
    with pytest.raises(DataError, match=r"x\.cif"):
        read_structures(tmp_path / "x.cif", format="cif")


def test_iteration_can_be_left_and_fails_late(tmp_path):
    write_many(tmp_path / "a.extxyz", 3000)
    with open(tmp_path / "a.extxyz", "a") as handle:
        handle.write("2\n\nH 0 0 0\n")
    stream = iterate_structures(tmp_path / "a.extxyz")
    assert len(next(stream)) == 16
    stream.close()
    count = 0
    with pytest.raises(DataError, match="record 3000"):
        for _ in iterate_structures(tmp_path / "a.extxyz"):
            count += 1
    assert count > 1000


MEASURE = """
import re, sys
from pathlib import Path
from sciml.materials.formats.parse import parse
from sciml.materials.structure import iterate_structures
path, what = sys.argv[1:]
count = sum(1 for _ in iterate_structures(path)) if what == "door" else sum(len(flat["cell"]) for _, flat in parse(path, "extxyz", {}))
print(count, re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text()).group(1))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("what", ["door", "parse"])
@pytest.mark.parametrize("frames", [(1000, 8000), pytest.param((4000, 40_000), marks=pytest.mark.long)])
def test_memory_does_not_grow_with_the_file(tmp_path, frames, what):
    """The peak of the parent, and that of the parser which runs in the child, for a file eight or ten times as large."""
    peaks = []
    for count in frames:
        write_many(tmp_path / "a.extxyz", count)
        run = subprocess.run([sys.executable, "-c", MEASURE, str(tmp_path / "a.extxyz"), what], capture_output=True, text=True, check=True)
        read, peak = map(int, run.stdout.split())
        assert read == count
        peaks.append(peak)
    assert peaks[1] < 1.1 * peaks[0]


def test_no_warning_for_ordinary_files():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("salt.cif", "POSCAR-salt", "salt.extxyz", "cod_9007640.cif"):
            read_structures(DATA / name)


@pytest.mark.parametrize("distance", [float("nan"), float("inf"), -1.0])
@pytest.mark.parametrize("given", [DATA / "carbon.extxyz", [Atoms("H")]])
def test_a_smallest_distance_that_is_none_is_refused(given, distance):
    with pytest.raises(ConfigError, match=f"min_distance_A: found {distance}, expected a finite number >= 0"):
        read_structures(given, min_distance_A=distance)
