"""Stoichiometry and conservation laws against linear algebra on random networks, and by hand on small ones."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy.optimize import linprog

from sciml.biology.expressions import operation
from sciml.biology.network import Compartment, Event, Network, Parameter, Participant, Reaction, Rule, Species
from sciml.biology.structure import conservation_laws, start_amounts, stoichiometry


def network(species: dict[str, float], *equations: str, **parts) -> Network:
    reactions = [Reaction.parse(f"r{i}", equation, rate=1.0) for i, equation in enumerate(equations)]
    return Network("n", species=[Species(id, value) for id, value in species.items()], reactions=reactions, **parts)


def texts(net: Network) -> set[str]:
    return {law.text for law in conservation_laws(net)}


def random_network(rng: np.random.Generator, species: int, reactions: int) -> Network:
    found = []
    for r in range(reactions):
        count = rng.integers(0, 3, 2)
        sides = [rng.choice(species, c, replace=False) for c in count]
        made = [tuple(Participant(f"s{i}", float(rng.integers(1, 3))) for i in side) for side in sides]
        found.append(Reaction(f"r{r}", made[0], made[1], operation("plus", 1.0), mass_action=True))
    return Network("random", species=[Species(f"s{i}", float(rng.integers(0, 20))) for i in range(species)], reactions=found)


def vectors(net: Network) -> np.ndarray:
    place = {s.id: i for i, s in enumerate(net.species)}
    laws = conservation_laws(net)
    matrix = np.zeros((len(laws), len(place)))
    for row, law in enumerate(laws):
        for id, factor in law.coefficients:
            matrix[row, place[id]] = factor
    return matrix


def test_matrix():
    net = Network(
        species=[Species("A", 3), Species("B", 0), Species("F", 1, boundary=True), Species("G", 1)],
        reactions=[Reaction.parse("r1", "A + A + F -> B", rate=1.0), Reaction.parse("r2", "B + G -> 3 A + G", rate=1.0)],
    )
    found = stoichiometry(net)
    assert (found.species, found.reactions) == (("A", "B", "F", "G"), ("r1", "r2"))
    assert found.matrix.tolist() == [[-2, 3], [1, -1], [0, 0], [0, 0]]
    assert found.to_dict()["matrix"][0] == [-2, 3]


def test_conversion_factors_and_variable_stoichiometry():
    side = (Participant("B", None, "n"), Participant("C", 2.0))
    net = Network(
        species=[Species("A", 1), Species("B", 1), Species("C", 1, conversion_factor="f")],
        parameters=[Parameter("f", 0.25), Parameter("k", 1.0)],
        reactions=[Reaction("r", (Participant("A"),), side, operation("times", "k", "A"))],
        initial_assignments=[("n", operation("plus", 1.0, 1.0))],
    )
    matrix = stoichiometry(net).matrix
    assert matrix[0, 0] == -1
    assert math.isnan(matrix[1, 0])
    assert matrix[2, 0] == 0.5
    assert texts(net) == {"A + 2 C = 3"}


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        (network({"R": 200, "RL": 0, "L": 5}, "R + L -> RL", "RL -> R + L"), {"R + RL = 200", "RL + L = 5"}),
        (network({"A": 6, "D": 1}, "2 A -> D", "D -> 2 A"), {"A + 2 D = 8"}),
        (network({"E": 2, "S": 9, "C": 1, "P": 0}, "E + S -> C", "C -> E + S", "C -> E + P"), {"E + C = 3", "S + C + P = 10"}),
        (network({"E": 2, "S": 9, "P": 0}, "E + S -> E + P"), {"E = 2", "S + P = 9"}),
        (network({"A": 3, "B": 2}, "A + B -> 0"), {"A - B = 1"}),
        (network({"A": 3}, "A -> 0", "0 -> A"), set()),
        (network({"A": 3, "B": 0}, "A -> 0.5 B"), {"A + 2 B = 3"}),
        (network({"A": 1.5, "B": 2, "C": 0.25, "X": 4}, "A -> B + X", "B -> C"), {"A + B + C = 3.75", "A + X = 5.5"}),
    ],
)
def test_small_laws(net, expected):
    assert texts(net) == expected


def test_what_changes_by_other_means_is_in_no_law():
    base = {"A": 4, "B": 1, "C": 2}
    pulse = Event("e", operation("gt", operation("time"), 1.0), (("B", operation("plus", "B", 3.0)),))
    assert texts(network(base, "A -> B", "B -> C", "C -> A")) == {"A + B + C = 7"}
    assert texts(network(base, "A -> B", "B -> C", "C -> A", events=[pulse])) == set()
    rule = Rule("assignment", operation("plus", 1.0, 1.0), "k")
    assert texts(network(base, "A -> B", rules=[rule], parameters=[Parameter("k", constant=False)])) == {"A + B = 5"}
    fixed = Network(species=[Species("A", 4), Species("B", 1, boundary=True)], reactions=[Reaction.parse("r", "A -> B", rate=1.0)])
    assert texts(fixed) == set()


def test_totals_are_amounts_at_the_start():
    net = Network(
        species=[Species("A", 2.0, initial_is_concentration=True, substance_only=False), Species("B", 1)],
        compartments=[Compartment("cell", 5.0)],
        reactions=[Reaction.parse("r", "A -> B", rate=1.0)],
    )
    assert start_amounts(net) == {"A": 10.0, "B": 1.0}
    assert texts(net) == {"A + B = 11"}
    missing = Network(species=[Species("A", None), Species("B", 1)], reactions=[Reaction.parse("r", "A -> B", rate=1.0)])
    assert texts(missing) == {"A + B = constant"}


@pytest.mark.parametrize("seed", range(40))
def test_random_networks(seed):
    """The laws span the left null space, and no law has a minus sign where the cone of laws without one spans all (linear programming)."""
    rng = np.random.default_rng(seed)
    net = random_network(rng, int(rng.integers(3, 14)), int(rng.integers(2, 9)))
    n, laws = stoichiometry(net).matrix, vectors(net)
    taking_part = np.array([any(p.species == s.id for r in net.reactions for p in (*r.reactants, *r.products)) for s in net.species])
    dimension = int(taking_part.sum()) - np.linalg.matrix_rank(n[taking_part])
    assert len(laws) == dimension
    assert not (laws @ n).any()
    assert np.linalg.matrix_rank(laws) == dimension if dimension else True
    # the cone's dimension is that of the laws on the species that a law without minus sign can have, all others being 0
    inside = np.array([taking_part[j] and _has_positive_law(n, taking_part, j) for j in range(len(n))], dtype=bool)
    reachable = int(inside.sum()) - np.linalg.matrix_rank(n[inside]) if inside.any() else 0
    assert sum((law >= 0).all() for law in laws) == reachable


def _has_positive_law(n: np.ndarray, taking_part: np.ndarray, j: int) -> bool:
    bounds = [(0, None) if t else (0, 0) for t in taking_part]
    unit = np.zeros((1, len(n)))
    unit[0, j] = 1
    equalities = np.vstack([n.T, unit])
    return linprog(np.ones(len(n)), A_eq=equalities, b_eq=[*np.zeros(n.shape[1]), 1], bounds=bounds).status == 0


def test_a_law_that_does_not_hold_is_seen():
    """The check of the random networks fails for a broken law."""
    net = network({"A": 6, "D": 1}, "2 A -> D")
    broken = vectors(net)
    broken[0, 1] += 1
    assert (broken @ stoichiometry(net).matrix).any()


def test_large_networks_are_quick():
    """10,000 reactions: a chain, a ring of complexes, and enzymes that share substrates."""
    size = 5_000
    equations = [f"s{i} -> s{i + 1}" for i in range(size)] + [f"s{i + 1} -> s{i}" for i in range(size)]
    chain = network({f"s{i}": 1 for i in range(size + 1)}, *equations)
    begun = time.process_time()
    (law,) = conservation_laws(chain)
    assert law.total == size + 1
    rng = np.random.default_rng(3)
    vectors(random_network(rng, 300, 330))
    assert time.process_time() - begun < 20
