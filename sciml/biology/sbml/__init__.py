"""SBML in and out: `load_sbml`, `to_sbml`, and what a model counts in (`molecules_per_unit`)."""

from __future__ import annotations

from typing import Any

__all__ = ["Counting", "consistency_problems", "load_sbml", "molecules_per_unit", "to_sbml", "unit_problems"]

_HOMES = {
    "Counting": "semantics",
    "consistency_problems": "consistency",
    "load_sbml": "read",
    "molecules_per_unit": "semantics",
    "to_sbml": "write",
    "unit_problems": "unit_check",
}


def __getattr__(name: str) -> Any:
    """Loaded when first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
