"""Where and in which precision things are computed, and how many threads and bytes there are for it.

Threads are set here only. Precedence: the argument, then `SCIML_NUM_THREADS`, then what the machine grants; never more than that.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from sciml.errors import ConfigError

if TYPE_CHECKING:
    import torch

__all__ = ["free_memory_bytes", "granted_cores", "out_of_memory", "resolve_device", "resolve_dtype", "set_threads", "thread_limit"]

_log = logging.getLogger("sciml.devices")
_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_MEMINFO = Path("/proc/meminfo")
_NO_LIMIT = 1 << 62


def resolve_device(device: str = "auto") -> torch.device:
    """The torch device for "auto" (CUDA, else CPU), "cpu", "cuda" or "cuda:N". Raises ConfigError where it is not there."""
    import torch

    name = str(device)
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    kind, _, index = name.partition(":")
    if kind != "cuda" or (":" in name and not index.isdecimal()):
        raise ConfigError(f"device: found {name!r}, expected auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(index or 0) >= count:
        raise ConfigError(f"device: {name!r} was asked for, but torch {torch.__version__} sees {count} CUDA devices here; use cpu or auto")
    return torch.device(name)


def resolve_dtype(dtype: str | torch.dtype) -> torch.dtype:
    """torch.float32 or torch.float64 by name (a torch dtype passes). Raises ConfigError for any other."""
    import torch

    known = {"float32": torch.float32, "float64": torch.float64}
    name = str(dtype).removeprefix("torch.")
    if name not in known:
        raise ConfigError(f"dtype: found {name!r}, expected float32 or float64")
    return known[name]


def thread_limit() -> int:
    """Threads that may be used: the least of CPU affinity, the control group's quota (rounded down, at least 1) and `SCIML_NUM_THREADS`."""
    granted = granted_cores()
    text = os.environ.get("SCIML_NUM_THREADS", "").strip()
    if not text:
        return granted
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"SCIML_NUM_THREADS: found {text!r}, expected a whole number >= 1")
    return min(granted, int(text))


def set_threads(n: int | None = None) -> int:
    """Give torch `n` threads (None: `thread_limit()`), never more than the limit; returns the number set. ConfigError for n < 1."""
    import torch

    limit = thread_limit()
    if n is not None and n < 1:
        raise ConfigError(f"threads: found {n}, expected a whole number >= 1")
    if n is not None and n > limit:
        _log.warning("%d threads were asked for, %d are granted here: using %d", n, limit, limit)
    wanted = limit if n is None else min(n, limit)
    torch.set_num_threads(wanted)
    return wanted


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ended: Python's, that of torch on a GPU, or the RuntimeError of its allocator on a CPU."""
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def free_memory_bytes(device: str | torch.device = "cpu") -> int:
    """Bytes that can still be had: of the CUDA device, or of the machine within its control group's limit."""
    if str(device).startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(torch.device(device))[0])
    return min(_machine_bytes(), _cgroup_bytes())


def granted_cores() -> int:
    """Cores that the machine grants this process: the least of CPU affinity and the control groups' quotas (rounded down, at least 1)."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for folder in _cgroup_folders() if (quota := _quota(folder)) is not None]
    return max(1, min([affinity, *(int(quota) for quota in quotas)]))


def _cgroup_folders() -> list[Path]:
    """This process's control groups with their parents, version 2 and 1; empty where there are none."""
    folders = []
    for line in _read(_MEMBERSHIP).splitlines():
        _, controllers, name = line.split(":", 2) if line.count(":") >= 2 else ("", "", "/")
        for controller in controllers.split(","):
            inside = _CGROUPS / controller / name.strip("/")
            folders += [p for p in (inside, *inside.parents) if p.is_relative_to(_CGROUPS)]
    return list(dict.fromkeys([*folders, _CGROUPS, _CGROUPS / "cpu", _CGROUPS / "memory"]))


def _quota(folder: Path) -> float | None:
    """Cores granted by cpu.max (version 2) or cpu.cfs_quota_us (version 1); None without a limit."""
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    try:
        return float(quota) / float(period) if float(quota) > 0 and float(period) > 0 else None
    except ValueError:
        return None


def _machine_bytes() -> int:
    for line in _read(_MEMINFO).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    import psutil

    return int(psutil.virtual_memory().available)


def _cgroup_bytes() -> int:
    """The least that any control group above this process still grants; caches of files count as free."""
    free = [_group_free(folder, "memory.max", "memory.current") for folder in _cgroup_folders()]
    free += [_group_free(folder, "memory.limit_in_bytes", "memory.usage_in_bytes") for folder in _cgroup_folders()]
    return min(free, default=_NO_LIMIT)


def _group_free(folder: Path, limit_name: str, used_name: str) -> int:
    limit, used = _read(folder / limit_name), _read(folder / used_name)
    if not limit.isdecimal() or not used.isdecimal():
        return _NO_LIMIT
    stat = dict(line.split() for line in _read(folder / "memory.stat").splitlines() if len(line.split()) == 2)
    return max(0, int(limit) - int(used) + int(stat.get("inactive_file", "0")))


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
