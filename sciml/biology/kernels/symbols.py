"""What each id of a network stands for, as nodes: of a run (states, parameters) or of its start (given values, initial assignments)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sciml.biology.expressions import Expression
from sciml.biology.formula import infix
from sciml.biology.kernels.derivatives import partials, total
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.lowering import Lowering
from sciml.biology.network import Compartment, Network, Parameter, Participant, Reaction, Species
from sciml.errors import DataError

__all__ = ["Roles", "Symbols", "values_given", "without_value"]


class Roles:
    """Who determines what: rules, reactions, events; the order of the states.

    `implicit`: variables of algebraic rules become states that move so that their rules stay zero, for rules that elimination cannot solve.
    """

    def __init__(self, network: Network, *, implicit: bool = False) -> None:
        self.network, self.implicit = network, implicit
        self.elements: dict[str, Any] = network.elements
        self.assignments = {r.variable: r.math for r in network.rules if r.kind == "assignment"}
        self.rates = {r.variable: r.math for r in network.rules if r.kind == "rate"}
        self.initial = dict(network.initial_assignments)
        self.changes: dict[str, list[tuple[Reaction, Participant, float]]] = {}
        for reaction in network.reactions:
            for sign, side in ((-1.0, reaction.reactants), (1.0, reaction.products)):
                for participant in side:
                    species = self.elements[participant.species]
                    if not (species.boundary or species.constant):
                        self.changes.setdefault(species.id, []).append((reaction, participant, sign))
        in_events = {id for event in network.events for id, _ in event.assignments}
        self._check()
        self.solved = self._match_algebraic(in_events)
        changing = [id for id in self.elements if id in self.changes or id in self.rates or id in in_events]
        self.states = tuple(id for id in changing if id not in self.assignments and id not in self.solved)
        self.states += tuple(self.solved) if implicit else ()

    def dependencies(self, id: str, at_start: bool) -> set[str]:
        """Ids whose nodes must be there before that of `id`."""
        element = self.elements.get(id)
        found: set[str] = set()
        if at_start and id in self.initial:
            found |= self.initial[id].needs()
        elif id in self.assignments:
            found |= self.assignments[id].needs()
        elif isinstance(element, Reaction) and element.law is not None:
            found |= element.law.needs() - {p.id for p in element.local}
            if element.mass_action:
                found |= {p.species for p in element.reactants}
        if isinstance(element, Species):
            found.add(element.compartment)
        return found

    def order(self, at_start: bool) -> list[str]:
        """All ids, each after what it depends on. Raises DataError for a circle, which it names."""
        done: dict[str, bool] = {}
        result: list[str] = []
        for first in self.elements:
            stack: list[tuple[str, bool]] = [(first, False)]
            path: list[str] = []
            while stack:
                id, leaving = stack.pop()
                if leaving:
                    path.pop()
                    done[id] = True
                    result.append(id)
                    continue
                if done.get(id):
                    continue
                if id in done:
                    circle = [*path[path.index(id) :], id]
                    raise DataError(f"{self.network.id}: {' -> '.join(circle)}: these define each other in a circle")
                done[id] = False
                path.append(id)
                stack.append((id, True))
                stack.extend((d, False) for d in sorted(self.dependencies(id, at_start)) if d in self.elements and not done.get(d))
        return result

    def _check(self) -> None:
        """What contradicts itself: two rules for one variable, a rule on a constant or on what reactions change."""
        seen: set[str] = set()
        for rule in self.network.rules:
            if rule.kind == "algebraic":
                continue
            where = f"{self.network.id}: the {rule.kind} rule of {rule.variable!r}" + (f" (line {rule.line})" if rule.line else "")
            if rule.variable not in self.elements or isinstance(self.elements[rule.variable], Reaction):
                raise DataError(f"{where}: that is no species, compartment or parameter of the model")
            if rule.variable in seen:
                raise DataError(f"{where}: another rule determines it too")
            if rule.variable in self.changes:
                raise DataError(f"{where}: reaction {self.changes[rule.variable][0][0].id!r} changes it too; it must be a boundary species")
            seen.add(rule.variable)

    def _match_algebraic(self, in_events: set[str]) -> dict[str, int]:
        """{variable: number of its algebraic rule}: a matching of the rules to what nothing else determines."""
        rules = [rule for rule in self.network.rules if rule.kind == "algebraic"]
        matched: dict[str, int] = {}

        def free(id: str) -> bool:
            element = self.elements.get(id)
            taken = id in self.assignments or id in self.rates or id in self.changes or id in in_events
            return element is not None and not isinstance(element, Reaction) and not element.constant and not taken

        def preferred(math: Expression) -> list[str]:
            """What it names, before what stands behind that."""
            named = math.needs()
            return sorted(filter(free, self._behind(math)), key=lambda id: (id not in named, *self._preference(id)))

        candidates = [preferred(rule.math) for rule in rules]

        def place(rule: int, tried: set[str]) -> bool:
            for id in candidates[rule]:
                if id not in tried:
                    tried.add(id)
                    if id not in matched or place(matched[id], tried):
                        matched[id] = rule
                        return True
            return False

        for index, rule in enumerate(rules):
            if not place(index, set()):
                at = f" (line {rule.line})" if rule.line else ""
                raise DataError(f"{self.network.id}: algebraic rule 0 = {infix(rule.math)[:80]}{at}: it has no variable left to determine")
        return matched

    def _preference(self, id: str) -> tuple[bool, int, str]:
        """Of what a rule may determine: what has no value of its own comes first, species before parameters before compartments."""
        element = self.elements[id]
        given = element.stoichiometry if isinstance(element, Participant) else values_of(element)
        kind = [Species, Participant, Parameter, Compartment].index(type(element))
        return given is not None or id in self.initial, kind, id

    def _behind(self, math: Expression) -> set[str]:
        """Ids in a formula, and in the assignment rules and laws behind them."""
        found: set[str] = set()
        stack = list(math.symbols())
        while stack:
            id = stack.pop()
            if id not in found:
                found.add(id)
                stack.extend(self.dependencies(id, at_start=False))
        return found


class Symbols:
    """Nodes of a network's ids in one graph: of a run from states and parameters; with the `run`, of its start from given values and
    initial assignments, which hold up to and at time 0.

    `leaf(id)` gives the node of what nothing determines. A species' node is its amount there; `value(id)` is what its id means in formulas.
    """

    def __init__(self, roles: Roles, run: Symbols | None = None) -> None:
        self.roles, self.graph, self.run, self.at_start = roles, Graph(), run, run is not None
        self.inputs: dict[str, int] = {}  # label of a parameter slot (or of a given value) -> its index
        self.literals: dict[str, float] = {}
        self.lags: list[tuple[int, int]] = []
        self.hoisting = False  # whether whole numbers become slots too
        self.final: Callable[[int], int] = lambda node: node  # the node with what was solved for in it
        functions = {f.id: f for f in roles.network.functions}
        self.lowering = Lowering(
            self.graph, functions, resolve=self.value, rate_of=self.rate_of, delayed=self._delayed, number=self._number
        )
        self.states = {id: index for index, id in enumerate(roles.states)}
        # at a start the variables of implicit rules have the values given, until `System.settle` moves them
        self._unknown = {} if roles.implicit else {id: index for index, id in enumerate(roles.solved)}
        self._moving = {id: index for index, id in enumerate(roles.solved)} if roles.implicit else {}
        self._fast = {r.id: len(roles.solved) + i for i, r in enumerate(r for r in roles.network.reactions if r.fast)}
        self._rates: dict[str, int] = {}
        self._values: dict[str, int] = {}
        self._derivatives: dict[str, int] = {}
        self._open: list[str] = []
        for id in roles.order(self.at_start):
            self.value(id)

    @property
    def fast_unknowns(self) -> dict[str, int]:
        """Fast reactions and the index of the unknown leaf that stands for their rate."""
        return self._fast

    @property
    def rate_unknowns(self) -> dict[str, int]:
        """Variables of algebraic rules whose rates are asked for, and the index of the unknown leaf that stands for the rate."""
        return self._rates

    @property
    def moving_unknowns(self) -> dict[str, int]:
        """Variables of implicit algebraic rules and the index of the unknown leaf that stands for their derivative."""
        return self._moving

    @property
    def algebraic_unknowns(self) -> dict[str, int]:
        """Variables of algebraic rules and the index of their unknown leaf."""
        return self._unknown

    def slot(self, label: str) -> int:
        """The leaf of a parameter slot by its label, made when it is first asked for."""
        return self.graph.leaf("param", self.inputs.setdefault(label, len(self.inputs)))

    def lower(self, expression: Expression, *, hoisting: bool = False) -> int:
        """The node of a formula; `hoisting`: every number in it becomes a parameter slot, not only those that are not whole."""
        self.hoisting = hoisting
        node = self.lowering.lower(expression)
        self.hoisting = False
        return node

    def value(self, id: str) -> int:
        """What an id means in formulas. Raises DataError where rates and values define each other in a circle."""
        if id not in self._values:
            self._values[id] = self._once(self._value, id, id)
        return self._values[id]

    def amount(self, id: str) -> int:
        """The amount of a species."""
        species = self.roles.elements[id]
        if self._by_formula(id) or id in self._unknown:
            return self.value(id) if species.substance_only else self.graph.times(self.value(id), self.volume(id))
        if self.at_start:
            given = self.slot(id)
            return self.graph.times(given, self.volume(id)) if species.initial_is_concentration else given
        return self.graph.leaf("state", self.states[id]) if id in self.states else self.slot(id)

    def volume(self, id: str) -> int:
        """The size of the compartment of a species; 1 for a point."""
        compartment = self.roles.elements[self.roles.elements[id].compartment]
        return self.graph.const(1.0) if compartment.dimensions == 0 else self.value(compartment.id)

    def rate_of(self, id: str) -> int:
        """d id / dt of what the id means in formulas; at a start what it is in a run, at the values of the start."""
        if self.run is not None:
            return self._copied(self.run, [self.run.rate_of(id)])[0]
        if id in self._unknown:
            return self.graph.leaf("unknown", self._rates.setdefault(id, len(self.roles.solved) + len(self._fast) + len(self._rates)))
        element = self.roles.elements.get(id)
        if isinstance(element, Species) and id in self.states:
            change = self.derivative(id)
            if element.substance_only:
                return change
            growth = self.rate_of(element.compartment) if self.roles.elements[element.compartment].dimensions else self.graph.const(0.0)
            diluted = self.graph.plus(change, self.graph.minus(self.graph.times(self.value(id), growth)))
            return self.graph.over(diluted, self.volume(id))
        if id in self.states:
            return self.derivative(id)
        rate = total(self.graph, self.value(id), lambda index: self.derivative(self.roles.states[index]))
        for index, partial in partials(self.graph, [self.value(id)], "unknown")[0].items():
            if index < len(self._unknown):
                rate = self.graph.plus(rate, self.graph.times(partial, self.rate_of(list(self._unknown)[index])))
        return rate

    def of_slot(self, label: str) -> int:
        """At a start: the node of what a parameter slot of the run has as its value."""
        if self.run is not None and label in self.run.literals:
            return self.graph.const(self.run.literals[label])
        element = self.roles.elements.get(label)
        if element is None:
            return self.slot(label)  # a parameter that one law alone sees
        return self.amount(label) if isinstance(element, Species) else self.value(label)

    def of_state(self, id: str) -> int:
        """At a start: the node of a state of the run."""
        return self.amount(id) if isinstance(self.roles.elements[id], Species) else self.value(id)

    def _copied(self, run: Symbols, nodes: Sequence[int]) -> list[int]:
        """Nodes of the run at the values of the start."""

        def leaf(kind: str, index: int) -> int:
            if kind == "lag":
                return self._delayed(*self._copied(run, run.lags[index]))
            if kind == "time":
                return self.graph.leaf("time")
            return self.of_state(self.roles.states[index]) if kind == "state" else self.of_slot(list(run.inputs)[index])

        if run.graph.leaves(nodes, "unknown") & set(self._fast.values()):
            raise DataError(f"{self.roles.network.id}: the start asks for a rate (rateOf) that fast reactions determine after it")
        return run.graph.copy_into(self.graph, [run.final(node) for node in nodes], leaf)

    def _once(self, make: Callable[[str], int], id: str, key: str) -> int:
        """make(id), where it does not ask for itself again."""
        if key in self._open:
            circle = " -> ".join([*self._open[self._open.index(key) :], key])
            raise DataError(f"{self.roles.network.id}: {circle}: these define each other in a circle")
        self._open.append(key)
        node = make(id)
        self._open.remove(key)
        return node

    def derivative(self, id: str) -> int:
        """d / dt of a state: of a species its amount."""
        if id not in self._derivatives:
            self._derivatives[id] = self._once(self._derivative, id, f"rate of {id}")
        return self._derivatives[id]

    def stoichiometry(self, participant: Participant) -> int:
        """How much of a species one extent of its reaction takes or makes."""
        if participant.id and (participant.id in self._values or participant.id in self.roles.elements):
            return self.value(participant.id)
        given = participant.stoichiometry
        if isinstance(given, Expression):
            return self.lowering.lower(given)
        return self.graph.const(1.0 if given is None else given)

    def law(self, reaction: Reaction) -> int:
        """The rate of a reaction as its law says, extent per time; of mass action k V prod (X / V)^m."""
        if reaction.law is None:
            return self.graph.const(0.0)
        local = {p.id: (self.slot(f"{reaction.id}.{p.id}"), None) for p in reaction.local}
        rate = self.lowering.lower(reaction.law, local)
        if not reaction.mass_action:
            return rate
        g = self.graph
        sides = [self.volume(p.species) for p in (*reaction.reactants, *reaction.products)]
        rate = g.times(rate, sides[0]) if sides else rate
        for p in reaction.reactants:
            concentration = g.over(self.amount(p.species), self.volume(p.species))
            order = float(p.stoichiometry) if isinstance(p.stoichiometry, int | float) else 1.0
            rate = g.op("mul", rate, g.op("pow", concentration, g.const(order)))
        return rate

    def factor(self, id: str) -> int:
        """What turns extent into the substance of a species."""
        name = self.roles.elements[id].conversion_factor or self.roles.network.conversion_factor
        return self.value(name) if name else self.graph.const(1.0)

    def _by_formula(self, id: str) -> bool:
        return id in self.roles.assignments or (self.at_start and id in self.roles.initial)

    def _value(self, id: str) -> int:
        element = self.roles.elements[id]
        if isinstance(element, Reaction):
            return self.graph.leaf("unknown", self._fast[id]) if element.fast and not self.at_start else self.law(element)
        if self.at_start and id in self.roles.initial:
            # a value that a caller gives in its place counts instead
            formula = self.lowering.lower(self.roles.initial[id])
            given = self.slot(id)
            if isinstance(element, Species):
                given = self._quantity(element, given)
            return self.graph.op("select", self.slot(f"?{id}"), given, formula)
        if id in self.roles.assignments:
            return self.lowering.lower(self.roles.assignments[id])
        if id in self._unknown:
            return self.graph.leaf("unknown", self._unknown[id])
        if isinstance(element, Species):
            return self.amount(id) if element.substance_only else self.graph.over(self.amount(id), self.volume(id))
        if not self.at_start and id in self.states:
            return self.graph.leaf("state", self.states[id])
        return self.slot(id)

    def _quantity(self, species: Species, given: int) -> int:
        """A given start in the quantity that the species' id means."""
        if species.initial_is_concentration == (not species.substance_only):
            return given
        if species.initial_is_concentration:
            return self.graph.times(given, self.volume(species.id))
        return self.graph.over(given, self.volume(species.id))

    def _derivative(self, id: str) -> int:
        g, element = self.graph, self.roles.elements[id]
        if id in self._moving:
            return g.leaf("unknown", self._moving[id])
        if id in self.roles.rates:
            rate = self.lowering.lower(self.roles.rates[id])
            if not isinstance(element, Species) or element.substance_only:
                return rate
            growth = self.rate_of(element.compartment) if self.roles.elements[element.compartment].dimensions else g.const(0.0)
            return g.plus(g.times(rate, self.volume(id)), g.times(self.value(id), growth))
        result = g.const(0.0)
        for reaction, participant, sign in self.roles.changes.get(id, ()):
            part = g.times(g.times(self.stoichiometry(participant), self.factor(id)), self.value(reaction.id))
            result = g.plus(result, part) if sign > 0 else g.minus(part) if g.constant(result) == 0 else g.op("sub", result, part)
        return result

    def _delayed(self, node: int, lag: int) -> int:
        """A value from the past; before time 0 everything follows from time alone."""
        if self.at_start:
            now = self.graph.leaf("time")
            return self.graph.substitute([node], {now: self.graph.op("sub", now, lag)})[0]
        if (node, lag) not in self.lags:
            self.lags.append((node, lag))
        return self.graph.leaf("lag", self.lags.index((node, lag)))

    def _number(self, value: float) -> int:
        if self.at_start or ((value == round(value) if abs(value) < 1e15 else False) and not self.hoisting):
            return self.graph.const(value)
        label = f"#{value!r}"
        self.literals[label] = value
        return self.slot(label)


def values_given(network: Network) -> dict[str, float]:
    """{label: number} of everything that the start may ask for; NaN where the model says nothing."""
    nan = float("nan")
    found: dict[str, float] = {}
    for element in network.elements.values():
        if isinstance(element, Reaction):
            found.update((f"{element.id}.{p.id}", nan if p.value is None else p.value) for p in element.local)
        else:
            value = values_of(element)
            found[element.id] = nan if value is None else value
    return found


def without_value(network: Network) -> set[str]:
    """Labels that the network gives no number."""
    found = {f"{r.id}.{p.id}" for r in network.reactions for p in r.local if p.value is None}
    return found | {id for id, element in network.elements.items() if not isinstance(element, Reaction) and values_of(element) is None}


def values_of(element: Any) -> float | None:
    """The number that an element is given, or None."""
    if isinstance(element, Participant):
        return element.stoichiometry if isinstance(element.stoichiometry, int | float) else None
    if isinstance(element, Species):
        return element.initial
    return element.size if isinstance(element, Compartment) else element.value
