"""Nodes of a graph as a C function: generated and compiled for networks of ordinary size, a walk over a table for large ones.

Every function has one signature, f(t, y*, p*, out*, context*), and is called by its address, so that an integrator is compiled once for all
models: it takes the address and the context of whatever it integrates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sciml.biology.kernels.cache import load_source
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.source import HEADER, function_source
from sciml.biology.kernels.table import table, walk_source
from sciml.compiling import keep_compiled

__all__ = ["LARGEST_GENERATED", "Native", "c_function", "call", "native", "pointers", "run_program"]

LARGEST_GENERATED = 600  # nodes; compiling takes some milliseconds a node, and walking a table some nanoseconds
_SIGNATURE = types.void(types.float64, *[types.CPointer(types.float64)] * 3, types.CPointer(types.int64))


@dataclass(frozen=True)
class Native:
    """A compiled function: its address, its context (int64; empty for generated code), how many numbers it writes, and what it is.

    `python` is the generated function that was compiled, f(t, y, p, out, context); None for a table.
    """

    address: int
    context: np.ndarray
    results: int
    kind: str  # "generated" or "table"
    keeper: Any  # what the address belongs to
    python: Any

    def __call__(self, t: float, y: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Its results [results] at float64 arrays y and p."""
        out = np.empty(self.results)
        _call_once(self.address, t, np.ascontiguousarray(y, float), np.ascontiguousarray(p, float), out, self.context)
        return out


def native(graph: Graph, nodes: Sequence[int], parameters: int) -> Native:
    """The function that writes `nodes`; lags follow the `parameters` in p. Which kind it is follows from the number of nodes alone."""
    if len(graph.reach(nodes)) > LARGEST_GENERATED:
        function = _walk()
        return Native(function.address, table(graph, nodes, parameters), len(nodes), "table", function, None)
    python = load_source(HEADER + "\n\n" + function_source(graph, nodes, parameters)).f
    function = _generated(python)
    return Native(function.address, np.zeros(1, dtype=np.int64), len(nodes), "generated", function, python)


@cache
def _generated(python: Any) -> Any:
    return c_function(python, _SIGNATURE)


@cache
def _walk() -> Any:
    return c_function(load_source(walk_source()).f, _SIGNATURE)


def c_function(function: Any, signature: Any) -> Any:
    """numba's C callback of a function, its machine code kept in our cache folder."""
    from numba.core.ccallback import CFunc

    compiled = CFunc(function, (signature.args, signature.return_type), locals={}, options={"error_model": "numpy"})
    keep_compiled(compiled, function)
    compiled.compile()
    return compiled


def pointers(context: Any, builder: Any, kinds: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Where the numbers of arrays stand, while code is generated; what is no array stays."""
    return [
        context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
        for kind, value in zip(kinds, values, strict=True)
    ]


@intrinsic
def call(context: Any, address: Any, t: Any, y: Any, p: Any, out: Any, table: Any) -> Any:
    """In compiled code: run the function at `address` (int64) on contiguous arrays."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address, *rest = args
        double, whole = ir.DoubleType().as_pointer(), ir.IntType(64).as_pointer()
        function = ir.FunctionType(ir.VoidType(), [ir.DoubleType(), double, double, double, whole])
        builder.call(builder.inttoptr(address, function.as_pointer()), pointers(context, builder, signature.args[1:], rest))
        return context.get_dummy_value()

    return types.void(types.int64, types.float64, y, p, out, table), code


@intrinsic
def run_program(context: Any, address: Any, single: Any, double: Any) -> Any:
    """In compiled code: run the lane program at `address` (int64) on its rows, arrays or pointers."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        rows = [ir.FloatType().as_pointer(), ir.DoubleType().as_pointer()]
        function = builder.inttoptr(args[0], ir.FunctionType(ir.VoidType(), rows).as_pointer())
        builder.call(function, pointers(context, builder, signature.args[1:], args[1:]))
        return context.get_dummy_value()

    return types.void(types.int64, single, double), code


@numba.njit(cache=False)
def _call_once(address: int, t: float, y: Any, p: Any, out: Any, table: Any) -> None:
    call(address, t, y, p, out, table)  # type: ignore[call-arg]
