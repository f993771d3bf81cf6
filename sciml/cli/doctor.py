"""`sciml doctor`: what this machine offers, which settings hold and why, and what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typer

from sciml import __version__, devices, resources, sandbox
from sciml.cli.terminal import Device, Json, Quiet, Threads, Verbose, command, emit
from sciml.errors import SciMLError

__all__ = ["Finding", "doctor", "findings"]

GIB = 1 << 30
LEAST_MEMORY, LEAST_DISK = GIB, GIB
PACKAGES = (
    "numpy",
    "scipy",
    "torch",
    "torch-geometric",
    "ase",
    "pymatgen-core",
    "lightning",
    "e3nn",
    "numba",
    "vesin",
    "plotly",
    "pyarrow",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Finding:
    """One line: `part`, `name`, what was found, and whether it is as it should be ("note": works, but worth knowing)."""

    part: str
    name: str
    found: str
    state: Literal["ok", "note", "trouble"] = "ok"


@command
def doctor(device: Device = "auto", threads: Threads = None, json: Json = False, verbose: Verbose = False, quiet: Quiet = False) -> None:
    """What this machine offers, which settings hold and why, which limits exist here. Exit 1 where something is wrong."""
    found = findings(device, threads)
    trouble = [each for each in found if each.state == "trouble"]
    lines, part = [], ""
    for each in found:
        lines += [each.part] if each.part != part else []
        part = each.part
        mark = {"ok": "  ", "note": "- ", "trouble": "! "}[each.state]
        lines.append(f"  {mark}{each.name:<26}{each.found}")
    lines.append(f"{len(trouble)} thing(s) to put right" if trouble else "nothing to put right")
    emit({"findings": [asdict(each) for each in found], "trouble": len(trouble)}, "\n".join(lines), as_json=json, quiet=quiet)
    if trouble:
        raise typer.Exit(1)


def findings(device: str = "auto", threads: int | None = None) -> list[Finding]:
    """All that `doctor` looks at, in its order; what cannot be asked is trouble with the reason."""
    return [*_versions(), *_device(device), *_threads(threads), *_places(), *_limits(), *_browser()]


def _versions() -> list[Finding]:
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    found = [
        Finding("versions", "sciml", __version__),
        Finding("versions", "python", f"{platform.python_version()} on {platform.platform()}"),
    ]
    wanted = {need.name: need.specifier for need in map(Requirement, requires("sciml") or []) if need.marker is None}
    for name in PACKAGES:
        try:
            have, right = version(name), wanted.get(name)
        except PackageNotFoundError:
            found.append(Finding("versions", name, "missing; install sciml again", "trouble"))
            continue
        fits = right is None or right.contains(have, prereleases=True)
        found.append(Finding("versions", name, have if fits else f"{have}, but {right} is needed", "ok" if fits else "trouble"))
    return found


def _device(device: str) -> list[Finding]:
    import torch

    def which() -> str:
        chosen = devices.resolve_device(device)
        if chosen.type == "cpu":
            return f"cpu ({torch.backends.cpu.get_cpu_capability()})"
        return f"{chosen} ({torch.cuda.get_device_name(chosen)}, {devices.free_memory_bytes(chosen) / GIB:.1f} GiB free)"

    cuda = f"{torch.cuda.device_count()} device(s), CUDA {torch.version.cuda}" if torch.cuda.is_available() else "not available"
    return [_asked("device", f"in force ({device})", which), Finding("device", "cuda", cuda)]


def _threads(threads: int | None) -> list[Finding]:
    """Precedence: argument, then SCIML_NUM_THREADS, then the machine; never more than the machine grants."""
    import torch

    variable = os.environ.get("SCIML_NUM_THREADS", "").strip()
    part = "threads (argument, then SCIML_NUM_THREADS, then the machine)"
    found = [
        Finding(part, "argument --threads", "not given" if threads is None else str(threads)),
        Finding(part, "SCIML_NUM_THREADS", variable or "not set"),
        Finding(part, "machine", f"{devices.granted_cores()} granted (affinity, control group) of {os.cpu_count()}"),
    ]
    try:
        limit = devices.thread_limit()
    except SciMLError as error:
        return [*found, Finding(part, "in force", str(error), "trouble")]
    start = min(torch.get_num_threads(), limit)
    held = min(threads, limit) if threads is not None else start
    reason = (
        "argument" if threads is not None and threads <= limit else "SCIML_NUM_THREADS" if variable and int(variable) <= held else "machine"
    )
    omp = os.environ.get("OMP_NUM_THREADS")
    if threads is None and omp and start < limit:
        reason = f"OMP_NUM_THREADS={omp} of the environment"
    return [*found, Finding(part, "in force", f"{held}, by {reason}")]


def _places() -> list[Finding]:
    part = "places"
    variable = os.environ.get("SCIML_CACHE", "").strip()

    def cache() -> str:
        return f"{resources.cache_folder()} ({'SCIML_CACHE' if variable else 'the default of this system; SCIML_CACHE is not set'})"

    found = [_asked(part, "cache folder", cache)]
    for name in ("datasets", "models", "examples"):
        found.append(_asked(part, f"shipped {name}", lambda name=name: str(resources.find(name))))  # type: ignore[misc]
    free = devices.free_memory_bytes()
    found.append(Finding(part, "memory", f"{free / GIB:.1f} GiB free", "ok" if free >= LEAST_MEMORY else "trouble"))
    for name, place in (("disk here", Path.cwd()), ("disk of the cache", _existing(Path(variable or Path.home())))):
        room = shutil.disk_usage(place).free
        found.append(Finding(part, name, f"{room / GIB:.1f} GiB free at {place}", "ok" if room >= LEAST_DISK else "trouble"))
    return found


def _existing(path: Path) -> Path:
    return next((place for place in (path, *path.absolute().parents) if place.exists()), Path.cwd())


def _limits() -> list[Finding]:
    part = "limits of the parsers of foreign files"
    words = {"memory": "memory of the child", "cpu": "CPU time of the child", "wall": "time by the clock"}
    missing = f"not on {sys.platform}"
    return [Finding(part, words[name], "enforced" if on else missing, "ok" if on else "note") for name, on in sandbox.limits().items()]


def _browser() -> list[Finding]:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    text = found or "none; only the tests of report pages need one (make browser)"
    return [Finding("reports", "chromium", text, "ok" if found else "note")]


def _asked(part: str, name: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(part, name, ask())
    except (SciMLError, OSError, RuntimeError) as error:
        return Finding(part, name, str(error), "trouble")
