"""The shipped data sets: complete, in our units, with licence, card and the script that made them."""

from __future__ import annotations

import numpy as np
import pytest
from ase import units
from ase.calculators.emt import EMT

from sciml import resources
from sciml.errors import ConfigError, DataError
from sciml.materials.datasets import list_datasets, list_parts, load_dataset, read_part, write_part
from sciml.materials.labels import labels_of
from sciml.materials.structure import read_structures


def test_every_data_set_is_whole():
    assert list_datasets() == ["mlearn-cu", "mlearn-si", "zoo"]
    for name in list_datasets():
        folder = resources.find("datasets") / name
        assert (folder / "card.md").is_file() and (folder / "make.py").is_file() and list(folder.glob("LICENSE*"))
        sizes = [len(load_dataset(name, part)) for part in list_parts(folder)]
        assert all(sizes) and len(load_dataset(name)) == sum(sizes)


@pytest.mark.parametrize(("name", "train", "test", "modulus"), [("mlearn-si", 214, 25, 102), ("mlearn-cu", 262, 31, 86)])
def test_shear_stress_follows_shear_strain(name, train, test, modulus):
    """Order and sign of the shears: in sheared cells sigma_ab = 2 G eps_ab with one G, and nothing across."""
    structures = load_dataset(name)
    assert len(structures) == train + test
    strains, stresses = [], []
    for atoms in structures:
        edge = {"mlearn-si": 5.468, "mlearn-cu": 3.621}[name]
        times = np.round(atoms.cell.array / edge)
        strained = atoms.info.get("group") == "Elastic" or (name == "mlearn-cu" and np.abs(labels_of(atoms).forces).max() < 0.01)
        if np.linalg.det(times) < 0.5 or not strained:
            continue
        gradient = np.linalg.solve(times * edge, atoms.cell.array) - np.eye(3)
        strain = 0.5 * (gradient + gradient.T)
        shears = strain[[1, 0, 0], [2, 2, 1]]
        if 1e-4 < np.abs(shears).max() < 0.06 and np.abs(np.diag(strain)).max() < 0.02:
            strains.append(2 * shears)
            stresses.append(labels_of(atoms).stress[[1, 0, 0], [2, 2, 1]] / units.GPa)
    assert len(strains) >= 8
    moduli = np.linalg.lstsq(np.array(strains), np.array(stresses), rcond=None)[0]
    np.testing.assert_allclose(np.diag(moduli), modulus, rtol=0.35)
    assert np.abs(moduli - np.diag(np.diag(moduli))).max() < 0.05 * modulus


def test_the_door_reads_the_same():
    path = resources.find("datasets") / "mlearn-si" / "test.extxyz.gz"
    for ours, theirs in zip(read_part(path), read_structures(path), strict=True):
        first, second = labels_of(ours), labels_of(theirs)
        assert first.energy == second.energy and ours.info["group"] == theirs.info["group"]
        np.testing.assert_array_equal(first.forces, second.forces)
        np.testing.assert_allclose(first.stress, second.stress, atol=1e-15)


def test_written_parts_come_back_and_are_reproducible(tmp_path):
    structures = [atoms for atoms in load_dataset("zoo") if len(atoms) < 10]
    structures[0].symbols[:] = "Cu"
    structures[0].calc = EMT()
    energy, forces = structures[0].get_potential_energy(), structures[0].get_forces()
    path = write_part(tmp_path, "train", structures)
    first = path.read_bytes()
    back = read_part(path)
    assert len(back) == len(structures) and (back[-1].pbc == structures[-1].pbc).all()
    assert labels_of(back[0]).energy == pytest.approx(energy, abs=1e-9)
    np.testing.assert_allclose(labels_of(back[0]).forces, forces, atol=1e-8)
    assert labels_of(back[1]).energy is None
    write_part(tmp_path, "train", structures)
    assert path.read_bytes() == first


def test_refusals(tmp_path):
    with pytest.raises(ConfigError, match="mlearn-si"):
        load_dataset("mlearn-ge")
    with pytest.raises(ConfigError, match="train, test"):
        load_dataset("mlearn-si", "valid")
    whole = (resources.find("datasets") / "zoo" / "structures.extxyz.gz").read_bytes()
    (tmp_path / "train.extxyz.gz").write_bytes(whole[:-20])
    with pytest.raises(DataError, match="whole gzip"):
        read_part(tmp_path / "train.extxyz.gz")
