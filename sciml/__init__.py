"""sciml: interatomic potentials for materials, pathways for biology, each result with its audit and its report.

Importing this package loads nothing heavy: the packages below open when they are first used.
"""

from __future__ import annotations

from types import ModuleType

__version__ = "0.1.0"
__all__ = ["__version__", "biology", "errors", "materials"]

_DOORS = ("biology", "errors", "materials")


def __getattr__(name: str) -> ModuleType:
    """Open a package at its first use (`sciml.materials`)."""
    if name not in _DOORS:
        raise AttributeError(f"module 'sciml' has no attribute {name!r}; its packages are {', '.join(_DOORS)}")
    import importlib

    return importlib.import_module(f"sciml.{name}")


def __dir__() -> list[str]:
    """What stands behind the door, for completion."""
    return sorted(set(globals()) | set(__all__))
