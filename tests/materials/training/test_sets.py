"""What callers may give: lists, paths, lists of paths; who validates; copies between training and test; large files stream."""

from __future__ import annotations

import logging
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms

from sciml.errors import ConfigError, DataError
from sciml.materials.training import Recipe, sets, train_potential
from sciml.materials.training.data import MemoryGraphs
from sciml.materials.training.sets import gather, open_sets, pieces
from sciml.materials.training.shards import ShardGraphs


def write(path: Path, structures: list[Atoms]) -> Path:
    ase.io.write(path, structures)
    return path


def test_lists_paths_and_lists_of_paths_are_the_same(copper, tmp_path: Path) -> None:
    structures = copper(5)
    first, second = write(tmp_path / "a.extxyz", structures[:3]), write(tmp_path / "b.extxyz", structures[3:])
    for source in (structures, [first, str(second)], [first, *structures[3:]]):
        found = gather(source)
        assert len(found) == 5
        for atoms, expected in zip(found, structures, strict=True):
            np.testing.assert_allclose(atoms.get_forces(), expected.get_forces(), atol=1e-7)
    assert [len(piece) for piece in pieces(structures, size=2)] == [2, 2, 1]
    with pytest.raises(ConfigError, match="expected a list of structures, a path"):
        gather(7)  # type: ignore[arg-type]


def test_a_tenth_validates_from_twenty_structures_up(copper) -> None:
    few, many = (open_sets(copper(count), None, None, 4.0, Recipe(), 0) for count in (19, 20))
    assert len(few.valid_rows) == 0 and few.train_rows.tolist() == list(range(19))
    assert len(many.valid_rows) == 2 and sorted([*many.train_rows, *many.valid_rows]) == list(range(20))
    other = open_sets(copper(20), copper(3, seed=4), None, 4.0, Recipe(), 0)
    assert len(other.train_rows) == 20 and len(other.valid) == 3 and other.valid_rows.tolist() == [0, 1, 2]


def test_every_group_validates(copper) -> None:
    structures = copper(40)
    for number, atoms in enumerate(structures):
        atoms.info["group"] = "ab"[number % 2]
    rows = open_sets(structures, None, None, 4.0, Recipe(), 0).valid_rows
    assert sorted(row % 2 for row in rows) == [0, 0, 1, 1]


def test_copies_in_the_test_set_are_found(copper, caplog: pytest.LogCaptureFixture) -> None:
    structures, test = copper(4), copper(2, seed=7)
    with pytest.raises(DataError, match="test record 1 = training record 2"):
        open_sets(structures, None, [test[0], structures[2]], 4.0, Recipe(), 0)
    turned = structures[1].copy()
    turned.rotate(30, "z", rotate_cell=True)
    turned.info["energy"] = structures[1].get_potential_energy()
    with caplog.at_level(logging.WARNING, "sciml"):
        found = open_sets(structures, None, [test[0], turned], 4.0, Recipe(), 0)
    assert found.equivalent == (1,) and "equal up to rotation" in caplog.text


@pytest.fixture
def streaming(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sets, "STREAM_MB", 0)


def test_large_files_are_streamed_and_give_the_same_graphs(copper, tmp_path: Path, streaming: None) -> None:
    structures = copper(30)
    path = write(tmp_path / "train.extxyz", structures)
    found = open_sets(path, None, None, 4.0, Recipe(), 0)
    assert isinstance(found.train, ShardGraphs) and found.census["counts"] == {"energy": 30, "forces": 30, "stress": 30}
    assert sorted([*found.train_rows, *found.valid_rows]) == list(range(30)) and 1 <= len(found.valid_rows) <= 9
    memory = MemoryGraphs(gather([path]), 4.0, "x")
    assert found.train.facts.digest == memory.facts.digest


def test_equal_structures_of_a_stream_stay_together(copper, tmp_path: Path, streaming: None) -> None:
    structures = [atoms for atoms in copper(10) for _ in range(4)]
    found = open_sets(write(tmp_path / "train.extxyz", structures), None, None, 4.0, Recipe(), 3)
    assert {row // 4 for row in found.train_rows}.isdisjoint({row // 4 for row in found.valid_rows})
    assert len(found.valid_rows) % 4 == 0 and len(found.valid_rows) > 0


def test_training_from_a_stream(copper, tiny, tmp_path: Path, streaming: None) -> None:
    path, test = write(tmp_path / "train.extxyz", copper(24)), write(tmp_path / "test.extxyz", copper(3, seed=5))
    potential = train_potential(path, test=test, steps=20, model_options=tiny, cutoff_A=4.0, out=tmp_path / "run")
    assert potential.metadata["metrics"]["test"]["structures"] == 3
    assert np.isfinite(potential.metadata["metrics"]["test"]["all"]["forces"]["rmse"])
