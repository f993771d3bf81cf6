"""Nodes of a graph as Python source that numba compiles: numbers and indices only, never an id of the model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from sciml.biology.kernels.graph import LEAVES, Graph

__all__ = ["HEADER", "function_source", "statements", "written"]

HEADER = "import math\n\nimport numpy as np\n"
_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
_COMPARED = {"lt": "<", "leq": "<=", "eq": "==", "neq": "!="}
_CALLS = {
    "abs": "abs", "exp": "math.exp", "ln": "math.log", "log10": "math.log10", "sqrt": "math.sqrt", "floor": "np.floor", "ceil": "np.ceil",
    "rem": "np.fmod", "min": "min", "max": "max",
    **{name: f"math.{name}" for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh")},
}  # fmt: skip
_LONGEST = 200  # characters of one expression before it gets a name


def statements(graph: Graph, nodes: Sequence[int], leaf: Callable[[str, int], str]) -> tuple[list[str], list[str]]:
    """(assignments, one expression per node): what is used more than once gets a name `v<n>`, computed in the order of the nodes.

    `leaf(kind, index)` is the text of a `state`, `param`, `time` or `lag`.
    """
    order = graph.reach(nodes)
    used = Counter(a for n in order for a in graph.args[n])
    used.update(nodes)
    lines: list[str] = []
    text: dict[int, str] = {}
    for n in order:
        op = graph.ops[n]
        if op == "const":
            text[n] = _number(graph.values[n])
        elif op in LEAVES:
            text[n] = leaf(op, int(graph.values[n]))
        else:
            formula = written(op, [text[a] for a in graph.args[n]])
            if used[n] > 1 or len(formula) > _LONGEST:
                lines.append(f"v{n} = {formula}")
                formula = f"v{n}"
            text[n] = formula
    return lines, [text[n] for n in nodes]


def function_source(graph: Graph, nodes: Sequence[int], parameters: int, name: str = "f") -> str:
    """`def f(t, y, p, out, context)` that writes the nodes into `out`; lags follow the `parameters` in p."""

    def leaf(kind: str, index: int) -> str:
        return {"state": f"y[{index}]", "param": f"p[{index}]", "time": "t", "lag": f"p[{parameters + index}]"}[kind]

    lines, results = statements(graph, nodes, leaf)
    body = [*lines, *(f"out[{i}] = {result}" for i, result in enumerate(results))]
    return f"def {name}(t, y, p, out, context):\n" + "".join(f"    {line}\n" for line in body or ["pass"])


def _number(value: float) -> str:
    if math.isnan(value):
        return "np.nan"
    if math.isinf(value):
        return "np.inf" if value > 0 else "(-np.inf)"
    return repr(value) if value >= 0 and not (value == 0 and math.copysign(1, value) < 0) else f"({value!r})"


def written(op: str, a: list[str]) -> str:
    """An operation on texts."""
    if op in _INFIX:
        return f"({a[0]} {_INFIX[op]} {a[1]})"
    if op in _COMPARED:
        return f"(1.0 if {a[0]} {_COMPARED[op]} {a[1]} else 0.0)"
    if op in _CALLS:
        return f"{_CALLS[op]}({', '.join(a)})"
    if op == "select":
        return f"({a[1]} if {a[0]} != 0.0 else {a[2]})"
    if op == "neg":
        return f"(-{a[0]})"
    if op == "not":
        return f"(1.0 if {a[0]} == 0.0 else 0.0)"
    if op == "xor":
        return f"(1.0 if ({a[0]} != 0.0) != ({a[1]} != 0.0) else 0.0)"
    if op in ("and", "or"):
        return f"(1.0 if {a[0]} != 0.0 {op} {a[1]} != 0.0 else 0.0)"
    if op == "quotient":
        return f"np.trunc({a[0]} / {a[1]})"
    return f"math.gamma(np.ceil({a[0]}) + 1.0)"  # factorial
