"""How numbers are written for people: significant digits, no more than are meant."""

from __future__ import annotations

import math

__all__ = ["shown"]


def shown(value: float | int | str | bool | None, digits: int = 3) -> str:
    """`value` as text: a float with `digits` significant digits, whole numbers and text as they are, None as a dash.

    Trailing zeros that are significant stay (0.0800); from 1e7 up and below 1e-4 powers of ten are used (1.20e-5).
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if 10**digits <= abs(value) < 1e7:
        return f"{value:.0f}"
    mantissa, _, exponent = f"{value:#.{digits}g}".partition("e")
    return mantissa.rstrip(".") + (f"e{int(exponent)}" if exponent else "")
