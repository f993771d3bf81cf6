"""CIF: sites, their symmetry images, each image once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sciml import sandbox
from sciml.errors import DataError
from sciml.materials.formats import source, tokens
from sciml.materials.formats.cif_symmetry import Operations, operations
from sciml.materials.formats.cif_text import Block, parse_blocks
from sciml.materials.formats.record import Array, Record
from sciml.materials.formats.tokens import ELEMENTS, Place, shorten

__all__ = ["parse_cif"]

_UNCERTAIN = re.compile(r"\(\d*\)$")
NOISE_A = 1e-3
"""Two images of a site nearer than this are one atom however many digits the file has (angstrom)."""
LARGEST_A = 0.25
"""Images are never merged beyond this distance, however few digits the file has (angstrom)."""
_HYDROGEN = {"D": "H", "T": "H"}


@dataclass
class Sites:
    """The rows of the atom-site loop: labels, atomic numbers [n], fractional coordinates [n,3], rounding [n,3] (half a unit of the last
    digit).
    """

    labels: list[str]
    numbers: Array
    fractions: Array
    rounding: Array


def parse_cif(path: str | Path, *, max_sites: int = 20_000, check_formula: bool = True) -> Iterator[Record]:
    """One record for each data block that has atoms.

    Listed operations are used, else spglib's tables by symbol and setting; a setting that does not fit the cell is refused. Images of a
    site that are nearer than the rounding of its coordinates are one atom, at the mean of the images. The number of atoms is compared
    with the formula times `_cell_formula_units_Z` (or the formula alone, as pymatgen writes it) where both are given; a mismatch is
    refused unless `check_formula=False`. Sites that are not fully occupied are refused, with their number.
    """
    text = source.read_text(path)
    sandbox.renew(len(text))
    place = Place(path)
    record = 0
    for block in parse_blocks(text, place):
        if any(tag.startswith(("_atom_site_fract", "_atom_site_cartn", "_atom_site_label")) for tag in block.values):
            yield _structure(block, place.at(record), max_sites, check_formula)
            record += 1
    if record == 0:
        raise place.fault("_atom_site_fract_x", "no data block has atoms", "at least one structure")


def _structure(block: Block, place: Place, max_sites: int, check_formula: bool) -> Record:
    cell = _cell(block, place)
    sites = _sites(block, place)
    candidates = operations(block, cell, place)
    if len(sites.labels) * min(len(group.rotations) for group in candidates) > 200 * max_sites:
        raise place.fault("_atom_site_fract_x", f"{len(sites.labels)} sites", f"at most {max_sites} atoms (max_sites=)")
    expanded = []
    for group in candidates:
        try:
            expanded.append((group, *_expand(sites, group, cell, place, max_sites)))
        except DataError:
            if len(candidates) == 1:
                raise
    group, numbers, fractions, parents = _choose(expanded, block, place, check_formula)
    info = {"cif_block": block.name} if block.name else {}
    symbol = block.one("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m")
    if symbol:
        info["spacegroup"] = symbol
    arrays = {"site_label": np.array([sites.labels[k] for k in parents], dtype=str)}
    charge = block.column("_atom_site_charge")
    if charge and len(charge) == len(sites.labels) and all(map(tokens.is_number, charge)):
        arrays["charge"] = np.array([float(charge[k]) for k in parents])
    return Record(numbers, fractions @ cell, cell, np.ones(3, dtype=bool), info=info, arrays=arrays)


def _number(text: str, place: Place, field: str) -> float:
    """A number without its standard uncertainty: 0.6210(2) -> 0.6210."""
    return tokens.floats([_UNCERTAIN.sub("", text.strip())], place, field)[0]


def _cell(block: Block, place: Place) -> Array:
    """Cell [3,3]: a along x, b in the x-y plane (the orientation of ASE and pymatgen)."""
    values = []
    for tag in ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"):
        text = block.one(f"_cell_{tag}")
        if text is None:
            raise place.fault(f"_cell_{tag}", "missing", "six cell parameters")
        values.append(_number(text, place, f"_cell_{tag}"))
    a, b, c = values[:3]
    if not all(np.isfinite(values)) or min(values) <= 0 or max(values[3:]) >= 180:
        raise place.fault("_cell_length, _cell_angle", f"{values}", "positive lengths, angles between 0 and 180")
    cosines = [0.0 if abs(angle - 90) < 1e-12 else np.cos(np.radians(angle)) for angle in values[3:]]
    sine = 1.0 if abs(values[5] - 90) < 1e-12 else np.sin(np.radians(values[5]))
    y = (cosines[0] - cosines[1] * cosines[2]) / sine
    height = 1 - cosines[1] ** 2 - y**2
    if height <= 0:
        raise place.fault("_cell_angle", f"{values[3:]} span no volume", "three angles of a cell")
    return np.array([[a, 0, 0], [b * cosines[2], b * sine, 0], [c * cosines[1], c * y, c * np.sqrt(height)]])


def _sites(block: Block, place: Place) -> Sites:
    columns = [block.column(f"_atom_site_fract_{axis}") for axis in "xyz"]
    x, y, z = columns
    if x is None or y is None or z is None:
        raise place.fault("_atom_site_fract_x", "fractional coordinates are missing", "_atom_site_fract_x, _y, _z")
    if not len(x) == len(y) == len(z):
        raise place.fault("_atom_site_fract_x", "columns of different lengths", "one loop with all three")
    labels, types = block.column("_atom_site_label"), block.column("_atom_site_type_symbol")
    names = labels or types
    if names is None or len(names) != len(x):
        raise place.fault("_atom_site_type_symbol", "no element is given for the sites", "_atom_site_type_symbol")
    _check_occupancies(block, names, place)
    known = set(re.findall(r"[A-Z][a-z]?", block.one("_chemical_formula_sum") or ""))
    if types is not None and len(types) == len(names):
        numbers = [_type(text, name, known, place) for text, name in zip(types, names, strict=True)]
    else:
        numbers = [_from_label(name, known, place) for name in names]
    rows = list(zip(x, y, z, strict=True))
    fractions = [[_number(text, place, f"_atom_site_fract of {name}") for text in row] for row, name in zip(rows, names, strict=True)]
    values = np.array(fractions)
    if not np.isfinite(values).all():
        raise place.fault("_atom_site_fract_x", "a coordinate is not finite", "finite coordinates")
    return Sites(list(names), np.array(numbers, dtype=np.int64), values, np.array([[_rounding(text) for text in row] for row in rows]))


def _check_occupancies(block: Block, names: list[str], place: Place) -> None:
    texts = block.column("_atom_site_occupancy") or []
    values = [1.0 if text in (".", "?") else _number(text, place, "_atom_site_occupancy") for text in texts]
    partial = [name for name, value in zip(names, values, strict=False) if abs(value - 1) > 1e-6 or not np.isfinite(value)]
    if partial:
        found = (
            f"{len(partial)} of {len(names)} sites are not fully occupied ({', '.join(partial[:5])}{', ...' if len(partial) > 5 else ''})"
        )
        right = "an ordered structure: choose one arrangement, for example with pymatgen's OrderDisorderedStructureTransformation"
        raise place.fault("_atom_site_occupancy", f"disordered, {found}", right)


def _type(text: str, label: str, known: set[str], place: Place) -> int:
    """Atomic number of a type symbol: `Mo4+`, `S2-`, `O-2`, `Fe`, `D`."""
    if text in (".", "?"):
        return _from_label(label, known, place)
    match = re.fullmatch(r"([A-Za-z]{1,2})(?:\d*\.?\d*[+-]|[+-]\d+\.?\d*|\d{0,3})", text)
    symbol = match.group(1).capitalize() if match else ""
    number = ELEMENTS.get(_HYDROGEN.get(symbol, symbol), 0)
    if not number:
        raise place.fault(
            "_atom_site_type_symbol", f"{shorten(text)} of site {shorten(label)} is no element", "an element symbol, with or without charge"
        )
    return number


def _from_label(label: str, known: set[str], place: Place) -> int:
    """Atomic number by a label like Mo1, S2A, CL1, H12; where one and two letters are both elements, the formula decides, then the case."""
    letters = re.match(r"[A-Za-z]*", label)
    text = letters.group() if letters else ""
    two, one = text[:2].capitalize(), text[:1].upper()
    fitting = [symbol for symbol in dict.fromkeys((two, one)) if _HYDROGEN.get(symbol, symbol) in ELEMENTS]
    in_formula = [symbol for symbol in fitting if symbol in known]
    if in_formula:
        fitting = in_formula
    if not fitting:
        raise place.fault("_atom_site_label", f"{shorten(label)} begins with no element", "_atom_site_type_symbol, or labels like Mo1")
    chosen = fitting[0] if len(text) < 2 or text[1].islower() or len(fitting) == 1 else fitting[-1]
    return ELEMENTS[_HYDROGEN.get(chosen, chosen)]


def _rounding(text: str) -> float:
    """Half a unit of the last digit of a coordinate; zero for halves, quarters and eighths, which are exact."""
    text = _UNCERTAIN.sub("", text.strip())
    mantissa, _, power = text.lower().partition("e")
    if float(text) * 8 == round(float(text) * 8):
        return 0.0
    return 0.5 * 10.0 ** (int(power[:4] or 0) - len(mantissa.partition(".")[2]))


def _expand(sites: Sites, group: Operations, cell: Array, place: Place, max_sites: int) -> tuple[Array, Array, Array]:
    """Atomic numbers [N], fractional coordinates [N,3] in [0,1), index of the site each atom comes from [N]."""
    lengths = np.linalg.norm(cell, axis=1)
    placed, parents = [], []
    for k, fraction in enumerate(sites.fractions):
        images = (group.rotations @ fraction + group.translations) % 1.0
        # Two images of one place differ by at most twice two rounding errors along each axis.
        tolerance = min(LARGEST_A, NOISE_A + 4 * float(sites.rounding[k].max()) * float(lengths.sum()))
        found = _distinct(images, cell, tolerance)
        if len(group.rotations) % len(found):
            raise place.fault(
                f"site {sites.labels[k]}",
                f"{len(group.rotations)} images give {len(found)} atoms at {tolerance:.3f} A",
                "coordinates with more digits",
            )
        placed.append(found)
        parents += [k] * len(found)
        if len(parents) > 4 * max_sites:
            raise place.fault("number of atoms", f"more than {len(parents)}", f"at most {max_sites} (max_sites=)")
    fractions, owners = np.concatenate(placed), np.array(parents)
    keep = _unique(fractions, sites.numbers[owners], cell)
    return sites.numbers[owners][keep], fractions[keep], owners[keep]


def _distinct(images: Array, cell: Array, tolerance: float) -> Array:
    """Images [S,3] that are nearer than `tolerance` as one, at their mean; [M,3] in [0,1). The first image leads."""
    left = np.arange(len(images))
    found = []
    while len(left):
        apart = images[left] - images[left[0]]
        apart -= np.rint(apart)
        near = np.linalg.norm(apart @ cell, axis=1) <= tolerance
        mean = images[left[0]] + apart[near].mean(axis=0)
        found.append(images[left[0]] if near.sum() == 1 else mean)
        left = left[~near]
    return np.array(found) % 1.0


def _unique(fractions: Array, numbers: Array, cell: Array) -> Array:
    """Indices of atoms that are no second copy of an earlier one (same element within `NOISE_A`), as in files with every atom and all
    operations.
    """
    order = np.argsort(fractions[:, 0], kind="stable")
    along = fractions[order, 0]
    reach = NOISE_A * float(np.linalg.norm(np.linalg.inv(cell)[:, 0]))  # fractional distance along x of two planes NOISE_A apart
    dropped: set[int] = set()
    for step in range(1, len(order)):
        near = np.flatnonzero((np.roll(along, -step) - along) % 1.0 <= reach)  # how far the step-th successor along x is
        if not len(near):
            break
        first, second = order[near], order[(near + step) % len(order)]
        apart = fractions[first] - fractions[second]
        apart -= np.rint(apart)
        same = (np.linalg.norm(apart @ cell, axis=1) <= NOISE_A) & (numbers[first] == numbers[second])
        dropped.update(np.maximum(first, second)[same].tolist())
    return np.array([k for k in range(len(numbers)) if k not in dropped])


def _choose(
    expanded: list[tuple[Operations, Array, Array, Array]], block: Block, place: Place, check_formula: bool
) -> tuple[Operations, Array, Array, Array]:
    """The expansion that agrees with the formula; refuses a mismatch, and a choice of origin that nothing decides."""
    if not expanded:
        raise place.fault("symmetry", "no setting of the group places the atoms", "operations, or a symbol with its setting")
    wanted = _formula(block, place)
    if wanted is None or not check_formula:
        if len(expanded) > 1:
            counts = ", ".join(f"{group.origin}: {len(numbers)} atoms" for group, numbers, _, _ in expanded)
            raise place.fault("space group", f"its setting is not stated ({counts})", "a symbol with the setting, like 'F d -3 m :2'")
        return expanded[0]
    fitting = [each for each in expanded if any(_counts(each[1]) == counts for counts in wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise place.fault("space group", "its setting is not stated, and more than one gives the formula", "a symbol with the setting")
    found = ", ".join(f"{symbol}{count}" for symbol, count in sorted(_counts(expanded[0][1]).items()))
    right = " or ".join(" ".join(f"{symbol}{count}" for symbol, count in sorted(counts.items())) for counts in wanted)
    raise place.fault("_cell_formula_units_Z", f"the cell has {found}, the formula says {right}", "atoms, symmetry and formula that agree")


def _counts(numbers: Array) -> dict[str, int]:
    symbols = list(ELEMENTS)
    return {symbols[z - 1]: int(n) for z, n in zip(*np.unique(numbers, return_counts=True), strict=True)}


def _formula(block: Block, place: Place) -> list[dict[str, int]] | None:
    """Atoms of a cell by element: the formula times Z, or the formula alone, as some writers give it; None where the file does not say."""
    formula, units = block.one("_chemical_formula_sum"), block.one("_cell_formula_units_z")
    if formula is None or units is None:
        return None
    parts = re.findall(r"([A-Z][a-z]?)\s*(\d*\.?\d*)", formula)
    times = _number(units, place, "_cell_formula_units_Z")
    if not parts or any(symbol not in ELEMENTS and symbol not in _HYDROGEN for symbol, _ in parts) or not 0 < times < 1e6:
        return None
    found: dict[str, float] = {}
    for symbol, count in parts:
        own = _HYDROGEN.get(symbol, symbol)
        found[own] = found.get(own, 0.0) + float(count or 1)
    options = [{symbol: round(count * factor) for symbol, count in found.items() if count * factor >= 0.5} for factor in (times, 1.0)]
    return options if options[0] != options[1] else options[:1]
