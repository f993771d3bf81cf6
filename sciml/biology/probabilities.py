"""Tables of probabilities that users give, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.arguments import shown
from sciml.errors import DataError

__all__ = ["checked_law"]

_SUM = 1e-6  # how far from 1 a row may sum: single precision


def checked_law(data: Any, name: str, axes: tuple[str, ...]) -> np.ndarray:
    """A law, or a law in each row, as float64: one axis for each of `axes` (its names are for messages), the last one summing to 1.

    Rows that miss 1 by at most 1e-6 are divided by their sum. Raises DataError, which begins with `name`, for what is no array of numbers
    with these axes, masked entries, numbers given as texts, entries that are no probability (with row and column) and rows that do not sum
    to 1.
    """
    asked = f"[{', '.join(axes)}]"
    if np.ma.is_masked(data):
        raise DataError(f"{name}: found masked entries, expected a probability in each place of {asked}")
    try:
        if (given := np.asarray(data)).dtype.kind in "US":
            raise TypeError("texts")
        law = np.array(given, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{name}: found {shown(data)}, expected probabilities {asked}") from None
    if law.ndim != len(axes) or law.size == 0:
        rows = ": each row is the law of one input" if len(axes) == 2 else ""
        raise DataError(f"{name}: found an array of shape {law.shape}, expected {asked}{rows}")
    sums = law.sum(axis=-1, keepdims=True)
    if not (law.min() >= 0 and abs(sums - 1).max() <= _SUM):
        raise DataError(f"{name}: {_fault(law, sums[..., 0])}")
    law /= sums
    return law


def _fault(law: np.ndarray, sums: np.ndarray) -> str:
    wrong = np.argwhere(~(law >= 0) | np.isinf(law))
    if len(wrong):
        place = ", ".join(f"{axis} {k}" for axis, k in zip(("row", "column") if law.ndim == 2 else ("entry",), wrong[0], strict=True))
        return f"{place}: found {law[tuple(wrong[0])]:g}, expected a probability"
    if law.ndim == 1:
        return f"sums to {sums:.9g}, expected 1"
    row = int(np.argmax(abs(sums - 1) > _SUM))
    turned = "; its columns sum to 1: is it the transpose?" if abs(law.sum(axis=0) - 1).max() <= _SUM else ""
    return f"row {row} sums to {sums[row]:.9g}, expected 1{turned}"
