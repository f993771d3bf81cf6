"""Packages whose names are loaded at their first use, so that importing them is light."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, TypeVar

__all__ = ["loaded_from", "open_door"]

_Call = TypeVar("_Call", bound=Callable[..., Any])


class _Door(ModuleType):
    """Loads each name when it is asked for. A call keeps its place (`audit`) when the module of the same name is imported."""

    _homes: Mapping[str, str]
    __all__: list[str]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._homes:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}; it has {', '.join(self.__all__)}")
        value = getattr(importlib.import_module(f"{self.__name__}.{self._homes[name]}"), name)
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in self._homes and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__all__})


def open_door(package: str, modules: Mapping[str, tuple[str, ...]]) -> None:
    """Let a package load its names from `modules` {module: names} at their first use; its `__all__` lists what is public."""
    door = sys.modules[package]
    door.__dict__["_homes"] = {name: module for module, names in modules.items() for name in names}
    door.__class__ = _Door


def loaded_from(module: str) -> Callable[[_Call], _Call]:
    """Let a stub with signature and docstring call the function of its name in `module`, which is imported at the first call."""

    def decorate(stub: _Call) -> _Call:
        @functools.wraps(stub)
        def call(*args: Any, **options: Any) -> Any:
            return getattr(importlib.import_module(module), stub.__name__)(*args, **options)

        return call  # type: ignore[return-value]

    return decorate
