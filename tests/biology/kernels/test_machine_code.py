"""Machine code is kept, linked without numba, and made anew where it was damaged."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from sciml.biology.kernels import machine_code as module
from sciml.biology.kernels.machine_code import machine_code
from sciml.resources import cache_folder


def _builder(times: list[int]):
    def build():
        from numba import types
        from numba.core.ccallback import CFunc

        times.append(1)
        made = CFunc(lambda x: 3.0 * x + 1.0, ((types.float64,), types.float64), locals={}, options={})
        made.compile()
        return made

    return build


def called(address: int, x: float) -> float:
    return float(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)(x))


@pytest.fixture
def forgets(monkeypatch, tmp_path):
    """As in another process, with a cache of its own: nothing is loaded yet."""
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path))
    return lambda: monkeypatch.setattr(module, "_loaded", {})


def test_second_use_does_not_build(forgets):
    built: list[int] = []
    forgets()
    assert called(machine_code("3 x + 1", _builder(built)).address, 2.0) == 7.0
    forgets()
    code = machine_code("3 x + 1", _builder(built))
    assert called(code.address, 5.0) == 16.0 and len(built) == 1
    assert machine_code("3 x + 1", _builder(built)) is code


def test_damaged_code_is_made_anew(forgets):
    built: list[int] = []
    forgets()
    before = set((cache_folder() / "objects").glob("*.o"))
    machine_code("3 x + 1, damaged", _builder(built))
    (path,) = set((cache_folder() / "objects").glob("*.o")) - before
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    forgets()
    assert called(machine_code("3 x + 1, damaged", _builder(built)).address, 2.0) == 7.0 and len(built) == 2


def test_what_calls_something_else_is_not_kept(forgets):
    """A division that may raise needs Python to say so."""

    def build():
        from numba import types
        from numba.core.ccallback import CFunc

        made = CFunc(lambda x: 1.0 / x, ((types.float64,), types.float64), locals={}, options={})
        made.compile()
        return made

    forgets()
    before = set((cache_folder() / "objects").glob("*.o"))
    assert called(machine_code("1 / x", build).address, 4.0) == 0.25
    assert set((cache_folder() / "objects").glob("*.o")) == before


def test_a_second_run_does_not_import_numba():
    program = (
        "import sys; from sciml.biology.network import Network, Reaction; from sciml.biology import simulate_ssa\n"
        "net = Network(species={'A': 5}, reactions=(Reaction.parse('d', 'A ->', rate=1.0),))\n"
        "print(simulate_ssa(net, [1.0], n=3).kernel, 'numba' in sys.modules)"
    )
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert runs[1].split() == ["lanes32", "False"]
