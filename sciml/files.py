"""Written whole or not at all: every result, model, shard and cache goes through here.

A file is written beside its place, flushed to the disk (fsync), renamed into its place, and then its folder is flushed: whatever
stops the process or the machine, a reader finds the old content or the new one. A failed write raises SciMLError and leaves the old.
"""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import errno
import hashlib
import json
import os
import platform
import secrets
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from sciml.errors import ConfigError, DataError, SciMLError

__all__ = [
    "append_line",
    "digest",
    "lock",
    "read_json",
    "read_lines",
    "read_manifest",
    "verify_folder",
    "write_bytes",
    "write_folder",
    "write_json",
    "write_manifest",
    "write_part",
    "write_stream",
    "write_text",
]

FORMAT = 1  # of manifest.json
_MANIFEST = "manifest.json"
_TEMPORARY = ".sciml-tmp"
_EXCHANGE, _AT_FDCWD = 2, -100  # renameat2 of Linux


def write_bytes(path: str | Path, data: bytes) -> None:
    """Replace the file at `path` by `data`, whole or not at all. Raises SciMLError that names path and cause (disk full, read-only)."""
    target = Path(path)
    temporary = _temporary(target)
    try:
        _create(temporary, data)
        os.replace(temporary, target)
    except OSError as error:
        raise _failed(target, error) from error
    finally:
        _remove(temporary)
    _settle(target)


def write_text(path: str | Path, text: str) -> None:
    """Replace the file at `path` by `text` in UTF-8, line ends as given."""
    write_bytes(path, text.encode("utf-8"))


@contextlib.contextmanager
def write_stream(path: str | Path) -> Iterator[BinaryIO]:
    """A binary stream for what is too long to hold in memory; at the end of the block it becomes the file at `path` by one rename.

    At an error in the block the old file stays. Raises SciMLError that names path and cause.
    """
    target = Path(path)
    temporary = _temporary(target)
    try:
        with open(temporary, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except OSError as error:
        if error.filename and not Path(os.fsdecode(error.filename)).is_relative_to(target.parent):
            raise  # the block's own, about another file
        raise _failed(target, error) from error
    finally:
        _remove(temporary)
    _settle(target)


@contextlib.contextmanager
def write_records(path: str | Path) -> Iterator[BinaryIO]:
    """`write_stream` for whole records: whatever ends the block, an interrupt too, those written up to then become the file.

    The error goes on. Where nothing was written, the old file stays.
    """
    failure: BaseException | None = None
    with write_stream(path) as stream:
        try:
            yield stream
        except BaseException as error:
            if not stream.tell():
                raise
            failure = error
    if failure is not None:
        raise failure


def write_part(path: str | Path, start: int, data: bytes | memoryview) -> None:
    """Put `data` at byte `start` of an existing file, for what is made in parts and too long to be written whole.

    The part is on the disk when the call returns; the file stays partial until its owner has noted each part elsewhere (`append_line`).
    Raises SciMLError that names path and cause.
    """
    target = Path(path)
    try:
        handle = os.open(target, os.O_WRONLY | getattr(os, "O_BINARY", 0))
        try:
            os.lseek(handle, start, os.SEEK_SET)
            _write_all(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise SciMLError(f"{target}: a part of it could not be written: {error.strerror or error}") from error


def write_json(path: str | Path, obj: Any) -> None:
    """Replace the file at `path` by `obj` as JSON (sorted keys, indent 1). NaN and infinity are refused: absent is None."""
    write_text(path, _json(path, obj))


def read_json(path: str | Path) -> Any:
    """What a JSON file holds. DataError names the file and the place where it is not JSON; NaN and infinity are not."""
    try:
        return json.loads(_read(Path(path)).decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a JSON file: {error}") from error


@contextlib.contextmanager
def write_folder(path: str | Path) -> Iterator[Path]:
    """A temporary sibling folder to fill; at the end of the block it becomes `path` by one rename, at an error it is removed.

    An older folder at `path` changes places with the new one in the same step (Linux), or is moved aside first (elsewhere). Every file
    is flushed before the rename. Left-overs of killed processes are removed. Raises SciMLError that names path and cause.
    """
    target = Path(path)
    temporary = _temporary(target)
    try:
        sweep(target.parent, target.name)
        temporary.mkdir()
        yield temporary
        _flush_tree(temporary)
        _put_folder(temporary, target)
    except SciMLError as error:
        if isinstance(error.__cause__, OSError) and str(temporary) in str(error):  # `files` used for a file in the folder
            raise _failed(target, error.__cause__) from error
        raise
    except OSError as error:
        if error.filename and not Path(os.fsdecode(error.filename)).is_relative_to(target.parent):
            raise  # the block's own, about another file
        raise _failed(target, error) from error
    finally:
        _remove(temporary)
    _settle(target)


def append_line(path: str | Path, text: str, *, durable: bool = False) -> None:
    """Append one whole line to a file of lines that one process writes; the line is there when the call returns.

    A torn last line, left by a kill, is cut off first. `durable` flushes to the disk too: set it for lines that may not be lost when
    the machine stops. A write that fails leaves the file as it was and raises SciMLError.
    """
    if "\n" in text or "\r" in text:
        raise ConfigError(f"{path}: a line to append holds a line break: {text[:80]!r}")
    target, size = Path(path), None
    try:
        handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            size = _whole_size(handle)
            _write_all(handle, text.encode("utf-8") + b"\n")
            if durable:
                os.fsync(handle)
        except OSError:
            if size is not None:
                os.ftruncate(handle, size)
            raise
        finally:
            os.close(handle)
    except OSError as error:
        raise _failed(target, error) from error


def read_lines(path: str | Path) -> list[str]:
    """The lines of a file of lines without their ends; a torn last line (no line end) is dropped. DataError where it is not UTF-8."""
    lines = _read(Path(path)).split(b"\n")[:-1]
    try:
        return [line.decode("utf-8") for line in lines]
    except UnicodeDecodeError as error:
        number = next(n for n, line in enumerate(lines) if line.decode("utf-8", "replace").encode("utf-8") != line)
        raise DataError(f"{path}: line {number} (from 0) is not UTF-8 text") from error


def digest(source: str | Path | bytes) -> str:
    """SHA-256 in hex of bytes, of a file's content, or of a folder (names and contents of all files in it, sorted)."""
    if isinstance(source, bytes | bytearray | memoryview):
        return hashlib.sha256(source).hexdigest()
    path = Path(source)
    try:
        if path.is_dir():
            names = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())
            return hashlib.sha256("".join(f"{digest(path / name)} {name}\n" for name in names).encode()).hexdigest()
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


@contextlib.contextmanager
def lock(folder: str | Path) -> Iterator[None]:
    """Hold `folder` (made where missing) for this process alone; a second one gets a ConfigError that names the holder.

    The lock ends with the process, also when it is killed. Left-overs of killed writers in the folder are removed.
    """
    import filelock

    place = Path(folder)
    holder = place / ".lock-holder.json"
    try:
        place.mkdir(parents=True, exist_ok=True)
        held = filelock.FileLock(place / ".lock", timeout=0)
        held.acquire()
    except filelock.Timeout:
        raise ConfigError(f"{place}: in use by {_holder(holder)}; wait for it, stop it, or choose another folder") from None
    except OSError as error:
        raise _failed(place / ".lock", error) from error
    try:
        write_json(holder, {"pid": os.getpid(), "host": socket.gethostname(), "since": _now(), "program": Path(sys.argv[0]).name})
        sweep(place)
        yield
    finally:
        holder.unlink(missing_ok=True)
        held.release()


def write_manifest(folder: str | Path, *, kind: str, files: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    """Write `folder`/manifest.json and return its content: what was made, by what, from what.

    `kind` says what the folder is; `files` are names in it whose SHA-256 is recorded; `fields` (seed, config, data, metrics, ...) are
    kept as given and must be JSON. Format number, versions, date and a digest over the manifest itself are added.
    """
    place = Path(folder)
    manifest = {"seed": None, "config": None, "data": None, **fields, "format": FORMAT, "kind": kind, "date": _now()}
    manifest["versions"] = {"python": platform.python_version(), **_versions("sciml", "torch", "numpy", "ase")}
    manifest["files"] = {name: digest(place / name) for name in sorted(files)}
    manifest = json.loads(_json(place / _MANIFEST, manifest))
    manifest["digest"] = _self_digest(manifest)
    write_json(place / _MANIFEST, manifest)
    return manifest


def read_manifest(folder: str | Path) -> dict[str, Any]:
    """The manifest of a folder, its own digest checked. DataError where it is missing, damaged, or of a newer format."""
    path = Path(folder) / _MANIFEST
    manifest = read_json(path)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise DataError(f"{path}: field format: found none, expected a whole number; this is no manifest of sciml")
    if manifest["format"] > FORMAT:
        raise DataError(f"{path}: field format: found {manifest['format']}, this sciml reads up to {FORMAT}; install a newer sciml")
    if manifest.get("digest") != _self_digest(manifest):
        raise DataError(f"{path}: field digest does not fit the content: the file was damaged or edited")
    return manifest


def verify_folder(folder: str | Path) -> dict[str, Any]:
    """The manifest of a folder after every file named in it was found with its SHA-256; DataError names the first that differs."""
    manifest = read_manifest(folder)
    for name, expected in manifest.get("files", {}).items():
        if (found := digest(Path(folder) / name)) != expected:
            raise DataError(f"{Path(folder) / name}: damaged: SHA-256 is {found[:12]}..., the manifest says {expected[:12]}...")
    return manifest


def sweep(folder: str | Path, name: str = "") -> int:
    """Remove the temporary files and folders of dead writers (of `name` only, if given); returns how many."""
    gone = 0
    for entry in Path(folder).glob(f".{name or '*'}.*{_TEMPORARY}"):
        host, _, pid = entry.name.removesuffix(_TEMPORARY).split(".")[-1].partition("-")
        if not _alive(host, pid.partition("-")[0], entry):
            _remove(entry)
            gone += 1
    return gone


def _temporary(target: Path) -> Path:
    return target.parent / f".{target.name}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}{_TEMPORARY}"


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _alive(host: str, pid: str, entry: Path) -> bool:
    """Whether the writer of a temporary may still live: asked on this machine, assumed for a day elsewhere."""
    if host != _host() or not pid.isdecimal() or os.name != "posix":
        with contextlib.suppress(OSError):
            return time.time() - entry.stat().st_mtime < 86400
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _create(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        _write_all(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        written = os.write(handle, view)
        if written == 0:
            raise OSError(errno.EIO, "nothing could be written")
        view = view[written:]


def _whole_size(handle: int) -> int:
    """Bytes up to the last line end; what follows it is cut off."""
    size = os.lseek(handle, 0, os.SEEK_END)
    keep = size
    while keep:
        start = max(0, keep - 4096)
        os.lseek(handle, start, os.SEEK_SET)
        found = os.read(handle, keep - start).rfind(b"\n")
        if found >= 0:
            keep = start + found + 1
            break
        keep = start
    if keep != size:
        os.ftruncate(handle, keep)
    return keep


def _flush_tree(folder: Path) -> None:
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(root, name)
            if stat.S_ISREG(path.lstat().st_mode):
                _flush(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        _flush_folder(Path(root))


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    try:
        _flush(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # file systems that do not know it
            raise


def _settle(target: Path) -> None:
    try:
        _flush_folder(target.parent)
    except OSError as error:
        cause = error.strerror or error
        raise SciMLError(f"{target}: written, but its folder could not be flushed ({cause}): a power cut may undo it") from error


def _flush(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put_folder(temporary: Path, target: Path) -> None:
    if not target.exists():
        os.rename(temporary, target)
    elif not _exchange(temporary, target):
        aside = _temporary(target)
        os.rename(target, aside)
        try:
            os.rename(temporary, target)
        except OSError:
            os.rename(aside, target)
            raise
        _remove(aside)


def _exchange(first: Path, second: Path) -> bool:
    """Let two folders change places in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return call is not None and call(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _EXCHANGE) == 0


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def _json(path: str | Path, obj: Any) -> str:
    try:
        return json.dumps(obj, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not written, this cannot be JSON: {error}") from error


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no JSON number")


def _failed(path: Path, error: OSError) -> SciMLError:
    return SciMLError(f"{path}: could not be written: {error.strerror or error}; what was there before is unchanged")


def _holder(path: Path) -> str:
    """Who holds a lock, in words; a holder that is just about to write its name is waited for, one second at most."""
    for _ in range(20):
        with contextlib.suppress(DataError):
            found: Mapping[str, Any] = read_json(path)
            return f"process {found['pid']} on {found['host']} ({found['program']}) since {found['since']}"
        time.sleep(0.05)
    return "another process"


def _self_digest(manifest: Mapping[str, Any]) -> str:
    return digest(_json(_MANIFEST, {key: value for key, value in manifest.items() if key != "digest"}).encode())


def _versions(*names: str) -> dict[str, str | None]:
    """Installed versions without importing the packages."""
    from importlib import metadata

    found: dict[str, str | None] = {}
    for name in names:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
