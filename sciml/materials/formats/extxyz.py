"""Extended and plain xyz, frame by frame, in time linear in the size of the file and in the memory of one frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from sciml import sandbox
from sciml.materials.formats import keyvalue, source, tokens
from sciml.materials.formats.record import Array, Record
from sciml.materials.formats.tokens import Place, shorten

__all__ = ["parse_extxyz"]

Column = tuple[str, str, int]
_SPECIES = {"species", "symbols", "symbol", "element", "elements"}
_NUMBERS = {"z", "numbers", "atomic_numbers"}
_LOGICAL = {
    "T": True,
    "F": False,
    "True": True,
    "False": False,
    "TRUE": True,
    "FALSE": False,
    "true": True,
    "false": False,
    "1": True,
    "0": False,
}
_PLAIN: list[Column] = [("species", "S", 1), ("pos", "R", 3)]


def parse_extxyz(path: str | Path, *, max_sites: int = 20_000) -> Iterator[Record]:
    """Records of an extended or plain xyz file, compressed or not.

    `Lattice` (9 numbers, three vectors), `pbc` and `Properties` are read in any case of letters; without `pbc` a frame with a lattice
    is periodic in all directions. Everything else of the comment line goes to `info`, every further column to `arrays`, labels too.
    DataError: a count, a number or a logical that is not read to its last character, a frame that ends early, a row with more or fewer
    columns than `Properties` states.
    """
    place = Place(path)
    with source.open_text(path) as handle:
        number = 0
        for line in handle:
            if line.strip():
                yield _frame(handle, line.strip(), place.at(number), max_sites)
                number += 1
        if number == 0:
            raise place.fault("file", "no frame", "at least one structure")


def _frame(handle: IO[str], first: str, place: Place, max_sites: int) -> Record:
    """One frame, its count already read."""
    if not first.isdecimal() or not first.isascii():
        raise place.fault("number of atoms", f"found {shorten(first)}", "a line with a whole number")
    count = int(first[:18])
    if count == 0:
        raise place.fault("number of atoms", "0", "at least one atom")
    if count > max_sites:
        raise place.fault("number of atoms", f"{first[:18]}", f"at most {max_sites} (max_sites=)")
    if count > 20_000:
        sandbox.renew(150 * count)
    comment = handle.readline()
    lines = list(islice(handle, count))
    if len(lines) < count:
        raise place.fault("frame", f"the file ends after {len(lines)} of {count} atoms", "a whole frame")
    info = keyvalue.parse_comment(comment)
    columns = _columns(_take(info, "properties"), place)
    if columns is None:
        width = len(lines[0].split())
        columns = _PLAIN + ([("columns", "R", width - 4)] if width > 4 else [])
    arrays = _table(lines, columns, place)
    if not lines[-1].endswith("\n"):
        _check_last_number(lines, place)
    numbers, positions = _species(arrays, columns, place), _positions(arrays, place)
    cell, pbc = _cell(info, place)
    fixed = _fixed(arrays)
    return Record(numbers, positions, cell, pbc, info=info, arrays=arrays, fixed=fixed)


def _take(info: dict[str, Any], name: str) -> Any:
    """Removes and returns the value of a key in any case of letters."""
    key = name if name in info else next((key for key in info if key.lower() == name), None)
    return None if key is None else info.pop(key)


def _columns(text: Any, place: Place) -> list[Column] | None:
    """`species:S:1:pos:R:3` -> [("species", "S", 1), ("pos", "R", 3)]."""
    if text is None:
        return None
    parts = str(text).split(":")
    right = "name:type:columns triples with the types R, I, S, L, like species:S:1:pos:R:3"
    if len(parts) % 3 or len(parts) > 3000:
        raise place.fault("Properties", f"found {shorten(str(text))}", right)
    found = []
    for name, kind, width in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if not name or kind.upper() not in ("R", "I", "S", "L") or not width.isdecimal() or not 1 <= int(width[:6]) <= 1000:
            raise place.fault("Properties", f"found {shorten(':'.join((name, kind, width)))}", right)
        found.append((name, kind.upper(), int(width)))
    if len({name for name, _, _ in found}) < len(found):
        raise place.fault("Properties", f"a name stands twice in {shorten(str(text), 120)}", right)
    return found


def _table(lines: Sequence[str], columns: list[Column], place: Place) -> dict[str, Array]:
    """Name -> [N] or [N, columns] of one frame."""
    rows = [line.split() for line in lines]
    width = sum(count for _, _, count in columns)
    if any(len(row) != width for row in rows):
        bad = next(k for k, row in enumerate(rows) if len(row) != width)
        names = ", ".join(f"{name} ({count})" for name, _, count in columns)
        raise place.fault(f"atom {bad}", f"{len(rows[bad])} columns in {shorten(lines[bad].strip())}", f"{width}: {names}")
    text = "".join(lines)
    strict = text.isascii() and "_" not in text  # then float() and int() take nothing that a number to its last character is not
    by_column = list(zip(*rows, strict=True))
    found, start = {}, 0
    for name, kind, count in columns:
        block = [_convert(column, name, kind, strict, place) for column in by_column[start : start + count]]
        found[name] = block[0] if count == 1 else np.stack(block, axis=1)
        start += count
    return found


def _convert(column: Sequence[str], name: str, kind: str, strict: bool, place: Place) -> Array:
    """One column of texts as float64, int64, bool or text [N]."""
    if kind == "S":
        return np.array(column, dtype=str)
    if kind == "L":
        wrong = [text for text in column if text not in _LOGICAL]
        if wrong:
            raise place.fault(name, f"found {shorten(wrong[0])}", "T or F")
        return np.array([_LOGICAL[text] for text in column])
    try:
        if strict:
            return np.fromiter(map(float if kind == "R" else int, column), dtype=float if kind == "R" else np.int64, count=len(column))
    except (ValueError, OverflowError):
        pass  # read again, slowly, to name the text
    if kind == "R":
        return np.array(tokens.floats(column, place, name))
    return np.array([tokens.whole(text, place, name) for text in column], dtype=np.int64)


def _check_last_number(lines: Sequence[str], place: Place) -> None:
    """Refuses a file that ends in the middle of its last number: no line end, and fewer decimals than all others of that column."""
    words = [line.split()[-1] for line in lines]
    if len(words) == 1:
        words = lines[0].split()[1:]
    decimals = [len(word.partition(".")[2]) for word in words if "e" not in word.lower()]
    if len(decimals) == len(words) > 1 and len(set(decimals[:-1])) == 1 and decimals[-1] < decimals[0]:
        raise place.fault("frame", f"the file ends within its last number ({shorten(words[-1])})", "a whole frame")


def _species(arrays: dict[str, Array], columns: list[Column], place: Place) -> Array:
    """Atomic numbers [N]; both columns, where given, must agree."""
    found: dict[str, Array] = {}
    for name, _, count in columns:
        if count == 1 and name.lower() in _SPECIES | _NUMBERS:
            texts = arrays.pop(name).tolist()
            found[name] = np.array(tokens.elements([str(text) for text in texts], place, name), dtype=np.int64)
    if not found:
        raise place.fault("Properties", "no species", "species:S:1 or Z:I:1 among the columns")
    (name, numbers), *others = found.items()
    for other, again in others:
        if (again != numbers).any():
            k = int(np.argmax(again != numbers))
            raise place.fault(other, f"atom {k} has {again[k]} there and {numbers[k]} in {name}", "the same element in both")
    return numbers


def _positions(arrays: dict[str, Array], place: Place) -> Array:
    """Positions [N,3], angstrom."""
    name = next((name for name in arrays if name.lower() in ("pos", "positions", "position")), None)
    if name is None or arrays[name].shape[1:] != (3,) or arrays[name].dtype.kind not in "fi":
        raise place.fault("Properties", "no positions", "pos:R:3 among the columns")
    return arrays.pop(name).astype(float)


def _cell(info: dict[str, Any], place: Place) -> tuple[Array, Array]:
    """Cell [3,3] (rows are lattice vectors; zero without `Lattice`) and pbc [3]."""
    lattice, flags = _take(info, "lattice"), _take(info, "pbc")
    cell = np.zeros((3, 3))
    if lattice is not None:
        values = np.asarray(lattice)
        if values.size != 9 or values.dtype.kind not in "fi":
            raise place.fault("Lattice", f"found {shorten(str(lattice))}", "nine numbers, the three lattice vectors one after the other")
        cell = values.reshape(3, 3).astype(float)
    if flags is None:
        return cell, np.full(3, lattice is not None)
    pbc = np.asarray(flags).ravel()
    if pbc.size not in (1, 3) or not (pbc.dtype.kind == "b" or (pbc.dtype.kind == "i" and set(pbc.tolist()) <= {0, 1})):
        raise place.fault("pbc", f"found {shorten(str(flags))}", 'three of T and F, like pbc="T T F"')
    return cell, np.broadcast_to(pbc.astype(bool), 3).copy()


def _fixed(arrays: dict[str, Array]) -> Array | None:
    """Atoms held fixed [N,3], from the column `move_mask` (ASE: true where an atom may move)."""
    mask = arrays.get("move_mask")
    if mask is None or mask.ndim not in (1, 2) or (mask.ndim == 2 and mask.shape[1] != 3) or mask.dtype.kind not in "bi":
        return None
    del arrays["move_mask"]
    return np.broadcast_to(~mask.astype(bool).reshape(len(mask), -1), (len(mask), 3)).copy()
