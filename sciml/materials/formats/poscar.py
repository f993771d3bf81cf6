"""POSCAR and CONTCAR of VASP 4 to 6."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from sciml.materials.formats import source, tokens
from sciml.materials.formats.record import Array, Record
from sciml.materials.formats.tokens import ELEMENTS, Place, is_number, shorten

__all__ = ["parse_poscar"]


class _Lines:
    """Lines of the file, each asked for by what it should hold."""

    def __init__(self, text: str, place: Place) -> None:
        self.lines, self.place, self.next = text.split("\n"), place, 0

    def take(self, what: str) -> str:
        """The next line; DataError where the file ends."""
        if self.next >= len(self.lines) or (self.next == len(self.lines) - 1 and not self.lines[-1]):
            raise self.place.fault(what, "the file ends before it", "a whole POSCAR")
        self.next += 1
        return self.lines[self.next - 1]

    def numbers(self, what: str, count: int) -> list[float]:
        """The first `count` numbers of the next line."""
        line = self.take(what)
        words = line.split()
        if len(words) < count:
            raise self.place.fault(f"line {self.next}, {what}", f"found {shorten(line)}", f"{count} numbers")
        return tokens.floats(words[:count], self.place, f"line {self.next}, {what}")


def parse_poscar(path: str | Path, *, symbols: Sequence[str] | None = None, max_sites: int = 20_000) -> Iterator[Record]:
    """The one record of a POSCAR or CONTCAR.

    Scale: one factor; a negative number is minus the volume (A^3), to which vectors and Cartesian coordinates are scaled; three factors
    act on the x, y, z components. Element names like `Si_pv`, `Si/1a2b3c4d` are cut to the symbol. `symbols`: for a file without an
    element line, one a group of atoms or one an atom; without it such a file is refused, unless its first line gives the elements (VASP
    4), which is warned of where that line is no plain list of them. Selective dynamics becomes `fixed`; velocities become
    `arrays["velocities_A_per_fs"]`, or, where the block says Direct, `arrays["velocities_direct_per_step"]` in fractions of the cell a
    step.
    """
    place = Place(path, 0)
    lines = _Lines(source.read_text(path), place)
    comment = lines.take("comment line")
    factors = _scale(lines)
    vectors = np.array([lines.numbers(f"lattice vector {k}", 3) for k in range(3)])
    scale = _factors(factors, vectors, place)
    cell = vectors * scale
    numbers, from_comment = _species(lines, comment, symbols, max_sites)
    mode, selective = _mode(lines)
    positions, fixed = _sites(lines, numbers, selective)
    positions = positions * scale if mode == "Cartesian" else positions @ cell
    info = {"comment": comment.strip()} if comment.strip() else {}
    notes = _note(comment, numbers, place) if from_comment else []
    arrays = _velocities(lines, len(numbers))
    yield Record(numbers, positions, cell, np.ones(3, dtype=bool), info=info, arrays=arrays, fixed=fixed, fixed_scaled=True, notes=notes)


def _scale(lines: _Lines) -> list[float]:
    """The numbers that the second line starts with: one or three."""
    line = lines.take("scale")
    words: list[str] = []
    for word in line.split()[:4]:
        if not is_number(word):
            break
        words.append(word)
    if len(words) not in (1, 3) or re.match(r"[-+.\d]", "".join(line.split()[len(words) : len(words) + 1])):
        raise lines.place.fault("scale (line 2)", f"found {shorten(line)}", "one number or three")
    return tokens.floats(words, lines.place, "scale (line 2)")


def _factors(scale: list[float], vectors: Array, place: Place) -> Array:
    """Factors [3] of the x, y, z components."""
    values = np.array(scale)
    if not np.isfinite(values).all() or (values == 0).any() or (len(values) == 3 and (values < 0).any()):
        raise place.fault("scale (line 2)", f"{' '.join(map(str, scale))}", "a factor, minus a volume, or three positive factors")
    if len(values) == 1 and values[0] < 0:
        volume = abs(np.linalg.det(vectors))
        if not volume > 0:
            raise place.fault("lattice vectors", "they span no volume", "three independent vectors")
        values = np.cbrt(-values / volume)
    return np.broadcast_to(values, 3).copy()


def _species(lines: _Lines, comment: str, symbols: Sequence[str] | None, max_sites: int) -> tuple[Array, bool]:
    """Atomic numbers [N], and whether they come from the comment line."""
    place = lines.place
    line = lines.take("elements or counts (line 6)")
    words = re.split(r"[!#]", line)[0].split()
    if not words:
        raise place.fault("line 6", f"found {shorten(line)}", "element symbols or numbers of atoms")
    named = None
    if not words[0].lstrip("+-").isdecimal():
        named = [tokens.element(_symbol(word), place, "element line (line 6)") for word in words]
        line = lines.take("numbers of atoms")
        words = re.split(r"[!#]", line)[0].split()
    counts = [tokens.whole(word, place, f"numbers of atoms (line {lines.next})") for word in words]
    if min(counts, default=-1) < 0 or not 0 < sum(counts) <= max_sites:
        raise place.fault(f"numbers of atoms (line {lines.next})", f"found {shorten(line)}", f"1 to {max_sites} atoms (max_sites=)")
    given = None if symbols is None else [tokens.element(symbol, place, "symbols=") for symbol in symbols]
    from_comment = False
    if named is None:
        named = given if given is not None else _from_comment(comment, len(counts), place)
        from_comment = given is None
    elif given is not None and given not in (named, [z for z, n in zip(named, counts, strict=False) for _ in range(n)]):
        raise place.fault("element line (line 6)", "it contradicts symbols=", "the same elements, or no symbols=")
    if from_comment is False and len(named) == sum(counts) != len(counts):
        return np.array(named, dtype=np.int64), False
    if len(named) != len(counts):
        raise place.fault("elements", f"{len(named)} for {len(counts)} groups of atoms", "one symbol a group")
    return np.repeat(np.array(named, dtype=np.int64), counts), from_comment


def _symbol(word: str) -> str:
    """`Si_pv`, `Si/1a2b`, `Si.5` -> Si."""
    return re.split(r"[_/.]", word)[0]


def _from_comment(comment: str, groups: int, place: Place) -> list[int]:
    """Elements by the first line, as VASP 4 users wrote them: formulas word by word (`Na Cl`, `NaCl`, `Ga4As4`). Refuses where that
    gives too few.
    """
    found: list[str] = []
    for word in comment.split()[:1000]:
        letters = re.sub(r"[-_,.=0-9^]", "", word)
        parts = re.findall(r"[A-Z][a-z]?", letters)
        if letters and "".join(parts) == letters:
            found += parts
    if len(found) < groups or any(symbol not in ELEMENTS for symbol in found[:groups]):
        raise place.fault(
            "elements", f"no element line, and the first line {shorten(comment)} names none", "symbols=, one for each group of atoms"
        )
    return [ELEMENTS[symbol] for symbol in found[:groups]]


def _note(comment: str, numbers: Array, place: Place) -> list[str]:
    """A warning where the first line, from which elements were read, is no plain list of them."""
    symbols = list(ELEMENTS)
    used = [symbols[z - 1] for z in dict.fromkeys(numbers.tolist())]
    if set(re.sub(r"[-_,.=0-9^\s]", "", comment)) <= set("".join(used)) and re.sub(r"[-_,.=0-9^\s]", "", comment).startswith(used[0]):
        return []
    text = f"{place.path}: no element line; {', '.join(used)} were read from letters of the first line {shorten(comment)}, as in VASP 4"
    return [text + "; if that is not meant, state symbols="]


def _mode(lines: _Lines) -> tuple[str, bool]:
    """Direct or Cartesian, and whether selective dynamics is on."""
    line = lines.take("Direct or Cartesian").strip()
    selective = line[:1] in ("s", "S")
    if selective:
        line = lines.take("Direct or Cartesian").strip()
    if line[:1] in ("c", "C", "k", "K"):
        return "Cartesian", selective
    if line[:1] in ("d", "D"):
        return "Direct", selective
    raise lines.place.fault(f"line {lines.next}", f"found {shorten(line)}", "Direct or Cartesian (or Selective dynamics before it)")


def _sites(lines: _Lines, numbers: Array, selective: bool) -> tuple[Array, Array | None]:
    """Coordinates [N,3] as written, and which components are fixed [N,3]."""
    coordinates, fixed = [], []
    for k, z in enumerate(numbers.tolist()):
        line = lines.take(f"coordinates of atom {k}")
        words = re.split(r"[!#]", line)[0].split()
        where = f"line {lines.next}, atom {k}"
        if len(words) < 3 + 3 * selective:
            right = "three coordinates" + (" and three of T, F" if selective else "")
            raise lines.place.fault(where, f"found {shorten(line)}", right)
        coordinates.append(tokens.floats(words[:3], lines.place, where))
        if selective:
            flags = [word.strip(".").upper()[:1] for word in words[3:6]]
            if not set(flags) <= {"T", "F"}:
                raise lines.place.fault(where, f"found {shorten(line)}", "T or F for each component")
            fixed.append([flag == "F" for flag in flags])
        tail = words[3 + 3 * selective :]
        if tail and ELEMENTS.get(_symbol(tail[0]), z) != z:
            raise lines.place.fault(
                where, f"{tail[0]} stands behind the coordinates of a different element", "the element that the element line gives"
            )
    return np.array(coordinates), np.array(fixed) if fixed and np.any(fixed) else None


def _velocities(lines: _Lines, count: int) -> dict[str, Array]:
    """Velocities [N,3], empty where there are none or all are zero. A block that is there must be whole."""
    rest = lines.lines[lines.next :]
    if rest and rest[0].strip()[:1] in ("l", "L"):
        rest = rest[8:]  # lattice velocities: a head line, a state, three velocities, three vectors
    direct = bool(rest) and rest[0].strip()[:1] in ("d", "D")
    rows = [line.split() for line in rest[1 : 1 + count]]
    if not rows or len(rows[0]) != 3 or not all(map(is_number, rows[0])):
        return {}
    if len(rows) < count or any(len(row) != 3 for row in rows):
        raise lines.place.fault("velocities", f"the block ends early, {count} atoms have positions", "three numbers an atom, or no block")
    values = np.array([tokens.floats(row, lines.place, "velocities") for row in rows])
    return {"velocities_direct_per_step" if direct else "velocities_A_per_fs": values} if values.any() else {}
