"""A file as text: decompressed before it is parsed, with limits on what it may grow to and on the length of a line."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sciml.errors import DataError
from sciml.materials.formats.tokens import Place

__all__ = ["compression", "guess_size", "head", "open_text", "read_text"]

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
FOREIGN = {
    b"PK\x03\x04": "a zip archive: unpack it first",
    b"\x28\xb5\x2f\xfd": "zstd: decompress it first",
    b"\x89HDF": "an HDF5 file",
    b"\x80\x02": "a Python pickle, which is never read",
    b"\x80\x03": "a Python pickle, which is never read",
    b"\x80\x04": "a Python pickle, which is never read",
    b"\x80\x05": "a Python pickle, which is never read",
    b"PickleTrajectory": "an ASE trajectory of pickled objects, which is never read",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"SQLite format 3": "an SQLite file (ASE database): export it as extxyz",
}
WHOLE_LIMIT = 256 * 2**20
"""Bytes that a format which is read whole (all but extxyz, OUTCAR and trajectories) may have after decompression."""
LINE_LIMIT = 32 * 2**20
"""Bytes without a line end, after which a file is no text."""
RATIO_LIMIT = 250
RATIO_FROM = 64 * 2**20
"""Beyond `RATIO_FROM` bytes a compressed file may not have grown more than `RATIO_LIMIT` times: deflate gives 1,032 on zeros."""


def compression(first: bytes) -> str | None:
    """gzip, bzip2, xz or None, by the first bytes; the name is not asked."""
    return next((name for magic, name in MAGIC.items() if first.startswith(magic)), None)


def guess_size(path: str | Path) -> int:
    """Bytes after decompression, to set limits by: the size itself, 30 times that for a compressed file."""
    file = Path(path)
    with file.open("rb") as handle:
        packed = compression(handle.read(6))
    return file.stat().st_size * (30 if packed else 1)


class _Guard(io.RawIOBase):
    """Decompressed bytes, counted; raises DataError for a bomb, an endless line or a damaged stream."""

    def __init__(self, path: str | Path, limit: int | None, lines: bool) -> None:
        self._place = Place(path)
        self._file = open(path, "rb")
        self._packed = compression(self._file.peek(6)[:6])
        self._stream: Any = self._file
        if self._packed:
            opened: dict[str, Callable[..., Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
            self._stream = opened[self._packed](self._file, "rb")
        self._limit, self._lines = limit, lines
        self._total = self._line = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
            self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(min(len(buffer), 1 << 18))
        except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
            raise self._place.fault(f"{self._packed or 'file'}", f"damaged or cut off ({error})", "a whole file") from error
        n = len(data)
        buffer[:n] = data
        self._count(data)
        return n

    def _count(self, data: bytes) -> None:
        self._total += len(data)
        if self._limit is not None and self._total > self._limit:
            raise self._place.fault(
                "size", f"more than {self._limit >> 20} MiB of text", "a smaller file, or frames in extxyz, which is streamed"
            )
        if self._packed and self._total > max(RATIO_FROM, RATIO_LIMIT * self._file.tell()):
            raise self._place.fault(self._packed, f"grows more than {RATIO_LIMIT} times when decompressed", "a file that is no bomb")
        if self._lines:
            last = max(data.rfind(b"\n"), data.rfind(b"\r"))
            self._line = len(data) - last - 1 if last >= 0 else self._line + len(data)
            if self._line > LINE_LIMIT:
                raise self._place.fault("text", f"a line longer than {LINE_LIMIT >> 20} MiB", "text in lines")


def open_bytes(path: str | Path, limit: int | None = WHOLE_LIMIT, lines: bool = False) -> io.BufferedReader:
    """The decompressed bytes; `limit` on how many, `lines` refuses endless lines."""
    try:
        return io.BufferedReader(_Guard(path, limit, lines), 1 << 18)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); expected a readable file") from error


def open_text(path: str | Path, limit: int | None = None) -> io.TextIOWrapper:
    """Lines of text, with universal line ends, whatever the compression and without a byte-order mark. Bytes that are not UTF-8 are
    replaced.
    """
    return io.TextIOWrapper(open_bytes(path, limit, lines=True), encoding="utf-8-sig", errors="replace", newline=None)


def read_text(path: str | Path) -> str:
    """The whole text, at most `WHOLE_LIMIT` bytes."""
    with open_text(path, WHOLE_LIMIT) as handle:
        return handle.read()


def head(path: str | Path, size: int = 8192) -> bytes:
    """The first bytes after decompression. Refuses what is missing, empty or foreign by name."""
    place = Place(path)
    file = Path(path)
    try:
        there = file.exists()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise place.fault("file", f"cannot be read ({error.strerror or error})", "the path of a structure file") from error
    if not there:
        raise place.fault("file", "there is no such file", "the path of a structure file")
    if not file.is_file():
        raise place.fault("file", "this is a folder or a device", "the path of a structure file")
    if file.stat().st_size == 0:
        raise place.fault("file", "empty", "at least one structure")
    with open_bytes(path, None) as handle:
        first = handle.read(size)
    if b"\x00" in first and not first.startswith((b"- of Ulm", *FOREIGN)):
        raise place.fault("format", "binary data", "a text file, or an ASE trajectory")
    foreign = next((text for magic, text in FOREIGN.items() if first.startswith(magic)), None)
    if foreign:
        raise place.fault("format", foreign, "CIF, extxyz, xyz, POSCAR, OUTCAR, vasprun.xml, .traj or JSON")
    if not first.strip(b"\xef\xbb\xbf \t\r\n"):
        raise place.fault("file", "empty", "at least one structure")
    return first
