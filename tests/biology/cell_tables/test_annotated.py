from __future__ import annotations

import h5py
import numpy as np
import pytest

from sciml.biology.cell_tables.annotated import read
from sciml.biology.cell_tables.exchange import read_in_child
from sciml.errors import DataError
from tests.biology.cell_tables.written import h5ad

READ = "sciml.biology.cell_tables.annotated:read"
MATRIX = np.array([[0.0, 2, 0], [1, 0, 0], [0, 0, 5], [7, 8, 9]])
OBS = {"dose": ["0 ng", "1 ng", "1 ng", "0 ng"], "area": [1.5, 2.5, np.nan, 3.5], "batch": [1, 1, 2, 2]}
GENES = ["NFKBIA", "TNF", "IL6"]


@pytest.fixture
def path(tmp_path):
    return h5ad(tmp_path / "cells.h5ad", OBS, MATRIX, GENES, {"counts": 2 * MATRIX})


def values(path, names, layer=None):
    record, arrays = read(str(path), names, layer)
    return {
        name: arrays[f"n{k}"].tolist() if f"n{k}" in arrays else [record["texts"][name][code] for code in arrays[f"c{k}"]]
        for k, name in enumerate(record["names"])
    }


@pytest.mark.parametrize("sparse", [None, "csr", "csc"])
def test_genes_of_x_and_of_a_layer(tmp_path, sparse):
    path = h5ad(tmp_path / "cells.h5ad", OBS, MATRIX, GENES, {"counts": 2 * MATRIX}, sparse)
    assert values(path, ["TNF", "IL6"]) == {"TNF": [2, 0, 0, 8], "IL6": [0, 0, 5, 9]}
    assert values(path, ["NFKBIA"], "counts") == {"NFKBIA": [0, 2, 0, 14]}


def test_a_sparse_matrix_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("sciml.biology.cell_tables.annotated._PART", 2)
    for sparse in ("csr", "csc"):
        path = h5ad(tmp_path / f"{sparse}.h5ad", OBS, MATRIX, GENES, sparse=sparse)
        assert values(path, GENES) == {gene: MATRIX[:, k].tolist() for k, gene in enumerate(GENES)}


def test_columns_of_obs_in_a_child(path):
    table = read_in_child(READ, path, ["dose", "area", "batch"], None)
    assert [table.columns["dose"].texts[c] for c in table.columns["dose"].codes] == OBS["dose"]
    assert table.columns["area"].missing.tolist() == [False, False, True, False] and table.columns["batch"].numbers.tolist() == [1, 1, 2, 2]


def test_other_ways_to_store_a_column(path):
    with h5py.File(path, "a") as file:
        obs = file["obs"]
        obs.create_dataset("plain", data=["a", "b", "", "a"], dtype=h5py.string_dtype())
        masked = obs.create_group("masked")
        masked.attrs["encoding-type"] = "nullable-integer"
        masked.create_dataset("values", data=[1, 2, 3, 4])
        masked.create_dataset("mask", data=[False, True, False, False])
        level = obs.create_group("level")
        level.attrs["encoding-type"] = "categorical"
        level.create_dataset("codes", data=np.array([0, 1, -1, 1], dtype=np.int8))
        level.create_dataset("categories", data=[0.5, 10.0])
        obs.create_dataset("old", data=np.array([1, 0, -1, 1], dtype=np.int8))
        obs.create_group("__categories").create_dataset("old", data=["x", "y"], dtype=h5py.string_dtype())
    found = values(path, ["plain", "masked", "level", "old"])
    assert found["plain"] == ["a", "b", "", "a"] and found["old"] == ["y", "x", "", "y"]
    assert found["masked"] == pytest.approx([1, np.nan, 3, 4], nan_ok=True)
    assert found["level"] == pytest.approx([0.5, 10, np.nan, 10], nan_ok=True)


def damaged(path, change):
    with h5py.File(path, "a") as file:
        change(file)
    return path


def _replace(place, data):
    def change(file):
        del file[place]
        file.create_dataset(place, data=data)

    return change


def _link(file):
    file["obs/dose2"] = h5py.ExternalLink("/etc/passwd", "/x")


def _external(file):
    file["obs"].create_dataset("outside", (4,), dtype="f8", external=[("/etc/passwd", 0, 32)])


@pytest.mark.parametrize(
    ("change", "names", "layer", "said"),
    [
        (lambda f: None, ["TNG"], None, "has no column of obs or gene 'TNG'; did you mean 'TNF'"),
        (lambda f: None, ["TNF"], "count", "has no layer 'count'"),
        (lambda f: f["obs"].create_dataset("TNF", data=[1, 2, 3, 4]), ["TNF"], None, "'TNF' is a column of obs and a gene"),
        (_link, ["dose2"], None, "/obs/dose2 is a link to another place"),
        (_external, ["outside"], None, "/obs/outside lies in another file"),
        (_replace("obs/area", [1.0, 2.0]), ["area"], None, "'area' has 2 values, obs 4 rows"),
        (_replace("X", MATRIX[:2]), ["TNF"], None, r"X has the shape \(2, 3\), obs and var say \(4, 3\)"),
        (_replace("obs/dose/codes", np.array([0, 9, 0, 0], dtype=np.int8)), ["dose"], None, "the codes do not fit its 2 categories"),
        (_replace("obs/area", [True, False, True, True]), ["area"], None, "obs/area: found values of the kind bool"),
        (_replace("obs/area", np.zeros((4, 2))), ["area"], None, "obs/area: found no list"),
        (lambda f: f.pop("var"), ["TNF"], None, "has no /var, expected an AnnData file"),
        (_replace("obs", np.zeros(4, dtype=[("a", "f8")])), ["a"], None, "obs is one array, as AnnData wrote it before"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, change, names, layer, said):
    path = damaged(h5ad(tmp_path / "cells.h5ad", OBS, MATRIX, GENES), change)
    with pytest.raises(DataError, match=f"cells.h5ad: .*({said})"):
        read(str(path), names, layer)


@pytest.mark.parametrize(
    ("part", "data", "said"),
    [
        ("indptr", [0, 1, 2, 3, 99], "pointers do not fit"),
        ("indptr", [0, 3, 2, 3, 6], "pointers do not fit"),
        ("indices", [1, 0, 2, 0, 1, 77], "an index lies outside"),
        ("indices", [1, 0], "pointers do not fit"),
    ],
)
def test_a_damaged_sparse_matrix(tmp_path, part, data, said):
    path = damaged(h5ad(tmp_path / "cells.h5ad", OBS, MATRIX, GENES, sparse="csr"), _replace(f"X/{part}", np.array(data)))
    with pytest.raises(DataError, match=said):
        read(str(path), ["TNF"], None)


def test_a_claimed_size_takes_no_memory(tmp_path):
    """A matrix and an obs of 2^40 rows of which nothing is stored."""
    path = h5ad(tmp_path / "cells.h5ad", {"area": [1.0]}, MATRIX[:1], GENES)
    with h5py.File(path, "a") as file:
        for place in ("obs/_index", "obs/area", "X"):
            shape = (2**40, 3) if place == "X" else (2**40,)
            kind = file[place].dtype
            del file[place]
            file.create_dataset(place, shape, dtype=kind, chunks=(1024, 3)[: len(shape)])
    with pytest.raises(DataError, match="cells.h5ad: .*memory"):
        read_in_child(READ, path, ["TNF"], None)


@pytest.mark.parametrize("n", [3, pytest.param(200, marks=pytest.mark.long)])
def test_damaged_files_are_refused_or_read(tmp_path, n):
    path = h5ad(tmp_path / "cells.h5ad", OBS, MATRIX, GENES, sparse="csr")
    data, rng = path.read_bytes(), np.random.default_rng(3)
    for k in range(n):
        copy = bytearray(data[: rng.integers(len(data))] if k % 3 == 0 else data)
        for _ in range(rng.integers(1, 40)):
            if copy:
                copy[rng.integers(len(copy))] = rng.integers(256)
        path.write_bytes(copy)
        try:
            assert read_in_child(READ, path, ["dose", "TNF"], None).rows >= 1
        except DataError as error:
            assert "cells.h5ad" in str(error)
