"""What the tests of the sandbox let a child do: good work, and every way to fail."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time

import numpy as np

from sciml import sandbox
from sciml.errors import DataError, ModelFileError


def double(values, name="x"):
    return {"name": name, "nan": float("nan")}, {"twice": 2 * np.asarray(values, dtype=float), "flags": np.array([True, False])}


def echo(*args):
    return {"args": list(args)}, {}


def environment():
    return dict(os.environ), {}


def loaded():
    return {"modules": sorted(sys.modules)}, {}


def chatter():
    print("this line must not mix with the answer")
    os.write(1, b"nor this one\n")
    sys.stderr.write("x" * 100_000)
    return {"done": True}, {}


def refuse(path):
    raise DataError(f"{path}: record 3: field cell: found nan, expected finite numbers")


def refuse_model(path):
    raise ModelFileError(f"{path}: truncated")


def stumble(path):
    raise KeyError("lattice")


def long_message(path):
    raise ValueError("x" * 1_000_000)


def allocate(n_bytes):
    return {}, {"a": np.ones(n_bytes // 8)}


def deep(path):
    return deep(path)


def spin(path):
    while True:
        pass


def sleep(path):
    time.sleep(1000)


def crash(path):
    ctypes.string_at(0)


def abort(path):
    os.abort()


def killed(path):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(path):
    os._exit(7)


def objects(path):
    return {}, {"a": np.array([{}, 1], dtype=object)}


def not_a_pair(path):
    return 5


def not_json(path):
    return {"a": object()}, {}


def connect(path):
    import socket

    socket.create_connection(("127.0.0.1", 9))


def start_process(path):
    import subprocess

    subprocess.run(["true"])


def fork(path):
    os.fork()


def unpickle(path):
    import fractions
    import pickle

    pickle.loads(pickle.dumps(fractions.Fraction(1, 3)))


def endless_file(path):
    with open(path, "wb") as file:
        for _ in range(1000):
            file.write(bytes(1 << 20))


def half_answer(path):
    os.write(sandbox._Child.out.fileno(), b"p" + bytes(12))
    os._exit(0)


def huge_answer(path):
    os.write(sandbox._Child.out.fileno(), sandbox._HEADER.pack(b"p", 1 << 60, 0))
    time.sleep(1000)


def false_answer(path):
    os.write(sandbox._Child.out.fileno(), sandbox._HEADER.pack(b"p", 3, 0) + b"{{{")
    os._exit(0)


def count(n, size=10):
    for i in range(n):
        yield {"i": i}, {"a": np.full(size, i)}


def count_then(n, what):
    yield from count(n)
    globals()[what]("file")


def note(path, n):
    """Pieces of 1 MB; the file tells how many were made."""
    for i in range(n):
        with open(path, "w") as file:
            file.write(str(i))
        yield {"i": i}, {"a": np.zeros(125_000)}


def grow(sizes):
    """A record of each size in hand, three times over, after asking for its room."""
    for size in sizes:
        sandbox.renew(size)
        held = np.empty(3 * size // 8)  # takes address space, which is what is limited
        yield {"bytes": held.nbytes}, {}


def busy(n, seconds, record_bytes=0):
    """Pieces that each take CPU time."""
    for i in range(n):
        if record_bytes:
            sandbox.renew(record_bytes)
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass
        yield {"i": i}, {}
