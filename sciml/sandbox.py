"""Runs a parser of untrusted files in a limited child: memory, CPU time, wall clock, no network, no processes of its own.

Arguments go in as JSON, results come back as JSON and npz through a pipe; nothing is ever unpickled. Whatever happens to the child,
the caller gets a result or a DataError that says which limit it met. Limits are set where the platform has them (`limits()`).
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sciml import errors
from sciml.errors import ConfigError, DataError

if TYPE_CHECKING:
    import numpy as np

    Piece = tuple[dict[str, Any], dict[str, np.ndarray]]

__all__ = ["iterate", "limits", "renew", "run"]

GIB, MB = 1 << 30, 1_000_000
_HEADER = struct.Struct("<cQQ")  # kind, bytes of JSON, bytes of npz
_PIECE, _RENEWED, _END, _FAILED = b"p", b"r", b"e", b"f"
_LARGEST_PIECE = 4 * GIB
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "SCIML_CACHE")
_START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from sciml.sandbox import _serve; _serve()"


def run(
    function: str, *args: Any, memory_bytes: int = GIB, cpu_seconds: float = 10, wall_seconds: float | None = None
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Call `function` ("module:name") with JSON-able `args` in a child and return its (dict, arrays).

    The function returns such a pair; arrays of objects are refused. `wall_seconds` None: 30 s + 6 times `cpu_seconds`. Errors of
    `sciml.errors` pass as they are; a crash, a limit met or any other error of the function is a DataError.
    """
    with contextlib.closing(_converse(function, args, False, memory_bytes, cpu_seconds, wall_seconds)) as pieces:
        return next(pieces)


def iterate(
    function: str, *args: Any, memory_bytes: int = GIB, cpu_seconds: float = 10, wall_seconds: float | None = None
) -> Iterator[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """Run the generator `function` ("module:name") in one child and yield its (dict, arrays) pieces as they are asked for.

    The child waits when its pieces are not taken (a full pipe), so memory stays flat; CPU and wall limits hold for each piece anew,
    and the function may call `renew(record_bytes)` before a large record. Closing the iterator ends the child.
    """
    return _converse(function, args, True, memory_bytes, cpu_seconds, wall_seconds)


def renew(record_bytes: int) -> None:
    """In the child: limits for a record of this size in hand: 10 s + 2 s a MB more of CPU, 1 GiB + 20 times its bytes of memory.

    Limits are never made smaller than the caller asked for. Outside a child this does nothing.
    """
    if _Child.limits:
        cpu = max(_Child.limits["cpu_seconds"], 10 + 2 * record_bytes / MB)
        _Child.memory_bytes = max(_Child.limits["memory_bytes"], GIB + 20 * record_bytes)
        _limit(_Child.memory_bytes, cpu)
        _send(_RENEWED, {"cpu_seconds": cpu}, {})


def limits() -> dict[str, bool]:
    """Which limits this platform enforces: memory, cpu, wall clock."""
    known = _resource() is not None
    return {"memory": known and sys.platform != "darwin", "cpu": known, "wall": True}


class _Child:
    """What the child knows of itself."""

    limits: dict[str, float] = {}  # noqa: RUF012
    memory_bytes: float = 0  # the limit now
    out: IO[bytes] | None = None


class _Clock(threading.Thread):
    """Kills a process when its time is up; runs only while the caller waits for it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(name="sciml-sandbox-clock", daemon=True)
        self.process, self.deadline, self.expired, self.done = process, math.inf, False, threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.1):
            if time.monotonic() > self.deadline:
                self.expired = True
                self.process.kill()
                return


def _converse(
    function: str, args: tuple[Any, ...], stream: bool, memory_bytes: float, cpu_seconds: float, wall_seconds: float | None
) -> Generator[Piece, None, None]:
    """Start a child, send it its work, yield its pieces, and say what went wrong."""
    request = {"function": function, "args": args, "stream": stream, "memory_bytes": int(memory_bytes), "cpu_seconds": cpu_seconds}
    try:
        work = json.dumps(request, default=os.fspath).encode()
    except (TypeError, ValueError) as error:
        raise ConfigError(f"sandbox: {function}: arguments must be JSON or paths: {error}") from error
    label = str(args[0]) if args and isinstance(args[0], str | os.PathLike) else function
    wall = 30 + 6 * cpu_seconds if wall_seconds is None else wall_seconds
    with tempfile.TemporaryFile() as noise:
        process = _spawn(noise)
        clock = _Clock(process)
        clock.start()
        try:
            clock.deadline = time.monotonic() + wall
            _give(process, work)
            while True:
                kind, record, arrays = _receive(process.stdout)
                if kind == _PIECE:
                    clock.deadline = math.inf
                    yield record, arrays
                    clock.deadline = time.monotonic() + wall
                elif kind == _RENEWED:
                    cpu_seconds = max(cpu_seconds, record["cpu_seconds"])
                    clock.deadline = time.monotonic() + max(wall, 30 + 6 * record["cpu_seconds"])
                elif kind == _FAILED:
                    raise _error(label, record)
                elif kind == _END:
                    return
                else:
                    clock.deadline = min(clock.deadline, time.monotonic() + 10)
                    process.wait()
                    raise DataError(f"{label}: {_death(process.returncode, clock.expired, cpu_seconds, wall, memory_bytes)}{_tail(noise)}")
        finally:
            clock.done.set()
            process.kill()
            _close(process)


def _spawn(noise: IO[bytes]) -> subprocess.Popen[bytes]:
    """A fresh interpreter that finds what this one finds, with little of its environment and one thread."""
    path = json.dumps([str(Path(entry or ".").absolute()) for entry in sys.path])
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # each thread takes address space
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | threads
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _START, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=noise,
        env=environment,
        start_new_session=os.name == "posix",  # Ctrl-C reaches the parent, which ends the child
    )


def _give(process: subprocess.Popen[bytes], work: bytes) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # a child that died is told of when its answer is read
            process.stdin.write(work)
        with contextlib.suppress(OSError):
            process.stdin.close()


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdout is not None:
        process.stdout.close()
    process.wait()


def _receive(pipe: IO[bytes] | None) -> tuple[bytes, dict[str, Any], dict[str, np.ndarray]]:
    """The next message of a child: (kind, record, arrays); kind is empty where the pipe ended within or before one."""
    head = pipe.read(_HEADER.size) if pipe is not None else b""
    if pipe is None or len(head) < _HEADER.size:
        return b"", {}, {}
    kind, text_bytes, array_bytes = _HEADER.unpack(head)
    if text_bytes + array_bytes > _LARGEST_PIECE:
        raise DataError(f"sandbox: a child announced {text_bytes + array_bytes} bytes at once, at most {_LARGEST_PIECE} are taken")
    text, packed = pipe.read(text_bytes), pipe.read(array_bytes)
    if len(text) + len(packed) < text_bytes + array_bytes:
        return b"", {}, {}
    try:
        return kind, json.loads(text), _unpack(packed)
    except (ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise DataError(f"sandbox: a child sent an answer that cannot be read: {error}") from error


def _unpack(packed: bytes) -> dict[str, np.ndarray]:
    if not packed:
        return {}
    import numpy as np

    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise DataError("sandbox: a child sent compressed arrays")
    with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _error(label: str, record: Mapping[str, Any]) -> Exception:
    """The child's exception: errors of `sciml.errors` as they are, others as DataError."""
    known = getattr(errors, record["type"], None) if record["type"] in errors.__all__ else None
    if known is not None:
        return known(record["message"])
    if record["type"] == "MemoryError":
        return DataError(f"{label}: reading it needs more than the memory limit of {record['memory_bytes'] / GIB:.2f} GiB")
    return DataError(f"{label}: cannot be read: {record['type']}: {record['message']}")


def _death(code: int, expired: bool, cpu_seconds: float, wall: float, memory_bytes: float) -> str:
    """What ended a child, in words."""
    import signal

    if expired:
        return f"reading it took longer than the limit of {wall:g} s (wall clock)"
    if code >= 0:
        return f"the reading process ended early with code {code}"
    name = signal.Signals(-code).name if -code in {s.value for s in signal.Signals} else f"signal {-code}"
    if name == "SIGXCPU":
        return f"reading it took longer than the limit of {cpu_seconds:g} s of CPU time"
    if name == "SIGKILL":
        return "the reading process was killed (SIGKILL), perhaps for want of memory"
    return f"the reading process crashed ({name}); its memory limit was {memory_bytes / GIB:.2f} GiB"


def _tail(noise: IO[bytes]) -> str:
    noise.seek(0, os.SEEK_END)
    noise.seek(max(0, noise.tell() - 300))
    text = " ".join(noise.read().decode("utf-8", "replace").split())
    return f"; it said: ...{text}" if text else ""


def _resource() -> Any:
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource


def _limit(memory_bytes: float, cpu_seconds: float) -> None:
    """Limit this process: address space, CPU seconds from now, size of files written, no core dump."""
    resource = _resource()
    if resource is None:
        return
    cpu = math.ceil(1.1 * time.process_time() + cpu_seconds) + 1  # whole seconds, and kernels count a few per cent loosely
    wanted = {resource.RLIMIT_AS: int(memory_bytes), resource.RLIMIT_CPU: cpu, resource.RLIMIT_FSIZE: 64 << 20, resource.RLIMIT_CORE: 0}
    for which, value in wanted.items():
        _, hard = resource.getrlimit(which)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _forbid(event: str, args: tuple[Any, ...]) -> None:
    """Audit hook of the child: no network, no other process, nothing unpickled."""
    if event in _FORBIDDEN:
        raise PermissionError(f"a reader may not do this: {event}")


_FORBIDDEN = frozenset(
    "socket.connect socket.bind socket.sendto socket.sendmsg socket.getaddrinfo socket.gethostbyname subprocess.Popen os.system os.exec "
    "os.fork os.forkpty os.posix_spawn os.spawn pickle.find_class".split()
)


def _serve() -> None:
    """The child's life: read the work, import the function, close the doors, call it, send what it gives."""
    _Child.out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a parser prints must not mix with the answer
    request = json.loads(sys.stdin.buffer.read())
    memory_bytes, cpu_seconds = request["memory_bytes"], request["cpu_seconds"]
    try:
        function = _find(request["function"])
        _limit(memory_bytes, cpu_seconds)
        _Child.limits, _Child.memory_bytes = {"memory_bytes": memory_bytes, "cpu_seconds": cpu_seconds}, memory_bytes
        sys.addaudithook(_forbid)
        if request["stream"]:
            for record, arrays in function(*request["args"]):
                _send(_PIECE, record, arrays)
                _limit(_Child.memory_bytes, cpu_seconds)
        else:
            _send(_PIECE, *function(*request["args"]))
        _send(_END, {}, {})
    except BrokenPipeError:  # the caller has gone
        os._exit(0)
    except Exception as error:
        report = {"type": type(error).__name__, "message": str(error)[:10_000], "memory_bytes": _Child.memory_bytes or memory_bytes}
        error.__traceback__ = None  # frees what the function held
        _limit(2 * GIB + memory_bytes, 10)  # room to say so
        _send(_FAILED, report, {})
    os._exit(0)  # nothing a parser left behind runs any more


def _find(name: str) -> Any:
    """The function behind "module:name"; its module is imported."""
    import importlib

    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"sandbox: no function {name!r} (module:name): {error}") from error


def _send(kind: bytes, record: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    text = json.dumps(record).encode()
    packed = io.BytesIO()
    if arrays:
        import numpy as np

        np.savez(packed, allow_pickle=False, **arrays)
    if _Child.out is not None:
        _Child.out.write(_HEADER.pack(kind, len(text), packed.getbuffer().nbytes))
        _Child.out.write(text)
        _Child.out.write(packed.getbuffer())
        _Child.out.flush()
