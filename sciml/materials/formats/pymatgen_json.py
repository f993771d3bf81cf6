"""pymatgen's Structure and Molecule as JSON. The dictionary is read as data; monty's decoder, which would call what it names, is never
used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.materials.formats.record import Array, Record
from sciml.materials.formats.tokens import ELEMENTS, Place, shorten

__all__ = ["record_of"]


def record_of(entry: dict[str, Any], place: Place, max_sites: int = 20_000) -> Record:
    """The record of one `Structure.as_dict()` or `Molecule.as_dict()`.

    Every site holds one element, fully occupied; oxidation states go to `arrays["oxidation_state"]`, site properties to `arrays`,
    charge and properties to `info`. DataError: disorder, dummy species, a site without coordinates.
    """
    sites, lattice = entry.get("sites"), entry.get("lattice")
    if not isinstance(sites, list) or not sites or not all(isinstance(site, dict) for site in sites):
        raise place.fault("sites", f"found {shorten(str(sites))}", "a list of sites")
    if len(sites) > max_sites:
        raise place.fault("sites", f"{len(sites)}", f"at most {max_sites} (max_sites=)")
    species = [_species(site, k, place) for k, site in enumerate(sites)]
    partial = [k for k, (_, _, whole) in enumerate(species) if not whole]
    if partial:
        found = f"disordered, {len(partial)} of {len(sites)} sites are not fully occupied (the first is {partial[0]})"
        raise place.fault(
            "occu", found, "an ordered structure: choose one arrangement, for example with OrderDisorderedStructureTransformation"
        )
    cell, pbc = np.zeros((3, 3)), np.zeros(3, dtype=bool)
    if lattice is not None:
        matrix = lattice.get("matrix") if isinstance(lattice, dict) else None
        cell = _numbers(matrix, (3, 3), "lattice.matrix", place)
        pbc = _numbers(lattice.get("pbc", [True] * 3), (3,), "lattice.pbc", place).astype(bool)
    positions = np.array([_position(site, k, cell, lattice is not None, place) for k, site in enumerate(sites)])
    info = {key: entry[key] for key in ("charge", "spin_multiplicity") if isinstance(entry.get(key), (int, float)) and entry[key]}
    properties = entry.get("properties")
    info |= {str(key): value for key, value in properties.items()} if isinstance(properties, dict) else {}
    numbers = np.array([number for number, _, _ in species], dtype=np.int64)
    arrays = _properties(sites)
    if any(state is not None for _, state, _ in species):
        arrays["oxidation_state"] = np.array([np.nan if state is None else state for _, state, _ in species], dtype=float)
    return Record(numbers, positions, cell, pbc, info=info, arrays=arrays)


def _species(site: dict[str, Any], k: int, place: Place) -> tuple[int, float | None, bool]:
    """(atomic number, oxidation state, fully occupied by one element) of a site."""
    entries = site.get("species")
    if not isinstance(entries, list) or not entries or not all(isinstance(each, dict) for each in entries):
        raise place.fault(f"site {k}, species", f"found {shorten(str(entries))}", 'a list like [{"element": "Si", "occu": 1}]')
    numbers = []
    for each in entries:
        symbol = each.get("element")
        number = ELEMENTS.get({"D": "H", "T": "H"}.get(symbol, symbol), 0) if isinstance(symbol, str) else 0
        if not number:
            raise place.fault(
                f"site {k}, element", f"{shorten(str(symbol))} is no element", "a symbol from H to Og (dummy species are not read)"
            )
        numbers.append(number)
    occupancy, state = entries[0].get("occu", 1), entries[0].get("oxidation_state")
    whole = len(entries) == 1 and isinstance(occupancy, (int, float)) and abs(occupancy - 1) <= 1e-6
    return numbers[0], state if isinstance(state, (int, float)) else None, whole


def _numbers(value: Any, shape: tuple[int, ...], field: str, place: Place) -> Array:
    """An array of numbers of the given shape."""
    try:
        array = np.array(value)
    except ValueError:
        array = np.array(None)
    if array.shape != shape or array.dtype.kind not in "ifb":
        raise place.fault(field, f"found {shorten(str(value))}", f"numbers of shape {list(shape)}")
    return array.astype(float)


def _position(site: dict[str, Any], k: int, cell: Array, periodic: bool, place: Place) -> Array:
    """Cartesian position; `abc` and `xyz` must agree where both are given."""
    abc, xyz = site.get("abc"), site.get("xyz")
    if not periodic or abc is None:
        return _numbers(xyz, (3,), f"site {k}, xyz", place)
    position: Array = _numbers(abc, (3,), f"site {k}, abc", place) @ cell
    if xyz is not None and np.abs(_numbers(xyz, (3,), f"site {k}, xyz", place) - position).max() > 1e-3:
        raise place.fault(f"site {k}", "abc and xyz are different places", "coordinates that agree")
    return position


def _properties(sites: list[dict[str, Any]]) -> dict[str, Array]:
    """Site properties that are numbers for every site, [N] or [N,k]."""
    first = sites[0].get("properties")
    found: dict[str, Array] = {}
    for name in first if isinstance(first, dict) else {}:
        values = [site["properties"].get(name) if isinstance(site.get("properties"), dict) else None for site in sites]
        try:
            array = np.array(values)
        except ValueError:
            continue
        if array.dtype.kind in "ifb":
            found[str(name)] = array
    return found
