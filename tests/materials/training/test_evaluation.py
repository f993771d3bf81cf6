"""Errors on a test set against numpy, intervals that hold the truth, parity files that read back."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet
import pytest
from ase import Atoms

from sciml.materials.potential import Prediction
from sciml.materials.training.evaluation import errors, evaluate


class Offset:
    """A potential that is wrong by 0.01 eV/atom, 0.1 eV/A and 0.001 eV/A^3 everywhere."""

    def predict(self, structures: list[Atoms], device: str = "auto") -> list[Prediction]:
        found = []
        for atoms in structures:
            energy = atoms.get_potential_energy() + 0.01 * len(atoms)
            stress = atoms.get_stress(voigt=False) - 0.001
            found.append(Prediction(energy, np.full(len(atoms), energy / len(atoms)), atoms.get_forces() + 0.1, stress))
        return found


def test_known_offsets_are_found_in_their_units(copper) -> None:
    structures = copper(6)
    for atoms in structures[:2]:
        atoms.info["group"] = "first"
    result = evaluate(Offset(), [structures[:4], structures[4:]], excluded=(1,), seed=0)  # type: ignore[arg-type]
    for part, count in (("all", 6), ("independent", 5)):
        found = result.metrics[part]
        expected = {"energy": (10.0, "meV_per_atom"), "forces": (0.1, "eV_per_A"), "stress": (0.1602176634, "GPa")}
        for name, (error, unit) in expected.items():
            assert found[name]["unit"] == unit and found[name]["structures"] == count
            np.testing.assert_allclose([found[name]["mae"], found[name]["rmse"], *found[name]["rmse_interval"]], error, rtol=1e-6)
    assert result.metrics["by_group"]["first"]["forces"]["structures"] == 2
    table = pyarrow.parquet.read_table(io.BytesIO(result.parquet("stress"))).to_pydict()
    expected = np.concatenate([atoms.get_stress() for atoms in structures]) * 160.2176634
    np.testing.assert_allclose(table["label"], expected)
    assert table["record"] == [record for record in range(6) for _ in range(6)]


def test_errors_without_the_pulay_stress_that_training_took_off(copper) -> None:
    structures = copper(4)
    for atoms in structures:  # one volume, so that c N / V is 0.001 eV/A^3 in each
        atoms.set_cell(np.diag([3.6, 3.6, 3.6]), scale_atoms=True)
        atoms.calc.atoms = atoms.copy()
    c = 0.001 * 3.6**3 / 4
    found = evaluate(Offset(), [structures], pulay_eV_per_atom={"Cu": c}).metrics["all"]  # type: ignore[arg-type]
    assert found["stress"]["rmse"] == pytest.approx(0.1602176634)
    # the shears keep their error of 0.16 GPa, the diagonal loses it
    assert found["stress_less_pulay"]["rmse"] == pytest.approx(0.1602176634 * 0.5**0.5)
    for atoms in structures:
        del atoms.calc.results["stress"]

    class NoStress(Offset):
        def predict(self, structures, device="auto"):
            return [Prediction(0.0, np.zeros(4), np.zeros((4, 3)), None) for _ in structures]

    assert set(evaluate(NoStress(), [structures], pulay_eV_per_atom={"Cu": c}).metrics["all"]) == {"energy", "forces"}  # type: ignore[arg-type]


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator, inside = np.random.default_rng(0), 0
    for trial in range(100):
        noise = generator.normal(size=(60, 5))
        flat = {"record": np.repeat(np.arange(60), 5), "label": np.zeros(300), "predicted": noise.ravel(), "std": np.full(300, np.nan)}
        low, high = errors({"forces": flat}, np.arange(60), trial)["forces"]["rmse_interval"]
        inside += low <= 1.0 <= high
    assert 85 <= inside <= 100


def test_empty_test_set() -> None:
    assert evaluate(Offset(), [], seed=0).metrics == {"structures": 0, "all": {}}  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ["energy", "forces", "stress"])
def test_parity_without_labels_is_an_empty_table(target: str) -> None:
    result = evaluate(Offset(), [], seed=0)  # type: ignore[arg-type]
    assert pyarrow.parquet.read_table(io.BytesIO(result.parquet(target))).num_rows == 0
