"""Responses as sections of a report: how they are distributed at each dose, over time, or as a law p(y|x); all numbers in tables beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sciml.report import Block, Figure, Section, Table, Text, curve

__all__ = ["law_section", "response_section"]

_MOST, _LINES, _POINTS = 12, 8, 20_000
_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def response_section(
    doses: Sequence[str],
    which: np.ndarray,
    names: Sequence[str],
    values: Sequence[np.ndarray],
    *,
    dose: str = "dose",
    times: np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> Section:
    """Boxes of the responses at each dose; of trajectories their medians over time with a band from 25 to 75 %.

    `doses` [k] in words, `which` [n] the dose of each cell, `values`: for each of `names` the responses [n, T] at `times` [T], or T = 1.
    """
    blocks: list[Block] = []
    rows = []
    for name, y in zip(names[:_MOST], values, strict=False):
        cut = [np.quantile(y[which == k], _LEVELS, axis=0) for k in range(len(doses))]  # [levels, T] each
        blocks.append(
            _over_time(name, doses, cut, times) if times is not None and len(times) > 1 else _boxes(name, dose, doses, which, y, cut)
        )
        for k, text in enumerate(doses):
            for t in range(y.shape[1]):
                cells = y[which == k, t]
                spread = float(cells.std(ddof=1)) if len(cells) > 1 else None
                row = {dose: text, "read-out": name, **({"time": float(times[t])} if times is not None else {}), "cells": len(cells)}
                rows.append(row | {"mean": float(cells.mean()), "sd": spread} | dict(zip(_HEADS, cut[k][:, t].tolist(), strict=True)))
    said = [f"{len(names) - _MOST} more read-outs are not drawn."] if len(names) > _MOST else []
    if text := "\n\n".join([*said, *notes]):
        blocks.append(Text(text))
    lead = f"{len(which):,} cells at {len(doses)} doses. Boxes reach from 25 to 75 %, whiskers from 5 to 95 %."
    return Section("Responses", [*blocks, Table.from_rows("responses", rows, rows_shown=40)], lead)


def law_section(doses: Sequence[str], law: np.ndarray) -> Section:
    """The law p(y|x) [k, m] as a picture: one row for each dose."""
    trace = {"type": "heatmap", "z": law, "y": list(doses), "x": list(range(law.shape[1]))}
    axes = {"xaxis": {"title": {"text": "response"}}, "yaxis": {"title": {"text": "dose"}, "type": "category"}}
    columns: dict[str, Any] = {"dose": np.repeat(list(doses), law.shape[1]), "response": np.tile(np.arange(law.shape[1]), len(doses))}
    columns["probability"] = law.ravel()
    figure = Figure("law of the responses", [trace], axes, caption="Probability of each response at each dose.")
    return Section("Responses", [figure, Table("law", columns, rows_shown=20)])


_HEADS = ("5 %", "25 %", "median", "75 %", "95 %")


def _boxes(name: str, dose: str, doses: Sequence[str], which: np.ndarray, y: np.ndarray, cut: Sequence[np.ndarray]) -> Figure:
    levels = np.stack([c[:, 0] for c in cut], axis=1)
    fields = dict(zip(("lowerfence", "q1", "median", "q3", "upperfence"), levels.tolist(), strict=True))
    trace = {"type": "box", "x": list(doses), "name": name, "showlegend": False, **fields}
    axes = {"xaxis": {"title": {"text": dose}, "type": "category"}, "yaxis": {"title": {"text": name}}}
    kept = slice(0, _POINTS)
    whole: dict[str, Any] = {dose: [doses[k] for k in which[kept]], name if name != dose else f"{name} (read)": y[kept, 0]}
    notes = [f"The file beside holds the first {_POINTS:,} of {len(y):,} cells."] if len(y) > _POINTS else []
    return Figure(f"{name} at each dose", [trace], axes, whole=whole, notes=notes)


def _over_time(name: str, doses: Sequence[str], cut: Sequence[np.ndarray], times: np.ndarray) -> Figure:
    shown = np.unique(np.linspace(0, len(doses) - 1, _LINES).astype(int)) if len(doses) > _LINES else range(len(doses))
    order = np.argsort(times)
    lines = {doses[k]: cut[k][2][order] for k in shown}
    bands = {doses[k]: (cut[k][1][order], cut[k][3][order]) for k in shown}
    at = np.asarray(times, dtype=float)[order]
    return curve(
        f"{name} over time", at, lines, x_label="time", y_label=name, bands=bands, caption="Medians; bands hold half of the cells."
    )
