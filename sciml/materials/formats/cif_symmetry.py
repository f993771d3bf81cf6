"""Symmetry operations of a CIF: as listed, else from spglib's tables by symbol and setting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from sciml.materials.formats.cif_text import Block
from sciml.materials.formats.record import Array
from sciml.materials.formats.tokens import Place, shorten

__all__ = ["Operations", "operations"]

_TERM = re.compile(r"([+-]?)(?:(\d+(?:\.\d*)?|\.\d+)(?:/(\d+))?|([xyz]))", re.ASCII)
_LISTED = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz", "_space_group_symop_xyz")
_SYMBOL = ("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_full", "_space_group_name_h-m_ref")
_HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
_NUMBER = ("_space_group_it_number", "_symmetry_int_tables_number")
_CODE = ("_space_group_it_coordinate_system_code",)
_SETTINGS = ("", "ba-c", "cab", "-cba", "bca", "a-cb")
_BEFORE_E = {  # the symbols that these groups had before the e-glide, in the order of _SETTINGS
    39: "Abm2 Bma2 B2cm C2mb Cm2a Ac2m",
    41: "Aba2 Bba2 B2cb C2cb Cc2a Ac2a",
    64: "Cmca Ccmb Abma Acam Bbcm Bmab",
    67: "Cmma Cmmb Abmm Acmm Bmcm Bmam",
    68: "Ccca Cccb Abaa Acaa Bbcb Bbab",
}
METRIC_TOLERANCE = 0.02
"""Largest change of the metric by an operation, relative to the lengths of the cell: what rounding and strained settings reach."""


@dataclass(frozen=True)
class Operations:
    """x -> R x + t in fractional coordinates: rotations [S,3,3] int, translations [S,3] in [0,1); `origin` says where they come from."""

    rotations: Array
    translations: Array
    origin: str

    def key(self) -> frozenset[tuple[int, ...]]:
        """The set of operations, for comparison (translations in 1/48)."""
        shifts = np.rint(self.translations * 48).astype(int) % 48
        return frozenset(tuple(r.ravel().tolist() + t.tolist()) for r, t in zip(self.rotations, shifts, strict=True))


def operations(block: Block, cell: Array, place: Place) -> list[Operations]:
    """The candidates for the operations of a block, best first: one where they are listed or fixed by symbol and setting, more where
    the file leaves a choice of origin open (the caller decides by the number of atoms, or refuses). No symmetry at all is refused: P
    1 has to be said.
    """
    listed = block.column(*_LISTED)
    if listed and any(text not in ("?", ".") for text in listed):
        found = [_listed(listed, place)]
    else:
        found = _from_tables(block, cell, place)
    metric = cell @ cell.T
    fitting = [each for each in found if _fits(each, metric)]
    if not fitting:
        raise place.fault(
            "cell", f"it does not have the symmetry of the operations ({found[0].origin})", "cell and setting that belong together"
        )
    return fitting


def _fits(group: Operations, metric: Array) -> bool:
    """Whether every rotation keeps lengths and angles, R^T G R = G."""
    moved = np.einsum("sji,jk,skl->sil", group.rotations, metric, group.rotations)
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    return bool((np.abs(moved - metric) <= METRIC_TOLERANCE * scale).all())


def _listed(texts: list[str], place: Place) -> Operations:
    """Operations from their texts; they must be a group."""
    if any(text.count(",") != 2 for text in texts):  # written without quotes: pieces of a few operations
        parts = "".join(texts).lower().replace(" ", "").split(",")
        raise place.fault("symmetry operations", f"found {shorten(' '.join(texts[:4]))} ({len(parts)} parts)", "'x, y, z' in quotes")
    if len(texts) > 1000:
        raise place.fault("symmetry operations", f"{len(texts)} are listed", "at most 192")
    parsed = dict.fromkeys(_key(*_operation(text, place)) for text in ["x,y,z", *texts])
    group = _group(list(parsed), f"{len(texts)} listed")
    keys = group.key()
    for rotation, shift in zip(group.rotations, group.translations, strict=True):
        products = Operations(group.rotations @ rotation, (group.rotations @ shift + group.translations) % 1, "")
        if not products.key() <= keys:
            raise place.fault("symmetry operations", f"the {len(texts)} listed do not form a group", "all operations of the space group")
    return group


def _operation(text: str, place: Place) -> tuple[list[list[int]], list[Fraction]]:
    """`-x+1/2, y, z-x` -> rotation rows and translation."""
    rotation, shift = [], []
    for part in re.sub(r"[\s'\"*]", "", text.lower()).split(","):
        row, total, position = [0, 0, 0], Fraction(0), 0
        while position < len(part):
            match = _TERM.match(part, position)
            if match is None or (position > 0 and not match.group(1)) or match.group(3) in ("0", "00"):
                raise place.fault("symmetry operation", f"found {shorten(text)}", "a text like '-x+1/2, y, z'")
            sign = -1 if match.group(1) == "-" else 1
            if match.group(4):
                row["xyz".index(match.group(4))] += sign
            else:
                total += sign * Fraction(match.group(2)[:12]) / int((match.group(3) or "1")[:6])
            position = match.end()
        rotation.append(row)
        shift.append(_snap(total))
    if len(rotation) != 3 or abs(round(float(np.linalg.det(np.array(rotation))))) != 1 or int(np.abs(np.array(rotation)).max()) > 1:
        raise place.fault("symmetry operation", f"{shorten(text)} is no rotation of a lattice", "a text like '-x+1/2, y, z'")
    return rotation, shift


def _snap(value: Fraction) -> Fraction:
    """A translation written with few digits (0.333) as the multiple of 1/24 that it means, between 0 and 1."""
    near = Fraction(round(value * 24), 24)
    return (near if abs(near - value) < Fraction(1, 500) else value) % 1


def _key(rotation: list[list[int]], shift: list[Fraction]) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    return tuple(entry for row in rotation for entry in row), tuple(shift)


def _group(keys: list[tuple[tuple[int, ...], tuple[Fraction, ...]]], origin: str) -> Operations:
    rotations = np.array([rotation for rotation, _ in keys]).reshape(-1, 3, 3)
    return Operations(rotations, np.array([[float(t) for t in shift] for _, shift in keys]), origin)


def _from_tables(block: Block, cell: Array, place: Place) -> list[Operations]:
    """Candidates from spglib's 530 settings, by Hall symbol, Hermann-Mauguin symbol and setting, or number."""
    hall, symbol, number = block.one(*_HALL), block.one(*_SYMBOL), block.one(*_NUMBER)
    if hall is None and symbol is None and number is None:
        raise place.fault("symmetry", "neither operations nor a space group are given", "operations, a symbol, or 'P 1'")
    entries = _table()
    stated = f"Hall symbol {hall!r}" if hall else f"symbol {symbol!r}" if symbol else f"number {number}"
    if hall is not None:
        chosen = [e for e in entries if e["hall"] == _hall(hall)]
    elif symbol is not None:
        chosen = _by_symbol(entries, symbol, block.one(*_CODE))
    else:
        chosen = [e for e in entries if str(e["number"]) == number]
        chosen = [e for e in chosen if e["choice"] in ("", "b", "b1", "H", "R", "1", "2")]
    if not chosen:
        raise place.fault("space group", f"{stated} is in no table", "a symbol of the International Tables, with its setting")
    if number is not None and number.isdecimal() and all(e["number"] != int(number) for e in chosen):
        raise place.fault(
            "space group", f"{stated} is number {chosen[0]['number']}, and the file states {number}", "symbol and number of one group"
        )
    if chosen[0]["number"] < 75:  # axes and cell choices: the first that fits the cell, which is the standard one
        own = [e for e in chosen if _fits(_entry_operations(e["index"]), cell @ cell.T)] or chosen
        chosen = [e for e in own if _axes(e) == _axes(own[0])]
    groups: dict[frozenset[tuple[int, ...]], Operations] = {}
    for entry in chosen:
        group = _entry_operations(entry["index"])
        groups.setdefault(
            group.key(), Operations(group.rotations, group.translations, f"spglib, {entry['full']} {entry['choice']}".strip())
        )
    return list(groups.values())


def _axes(entry: dict[str, Any]) -> str:
    """The choice of axes and cell without the choice of origin: `2cab` -> cab."""
    return str(entry["choice"]).lstrip("12") if entry["number"] > 15 else str(entry["choice"])


def _by_symbol(entries: list[dict[str, Any]], symbol: str, code: str | None) -> list[dict[str, Any]]:
    """Entries of a Hermann-Mauguin symbol; a setting behind a colon, in ICSD's letters or as coordinate system code is obeyed."""
    text, _, setting = symbol.partition(":")
    setting = setting.strip() or (code or "").strip()
    icsd = re.fullmatch(r"(.+?)\s*([SZHR])", text.strip())
    if icsd and not setting and not any(_plain(text) in e["shorts"] for e in entries):
        text, setting = icsd.group(1), {"S": "1", "Z": "2", "H": "H", "R": "R"}[icsd.group(2)]
    name = _plain(text)
    chosen = [e for e in entries if name in e["names"]] or [e for e in entries if name in e["shorts"]]
    if not setting:
        return chosen
    wanted = setting.lower()
    exact = [e for e in chosen if e["choice"].lower() == wanted]
    return exact or [e for e in chosen if wanted in ("1", "2") and e["choice"].lower().startswith(wanted)]


def _hall(text: str) -> str:
    """Hall symbol with single blanks (which carry meaning: `P 32` and `P 3 2` are two groups), in lower case."""
    return " ".join(text.replace("_", " ").split()).lower()


def _plain(text: str) -> str:
    """Symbol without blanks, underscores and brackets, in lower case."""
    return re.sub(r"[\s_()]", "", text).lower()


@cache
def _table() -> list[dict[str, Any]]:
    """The 530 settings of spglib: index, number, choice, names (full symbols) and shorts (symbols that leave the axes open)."""
    import spglib

    entries = []
    for index in range(1, 531):
        kind: Any = spglib.get_spacegroup_type(index)
        names = {_plain(kind.international_full)} | {_plain(part) for part in kind.international.split("=")[1:]}
        shorts = {_plain(kind.international_short), _plain(kind.international.split("=")[0])}
        words = kind.international_full.split()
        if len(words) == 4 and words[1] == words[3] == "1":
            shorts.add(_plain(words[0] + words[2]))  # P 1 21/n 1 is written P 21/n
        if kind.number in _BEFORE_E:
            shorts |= {_BEFORE_E[kind.number].split()[_SETTINGS.index(kind.choice.lstrip("12"))].lower()}
        shorts |= {short.replace("-3", "3") for short in shorts if kind.number >= 195}  # Fd3m, before 1983
        entries.append(
            {
                "index": index,
                "number": kind.number,
                "choice": kind.choice,
                "full": kind.international_full,
                "hall": _hall(kind.hall_symbol),
                "names": names,
                "shorts": shorts,
            }
        )
    return entries


@cache
def _entry_operations(index: int) -> Operations:
    import spglib

    found: Any = spglib.get_symmetry_from_database(index)
    return Operations(np.array(found["rotations"]), np.array(found["translations"]) % 1, "spglib")
