"""From what the caller gives (structures or paths) to sets of graphs: training, validation and test."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from sciml.errors import ConfigError, DataError
from sciml.materials.labels import census, compare_sets, group_split
from sciml.materials.structure import as_atoms, iterate_structures, read_structures
from sciml.materials.training.data import Facts, GraphSet, Indices, MemoryGraphs
from sciml.materials.training.recipe import Recipe
from sciml.materials.training.shards import ShardGraphs
from sciml.seeding import numpy_generator

logger = logging.getLogger("sciml.materials.training")

Source = Sequence[Any] | str | Path
VALID_FRACTION, VALID_FROM = 0.1, 20
STREAM_MB, STREAM_PACKED_MB = 64, 8


@dataclass(frozen=True)
class Sets:
    """Graphs to train on and to validate on, as rows of two sets (which may be one); what was counted; the test set."""

    train: GraphSet
    train_rows: Indices
    valid: GraphSet
    valid_rows: Indices
    census: dict[str, Any]
    test: Source | None
    read: dict[str, Any]
    equivalent: tuple[int, ...]
    """Test records that equal a training structure up to rotation or symmetry."""
    test_species: tuple[int, ...]
    """Atomic numbers in the test set; empty where that is streamed."""


def open_sets(
    train: Source,
    valid: Source | None,
    test: Source | None,
    cutoff_A: float,
    recipe: Recipe,
    seed: int,
    weights: Mapping[str, float] | None = None,
    read: Mapping[str, Any] | None = None,
) -> Sets:
    """Read and graph the data. Without `valid` a tenth is taken by group from 20 structures up. read: for paths.

    Raises DataError for an empty or damaged set, a target in `weights` without data, and where a test structure stands in the training set.
    """
    equivalent: tuple[int, ...] = ()
    tested = [] if test is None or _is_large(test) else gather(test, read)
    if test is not None and (_is_large(train) or _is_large(test)):
        logger.warning("test against training set: not compared, since one of them is streamed; copies are not found")
    if _is_large(train):
        train_set: GraphSet = ShardGraphs(Path(str(train)), cutoff_A, recipe, read)
        counted = _census_of(train_set.facts)
        rows, valid_rows = _split_facts(train_set.facts, seed) if valid is None else (np.arange(len(train_set)), np.arange(0))
    else:
        structures = gather(train, read)
        train_set = MemoryGraphs(structures, cutoff_A, _name(train, "training set"))
        counted, equivalent = _count(structures, weights), _against(structures, tested)
        rows, valid_rows = _split(structures, seed) if valid is None else (np.arange(len(structures)), np.arange(0))
    valid_set = train_set
    if valid is not None:
        valid_set = MemoryGraphs(gather(valid, read), cutoff_A, _name(valid, "validation set"))
        valid_rows = np.arange(len(valid_set))
    test_species = tuple(sorted({int(z) for atoms in tested for z in atoms.numbers}))
    return Sets(train_set, rows, valid_set, valid_rows, counted, test, dict(read or {}), equivalent, test_species)


def gather(source: Source, read: Mapping[str, Any] | None = None) -> list[Atoms]:
    """All structures of a list, a path, or a list of paths. ConfigError for anything else."""
    options = dict(read or {})
    if isinstance(source, str | Path):
        return read_structures(source, **options)
    if not isinstance(source, Sequence):
        raise ConfigError(f"structures: found {type(source).__name__}, expected a list of structures, a path, or a list of paths")
    if options and not any(isinstance(item, str | Path) for item in source):
        return read_structures(list(source), **options)
    return [atoms for item in source for atoms in (read_structures(item, **options) if isinstance(item, str | Path) else [as_atoms(item)])]


def pieces(source: Source, read: Mapping[str, Any] | None = None, size: int = 64) -> Iterator[list[Atoms]]:
    """The structures of a source, `size` at a time; large files are not held in memory."""
    records = iterate_structures(str(source), **dict(read or {})) if _is_large(source) else gather(source, read)
    piece: list[Atoms] = []
    for atoms in records:
        piece.append(atoms)
        if len(piece) == size:
            yield piece
            piece = []
    if piece:
        yield piece


def _is_large(source: Source) -> bool:
    if not isinstance(source, str | Path) or not Path(source).is_file():
        return False
    path = Path(source)
    limit = STREAM_PACKED_MB if path.suffix.lower() in (".gz", ".zip", ".bz2", ".xz") else STREAM_MB
    return path.stat().st_size > limit * 1_000_000


def _name(source: Source, default: str) -> str:
    return str(source) if isinstance(source, str | Path) else default


def _count(structures: list[Atoms], weights: Mapping[str, float] | None) -> dict[str, Any]:
    counted = census(structures)
    counted.require(weights or {})
    logger.info("training set: %s", counted.text())
    return counted.to_dict()


def _split(structures: list[Atoms], seed: int) -> tuple[Indices, Indices]:
    if len(structures) < VALID_FROM:
        return np.arange(len(structures)), np.arange(0)
    split = group_split(structures, VALID_FRACTION, seed)
    return np.array(split.train, dtype=np.int64), np.array(split.valid, dtype=np.int64)


def _against(structures: list[Atoms], test: list[Atoms]) -> tuple[int, ...]:
    """Test records equivalent to training structures; DataError for identical ones."""
    if not test:
        return ()
    compared = compare_sets(structures, test)
    compared.require_disjoint()
    if compared.equivalent:
        logger.warning("%s", compared.text())
    return tuple(record for record, _ in compared.equivalent)


def _split_facts(facts: Facts, seed: int) -> tuple[Indices, Indices]:
    """A tenth of a large set: of each group, by blocks of equal composition and energy per atom (1e-4 eV), so that copies stay together."""
    table = facts.table
    if len(table.atoms) < VALID_FROM:
        return np.arange(len(table.atoms)), np.arange(0)
    energy = np.nan_to_num(np.round(table.energy / table.atoms, 4), nan=-1e9)
    keys = np.rec.fromarrays([table.group, table.composition, energy])
    _, block = np.unique(keys, return_inverse=True)
    draws = numpy_generator(seed, "validation").random(int(block.max()) + 1)[block]
    chosen = draws < VALID_FRACTION
    if not chosen.any():
        chosen = block == block[int(draws.argmin())]
    if chosen.all():
        raise DataError("training set: all structures are equal; give a validation set with valid=")
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def _census_of(facts: Facts) -> dict[str, Any]:
    """A short census of a set that is not held in memory."""
    table = facts.table
    known = {"energy": table.energy, "forces": table.force_square, "stress": table.stress_square}
    counts = {name: int((~np.isnan(column)).sum()) for name, column in known.items()}
    groups = {name: int((table.group == number).sum()) for number, name in enumerate(facts.groups) if name}
    return {"structures": len(table.atoms), "atoms": int(table.atoms.sum()), "counts": counts, "groups": groups}
