"""Pairs of a discrete side (doses, labels) and a side of numbers (responses), whichever of the two is x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.biology.information.samples import Pair, Side, checked_pair, number_as_text, unmasked
from sciml.errors import ConfigError, DataError

__all__ = ["Dosed", "checked_doses", "dosed", "several_doses", "why_not_dosed"]


_SCARCE = 12


@dataclass(frozen=True)
class Dosed:
    """Cells of k doses: `codes` [n] from 0 to k - 1, every dose with at least two cells; `responses` [n, d], no column constant.

    `alone`: how many cells were left out because they were the only one of their dose. `groups` [n] codes or None.
    """

    codes: np.ndarray
    responses: np.ndarray
    alone: int
    groups: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> tuple[Dosed, np.ndarray]:
        """Some of the rows [n] of truth values, and which doses [k] of truth values have at least two cells among them."""
        counts = np.bincount(self.codes[rows], minlength=len(self.counts))
        several = rows & (counts > 1)[self.codes]
        codes = np.unique(self.codes[several], return_inverse=True)[1]
        values = self.responses[several]
        return Dosed(codes, values[:, np.ptp(values, axis=0) > 0], 0, None if self.groups is None else self.groups[several]), counts > 1

    @property
    def counts(self) -> np.ndarray:
        """[k] cells a dose."""
        return np.bincount(self.codes)

    @property
    def shares(self) -> np.ndarray:
        """[k] of all cells."""
        return self.counts / len(self.codes)

    @property
    def scarce(self) -> bool:
        """More than a tenth of the cells are at doses of fewer than 12: what never overlaps in so few cells may still overlap."""
        counts = self.counts
        return bool(len(counts)) and counts[counts < _SCARCE].sum() > 0.1 * len(self.codes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the cells."""
        notes = (f"{self.alone} cells left out: each is the only one of its dose",) if self.alone else ()
        few = f"fewer than {_SCARCE} cells at many doses: the bits may be far too low, the interval reaches up to all that doses could say"
        return (*notes, few) if self.scarce else notes

    def upper(self, high: float, most: float) -> float:
        """The upper end of an interval: `most`, all that the doses could say, where cells are scarce."""
        return max(high, most) if self.scarce else high


def checked_doses(doses: Any, responses: Any, groups: Any = None) -> Pair:
    """Single cells as a pair, x the doses, y the responses as numbers.

    Raises what `checked_pair` raises, and DataError for numbers given as texts, which would stand in the order of texts, and doses of a
    single cell each.
    """
    pair = checked_pair(doses, responses, groups, x_kind="discrete", y_kind="continuous", names=("doses", "responses"))
    if text := number_as_text(unmasked(doses, "doses")):
        how = "expected numbers (np.asarray(doses, dtype=float)), or names that are no numbers"
        raise DataError(f"doses: row 0: found {text}, which is a number given as a text, as all others are; {how}")
    if why := why_not_dosed(pair):
        raise DataError(why)
    return pair


def why_not_dosed(pair: Pair) -> str:
    """Why a pair is not one of doses and responses; "" where it is."""
    if not (pair.x.discrete or pair.y.discrete):
        return "both sides are continuous; expected one of few values, each many times (x_kind='discrete' says that a side is)"
    dose, response = _sides(pair)
    if dose.codes is not None and len(dose.codes) and np.bincount(dose.codes).max() < 2:
        return f"{dose.name}: every dose has a single cell, expected at least two cells at a dose"
    named = not response.values.shape[1] and len(response.levels) > 1
    return "both sides are names; expected one of numbers" if named else ""


def dosed(pair: Pair) -> Dosed:
    """The doses and responses of a pair; with two discrete sides x is the dose where y has numbers."""
    dose, response = _sides(pair)
    if dose.codes is None:
        raise ConfigError(why_not_dosed(pair))
    several = np.bincount(dose.codes)[dose.codes] > 1
    codes = np.unique(dose.codes[several], return_inverse=True)[1]
    values = response.values[several]
    moves = np.ptp(values, axis=0) > 0 if len(values) else np.zeros(values.shape[1], dtype=bool)
    return Dosed(codes, values[:, moves], int((~several).sum()), None if pair.groups is None else pair.groups[several])


def several_doses(pair: Pair) -> tuple[Dosed, tuple[Any, ...]]:
    """The doses and responses of a pair, and what the doses [k] are. DataError for fewer than two of two cells or more."""
    cells, dose = dosed(pair), _sides(pair)[0]
    if len(cells.counts) < 2:
        raise DataError(f"{dose.name}: found {len(cells.counts)} with at least two cells, expected at least 2")
    kept = np.bincount(np.asarray(dose.codes), minlength=len(dose.levels)) > 1
    return cells, tuple(level for level, several in zip(dose.levels, kept, strict=True) if several)


def _sides(pair: Pair) -> tuple[Side, Side]:
    if pair.x.discrete and (pair.y.values.shape[1] or not pair.y.discrete or len(pair.y.levels) < 2):
        return pair.x, pair.y
    return pair.y, pair.x
