"""Information and capacity from cells of known channels at seven doses: mean error and rmse over data sets, beside the truth by quadrature.

    python benchmarks/biology/dose_channels.py [--repeats 20] [--cells 100 500] [--channels log-normal gamma bimodal two-columns]

Resumable: each data set is one entry of results/dose_channels.json, and what is there is not done again. The truth of a channel is its
information at equal doses and its capacity, both on these seven doses, from densities on a fine grid. `repeated`: the same seven doses and
an eighth that repeats the law of the fourth, whose capacity is the same: what it changes is printed with its standard error.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy import stats

from sciml.biology import information as info
from sciml.files import write_json

RESULTS = Path(__file__).parents[1] / "results" / "dose_channels.json"
DOSES = np.array([0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
BOUND = DOSES / (DOSES + 1)
NOISE = np.array([[0.25, 0.1], [0.1, 0.2]])
ON = 0.05 + 0.9 * BOUND**2


def draw(channel: str, k: int, rng: np.random.Generator, n: int) -> np.ndarray:
    """[n] or [n, 2] responses to dose k."""
    if channel == "log-normal":
        return np.exp(0.3 + 2.2 * BOUND[k] + 0.35 * rng.normal(size=n))
    if channel == "gamma":
        return rng.gamma(2.0, 1 + 12 * BOUND[k], size=n)
    if channel == "bimodal":
        return np.where(rng.random(n) < ON[k], rng.normal(3, 0.6, n), rng.normal(0, 0.7, n))
    return rng.multivariate_normal([2 * BOUND[k], 1.5 * BOUND[k] ** 2], NOISE, size=n)


def matrix(channel: str) -> np.ndarray:
    """[7, m] p(response | dose) on a grid."""
    if channel == "log-normal":
        return stats.norm.pdf(np.linspace(-2, 6, 4001), (0.3 + 2.2 * BOUND)[:, None], 0.35)
    if channel == "gamma":
        log_y = np.linspace(-12, 6, 4001)
        return stats.gamma.pdf(np.exp(log_y), 2.0, scale=(1 + 12 * BOUND)[:, None]) * np.exp(log_y)
    if channel == "bimodal":
        y = np.linspace(-5, 7, 4001)
        return ON[:, None] * stats.norm.pdf(y, 3, 0.6) + (1 - ON[:, None]) * stats.norm.pdf(y, 0, 0.7)
    grid = np.stack(np.meshgrid(np.linspace(-2.5, 5, 300), np.linspace(-2.5, 4, 300)), axis=-1).reshape(-1, 2)
    return np.array([stats.multivariate_normal.pdf(grid, [2 * b, 1.5 * b * b], NOISE) for b in BOUND])


CHANNELS = ("log-normal", "gamma", "bimodal", "two-columns")


def truth(channel: str) -> tuple[float, float]:
    """Bits at equal doses, and capacity."""
    p = matrix(channel)
    p /= p.sum(axis=1, keepdims=True)
    logs = np.where(p > 0, np.log2(np.where(p > 0, p, 1)) - np.log2(np.where(p.sum(axis=0) > 0, p.mean(axis=0), 1)), 0)
    return float((p * logs).sum() / len(p)), info.capacity(p, tolerance=1e-6).bits


def cells(channel: str, seed: int, n: int, order: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """n cells of each dose of `order`; the first seven are the same cells with and without an eighth."""
    rng = np.random.default_rng([seed, n])
    return np.repeat(np.arange(len(order)), n), np.concatenate([draw(channel, k, rng, n) for k in order])


def one(channel: str, seed: int, n: int, repeated: bool) -> dict[str, float]:
    """The figures of one data set."""
    began = time.process_time()
    found = info.capacity_from_data(*cells(channel, seed, n, [*range(7)] + [3] * repeated), seed=seed)
    return {
        "bits": found.bits, "low": found.low, "high": found.high, "equal": found.bits_equal, "equal_low": found.equal_low,
        "equal_high": found.equal_high, "cpu_s": time.process_time() - began,
    }  # fmt: skip


def main() -> None:
    """Do what is missing, then print the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--repeats", type=int, default=20)
    asked.add_argument("--cells", type=int, nargs="+", default=[100, 500])
    asked.add_argument("--channels", nargs="+", default=list(CHANNELS))
    given = asked.parse_args()
    done = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for channel in given.channels:
        equal, best = truth(channel)
        for n in given.cells:
            rows = {}
            for repeated in (False, True):
                for seed in range(given.repeats):
                    name = f"{channel}, {n} cells, seed {seed}{', eighth dose' if repeated else ''}"
                    if name not in done:
                        done[name] = one(channel, seed, n, repeated)
                        write_json(RESULTS, done)
                    rows[repeated, seed] = done[name]
            plain = [rows[False, seed] for seed in range(given.repeats)]
            errors = np.array([[row["equal"] - equal, row["bits"] - best] for row in plain])
            moved = np.array([rows[True, seed]["bits"] - rows[False, seed]["bits"] for seed in range(given.repeats)])
            held = [sum(r["equal_low"] <= equal <= r["equal_high"] for r in plain), sum(r["low"] <= best <= r["high"] for r in plain)]
            mean, rmse = errors.mean(axis=0), np.sqrt((errors**2).mean(axis=0))
            print(f"{channel:12s} {n:4d} cells a dose: equal {equal:.4f} {mean[0]:+.4f} rmse {rmse[0]:.4f} held {held[0]};", end=" ")
            print(f"capacity {best:.4f} {mean[1]:+.4f} rmse {rmse[1]:.4f} held {held[1]} of {given.repeats};", end=" ")
            print(f"eighth dose {moved.mean():+.4f} +- {moved.std(ddof=1) / np.sqrt(len(moved)):.4f};", end=" ")
            print(f"{np.mean([row['cpu_s'] for row in plain]):.2f} s CPU", flush=True)


if __name__ == "__main__":
    main()
