"""Source of the exact kernel for a GPU: one trajectory a thread, double precision, states and generator in registers.

The same direct method and the same streams as on the CPU; results are equal in distribution, not in bits, since logarithms round
differently.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sciml.biology.kernels.cache import load_source
from sciml.biology.kernels.jumps import Jumps
from sciml.biology.kernels.source import statements

__all__ = ["compiled_kernel", "kernel_source"]

_HEADER = '''import math

from numba import cuda
from numpy import uint64

from sciml.biology.kernels import device_numpy as np
from sciml.biology.kernels.device_numpy import larger as max
from sciml.biology.kernels.device_numpy import smaller as min

U11, U17, U19, U23, U41, U45 = uint64(11), uint64(17), uint64(19), uint64(23), uint64(41), uint64(45)


@cuda.jit(device=True)
def step(s0, s1, s2, s3):
    """xoshiro256++ (Blackman and Vigna 2021): a number in (0, 1) and the next state."""
    mixed = s0 + s3
    word = ((mixed << U23) | (mixed >> U41)) + s0
    moved = s1 << U17
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= moved
    s3 = (s3 << U45) | (s3 >> U19)
    return (float(word >> U11) + 0.5) * 1.1102230246251565e-16, s0, s1, s2, s3
'''


def kernel_source(jumps: Jumps) -> str | None:
    """The text of a kernel f(words, start, p, times, out, status); None for what needs events, rate rules or laws of time.

    `words` uint64 [n, 4], `start` [1 or n, S] and `p` [1 or n, m] float64, `times` ascend, `out` int64 [n, T, S]; `status` [n] is 1 + the
    number of a channel whose propensity is negative or no number.
    """
    if jumps.events or jumps.flows or jumps.timed or not all(jumps.counted):
        return None
    lines, laws = statements(jumps.graph, [c.node for c in jumps.channels], lambda kind, i: f"x{i}" if kind == "state" else f"p[q, {i}]")
    states, channels = range(len(jumps.system.states)), range(len(laws))
    body = [*lines, *(f"a{j} = {law}" for j, law in enumerate(laws))]
    for j, channel in enumerate(jumps.channels):
        lacking = " or ".join(f"x{s} < {least}" for s, least in channel.needs)
        wrong = f"not a{j} >= 0.0" + (f" or (a{j} > 0.0 and ({lacking}))" if lacking else "")
        body += [f"if {wrong}:", f"    status[k] = {j + 1}", "    return"]
    body += [f"c{j} = {f'c{j - 1} + ' if j else ''}a{j}" for j in channels]
    body += [f"total = {f'c{channels[-1]}' if channels else '0.0'}", "u, s0, s1, s2, s3 = step(s0, s1, s2, s3)"]
    body += ["t = t - math.log(u) / total if total > 0.0 else math.inf", "while r < times.shape[0] and times[r] < t:"]
    body += [*(f"    out[k, r, {s}] = x{s}" for s in states), "    r += 1"]
    body += ["if r == times.shape[0]:", "    return", "u, s0, s1, s2, s3 = step(s0, s1, s2, s3)", "u *= total"]
    for j, channel in enumerate(jumps.channels):
        condition = "else:" if j == channels[-1] else f"{'elif' if j else 'if'} u < c{j}:"
        body += [condition if len(laws) > 1 else "if True:", *(f"    x{s} += {by}" for s, by in channel.change)]
    head = [
        "k = cuda.grid(1)",
        "if k >= out.shape[0]:",
        "    return",
        "i = k if start.shape[0] > 1 else 0",
        "q = k if p.shape[0] > 1 else 0",
    ]
    head += [f"s{j} = words[k, {j}]" for j in range(4)] + [f"x{s} = start[i, {s}]" for s in states] + ["t, r = 0.0, 0", "while True:"]
    text = [*(f"    {line}" for line in head), *(f"        {line}" for line in body)]
    return _HEADER + "\n\n@cuda.jit\ndef f(words, start, p, times, out, status):\n" + "\n".join(text) + "\n"


@cache
def compiled_kernel(source: str) -> Any:
    """The kernel of a text; numba compiles it at its first launch."""
    return load_source(source).f
