"""Trajectories on the disk: one array that is filled block by block, what was asked for, and which blocks are there.

A folder: `manifest.json` (the request; complete or not), `network.json`, `parameters.npy`, `states.npy` [n, T, s], and `finished.txt`, a
line for each block whose states are on the disk. A block counts only once its line is there, so that a kill at any moment leaves a folder
that can be read and gone on with.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from sciml import files
from sciml.arguments import checked
from sciml.biology.kernels.compiled import system_of
from sciml.biology.network import Network
from sciml.biology.simulation.trajectories import Ensemble
from sciml.errors import ConfigError, DataError

__all__ = ["TrajectoryStore", "load_ensemble"]

_KIND = "trajectories"
_STATES, _PARAMETERS, _NETWORK, _FINISHED = "states.npy", "parameters.npy", "network.json", "finished.txt"
_LONGEST = 60  # characters of a value in a message


@checked
def load_ensemble(folder: str | PathLike[str]) -> Ensemble:
    """The trajectories that `simulate_ssa(..., store=folder)` wrote, `states` [n, T, s] mapped from the disk and read where they are used.

    Of a run that was stopped, or is still going on, it holds the first trajectories, as far as all of them are there, and says so in
    `notes`. Raises DataError where the folder holds no trajectories or was damaged.
    """
    place = Path(folder)
    manifest = files.verify_folder(place)
    if manifest.get("kind") != _KIND:
        raise DataError(f"{place / 'manifest.json'}: field kind: found {manifest.get('kind')!r}, expected {_KIND!r}")
    said = manifest["ensemble"]
    n, blocks = int(said["n"]), _finished(place)
    whole = 0
    while whole in blocks:
        whole += blocks[whole][0]
    states, raw = _mapped(place / _STATES), np.load(place / _PARAMETERS, allow_pickle=False)
    if states.shape[:2] != (n, len(said["times"])) or whole > n:
        raise DataError(f"{place / _STATES}: found shape {states.shape}, expected {n} trajectories at {len(said['times'])} times")
    notes = tuple(said["notes"])
    if whole < n:
        notes += (f"holds the first {whole} of {n} trajectories; the same call with the same store goes on",)
    return Ensemble(
        system_of(Network.from_dict(files.read_json(place / _NETWORK))),
        np.array(said["times"], dtype=float),
        states[:whole],
        raw[:whole] if raw.ndim > 1 else raw,
        notes=notes,
        seed=int(said["seed"]),
        kernel="+".join(sorted({part for _, kernel in blocks.values() for part in kernel.split("+")})),
        molecules=said["molecules"],
        asked=n,
    )


class TrajectoryStore:
    """A folder for the trajectories of one request, {name: what was given}. ConfigError for one that holds something else."""

    def __init__(self, folder: str | PathLike[str], request: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        self.request = {name: _plain(value) for name, value in request.items()}
        self.finished: dict[int, tuple[int, str]] = {}
        self.complete = False
        self._line = threading.Lock()
        if self.folder.exists():
            self._compare()

    def _compare(self) -> None:
        """Refuse a folder that holds other files, or the answer to something else."""
        place = self.folder
        if not (place / "manifest.json").is_file():
            if not place.is_dir() or any(not entry.name.startswith(".") for entry in place.iterdir()):
                raise ConfigError(f"store: {place} holds something else than trajectories; give a new folder")
            return
        manifest = files.read_manifest(place)
        if manifest.get("kind") != _KIND:
            raise ConfigError(f"store: {place} holds {manifest.get('kind')!r}, no trajectories; give a new folder")
        there = manifest["request"]
        names = [name for name in {**there, **self.request} if there.get(name) != self.request.get(name)]
        if names:
            differ = "; ".join(f"{name} is {_short(there.get(name))} there, {_short(self.request.get(name))} here" for name in names)
            raise ConfigError(f"store: {place} holds the trajectories of another request: {differ}; give a new folder")
        self.complete = bool(manifest["complete"])

    @contextmanager
    def filling(self, like: Ensemble, n: int) -> Iterator[None]:
        """Hold the folder and make its files where they are missing; `like` is the ensemble without trajectories. At the end of the block
        the folder is complete if all trajectories are there."""
        with files.lock(self.folder):
            self._compare()  # another process may have come first
            if not (self.folder / "manifest.json").is_file():
                self._create(like, n)
            self.finished = _finished(self.folder)
            yield
            if not self.complete and sum(count for count, _ in self.finished.values()) == n:
                self._sign(like, n, complete=True)

    def put(self, first: int, states: np.ndarray, kernel: str) -> None:
        """The states of trajectories first, first + 1, ..., which are on the disk when the call returns."""
        array = _mapped(self.folder / _STATES)
        part = np.ascontiguousarray(states, dtype=array.dtype)
        files.write_part(self.folder / _STATES, array.offset + first * array[:1].nbytes, part.reshape(-1).view(np.uint8).data)
        with self._line:
            files.append_line(self.folder / _FINISHED, f"{first} {len(states)} {kernel}", durable=True)
            self.finished[first] = (len(states), kernel)

    def _create(self, like: Ensemble, n: int) -> None:
        shape = (n, *like.states.shape[1:])
        size, free = int(np.prod(shape)) * like.states.itemsize, shutil.disk_usage(self.folder).free
        if size > free:
            raise ConfigError(f"store: {self.folder}: {size / 2**30:.3g} GiB are needed, {free / 2**30:.3g} GiB are free")
        files.write_json(self.folder / _NETWORK, like.system.network.to_dict())
        with files.write_stream(self.folder / _PARAMETERS) as stream:
            np.lib.format.write_array(stream, like.parameters, allow_pickle=False)
        with files.write_stream(self.folder / _STATES) as stream:
            descr = np.lib.format.dtype_to_descr(like.states.dtype)
            np.lib.format.write_array_header_2_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
            stream.truncate(stream.tell() + size)
        files.write_text(self.folder / _FINISHED, "")
        self._sign(like, n, complete=False)

    def _sign(self, like: Ensemble, n: int, *, complete: bool) -> None:
        said = {"n": n, "seed": like.seed, "times": like.times.tolist(), "molecules": dict(like.molecules), "notes": list(like.notes)}
        names = (_NETWORK, _PARAMETERS)
        files.write_manifest(self.folder, kind=_KIND, files=names, complete=complete, request=self.request, ensemble=said, seed=like.seed)
        self.complete = complete


def _finished(place: Path) -> dict[int, tuple[int, str]]:
    """{first trajectory: (how many, kernel)} of the blocks that are on the disk."""
    found = {}
    for number, line in enumerate(files.read_lines(place / _FINISHED)):
        words = line.split()
        if len(words) != 3 or not words[0].isdecimal() or not words[1].isdecimal():
            raise DataError(f"{place / _FINISHED}: line {number} (from 0): found {line!r}, expected first, count, kernel")
        found[int(words[0])] = (int(words[1]), words[2])
    return found


def _mapped(path: Path) -> np.memmap[Any, Any]:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: no array of trajectories: {error}") from error
    if not isinstance(found, np.memmap) or found.ndim != 3:
        raise DataError(f"{path}: no array of trajectories")
    return found


def _plain(value: Any) -> Any:
    """What was given, as JSON; of an array its length and digest."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in sorted(value.items())}
    if hasattr(value, "to_dict"):
        return _plain(value.to_dict())
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    if isinstance(value, list | tuple | np.ndarray):
        array = np.asarray(value, dtype=float)
        return array.tolist() if array.size <= _LONGEST else f"{array.size} numbers, sha256 {hashlib.sha256(array.tobytes()).hexdigest()}"
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
