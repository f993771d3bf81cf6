"""Known wrong factors by name: which unit or sign a ratio of a label to its expectation gives away."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from sciml.units import EV_PER_A3_IN_GPA, UNITS

QUANTITIES = ("energy", "forces", "stress")
BLAMED = ("stress", "forces", "energy")  # the first of these, where nothing tells which quantity is wrong
_UNITS = {
    "energy": ("Ry", "Ha", "kcal/mol", "kJ/mol", "meV"),
    "forces": ("eV/bohr", "Ry/bohr", "Ha/bohr", "kcal/mol/A", "kJ/mol/A", "kJ/mol/nm", "meV/A"),
    "stress": ("GPa", "kBar", "bar", "Pa", "Ry/bohr^3", "Ha/bohr^3", "eV/bohr^3"),
}
_OURS = {"energy": "eV", "forces": "eV/A", "stress": "eV/A^3"}


@dataclass(frozen=True)
class Factor:
    """One wrong factor: label = ratio * right value; `text` names it and the remedy.

    form: "" for a number; "an atom" for an energy divided by the atoms of its structure, "virial" for a stress multiplied by its volume:
    `ratio` is then typical of the data only (with its sign).
    """

    quantity: str
    ratio: float
    text: str
    form: str = ""


def known_factors(atoms_each: float | None = None, volume_A3: float | None = None) -> list[Factor]:
    """The table; `atoms_each` and `volume_A3` (typical of the data) add energies an atom and stress times volume."""
    table = []
    for quantity, names in _UNITS.items():
        for unit, sign in product(names, (1, -1)):
            stated = unit if sign > 0 else f"-{unit}"
            also = " with the opposite sign" if sign < 0 else ""
            remedy = f'the values look like {unit}{also} for {_OURS[quantity]}: read them with units={{"{quantity}": "{stated}"}}'
            table.append(Factor(quantity, sign / UNITS[quantity][unit], remedy))
    opposite = {"energy": "", "forces": ": they look like gradients", "stress": ": pressure is counted positive, as in VASP"}
    table += [
        Factor(name, -1.0, f'the sign is flipped{opposite[name]}; read them with units={{"{name}": "-{_OURS[name]}"}}')
        for name in QUANTITIES
    ]
    for factor, unit in ((EV_PER_A3_IN_GPA, "GPa"), (10 * EV_PER_A3_IN_GPA, "kBar")):
        for sign, also in ((1, ""), (-1, " and the sign flipped")):
            text = (
                f"a conversion from {unit} was applied to values that were in eV/A^3 already (they are {factor:.1f} times too small){also}"
            )
            table.append(Factor("stress", sign / factor, text))
    if atoms_each is not None and atoms_each > 1.5:
        table.append(
            Factor(
                "energy", 1 / atoms_each, "the values look like energies an atom: the label is the energy of the whole structure", "an atom"
            )
        )
    if volume_A3 is not None:
        for sign, also in ((1, "V sigma"), (-1, "-V sigma, a virial")):
            text = f"the values look like {also} in eV: name the column virial, or divide by the volume"
            table.append(Factor("stress", sign * volume_A3, text, "virial"))
    return table


def name_ratio(quantity: str, ratio: float, tolerance: float, table: Sequence[Factor]) -> Factor | None:
    """The factor of one quantity nearest to a ratio, within `tolerance` in the logarithm; None where 1 is as near, or none fits."""
    if ratio == 0 or not math.isfinite(ratio):
        return None
    near = [factor for factor in table if factor.quantity == quantity and factor.ratio * ratio > 0]
    best = min(near, key=lambda factor: _distance(ratio, factor.ratio), default=None)
    if best is None or _distance(ratio, best.ratio) > tolerance or (ratio > 0 and abs(math.log(ratio)) <= tolerance):
        return None
    return best


def explain(evidence: Sequence[tuple[str, str, float, float]], table: Sequence[Factor]) -> tuple[Factor, ...] | None:
    """Fewest wrong factors that explain all `evidence` (upper, lower, ratio of upper to lower, tolerance in the logarithm).

    () where all is right, None where one or two known factors do not explain it. Blamed in the order of `BLAMED`.
    """
    if all(_error({}, item) <= 1 for item in evidence):
        return ()
    involved = {name for item in evidence for name in item[:2]}
    for size in range(1, min(2, len(evidence)) + 1):
        options: list[tuple[float, tuple[Factor, ...]]] = []
        for names in combinations([name for name in BLAMED if name in involved], size):
            for chosen in product(*([factor for factor in table if factor.quantity == name] for name in names)):
                errors = [_error({factor.quantity: factor.ratio for factor in chosen}, item) for item in evidence]
                if max(errors) <= 1:
                    options.append((round(sum(errors), 6), chosen))
        if options:
            return min(options, key=lambda option: option[0])[1]
    return None


def fits(factors: Sequence[Factor], evidence: Sequence[tuple[str, str, float, float]]) -> bool:
    """Whether wrong factors (none: all is right) are within the tolerances of all evidence, as in `explain`, those by size left out."""
    wrong = {factor.quantity: factor.ratio for factor in factors}
    sized = {factor.quantity for factor in factors if factor.form}
    return all(_error(wrong, item) <= 1 for item in evidence if not sized & set(item[:2]))


def _error(factors: Mapping[str, float], item: tuple[str, str, float, float]) -> float:
    """How far a hypothesis is from one piece of evidence, in units of its tolerance."""
    upper, lower, ratio, tolerance = item
    expected = factors.get(upper, 1.0) / factors.get(lower, 1.0)
    return _distance(ratio, expected) / tolerance if ratio * expected > 0 else math.inf


def _distance(a: float, b: float) -> float:
    return abs(math.log(a / b))
