"""A light check of units in linear time: what plainly does not fit. Numbers and whatever declares no unit fit everything.

Calls of functions are not looked into. A unit is a factor times powers of metre, kilogram, second, ampere, kelvin, candela, mole, item.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from sciml.biology.expressions import COMPARISONS, LOGIC, Expression
from sciml.biology.network import Compartment, Network, Parameter, Participant, Reaction, Species

__all__ = ["Dimension", "unit_problems"]

_BASE = ("metre", "kilogram", "second", "ampere", "kelvin", "candela", "mole", "item")
_DERIVED: dict[str, tuple[float, dict[str, float]]] = {
    "gram": (1e-3, {"kilogram": 1}),
    "litre": (1e-3, {"metre": 3}),
    "hertz": (1, {"second": -1}),
    "becquerel": (1, {"second": -1}),
    "newton": (1, {"kilogram": 1, "metre": 1, "second": -2}),
    "pascal": (1, {"kilogram": 1, "metre": -1, "second": -2}),
    "joule": (1, {"kilogram": 1, "metre": 2, "second": -2}),
    "watt": (1, {"kilogram": 1, "metre": 2, "second": -3}),
    "coulomb": (1, {"ampere": 1, "second": 1}),
    "volt": (1, {"kilogram": 1, "metre": 2, "second": -3, "ampere": -1}),
    "farad": (1, {"kilogram": -1, "metre": -2, "second": 4, "ampere": 2}),
    "ohm": (1, {"kilogram": 1, "metre": 2, "second": -3, "ampere": -2}),
    "siemens": (1, {"kilogram": -1, "metre": -2, "second": 3, "ampere": 2}),
    "weber": (1, {"kilogram": 1, "metre": 2, "second": -2, "ampere": -1}),
    "tesla": (1, {"kilogram": 1, "second": -2, "ampere": -1}),
    "henry": (1, {"kilogram": 1, "metre": 2, "second": -2, "ampere": -2}),
    "lumen": (1, {"candela": 1}),
    "lux": (1, {"candela": 1, "metre": -2}),
    "gray": (1, {"metre": 2, "second": -2}),
    "sievert": (1, {"metre": 2, "second": -2}),
    "katal": (1, {"mole": 1, "second": -1}),
    "avogadro": (6.02214076e23, {}),
    "dimensionless": (1, {}),
    "radian": (1, {}),
    "steradian": (1, {}),
}
_SAME = frozenset(("plus", "minus", "max", "min", "rem", "abs", "floor", "ceiling", "delay"))
_PURE = frozenset(("exp", "ln", "log", "factorial", "sin", "cos", "tan", "sinh", "cosh", "tanh"))


@dataclass(frozen=True)
class Dimension:
    """log10 of the factor, and (base unit, power) in the order of the base units, without zeros."""

    scale: float = 0.0
    powers: tuple[tuple[str, float], ...] = ()

    def __mul__(self, other: Dimension) -> Dimension:
        powers = dict(self.powers)
        for unit, power in other.powers:
            powers[unit] = powers.get(unit, 0.0) + power
        return Dimension(self.scale + other.scale, tuple((u, powers[u]) for u in _BASE if abs(powers.get(u, 0.0)) > 1e-12))

    def __pow__(self, exponent: float) -> Dimension:
        return Dimension(self.scale * exponent, tuple((unit, power * exponent) for unit, power in self.powers if exponent))

    def fits(self, other: Dimension) -> bool:
        """Whether both are the same unit."""
        powers = (self * other**-1.0).powers
        return not powers and math.isclose(self.scale, other.scale, abs_tol=1e-9)

    def __str__(self) -> str:
        factor = [] if abs(self.scale) < 1e-9 else [f"{10**self.scale:g}" if abs(self.scale) < 300 else f"10^{self.scale:g}"]
        return " ".join([*factor, *(unit if power == 1 else f"{unit}^{power:g}" for unit, power in self.powers)]) or "dimensionless"


ONE = Dimension()


def unit_problems(network: Network) -> list[str]:
    """What plainly does not fit in the units of a network, and what units are defined nowhere; a line each, warnings all of them."""
    checker = _Checker(network)
    for where, formula, expected in checker.formulas():
        checker.where = where
        found = checker.of(formula)
        if found is not None and expected is not None and not found.fits(expected):
            checker.say(f"found {found}, expected {expected}")
    return list(dict.fromkeys([*checker.problems, *_undeclared(network)]))


def _undeclared(network: Network) -> Iterator[str]:
    without = [p.id for p in network.parameters if p.units is None]
    if without:
        more = ", ..." if len(without) > 5 else ""
        yield f"parameters without a unit ({len(without)}): {', '.join(without[:5])}{more}"
    for name in ("substance", "time", "extent"):
        if getattr(network.units, name) is None:
            yield f"the model declares no unit of {name}"


@dataclass
class _Checker:
    """Units of ids and formulas; None is unknown and fits everything."""

    network: Network
    problems: list[str] = field(default_factory=list)
    local: dict[str, Dimension | None] = field(default_factory=dict)
    where: str = ""

    def __post_init__(self) -> None:
        self.definitions = dict(self.network.units.definitions)
        self.known: dict[str, Dimension | None] = {}
        units = self.network.units
        self.time = self.unit(units.time, "the model's time")
        self.substance = self.unit(units.substance, "the model's substance")
        self.extent = self.unit(units.extent or units.substance, "the model's extent")
        self.ids = {id: self.element(e) for id, e in self.network.elements.items()}

    def say(self, what: str) -> None:
        self.problems.append(f"{self.where}: {what}")

    def unit(self, name: str | None, where: str) -> Dimension | None:
        """The unit of that name, None where it is not given or not known."""
        if name is None:
            return None
        if name not in self.known:
            self.known[name] = self._defined(name, where)
        return self.known[name]

    def _defined(self, name: str, where: str) -> Dimension | None:
        if name not in self.definitions:
            found = _kind(name)
            if found is None:
                self.problems.append(f"{where}: the unit {name!r} is defined nowhere")
            return found
        result = ONE
        for part in self.definitions[name]:
            base = _kind(part.kind)
            if base is None or part.multiplier <= 0:
                self.problems.append(f"unit {name!r}: {part.kind!r} times {part.multiplier:g} is no unit of SBML")
                return None
            result = result * (Dimension(part.scale + math.log10(part.multiplier)) * base) ** part.exponent
        return result

    def element(self, element: Species | Compartment | Parameter | Reaction | Participant) -> Dimension | None:
        """The unit of what an id stands for."""
        where = f"{type(element).__name__.lower()} {element.id!r}"
        if isinstance(element, Reaction):
            return _over(self.extent, self.time)
        if isinstance(element, Participant):
            return ONE
        if isinstance(element, Species):
            amount = self.unit(element.units, where) if element.units else self.substance
            size = None if element.substance_only else self.element(self.network.elements[element.compartment])
            return amount if element.substance_only else _over(amount, size)
        if isinstance(element, Compartment) and element.units is None:
            default = {3.0: "volume", 2.0: "area", 1.0: "length"}.get(element.dimensions)
            return self.unit(getattr(self.network.units, default), where) if default else None
        return self.unit(element.units, where)

    def formulas(self) -> Iterator[tuple[str, Expression, Dimension | None]]:
        """(where, formula, the unit it should have)."""
        n = self.network
        for r in n.reactions:
            if r.law is not None and not r.mass_action:
                self.local = {p.id: self.unit(p.units, f"parameter {p.id!r} of reaction {r.id!r}") for p in r.local}
                yield f"{_line(r.line)}the law of reaction {r.id!r}", r.law, _over(self.extent, self.time)
        self.local = {}
        for rule in n.rules:
            target = self.ids.get(rule.variable)
            wanted = _over(target, self.time) if rule.kind == "rate" else target
            yield f"{_line(rule.line)}the {rule.kind} rule of {rule.variable!r}", rule.math, wanted
        for id, formula in n.initial_assignments:
            yield f"the initial assignment of {id!r}", formula, self.ids.get(id)
        for e in n.events:
            yield f"{_line(e.line)}the trigger of event {e.id!r}", e.trigger, None
            if e.delay is not None:
                yield f"{_line(e.line)}the delay of event {e.id!r}", e.delay, self.time
            for id, formula in e.assignments:
                yield f"{_line(e.line)}event {e.id!r}, assignment to {id!r}", formula, self.ids.get(id)

    def of(self, formula: Expression) -> Dimension | None:
        """The unit of a formula; what does not fit inside it is noted."""
        done: list[Dimension | None] = []
        for node in formula.walk():
            count = len(node.args)
            parts = done[len(done) - count :] if count else []
            del done[len(done) - count :]
            done.append(self._node(node, parts))
        return done[0]

    def _node(self, node: Expression, parts: list[Dimension | None]) -> Dimension | None:
        op = node.op
        if op == "symbol":
            name = str(node.value)
            return self.local[name] if name in self.local else self.ids.get(name)
        if op == "time":
            return self.time
        if op in _SAME or op in COMPARISONS or op == "piecewise":
            values = _values(parts) if op == "piecewise" else parts[:1] if op == "delay" else parts
            found = self._agree(op, values)
            return ONE if op in COMPARISONS else found
        if op in _PURE:
            argument = parts[-1] if op == "log" else parts[0]
            if argument is not None and argument.powers:
                self.say(f"{op} of {argument}, expected a number without unit")
            return ONE
        if op in LOGIC:
            return ONE
        return self._product(node, parts)

    def _agree(self, op: str, parts: list[Dimension | None]) -> Dimension | None:
        known = [p for p in parts if p is not None]
        for other in known[1:]:
            if not other.fits(known[0]):
                self.say(f"{op} of {known[0]} and {other}")
                return None
        return known[0] if known else None

    def _product(self, node: Expression, parts: list[Dimension | None]) -> Dimension | None:
        if node.op == "rateOf":
            return _over(parts[0], self.time)
        if node.op in ("power", "root"):
            base, exponent = (parts[0], node.args[1].constant) if node.op == "power" else (parts[1], node.args[0].constant)
            if base is None or exponent is None or (node.op == "root" and not exponent):
                return None
            return base ** (exponent if node.op == "power" else 1 / exponent)
        if node.op == "divide":
            return _over(*parts)
        if node.op != "times" or None in parts:
            return None
        result = ONE
        for part in parts:
            result = result * (part or ONE)
        return result


def _kind(name: str) -> Dimension | None:
    if name in _BASE:
        return Dimension(0.0, ((name, 1.0),))
    if name not in _DERIVED:
        return None
    factor, powers = _DERIVED[name]
    return Dimension(math.log10(factor), tuple((u, float(powers[u])) for u in _BASE if u in powers))


def _values(parts: list[Dimension | None]) -> list[Dimension | None]:
    """Of a piecewise: value, condition, value, condition, ... [, otherwise]."""
    return [part for index, part in enumerate(parts) if index % 2 == 0]


def _over(above: Dimension | None, below: Dimension | None) -> Dimension | None:
    return None if above is None or below is None else above * below**-1.0


def _line(number: int) -> str:
    return f"line {number}: " if number else ""
