"""The generated text: structure only, no id of the model; what fits into lanes."""

from __future__ import annotations

import ast

import pytest

from sciml.biology.kernels.hybrid_lanes import hybrid_program
from sciml.biology.kernels.lanes import lane_program
from sciml.biology.network import Event, Network, Reaction
from tests.biology.kernels.processes import jumps_of

parse = Reaction.parse


@pytest.mark.parametrize("program_of", [lane_program, hybrid_program])
def test_the_text_holds_numbers_and_indices_only(program_of):
    evil = "__import__('os').system('true')"
    net = Network(species={"lambda": 3, "B": 0}, parameters={"exec": 2.0}, reactions=(parse("open", "lambda -> B", rate="exec"),), id=evil)
    program = program_of(jumps_of(net))
    assert program is not None
    names = {n.id for n in ast.walk(ast.parse(program.source)) if isinstance(n, ast.Name)}
    assert not names & {"exec", "open", "os", "__import__", "eval"} and "lambda" not in program.source and evil not in program.source


@pytest.mark.parametrize("program_of", [lane_program, hybrid_program])
def test_values_do_not_change_the_text_and_structure_does(program_of):
    reactions = (parse("r", "A -> B", rate="k"), parse("s", "B ->", law="B / (0.5 + B)"))
    net = Network(species={"A": 5, "B": 0}, parameters={"k": 2.0}, reactions=reactions)
    one, two = program_of(jumps_of(net)), program_of(jumps_of(net.set(k=3.5, A=17)))
    assert one is not None and two is not None and one.source == two.source and len(one.double) >= 1
    assert len(one.single) == 1 or program_of is hybrid_program
    other = program_of(jumps_of(Network(species={"A": 5, "B": 0}, reactions=(parse("r", "A -> 2 B", rate=2.0), reactions[1]))))
    assert other is not None and other.source != one.source


@pytest.mark.parametrize(
    "net",
    [
        Network(species={"A": 5}, reactions=(parse("r", "A ->", law="A * time"),)),
        Network(species={"A": 5}, reactions=(parse("r", "A ->", law="A * sin(A)^2"),)),
        Network(species={"A": 5}, reactions=(parse("r", "-> 2000 A", rate=1.0),)),
        Network(
            species={"A": 5}, reactions=(parse("r", "A ->", rate=1.0),), events=(Event("e", parse("a", "->", law="time > 1").law, ()),)
        ),
        Network(species={f"A{i}": 1 for i in range(80)}, reactions=tuple(parse(f"r{i}", f"A{i} ->", rate=1.0) for i in range(80))),
    ],
)
def test_what_needs_double_precision_time_or_size(net):
    assert lane_program(jumps_of(net)) is None
