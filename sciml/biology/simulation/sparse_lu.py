"""Linear equations of stiff steps in compiled code: a matrix with the pattern of a Jacobian, eliminated in an order that is chosen once.

`entries`, `starts`, `columns`, `diagonal`, `order` are those of `sparsity.Pattern`; `lu` holds the rows of L and U in that order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.compiling import compiled

__all__ = ["factorised", "matrix", "solve"]


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def matrix(shift: float, values: Any, entries: Any, diagonal: Any, lu: Any) -> None:
    """lu = shift - J, J from its `values` at `entries`."""
    for e in range(lu.size):
        lu[e] = 0.0
    for i in range(diagonal.size):
        lu[diagonal[i]] = shift
    for e in range(entries.size):
        if abs(values[e]) < np.inf:  # an infinite slope (a root at zero) is left out: order is lost there, not safety
            lu[entries[e]] -= values[e]


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def factorised(lu: Any, work: Any, starts: Any, columns: Any, diagonal: Any) -> bool:
    """L, U and the inverse pivots in the place of the matrix, rows not exchanged; False where a pivot vanishes. `work` [n] is room."""
    for r in range(diagonal.size):
        for e in range(starts[r], starts[r + 1]):
            work[columns[e]] = lu[e]
        for e in range(starts[r], diagonal[r]):
            c = columns[e]
            factor = work[c] * lu[diagonal[c]]
            work[c] = factor
            for other in range(diagonal[c] + 1, starts[c + 1]):
                work[columns[other]] -= factor * lu[other]
        for e in range(starts[r], starts[r + 1]):
            lu[e] = work[columns[e]]
        if not abs(lu[diagonal[r]]) > 0.0:
            return False
        lu[diagonal[r]] = 1.0 / lu[diagonal[r]]
    return True


@compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
def solve(lu: Any, starts: Any, columns: Any, diagonal: Any, order: Any, right: Any, x: Any, out: Any) -> None:
    """out = matrix^-1 right, both in the order of the states; `x` [n] is room."""
    for r in range(order.size):
        total = right[order[r]]
        for e in range(starts[r], diagonal[r]):
            total -= lu[e] * x[columns[e]]
        x[r] = total
    for back in range(order.size):
        r = order.size - 1 - back
        total = x[r]
        for e in range(diagonal[r] + 1, starts[r + 1]):
            total -= lu[e] * x[columns[e]]
        x[r] = total * lu[diagonal[r]]
        out[order[r]] = x[r]
