"""The hybrid kernel: its rows, and what fits into it (its text is tested with that of the lanes)."""

from __future__ import annotations

import pytest

from sciml.biology.kernels.hybrid_lanes import GENERATOR, hybrid_program
from sciml.biology.network import Network, Reaction
from tests.biology.kernels.processes import jumps_of

parse = Reaction.parse


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
