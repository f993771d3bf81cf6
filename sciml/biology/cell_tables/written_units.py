"""Units behind numbers of a table: ng/ml, uM, min; which are of one kind, and the factor between them."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache

__all__ = ["factor_between", "plain_unit", "unit_in_brackets"]

_PREFIXES = {"k": 3, "": 0, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18}
_SCALED = {"g": "mass", "mol": "substance", "M": "molar", "l": "volume", "U": "activity", "IU": "activity", "s": "time", "m": "length"}
_OTHERS = {"min": ("time", Decimal(60)), "h": ("time", Decimal(3600)), "hr": ("time", Decimal(3600)), "d": ("time", Decimal(86400))}


@lru_cache(maxsize=1000)
def plain_unit(text: str) -> str:
    """A unit in one writing: u for micro, l for litre, / for "per": "ng mL-1" and "ng.ml^-1" are ng/ml."""
    text = re.sub(r"[µμ]", "u", text.strip()).replace("⁻¹", "-1").replace("\u2212", "-")
    text = re.sub(r"(?<![A-Za-z])([kcmunpfa]?)L(?![A-Za-z])", r"\1l", re.sub(r"\bper\b", "/", text))
    text = re.sub(r"[\s.·*]+([A-Za-z]+)\^?-1$", r"/\1", text)
    return re.sub(r"\s*/\s*", "/", text)


def unit_in_brackets(name: str) -> str:
    """The unit at the end of a column's name: "TNF (ng/ml)" or "TNF [ng/ml]"; nothing where there is none."""
    found = re.search(r"[(\[]([^()\[\]]{1,20})[)\]]\s*$", name)
    return plain_unit(found[1]) if found else ""


def factor_between(unit: str, target: str) -> Decimal | None:
    """What a number in `unit` is multiplied by to be one in `target`; None where they are not of one kind."""
    one, other = _measure(unit), _measure(target)
    return one[1] / other[1] if one is not None and other is not None and one[0] == other[0] else None


def _measure(unit: str) -> tuple[str, Decimal] | None:
    """(kind, size) of a unit, or of one over another."""
    above, slash, below = unit.partition("/")
    first = _single(above)
    if not slash or first is None:
        return first
    second = _single(below)
    if second is None:
        return None
    kind = f"{first[0]}/{second[0]}"
    return ("molar" if kind == "substance/volume" else kind), first[1] / second[1]


def _single(unit: str) -> tuple[str, Decimal] | None:
    if unit in _OTHERS:
        return _OTHERS[unit]
    for name, kind in _SCALED.items():
        prefix = unit.removesuffix(name)
        if unit.endswith(name) and prefix in _PREFIXES:
            return kind, Decimal(1).scaleb(_PREFIXES[prefix])
    return None
