"""Costs: against the clock within a wide factor, and which method they choose where it is plain."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from sciml.biology.network import Network
from sciml.biology.simulation.costs import exact_seconds, hybrid_seconds, langevin_seconds, leap_seconds, stop_seconds
from sciml.biology.simulation.molecules import in_molecules
from sciml.biology.simulation.ssa import simulate_ssa
from tests.biology.simulation.small_networks import birth_death, parse


@pytest.mark.long
@pytest.mark.parametrize("lanes", [True, False])
def test_reactions_against_the_clock(lanes: bool, measured: Any) -> None:
    """2 k t reactions of a birth-death process at rest, within a factor of ten on any machine; lanes know no sine."""
    k, t = 3000.0, 10.0 if lanes else 1.0
    birth = parse("b", "-> X", rate=k) if lanes else parse("b", "-> X", law=f"{k} * (1 + 0.01 * sin(X))")
    net = Network("moving", species={"X": k}, reactions=[birth, parse("d", "X ->", rate=1.0)])
    simulate_ssa(net, [0.01], 64, threads=1)
    spent = []
    for seed in range(3):
        begin = time.process_time()
        found = simulate_ssa(net, [t], 64, seed, threads=1)
        spent.append(time.process_time() - begin)
    assert found.kernel == ("lanes32" if lanes else "scalar64")
    said = exact_seconds(in_molecules(net, 1, 0).jumps, 64 * 2 * k * t)
    measured(f"seconds of exact runs, {'lanes' if lanes else 'double'}: foreseen over spent", f"{said / min(spent):.2f}", "0.1 to 10")
    assert said / 10 < min(spent) < said * 10


def test_costs_are_sums() -> None:
    jumps = in_molecules(birth_death(), 1, 0).jumps
    for cost in (leap_seconds, langevin_seconds, exact_seconds):
        assert cost(jumps, 0) == 0 and cost(jumps, 200) == pytest.approx(2 * cost(jumps, 100))
    assert hybrid_seconds(jumps, 3, 5) == pytest.approx(hybrid_seconds(jumps, 3, 0) + hybrid_seconds(jumps, 0, 5))
    assert stop_seconds(4) == pytest.approx(4 * stop_seconds(1))
    assert exact_seconds(jumps, 1, lanes=False) > exact_seconds(jumps, 1) == exact_seconds(jumps, 1, lanes=True)
    assert np.all([leap_seconds(jumps, 1) < exact_seconds(jumps, 1e4), leap_seconds(jumps, 1) > exact_seconds(jumps, 100)])
