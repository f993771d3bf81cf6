"""A network as a system of equations: dy/dt = f(t, y, p) with its start, rates, rules and events, all nodes of one graph.

y holds what changes: amounts of species, and parameters, compartments and stoichiometries with a rate rule or an event. p holds what does
not: everything else that formulas use, and their numbers that are not whole. Variants of a network that differ in values only have the same
graph, so what is generated from it serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sciml.arguments import shown
from sciml.biology.expressions import Expression
from sciml.biology.kernels.derivatives import total
from sciml.biology.kernels.elimination import NotLinearError, solve
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.symbols import Roles, Symbols, values_given, without_value
from sciml.biology.network import Network, Species, nearest
from sciml.errors import ConfigError, ConvergenceError, DataError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["EventNodes", "System", "compile_system"]


@dataclass(frozen=True)
class EventNodes:
    """An event as nodes. `assignments`: (index of the state, node of the new value, node of a volume or None).

    The volume turns a new concentration into an amount; it is to be computed after all assignments of the event were made, since a
    compartment may be among them.
    """

    id: str
    trigger: int
    delay: int | None
    priority: int | None
    assignments: tuple[tuple[int, int, int | None], ...]
    initial_value: bool
    persistent: bool
    values_at_trigger: bool


@dataclass(frozen=True)
class System:
    """Nodes of `graph` for a run, and of `start` for what holds at time 0.

    `states`, `parameters`: labels of y and p. `derivatives`: a node per state. `rates`: a node per reaction, extent per time. `values`:
    what each id means in formulas. `amounts`, `volumes`: per species. `changes`: per reaction {state: node of what one extent adds}.
    `lags`: (node of what is remembered, node of how long ago) per `lag` leaf. `fast`: (node of the law, reaction) of fast reactions; the
    law is zero at all times. `residuals`: (node, state) of algebraic rules that elimination cannot solve: the state moves so that the node
    stays zero. `settle` brings a start, or what an event leaves, to where laws and residuals are zero.
    """

    network: Network
    graph: Graph
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    derivatives: tuple[int, ...]
    rates: tuple[int, ...]
    values: Mapping[str, int]
    amounts: Mapping[str, int]
    volumes: Mapping[str, int]
    changes: tuple[Mapping[int, int], ...]
    events: tuple[EventNodes, ...]
    lags: tuple[tuple[int, int], ...]
    fast: tuple[tuple[int, int], ...]
    residuals: tuple[tuple[int, int], ...]
    start: Graph
    inputs: Mapping[str, int]
    state_start: tuple[int, ...]
    parameter_start: tuple[int, ...]

    def begin(self, parameters: Mapping[str, Any] | None = None, time: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """(y0 [n], p [m]) at time 0, or ([B, n], [B, m]) where a parameter is an array [B].

        Before 0 (`time`), where only `delay()` looks, the initial assignments hold too, and nothing moves but what they and rules say.

        `parameters` {id: value} replaces what the network says of parameters, compartments and starts of species (each in the quantity
        that the model states); "reaction.k" is a local one. Initial assignments follow. Raises ConfigError for an id that is unknown or
        determined by a rule, and DataError where something that is needed has no value.
        """
        import numpy as np

        leaves = self._determined(self.given_values(parameters), time)
        values = self.start.evaluate([*self.state_start, *self.parameter_start], params=leaves, time=time)
        shape = np.broadcast_shapes(*{v.shape for v in values}, *{np.shape(value) for value in (parameters or {}).values()})
        if len(shape) > 1:
            raise ConfigError(f"parameters: found values of shape {shape}, expected numbers or arrays [B] of one length")
        table = np.empty((*shape, len(values)))
        for i, value in enumerate(values):
            table[..., i] = value
        y, p = table[..., : len(self.states)].copy(), table[..., len(self.states) :].copy()
        if np.isnan(table).any():
            self._require_values(set(parameters or {}))
        if self.fast or self.residuals:
            for index in np.ndindex(*shape):
                y[index] = self.settle(time, y[index], p[index])
        return y, p

    def given_values(self, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """What the `start` graph takes, in the order of `inputs`: the network's values with `parameters` in their place, checked."""
        import numpy as np

        if not isinstance(parameters, Mapping | None):
            raise ConfigError(f"parameters: found {shown(parameters)}, expected {{id: number or array}}")
        given: dict[str, Any] = dict(values_given(self.network))
        for id, value in (parameters or {}).items():
            self._require_free(id, value)
            given[id] = np.asarray(value, dtype=float)
        lengths = {len(given[id]) for id in parameters or {} if np.ndim(given[id]) == 1}
        if len(lengths) > 1 or 0 in lengths:
            raise ConfigError(f"parameters: found arrays of {sorted(lengths)} values, expected one length of at least 1")
        return [given[label] if not label.startswith("?") else float(label[1:] in (parameters or {})) for label in self.inputs]

    def _determined(self, leaves: list[Any], time: float) -> list[Any]:
        """Given values with those of the variables of implicit rules such that the rules hold: other starts may follow from them."""
        import numpy as np
        from scipy.optimize import root

        places = [self.inputs[self.states[state]] for _, state in self.residuals if self.states[state] in self.inputs]
        if not places or len(places) < len(self.residuals):
            return leaves
        nodes = [node for node, _ in self.residuals]
        table = np.stack([np.broadcast_to(value, np.broadcast_shapes(*map(np.shape, leaves))) for value in leaves], axis=-1).astype(float)

        def left(guess: np.ndarray, row: np.ndarray) -> np.ndarray:
            row[places] = guess
            start = self.start.evaluate([*self.state_start, *self.parameter_start], params=list(row), time=time)
            y, p = start[: len(self.states)], start[len(self.states) :]
            return np.array(self.graph.evaluate(nodes, states=y, params=p, time=time), dtype=float)

        for index in np.ndindex(table.shape[:-1]):
            row = table[index]
            guess = np.where(np.isnan(row[places]), 1.0, row[places])
            found = root(left, guess, args=(row.copy(),), tol=1e-13)
            row[places] = found.x if np.isfinite(found.x).all() else guess
        return list(np.moveaxis(table, -1, 0))

    def settle(self, t: float, y: np.ndarray, p: np.ndarray) -> np.ndarray:
        """y [n] moved along fast reactions, and in the variables of implicit rules, to where their laws and residuals are zero.

        Newton's method with a step of its own along each fast reaction. Raises ConvergenceError where it does not get there.
        """
        import numpy as np
        from scipy.optimize import root

        if not (self.fast or self.residuals):
            return y
        nodes = [law for law, _ in self.fast] + [node for node, _ in self.residuals]
        along = np.zeros((len(nodes), len(y)))
        for row, (_, reaction) in enumerate(self.fast):
            change = self.changes[reaction]
            along[row, list(change)] = self.graph.evaluate(list(change.values()), states=list(y), params=list(p), time=t)
        for row, (_, state) in enumerate(self.residuals, start=len(self.fast)):
            along[row, state] = 1.0
        begin = y.copy()
        moved = [state for _, state in self.residuals]
        begin[moved] = np.where(np.isnan(y[moved]), 1.0, y[moved])

        def left(extents: np.ndarray) -> np.ndarray:
            return np.array(self.graph.evaluate(nodes, states=list(begin + extents @ along), params=list(p), time=t), dtype=float)

        found = root(left, np.zeros(len(nodes)), tol=1e-13)
        scale = max(1.0, float(np.nanmax(np.abs(begin), initial=0.0)))
        if not found.success and not np.abs(found.fun).max() <= 1e-9 * scale:
            names = ", ".join([self.network.reactions[r].id for _, r in self.fast] + [self.states[s] for _, s in self.residuals])
            raise ConvergenceError(f"{self.network.id}: no state at time {t:g} in which {names} are at rest ({found.message})")
        return begin + found.x @ along

    def _require_free(self, id: str, value: Any) -> None:
        import numpy as np

        known = values_given(self.network)
        if id not in known:
            raise ConfigError(f"parameters: {id!r} is no parameter, species or compartment of {self.network.id!r}{nearest(id, known)}")
        if any(rule.variable == id for rule in self.network.rules if rule.kind == "assignment"):
            raise ConfigError(f"parameters: {id!r} is determined by an assignment rule; change what the rule depends on")
        array = np.asarray(value)
        if array.dtype.kind not in "iuf" or not np.isfinite(array).all():
            raise ConfigError(f"parameters: {id!r}: found {shown(value)}, expected finite numbers")

    def _require_values(self, given: set[str]) -> None:
        """Refuse what the network gives no value, and a caller neither, where a run needs it. A NaN that was given is taken as it is."""
        used = self.graph.leaves(self.needed(), "param")
        moving = zip(self.state_start, self.derivatives[: len(self.states) - len(self.residuals)], strict=False)
        starts = [start for start, rate in moving if self.graph.constant(rate) != 0]  # what only events set may be empty before
        starts += [self.parameter_start[i] for i in sorted(used)]
        asked = self.start.leaves(starts, "param")
        computed = given | {id for id, _ in self.network.initial_assignments}
        empty = without_value(self.network) - computed
        missing = [label for label, index in self.inputs.items() if index in asked and label in empty]
        if missing:
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise DataError(f"{self.network.id}: {missing[0]!r} has no value at the start{more}; give one with set() or parameters=")

    def needed(self) -> list[int]:
        """All nodes that a run may ask for, observables of the user aside."""
        nodes = [*self.derivatives, *(n for change in self.changes for n in change.values())]
        for event in self.events:
            nodes += [n for n in (event.trigger, event.delay, event.priority) if n is not None]
            nodes += [n for a in event.assignments for n in a[1:] if n is not None]
        return nodes + [n for pair in self.lags for n in pair]

    def timed(self, event: EventNodes) -> bool:
        """Whether a trigger depends on time and parameters alone."""
        return not any(self.graph.leaves([event.trigger], kind) for kind in ("state", "lag"))


def compile_system(network: Network) -> System:
    """The equations of a network. Raises DataError where they contradict each other, go round in a circle or cannot be solved."""
    try:
        return _compiled(Roles(network))
    except NotLinearError:
        return _compiled(Roles(network, implicit=True))


def _compiled(roles: Roles) -> System:
    network = roles.network
    run = Symbols(roles)
    species = [s.id for s in network.species]
    events = tuple(_event(run, roles, index) for index in range(len(network.events)))
    changes = [_changes(run, roles, index) for index in range(len(network.reactions))]
    derivatives = [run.derivative(id) for id in roles.states]
    if any(node.op == "rateOf" for formula in _at_start(network) for node in formula.walk()):
        for id in roles.solved:  # the start may ask for their rates
            run.rate_of(id)
    solved = _solved(run, roles, derivatives)

    def final(node: int) -> int:
        for change in solved:
            node = run.graph.substitute([node], change)[0]
        return node

    run.final = final
    begin = Symbols(roles, run)
    algebraic = _algebraic(begin, roles)
    residuals = [run.lower(rule) for rule in _algebraic_rules(roles)] if roles.implicit else []
    state_start = [begin.of_state(id) for id in roles.states]
    amounts = {id: final(run.amount(id)) for id in species}
    volumes = {id: final(run.volume(id)) for id in species}
    values = {id: final(run.value(id)) for id in roles.elements}
    fast = tuple((final(run.law(r)), index) for index, r in enumerate(network.reactions) if r.fast)
    parameter_start = [begin.of_slot(label) for label in run.inputs]
    return System(
        network=network,
        graph=run.graph,
        states=roles.states,
        parameters=tuple(run.inputs),
        derivatives=tuple(final(node) for node in derivatives),
        rates=tuple(values[r.id] for r in network.reactions),
        values=values,
        amounts=amounts,
        volumes=volumes,
        changes=tuple({index: final(node) for index, node in change.items()} for change in changes),
        events=tuple(_mapped(event, final) for event in events),
        lags=tuple((final(what), final(ago)) for what, ago in run.lags),
        fast=fast,
        residuals=tuple((node, run.states[id]) for node, id in zip(residuals, roles.solved, strict=bool(residuals))),
        start=begin.graph,
        inputs=begin.inputs,
        state_start=tuple(begin.graph.substitute(state_start, algebraic)),
        parameter_start=tuple(begin.graph.substitute(parameter_start, algebraic)),
    )


def _at_start(network: Network) -> list[Expression]:
    """Formulas that a start may compute and a run may not."""
    return [*(formula for _, formula in network.initial_assignments), *(f.body for f in network.functions)]


def _event(run: Symbols, roles: Roles, index: int) -> EventNodes:
    event, states = roles.network.events[index], run.states
    assignments = []
    for id, formula in event.assignments:
        if id not in states:
            where = f" (line {event.line})" if event.line else ""
            raise DataError(f"{roles.network.id}: event {event.id!r}{where} assigns {id!r}, which is determined by a rule or no variable")
        element = roles.elements[id]
        by_volume = isinstance(element, Species) and not element.substance_only
        assignments.append((states[id], run.lower(formula), run.volume(id) if by_volume else None))
    trigger = run.lower(event.trigger, hoisting=True)
    return EventNodes(
        id=event.id,
        trigger=trigger,
        delay=None if event.delay is None else run.lower(event.delay, hoisting=True),
        priority=None if event.priority is None else run.lower(event.priority),
        assignments=tuple(assignments),
        initial_value=event.initial_value,
        persistent=event.persistent,
        values_at_trigger=event.values_at_trigger,
    )


def _mapped(event: EventNodes, final: Callable[[int], int]) -> EventNodes:
    """The event with what was solved put in."""
    return replace(
        event,
        trigger=final(event.trigger),
        delay=None if event.delay is None else final(event.delay),
        priority=None if event.priority is None else final(event.priority),
        assignments=tuple((i, final(node), None if volume is None else final(volume)) for i, node, volume in event.assignments),
    )


def _changes(run: Symbols, roles: Roles, index: int) -> dict[int, int]:
    """{state: node of what one extent of the reaction adds}; what cancels is left out."""
    reaction, g, states = roles.network.reactions[index], run.graph, run.states
    found: dict[int, int] = {}
    for sign, side in ((-1.0, reaction.reactants), (1.0, reaction.products)):
        for participant in side:
            if participant.species in roles.changes and participant.species in states:
                part = g.times(g.times(g.const(sign), run.stoichiometry(participant)), run.factor(participant.species))
                state = states[participant.species]
                found[state] = g.plus(found.get(state, g.const(0.0)), part)
    return {state: node for state, node in found.items() if g.constant(node) != 0}


def _algebraic_rules(roles: Roles) -> list[Expression]:
    """What is zero by algebraic rules, in the order of the variables that they determine."""
    rules = [rule.math for rule in roles.network.rules if rule.kind == "algebraic"]
    return [rules[index] for index in roles.solved.values()]


def _algebraic(symbols: Symbols, roles: Roles) -> dict[int, int]:
    """{unknown leaf: node} of the variables that algebraic rules determine by elimination."""
    if roles.implicit:
        return {}
    equations = [symbols.lower(rule) for rule in _algebraic_rules(roles)]
    found = solve(symbols.graph, equations, list(symbols.algebraic_unknowns.values()))
    return {symbols.graph.leaf("unknown", index): node for index, node in found.items()}


def _solved(run: Symbols, roles: Roles, derivatives: list[int]) -> list[dict[int, int]]:
    """What to put in place of the unknowns, in this order: variables of algebraic rules; rates of fast reactions and of those variables.

    The law v of a fast reaction is zero at all times, so dv/dt = 0: linear equations for the rates that keep it there. The same holds for
    what an implicit rule says is zero.
    """
    algebraic = _algebraic(run, roles)
    unknowns = {**run.moving_unknowns, **run.fast_unknowns, **run.rate_unknowns}
    if not unknowns:
        return [algebraic] if algebraic else []
    g = run.graph
    zero = [run.lower(rule) for rule in _algebraic_rules(roles)] if roles.implicit else []
    zero = g.substitute([*zero, *(run.law(r) for r in roles.network.reactions if r.fast)], algebraic)
    rates = g.substitute(derivatives, algebraic)
    equations = [total(g, node, lambda index: rates[index]) for node in zero]
    for id, index in run.rate_unknowns.items():
        determined = algebraic[g.leaf("unknown", run.algebraic_unknowns[id])]
        equations.append(g.op("sub", total(g, determined, lambda state: rates[state]), g.leaf("unknown", index)))
    try:
        found = solve(g, equations, list(unknowns.values()), resting=True)
    except NotLinearError as error:
        names = ", ".join(f"{id!r}" for id in unknowns)
        raise DataError(f"{roles.network.id}: algebraic rules or fast reactions do not determine {names}: {error}") from error
    return [algebraic, {g.leaf("unknown", index): node for index, node in found.items()}]
