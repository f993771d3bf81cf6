"""Pieces of the double kernel: the tree of sums, the draw, what is fired."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy.stats import chisquare

from sciml.biology import simulate_ssa
from sciml.biology.network import Event, Network, Parameter, Reaction, Units
from sciml.biology.simulation import scalar_table as scalar_table_module
from sciml.biology.simulation.draws import begin_stream
from sciml.biology.simulation.molecules import in_molecules
from sciml.biology.simulation.scalar_loops import BROKEN, DONE, LACKING, begin, draw, fire, renew, run_plain
from sciml.biology.simulation.scalar_table import EVERY, scalar_table, size, tree_size
from sciml.errors import DataError

parse = Reaction.parse


@numba.njit
def _many(tree, s, count, channels):
    found = np.zeros(channels, np.int64)
    for _ in range(count):
        found[draw(tree, s)] += 1
    return found


def prepared(net: Network):
    molecules = in_molecules(net, 1, 0)
    table = scalar_table(molecules.jumps)
    return molecules, table, np.zeros(size(table, EVERY)), np.zeros(tree_size(len(molecules.jumps.channels)))


def test_sums_draws_and_renewal():
    reactions = [parse("a", "A ->", rate=1.0), parse("b", "B ->", rate=2.0), parse("c", "C ->", rate=3.0), parse("d", "A -> B", rate=0.5)]
    net = Network(species={"A": 4, "B": 1, "C": 0}, reactions=reactions)
    molecules, table, w, tree = prepared(net)
    y, p = molecules.start[0].copy(), molecules.parameters[0]
    assert begin(table, w, tree, 0.0, y, p) == -1 and tree[1] == 4 + 2 + 2
    found = _many(tree, begin_stream(np.uint64(1), 0, 1), 40_000, 4)
    assert found[2] == 0 and chisquare(found[[0, 1, 3]], np.array([4, 2, 2]) * 5000).pvalue > 1e-4
    assert fire(table, 3, y) and y.tolist() == [3, 2, 0] and renew(table, 3, w, tree, 0.0, y, p) == -1
    assert tree[1] == 3 + 4 + 1.5


def test_what_ends_a_run():
    def ended(law: str) -> tuple[int, int]:
        net = Network(species={"A": 3}, reactions=(parse("r", "2 A ->", law=law),))
        molecules, table, _, tree = prepared(net)
        out, left = np.zeros((1, 1, 1), dtype=np.int64), np.array([[0.0, 0.0, 3.0]])
        place, clock, signals, done = np.zeros(3, np.int64), np.zeros(4), np.zeros(2, np.int64), np.zeros(1, np.uint8)
        times = np.array([1e6])
        code = run_plain(table, len(tree), np.uint64(1), 0, left, molecules.parameters, times, 0, out, done, place, clock, signals)
        return code, int(out[0, 0, 0])

    assert ended("A * (A - 1)") == (DONE, 1) and ended("1.0")[0] == LACKING and ended("1 / (A - 1)^2")[0] == BROKEN


def formula(text: str):
    return parse("x", "->", law=text).law


def test_events_in_the_loop_are_those_of_the_rules(monkeypatch):
    """The same bits, whether events are executed in the loop or by the rules of SBML in Python."""
    events = (
        Event("divide", formula("A >= 12"), (("A", formula("A - 6")), ("B", formula("A")))),
        Event("chain", formula("B >= 12 && A <= 8"), (("N", formula("N + 1")), ("k", formula("k + 0.25")))),
        Event("both", formula("A >= 12"), (("M", formula("M + 1")),)),
        Event("half", formula("B < 3"), (("A", formula("A / 2 + 1")),)),
    )
    reactions = (parse("b", "-> A", law="k"), parse("d", "B ->", rate=0.7), parse("e", "A ->", rate=0.05))
    for chosen in (events[:2], events[:3], events):
        net = Network(
            species={"A": 0, "B": 5, "N": 0, "M": 0}, parameters=[Parameter("k", 3.0, constant=False)], reactions=reactions, events=chosen,
            units=Units(substance="item"),
        )  # fmt: skip
        found = []
        for inside in (True, False):
            with monkeypatch.context() as patch:
                if not inside:
                    patch.setattr(scalar_table_module, "plain", lambda jumps: False)
                found.append(simulate_ssa(net, np.linspace(0, 40, 9), n=40, seed=2, initial="round"))
        assert (found[0].counts == found[1].counts).all() and (found[0].select("k") == found[1].select("k")).all()
        assert found[0].counts[..., 2].max() >= 3 and found[0].kernel == "scalar64"


def test_events_without_end_are_an_error():
    events = (
        Event("up", formula("A <= 5"), (("A", formula("9")),)),
        Event("down", formula("A > 5"), (("A", formula("3")),), initial_value=True),
    )
    net = Network(species={"A": 6}, reactions=(parse("d", "A ->", rate=1.0),), events=events)
    with pytest.raises(DataError, match="trigger each other without end"):
        simulate_ssa(net, [5.0], n=1)
