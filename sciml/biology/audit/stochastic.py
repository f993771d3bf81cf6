"""Checks of exact stochastic runs: the same bits, whole conservation, the master equation, the deterministic limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from sciml.biology.audit.scaling import scaled
from sciml.biology.network import Network
from sciml.biology.sbml import molecules_per_unit
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.biology.simulation.state_projection import finite_state_projection
from sciml.biology.simulation.trajectories import Ensemble
from sciml.biology.structure import conservation_laws
from sciml.errors import SciMLError
from sciml.report.verdicts import Row

__all__ = ["rows"]

Simulate = Callable[..., Any]
_Z = 4.5  # allowed for the worst of some dozens of means and variances
_STATES = 20_000
_LARGER = 100.0


def rows(network: Network, times: np.ndarray, n: int, seed: int, simulate: Simulate = simulate_ssa) -> Iterator[Row]:
    """One row a check; where the network cannot be simulated in molecules, one row that says so."""
    try:
        simulate = partial(simulate, **_options(network))
        run = simulate(network, times, n=n, seed=seed)
    except SciMLError as error:
        yield Row.absent("stochastic runs", str(error))
        return
    yield _same_bits(network, times, run, seed, simulate)
    yield _distinct(network, times, run, seed, simulate)
    yield _conserved(network, run)
    yield _master_equation(network, times, run)
    yield _limit(network, times, seed, simulate)


def _options(network: Network) -> dict[str, Any]:
    """Start numbers are rounded; a model that does not say what it counts is taken to count molecules."""
    unsaid = molecules_per_unit(network, None).per_substance is None
    return {"initial": "round"} | ({"substance": "item"} if unsaid else {})


def _same_bits(network: Network, times: np.ndarray, run: Ensemble, seed: int, simulate: Simulate) -> Row:
    few = simulate(network, times, n=7, seed=seed, threads=1)
    differ = int((np.asarray(run.counts)[:7] != np.asarray(few.counts)).sum())
    return Row.judged(
        "same seed, same bits", differ, 0, f"7 trajectories alone and among {len(run.counts)}; kernel {run.kernel}", "numbers"
    )


def _distinct(network: Network, times: np.ndarray, run: Ensemble, seed: int, simulate: Simulate) -> Row:
    """Trajectories of one stream would be alike; where little happens some are by chance, then as often between two seeds."""
    count = min(1000, len(run.counts))
    other = simulate(network, times, n=count, seed=seed + 1)
    here, there = ([row.tobytes() for row in np.ascontiguousarray(part.counts)[:count]] for part in (run, other))
    within, between = 1.0 - len(set(here)) / len(here), float(np.mean([row in set(there) for row in here]))
    reason = f"{within:.1%} of {len(here)} have a twin, {between:.1%} have one under another seed"
    return Row.judged("trajectories differ", max(0.0, within - between), 0.02, reason, "share")


def _conserved(network: Network, run: Ensemble) -> Row:
    name = "conservation (stochastic)"
    laws = conservation_laws(network) if not network.events else ()
    if not laws:
        return Row.absent(name, "events may change what reactions conserve" if network.events else "no sum of amounts is conserved")
    counts, worst = np.asarray(run.counts), 0
    for law in laws:
        total = np.sum([factor * counts[..., run.species.index(id)] for id, factor in law.coefficients], axis=0)
        worst = max(worst, int(np.abs(total - total[:, :1]).max()))
    return Row.judged(name, worst, 0, f"{len(laws)} laws, to the last molecule", "molecules")


def _master_equation(network: Network, times: np.ndarray, run: Ensemble) -> Row:
    name = "against the master equation"
    try:
        exact = finite_state_projection(network, times, tolerance=1e-8, max_states=_STATES, **_options(network))
    except SciMLError as error:
        return Row.absent(name, str(error))
    lost = float(max(exact.lost_mass(t) for t in times))
    if lost > 1e-6:
        return Row.absent(name, f"more than {_STATES} states: {lost:.1e} of the probability is lost")
    amounts, count = np.asarray(run.amounts, dtype=float), len(run.counts)
    mean, std = exact.mean, exact.std
    moving = std > 1e-9 * np.maximum(1.0, np.abs(mean))
    z = np.abs(amounts.mean(axis=0) - mean)[moving] / (std[moving] / np.sqrt(count))
    # the sample variance's own spread, from the fourth moment; where that is large (rare events) it has no normal law yet
    centred = amounts - amounts.mean(axis=0)
    fourth, second = (centred**4).mean(axis=0), (centred**2).mean(axis=0)
    enough = moving & (second > 0) & (fourth < second**2 * count / 50)
    spread = np.sqrt((fourth - second**2)[enough] / count)
    z_spread = np.abs(second - std**2)[enough] / np.where(spread > 0, spread, 1.0)
    still = float(np.abs(amounts - mean)[:, ~moving].max(initial=0.0))
    if still > 1e-6 * max(1.0, float(np.abs(mean).max(initial=0.0))):
        return Row.judged(name, np.inf, _Z, "what the master equation holds fixed moves", "z")
    worst = max(float(z.max(initial=0.0)), float(z_spread.max(initial=0.0)))
    return Row.judged(
        name, worst, _Z, f"means and variances, {z.size + z_spread.size} figures; {len(exact.states)} states, {lost:.0e} lost", "z"
    )


def _limit(network: Network, times: np.ndarray, seed: int, simulate: Simulate) -> Row:
    """Means of the same network with 100 times the molecules against the deterministic run (Kurtz): apart by noise and by 1/100 at most."""
    name = "against the deterministic limit"
    try:
        larger = scaled(network, _LARGER)
        end = times[[-1]]
        ode = simulate_ode(larger, end).amounts[0]
        run = simulate(larger, end, n=50, seed=seed)
    except SciMLError as error:
        return Row.absent(name, str(error))
    amounts = np.asarray(run.amounts, dtype=float)[:, 0]
    noise = amounts.std(axis=0, ddof=1) / np.sqrt(len(amounts))
    size = np.maximum(np.abs(ode), np.abs(amounts).max(axis=0))
    allowed = noise + size / _LARGER + 1e-9 * size.max(initial=1.0)
    apart = np.abs(amounts.mean(axis=0) - ode) / np.where(allowed > 0, allowed, 1.0)
    return Row.judged(
        name, float(apart.max(initial=0.0)), _Z, "50 trajectories with 100 times the molecules, in standard errors + 1 %", "z"
    )
