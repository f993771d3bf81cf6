"""Inside: eV, angstrom, eV/A, eV/A^3 (tension positive), as in ASE. This table turns what files hold into that, at the edges only."""

from __future__ import annotations

import difflib

from sciml.errors import ConfigError

__all__ = ["EV_PER_A3_IN_GPA", "KBAR_IN_EV_PER_A3", "UNITS", "factor"]

# The constants are those of ASE (CODATA 2014), so that a structure handed over and back keeps its bits.
HARTREE_IN_EV = 27.211386024367243
RYDBERG_IN_EV = HARTREE_IN_EV / 2
BOHR_IN_A = 0.5291772105638411
KCAL_PER_MOL_IN_EV = 0.04336410390059322
KJ_PER_MOL_IN_EV = KCAL_PER_MOL_IN_EV / 4.184
EV_PER_A3_IN_GPA = 160.21766208
KBAR_IN_EV_PER_A3 = 0.1 / EV_PER_A3_IN_GPA

_ENERGIES = {
    "eV": 1.0,
    "meV": 1e-3,
    "Ry": RYDBERG_IN_EV,
    "Ha": HARTREE_IN_EV,
    "Hartree": HARTREE_IN_EV,
    "kcal/mol": KCAL_PER_MOL_IN_EV,
    "kJ/mol": KJ_PER_MOL_IN_EV,
}
_LENGTHS = {"A": 1.0, "angstrom": 1.0, "nm": 10.0, "pm": 0.01, "bohr": BOHR_IN_A}
_PRESSURES = {"GPa": 10 * KBAR_IN_EV_PER_A3, "kBar": KBAR_IN_EV_PER_A3, "bar": 1e-3 * KBAR_IN_EV_PER_A3, "Pa": 1e-8 * KBAR_IN_EV_PER_A3}

UNITS: dict[str, dict[str, float]] = {
    "energy": _ENERGIES,
    "length": _LENGTHS,
    "forces": {f"{e}/{x}": a / b for e, a in _ENERGIES.items() for x, b in _LENGTHS.items()},
    "stress": {f"{e}/{x}^3": a / b**3 for e, a in _ENERGIES.items() for x, b in _LENGTHS.items()} | _PRESSURES,
    "virial": _ENERGIES,
}
"""quantity -> unit -> the number that turns a value in that unit into eV, A, eV/A or eV/A^3."""


def factor(quantity: str, unit: str) -> float:
    """What a value of `quantity` in `unit` is multiplied by to be in eV, A, eV/A or eV/A^3.

    `quantity` is one of energy, length, forces, stress, virial. A minus sign before the unit states the opposite sign: VASP prints
    stress with pressure positive, so it is "-kBar" here. Raises ConfigError that names the units known and the nearest one.
    """
    if quantity not in UNITS:
        raise ConfigError(f"units: no quantity {quantity!r}, expected one of {', '.join(UNITS)}")
    table, text = UNITS[quantity], str(unit).strip()
    sign, name = (-1.0, text[1:].strip()) if text.startswith("-") else (1.0, text)
    lower = {known.lower(): known for known in table}
    known = name if name in table else lower.get(name.lower().replace("å", "a").replace("**", "^").replace(" ", ""), "")
    if not known or (name[:1] in "mM" and known[:1] != name[:1]):  # "MeV" is not "meV"
        near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
        hint = f" (did you mean {lower[near[0]]!r}?)" if near else ""
        raise ConfigError(f"units: {quantity}: unknown unit {unit!r}{hint}. Known: {_known(quantity)}. A '-' before it flips the sign.")
    return sign * table[known]


def _known(quantity: str) -> str:
    """The units of a quantity in words; quotients by their parts, of which there are too many."""
    energies, lengths = ", ".join(_ENERGIES), ", ".join(_LENGTHS)
    if quantity == "forces":
        return f"ENERGY/LENGTH, as eV/A, of {energies} and {lengths}"
    if quantity == "stress":
        return f"{', '.join(_PRESSURES)}, or ENERGY/LENGTH^3, as eV/A^3, of {energies} and {lengths}"
    return ", ".join(UNITS[quantity])
