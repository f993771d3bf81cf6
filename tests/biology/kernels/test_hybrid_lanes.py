"""The generated text of the hybrid kernel: structure only, no id of the model, no values; what fits into it."""

from __future__ import annotations

import ast

import pytest

from sciml.biology.kernels.hybrid_lanes import GENERATOR, hybrid_program
from sciml.biology.network import Network, Reaction
from tests.biology.kernels.processes import jumps_of

parse = Reaction.parse


def test_the_text_holds_numbers_and_indices_only():
    evil = "__import__('os').system('true')"
    net = Network(species={"lambda": 3, "B": 0}, parameters={"exec": 2.0}, reactions=(parse("open", "lambda -> B", rate="exec"),), id=evil)
    program = hybrid_program(jumps_of(net))
    assert program is not None
    names = {n.id for n in ast.walk(ast.parse(program.source)) if isinstance(n, ast.Name)}
    assert not names & {"exec", "open", "os", "__import__", "eval"} and "lambda" not in program.source and evil not in program.source


def test_values_do_not_change_the_text():
    reactions = (parse("r", "A -> B", rate="k"), parse("s", "B ->", law="B / (0.5 + B)"))
    net = Network(species={"A": 5, "B": 0}, parameters={"k": 2.0}, reactions=reactions)
    one, two = hybrid_program(jumps_of(net)), hybrid_program(jumps_of(net.set(k=3.5, A=17)))
    assert one is not None and two is not None and one.source == two.source


def test_rows_follow_each_other():
    program = hybrid_program(
        jumps_of(Network(species={"A": 5, "B": 0}, reactions=(parse("r", "A -> B", rate=2.0), parse("s", "B ->", rate=1.0))))
    )
    assert program is not None and program.channels == 2
    assert program.marks == 2 + len(program.single)
    assert program.rows == program.marks + 2 * 2 + GENERATOR + 4


@pytest.mark.parametrize(
    "net",
    [
        Network(species={"A": 5}, reactions=(parse("r", "A ->", law="A * time"),)),
        Network(species={"A": 5}, reactions=(parse("r", "A ->", law="A * sin(A)^2"),)),
        Network(species={f"A{i}": 1 for i in range(40)}, reactions=tuple(parse(f"r{i}", f"A{i} ->", rate=1.0) for i in range(40))),
    ],
)
def test_what_has_time_other_functions_or_size(net: Network):
    assert hybrid_program(jumps_of(net)) is None
