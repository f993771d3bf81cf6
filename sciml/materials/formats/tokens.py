"""Numbers and element symbols read to their last character, and the one form that refusals have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from sciml.errors import DataError

__all__ = ["ELEMENTS", "Place", "element", "floats", "is_number", "whole"]

_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru "
    "Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At "
    "Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og "
).split()
ELEMENTS: dict[str, int] = {symbol: number for number, symbol in enumerate(_SYMBOLS, start=1)}
"""Symbol -> atomic number, 1 to 118."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


class Place:
    """Where in a file reading stands; makes the error that names file, record, field, what was found and what would be right."""

    def __init__(self, path: str | Path, record: int | None = None) -> None:
        self.path = str(path)
        self.record = record

    def at(self, record: int) -> Place:
        """The same file, at record number `record` (from 0)."""
        return Place(self.path, record)

    def fault(self, field: str, found: str, right: str = "") -> DataError:
        """`DataError`: file, record, field, found, right."""
        where = self.path if self.record is None else f"{self.path}: record {self.record} (from 0)"
        return DataError(f"{where}: {field}: {found}" + (f"; expected {right}" if right else ""))


def shorten(text: str, length: int = 60) -> str:
    """A text as it may stand in a message: printable and short."""
    text = text if len(text) <= length else text[:length] + "..."
    return repr(text)


def is_number(text: str) -> bool:
    """Whether the whole text is one decimal number (nan and inf included)."""
    return _NUMBER.fullmatch(text) is not None


def floats(texts: Iterable[str], place: Place, field: str) -> list[float]:
    """The numbers that the texts are, each read to its last character (`1.0x`, `1_0`, `1.0D+01` and `****` are refused)."""
    values = []
    for text in texts:
        if _NUMBER.fullmatch(text) is None:
            raise place.fault(field, f"found {shorten(text)}", "a number like -1.25 or 3e-4")
        values.append(float(text))
    return values


def whole(text: str, place: Place, field: str) -> int:
    """The whole number that the text is."""
    if _WHOLE.fullmatch(text) is None:
        raise place.fault(field, f"found {shorten(text)}", "a whole number")
    return int(text)


def element(text: str, place: Place, field: str) -> int:
    """Atomic number of a symbol in any case (`Si`, `SI`, `si`), or of a text that is the atomic number itself."""
    number = ELEMENTS.get(text) or ELEMENTS.get(text.capitalize(), 0)
    if number:
        return number
    if _WHOLE.fullmatch(text) and 1 <= int(text) <= len(ELEMENTS):
        return int(text)
    raise place.fault(field, f"{shorten(text)} is no element", "a symbol from H to Og or a number from 1 to 118")


def elements(texts: Sequence[str], place: Place, field: str) -> list[int]:
    """Atomic numbers of many symbols."""
    known: dict[str, int] = {}
    for text in set(texts):
        known[text] = element(text, place, field)
    return [known[text] for text in texts]
