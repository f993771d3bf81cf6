"""Pairs of samples, checked: which side is discrete, which columns say something, which rows cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Number
from typing import Any, Literal

import numpy as np

from sciml.arguments import shown
from sciml.biology.information.repeats import repeats
from sciml.errors import ConfigError, DataError

__all__ = ["Kind", "Pair", "Side", "checked_groups", "checked_pair", "checked_side", "number_as_text", "unmasked"]

Kind = Literal["auto", "discrete", "continuous"]
_MOST_LEVELS, _FEWEST_EACH = 64, 10
_JOINED = 0.5  # of all rows
_BOX = 8  # rows that are near enough in z to be exchanged


@dataclass(frozen=True)
class Side:
    """One side of a pair, n rows.

    `values` [n, d] float64, each column shifted by its median and divided by its spread (information does not change; offsets of 1e9 would
    drown differences); columns that are constant are left out, so d may be 0. `codes` [n]: which of `levels` a row has where the side is
    discrete, else None. `ordered`: the levels are numbers in rising order. `tied`: share of rows of a continuous side that have an equal.
    """

    name: str
    values: np.ndarray
    codes: np.ndarray | None
    levels: tuple[Any, ...]
    ordered: bool
    tied: float
    notes: tuple[str, ...] = ()

    @property
    def discrete(self) -> bool:
        """The side takes few values, each many times."""
        return self.codes is not None

    @property
    def entropy(self) -> float:
        """Of the observed shares of the levels, in bits; inf where the side is continuous."""
        if self.codes is None:
            return float("inf")
        shares = np.bincount(self.codes, minlength=1) / len(self.codes)
        return float(-(shares[shares > 0] * np.log2(shares[shares > 0])).sum())

    def as_continuous(self) -> Side:
        """The same numbers with no levels: counts as a response that is not categories."""
        return Side(self.name, self.values, None, (), False, 1.0 if self.discrete else self.tied, self.notes)

    def take(self, rows: np.ndarray) -> Side:
        """The same side for some of the rows, levels and scales kept."""
        return Side(self.name, self.values[rows], None if self.codes is None else self.codes[rows], self.levels, self.ordered, self.tied,
                    self.notes)  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """n joint samples of X and Y, with Z where information is given Z.

    `groups` [n] codes of the rows that belong together (replicate, day, donor), or None.
    """

    x: Side
    y: Side
    groups: np.ndarray | None = None
    z: Side | None = None

    def __len__(self) -> int:
        return len(self.x.values)

    @property
    def constant(self) -> bool:
        """A side that never changes tells and learns nothing: the information is exactly 0."""
        return any(side.values.shape[1] == 0 and (side.codes is None or len(side.levels) < 2) for side in (self.x, self.y))

    def take(self, rows: np.ndarray) -> Pair:
        """The same pair for some of the rows."""
        groups = None if self.groups is None else self.groups[rows]
        return Pair(self.x.take(rows), self.y.take(rows), groups, None if self.z is None else self.z.take(rows))

    def swapped(self) -> Pair:
        """(Y, X): information is the same both ways."""
        return Pair(self.y, self.x, self.groups, self.z)

    def shuffled(self, generator: np.random.Generator) -> Pair:
        """The rows of X in another order: marginals kept, all dependence gone; given Z, among rows of the same level or near by."""
        order = generator.permutation(len(self)) if self.z is None else _order_given(self.z, generator)
        return Pair(self.x.take(order), self.y, None, self.z)


def _order_given(z: Side, generator: np.random.Generator) -> np.ndarray:
    """[n] rows exchanged within the levels of z, or within boxes of at most 8 rows cut along its columns in turn."""
    n, order = len(z.values), np.arange(len(z.values))
    boxes = [order] if z.codes is None else [np.flatnonzero(z.codes == code) for code in np.unique(z.codes)]
    for column in range(64 * z.values.shape[1] if z.codes is None else 0):
        if len(boxes[0]) <= _BOX:
            break
        along = z.values[:, column % z.values.shape[1]]
        boxes = [part for box in boxes for part in np.array_split(box[np.argsort(along[box], kind="stable")], 2)]
    found = np.empty(n, dtype=int)
    for box in boxes:
        found[box] = generator.permutation(box)
    return found


def checked_pair(
    x: Any, y: Any, groups: Any = None, *, x_kind: Kind = "auto", y_kind: Kind = "auto", names: tuple[str, str] = ("x", "y")
) -> Pair:
    """The pair as arrays; `names` of the sides stand in messages.

    Raises DataError for sides of different length, a table most of whose rows stand in it again (joined twice), and what `checked_side` and
    `checked_groups` refuse; fewer such rows are a note of y.
    """
    first, second = checked_side(x, names[0], x_kind), checked_side(y, names[1], y_kind)
    if len(first.values) != len(second.values):
        many = f"{names[0]} has {len(first.values)} rows, {names[1]} {len(second.values)}"
        raise DataError(f"{many}; row i of both is the same cell, so they must be as many")
    second = replace(second, notes=(*second.notes, *_copies(first, second)))
    return Pair(first, second, None if groups is None else checked_groups(groups, len(first.values)))


def _copies(x: Side, y: Side) -> tuple[str, ...]:
    """A note on rows that are copies of another; DataError where most have one or are one."""
    sides = (x, y)
    if all(side.discrete for side in sides) or any(not side.discrete and not side.tied for side in sides):
        return ()  # only counts matter, or no two rows are equal
    rows = np.hstack([side.values if side.codes is None else side.codes[:, None] for side in sides])
    codes = next((side.codes for side in sides if side.codes is not None), np.zeros(len(rows), dtype=int))
    found = repeats(rows, np.bincount(codes)[codes])
    if found is None or len(np.unique(rows, axis=0)) in [len(side.levels) for side in sides]:  # without noise a dose has one response
        return ()
    many = f"{found.copies:,} of {len(rows):,} rows are exact repeats of another, more than ties explain; was the table joined twice?"
    if found.share > _JOINED:
        where = f"{x.name} and {y.name}: row {found.again}: found the values of row {found.first} again"
        raise DataError(f"{where}, expected each cell once: {many} Leave the repeats out")
    return (f"warning: {many} The first is row {found.again}, of row {found.first}; a cell that counts twice gives too many bits",)


def checked_side(data: Any, name: str, kind: Kind = "auto") -> Side:
    """Numbers or texts, [n] or [n, d], as a side.

    Discrete are texts and truth values, and numbers with at most 64 different rows that come at least 10 times each on average; `kind` says
    otherwise. Raises DataError for NaN, infinities and masked entries (with row and column), more than two axes, numbers among texts, and
    numbers given as texts unless `kind` is discrete.
    """
    array = unmasked(data, name)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] == 0:
        raise DataError(f"{name}: found an array of shape {np.shape(data)}, expected [n] or [n, d]: one row a cell")
    if len(array) < 4:
        raise DataError(f"{name}: found {len(array)} rows, expected at least 4")
    if array.dtype.kind in "mM":
        raise DataError(f"{name}: found dates or durations, expected numbers: say in which unit, since when")
    if array.dtype.kind in "bUS" or (array.dtype.kind == "O" and any(isinstance(v, str) for v in array.ravel().tolist())):
        return _named(array, name, kind)
    try:
        values = array.astype(float, casting="safe" if array.dtype.kind == "c" else "unsafe")
    except (TypeError, ValueError):
        raise DataError(f"{name}: found {shown(data)} of kind {array.dtype}, expected numbers or texts") from None
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        row, column = wrong[0]
        found = f"{name}: row {row}, column {column}: found {values[row, column]}, expected a finite number"
        raise DataError(f"{found} ({len(np.unique(wrong[:, 0]))} such rows); leave these rows out of x and y, or say what they mean")
    return _numbers(values, name, kind)


def checked_groups(groups: Any, n: int) -> np.ndarray:
    """Codes [n] from 0 of the groups. Raises DataError for another length or a missing name, ConfigError for fewer than two groups."""
    array = unmasked(groups, "groups")
    if array.shape != (n,):
        raise DataError(f"groups: found {shown(array)}, expected one name a row: [{n}]")
    for row, value in enumerate(array.tolist()):
        if _missing(value):
            raise DataError(f"groups: row {row}: found {value!r}, expected the name of a group")
    names, codes = np.unique(array.astype(str) if array.dtype.kind == "O" else array, return_inverse=True)
    if len(names) < 2:
        raise ConfigError(f"groups: all rows belong to {shown(names[0])}; expected at least two groups, or None")
    return codes


def unmasked(data: Any, name: str) -> np.ndarray:
    """As an array. DataError for a masked entry: behind the mask there is a number that nobody measured."""
    rows = np.argwhere(np.ma.getmaskarray(data))[:, 0] if isinstance(data, np.ma.MaskedArray) else np.zeros(0, dtype=int)
    if len(rows):
        raise DataError(f"{name}: row {rows[0]}: found a masked entry, expected a value ({len(rows)} such entries); leave these rows out")
    return np.asarray(data)


def number_as_text(array: np.ndarray) -> str:
    """The first entry as it is written, where every entry is a text that reads as a number; else ""."""
    entries = array.ravel().tolist()
    try:
        if any(not isinstance(value, str | bytes) or not np.isfinite(float(value)) or "_" in str(value) for value in entries):
            return ""
    except ValueError:
        return ""
    return repr(entries[0]) if entries else ""


def _missing(value: Any) -> bool:
    """None, an empty text, NaN, or pandas' marks (which are not even comparable)."""
    nan = isinstance(value, float) and value != value
    return value is None or nan or (isinstance(value, str) and not value) or type(value).__name__ in ("NAType", "NaTType")


def _named(array: np.ndarray, name: str, kind: Kind) -> Side:
    if kind == "continuous":
        raise ConfigError(f"{name}: its values are texts, which have no distances; expected numbers for kind 'continuous'")
    flat = array.tolist()
    missing = [i for i, row in enumerate(flat) if any(map(_missing, row))]
    if missing:
        raise DataError(f"{name}: row {missing[0]}: found an empty value, expected a text ({len(missing)} such rows)")
    number = next((i for i, row in enumerate(flat) if array.dtype.kind == "O" and isinstance(row[0], Number) and len(row) == 1), None)
    if number is not None:
        raise DataError(f"{name}: row {number}: found the number {flat[number][0]!r} among texts, expected numbers alone or texts alone")
    if kind == "auto" and (text := number_as_text(array)):
        how = f"expected numbers (np.asarray({name}, dtype=float)), or {name}_kind='discrete', which takes the texts as names"
        raise DataError(f"{name}: row 0: found {text}, which is a number given as a text, as all others are; {how}")
    rows = [tuple(map(str, row)) if len(row) > 1 else str(row[0]) for row in flat]
    levels = sorted(set(rows))
    place = {level: k for k, level in enumerate(levels)}
    codes = np.array([place[row] for row in rows])
    return Side(name, np.zeros((len(rows), 0)), codes, tuple(levels), False, 0.0)


def _numbers(values: np.ndarray, name: str, kind: Kind) -> Side:
    distinct, codes = np.unique(values, axis=0, return_inverse=True)
    codes = codes.reshape(-1)
    few = len(distinct) <= _MOST_LEVELS and len(values) >= _FEWEST_EACH * len(distinct)
    moves = values.max(axis=0) > values.min(axis=0)
    notes = () if moves.all() else (f"{name}: column {', '.join(map(str, np.flatnonzero(~moves)))} is constant and tells nothing",)
    scaled = _scaled(values[:, moves])
    if kind == "discrete" or (kind == "auto" and few) or len(distinct) == 1:
        levels = tuple(row[0] if len(row) == 1 else tuple(row) for row in distinct.tolist())
        return Side(name, scaled, codes, levels, values.shape[1] == 1, 0.0, notes)
    counts = np.bincount(codes)
    return Side(name, scaled, None, (), False, float(counts[counts > 1].sum() / len(values)), notes)


def _scaled(values: np.ndarray) -> np.ndarray:
    """Each column less its median, over its spread: the distance between its quartiles, or its standard deviation where that is 0."""
    halved = 0.5 * values  # the distance between the largest numbers is none of them
    shifted = halved - np.median(halved, axis=0)
    shifted /= np.abs(shifted).max(axis=0)  # squares of what is left neither overflow nor vanish
    spread = np.subtract(*np.quantile(shifted, [0.75, 0.25], axis=0)) if values.shape[1] else np.ones(0)
    found: np.ndarray = shifted / np.where(spread > 0, spread, shifted.std(axis=0))
    return found
