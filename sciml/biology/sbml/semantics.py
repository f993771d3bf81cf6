"""What a model counts in, and the law of mass action written out.

Molecules per unit: item = 1, mole = 6.02214076e23 (exact, SI 2019), scaled units like nanomole by their factor.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from sciml.biology.expressions import Expression, number, symbol
from sciml.biology.network import Network, Reaction, Species
from sciml.errors import ConfigError, DataError

__all__ = ["AVOGADRO", "Counting", "mass_action_law", "molecules_per_unit"]

AVOGADRO = 6.02214076e23
_KINDS = {"item": 1.0, "dimensionless": 1.0, "mole": AVOGADRO, "avogadro": AVOGADRO}
_CHOICES = ("item", "mole")


@dataclass(frozen=True)
class Counting:
    """Molecules per unit of the model.

    `per_substance`: per unit of substance, None where a level 2 model does not say (mole by the standard, items often in fact).
    `per_extent`: reaction events per unit of extent. `per_species`: (id, molecules per unit) of species with units of their own.
    `notes`: what the user should know.
    """

    per_substance: float | None
    per_extent: float | None
    per_species: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, species: str) -> float | None:
        """Molecules per unit of a species' amount."""
        return dict(self.per_species).get(species, self.per_substance)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return asdict(self)


def molecules_per_unit(network: Network, substance: str | None = None) -> Counting:
    """How many molecules one unit of substance and one of extent are.

    `substance` ("item" or "mole") says it where the model does not. Level 3 undeclared is items, with a note. Raises DataError for units
    that count no molecules (gram, ...), all of them at once, and ConfigError where `substance` contradicts what the model declares.
    """
    if substance is not None and substance not in _CHOICES:
        raise ConfigError(f"substance: found {substance!r}, expected 'item' or 'mole'")
    faults: list[str] = []
    notes: list[str] = []
    units = network.units
    declared = units.substance or _common(network)
    base = _factor(network, declared, "substance", faults) if declared else _undeclared(network, substance, notes)
    if substance is not None and declared and base is not None and not _same(base, _KINDS[substance]):
        raise ConfigError(f"{network.id}: substance={substance!r}, but the model declares {declared!r} ({base:g} molecules)")
    extent = _factor(network, units.extent, "extent", faults) if units.extent else base
    own = []
    for s in network.species:
        if s.units and s.units != declared:
            factor = _factor(network, s.units, f"species {s.id!r}", faults)
            if factor is not None and (base is None or not _same(factor, base)):
                own.append((s.id, factor))
    if faults:
        raise DataError(f"{network.id}: units that count no molecules: {'; '.join(faults)}; convert the model to item or mole")
    return Counting(base, extent, tuple(own), tuple(notes))


def _common(network: Network) -> str | None:
    """The unit that every species declares for itself, where it is one."""
    found = {s.units for s in network.species}
    return found.pop() if len(found) == 1 else None


def _undeclared(network: Network, substance: str | None, notes: list[str]) -> float | None:
    if substance is not None:
        return _KINDS[substance]
    if network.level[0] >= 3:
        notes.append("the model declares no unit of substance: amounts are taken as numbers of molecules (item)")
        return 1.0
    notes.append("the model declares no unit of substance: mole by the standard of level 2, items often in fact; say which by substance=")
    return None


def _factor(network: Network, unit: str, what: str, faults: list[str]) -> float | None:
    """Molecules per `unit`, None (and a fault noted) where it counts none."""
    definitions = dict(network.units.definitions)
    if unit in _KINDS and unit not in definitions:
        return _KINDS[unit]
    if unit not in definitions:
        faults.append(f"{what} is in {unit!r}")
        return None
    factor, order = 1.0, 0.0
    for part in definitions[unit]:
        if part.kind not in _KINDS:
            faults.append(f"{what} is in {unit!r}, which has {part.kind!r}")
            return None
        try:
            scale = part.multiplier * (10.0**part.scale if abs(part.scale) > 22 else float(f"1e{part.scale}"))
            factor *= (scale * _KINDS[part.kind]) ** part.exponent
        except (OverflowError, ZeroDivisionError):
            factor = math.nan
        order += part.exponent * (part.kind != "dimensionless")
    if order not in (0.0, 1.0) or isinstance(factor, complex) or not 0 < factor < math.inf:
        faults.append(f"{what} is in {unit!r}, which is molecules to the power {order:g} times {factor}")
        return None
    return factor


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-12)


def mass_action_law(network: Network, reaction: Reaction) -> Expression:
    """k V prod (X / V_X)^m, the law of a reaction that is declared as mass action, as a formula in the symbols of the network.

    k is the first factor; V the size of the compartment of the first reactant (or product where there is none). An amount is divided by
    its own compartment; a symbol that stands for a concentration is taken as it is.
    """
    if reaction.law is None:
        raise DataError(f"reaction {reaction.id!r}: declared as mass action without a rate constant")
    factors = [reaction.law]
    sides = [network.elements[p.species] for p in (*reaction.reactants, *reaction.products)]
    if sides and _extended(network, sides[0]):
        factors.append(symbol(sides[0].compartment))
    for p in reaction.reactants:
        s = network.elements[p.species]
        concentration = symbol(s.id)
        if s.substance_only and _extended(network, s):
            concentration = Expression("divide", (concentration, symbol(s.compartment)))
        order = p.stoichiometry if isinstance(p.stoichiometry, int | float) else 1.0
        factors.append(concentration if order == 1 else Expression("power", (concentration, number(order))))
    return Expression("times", tuple(factors))


def _extended(network: Network, species: Species) -> bool:
    return bool(network.elements[species.compartment].dimensions)
