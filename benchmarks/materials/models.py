"""64 silicon atoms at a cut-off of 5 A: the shipped model `si` against NequIP, and against a product of two 1024 x 1024 matrices.

    python benchmarks/materials/models.py [--peer-python PATH] [--rounds 5] [--repeat 5] [--quick]

CPU milliseconds on one core, in float32, of three calls:

    evaluate    energy, forces and stress on a graph that is there (ours: `differentiate`, what `predict` and the calculator call)
    structure   the same from an `ase.Atoms`, neighbour list included (ours: `Potential.predict`)
    train       loss of energy, forces and stress on a graph that is there, its gradient, clipping, a step of AdamW

The peer is NequIP with l_max 2, 32 features and 4 layers, untrained: as it comes, and without odd parity, which is its faster sort. It
is not compiled: its compiled training starts at two structures. It lives in an environment of its own, whose interpreter runs this file
as a worker; without --peer-python its rows are left out:

    python -m venv nequip && nequip/bin/pip install nequip

In each round all take turns, so that a loaded machine moves all of them. `ratio` is our least time over theirs in the same round, the
median over rounds.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.build import bulk
from origin import RESULTS, origin, versions
from torch import Tensor

CUTOFF_A, SEED, TARGET = 5.0, 0, 1 / 3
CALLS = ("evaluate", "structure", "train")
OURS, PEER, FASTER_PEER, PRODUCT = "sciml si", "nequip", "nequip, no odd parity", "matrix product"
Calls = dict[str, Callable[[], object]]
Measure = Callable[[str, int], list[float]]
"""CPU seconds of each of so many repeats of a call."""


def silicon() -> Atoms:
    """64 atoms of diamond, displaced by 0.05 A."""
    atoms = bulk("Si", cubic=True).repeat(2)
    atoms.rattle(0.05, seed=SEED)
    return atoms


def seconds(call: Callable[[], object], repeat: int) -> list[float]:
    """CPU seconds of each of `repeat` calls."""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return times


def training_step(module: torch.nn.Module, predict: Callable[[], tuple[Tensor, Tensor, Tensor]]) -> Callable[[], None]:
    """A step towards made-up labels, the same for all; `predict` gives energy in eV, forces and stress."""
    parameters, random = list(module.parameters()), np.random.default_rng(SEED)
    optimizer = torch.optim.AdamW(parameters, lr=1e-4, amsgrad=True, fused=True)
    labels = [torch.from_numpy(random.normal(0.0, spread, shape)) for spread, shape in ((1.0, 1), (0.5, (64, 3)), (0.02, (3, 3)))]

    def step() -> None:
        optimizer.zero_grad()
        found = predict()
        units = (64.0, 0.5, 0.02)
        sum(((x - y) / unit).square().mean() for x, y, unit in zip(found, labels, units, strict=True)).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 10.0)
        optimizer.step()

    return step


def ours() -> tuple[Calls, dict[str, Any]]:
    """The calls of the shipped model, and what it is."""
    from sciml import materials as mat  # here, since the peer's environment has no sciml
    from sciml.materials.potential import differentiate

    atoms, potential = silicon(), mat.load_potential("si")
    graph = mat.build_graphs([atoms], potential.cutoff_A)
    (fixed,) = potential.modules(torch.float32, torch.device("cpu"))
    trained = copy.deepcopy(potential.members[0]).float().requires_grad_(True).train()

    def predict() -> tuple[Tensor, Tensor, Tensor]:
        found = differentiate(trained, graph, create_graph=True)
        return found.energy, found.forces, found.stress

    calls: Calls = {"evaluate": lambda: differentiate(fixed, graph), "structure": lambda: potential.predict(atoms, device="cpu")}
    facts = {"edges": graph.num_edges, "parameters": parameters_of(trained), "model": trained.settings()["model"]}
    return calls | {"train": training_step(trained, predict)}, facts


def nequip(**options: Any) -> tuple[Calls, dict[str, Any]]:
    """The calls of an untrained NequIP model, and what it is."""
    from nequip.data import from_ase
    from nequip.data.transforms import ChemicalSpeciesToAtomTypeMapper, NeighborListTransform
    from nequip.model import NequIPGNNModel
    from nequip.utils.global_state import set_global_state

    set_global_state()
    atoms, neighbours, types = silicon(), NeighborListTransform(CUTOFF_A), ChemicalSpeciesToAtomTypeMapper(["Si"])
    options = {"num_layers": 4, "l_max": 2, "num_features": 32, "r_max": CUTOFF_A, "model_dtype": "float32", **options}
    data = types(neighbours(from_ase(atoms)))
    edges = data["edge_index"].shape[1]
    numbers = {"avg_num_neighbors": edges / len(atoms), "per_type_energy_scales": 1.0, "per_type_energy_shifts": 0.0}
    trained = NequIPGNNModel(seed=SEED, type_names=["Si"], **options, **numbers).train()
    fixed = copy.deepcopy(trained).eval().requires_grad_(False)

    def predict() -> tuple[Tensor, Tensor, Tensor]:
        found = trained(dict(data))
        return found["total_energy"], found["forces"], found["stress"]

    calls: Calls = {"evaluate": lambda: fixed(dict(data)), "structure": lambda: fixed(types(neighbours(from_ase(atoms))))}
    return calls | {"train": training_step(trained, predict)}, {"edges": edges, "parameters": parameters_of(trained), "model": options}


def parameters_of(module: torch.nn.Module) -> int:
    """Number of trained numbers."""
    return sum(parameter.numel() for parameter in module.parameters())


def worker() -> None:
    """Say what the models are; then answer each line [model, call, repeats] by a line of CPU seconds. All lines are JSON."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print must not stand between the answers
    models = {PEER: nequip(), FASTER_PEER: nequip(parity=False)}
    facts = {name: own for name, (_, own) in models.items()}
    print(json.dumps({"facts": facts, "versions": versions("nequip", "e3nn", "torch")}), file=answers)
    for line in sys.stdin:
        name, call, repeat = json.loads(line)
        print(json.dumps(seconds(models[name][0][call], repeat)), file=answers)


@contextmanager
def peer(python: Path) -> Iterator[tuple[dict[str, Measure], dict[str, Any]]]:
    """A worker in another interpreter: how to measure its models, and what it says of them."""
    command = [str(python), "-W", "ignore", __file__, "--worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None and process.stdout is not None

        def answer() -> Any:
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"{python}: the worker stopped; what it said stands above")
            return json.loads(line)

        def measure_of(name: str) -> Measure:
            def measure(call: str, repeat: int) -> list[float]:
                process.stdin.write(json.dumps([name, call, repeat]) + "\n")
                return answer()

            return measure

        facts = answer()
        try:
            yield {name: measure_of(name) for name in facts["facts"]}, facts
        finally:
            process.stdin.close()


def measure_all(sides: dict[str, Measure], rounds: int, repeat: int) -> dict[str, dict[str, list[list[float]]]]:
    """CPU seconds by side and call, a list for each round; a round before the first one warms up."""
    times: dict[str, dict[str, list[list[float]]]] = {name: {} for name in [*sides, PRODUCT]}
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    for number in range(rounds + 1):
        for call in CALLS:
            found = {name: measure(call, repeat if number else 2) for name, measure in sides.items()}
            found[PRODUCT] = seconds(lambda: a @ b, max(repeat, 5))
            for name, own in found.items() if number else ():
                times[name].setdefault(call, []).append(own)
    return times


def figures(times: dict[str, dict[str, list[list[float]]]]) -> dict[str, Any]:
    """Least and median CPU milliseconds by side and call; our time over that of the others, median over rounds of the least times."""
    ms: dict[str, Any] = {}
    for name, calls in times.items():
        every = {call: [1e3 * t for own in rounds for t in own] for call, rounds in calls.items()}
        ms[name] = {call: {"least": round(min(own), 3), "median": round(statistics.median(own), 3)} for call, own in every.items()}
    ratios = {
        name: {
            call: round(statistics.median(min(x) / min(y) for x, y in zip(times[OURS][call], calls[call], strict=True)), 4)
            for call in CALLS
        }
        for name, calls in times.items()
        if name != OURS
    }
    return {"ms": ms, "ratios": ratios, "rounds": {n: {c: [min(r) for r in rs] for c, rs in cs.items()} for n, cs in times.items()}}


def table(found: dict[str, Any]) -> str:
    """The figures as text: least CPU milliseconds, and our time over that of the row."""
    lines = [f"{'least CPU ms':24}" + "".join(f"{call:>12}" for call in CALLS) + "".join(f"{'ratio ' + call:>18}" for call in CALLS)]
    for name, calls in found["ms"].items():
        ratios = found["ratios"].get(name, {})
        cells = "".join(f"{calls[call]['least']:12.2f}" for call in CALLS) + "".join(f"{ratios[call]:18.3f}" for call in ratios)
        lines.append(f"{name:24}{cells}")
    return "\n".join(lines)


def main() -> None:
    """Measure all, print a table, write models.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", type=Path, help="interpreter of an environment with NequIP")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round of one call, to see that the script runs")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for models.json")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.worker:
        worker()
        return
    rounds, repeat = (1, 1) if options.quick else (options.rounds, options.repeat)
    calls, own = ours()
    sides: dict[str, Measure] = {OURS: lambda call, repeat: seconds(calls[call], repeat)}
    facts: dict[str, Any] = {"case": "64 Si atoms, diamond 2x2x2, rattled 0.05 A", "cutoff_A": CUTOFF_A, "models": {OURS: own}}
    if options.peer_python is None:
        times = measure_all(sides, rounds, repeat)
    else:
        with peer(options.peer_python) as (others, said):
            facts = facts | {"models": facts["models"] | said["facts"], "peer_versions": said["versions"]}
            if len({model["edges"] for model in facts["models"].values()}) > 1:
                raise SystemExit("the numbers of edges differ")
            times = measure_all(sides | others, rounds, repeat)
    found = figures(times)
    print(table(found))
    if PEER in found["ratios"]:
        met = all(found["ratios"][PEER][call] <= TARGET for call in ("evaluate", "train"))
        print(f"target: at most {TARGET:.2f} of NequIP in evaluate and train: {'met' if met else 'not met'}")
        facts["target"] = {"ratio_to_nequip": round(TARGET, 4), "met": met}

    from sciml import files

    options.results.mkdir(parents=True, exist_ok=True)
    files.write_json(options.results / "models.json", {"origin": origin("sciml", "torch", "numpy"), **facts, **found})


if __name__ == "__main__":
    main()
