"""Deterministic runs one set a thread: on numba's simulator of the kernel language here, on a GPU where there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import boolean, float64, int64

from sciml.biology.expressions import number
from sciml.biology.formula import parse
from sciml.biology.kernels.compiled import system_of
from sciml.biology.network import Event
from sciml.biology.simulation.equations import equations_of
from sciml.biology.simulation.gpu_odes import GpuRun, ode_kernel
from sciml.biology.simulation.ode import simulate_ode
from sciml.errors import ConfigError
from tests.biology.kernels.device_compiler import ptx
from tests.biology.simulation.rate_rules import SMOOTH, exact, rates

TIMES = [3.0, 0.0, 1.0, 1.0]
PULSE = rates({"x": (0.0, "piecewise(k, time > s && time < s + 0.001, 0) + k * floor(time)")}, {"k": 2.0, "s": 1.0})
LATE = [0.1, 1.25, 2.9]  # when the pulse begins
STIFF = rates({"x": (1.0, "-k * (x - cos(time))")}, {"k": 1.0})
GROWS = rates({"x": (1.0, "k * (time^3 - x) + 3 * time^2")}, {"k": 1.0})  # time^3 + exp(-k time)
FATE = rates({"x": (1.0, "x * x")})  # 1 / (1 / x0 - t)
CHILD = """
import json, logging, sys
import tests.biology.simulation.test_gpu_odes as test
from sciml.biology.simulation import gpu_odes
from sciml.errors import SciMLError
run = lambda *given, **options: test.simulate_ode(*given, device="cuda", **options)
found = {"smooth": run(test.rates(test.SMOOTH), test.TIMES).states.tolist()}
found["sets"] = run(test.rates(test.SMOOTH), test.TIMES, {"a": [1.0, 2.0, 3.0]}, atol=1e-9, method="explicit").states.tolist()
found["pulse"] = run(test.PULSE, test.TIMES, {"s": test.LATE}).states.tolist()
stiff = run(test.STIFF, [1.0], {"k": [1.0, 1e6]})
found["stiff"], found["by_cpu"] = stiff.states.tolist(), stiff.statistics["by_cpu"]
found["sizes"] = test.sizes().tolist()
try:
    run(test.FATE, [2.0], {"x": [0.1, 1.0]})
except SciMLError as error:
    found["fate"] = [type(error).__name__, str(error)]
gpu_odes.rows_that_fit = lambda row_bytes: 2
found["parts"] = run(test.rates(test.SMOOTH), test.TIMES, {"a": [1.0, 2.0, 3.0]}, atol=1e-9, method="explicit").states.tolist()
print(json.dumps(found))
"""


def from_three_starts():
    """[3, T, 3]: the solution of SMOOTH for a = 1, 2, 3 at the start."""
    wanted = np.stack([exact(np.array(TIMES))] * 3)
    wanted[:, :, 0] *= np.array([[1.0], [2.0], [3.0]])
    return wanted


def ran(system, end, method="auto"):
    """A run on the device to the time `end`."""
    return GpuRun(system=system, equations=equations_of(system), grid=np.array([end]), rtol=1e-8, absolute=np.zeros(1), method=method)


def sizes():
    """[B, 1]: how large x of GROWS becomes, by rough runs on the device."""
    system = system_of(GROWS)
    y, p = system.begin({"k": [1.0, 60.0, 1e6]})
    scale = np.abs(y)
    ran(system, 3.0).run_roughly(y, p, scale)
    return scale


@pytest.fixture(scope="module")
def found():
    environment = os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return {
        name: value if name in ("fate", "by_cpu") else np.array(value) for name, value in json.loads(done.stdout.splitlines()[-1]).items()
    }


def test_closed_forms_in_the_order_asked(found):
    assert np.allclose(found["smooth"], exact(np.array(TIMES)), rtol=1e-6) and found["smooth"].shape == (4, 3)
    assert np.allclose(found["sets"], from_three_starts(), rtol=1e-6) and (found["sets"][:, 2] == found["sets"][:, 3]).all()


def test_as_on_the_cpu_within_the_tolerance(found):
    cpu = simulate_ode(rates(SMOOTH), TIMES, {"a": [1.0, 2.0, 3.0]}, atol=1e-9, method="explicit").states
    assert np.allclose(found["sets"], cpu, rtol=1e-8, atol=1e-9)


def test_sets_in_parts_that_fit_are_the_same(found):
    assert (found["parts"] == found["sets"]).all()


def test_changes_in_time_are_break_points_of_each_set(found):
    steps = np.array([3.0, 0.0, 0.0, 0.0])  # the integral of floor(time)
    pulses = np.array([[1.0, 0.0, early, early] for early in (1.0, 0.0, 0.0)]) * 0.001
    assert np.allclose(found["pulse"][..., 0], 2.0 * (steps + pulses), rtol=1e-9, atol=1e-12)


def test_what_is_stiff_runs_on_the_cpu(found):
    k = np.array([1.0, 1e6])
    wanted = (k**2 * np.cos(1.0) + k * np.sin(1.0)) / (1 + k**2) + np.exp(-k) / (1 + k**2)
    assert found["by_cpu"] == 1 and np.allclose(found["stiff"][:, 0, 0], wanted, rtol=1e-6)


def test_sizes_are_measured_to_the_end_where_the_rough_run_is_stiff(found):
    assert np.allclose(found["sizes"], 27.0, rtol=0.01)


def test_what_fails_is_explained_as_on_the_cpu(found):
    with pytest.raises(Exception, match="at time 1") as error:
        simulate_ode(FATE, [2.0], {"x": [1.0]})
    assert found["fate"] == [type(error.value).__name__, str(error.value)]


@pytest.mark.parametrize(
    ("net", "method", "words"),
    [
        (rates(SMOOTH, events=[Event("e", parse("time > 1"), (("a", number(3)),))]), "auto", "events"),
        (rates({"x": (1.0, "-delay(x, 1)")}), "auto", r"delay\(\)"),
        (rates({"x": (1.0, "piecewise(1, x < 2, 0)")}), "auto", "conditions on states"),
        (rates({"x": (1.0, "piecewise(1, sin(time) > 0, 0)")}), "auto", "not linear in time"),
        (rates({f"x{i}": (1.0, f"-{i + 1} * x{i} * exp(x{i}) / (1 + x{i})") for i in range(200)}), "auto", "too large"),
        (rates(SMOOTH), "stiff", "method='stiff'"),
        (rates(SMOOTH), "scipy", "method='scipy'"),
    ],
)
def test_what_the_device_does_not_cover_is_named(net, method, words):
    system = system_of(net)
    with pytest.raises(ConfigError, match=f"device: rates: .*{words}.*use device='cpu'"):
        ran(system, 1.0, method)


def test_without_a_gpu_it_is_said():
    from numba import cuda

    with pytest.raises(ConfigError, match="device: .*expected 'cpu' or 'cuda'"):
        simulate_ode(FATE, TIMES, device="gpu")
    if cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="no CUDA device is seen here; use device='cpu'"):
        simulate_ode(FATE, TIMES, device="cuda")


def test_the_kernel_compiles_for_a_gpu(monkeypatch):
    rows, row = float64[:, ::1], float64[::1]
    signature = (rows, rows, rows, rows, int64[:, ::1], float64[:, :, ::1], row, row, boolean[::1])
    text = ptx(ode_kernel(equations_of(system_of(PULSE))), signature, monkeypatch)
    assert ".visible .entry" in text and "fma.rn.f64" in text and "fma.rn.f32" not in text


@pytest.mark.gpu
def test_on_a_gpu(measured):
    import time

    sets = simulate_ode(rates(SMOOTH), TIMES, {"a": [1.0, 2.0, 3.0]}, device="cuda").states
    assert np.allclose(sets, from_three_starts(), rtol=1e-6)
    pulses = simulate_ode(PULSE, TIMES, {"s": LATE}, device="cuda").states
    assert np.allclose(pulses, simulate_ode(PULSE, TIMES, {"s": LATE}).states, rtol=1e-9, atol=1e-12)
    assert simulate_ode(STIFF, [1.0], {"k": [1.0, 1e6]}, device="cuda").statistics["by_cpu"] == 1
    count = 100_000
    starts = {"a": np.linspace(0.5, 2.0, count)}
    begin = time.perf_counter()
    run = simulate_ode(rates(SMOOTH), np.linspace(0.0, 10.0, 11), starts, device="cuda")
    measured("sets a second on a GPU, three equations to 10 at 1e-8", count / (time.perf_counter() - begin))
    assert np.allclose(run.states[:, -1, 0], starts["a"] * np.exp(-10.0), rtol=1e-6)
