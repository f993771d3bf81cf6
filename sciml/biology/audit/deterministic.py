"""Checks of deterministic runs: conservation, the Jacobian, another integrator, another grid of times."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.derivatives import partials
from sciml.biology.network import Network
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.trajectories import Solution
from sciml.biology.structure import conservation_laws
from sciml.errors import SciMLError
from sciml.report.verdicts import Row

__all__ = ["horizon", "jacobian", "rows"]

Simulate = Callable[..., Solution]
_EVENTS = 1e5
_LIMIT = 1e-6  # relative to the largest value, for runs at rtol 1e-8


def horizon(network: Network) -> float:
    """Five times the slowest relaxation at the start, but no more than 1e5 events of a trajectory; 1 where nothing moves."""
    system = system_of(network)
    y, p = system.begin()
    rates = np.array(system.graph.evaluate(system.rates, states=list(y), params=list(p)), dtype=float)
    eigenvalues = np.linalg.eigvals(jacobian(network)) if len(y) else np.zeros(0)
    speeds = np.abs(eigenvalues.real)
    speeds = speeds[speeds > 1e-9 * speeds.max(initial=0.0)]
    slow = 5.0 / speeds.min() if speeds.size else 1.0
    activity = np.nansum(np.abs(rates))
    return float(min(slow, _EVENTS / activity) if activity > 0 and np.isfinite(activity) else slow)


def jacobian(network: Network) -> np.ndarray:
    """d(dy/dt)/dy [n, n] at the start, from the derivatives of the graph."""
    system = system_of(network)
    y, p = system.begin()
    found = np.zeros((len(y), len(y)))
    table = partials(system.graph, system.derivatives, "state")
    cells = [(i, j, node) for i, row in enumerate(table) for j, node in row.items()]
    values = system.graph.evaluate([node for _, _, node in cells], states=list(y), params=list(p))
    for (i, j, _), value in zip(cells, values, strict=True):
        found[i, j] = value
    return found


def rows(network: Network, times: np.ndarray, simulate: Simulate = simulate_ode) -> Iterator[Row]:
    """One row a check; a run that fails is a failed row with its message."""
    try:
        run = simulate(network, times)
    except SciMLError as error:
        yield Row.failed("deterministic run", str(error))
        return
    yield _conserved(network, run)
    yield _slopes(network)
    yield _other_method(network, times, run, simulate)
    yield _other_grid(network, times, run, simulate)


def _conserved(network: Network, run: Solution) -> Row:
    name = "conservation (deterministic)"
    laws = conservation_laws(network) if not network.events else ()
    if not laws:
        return Row.absent(name, "events may change what reactions conserve" if network.events else "no sum of amounts is conserved")
    worst, which = 0.0, ""
    for law in laws:
        parts = np.stack([factor * run.amounts[..., run.species.index(id)] for id, factor in law.coefficients])
        size = np.abs(parts).sum(axis=0).max() or 1.0
        drift = np.abs(parts.sum(axis=0) - parts.sum(axis=0)[..., :1]).max() / size
        if drift >= worst:
            worst, which = float(drift), law.text
    return Row.judged(name, worst, _LIMIT, f"the worst of {len(laws)} laws: {which}")


def _slopes(network: Network) -> Row:
    """The Jacobian of the graph against central differences of the right-hand side, relative to its largest entry in a row."""
    name = "Jacobian against differences"
    system = system_of(network)
    y, p = system.begin()
    if not len(y):
        return Row.absent(name, "nothing changes")
    if system.lags:
        return Row.absent(name, "the model looks back in time")

    def slope(at: np.ndarray) -> np.ndarray:
        return np.array(system.graph.evaluate(system.derivatives, states=list(at), params=list(p)), dtype=float)

    exact = jacobian(network)
    steps = 1e-6 * np.maximum(np.abs(y), 1e-3 * np.abs(y).max(initial=0.0) or 1.0)
    found = np.stack([(slope(y + h * e) - slope(y - h * e)) / (2 * h) for h, e in zip(steps, np.eye(len(y)), strict=True)], axis=1)
    smooth = np.isfinite(found) & np.isfinite(exact)
    size = np.abs(np.where(smooth, found * steps, 0.0)).max() or 1.0
    return Row.judged(name, float(np.abs(np.where(smooth, (found - exact) * steps, 0.0)).max() / size), 1e-5, "at the start")


def _other_method(network: Network, times: np.ndarray, run: Solution, simulate: Simulate) -> Row:
    name = "another integrator"
    if network.events or run.system.lags or run.system.fast or run.system.residuals:
        return Row.absent(name, "scipy's integrator knows no events, delays or constraints")
    try:
        other = simulate(network, times, method="scipy", rtol=1e-10)
    except SciMLError as error:
        return Row.absent(name, f"scipy's integrator stopped: {error}")
    return Row.judged(name, _apart(run.amounts, other.amounts), 1e-5, "scipy's LSODA, relative to each species' largest amount")


def _other_grid(network: Network, times: np.ndarray, run: Solution, simulate: Simulate) -> Row:
    """The end must not depend on the times at which one looks."""
    other = simulate(network, times[-1:])
    return Row.judged("another grid of times", _apart(run.amounts[-1:], other.amounts), 1e-5, "the end from one time and from eleven")


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference [T, S], each species relative to its largest amount."""
    if not a.size:
        return 0.0
    size = np.maximum(np.abs(a), np.abs(b)).max(axis=0)
    return float((np.abs(a - b).max(axis=0) / np.where(size > 0, size, 1.0)).max())
