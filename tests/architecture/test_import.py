"""Importing is light and changes nothing of the interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT, read

HEAVY = (
    "numpy",
    "torch",
    "ase",
    "pymatgen",
    "scipy",
    "lightning",
    "pytorch_lightning",
    "e3nn",
    "torch_geometric",
    "plotly",
    "pydantic",
    "numba",
)
CLI = ROOT / "sciml" / "cli" / "main.py"
HELP = "import sys; sys.argv = ['sciml', '--help']; from sciml.cli.main import main; main()"


def cpu_seconds(code: str, tries: int = 3) -> float:
    """CPU seconds (user and system) of a fresh interpreter that runs `code`: the least of some tries."""
    import resource

    spent = []
    for _ in range(tries):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent)


def loaded(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after `code`."""
    tell = "sys.stderr.write(json.dumps([name.split('.')[0] for name in sys.modules]))"
    told = f"import sys, json\ntry:\n    {code}\nexcept SystemExit:\n    pass\n{tell}"
    return set(json.loads(subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True).stderr))


@pytest.mark.skipif(os.name != "posix", reason="CPU time of children is asked from POSIX")
@pytest.mark.parametrize(
    "code", ["import sciml", "import sciml.files, sciml.errors, sciml.sandbox, sciml.seeding, sciml.devices, sciml.resources"]
)
def test_import_is_light(code):
    assert loaded(code) & set(HEAVY) == set()
    assert cpu_seconds(code) < 0.3


@pytest.mark.skipif(os.name != "posix", reason="CPU time of children is asked from POSIX")
@pytest.mark.skipif(not CLI.exists(), reason="there is no command line yet")
def test_help_is_light():
    assert (
        loaded(HELP) & {"torch", "ase", "pymatgen", "lightning", "pytorch_lightning", "e3nn", "torch_geometric", "plotly", "numba"} == set()
    )
    assert cpu_seconds(HELP) < 0.5


def test_door_opens_at_first_use():
    code = "import sciml, sys; assert 'sciml.errors' not in sys.modules; sciml.errors.DataError; print(sciml.__version__)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_unknown_names_of_the_door():
    import sciml

    with pytest.raises(AttributeError, match=r"module 'sciml' has no attribute 'material'; its packages are .*materials"):
        _ = sciml.material
    assert {"materials", "errors", "__version__"} <= set(dir(sciml))


STATE = """
import importlib, json, logging, os, random, signal, sys, warnings, locale, gc
def state():
    import numpy, torch
    return {
        "torch threads": [torch.get_num_threads(), torch.get_num_interop_threads()],
        "torch dtype": [str(torch.get_default_dtype()), str(torch.get_default_device())],
        "torch gradients": [torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_anomaly_enabled()],
        "torch determinism": [torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.deterministic],
        "torch tuning": torch.backends.cudnn.benchmark,
        "torch precision": [torch.get_float32_matmul_precision(), torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32],
        "torch denormals": float(torch.tensor(1e-310, dtype=torch.float64)) != 0,
        "torch random": torch.random.get_rng_state().tolist()[:40],
        "torch jit": str(getattr(torch._C, "_jit_get_profiling_executor", lambda: 0)()),
        "torch sharing": str(torch.multiprocessing.get_sharing_strategy()),
        "numpy": [str(numpy.geterr()), str(numpy.get_printoptions()), str(numpy.random.get_state()[1][:5])],
        "random": str(random.getstate()[1][:5]),
        "warnings": [str(f) for f in warnings.filters],
        "logging": [logging.getLogger().level, [str(h) for h in logging.getLogger().handlers], logging.root.manager.disable],
        "loggers": [n for n, l in logging.root.manager.loggerDict.items()
                    if n.startswith("sciml") and isinstance(l, logging.Logger) and (l.level or l.handlers)],
        "environment": dict(os.environ),
        "interpreter": [sys.getrecursionlimit(), str(sys.excepthook), str(sys.displayhook), sys.path, os.getcwd(), sys.gettrace() is None],
        "signals": [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM)],
        "locale": locale.setlocale(locale.LC_ALL),
        "gc": [gc.isenabled(), gc.get_threshold()],
    }
others, own = json.loads(sys.argv[1])
for name in others:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
before = state()
for name in own:
    importlib.import_module(name)
after = state()
for key, value in before.items():
    if after[key] != value:
        sys.stdout.write(f"{key}: {value} -> {after[key]}\\n")
"""


def changes(own: list[str], others: list[str], path: str = "") -> str:
    """What importing `own` changes of the interpreter's state after `others` were imported."""
    environment = os.environ | ({"PYTHONPATH": path + os.pathsep + os.environ.get("PYTHONPATH", "")} if path else {})
    command = [sys.executable, "-c", STATE, json.dumps([others, own])]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_import_changes_no_global_state():
    """Threads, dtype, switches of torch, random states, warnings, logging, environment, signals: as before, whatever is imported."""
    modules = read()
    foreign = sorted({name for m in modules for _, name in m.imports() if name.split(".")[0] not in ("sciml", "__future__")})
    parents = sorted({name.rpartition(".")[0] or name for name in foreign} | {name.split(".")[0] for name in foreign})
    assert changes([m.name for m in modules if not m.name.endswith("__main__")], parents) == ""


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("import torch; torch.set_num_threads(torch.get_num_threads() + 1)", "torch threads"),
        ("import torch; torch.set_default_dtype(torch.float64)", "torch dtype"),
        ("import warnings; warnings.filterwarnings('ignore')", "warnings"),
        ("import torch; torch.manual_seed(3)", "torch random"),
        ("import os; os.environ['OMP_NUM_THREADS'] = '3'", "environment"),
        ("import logging; logging.basicConfig()", "logging"),
    ],
)
def test_planted_changes_are_seen(tmp_path, line, key):
    (tmp_path / "planted_module.py").write_text(line)
    assert changes(["planted_module"], ["torch"], str(tmp_path)).startswith(f"{key}: ")
