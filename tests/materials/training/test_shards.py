"""Graphs in shards are the graphs in memory; they are made once, read in windows, and damage is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ase.io
import numpy as np
import pytest
import torch

from sciml.errors import DataError
from sciml.materials.structure import read_structures
from sciml.materials.training import Recipe, shards
from sciml.materials.training.data import MemoryGraphs
from sciml.materials.training.shards import ShardGraphs, pack_graphs, unpack_graph


def small(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Shards of about `size` bytes."""
    whole = shards._shards_of
    monkeypatch.setattr(shards, "_shards_of", lambda records, cutoff, _, name, builder: whole(records, cutoff, size, name, builder))


@pytest.fixture
def file(copper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path / "cache"))
    structures = copper(13)
    for atoms in structures[::2]:
        atoms.info["group"] = "even"
    structures[3].calc.results.pop("stress")
    path = tmp_path / "train.extxyz"
    ase.io.write(path, structures)
    return path


def test_shards_hold_what_memory_holds(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, 5_000)
    disk, memory = ShardGraphs(file, 4.0, Recipe()), MemoryGraphs(read_structures(file), 4.0, "x")
    assert len(disk) == 13 and 3 <= len(disk.starts) <= 12
    assert disk.facts.digest == memory.facts.digest and disk.facts.shortest_A == memory.facts.shortest_A
    for found, expected in zip(disk.facts.table, memory.facts.table, strict=True):
        np.testing.assert_array_equal(found, expected)
    baseline = np.linspace(0, 1, 13)
    for graphs in (disk, memory):
        graphs.set_baseline(baseline, 0.01 * baseline)
    for found, expected in zip(disk.load(range(13)), memory.load(range(13)), strict=True):
        assert set(found.keys()) == set(expected.keys())
        for name in expected.keys():
            assert found[name].dtype == expected[name].dtype, name
            assert torch.equal(found[name], expected[name]), name


def test_the_file_is_read_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ShardGraphs(file, 4.0, Recipe())
    monkeypatch.setattr(shards, "iterate_structures", lambda path, **_: pytest.fail("read again"))
    assert ShardGraphs(file, 4.0, Recipe()).folder == first.folder
    with pytest.raises(pytest.fail.Exception):
        ShardGraphs(file, 4.5, Recipe())


def test_order_keeps_a_few_shards_in_memory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch, 1)  # one structure a shard
    graphs = ShardGraphs(file, 4.0, Recipe(memory_MB=3, shard_MB=1))
    rows = np.array([0, 1, 2, 4, 5, 6, 7, 9, 12])
    orders = [graphs.order(rows, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert (orders[0] != orders[2]).any()
    assert sorted(orders[0]) == rows.tolist()
    for row in orders[0]:
        graphs.load([row])
        assert len(graphs._shards) <= 3


def test_damaged_shard_is_named(file: Path) -> None:
    graphs = ShardGraphs(file, 4.0, Recipe())
    shard = next(graphs.folder.glob("0*.safetensors"))
    data = bytearray(shard.read_bytes())
    data[-5] ^= 1
    shard.write_bytes(bytes(data))
    with pytest.raises(DataError, match=rf"{shard.name}: the digest does not match"):
        graphs.load([0])


def test_damaged_table_is_named(file: Path) -> None:
    folder = ShardGraphs(file, 4.0, Recipe()).folder
    (folder / "table.safetensors").write_bytes(b"x")
    with pytest.raises(DataError, match="table.safetensors: the digest does not match"):
        ShardGraphs(file, 4.0, Recipe())


def test_far_images_and_no_edges_survive_packing(copper) -> None:
    structures = copper(1)
    needle = structures[0].copy()
    needle.set_cell([0.02, 30, 30])
    needle.positions = [[0, 0, 0], [0, 9, 9], [0, 18, 9], [0, 9, 18]]
    alone = structures[0][:1]
    alone.pbc = False
    graphs = MemoryGraphs([needle, alone], 3.0, "x").graphs
    assert int(graphs[0].edge_shift.abs().max()) > 127 and graphs[1].edge_index.shape[1] == 0
    arrays = pack_graphs(graphs)
    ends = [np.concatenate([[0], np.cumsum(arrays[name])]) for name in ("atoms", "edges")]
    for number, expected in enumerate(graphs):
        found = unpack_graph(arrays, number, *ends)
        for name in expected.keys():
            assert torch.equal(found[name], expected[name]), name


def peak(folder: Path, megabytes: float) -> dict:
    """Train from a file of so many MB in a process of its own; its peak memory."""
    environment = os.environ | {"SCIML_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(Path(__file__).resolve().parent / "large_file.py"), str(folder), str(megabytes)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=6000)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_small_stream_stays_within_the_limit(tmp_path: Path) -> None:
    found = peak(tmp_path, 4)
    assert found["structures"] > 500
    assert max(found["own_MiB"], found["child_MiB"]) < 1536


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_two_gigabytes_need_hardly_more_than_half_a_gigabyte(tmp_path: Path, measured: Callable[[str, object, object], None]) -> None:
    small, large = peak(tmp_path, 500), peak(tmp_path, 2000)
    for name in ("own_MiB", "child_MiB"):
        measured(
            f"training from a 2 GB extxyz: {name} at 0.5 GB, 2 GB", f"{small[name]:.0f}, {large[name]:.0f}", "<= 1536 and <= 1.1 times"
        )
        assert large[name] <= min(1536, 1.1 * small[name])
