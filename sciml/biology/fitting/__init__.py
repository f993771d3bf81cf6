"""Parameters from data: problems (PEtab tables, or a network and data), likelihood, fits from many starts, profiles."""

from __future__ import annotations

from typing import Any

__all__ = ["Fit", "FitParameter", "Problem", "fit", "load_petab"]

_HOMES = {"Fit": "result", "FitParameter": "parameters", "Problem": "problem", "fit": "estimation", "load_petab": "tables"}


def __getattr__(name: str) -> Any:
    """Loaded when first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
