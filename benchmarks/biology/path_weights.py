"""Path weights of 0 -> S (kappa), S -> 0 (lambda), S -> S + X (rho), X -> 0 at rho = lambda: ratio to the Gaussian rate, CPU seconds.

python benchmarks/biology/path_weights.py [--out benchmarks/results/path_weights.json] [--kappa 1 10 100]

Beside it the exact filter on a truncated state space: rate = rho E[S ln S - S^ ln S^], S^ the mean of S given the past of X. No other
package samples path weights in Python; a peer is missing here for that reason.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.stats import poisson

from sciml import files
from sciml.biology import Network, Reaction, trajectory_rate

GAUSSIAN = 0.5 * (np.sqrt(3) - 1)  # nats per time, lambda = rho = 1
TRAJECTORIES = {1.0: 8000, 10.0: 8000, 100.0: 1600}


def motif(kappa: float) -> Network:
    """The network, begun at its means."""
    parse = Reaction.parse
    reactions = [parse("in", "-> S", rate=kappa), parse("out", "S ->", rate=1.0), parse("make", "S -> S + X", rate=1.0),
                 parse("decay", "X ->", rate=1.0)]  # fmt: skip
    return Network("motif", species={"S": kappa, "X": kappa}, reactions=reactions)


def exact_rate(kappa: float, until: float, seed: int) -> tuple[float, float]:
    """(rate, standard error) with lambda = rho = 1 in nats per time.

    S^ by the exact forward filter on 0 <= S <= top: dp/dt = (Q - rho s) p between births of X, p -> p s / (p s) at one, each piece by
    eigenvectors of the symmetric form of Q; E[S ln S | X] in place of S ln S.
    """
    rng, s = np.random.default_rng(seed), np.arange(kappa + 6.5 * np.sqrt(kappa) + 9)
    top = len(s) - 1
    q = np.diag(-(kappa * (s < top) + 2 * s)) + np.diag(np.full(top, kappa), -1) + np.diag(s[1:], 1)
    d = np.sqrt(poisson.pmf(s, kappa))
    w, u = np.linalg.eigh(q * d[None, :] / d[:, None])
    there, back = d[:, None] * u, u.T / d[None, :]
    sums = np.stack([np.ones_like(s), s, s * np.log(np.maximum(s, 1))]) @ there
    coefficients, state, t, following, terms = back @ np.eye(len(s))[int(kappa)], int(kappa), 0.0, 20.0, []
    while t < until:
        total = kappa + 2 * state
        step = rng.exponential(1 / total)
        while following <= t + step:
            one, mean, log = sums @ (coefficients * np.exp(w * (following - t)))
            terms.append(log / one - mean / one * np.log(mean / one))
            following += 0.1
        coefficients, t, drawn = coefficients * np.exp(w * step), t + step, rng.uniform(0, total)
        if drawn < kappa:
            state += 1
        elif drawn < kappa + state:
            state -= 1
        else:
            p = (there @ coefficients) * s
            coefficients = back @ (p / p.sum())
    means = np.array([part.mean() for part in np.array_split(np.array(terms), 50)])
    return float(means.mean()), float(means.std(ddof=1) / np.sqrt(50))


def main() -> None:
    """The table, and the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results" / "path_weights.json")
    parser.add_argument("--kappa", type=float, nargs="+", default=list(TRAJECTORIES))
    options = parser.parse_args()
    rows = []
    for kappa in options.kappa:
        trajectory_rate(motif(kappa), "S", "X", n=10, times=[1.0, 2.0], transient=1.0)  # compiled
        begun = time.process_time()
        found = trajectory_rate(motif(kappa), "S", "X", n=TRAJECTORIES.get(kappa, 1000), seed=int(kappa))
        seconds, unit = time.process_time() - begun, GAUSSIAN / np.log(2)
        exact, error = exact_rate(kappa, {1.0: 60_000.0, 10.0: 20_000.0}.get(kappa, 2000.0), 2)
        row = {
            "kappa / lambda": kappa, "ratio": found.rate / unit, "standard error": found.error / unit,
            "correction": found.correction / unit, "n": found.n, "particles": found.particles, "CPU seconds": seconds,
            "exact filter": exact / GAUSSIAN, "its standard error": error / GAUSSIAN,
        }  # fmt: skip
        rows.append(row)
        print("  ".join(f"{name}: {value:.4g}" for name, value in row.items()), flush=True)
    files.write_json(options.out, {"rows": rows})


if __name__ == "__main__":
    main()
