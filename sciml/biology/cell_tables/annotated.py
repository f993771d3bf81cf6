"""AnnData files (h5ad): columns of `obs`, and genes of `X` or of a layer, dense or sparse. Runs in a limited child.

The layout is that of https://anndata.readthedocs.io/en/stable/fileformat-prose.html, read by h5py alone: nothing is unpickled, no link out
of the file is followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from sciml.biology.cell_tables.exchange import packed
from sciml.biology.cell_tables.table import CellTable, Column, coded, numbered, pick
from sciml.errors import DataError

__all__ = ["read"]

_PART = 4_000_000  # entries of a sparse matrix in hand


def read(path: str, names: Sequence[str], layer: str | None) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """In the child: columns of obs and genes by name, packed. DataError for a name that is neither, or both."""
    with h5py.File(path, "r") as file:
        obs, var = _group(path, file, "obs"), _group(path, file, "var")
        annotations = [name for name in obs if name not in (_index(path, obs), "__categories")]
        genes = _texts(path, _child(path, var, _index(path, var)), "var")
        rows = _rows(path, _child(path, obs, _index(path, obs)))
        if not rows:
            raise DataError(f"{path}: obs has no rows, expected one for each cell")
        columns = {}
        for name in names:
            if name in annotations and name in genes:
                raise DataError(f"{path}: {name!r} is a column of obs and a gene; rename the column of obs")
            if name in annotations:
                columns[name] = _annotation(path, obs, name)
            else:
                (gene,) = pick(path, [name], [*annotations, *genes], "column of obs or gene")
                columns[name] = Column(name, _expression(path, file, layer, gene - len(annotations), (rows, len(genes))))
            column = columns[name]
            found = len(column.codes) if column.numbers is None else len(column.numbers)
            if found != rows:
                raise DataError(f"{path}: {name!r} has {found} values, obs {rows} rows; the file is damaged")
    return packed(CellTable(path, columns, rows))


def _child(path: str, parent: h5py.Group, name: str) -> Any:
    """What a group holds under a name, stored in this file itself."""
    where = f"{parent.name.rstrip('/')}/{name}"
    link = parent.get(name, getlink=True)
    if link is None:
        raise DataError(f"{path}: has no {where}, expected an AnnData file (h5ad)")
    if not isinstance(link, h5py.HardLink):
        raise DataError(f"{path}: {where} is a link to another place, which is not followed")
    found = parent[name]
    if isinstance(found, h5py.Dataset) and (found.is_virtual or found.external):
        raise DataError(f"{path}: {where} lies in another file, which is not opened")
    return found


def _group(path: str, parent: h5py.Group, name: str) -> h5py.Group:
    found = _child(path, parent, name)
    if not isinstance(found, h5py.Group):
        raise DataError(f"{path}: {name} is one array, as AnnData wrote it before version 0.7; open it there and save it again")
    return found


def _index(path: str, frame: h5py.Group) -> str:
    name = frame.attrs.get("_index", "_index")
    return name if isinstance(name, str) else "_index"


def _rows(path: str, index: Any) -> int:
    if isinstance(index, h5py.Group):  # strings with a mask
        index = _child(path, index, "values")
    return int(index.shape[0]) if index.shape else 0


def _texts(path: str, data: Any, where: str) -> list[str]:
    if isinstance(data, h5py.Group):
        data = _child(path, data, "values")
    if not isinstance(data, h5py.Dataset) or data.ndim != 1:
        raise DataError(f"{path}: the names of {where} are no list")
    if h5py.check_string_dtype(data.dtype) is not None:
        return [str(text) for text in data.asstr(errors="replace")[...]]
    if data.dtype.kind not in "iuf":
        raise DataError(f"{path}: the names of {where} are of the kind {data.dtype}, expected texts")
    return [str(value) for value in data[...].tolist()]


def _annotation(path: str, obs: h5py.Group, name: str) -> Column:
    """A column of obs: numbers, texts, categories, or either with a mask of what is missing."""
    data = _child(path, obs, name)
    if isinstance(data, h5py.Group):
        kind = data.attrs.get("encoding-type", "")
        if kind == "categorical":
            return _categorical(path, name, _child(path, data, "codes")[...], _child(path, data, "categories"))
        if kind in ("nullable-integer", "nullable-string-array"):
            column, mask = _plain(path, name, _child(path, data, "values")), _child(path, data, "mask")[...].astype(bool)
            if column.numbers is not None:
                return Column(name, np.where(mask, np.nan, column.numbers))
            texts = [column.texts[code] for code in column.codes]
            return coded(name, ("" if gone else text for text, gone in zip(texts, mask.tolist(), strict=True)))
        raise DataError(f"{path}: obs/{name}: found a column of the kind {kind or 'group'}, expected numbers, texts or categories")
    if "__categories" in obs and name in _group(path, obs, "__categories"):  # AnnData 0.7
        return _categorical(path, name, data[...], _child(path, _group(path, obs, "__categories"), name))
    return _plain(path, name, data)


def _categorical(path: str, name: str, codes: np.ndarray, categories: Any) -> Column:
    kinds = _texts(path, categories, f"obs/{name}")
    if codes.dtype.kind not in "iu" or codes.ndim != 1 or (codes.size and not -1 <= int(codes.min()) <= int(codes.max()) < len(kinds)):
        raise DataError(f"{path}: obs/{name}: the codes do not fit its {len(kinds)} categories; the file is damaged")
    if categories.dtype.kind in "iuf" if isinstance(categories, h5py.Dataset) else False:
        return Column(name, np.append(categories[...].astype(float), np.nan)[codes])
    texts = coded(name, [*kinds, ""])
    return Column(name, None, texts.codes[codes.astype(np.int64)], texts.texts)


def _plain(path: str, name: str, data: Any) -> Column:
    if not isinstance(data, h5py.Dataset) or data.ndim != 1:
        raise DataError(f"{path}: obs/{name}: found no list of values")
    if h5py.check_string_dtype(data.dtype) is not None:
        return coded(name, _texts(path, data, f"obs/{name}"))
    if data.dtype.kind not in "iuf":
        raise DataError(f"{path}: obs/{name}: found values of the kind {data.dtype}, expected numbers or texts")
    return numbered(name, data[...])


def _expression(path: str, file: h5py.File, layer: str | None, gene: int, shape: tuple[int, int]) -> np.ndarray:
    """[n] one gene of X or of a layer."""
    if layer is None:
        where, data = "X", _child(path, file, "X")
    else:
        layers = _group(path, file, "layers") if "layers" in file else None
        pick(path, [layer], list(layers or ()), "layer")
        where, data = f"layers/{layer}", _child(path, file["layers"], layer)
    found = tuple(map(int, data.attrs["shape"] if isinstance(data, h5py.Group) and "shape" in data.attrs else getattr(data, "shape", ())))
    if found != shape:
        raise DataError(f"{path}: {where} has the shape {found}, obs and var say {shape}; the file is damaged")
    if isinstance(data, h5py.Dataset):
        if data.dtype.kind not in "iuf":
            raise DataError(f"{path}: {where}: found values of the kind {data.dtype}, expected numbers")
        return data[:, gene].astype(np.float64)
    kind = data.attrs.get("encoding-type", "")
    if kind not in ("csr_matrix", "csc_matrix"):
        raise DataError(f"{path}: {where}: found a matrix of the kind {kind or 'group'}, expected a dense, csr or csc one")
    values, indices, pointers = (_child(path, data, part) for part in ("data", "indices", "indptr"))
    return _sparse(path, where, values, indices, pointers[...].astype(np.int64), kind == "csr_matrix", gene, shape)


def _sparse(
    path: str, where: str, values: Any, indices: Any, pointers: np.ndarray, by_rows: bool, gene: int, shape: tuple[int, int]
) -> np.ndarray:
    lines = shape[0] if by_rows else shape[1]
    stored = int(values.shape[0])
    if (
        len(pointers) != lines + 1
        or indices.shape != values.shape
        or pointers[0] != 0
        or pointers[-1] != stored
        or (np.diff(pointers) < 0).any()
    ):
        raise DataError(f"{path}: {where}: its pointers do not fit its {stored} entries; the file is damaged")
    found = np.zeros(shape[0])
    first, last = (0, stored) if by_rows else (int(pointers[gene]), int(pointers[gene + 1]))
    for begin in range(first, last, _PART):
        part = slice(begin, min(begin + _PART, last))
        at = indices[part].astype(np.int64)
        if (at < 0).any() or (at >= shape[1 if by_rows else 0]).any():
            raise DataError(f"{path}: {where}: an index lies outside of the matrix; the file is damaged")
        if by_rows:
            hit = np.flatnonzero(at == gene)
            rows, entries = np.searchsorted(pointers, begin + hit, side="right") - 1, values[part][hit]
        else:
            rows, entries = at, values[part]
        np.add.at(found, rows, entries.astype(np.float64))
    return found
