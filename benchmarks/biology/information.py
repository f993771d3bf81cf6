"""Information of 5 + 5 columns, where nearest neighbours fail: error, interval and CPU time of the rule's choice, KSG beside it.

python benchmarks/biology/information.py [--pairs 1000 10000] [--laws a b c d e] [--sets 20] [--out FILE.json]

(a) Gaussian of 1.2141 bit, correlations .8 .6 .4 .2 0; (b) each side rotated at random, x -> sign(x) |x|^1.5, rotated again; (c) the first
column of each side rolled up in a plane; (d) Student-t margins with 3 degrees of freedom; (e) half of the pairs with these correlations,
half with their negatives: 0.5790 bit. KSG is ours, which agrees with npeet-plus and infomeasure to rounding. FILE is written after each
law.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import t as student

from sciml import files
from sciml.biology import information as info
from sciml.biology.information.neighbors import ksg_nats

Array = np.ndarray
Sides = tuple[Array, Array]
R = np.array([0.8, 0.6, 0.4, 0.2, 0.0])
GAUSSIAN = float(-0.5 * np.log2(1 - R**2).sum())


def plain(rng: np.random.Generator, n: int) -> Sides:
    """(a)"""
    x = rng.normal(size=(n, 5))
    return x, R * x + np.sqrt(1 - R * R) * rng.normal(size=(n, 5))


def stretched(rng: np.random.Generator, n: int) -> Sides:
    """(b)"""

    def warp(side: Array) -> Array:
        first, second = (np.linalg.qr(rng.normal(size=(5, 5)))[0] for _ in range(2))
        turned = side @ first
        warped: Array = (np.sign(turned) * np.abs(turned) ** 1.5) @ second
        return warped

    x, y = plain(rng, n)
    return warp(x), warp(y)


def rolled(rng: np.random.Generator, n: int) -> Sides:
    """(c)"""

    def warp(side: Array) -> Array:
        t = 1.5 * np.pi * (1 + 2 * ndtr(side[:, 0]))
        return np.column_stack([t * np.cos(t) / 21, t * np.sin(t) / 21, side[:, 1:]])

    x, y = plain(rng, n)
    return warp(x), warp(y)


def tailed(rng: np.random.Generator, n: int) -> Sides:
    """(d)"""
    x, y = plain(rng, n)
    return student(3).ppf(ndtr(x)), student(3).ppf(ndtr(y))


def two_signs(rng: np.random.Generator, n: int) -> Sides:
    """(e)"""
    x = rng.normal(size=(n, 5))
    sign = np.where(rng.random(n) < 0.5, 1, -1)[:, None]
    return x, sign * R * x + np.sqrt(1 - R * R) * rng.normal(size=(n, 5))


LAWS: dict[str, tuple[float, Callable[[np.random.Generator, int], Sides]]] = {
    "a": (GAUSSIAN, plain),
    "b": (GAUSSIAN, stretched),
    "c": (GAUSSIAN, rolled),
    "d": (GAUSSIAN, tailed),
    "e": (0.5790, two_signs),
}


def measured(law: str, n: int, sets: int) -> dict[str, Any]:
    """Of `sets` data sets; `seconds`: one call with interval and shuffled baseline."""
    truth, draw = LAWS[law]
    errors, covered, lengths, neighbors, named = [], 0, [], [], ""
    begin = time.process_time()
    for seed in range(sets):
        found = info.mutual_information(*draw(np.random.default_rng(seed), n), seed=seed)
        errors.append(found.bits - truth)
        covered += found.low <= truth <= found.high
        lengths.append(found.bits - found.low)
        named = found.estimator
    seconds = (time.process_time() - begin) / sets
    for seed in range(min(sets, 3)):
        neighbors.append(ksg_nats(*draw(np.random.default_rng(seed), n)) / np.log(2) - truth)
    return {
        "error": float(np.mean(errors)), "sd": float(np.std(errors)), "covered": covered, "sets": sets, "seconds": seconds,
        "bits_less_low": float(np.mean(lengths)), "ksg_error": float(np.mean(neighbors)), "estimator": named,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--laws", nargs="+", choices=list(LAWS), default=list(LAWS))
    parser.add_argument("--sets", type=int, help="data sets a law (20; 10 from 10,000 pairs)")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = {}
    for n in options.pairs:
        for law in options.laws:
            row = measured(law, n, options.sets or (10 if n >= 10_000 else 20))
            rows[f"{law} {n}"] = row
            error = (
                f"error {row['error']:+.4f} (sd {row['sd']:.4f}, KSG {row['ksg_error']:+.3f}), covered {row['covered']} of {row['sets']}"
            )
            print(
                f"{law} {n:>6}: {error}, bits - low {row['bits_less_low']:.3f}, {row['seconds']:.1f} s CPU, {row['estimator']}", flush=True
            )
            if options.out:
                files.write_json(options.out, rows)


if __name__ == "__main__":
    main()
