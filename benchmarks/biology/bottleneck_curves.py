"""Bottleneck curves beside embo's in one run: CPU time of one core, and how far each point falls below the best known.

python benchmarks/biology/bottleneck_curves.py [--embo PYTHON] [--out FILE.json]

PYTHON: an interpreter of an environment with embo (`pip install embo`). The law is a noisy Hill response, uniform in x; betas are 50 from 1
to 8 for both (embo's is ln 2 times the standard beta; the large laws run fewer and are scaled), and ours also places its own. Gap: bits of
I(T;Y) - I(T;X) / beta below the best known, which is the best of three seeds of ours and what is compared.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from sciml import files
from sciml.biology import information as info

SIZES = {(20, 20): 50, (100, 50): 5, (500, 100): 2}  # {(n_x, n_y): betas that embo runs}
EMBO = """
import json, resource, sys
import numpy as np
from embo import InformationBottleneck
def cpu():
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)
if __name__ == "__main__":
    task = json.load(open(sys.argv[1]))
    begin = cpu()
    ib = InformationBottleneck(pxy=np.array(task["joint"]), minbeta=np.log(2), maxbeta=8 * np.log(2), numbeta=task["betas"], processes=1)
    i_x, i_y, _, beta = ib.get_bottleneck()
    print(json.dumps({"seconds": cpu() - begin, "beta": list(beta / np.log(2)), "i_x": list(i_x), "i_y": list(i_y)}))
"""


def noisy_hill(n_x: int, n_y: int) -> np.ndarray:
    """The joint law: doses over three decades, a Hill curve of exponent 2, Gaussian noise of 0.08."""
    dose = 10 ** np.linspace(-1.5, 1.5, n_x)
    w = np.exp(-0.5 * (((np.arange(n_y) + 0.5) / n_y - (dose**2 / (1 + dose**2))[:, None]) / 0.08) ** 2)
    return np.asarray(w / w.sum(axis=1, keepdims=True) / n_x)


def three_states(n_x: int) -> np.ndarray:
    """The joint law [n_x, 3] of random p(y|x), uneven in x."""
    rng = np.random.default_rng(0)
    w, p = rng.dirichlet(np.full(3, 0.7), n_x), rng.dirichlet(np.full(n_x, 3.0))
    return np.asarray(w * p[:, None])


def ours(joint: np.ndarray, betas: Any) -> tuple[float, Any]:
    """(CPU seconds, the least of three; the curve)."""
    best = np.inf
    for _ in range(3):
        begin = time.process_time()
        curve = info.bottleneck_curve(joint, betas)
        best = min(best, time.process_time() - begin)
    return best, curve


def below(joint: np.ndarray, beta: np.ndarray, i_x: np.ndarray, i_y: np.ndarray) -> float:
    """The largest gap in bits over the betas above 1."""
    use = np.isfinite(beta) & (beta > 1.0001)
    mine = (i_y - i_x / beta)[use]
    best = mine
    for seed in range(1, 4):
        curve = info.bottleneck_curve(joint, beta[use], seed=seed)
        best = np.maximum(best, curve.i_y - curve.i_x / curve.beta)
    return float((best - mine).max())


def embo(python: str, joint: np.ndarray, betas: int) -> dict[str, Any]:
    """What embo says at `betas` values, its CPU seconds scaled to 50."""
    with tempfile.TemporaryDirectory() as folder:
        script, task = Path(folder, "peer.py"), Path(folder, "task.json")
        script.write_text(EMBO)
        task.write_text(json.dumps({"joint": joint.tolist(), "betas": betas}))
        found: dict[str, Any] = json.loads(subprocess.run([python, script, task], check=True, capture_output=True, text=True).stdout)
    values = (np.array(found[name]) for name in ("beta", "i_x", "i_y"))
    return {"seconds": found["seconds"] * 50 / betas, "ran": betas, "gap": below(joint, *values)}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embo", help="python with embo")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    info.bottleneck_curve(noisy_hill(5, 5), [2.0])
    rows = []
    for (n_x, n_y), betas in SIZES.items():
        joint = noisy_hill(n_x, n_y)
        seconds, curve = ours(joint, np.linspace(1, 8, 50))
        placed, own = ours(joint, None)
        row: dict[str, Any] = {
            "law": f"{n_x}x{n_y}", "seconds": seconds, "gap": below(joint, curve.beta, curve.i_x, curve.i_y), "placed_seconds": placed,
            "placed_betas": len(own.beta), "at_one_bit": float(np.interp(1, own.i_x, own.i_y)), "bracket": own.gap,
        }  # fmt: skip
        if options.embo:
            row["embo"] = embo(options.embo, joint, betas)
            row["ratio"] = row["embo"]["seconds"] / seconds
        print(json.dumps(row), flush=True)
        rows.append(row)
    for n_x in (100, 300):
        seconds, own = ours(three_states(n_x), None)
        rows.append(
            {"law": f"{n_x}x3", "placed_seconds": seconds, "placed_betas": len(own.beta), "bracket": own.gap, "proved": own.certified}
        )
        print(json.dumps(rows[-1]), flush=True)
    if options.out:
        files.write_text(options.out, json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
