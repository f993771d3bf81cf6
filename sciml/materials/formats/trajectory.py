"""ASE's binary trajectories (.traj, in the ulm container), read array by array: no class is named by the file, nothing is unpickled."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from sciml.materials.formats import source
from sciml.materials.formats.ase_json import fixed_atoms, value_of
from sciml.materials.formats.record import Array, Record
from sciml.materials.formats.tokens import Place

__all__ = ["parse_trajectory"]

_TYPES = {"float64", "float32", "int64", "int32", "bool", "uint8", "int8"}
_HEADER = ("numbers", "pbc", "masses", "constraints")
_ASE_NAMES = {"magmoms": "initial_magmoms", "charges": "initial_charges"}
_NO_ARRAYS = {"numbers", "positions", "cell", "pbc", "constraints", "info", "version", "ase_version", "description"}
_NO_RESULTS = {"calculator.name", "calculator.parameters", "calculator.ulm_version"}


def parse_trajectory(path: str | Path, *, max_sites: int = 20_000) -> Iterator[Record]:
    """Records of an ASE trajectory. What is the same in all frames (numbers, pbc) stands in the first one only. Results are read as the
    calculator gave them, without constraints applied; constraints of fixed atoms become `fixed`, others are kept as text in
    `info["constraints"]`.
    """
    place = Place(path)
    with contextlib.ExitStack() as stack:
        handle = stack.enter_context(open(path, "rb"))
        if source.compression(handle.read(6)):
            unpacked = stack.enter_context(source.open_bytes(path))
            data = _Data(unpacked.read(), place)
        else:
            data = _Data(handle, place)
        offsets = data.offsets()
        if len(offsets) == 0:
            raise place.fault("file", "no frame", "at least one structure")
        header: dict[str, Any] = {}
        for number, offset in enumerate(offsets):
            here = place.at(number)
            frame = data.frame(int(offset), here)
            header = header or {name: frame[name] for name in _HEADER if name in frame}
            yield _record(frame if "numbers" in frame else header | frame, here, max_sites)


class _Data:
    """The container: a table of offsets, a JSON text for each frame, arrays by (shape, type, offset)."""

    def __init__(self, content: bytes | IO[bytes], place: Place) -> None:
        self.content, self.place = content, place

    def bytes_at(self, offset: int, count: int) -> bytes:
        """`count` bytes from `offset`; DataError where the file is shorter."""
        found = b""
        if 0 <= offset < 1 << 62 and 0 <= count < 1 << 40:
            if isinstance(self.content, bytes):
                found = self.content[offset : offset + count]
            else:
                if offset + count <= self.content.seek(0, 2):
                    self.content.seek(offset)
                    found = self.content.read(count)
        if len(found) < count or count < 0:
            raise self.place.fault("container", "an offset points outside the file", "a whole trajectory")
        return found

    def integers(self, offset: int, count: int) -> Array:
        """Whole numbers, little-endian, 8 bytes each."""
        return np.frombuffer(self.bytes_at(offset, 8 * count), "<i8")

    def offsets(self) -> Array:
        """Where the frames begin."""
        tag = self.bytes_at(8, 16).strip(b"\x00 ")
        if tag != b"ASE-Trajectory":
            raise self.place.fault("container", f"a file of {tag.decode('ascii', 'replace')!r}", "an ASE trajectory")
        version, items, table = self.integers(24, 3).tolist()
        if not 1 <= version <= 3 or items < 0:
            raise self.place.fault("container", f"version {version}, {items} items", "an ASE trajectory of version 1 to 3")
        return self.integers(table, items)

    def frame(self, offset: int, place: Place) -> dict[str, Any]:
        """The JSON of one frame with its arrays in place."""
        size = int(self.integers(offset, 1)[0])
        try:
            tree = json.loads(self.bytes_at(offset + 8, size))
        except (ValueError, RecursionError) as error:
            raise place.fault("container", f"the frame's JSON is damaged ({error})", "a whole trajectory") from error
        if not isinstance(tree, dict):
            raise place.fault("container", "the frame is no mapping", "a whole trajectory")
        return {name: self._resolve(value, place) for name, value in _flat(tree).items()}

    def _resolve(self, value: Any, place: Place) -> Any:
        if not (isinstance(value, dict) and set(value) == {"ndarray"}):
            return value
        entry = value["ndarray"]
        if not (
            isinstance(entry, list) and len(entry) == 3 and entry[1] in _TYPES and isinstance(entry[2], int) and isinstance(entry[0], list)
        ):
            raise place.fault("container", "an array of unknown shape or type", f"one of {', '.join(sorted(_TYPES))}")
        shape, kind, offset = entry
        if not all(isinstance(n, int) and 0 <= n < 1 << 31 for n in shape) or len(shape) > 6:
            raise place.fault("container", f"an array of shape {shape}", "a small array")
        count = int(np.prod(shape, dtype=object)) if shape else 1
        dtype = np.dtype(kind).newbyteorder("<")
        return np.frombuffer(self.bytes_at(offset, count * dtype.itemsize), dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"calculator.": {"forces.": x}}` -> `{"calculator.forces": x}`: a dot marks what is kept apart as an array or a sub-tree."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if key.endswith(".") and isinstance(value, dict):
            inner = {"ndarray": value["ndarray"]} if set(value) == {"ndarray"} else None
            found |= {prefix + key[:-1]: inner} if inner else _flat(value, prefix + key)
        else:
            found[prefix + key] = value
    return found


def _record(frame: dict[str, Any], place: Place, max_sites: int) -> Record:
    """One frame; what `ase.io.trajectory.read_atoms` reads."""
    missing = [name for name in ("numbers", "positions") if not isinstance(frame.get(name), np.ndarray)]
    if missing:
        raise place.fault(missing[0], "missing", "a whole trajectory")
    numbers = frame["numbers"].astype(np.int64).ravel()
    if not 0 < len(numbers) <= max_sites:
        raise place.fault("number of atoms", f"{len(numbers)}", f"1 to {max_sites} (max_sites=)")
    cell = np.asarray(frame.get("cell") if frame.get("cell") is not None else np.zeros((3, 3)), dtype=float)
    pbc = np.asarray(frame.get("pbc") if frame.get("pbc") is not None else [False] * 3, dtype=bool)
    if frame["positions"].shape != (len(numbers), 3) or cell.shape not in ((3,), (3, 3)) or pbc.shape != (3,):
        raise place.fault("positions, cell, pbc", "shapes that do not belong together", "[N,3], [3,3], [3]")
    results = {
        key[11:]: value_of(value)
        for key, value in frame.items()
        if key.startswith("calculator.") and key not in _NO_RESULTS and not key.startswith("calculator.parameters.")
    }
    info = {key[5:]: value_of(value) for key, value in frame.items() if key.startswith("info.")}
    if isinstance(frame.get("info"), dict):
        info |= {str(key): value_of(value) for key, value in frame["info"].items()}
    arrays = {
        _ASE_NAMES.get(key, key): value
        for key, value in frame.items()
        if "." not in key and key not in _NO_ARRAYS and isinstance(value, np.ndarray) and value.shape[:1] == numbers.shape
    }
    fixed, others = fixed_atoms(frame.get("constraints"), len(numbers))
    info |= {"constraints": others} if others else {}
    full = np.diag(cell) if cell.shape == (3,) else cell
    return Record(numbers, frame["positions"].astype(float), full, pbc, info=info, arrays=arrays, results=results, fixed=fixed)
