"""The methods that give a time course, by the names that scans and commands know them by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sciml.biology.simulation.hybrid import simulate_hybrid
from sciml.biology.simulation.langevin import simulate_langevin
from sciml.biology.simulation.linear_noise import linear_noise
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.biology.simulation.tau_leaping import simulate_tau

__all__ = ["METHODS", "Method"]


@dataclass(frozen=True)
class Method:
    """`call(network, times, parameters=..., ...)`. `sampled`: `n` trajectories from a `seed`; `exact`: of the jump process."""

    call: Callable[..., Any]
    sampled: bool = False
    exact: bool = False


METHODS = {
    "ode": Method(simulate_ode),
    "ssa": Method(simulate_ssa, sampled=True, exact=True),
    "tau": Method(simulate_tau, sampled=True),
    "hybrid": Method(simulate_hybrid, sampled=True),
    "langevin": Method(simulate_langevin, sampled=True),
    "lna": Method(linear_noise),
}
