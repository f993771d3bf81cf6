"""How amounts change with parameters: forward sensitivity equations, integrated together with the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sciml.arguments import checked
from sciml.biology.kernels.compiled import made_once, system_of
from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.system import System
from sciml.biology.network import Network, nearest
from sciml.biology.simulation.equations import Equations, equations_of
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.requests import Tolerance
from sciml.biology.simulation.run import Run
from sciml.biology.simulation.trajectories import Solution, checked_times
from sciml.errors import ConfigError

__all__ = ["Sensitivities", "enlarged", "sensitivities"]

_STEP = 1e-3  # relative, of central differences


@dataclass(frozen=True, repr=False)
class Sensitivities:
    """`values` [T, S, K]: d amounts / d parameter at `times`, of `species`, for each of `wrt`; `solution` is the run itself.

    `method`: "forward" (sensitivity equations) or "differences" (extrapolated central differences, where something jumps).
    """

    times: np.ndarray
    species: tuple[str, ...]
    wrt: tuple[str, ...]
    values: np.ndarray
    solution: Solution
    method: str

    @checked
    def select(self, species: str, parameter: str) -> np.ndarray:
        """[T]: d amount of a species / d a parameter."""
        for name, known in ((species, self.species), (parameter, self.wrt)):
            if name not in known:
                raise ConfigError(f"sensitivities: {name!r} is not among {', '.join(known[:8])}{nearest(name, known)}")
        return np.asarray(self.values[:, self.species.index(species), self.wrt.index(parameter)])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        names = {"species": list(self.species), "wrt": list(self.wrt), "method": self.method}
        return {"times": self.times.tolist(), **names, "values": self.values.tolist()}


@checked
def sensitivities(
    net: Network, times: Any, wrt: Sequence[str], parameters: Mapping[str, float] | None = None, *, rtol: Tolerance = 1e-9
) -> Sensitivities:
    """ds_k/dt = J s_k + (df/dp) dp/dtheta_k with s_k = dy/dtheta_k, for each theta_k of `wrt`: parameters, compartments, starts of species.

    States and sensitivities are one system, so errors of both are controlled. Starts follow initial assignments. Where events, delays or
    conditions may jump, central differences with one extrapolation take their place, and `method` says so. Raises ConfigError for an id
    that is unknown or determined by a rule.
    """
    asked = checked_times(times)
    system = system_of(net)
    given = dict(parameters or {})
    solution = simulate_ode(net, asked, given, rtol=rtol)
    for id in wrt:
        if id not in given and any(id == name for name, _ in net.initial_assignments):
            given[id] = float(simulate_ode(net, [0.0], given).select(id)[0])  # moved by itself, not by what it was computed from
    system.begin({**given, **{id: given.get(id, 0.0) for id in wrt}})  # refuses what is unknown or determined
    jumps = bool(system.events or system.lags or system.fast or system.residuals or equations_of(system).conditions.count)
    values = _differences(net, asked, wrt, given, rtol) if jumps else _forward(system, asked, wrt, given, rtol)
    return Sensitivities(asked, solution.species, tuple(wrt), values, solution, "differences" if jumps else "forward")


def _forward(system: System, times: np.ndarray, wrt: Sequence[str], given: Mapping[str, float], rtol: float) -> np.ndarray:
    grid, place = np.unique(times, return_inverse=True)
    larger, equations = made_once(system, f"sensitivities {tuple(wrt)}", lambda s: _enlarged(s, wrt))
    y, p, dy, dp = _start(system, wrt, given)
    n, count = len(system.states), len(wrt)
    states, numbers = np.concatenate([y, dy.ravel()])[None], np.concatenate([p, dp.ravel()])[None]
    run = Run(system=larger, equations=equations, grid=grid, rtol=rtol, absolute=np.zeros(states.shape[1]))
    scale = np.abs(states)
    run.measure(states, numbers, scale)
    both = run.all(states, numbers, scale)[0][0][place]
    own, moved = both[:, :n], both[:, n:].reshape(len(times), count, n)
    amounts = [system.amounts[s.id] for s in system.network.species]
    leaves = {"states": list(own.T), "params": list(p), "time": times}
    by_state = _evaluated(system.graph, partials(system.graph, amounts, "state"), (n, len(times)), leaves)
    by_slot = _evaluated(system.graph, partials(system.graph, amounts, "param"), (len(p), len(times)), leaves)
    return np.einsum("sit,tki->tsk", by_state, moved) + np.einsum("smt,km->tsk", by_slot, dp)


def _evaluated(graph: Graph, rows: Sequence[Mapping[int, int]], shape: tuple[int, int], leaves: Mapping[str, Any]) -> np.ndarray:
    """[rows, leaves, T] of sparse rows of nodes."""
    found = np.zeros((len(rows), *shape))
    for i, row in enumerate(rows):
        for (leaf, _), value in zip(row.items(), graph.evaluate(list(row.values()), **leaves), strict=True):
            found[i, leaf] = value
    return found


def _start(system: System, wrt: Sequence[str], given: Mapping[str, float]) -> tuple[np.ndarray, ...]:
    """y [n], p [m], dy [K, n], dp [K, m] at time 0; starts are exact functions of what is given."""
    y, p = system.begin(given)
    g, nodes = system.start, [*system.state_start, *system.parameter_start]
    leaves = system.given_values(given)
    rows = partials(g, nodes, "param")
    d = np.zeros((len(wrt), len(nodes)))
    for k, id in enumerate(wrt):
        slot = system.inputs.get(id)
        here = [(i, row[slot]) for i, row in enumerate(rows) if slot in row] if slot is not None else []
        if here:
            d[k, [i for i, _ in here]] = g.evaluate([node for _, node in here], params=leaves)
    return y, p, d[:, : len(y)], d[:, len(y) :]


def _enlarged(system: System, wrt: Sequence[str]) -> tuple[System, Equations]:
    """With every entry of dp/dtheta [K, m], row by row."""
    larger = enlarged(system, wrt, [(k, slot) for k in range(len(wrt)) for slot in range(len(system.parameters))])
    return larger, Equations(larger)


def enlarged(system: System, names: Sequence[str], pairs: Sequence[tuple[int, int]]) -> System:
    """The system of states and of their sensitivities to what `names` name, one block of states after the other.

    After its own parameters come the entries (k, slot) of dp/dtheta [K, m] that `pairs` list; the others are zero.
    """
    g, n, m = system.graph, len(system.states), len(system.parameters)
    by_state, by_slot = partials(g, system.derivatives, "state"), partials(g, system.derivatives, "param")
    own: list[dict[int, int]] = [{} for _ in names]
    for place, (k, slot) in enumerate(pairs):
        own[k][slot] = g.leaf("param", m + place)
    derivatives = list(system.derivatives)
    for k in range(len(names)):
        for i in range(n):
            rate = g.const(0.0)
            for j, slope in by_state[i].items():
                rate = g.plus(rate, g.times(slope, g.leaf("state", n + k * n + j)))
            for slot, slope in by_slot[i].items():
                if slot in own[k]:
                    rate = g.plus(rate, g.times(slope, own[k][slot]))
            derivatives.append(rate)
    states = tuple(f"d {state} / d {name}" for name in names for state in system.states)
    slots = tuple(f"d {system.parameters[slot]} / d {names[k]}" for k, slot in pairs)
    return replace(
        system, states=system.states + states, parameters=system.parameters + slots, derivatives=tuple(derivatives), events=(), changes=()
    )


def _differences(net: Network, times: np.ndarray, wrt: Sequence[str], given: Mapping[str, float], rtol: float) -> np.ndarray:
    """(4 D(h) - D(2 h)) / 3 with central differences D, all runs in one batch per parameter."""
    columns = []
    for id in wrt:
        value = given.get(id, float(getattr(net.elements[id], "value", None) or _own_value(net, id)))
        h = _STEP * (abs(value) or 1.0)
        runs = simulate_ode(net, times, {**given, id: value + h * np.array([-2.0, -1.0, 1.0, 2.0])}, rtol=min(rtol, 1e-10)).amounts
        columns.append((8 * (runs[2] - runs[1]) - (runs[3] - runs[0])) / (12 * h))
    return np.stack(columns, axis=-1)


def _own_value(net: Network, id: str) -> float:
    element = net.elements[id]
    given = getattr(element, "initial", None) if hasattr(element, "initial") else getattr(element, "size", None)
    return float(given or 0.0)
