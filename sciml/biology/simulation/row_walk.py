"""The rows of a table computed by one compiled function for all models, called by its address so that nothing compiled around it grows."""

from __future__ import annotations

import textwrap
from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sciml.biology.kernels.cache import load_source
from sciml.biology.kernels.graph import BINARY, UNARY
from sciml.biology.kernels.source import HEADER, written
from sciml.biology.kernels.table import CODES
from sciml.compiling import keep_compiled

__all__ = ["ROWS", "WALK", "walk", "walk_address"]

WALK, ROWS = 0, 1  # places in the head of a table: the address of the function, where the rows begin

_WALK = """

def walk(table, rows, first, last, w, t, y, p):
    for k in range(first, last):
        i = table[k]
        at = rows + 4 * i
        op, a, b, c = table[at], table[at + 1], table[at + 2], table[at + 3]
        if op == 1:
            w[i] = y[a]
        elif op == 2:
            w[i] = p[a]
        elif op == 0:
            w[i] = np.int64(a).view(np.float64)
        elif op == 3:
            w[i] = t
        CASES
"""
_WHOLES, _NUMBERS = types.CPointer(types.int64), types.CPointer(types.float64)
_SIGNATURE = types.void(_WHOLES, types.int64, types.int64, types.int64, _NUMBERS, types.float64, _NUMBERS, _NUMBERS)


def walk_source() -> str:
    """Each operation as `kernels.source` writes it, so that all kernels agree."""
    args = {**dict.fromkeys(UNARY, 1), **dict.fromkeys(BINARY, 2), "select": 3}
    cases = [f"elif op == {CODES[op]}:\n    w[i] = {written(op, ['w[a]', 'w[b]', 'w[c]'][:count])}" for op, count in args.items()]
    return HEADER + _WALK.replace("CASES", textwrap.indent("\n".join(cases), " " * 8).strip())


@cache
def _compiled() -> Any:
    from numba.core.ccallback import CFunc

    function = load_source(walk_source()).walk
    found = CFunc(function, (_SIGNATURE.args, _SIGNATURE.return_type), locals={}, options={"error_model": "numpy"})
    keep_compiled(found, function)
    found.compile()
    return found


def walk_address() -> int:
    """Where the function lies in this process."""
    return int(_compiled().address)


def _walk(context: Any, table: Any, first: Any, last: Any, w: Any, t: Any, y: Any, p: Any) -> Any:
    """In compiled code: compute the rows that are listed at table[first:last] into w, from time, states and parameters."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        whole, double = ir.IntType(64), ir.DoubleType()
        kinds = [whole.as_pointer(), whole, whole, whole, double.as_pointer(), double, double.as_pointer(), double.as_pointer()]
        given = []
        for kind, value in zip(signature.args, args, strict=True):
            given.append(context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value)
        head = [builder.load(builder.gep(given[0], [ir.Constant(whole, place)])) for place in (WALK, ROWS)]
        function = builder.inttoptr(head[0], ir.FunctionType(ir.VoidType(), kinds).as_pointer())
        builder.call(function, [given[0], head[1], *given[1:]])
        return context.get_dummy_value()

    return types.void(table, types.int64, types.int64, w, types.float64, y, p), code


walk: Any = intrinsic(_walk)
