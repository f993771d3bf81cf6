"""Figures of a training run: learning curves of its members, parity plots of its test set, uncertainty against error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sciml.report import Figure, curve, error_against_uncertainty, parity

__all__ = ["Curve", "Parity", "curve_figures", "parity_figures", "uncertainty_figures"]

Curve = Sequence[Mapping[str, Any]]
"""Lines of a learning curve: member, step, loss, and under `valid` errors on the validation set."""
Parity = Mapping[str, Mapping[str, np.ndarray]]
"""By target the columns record, label, predicted, std, each [n]."""

UNITS = {"energy": "meV/atom", "forces": "eV/Å", "stress": "GPa"}
_VALID = {
    "energy": ("energy_rmse_meV_per_atom", "validation error of the energy"),
    "forces": ("forces_rmse_eV_per_A", "validation error of the forces"),
    "stress": ("stress_rmse_GPa", "validation error of the stress"),
}
_NAMES = {"energy": "energy", "forces": "force components", "stress": "stress components"}


def curve_figures(lines: Curve) -> list[Figure]:
    """Training loss and validation RMSE of each target over the steps, a line a member, logarithmic; nothing for an empty curve."""
    if not lines:
        return []
    figures = [_over_steps("training loss", "loss", "", lines, lambda line: line.get("loss"))]
    for target, (key, title) in _VALID.items():
        if any((line.get("valid") or {}).get(key) is not None for line in lines):
            figures.append(_over_steps(title, "RMSE", UNITS[target], lines, lambda line, key=key: (line.get("valid") or {}).get(key)))
    return figures


def _over_steps(title: str, label: str, unit: str, lines: Curve, value: Any) -> Figure:
    members = sorted({line["member"] for line in lines})
    steps = sorted({line["step"] for line in lines})
    found = {(line["member"], line["step"]): value(line) for line in lines}
    ys: dict[str, Any] = {
        f"member {member}" if len(members) > 1 else label: [found.get((member, step), np.nan) for step in steps] for member in members
    }
    return curve(title, steps, ys, x_label="step", y_label=label, y_unit=unit, log_y=True)


def parity_figures(columns: Parity, groups: Sequence[str] = ()) -> list[Figure]:
    """Predicted against DFT for each target; `groups` [structures] colours the points by group where there are several."""
    figures = []
    for target, own in columns.items():
        names = None
        if len(set(groups)) > 1 and len(groups) > own["record"].max(initial=-1):
            names = [groups[int(record)] or "(none)" for record in own["record"]]
        words = {"reference_label": "DFT", "predicted_label": "predicted"}
        figures.append(parity(_NAMES[target], UNITS[target], own["label"], own["predicted"], names, **words))
    return figures


def uncertainty_figures(columns: Parity) -> list[Figure]:
    """|error| against the members' spread for each target that has one; nothing for a single model."""
    figures = []
    for target, own in columns.items():
        if np.isfinite(own["std"]).any():
            error = own["predicted"] - own["label"]
            figures.append(error_against_uncertainty(f"uncertainty of the {_NAMES[target]}", UNITS[target], error, own["std"]))
    return figures
