"""The compiler for GPUs, where numba finds one: it needs no GPU."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


def ptx(kernel, signature, monkeypatch) -> str:
    """The assembly of a kernel for compute capability 9.0, by numba's types of its arguments. Skips the test where numba has no NVVM."""
    from numba import cuda
    from numba.cuda import dispatcher
    from numba.cuda.cudadrv import nvvm

    if not nvvm.is_available():
        pytest.skip("numba finds no NVVM")
    if not cuda.is_available():
        monkeypatch.setattr(dispatcher, "get_current_device", lambda: SimpleNamespace(compute_capability=(9, 0)))
    return cuda.compile_ptx(kernel.py_func, signature, cc=(9, 0))[0]
