"""Work against precision of deterministic runs: ours and a peer's in one run, CPU time of one core at equal measured error.

python benchmarks/biology/ode.py [MODEL ...] [--roadrunner PYTHON] [--diffrax PYTHON] [--points] [--out FILE.json]

MODEL: `pathway`, `robertson` (to 1e5), `batch` (1,000 parameter sets of `pathway`, each rate times exp(0.3 N(0, 1))), or a number of
BioModels in tests/data; all by default. PYTHON: an interpreter of an environment with libroadrunner (single runs), or with diffrax (the
batch). Each solver runs at several tolerances; seconds are the least of repeated runs, start-up and compiling excluded. The error is the
largest |x - r| / (1e-5 |r| + 1e-9 max |r|) over species and 101 times, r our run at rtol 1e-12
by one-step methods. Seconds at an error are read off the
points that nothing beats.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import inspect
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from sciml import biology as bio
from sciml import files
from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.source import statements
from sciml.biology.simulation import run as run_module

DATA = Path(__file__).parents[2] / "tests" / "data"
TOLERANCES = 10.0 ** np.arange(-4, -11, -1)
LEVELS = (10.0, 1.0, 0.1, 0.01)  # errors at which times are compared
SETS = 1000


def least(run, most=1.0):  # type: ignore[no-untyped-def]
    """(seconds of the fastest run, what it gave); the peers run this text too."""
    run()
    best = spent = 0.0
    for _ in range(40):
        begin = time.process_time()
        found = run()
        took = time.process_time() - begin
        best, spent = min(best or took, took), spent + took
        if spent > most:
            break
    return best, found


REPEAT = "import time\n" + inspect.getsource(least)
ROADRUNNER = (
    REPEAT
    + """
import contextlib, json, sys
import numpy as np, roadrunner
task = json.load(open(sys.argv[1]))
points, arrays = [], []
for rtol in task["tolerances"]:
    for part in (1e-2, 1e-4):
        run = roadrunner.RoadRunner(task["text"])
        run.timeCourseSelections = ["time", *task["species"]]
        solver = run.integrator
        solver.setValue("relative_tolerance", rtol)
        solver.setValue("maximum_num_steps", 100000)
        for name, size in zip(task["species"], task["sizes"]):
            with contextlib.suppress(RuntimeError):  # what a rule determines has no tolerance
                solver.setIndividualTolerance(name, rtol * part * size)
        def once():
            run.reset()
            return np.array(run.simulate(0, task["end"], 101))[:, 1:]
        with contextlib.suppress(RuntimeError):
            seconds, found = least(once)
            points.append([f"rtol {rtol:g}, atol {rtol * part:g} of the size", seconds])
            arrays.append(found)
np.savez(sys.argv[2], points=json.dumps(points), arrays=np.array(arrays))
"""
)
DIFFRAX = (
    REPEAT
    + """
import json, os, sys
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import diffrax, jax, numpy as np
import jax.numpy as jnp
jax.config.update("jax_enable_x64", True)
task = json.load(open(sys.argv[1]))
start, numbers, times = (jnp.array(task[name]) for name in ("start", "numbers", "times"))
def slopes(t, y, p):
    BODY
    return jnp.stack(jnp.broadcast_arrays(RESULTS))
points, arrays = [], []
for solver in (diffrax.Tsit5(), diffrax.Kvaerno5()):
    for rtol in task["tolerances"]:
        if rtol < (1e-9 if type(solver) is diffrax.Tsit5 else 1e-7):
            continue
        control = diffrax.PIDController(rtol=rtol, atol=jnp.array(task["sizes"]) * rtol * 1e-2)
        def one(y, p):
            return diffrax.diffeqsolve(diffrax.ODETerm(slopes), solver, times[0], times[-1], None, y, p, max_steps=100000,
                                       saveat=diffrax.SaveAt(ts=times), stepsize_controller=control).ys
        many = jax.jit(jax.vmap(one))
        seconds, found = least(lambda: np.asarray(many(start, numbers)))
        points.append([f"{type(solver).__name__}, rtol {rtol:g}", seconds])
        arrays.append(found)
np.savez(sys.argv[2], points=json.dumps(points), arrays=np.array(arrays))
"""
)


@dataclasses.dataclass
class Point:
    """One setting of a solver: seconds of CPU and measured error."""

    setting: str
    seconds: float
    error: float


def error(found: np.ndarray, reference: np.ndarray) -> float:
    """In units of the tolerance of the acceptance table; times before species are the last axes."""
    size = np.abs(reference).max(axis=-2, keepdims=True)
    allowed = 1e-5 * np.abs(reference) + 1e-9 * size
    return float(np.max(np.abs(found - reference) / np.where(allowed > 0, allowed, 1.0)))


def at_error(points: list[Point], level: float) -> float | None:
    """Seconds at an error, between the points that nothing beats (logarithms, straight lines); None where that is not reached."""
    best: list[Point] = []
    for point in sorted(points, key=lambda p: (p.seconds, p.error)):
        if not best or point.error < best[-1].error:
            best.append(point)
    if not best or best[-1].error > level:
        return None
    x, y = np.log([max(p.error, 1e-300) for p in best][::-1]), np.log([p.seconds for p in best][::-1])
    return float(np.exp(np.interp(np.log(level), x, y)))


def ours(run: Callable[..., np.ndarray], columns: list[int], reference: np.ndarray) -> list[Point]:
    """Default atol, which asks for a rough run before, and a stated one."""
    points = []
    for rtol in TOLERANCES:
        for stated in (False, True):
            seconds, found = least(lambda rtol=rtol, stated=stated: run(rtol, stated))
            points.append(Point(f"rtol {rtol:g}{', atol stated' if stated else ''}", seconds, error(found[..., columns], reference)))
    return points


def peers(python: str, program: str, task: dict[str, Any], reference: np.ndarray) -> list[Point]:
    """The points of a peer in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "task.json"), Path(folder, "answer.npz")
        asked.write_text(json.dumps(task | {"tolerances": TOLERANCES.tolist()}))
        try:
            subprocess.run([python, "-W", "ignore", "-c", program, str(asked), str(answered)], check=True, timeout=600)
        except subprocess.TimeoutExpired:
            return []
        answer = np.load(answered)
        found = zip(json.loads(str(answer["points"])), answer["arrays"], strict=True)
        return [Point(setting, seconds, error(array, reference)) for (setting, seconds), array in found]


def exact(net: bio.Network, times: np.ndarray, sets: Any = None) -> bio.Solution:
    """By one-step methods whatever the number of states is, so that no error is shared with the multistep method's."""
    with mock.patch.object(run_module, "_MANY", 10**9):
        return bio.simulate_ode(net, times, sets, rtol=1e-12)


def robertson() -> bio.Network:
    """Three reactions whose rates differ by nine decades."""
    text = "A -> B; 0.04*A\nB + B -> C + B; 3e7*B*B\nB + C -> A + C; 1e4*B*C\nA = 1; B = 0; C = 0"
    return bio.load_antimony(text)


def network(name: str) -> tuple[bio.Network, str, float]:
    """(network, its SBML, end)."""
    if name.isdigit():
        text = gzip.open(DATA / "biomodels" / f"BIOMD{int(name):010d}.xml.gz").read().decode()
        ends = np.load(DATA / "biomodels" / "reference.npz")
        end = float(ends[f"{name}.end"]) if f"{name}.end" in ends else 600.0
        return bio.load_sbml(DATA / "biomodels" / f"BIOMD{int(name):010d}.xml.gz"), text, end
    if name == "robertson":
        with tempfile.TemporaryDirectory() as folder:
            robertson().to_sbml(Path(folder, "robertson.xml"))
            return robertson(), Path(folder, "robertson.xml").read_text(), 1e5
    path = DATA / "sbml" / "pathway.xml"
    return bio.load_sbml(path), path.read_text(), 10.0


def single(name: str, roadrunner: str | None) -> dict[str, list[Point]]:
    """One run of a model."""
    net, text, end = network(name)
    times = np.linspace(0, end, 101)
    species = [s.id for s in net.species if not (s.boundary or s.constant)]
    tight = exact(net, times)
    columns = [tight.species.index(id) for id in species]
    reference = tight.amounts[:, columns]
    sizes = np.abs(reference).max(axis=0)
    sizes[sizes == 0] = 1.0
    size = dict(zip(species, sizes.tolist(), strict=True))

    def run(rtol: float, stated: bool) -> np.ndarray:
        atol = {id: 1e-2 * rtol * size[id] for id in system_of(net).states if id in size} if stated else None
        return bio.simulate_ode(net, times, rtol=rtol, atol=atol).amounts

    found = {"sciml": ours(run, columns, reference)}
    if roadrunner:
        task = {"text": text, "end": end, "species": species, "sizes": sizes.tolist()}
        found["libroadrunner"] = peers(roadrunner, ROADRUNNER, task, reference)
    return found


def batch(diffrax: str | None) -> dict[str, list[Point]]:
    """1,000 parameter sets of `pathway` in one call, on one thread."""
    net, _, end = network("pathway")
    times, rng = np.linspace(0, end, 101), np.random.default_rng(0)
    sets = {q.id: q.value * np.exp(0.3 * rng.standard_normal(SETS)) for q in net.parameters if q.value}
    system = system_of(net)
    y, p = system.begin(sets)
    tight = exact(net, times, sets)
    columns = [tight.species.index(id) for id in system.states]
    reference = tight.amounts[..., columns]
    sizes = np.abs(reference).max(axis=(0, 1))
    size = dict(zip(system.states, sizes.tolist(), strict=True))

    def run(rtol: float, stated: bool) -> np.ndarray:
        atol = {id: 1e-2 * rtol * value for id, value in size.items()} if stated else None
        return bio.simulate_ode(net, times, sets, rtol=rtol, atol=atol).amounts

    found = {"sciml": ours(run, columns, reference)}
    if diffrax:
        lines, results = statements(
            system.graph, system.derivatives, lambda kind, i: {"state": f"y[{i}]", "param": f"p[{i}]"}.get(kind, "t")
        )
        program = DIFFRAX.replace("BODY", "\n    ".join(lines or ["pass"])).replace("RESULTS", ", ".join(results))
        task = {"start": y.tolist(), "numbers": p.tolist(), "times": times.tolist(), "sizes": sizes.tolist()}
        found["diffrax"] = peers(diffrax, program, task, reference)
    return found


def line(name: str, found: dict[str, list[Point]]) -> str:
    """Milliseconds at each level, ours and the peer's, and how many times faster ours is."""
    cells = []
    for level in LEVELS:
        seconds = [at_error(points, level) for points in found.values()]
        text = " ".join("-" if s is None else f"{1e3 * s:.3g}" for s in seconds)
        both = len(seconds) > 1 and seconds[0] is not None and seconds[1] is not None
        cells.append(f"{text} ({seconds[1] / seconds[0]:.2f})" if both else text)  # type: ignore[operator]
    return f"{name:>10}: " + " | ".join(f"{c:>22}" for c in cells)


def main() -> None:
    """Measure and print."""
    everything = ["pathway", "batch", "robertson", *sorted((str(int(f.name[5:15])) for f in DATA.glob("biomodels/*.gz")), key=int)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=everything)
    parser.add_argument("--roadrunner")
    parser.add_argument("--diffrax")
    parser.add_argument("--points", action="store_true", help="print every point too")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if unknown := sorted(set(options.models) - set(everything)):
        parser.error(f"found {', '.join(unknown)}; there are {', '.join(everything)}")
    print("milliseconds of ours, of the peer, (times ours is faster), at errors of", *LEVELS)
    rows = {}
    for name in options.models:
        found = batch(options.diffrax) if name == "batch" else single(name, options.roadrunner)
        rows[name] = {solver: [dataclasses.asdict(point) for point in points] for solver, points in found.items()}
        print(line(name, found), flush=True)
        if options.points:
            for solver, points in found.items():
                for point in points:
                    print(f"    {solver} {point.setting}: {1e3 * point.seconds:.3f} ms, error {point.error:.3g}")
    if options.out:
        files.write_json(options.out, rows)


if __name__ == "__main__":
    main()
