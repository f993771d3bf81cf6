"""What is said where there is no GPU, and how much of one is used."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import pytest

from sciml.biology.simulation import cuda_device as module
from sciml.biology.simulation.cuda_device import BLOCK, cuda_device, launch, rows_that_fit
from sciml.errors import ConfigError


def test_a_device_that_is_not_there():
    from numba import cuda

    if cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="no CUDA device is seen here; use device='cpu'"):
        cuda_device()


@pytest.mark.parametrize(("free", "fit"), [(1_000_000, 5000), (10, BLOCK), (float("inf"), (1 << 29) // 100)])
def test_half_of_the_free_memory_is_used(monkeypatch, free, fit):
    context = SimpleNamespace(get_memory_info=lambda: (free, 1 << 40))
    monkeypatch.setattr(module, "cuda_device", lambda: SimpleNamespace(current_context=lambda: context))
    assert rows_that_fit(100) == fit


@pytest.mark.parametrize(("threads", "shape"), [(3, (1, 3)), (BLOCK, (1, BLOCK)), (BLOCK + 1, (2, BLOCK))])
def test_launches_are_large_enough_and_quiet(threads, shape):
    from numba.core.errors import NumbaPerformanceWarning

    class Kernel(dict):
        def __missing__(self, found):
            warnings.warn("Grid size will likely result in under-utilization", NumbaPerformanceWarning, stacklevel=1)
            return lambda *given: self.update({found: given})

    kernel = Kernel()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        launch(kernel, threads, 1, 2)
    assert kernel == {shape: (1, 2)}
