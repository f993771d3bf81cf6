"""Cells as a run begins: what differs between them drawn, and all of them brought to rest without ligand before they are dosed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sciml.biology.expressions import Expression, number
from sciml.biology.kernels.compiled import system_of
from sciml.biology.network import Network, Reaction, Species
from sciml.biology.simulation.extrinsic import cell_options
from sciml.biology.simulation.requests import Before, Laws, Start
from sciml.biology.simulation.steady_state import steady_state
from sciml.biology.simulation.trajectories import Ensemble, Trajectories
from sciml.errors import ConfigError, ConvergenceError
from sciml.seeding import derive

__all__ = ["before_zero", "begin_cells", "started"]

_JUST_BEFORE = -1e-300  # time 0
_ROUNDING = 1e-9  # of the largest amount


def begin_cells(
    simulate: Callable[..., Any],
    network: Network,
    n: int,
    seed: int,
    parameters: Mapping[str, Any] | None,
    extrinsic: Laws | None,
    start: Start,
    before: Before | None,
    **options: Any,
) -> tuple[dict[str, Any], Any]:
    """(parameters {id: number or array [n]}, initial) with which n cells begin: drawn by `extrinsic`, brought to their `start`.

    `options` are those of `simulate`. Starts that are no whole numbers are to be drawn whole around them.
    """
    given, initial = cell_options(network, extrinsic, n, seed, parameters, options.pop("initial", None))
    if start == "given":
        return given, initial
    given = started(simulate, network, start, n, seed, before=before, parameters=given, initial=initial, **options)
    return given, initial or "stochastic"


def started(
    simulate: Callable[..., Any],
    network: Network,
    start: Start,
    n: int,
    seed: int,
    *,
    before: Before | None = None,
    parameters: Mapping[str, Any] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """`parameters` for a run that begins elsewhere, {id: number or [n]} for all that moves among them, in the quantities of the model.

    `start`: "given" (as the model says), "steady_state" (where the rate equations come to rest, for each cell), or a time: each cell is
    simulated for so long before time 0. During that `before` holds, e.g. {"ligand": 0.0}; afterwards these are as in the model or in
    `parameters`, and initial assignments are not made again. Time is negative before 0: what happens later has not happened yet. Raises
    ConvergenceError where there is no steady state, KeyboardInterrupt where the user stops it.
    """
    given = dict(parameters or {})
    if start == "given":
        return given
    held = {**given, **(before or {})}
    rest = _steady(network, held) if start == "steady_state" else _burned(simulate, network, float(start), n, seed, held, options)
    begun = Trajectories(system_of(network), np.zeros(1), *_rows(network, given))
    fixed = [id for id, _ in network.initial_assignments if id not in given and id not in begun.system.states]
    given |= {id: _quantity([begun], id) for id in fixed if not isinstance(network.elements.get(id), Reaction)}
    for id in begun.system.states:
        if id not in (before or {}):
            value = _above_rounding(_quantity(rest, id), rest)
            adds_up = np.isnan(value)  # a product that nothing sees, which has no steady state: it begins as the model says
            given[id] = np.where(adds_up, _quantity([begun], id), value) if np.any(adds_up) else value
    return given


def _steady(network: Network, held: Mapping[str, Any]) -> list[Trajectories]:
    """The steady state of each set of parameters, with laws as they are just before time 0."""
    resting = before_zero(network, "steady_state")
    rows = np.broadcast_arrays(*(np.asarray(value, dtype=float) for value in held.values())) if held else [np.zeros(())]
    found: list[Trajectories] = []
    for cell in np.ndindex(rows[0].shape):
        try:
            found.append(steady_state(resting, {id: float(row[cell]) for id, row in zip(held, rows, strict=False)}).solution)
        except ConvergenceError as error:
            raise ConvergenceError(f"start: cell {cell[0]}: {error}" if cell else f"start: {error}") from error
    return found


def _burned(
    simulate: Callable[..., Any], network: Network, start: float, n: int, seed: int, held: dict[str, Any], options: Any
) -> list[Trajectories]:
    """n cells after so long a time, on a clock that comes to 0 just after it."""
    if system_of(network).lags:
        raise ConfigError(f"start: {network.id} looks back in time (delay), beyond the start of its run; give start='given'")
    found = simulate(before_zero(network, start), [start], n=n, seed=derive(seed, "burn_in"), parameters=held, **options)
    if isinstance(found, Ensemble) and not found.complete:
        raise KeyboardInterrupt
    return [found]


def _rows(network: Network, given: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """(states [..., 1, s], parameters) at time 0."""
    y, p = system_of(network).begin(given)
    return y[..., None, :], p


def _quantity(found: list[Trajectories], id: str) -> Any:
    """A number, or [n]: the value of an id at the one time of `found`, in the quantity in which the model states it."""
    element = found[0].system.network.elements[id]
    if isinstance(element, Species):
        place = found[0].species.index(id)
        values = [(f.concentrations if element.initial_is_concentration else f.amounts)[..., 0, place] for f in found]
    else:
        values = [f.select(id)[..., 0] for f in found]
    joined = np.concatenate([np.atleast_1d(value) for value in values])
    return joined if len(joined) > 1 else float(joined[0])


def _above_rounding(value: Any, rest: list[Trajectories]) -> Any:
    """Zero for what rounding of a steady state left below it."""
    if not np.any(np.asarray(value) < 0):
        return value
    most = max(float(np.nan_to_num(np.abs(found.amounts)).max(initial=0.0)) for found in rest)
    return np.where((np.asarray(value) < 0) & (np.asarray(value) > -_ROUNDING * most), 0.0, value)


def before_zero(network: Network, start: Start) -> Network:
    """The network on a clock that stands just before time 0 ("steady_state"), or comes there after a time of `start`."""
    if start == "steady_state":
        return _clocked(network, number(_JUST_BEFORE))
    return _clocked(network, Expression("time") - number(np.nextafter(float(start), np.inf)))


def _clocked(network: Network, clock: Expression) -> Network:
    """The network with another formula for time everywhere but in initial assignments; itself where nothing names time."""
    names_time = False

    def clocked(node: Expression) -> Expression:
        nonlocal names_time
        names_time |= node.op == "time"
        return clock if node.op == "time" else node

    def moved(part: Any) -> Any:
        return part.map(clocked) if isinstance(part, Expression) else part

    def side(participants: Any) -> Any:
        return tuple(replace(p, stoichiometry=moved(p.stoichiometry)) for p in participants)

    reactions = tuple(replace(r, law=moved(r.law), reactants=side(r.reactants), products=side(r.products)) for r in network.reactions)
    rules = tuple(replace(rule, math=moved(rule.math)) for rule in network.rules)
    functions = tuple(replace(f, body=moved(f.body)) for f in network.functions)
    events = tuple(
        replace(
            e,
            **{name: moved(getattr(e, name)) for name in ("trigger", "delay", "priority")},
            assignments=tuple((id, moved(formula)) for id, formula in e.assignments),
        )
        for e in network.events
    )
    return replace(network, reactions=reactions, rules=rules, functions=functions, events=events) if names_time else network
