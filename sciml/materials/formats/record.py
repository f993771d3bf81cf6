"""A structure as a reader leaves it: plain arrays and JSON values, which can cross from the limited child to the parent without pickle."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["Record", "pack", "pieces", "unpack"]

Array = np.ndarray[Any, np.dtype[Any]]
_KINDS = {"b": "bool", "i": "int64", "u": "int64", "f": "float64", "U": "str"}


@dataclass
class Record:
    """One structure of a file, nothing checked but the syntax.

    numbers [N] int64, positions [N,3] A, cell [3,3] A (rows are lattice vectors), pbc [3] bool; `info` holds scalars, texts and small
    arrays, `arrays` columns of N rows, `results` what the source itself marks as a calculator's result, in the units of the file;
    `fixed` [N,3] bool (True: this component may not move) or None, with `fixed_scaled` where components are those of the cell vectors;
    `notes`: what the user should be warned of; `constraints`: of an in-process object, these do not cross processes.
    """

    numbers: Array
    positions: Array
    cell: Array
    pbc: Array
    info: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    fixed: Array | None = None
    fixed_scaled: bool = False
    notes: list[str] = field(default_factory=list)
    constraints: list[Any] = field(default_factory=list)


def pieces(records: Iterable[Record], atoms: int = 20_000) -> Iterator[tuple[dict[str, Any], dict[str, Array]]]:
    """Packs records in groups of about `atoms` atoms, so that one piece is small whatever the file's size."""
    group: list[Record] = []
    count = 0
    for record in records:
        group.append(record)
        count += len(record.numbers) + 20
        if count >= atoms:
            yield pack(group)
            group, count = [], 0
    if group:
        yield pack(group)


def pack(records: list[Record]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Records -> one JSON text and a few flat arrays: equal columns of all records lie behind each other, which makes many small frames
    cheap.
    """
    columns: dict[str, list[Array]] = {}
    heads = []
    for record in records:
        arrays = {"numbers": record.numbers, "positions": record.positions, **{f"arrays/{k}": v for k, v in record.arrays.items()}}
        arrays |= {
            f"results/{k}": v for k, v in record.results.items() if isinstance(v, np.ndarray) and v.shape[:1] == record.numbers.shape
        }
        if record.fixed is not None:
            arrays["fixed"] = record.fixed
        names = [f"{name}|{value.dtype.kind}|{','.join(map(str, value.shape[1:]))}" for name, value in arrays.items()]
        for name, value in zip(names, arrays.values(), strict=True):
            columns.setdefault(name, []).append(value)
        results = {k: v for k, v in record.results.items() if f"results/{k}" not in arrays}
        heads.append(
            [len(record.numbers), names, _encode(record.info), _encode(results), record.pbc.tolist(), record.fixed_scaled, record.notes]
        )
    names = list(columns)
    flat = {str(k): np.concatenate(columns[name]) for k, name in enumerate(names)}
    flat["cell"] = np.array([record.cell for record in records], dtype=float)
    return {"names": names, "heads": json.dumps(heads)}, flat


def unpack(head: dict[str, Any], flat: dict[str, Array]) -> Iterator[Record]:
    """The inverse of `pack`."""
    places = {name: k for k, name in enumerate(head["names"])}
    starts = dict.fromkeys(head["names"], 0)
    for k, (n, names, info, results, pbc, fixed_scaled, notes) in enumerate(json.loads(head["heads"])):
        found = {}
        for name in names:
            start = starts[name]
            found[name.split("|")[0]] = flat[str(places[name])][start : start + n]
            starts[name] = start + n
        yield Record(
            numbers=found.pop("numbers"),
            positions=found.pop("positions"),
            cell=flat["cell"][k],
            pbc=np.array(pbc, dtype=bool),
            fixed=found.pop("fixed", None),
            fixed_scaled=fixed_scaled,
            notes=notes,
            info=_decode(info),
            results=_decode(results) | {key[8:]: value for key, value in found.items() if key.startswith("results/")},
            arrays={key[7:]: value for key, value in found.items() if key.startswith("arrays/")},
        )


def _encode(value: Any) -> Any:
    """JSON for nested dicts, lists, scalars and arrays; other objects are kept as their text."""
    if isinstance(value, dict):
        return {str(key): _encode(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encode(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return {"__array__": [_KINDS.get(value.dtype.kind, "str"), list(value.shape), value.ravel().tolist()]}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _decode(value: Any) -> Any:
    """The inverse of `_encode`."""
    if isinstance(value, list):
        return [_decode(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"__array__"}:
        kind, shape, flat = value["__array__"]
        return np.array(flat, dtype=kind).reshape(shape)
    return {key: _decode(inner) for key, inner in value.items()}
