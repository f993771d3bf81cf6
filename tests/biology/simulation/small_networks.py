"""Small networks with known laws, and z-scores of samples against exact laws."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln, hyp1f1

from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.count_law import CountLaw

parse = Reaction.parse
KERNELS = {"ssa": "lanes32", "tau": "leaps64", "hybrid": "hybrid32", "langevin": "langevin64"}  # of networks such as those below


def own_kernel(method: str) -> dict[str, Any]:
    """Options with which a method does not fall back to the exact one."""
    return {"fallback": "never"} if method in ("tau", "hybrid") else {}


def birth_death(k: float = 10.0, g: float = 1.0, start: float = 0.0) -> Network:
    """0 -> X -> 0: Poisson from an empty start."""
    reactions = [parse("birth", "-> X", rate="k"), parse("death", "X ->", rate="g")]
    return Network("birth-death", species={"X": start}, parameters={"k": k, "g": g}, reactions=reactions)


def telegraph(on: float = 0.3, off: float = 0.5, k: float = 60.0, g: float = 1.0) -> Network:
    """A gene that switches, and what it makes while it is on."""
    reactions = [
        parse("on", "Off -> On", rate="a"), parse("off", "On -> Off", rate="b"), parse("make", "On -> On + P", rate="k"),
        parse("decay", "P ->", rate="g"),
    ]  # fmt: skip
    return Network("telegraph", species={"Off": 1, "On": 0, "P": 0}, parameters={"a": on, "b": off, "k": k, "g": g}, reactions=reactions)


def telegraph_law(n: np.ndarray, on: float, off: float, k: float, g: float) -> np.ndarray:
    """p(n) = (k/g)^n / n! (a)_n / (a+b)_n 1F1(a + n; a + b + n; -k/g) with rates over g (Peccoud and Ycart 1995)."""
    a, b, c = on / g, off / g, k / g
    front = n * np.log(c) - gammaln(n + 1) + gammaln(a + n) - gammaln(a) - gammaln(a + b + n) + gammaln(a + b)
    # Kummer's transformation keeps all terms positive: 1F1(a; b; -c) = e^-c 1F1(b - a; b; c)
    return np.exp(front - c) * hyp1f1(b, a + b + n, c)


def autocatalysis() -> Network:
    """A makes more of itself out of a small pool."""
    reactions = [parse("copy", "A + F -> 2 A", rate=0.05), parse("fade", "A ->", rate=0.3), parse("seed", "F -> A", rate=0.02)]
    return Network("autocatalysis", species={"A": 2, "F": 30}, reactions=reactions)


def dimerisation() -> Network:
    """X + X -> Y and back, few molecules."""
    return Network(
        "dimerisation", species={"X": 9, "Y": 0}, reactions=[parse("bind", "2 X -> Y", rate=0.1), parse("split", "Y -> 2 X", rate=0.4)]
    )


def pairs() -> Network:
    """X + X -> Y until one or none is left."""
    return Network("pairs", species={"X": 7, "Y": 0}, reactions=[parse("bind", "2 X -> Y", rate=0.2)])


def extinction() -> Network:
    """A branching process that dies out."""
    return Network("extinction", species={"X": 8}, reactions=[parse("birth", "X -> 2 X", rate=1.0), parse("death", "X ->", rate=1.2)])


SMALL = {"autocatalysis": autocatalysis, "dimerisation": dimerisation, "pairs": pairs, "extinction": extinction, "telegraph": telegraph}


def z_scores(values: np.ndarray, law: CountLaw) -> dict[str, float]:
    """Largest |z| of means, variances and cumulative shares of counts [n, T, S] against a law; the variance's error from its own law.

    Where the law has no spread, an unequal value counts as infinite.
    """
    n, worst = len(values), {"mean": 0.0, "variance": 0.0, "law": 0.0}
    for j, id in enumerate(law.species):
        for i, t in enumerate(law.times):
            p, sample = law.marginal(id, t), values[:, i, j]
            x = np.arange(len(p))
            p = p / p.sum()
            mean = p @ x
            variance, fourth = p @ (x - mean) ** 2, p @ (x - mean) ** 4
            if variance < 1e-12:
                worst["mean"] = max(worst["mean"], 0.0 if (sample == np.rint(mean)).all() else np.inf)
                continue
            found = sample.var(ddof=1)
            share = np.cumsum(p)
            counted = np.searchsorted(np.sort(sample), x, side="right") / n
            inside = (share > 20 / n) & (share < 1 - 20 / n)
            scores = {
                "mean": abs(sample.mean() - mean) / np.sqrt(variance / n),
                "variance": abs(found - variance) / np.sqrt(max(fourth - variance**2, 1e-12) / n),
                "law": (abs(counted - share)[inside] / np.sqrt((share * (1 - share))[inside] / n)).max(initial=0.0),
            }
            worst = {key: max(worst[key], float(scores[key])) for key in worst}
    return worst
