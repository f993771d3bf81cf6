"""Splits that keep equivalent structures together and every kind of structure on both sides."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from sciml.errors import ConfigError
from sciml.materials.labels.copies import equivalent_groups
from sciml.materials.labels.finding import group_of, labels_of
from sciml.seeding import numpy_generator


@dataclass(frozen=True)
class Split:
    """Records (sorted) that stay for training, and those drawn for validation."""

    train: tuple[int, ...]
    valid: tuple[int, ...]


def group_split(structures: Sequence[Atoms], fraction: float, seed: int) -> Split:
    """Draws `fraction` of the structures for validation; equivalent structures stay on one side.

    Stratified by `group_of` where present, else by number of atoms and whether all forces vanish; the same seed gives the same split.
    With two or more different structures and a fraction above 0, neither side is empty. Raises ConfigError unless 0 <= fraction < 1.
    """
    if not 0 <= fraction < 1:
        raise ConfigError(f"fraction: found {fraction}, expected 0 <= fraction < 1")
    groups = equivalent_groups(structures)
    clusters: dict[int, list[int]] = {}
    for index, group in enumerate(groups):
        clusters.setdefault(int(group), []).append(index)
    strata: dict[Hashable, list[list[int]]] = {}
    for cluster in clusters.values():
        strata.setdefault(_stratum(structures[cluster[0]]), []).append(cluster)
    generator = numpy_generator(seed, "group_split")
    chosen: list[int] = []
    seen = 0
    for stratum in sorted(strata, key=str):
        own = strata[stratum]
        seen += sum(map(len, own))
        for place in generator.permutation(len(own)):
            missing = fraction * seen - len(chosen)
            if missing >= 0.5 * len(own[place]):
                chosen += own[place]
    if fraction > 0 and len(clusters) > 1 and not chosen:
        chosen = list(clusters.values())[int(generator.integers(len(clusters)))]
    if len(chosen) == len(structures) and len(clusters) > 1:
        chosen = [index for index in chosen if groups[index] != groups[chosen[-1]]]
    valid = set(chosen)
    return Split(tuple(index for index in range(len(structures)) if index not in valid), tuple(sorted(valid)))


def _stratum(atoms: Atoms) -> Hashable:
    if group_of(atoms):
        return "group", group_of(atoms)
    forces = labels_of(atoms).forces
    return "size", len(atoms), forces is not None and bool(np.abs(forces).max(initial=0.0) < 1e-6)
