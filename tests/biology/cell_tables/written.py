"""Files of cells as other programs write them, made by hand: FCS 3.1 and h5ad (AnnData's layout on disk)."""

from __future__ import annotations

import h5py
import numpy as np


def fcs(values, names, *, kind="F", order="1,2,3,4", bits=None, labels=None, mark="/", exclusive_end=False, at=None, **keywords):
    """The bytes of an FCS file; `keywords` as in P1E="4,1" replace or add what stands in TEXT."""
    values = np.atleast_2d(np.asarray(values))
    count, bits = values.shape[1], bits or [{"F": 32, "D": 64, "I": 32}[kind]] * values.shape[1]
    letter = ("<" if order.startswith("1") else ">") + ("f" if kind in "FD" else "u")
    layout = np.dtype([(f"c{k}", f"{letter}{width // 8}") for k, width in enumerate(bits)])
    table = np.empty(len(values), layout)
    for k in range(count):
        table[f"c{k}"] = values[:, k]
    data = table.tobytes()
    text = {"$MODE": "L", "$DATATYPE": kind, "$BYTEORD": order, "$NEXTDATA": "0", "$PAR": count, "$TOT": len(values)}
    for k in range(count):
        text |= {f"$P{k + 1}N": names[k], f"$P{k + 1}B": bits[k], f"$P{k + 1}R": 2 ** min(bits[k], 31), f"$P{k + 1}E": "0,0"}
        text |= {f"$P{k + 1}S": labels[k]} if labels else {}
    text |= {f"${key}": value for key, value in keywords.items()}
    begin = 58
    stop = begin + 4096 - 1
    first = stop + 1 if at is None else at
    last = first + len(data) - (0 if exclusive_end else 1)
    text = {"$BEGINDATA": first, "$ENDDATA": last} | text
    body = mark + mark.join(f"{key}{mark}{str(value).replace(mark, mark * 2)}" for key, value in text.items()) + mark
    header = "FCS3.1    " + "".join(f"{place:>8}" for place in (begin, stop, first, last, 0, 0))
    return header.encode() + body.encode().ljust(4096) + data


def h5ad(path, obs, matrix, genes, layers=None, sparse=None):
    """An AnnData file: `obs` {name: list}, texts as categories; `sparse` "csr" or "csc" for X and layers."""
    with h5py.File(path, "w") as file:
        n = len(matrix)
        for name, columns, index in (("obs", obs, [f"cell{k}" for k in range(n)]), ("var", {}, genes)):
            frame = file.create_group(name)
            frame.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index"})
            frame.create_dataset("_index", data=index, dtype=h5py.string_dtype())
            for key, values in columns.items():
                if isinstance(values[0], str):
                    kinds = sorted(set(values))
                    group = frame.create_group(key)
                    group.attrs.update({"encoding-type": "categorical", "ordered": False})
                    group.create_dataset("codes", data=np.array([kinds.index(v) for v in values], dtype=np.int8))
                    group.create_dataset("categories", data=kinds, dtype=h5py.string_dtype())
                else:
                    frame.create_dataset(key, data=values)
        place(file, "X", matrix, sparse)
        for key, values in (layers or {}).items():
            place(file.require_group("layers"), key, values, sparse)
    return path


def place(parent, name, matrix, sparse):
    """A dense or sparse matrix in AnnData's layout."""
    from scipy import sparse as sp

    if not sparse:
        parent.create_dataset(name, data=matrix)
        return
    packed = sp.csr_matrix(matrix) if sparse == "csr" else sp.csc_matrix(matrix)
    group = parent.create_group(name)
    group.attrs.update({"encoding-type": f"{sparse}_matrix", "shape": np.array(packed.shape)})
    for part in ("data", "indices", "indptr"):
        group.create_dataset(part, data=getattr(packed, part))
