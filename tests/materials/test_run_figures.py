"""Figures of a run: the numbers drawn are the numbers given."""

from __future__ import annotations

import numpy as np

from sciml.materials.run_figures import curve_figures, parity_figures, uncertainty_figures

LINES = [
    {"member": 0, "step": 5, "loss": 1.0, "valid": {"forces_rmse_eV_per_A": 0.5, "energy_rmse_meV_per_atom": None}},
    {"member": 0, "step": 10, "loss": 0.5, "valid": {"forces_rmse_eV_per_A": 0.4}},
    {"member": 1, "step": 5, "loss": 2.0},
]


def parity(count: int, std: float) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    label = generator.normal(size=count)
    return {"record": np.arange(count) // 3, "label": label, "predicted": label + 0.1, "std": np.full(count, std)}


def test_learning_curves():
    loss, forces = curve_figures(LINES)
    assert [trace["name"] for trace in loss.traces] == ["member 0", "member 1"]
    assert loss.traces[0]["x"] == [5, 10] and loss.traces[0]["y"] == [1.0, 0.5] and loss.traces[1]["y"] == [2.0, None]
    assert forces.name == "validation error of the forces" and forces.traces[0]["y"] == [0.5, 0.4]
    assert curve_figures([]) == [] and len(curve_figures(LINES[2:])) == 1


def test_parity_by_group():
    columns = {"forces": parity(9, np.nan)}
    (figure,) = parity_figures(columns, ["a", "", "a"])
    assert {trace["name"]: len(trace["x"]) for trace in figure.traces if trace["mode"] == "markers"} == {"a": 6, "(none)": 3}
    assert "MAE 0.100, RMSE 0.100 eV/Å over 9 values" in figure.caption
    for groups in ((), ["a", "a", "a"], ["a", "b"]):  # none, one, fewer than there are records
        assert len(parity_figures(columns, groups)[0].traces) == 2


def test_uncertainty_only_where_there_is_one():
    assert uncertainty_figures({"forces": parity(9, np.nan)}) == []
    (figure,) = uncertainty_figures({"forces": parity(30, 0.2), "stress": parity(6, np.nan)})
    assert figure.name == "uncertainty of the force components" and "100% of the errors lie within one" in figure.caption
