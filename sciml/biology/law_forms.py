"""What a rate law is, in words: mass action, Michaelis-Menten, Hill, forward minus backward, and what else can be read off its form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sciml.biology.expressions import Expression
from sciml.biology.network import Network, Parameter, Reaction, Species

__all__ = ["Saturation", "kind_of_law"]

_ORDERS = ("zeroth", "first", "second", "third")
_MOST_PARTS = 2_000  # a law that is longer with its functions written out is not looked into
_SAME = 1e-9


@dataclass(frozen=True)
class Saturation:
    """A factor X^n / (K + X^n) of a law, or without `activates` 1 / (K + X^n); `order` is n."""

    species: str
    order: float
    activates: bool

    def words(self) -> str:
        """As the field calls it."""
        if not self.activates:
            return f"inhibited by {self.species}" + ("" if self.order == 1 else f" (Hill, order {self.order:g})")
        return f"Michaelis-Menten in {self.species}" if self.order == 1 else f"Hill of order {self.order:g} in {self.species}"


def kind_of_law(network: Network, reaction: Reaction) -> str:
    """A few words: mass action (declared, or the law has its form), saturating laws, reversible ones, and the species of any other."""
    if reaction.law is None:
        return "no law: it has no rate"
    if reaction.mass_action:
        orders = [p.stoichiometry if isinstance(p.stoichiometry, int | float) else 1.0 for p in reaction.reactants]
        return f"mass action, {_order(sum(orders))}"
    form = _Form(network, reaction)
    law = form.written_out(reaction.law)
    powers = form.powers(law)
    if powers is not None and all(n > 0 for n in powers.values()):
        return _product(reaction, powers)
    if _is_net(law):
        return "forward minus backward"
    found = form.saturations(law)
    if found is not None:
        factors, others = found
        return ", ".join([f.words() for f in factors] + ([f"times {', '.join(others)}"] if others else []))
    species = sorted(id for id in law.symbols() - form.own.keys() if isinstance(network.elements.get(id), Species))
    return f"a law of {', '.join(species[:4])}{', ...' if len(species) > 4 else ''}" if species else "a law of no species"


def _product(reaction: Reaction, powers: dict[str, float]) -> str:
    wanted = {p.species: p.stoichiometry for p in reaction.reactants}
    if {id: n for id, n in powers.items() if id in wanted} != wanted:
        return "a product of powers" if powers else "constant, whatever there is"
    catalysts = [id for id in powers if id not in wanted]
    helped = f", with {', '.join(catalysts)}" if catalysts else ""
    return f"form of mass action, {_order(sum(powers.values()))}{helped}" if powers else "constant"


def _is_net(law: Expression) -> bool:
    """a - b, or a product with one such factor."""
    differences = [part for part in (law.args if law.op == "times" else (law,)) if part.op == "minus" and len(part.args) == 2]
    return len(differences) == 1


def _order(n: float) -> str:
    return f"{_ORDERS[int(n)]} order" if n in (0, 1, 2, 3) else f"order {n:g}"


class _Form:
    """Reads one law: which of its symbols are species, which are constants, and which change in other ways."""

    def __init__(self, network: Network, reaction: Reaction) -> None:
        self.network = network
        self.own = {p.id: p for p in reaction.local}
        self.ruled = {rule.variable for rule in network.rules}
        self.driven = self.ruled | {id for event in network.events for id, _ in event.assignments}
        self.functions = {f.id: f for f in network.functions}

    def written_out(self, law: Expression) -> Expression:
        """With its functions' bodies in place of the calls, where that is not long."""

        def inline(node: Expression) -> Expression:
            function = self.functions.get(str(node.value)) if node.op == "call" else None
            if function is None or len(function.arguments) != len(node.args):
                return node
            return function.body.replace(dict(zip(function.arguments, node.args, strict=True)))

        longest = _MOST_PARTS
        while law.calls():
            wider = law.map(inline)
            longest -= sum(1 for _ in wider.walk())
            if longest < 0 or wider == law:
                break
            law = wider
        return law

    def powers(self, law: Expression) -> dict[str, float] | None:
        """{species: power} where a law is a constant times powers of species (negative ones too); None where it is not."""
        powers: Counter[str] = Counter()
        for node, sign in self._factors(law):
            base, exponent = (node.args[0], self._number(node.args[1])) if node.op == "power" else (node, 1.0)
            id = str(base.value) if base.op == "symbol" else ""
            if self._is_species(id) and exponent is not None:
                powers[id] += sign * exponent  # type: ignore[assignment]
            elif not self._is_constant(node):
                return None
        return {id: float(n) for id, n in powers.items() if n}

    def saturations(self, law: Expression) -> tuple[list[Saturation], list[str]] | None:
        """A law's saturating factors, and the species that it is proportional to besides; None where it has other parts."""
        powers: Counter[str] = Counter()
        below: list[tuple[str, float]] = []  # X, n of each factor 1 / (K + X^n); with n < 0 it is X^|n| / (1 + K X^|n|)
        for node, sign in self._factors(law):
            saturating = self._two_terms(node) if sign < 0 else None
            single = self.powers(node) if saturating is None else {}
            if saturating is not None:
                below.append(saturating)
            elif single is None:
                return None
            for id, n in (single or {}).items():
                powers[id] += sign * n  # type: ignore[assignment]
        factors = []
        for id, n in below:
            activates = n < 0 or abs(powers[id] - n) < _SAME
            if n > 0 and activates:
                powers[id] -= n  # type: ignore[assignment]
            factors.append(Saturation(id, abs(n), activates))
        rest = {id: n for id, n in powers.items() if abs(n) > _SAME}
        factors.sort(key=lambda factor: not factor.activates)
        return (factors, sorted(rest)) if factors and all(n == 1 for n in rest.values()) else None

    def _two_terms(self, node: Expression) -> tuple[str, float] | None:
        """(X, n) of a sum of a constant and a multiple of X^n."""
        if node.op != "plus" or len(node.args) != 2:
            return None
        terms = [self.powers(part) for part in node.args]
        rest = [term for term in terms if term]
        if None in terms or len(rest) != 1 or len(rest[0]) != 1:
            return None
        ((id, n),) = rest[0].items()
        return id, n

    def _factors(self, law: Expression) -> Iterator[tuple[Expression, float]]:
        """The factors of a product of quotients, each with +1 above and -1 below the bar; (X/K)^n counts as X^n / K^n."""
        stack: list[tuple[Expression, float]] = [(law, 1.0)]
        while stack:
            node, sign = stack.pop()
            if node.op == "times":
                stack += [(part, sign) for part in node.args]
            elif node.op == "divide":
                stack += [(node.args[0], sign), (node.args[1], -sign)]
            elif node.op == "power" and node.args[0].op in ("times", "divide"):
                flip = -1.0 if node.args[0].op == "divide" else 1.0
                first, *others = node.args[0].args
                stack += [(Expression("power", (first, node.args[1])), sign)]
                stack += [(Expression("power", (part, node.args[1])), sign * flip) for part in others]
            elif node.op == "plus" and len(node.args) == 1:
                stack.append((node.args[0], sign))
            else:
                yield node, sign

    def _number(self, node: Expression) -> float | None:
        """A constant's value: a number, or a parameter that nothing changes."""
        if node.constant is not None or node.op != "symbol":
            return node.constant
        id = str(node.value)
        element = self.own.get(id) or self.network.elements.get(id)
        return element.value if isinstance(element, Parameter) and (id in self.own or id not in self.driven) else None

    def _is_species(self, id: str) -> bool:
        return id not in self.own and id not in self.ruled and isinstance(self.network.elements.get(id), Species)

    def _is_constant(self, node: Expression) -> bool:
        """Whether nothing in it is a species, a rate or a symbol that is driven, and nothing in it moves with time."""
        for part in node.walk():
            id = str(part.value) if part.op == "symbol" else ""
            if id and id not in self.own and (id in self.driven or isinstance(self.network.elements.get(id), Species | Reaction)):
                return False
            if part.op in ("call", "time", "delay", "rateOf"):
                return False
        return True
