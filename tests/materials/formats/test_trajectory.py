import gzip

import ase.io
import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms, FixBondLength

from sciml.errors import DataError
from tests.materials.formats.samples import parse


def frames(mixed=True):
    found = []
    for k in range(3):
        atoms = bulk("Cu", cubic=True) if k < 2 or not mixed else molecule("H2O")
        atoms.rattle(0.05, seed=k)
        atoms.info = {"k": k, "name": "a b", "x": np.arange(3.0)}
        atoms.set_tags(range(len(atoms)))
        stress = np.arange(6.0) if k < 2 else None
        atoms.calc = SinglePointCalculator(
            atoms, energy=-1.0 * k, free_energy=-2.0 * k, forces=np.full((len(atoms), 3), 0.1 * k), stress=stress
        )
        found.append(atoms)
    found[0].set_constraint([FixAtoms([1]), FixBondLength(0, 1)])
    return found


@pytest.mark.parametrize("mixed", [True, False])
def test_as_ase_reads_it(tmp_path, mixed):
    path = tmp_path / "a.traj"
    ase.io.write(path, frames(mixed))
    found = parse("traj", path)
    for one, two in zip(found, ase.io.read(path, ":"), strict=True):
        assert np.array_equal(one.numbers, two.numbers)
        assert np.array_equal(one.positions, two.positions)
        assert np.array_equal(one.cell, two.cell.array)
        assert np.array_equal(one.pbc, two.pbc)
        assert np.array_equal(one.arrays["tags"], two.get_tags())
        assert one.info["k"] == two.info["k"]
        assert one.info["x"].tolist() == [0, 1, 2]
        assert one.results["energy"] == two.calc.results["energy"]
        assert np.array_equal(one.results["forces"], two.calc.results["forces"])
    assert found[0].fixed[:, 0].tolist() == [False, True, False, False]
    assert "FixBondLength" in found[0].info["constraints"]


def test_forces_come_without_constraints(tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1)
    atoms.calc = EMT()
    raw = atoms.get_forces()
    atoms.set_constraint(FixAtoms(range(4)))
    atoms.get_potential_energy()
    ase.io.write(tmp_path / "a.traj", atoms)
    (record,) = parse("traj", tmp_path / "a.traj")
    assert np.array_equal(record.results["forces"], raw)
    assert np.abs(raw).max() > 0.1


def test_compressed(tmp_path):
    ase.io.write(tmp_path / "a.traj", frames())
    (tmp_path / "a.traj.gz").write_bytes(gzip.compress((tmp_path / "a.traj").read_bytes()))
    assert len(parse("traj", tmp_path / "a.traj.gz")) == 3


def test_damage_anywhere_is_refused_or_read(tmp_path):
    """Bytes of the file changed in turn, and the file cut there: records or DataError, nothing else."""
    ase.io.write(tmp_path / "a.traj", frames())
    data = (tmp_path / "a.traj").read_bytes()
    for k in range(0, len(data), 29):
        for changed in (data[:k] + bytes([data[k] ^ 0x55]) + data[k + 1 :], data[:k]):
            (tmp_path / "b.traj").write_bytes(changed)
            try:
                assert all(len(record.numbers) for record in parse("traj", tmp_path / "b.traj"))
            except (DataError, ValueError, TypeError):  # the child's entry turns the last two into DataError
                continue


def test_foreign_containers(tmp_path):
    ase.io.write(tmp_path / "a.traj", frames())
    data = (tmp_path / "a.traj").read_bytes()
    for changed, message in ((data.replace(b"ASE-Trajectory", b"GPAW-Something"), "a file of 'GPAW"), (data[:100], "outside the file")):
        (tmp_path / "b.traj").write_bytes(changed)
        with pytest.raises(DataError, match=message):
            parse("traj", tmp_path / "b.traj")
