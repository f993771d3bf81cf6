"""Functions of the CPU's loops compiled for a GPU from the same source. Imported only where a device was asked for."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from numba import cuda

from sciml.biology.kernels import device_numpy

__all__ = ["device_function"]

_OTHERS = {"np": device_numpy, "max": device_numpy.larger, "min": device_numpy.smaller}


def device_function(function: Any, **others: Any) -> Any:
    """`function` (plain or numba's) as a device function of CUDA, with all of numba's functions that it calls; `others` {global name:
    value} stand in the place of what the CPU means by a name."""
    others = _OTHERS | others
    made: dict[Any, Any] = {}

    def build(target: Any) -> Any:
        plain = getattr(target, "py_func", target)
        if plain not in made:
            names = plain.__globals__
            called = {name: names[name] for name in plain.__code__.co_names if hasattr(names.get(name), "py_func")}
            inside = names | {name: build(value) for name, value in called.items() if name not in others} | others
            made[plain] = cuda.jit(device=True)(FunctionType(plain.__code__, inside, plain.__name__))
        return made[plain]

    return build(function)
