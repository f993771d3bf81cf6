"""The text of the GPU kernel: numbers and indices only, every channel once, refused where the CPU is needed."""

from __future__ import annotations

import re

import pytest
from numba import float64, int64, uint64

from sciml.biology.expressions import number
from sciml.biology.formula import parse
from sciml.biology.kernels.gpu import compiled_kernel, kernel_source
from sciml.biology.network import Event, Network, Parameter, Reaction, Rule
from sciml.biology.simulation.molecules import in_molecules
from tests.biology.kernels.device_compiler import ptx

NET = Network(
    "__import__('os')",
    species={"A": 5, "B": 0},
    parameters={"k": 6.0, "g": 1.0},
    reactions=[
        Reaction.parse("in", " -> A", rate="k"),
        Reaction.parse("out", "A -> B", rate="g"),
        Reaction.parse("pair", "2 B -> ", law="g * B^2"),
    ],
)


def source(net: Network) -> str | None:
    return kernel_source(in_molecules(net, 1, 0).jumps)


def test_every_channel_is_drawn_and_guarded():
    text = source(NET)
    assert text.count("status[k] = ") == 3 and "x0 += 1" in text and "x1 += -2" in text
    assert "x1 < 2" in text  # the literal law does not vanish at one molecule
    assert not re.search(r"__import__|\bos\b", text)


@pytest.mark.parametrize(
    "part",
    [
        {"events": [Event("e", parse("time > 1"), (("A", number(3)),))]},
        {"parameters": [Parameter("k", 1.0, constant=False)], "rules": [Rule("rate", number(1), "k")]},
        {"reactions": [Reaction.parse("in", " -> A", law="k * (1 + sin(time))")]},
    ],
)
def test_what_needs_the_cpu(part):
    assert source(NET.with_(**part)) is None


def test_it_compiles_for_a_gpu(monkeypatch):
    laws = [Reaction.parse("in", " -> A", law="max(1, floor(B / 2)) * min(k, 1 + A)"), Reaction.parse("out", "A -> B", law="rem(k, 4) * A")]
    kernel = compiled_kernel(source(NET.with_(reactions=laws)))
    rows = float64[:, ::1]
    text = ptx(kernel, (uint64[:, ::1], rows, rows, float64[::1], int64[:, :, ::1], int64[::1]), monkeypatch)
    assert ".visible .entry" in text and "lg2" not in text  # logarithms in double precision
