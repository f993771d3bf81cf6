"""Source of the vectorised exact kernel: one trajectory a lane, 64 lanes side by side, float32, masks instead of branches.

Each call makes `STEPS` steps of the direct method (Gillespie 1977) in every lane. The draw of a channel has two levels: propensities
below 2^-12 of the total are summed by themselves and found by a draw with 46 bits, so that rare reactions are not lost beside fast ones.
Time in a lane counts from the start of the call; a lane whose next reaction lies beyond its next record keeps still (its clock reads
infinity) and draws anew after the record, which is exact since propensities are constant between reactions. A clock below zero says that
the lane stopped at minus that time, since its state needs double precision.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.jumps import Channel, Jumps
from sciml.biology.kernels.machine_code import Code, machine_code
from sciml.biology.kernels.propensities import fixed_nodes, products
from sciml.biology.kernels.source import statements

__all__ = ["LANES", "LARGEST_COUNT", "STEPS", "LaneProgram", "LaneWriter", "choice", "compiled_lanes", "header", "lane_program", "waiting"]

LANES, STEPS = 64, 8
LARGEST_COUNT = float(2**23)  # whole numbers up to here, and their changes within one call, are exact in float32
_MOST_CHANNELS, _MOST_LINES, _LARGEST_CHANGE = 48, 600, 1024
_VECTOR_OPS = frozenset("add sub mul div neg abs sqrt exp ln pow select lt leq eq neq and or not min max".split())


@dataclass(frozen=True)
class LaneProgram:
    """Generated text, and what goes into the rows of a lane.

    Rows of float32, `LANES` wide: states, then `single` (nodes of coefficients), clock, limit, four words of the generator. `double`:
    nodes of the coefficients that stay in double precision, rows of their own.
    """

    source: str
    states: int
    single: tuple[int, ...]
    double: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Rows of float32."""
        return self.states + len(self.single) + 6


def lane_program(jumps: Jumps) -> LaneProgram | None:
    """The program of a jump process; None where it needs double precision, time or events, or is too large to be compiled."""
    if jumps.events or jumps.flows or jumps.timed or not all(jumps.counted) or len(jumps.channels) > _MOST_CHANNELS:
        return None
    if any(abs(by) > _LARGEST_CHANGE for c in jumps.channels for _, by in c.change):
        return None
    writer = LaneWriter(jumps)
    return writer.program() if writer.fits else None


class LaneWriter:
    """Lines of the loop over lanes. `single`, `double`: {node of a coefficient: number of its row}."""

    def __init__(self, jumps: Jumps) -> None:
        self.jumps, self.graph = jumps, jumps.graph
        self.states = len(jumps.system.states)
        self.single: dict[int, int] = {}
        self.double: dict[int, int] = {}
        self.fits = True
        self.laws = [*self.rates("x", "a"), *self._checks()]

    def program(self) -> LaneProgram | None:
        """The text and its coefficients."""
        first = self.states + len(self.single)
        channels = self.jumps.channels
        used = sorted({s for c in channels for s, _ in c.change} | self.graph.leaves([c.node for c in channels], "state"))
        changed = sorted({s for c in self.jumps.channels for s, _ in c.change})
        lines = [f"x{s} = w[{s * LANES} + i]" for s in used]
        lines += [f"k{j} = w[{(self.states + j) * LANES} + i]" for j in range(len(self.single))]
        lines += [f"d{j} = d[{j * LANES} + i]" for j in range(len(self.double))]
        lines += [f"t = w[{first * LANES} + i]", f"limit = w[{(first + 1) * LANES} + i]"]
        lines += [f"s{j} = as_bits(w[{(first + 2 + j) * LANES} + i])" for j in range(4)]
        lines += [*self.laws, *waiting(), "tn = t + abs(logarithm / total)"]  # a sum of -0.0 is no negative rate
        lines += ["target = v * GRAIN * total", "fire = both(tn < limit, sound)", *choice(self.jumps.channels), _CLOCK]
        lines += [f"w[{s * LANES} + i] = x{s}" for s in changed]
        lines += [f"w[{first * LANES} + i] = clock"]
        lines += [f"w[{(first + 2 + j) * LANES} + i] = as_float(s{j})" for j in range(4)]
        if len(lines) > _MOST_LINES:
            return None
        body = "".join(f"            {line}\n" for line in lines)
        source = f"{header()}\n\ndef f(w, d):\n    for _ in range({STEPS}):\n        for i in range({LANES}):\n{body}"
        return LaneProgram(source, self.states, tuple(self.single), tuple(self.double))

    def rates(self, state: str, rate: str) -> list[str]:
        """Lines that compute the propensities {rate}0, {rate}1, ... from the states {state}0, ..."""
        fixed = fixed_nodes(self.graph)
        nodes = [c.node for c in self.jumps.channels]
        forms = [products(self.graph, node, fixed) for node in nodes]
        lines = []
        wide = [i for i, form in enumerate(forms) if form is None]
        if wide:
            lines += self._wide(wide, [nodes[i] for i in wide], fixed_nodes(self.graph), state, rate)
        for i, form in enumerate(forms):
            if form is not None:
                terms = []
                for atoms, coefficient in form.items():
                    factors = [f"{state}{s}" if m == 0 else f"({state}{s} - F{m})" for s, m in atoms]
                    terms.append(" * ".join([f"k{self.single.setdefault(coefficient, len(self.single))}", *factors]))
                lines.append(f"{rate}{i} = {' + '.join(terms)}")
        return lines

    def _checks(self) -> list[str]:
        """Lines that sum the propensities a0, a1, ... and say whether the lane must leave single precision."""
        lines = ["total = " + (" + ".join(f"a{i}" for i in range(len(self.jumps.channels))) or "F0")]
        lines.append("sound = both(total < HUGE, t >= F0)")
        for i, c in enumerate(self.jumps.channels):
            if c.signed:
                lines.append(f"sound = both(sound, a{i} >= F0)")
            for state, least in c.needs:
                lines.append(f"sound = only(sound, both(x{state} < np.float32({least}), a{i} > F0))")
        return lines

    def _wide(self, channels: list[int], nodes: list[int], fixed: list[bool], state: str, rate: str) -> list[str]:
        """Laws that are no sum of products, in double precision."""
        inner, new = Graph(), {}
        for n in self.graph.reach(nodes):
            op, args = self.graph.ops[n], self.graph.args[n]
            if op == "const":
                new[n] = inner.const(self.graph.values[n])
            elif fixed[n]:
                continue
            elif not args:
                new[n] = inner.leaf(op, int(self.graph.values[n]))
            else:
                self.fits &= op in _VECTOR_OPS
                given = [new[a] if a in new else self._slot(inner, new, a) for a in args]
                new[n] = _power(inner, *given) if op == "pow" else inner.op(op, *given)

        def leaf(kind: str, index: int) -> str:
            return f"np.float64({state}{index})" if kind == "state" else f"d{index}"

        lines, results = statements(inner, [new[n] if n in new else self._slot(inner, new, n) for n in nodes], leaf)
        return [*lines, *(f"{rate}{i} = np.float32({text})" for i, text in zip(channels, results, strict=True))]

    def _slot(self, inner: Graph, new: dict[int, int], node: int) -> int:
        new[node] = inner.leaf("param", self.double.setdefault(node, len(self.double)))
        return new[node]


def _power(graph: Graph, base: int, exponent: int) -> int:
    """base^exponent = exp(exponent ln base), and what it is at base 0; no number where the base is negative."""
    zero, one = graph.const(0.0), graph.const(1.0)
    at_zero = graph.op("select", graph.op("lt", zero, exponent), zero, graph.op("div", one, graph.op("eq", exponent, zero)))
    at_zero = graph.op("select", graph.op("lt", exponent, zero), graph.const(math.inf), at_zero)
    return graph.op("select", graph.op("eq", base, zero), at_zero, graph.op("exp", graph.op("mul", exponent, graph.op("ln", base))))


# the clock after a step: a draw that rounding puts behind the last channel is drawn again
_CLOCK = "clock = select(sound, select(fire, select(found, tn, t), tn + INFINITE), select(t < F0, t, -t - TINY))"


def waiting() -> list[str]:
    """`logarithm` of a uniform number strictly inside (0, 1), for an exponential waiting time, and 46 bits `v` for the choice.

    The logarithm is that of Cephes (Moshier 1989), 2^-24 relative.
    """
    polynomial = "C0"
    for j in range(1, 9):
        polynomial = f"({polynomial} * m + C{j})"
    return [
        "z, g, s0, s1, s2, s3 = xoshiro(s0, s1, s2, s3)",
        "y, g, s0, s1, s2, s3 = xoshiro(s0, s1, s2, s3)",
        "u = as_bits(as_float(np.uint32((z >> U9) | ONE)) - BELOW_ONE)",
        "e = np.int32(np.int32(np.int32(u) - ROOT_HALF) >> I23)",
        "m = as_float(np.uint32(np.int32(u) - np.int32(e << I23))) - F1",
        "q = m * m",
        f"logarithm = m + (q * (m * {polynomial} - HALF) + np.float32(e) * LN2)",
        "v = np.float32(np.int32(y >> U9)) + np.float32(np.int32(g >> U9)) * GRAIN",
    ]


def choice(channels: Sequence[Channel]) -> list[str]:
    """Which channel of propensities a0, a1, ... fires where `fire`, by `target`, and what it changes; rare ones by themselves. `found` is
    false where rounding puts the draw behind the last."""
    count = range(len(channels))
    lines = ["low = total * RARE"]
    lines += [f"b{j} = a{j} < low" for j in count]
    lines += ["slow = F0", *(f"slow += select(b{j}, a{j}, F0)" for j in count)]
    lines += ["rare = target < slow", "target = select(fire, select(rare, target, target - slow), INFINITE)", "c = F0"]
    for j in count:
        lines += [f"c += select(same(b{j}, rare), a{j}, F0)", f"m{j} = target < c"]
        lines.append(f"h{j} = only(m{j}, m{j - 1})" if j else "h0 = m0")
    for j, channel in enumerate(channels):
        lines += [f"x{s} += select(h{j}, np.float32({by}), F0)" for s, by in channel.change]
    return [*lines, f"found = m{len(channels) - 1}" if channels else "found = fire"]


@cache
def header() -> str:
    """Imports and numbers; the digest of the functions used, so that kept code is not used with others."""
    used = "".join(Path(__file__).with_name(name).read_text() for name in ("lane_functions.py", "lane_math.py"))
    digest = hashlib.sha256(used.encode()).hexdigest()[:16]
    logarithm = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
                 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)  # fmt: skip
    single = {
        **{f"F{j}": str(j) for j in range(9)},
        **{f"C{j}": repr(c) for j, c in enumerate(logarithm)},
        "HALF": "0.5", "LN2": "0.6931471805599453", "BELOW_ONE": "1.0 - 2.0**-24", "GRAIN": "2.0**-23", "RARE": "2.0**-12",
        "HUGE": "1e37", "TINY": "1e-30", "INFINITE": "np.inf",
    }  # fmt: skip
    return "\n".join(
        [
            f"# lane functions {digest}",
            "import numpy as np",
            "",
            "from sciml.biology.kernels import lane_math as math",
            "from sciml.biology.kernels.lane_functions import as_bits, as_float, both, only, same, select, xoshiro",
            "",
            "U9, ONE = np.uint32(9), np.uint32(0x3F800000)",
            "I23, ROOT_HALF = np.int32(23), np.int32(0x3F3504F3)",
            *(f"{name} = np.float32({value})" for name, value in single.items()),
            "",
        ]
    )


def compiled_lanes(source: str) -> Code:
    """The compiled program: `.address` is that of f(float32*, float64*)."""

    def build() -> Any:
        from numba import types
        from numba.core.ccallback import CFunc

        from sciml.biology.kernels.cache import load_source

        signature = types.void(types.CPointer(types.float32), types.CPointer(types.float64))
        options = {"error_model": "numpy", "fastmath": {"nsz", "arcp", "contract"}}
        program = CFunc(load_source(source).f, (signature.args, signature.return_type), locals={}, options=options)
        program.compile()
        return program

    return machine_code(source, build)
