"""Generated text holds numbers and indices only, and names what is used twice."""

from __future__ import annotations

import re

import numpy as np

from sciml.biology.expressions import symbol
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.source import function_source, statements
from sciml.biology.kernels.system import compile_system
from sciml.biology.network import Network, Reaction


def test_what_is_used_twice_gets_a_name():
    g = Graph()
    x = g.leaf("state")
    e = g.op("exp", x)
    lines, results = statements(g, [g.op("add", e, g.op("mul", e, x))], lambda kind, index: f"{kind}{index}")
    assert lines == [f"v{e} = math.exp(state0)"] and results == [f"(v{e} + (state0 * v{e}))"]


def test_no_id_of_a_model_reaches_the_text():
    nasty = "__import__('os').system('true')"
    net = Network(nasty, species={nasty: 1.0}, parameters={"k": 1.0}, reactions=[Reaction.parse("r", "-> ", law=symbol(nasty) * "k")])
    system = compile_system(net)
    text = function_source(system.graph, [*system.derivatives, *system.rates], len(system.parameters))
    assert "import" not in text and "os" not in text
    assert set(re.findall(r"[a-zA-Z_]\w*", text)) <= {"def", "f", "t", "y", "p", "out", "context", "pass"}


def test_special_numbers():
    g = Graph()
    text = function_source(g, [g.const(v) for v in (np.inf, -np.inf, np.nan, -2.5, -0.0, 1e-300)], 0)
    assert [line.split(" = ")[1] for line in text.splitlines()[1:]] == ["np.inf", "(-np.inf)", "np.nan", "(-2.5)", "(-0.0)", "1e-300"]


def test_values_from_the_past_follow_the_parameters():
    g = Graph()
    assert "p[5]" in function_source(g, [g.leaf("lag", 2)], 3)
