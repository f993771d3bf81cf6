"""Devices by name, threads within what the control group grants, free memory within its limit."""

from __future__ import annotations

import os

import pytest
import torch

from sciml import devices
from sciml.errors import ConfigError


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A made-up /proc and /sys/fs/cgroup: files by name."""
    monkeypatch.setattr(devices, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(devices, "_MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(devices, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    monkeypatch.delenv("SCIML_NUM_THREADS", raising=False)

    def write(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    write({"meminfo": "MemTotal: 64 kB\nMemAvailable:    8000000 kB\n"})
    return write


def test_devices_by_name():
    assert resolve("cpu") == torch.device("cpu")
    assert resolve("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve(torch.device("cpu")) == torch.device("cpu")


def resolve(name):
    return devices.resolve_device(name)


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "", "mps"])
def test_devices_that_are_none(name):
    with pytest.raises(ConfigError, match="device: found .*, expected auto, cpu, cuda or cuda:N"):
        resolve(name)


def test_cuda_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"device: 'cuda' was asked for, but torch .* sees 0 CUDA devices here; use cpu or auto"):
        resolve("cuda")


def test_dtypes():
    assert devices.resolve_dtype("float32") is torch.float32
    assert devices.resolve_dtype(torch.float64) is torch.float64
    with pytest.raises(ConfigError, match="dtype: found 'float16', expected float32 or float64"):
        devices.resolve_dtype("float16")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 16),
        ({"cgroup/cpu.max": "max 100000"}, 16),
        ({"cgroup/cpu.max": "400000 100000"}, 4),
        ({"cgroup/cpu.max": "150000 100000"}, 1),
        ({"cgroup/cpu.max": "50000 100000"}, 1),
        ({"membership": "0::/a/b", "cgroup/a/cpu.max": "300000 100000", "cgroup/a/b/cpu.max": "max 100000"}, 3),
        (
            {"membership": "4:cpu,cpuacct:/job", "cgroup/cpu/job/cpu.cfs_quota_us": "200000", "cgroup/cpu/job/cpu.cfs_period_us": "100000"},
            2,
        ),
        ({"cgroup/cpu/cpu.cfs_quota_us": "-1", "cgroup/cpu/cpu.cfs_period_us": "100000"}, 16),
        ({"cgroup/cpu.max": "nonsense"}, 16),
    ],
)
def test_threads_within_the_control_group(machine, files, expected):
    machine(files)
    assert devices.thread_limit() == expected


@pytest.mark.parametrize(("text", "expected"), [("1", 1), ("3", 3), ("64", 4), ("", 4)])
def test_environment_lowers_the_limit_and_never_raises_it(machine, monkeypatch, text, expected):
    machine({"cgroup/cpu.max": "400000 100000"})
    monkeypatch.setenv("SCIML_NUM_THREADS", text)
    assert devices.thread_limit() == expected


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_environment_that_is_no_number(monkeypatch, text):
    monkeypatch.setenv("SCIML_NUM_THREADS", text)
    with pytest.raises(ConfigError, match="SCIML_NUM_THREADS: found .*, expected a whole number >= 1"):
        devices.thread_limit()


def test_threads_are_set_and_capped(monkeypatch):
    before = torch.get_num_threads()
    try:
        monkeypatch.setattr(devices, "thread_limit", lambda: 2)
        assert [devices.set_threads(n) for n in (1, 2, 99, None)] == [1, 2, 2, 2]
        assert torch.get_num_threads() == 2
        with pytest.raises(ConfigError, match="threads: found 0"):
            devices.set_threads(0)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8_000_000 * 1024),
        ({"cgroup/memory.max": "max", "cgroup/memory.current": "5"}, 8_000_000 * 1024),
        ({"cgroup/memory.max": "1000000", "cgroup/memory.current": "400000"}, 600_000),
        (
            {"cgroup/memory.max": "1000000", "cgroup/memory.current": "400000", "cgroup/memory.stat": "anon 1\ninactive_file 100000"},
            700_000,
        ),
        ({"cgroup/memory.max": "1000", "cgroup/memory.current": "4000"}, 0),
        ({"cgroup/memory/memory.limit_in_bytes": "900", "cgroup/memory/memory.usage_in_bytes": "400"}, 500),
    ],
)
def test_free_memory(machine, files, expected):
    machine(files)
    assert devices.free_memory_bytes() == expected


def test_this_machine_has_memory_and_cores():
    assert devices.free_memory_bytes() > 1 << 20
    assert 1 <= devices.thread_limit() <= (os.cpu_count() or 1)
