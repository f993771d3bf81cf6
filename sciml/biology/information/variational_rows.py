"""Rows for the variational bottleneck: scaled for the networks, split to train, validate and be held out, and in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from sciml.arguments import shown
from sciml.biology.information.samples import Kind, checked_side
from sciml.errors import ConfigError, DataError
from sciml.seeding import derive, numpy_generator

__all__ = ["Batches", "Draw", "Scale", "Split", "array_source", "drawn_rows", "simulator_source", "split_rows"]

Draw = Callable[[int, int], tuple[Any, Any]]
_FEWEST, _VALIDATION = 40, 0.2


@dataclass(frozen=True)
class Scale:
    """How raw rows of a side become what networks take: numbers less `centre` over `spread` [d], or the places of their `levels`."""

    name: str
    levels: tuple[Any, ...] | None
    centre: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, data: Any, name: str, kind: Kind, *, rows: np.ndarray | slice = slice(None), count_levels: bool = False) -> Scale:
        """Levels from all of `data`, centre and spread from its `rows` that train.

        Texts, and what `kind` calls discrete, have levels; with `count_levels` also numbers of which few come often.
        """
        side = checked_side(data, name, kind)
        if side.discrete and (kind == "discrete" or count_levels or _is_text(side.levels[0])):
            return cls(name, side.levels, np.zeros(0), np.zeros(0))
        numbers = _columns(data, name)[rows].astype(float)
        spread = numbers.std(axis=0)
        return cls(name, None, numbers.mean(axis=0), np.where(spread > 0, spread, 1.0))

    @property
    def width(self) -> int:
        """Columns, or levels."""
        return len(self.centre) if self.levels is None else len(self.levels)

    def numbers(self, data: Any) -> Tensor:
        """Rows as float32 [n, width]; levels as ones among zeros. DataError names the row that is not finite or a new level."""
        if self.levels is not None:
            return torch.nn.functional.one_hot(self._places(data), self.width).float()
        rows = _columns(data, self.name)
        if rows.shape[1] != self.width:
            raise DataError(f"{self.name}: found {rows.shape[1]} columns, expected {self.width}")
        try:
            rows = rows.astype(float)
        except (TypeError, ValueError):
            raise DataError(f"{self.name}: found {shown(data)} of kind {rows.dtype}, expected numbers") from None
        wrong = np.argwhere(~np.isfinite(rows))
        if len(wrong):
            row, column = wrong[0]
            raise DataError(f"{self.name}: row {row}, column {column}: found {rows[row, column]}, expected a finite number")
        return torch.from_numpy(((rows - self.centre) / self.spread).astype(np.float32))

    def targets(self, data: Any) -> Tensor:
        """Rows as a decoder takes them: places of levels [n], or numbers [n, width]."""
        return self.numbers(data) if self.levels is None else self._places(data)

    def _places(self, data: Any) -> Tensor:
        place = {level: k for k, level in enumerate(self.levels or ())}
        kind = str if _is_text(next(iter(place))) else float
        found = []
        for number, row in enumerate(_columns(data, self.name).tolist()):
            try:
                key = tuple(map(kind, row)) if len(row) > 1 else kind(row[0])
                found.append(place[key])
            except (KeyError, TypeError, ValueError):
                level = row[0] if len(row) == 1 else tuple(row)
                raise DataError(f"{self.name}: row {number}: found {shown(level)}, expected one of the {len(place)} levels seen first"
                                ) from None  # fmt: skip
        return torch.tensor(found)


class Split(NamedTuple):
    """Numbers of rows that train, that choose when to stop, and that are looked at in the end only."""

    train: np.ndarray
    valid: np.ndarray
    held_out: np.ndarray


def split_rows(n: int, groups: np.ndarray | None, held_out: float, seed: int) -> Split:
    """A random split; a fifth of what is not held out validates. `groups` [n] codes are never divided.

    Raises DataError for fewer than 40 rows, ConfigError for fewer than 3 groups.
    """
    if n < _FEWEST:
        raise DataError(f"x and y: found {n} rows, expected at least {_FEWEST}: some train, some validate, some are held out")
    codes = np.arange(n) if groups is None else groups
    units = numpy_generator(seed, "split").permutation(codes.max() + 1)
    if len(units) < 3:
        raise ConfigError(f"groups: found {len(units)}, expected at least 3: whole groups train, validate and are held out")
    before = np.cumsum(np.bincount(codes)[units]) - np.bincount(codes)[units]  # rows before each group
    third = np.where(before < held_out * n, 2, np.where(before < (held_out + _VALIDATION * (1 - held_out)) * n, 1, 0))
    third[0], third[-1] = 2, 0
    if not (third == 1).any():
        third[np.flatnonzero(third == 2)[-1] if (third == 2).sum() > 1 else np.flatnonzero(third == 0)[0]] = 1
    part = np.empty(len(units), dtype=int)
    part[units] = third
    return Split(*(np.flatnonzero(part[codes] == k) for k in range(3)))


def array_source(x: Tensor, y: Tensor, batch: int, seed: int) -> Callable[[int], tuple[Tensor, Tensor]]:
    """The batch of a step: `batch` different rows, all where there are no more."""

    def rows(step: int) -> tuple[Tensor, Tensor]:
        if len(x) <= batch:
            return x, y
        chosen = torch.from_numpy(numpy_generator(seed, "batch", step).choice(len(x), batch, replace=False))
        return x[chosen], y[chosen]

    return rows


def simulator_source(draw: Draw, x: Scale, y: Scale, batch: int, seed: int) -> Callable[[int], tuple[Tensor, Tensor]]:
    """The batch of a step: drawn anew."""

    def rows(step: int) -> tuple[Tensor, Tensor]:
        first, second = drawn_rows(draw, batch, seed, "batch", step)
        return x.numbers(first), y.targets(second)

    return rows


def drawn_rows(draw: Draw, n: int, seed: int, *names: str | int) -> tuple[Any, Any]:
    """`draw(n, seed)` for the stream that `names` name. DataError where it does not give n rows of x and of y."""
    found = draw(n, derive(seed, *names) >> 33)  # 31 bits: a seed for any generator
    if not isinstance(found, tuple) or len(found) != 2 or {len(side) for side in found} != {n}:
        what = " and ".join(str(len(side)) for side in found) + " rows" if isinstance(found, tuple) else shown(found)
        raise DataError(f"draw({n}, seed): found {what}, expected (x, y) of {n} rows each")
    return found


class Batches(IterableDataset):  # type: ignore[type-arg]
    """`source(step)` for each of `steps` steps."""

    def __init__(self, source: Callable[[int], tuple[Tensor, Tensor]], steps: int) -> None:
        super().__init__()
        self.source, self.steps = source, steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return map(self.source, range(self.steps))


def _is_text(level: Any) -> bool:
    return isinstance(level[0] if isinstance(level, tuple) else level, str)


def _columns(data: Any, name: str) -> np.ndarray:
    """[n, d]."""
    array = np.asarray(data)
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.shape[1]:
        raise DataError(f"{name}: found an array of shape {np.shape(data)}, expected [n] or [n, d]: one row a cell")
    return array
