"""Predictions in a file: units stated, labels kept, read back as written."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from sciml.materials.potential import Prediction
from sciml.materials.prediction_file import predicted, write_predictions
from sciml.materials.structure import read_structures
from tests.cli.sample import copper


def prediction(atoms: Atoms, **more) -> Prediction:
    generator = np.random.default_rng(0)
    stress = np.array([[1.0, 0.1, 0.2], [0.1, 2.0, 0.3], [0.2, 0.3, 3.0]]) if all(atoms.pbc) else None
    return Prediction(-3.5, np.zeros(len(atoms)), generator.normal(size=(len(atoms), 3)), stress, **more)


def test_carrier_leaves_the_input_as_it_was():
    (atoms,) = copper(1)
    before = dict(atoms.calc.results)
    carrier = predicted(atoms, prediction(atoms), "mine")
    assert atoms.calc.results == before and "units" not in atoms.info
    assert carrier.info["REF_energy"] == before["energy"] and np.array_equal(carrier.arrays["REF_forces"], before["forces"])
    assert carrier.calc.results["stress"].tolist() == [1.0, 2.0, 3.0, 0.3, 0.2, 0.1] and carrier.info["model"] == "mine"
    assert not {"energy_std", "in_domain"} & set(carrier.info) and "forces_std" not in carrier.arrays


def test_read_back(tmp_path):
    periodic, molecule = copper(1)[0], Atoms("H2", [[0, 0, 0], [0, 0, 0.8]])
    spread = {"energy_std": 0.25, "in_domain": False}
    pieces = [([periodic], [prediction(periodic, forces_std=np.full((4, 3), 0.5), **spread)]), ([molecule], [prediction(molecule)])]
    assert write_predictions(tmp_path / "x.extxyz", pieces) == 2
    first, second = read_structures(tmp_path / "x.extxyz")
    assert first.get_potential_energy() == -3.5 and first.info["energy_std"] == 0.25 and not first.info["in_domain"]
    assert np.allclose(first.arrays["forces_std"], 0.5) and np.allclose(first.get_forces(), pieces[0][1][0].forces, atol=1e-8)
    assert first.get_stress().tolist() == [1.0, 2.0, 3.0, 0.3, 0.2, 0.1]
    assert "stress" not in second.calc.results and "energy eV" in second.info["units"]


def test_nothing_is_left_of_a_file_that_fails(tmp_path):
    def pieces():
        (atoms,) = copper(1)
        yield [atoms], [prediction(atoms)]
        raise RuntimeError("the model broke")

    with pytest.raises(RuntimeError):
        write_predictions(tmp_path / "x.extxyz", pieces())
    assert list(tmp_path.iterdir()) == []
