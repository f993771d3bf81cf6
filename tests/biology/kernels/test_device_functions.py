"""One source for both: on numba's simulator, and by the compiler for GPUs where there is one."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
from numba import cuda, njit, types

from sciml.biology.kernels.device_functions import device_function
from sciml.biology.kernels.graph import BINARY, UNARY, Graph
from sciml.biology.kernels.native import native
from tests.biology.kernels.device_compiler import ptx


@njit
def inner(x):
    return max(x, 0.0) + np.floor(x)


@njit
def outer(x, y):
    return inner(x) - shift(y)


@njit
def shift(y):
    return y + 1.0


CHILD = """
from tests.biology.kernels.test_device_functions import device_function, outer
print(device_function(outer)(-2.5, 7.0), device_function(outer, shift=lambda y: 10.0 * y)(-2.5, 7.0), device_function(outer)(3.5, 0.0))
"""


def test_all_that_is_called_comes_along_and_can_be_replaced():
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["-11.0", "-73.0", "5.5"]


def test_every_operation_compiles_for_a_gpu(monkeypatch):
    g = Graph()
    x, y, t = g.leaf("state", 0), g.leaf("state", 1), g.leaf("time")
    nodes = [g.op(op, x) for op in UNARY] + [g.op(op, x, y) for op in BINARY] + [g.op("select", x, y, t), g.const(np.inf), g.const(np.nan)]
    function = device_function(native(g, nodes, 0).python)

    @cuda.jit
    def kernel(y, out):
        function(y[0], y, y, out, y)

    text = ptx(kernel, (types.float64[::1], types.float64[::1]), monkeypatch)
    assert ".target sm_90" in text and ".f64" in text and text.count("st.global.") >= len(nodes)
