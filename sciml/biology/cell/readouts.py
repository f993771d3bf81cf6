"""What a signal tells about ligand and environment: enumerated from p(s|l), or from posteriors of cells at each dose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sciml.biology.cell.environments import Environments
from sciml.biology.information.intervals import random_half
from sciml.biology.information.samples import Pair
from sciml.seeding import numpy_generator

__all__ = ["T95", "Replicates", "Told", "enumerated", "from_posteriors", "replicated", "spread_of_halves"]

_SPLITS, _DOUBT = 10, 0.25
T95 = 2.2281388519649385  # 97.5 % of Student's t with 10 degrees of freedom, one a division into halves


@dataclass(frozen=True)
class Told:
    """(I(S;L), I(S;E)) in bits."""

    ligand: float
    environment: float


@dataclass(frozen=True)
class Replicates:
    """`whole` [q] of all cells with standard errors `error` [q], `halves` [splits, 2, q] of ten divisions into halves."""

    whole: np.ndarray
    error: np.ndarray
    halves: np.ndarray


def enumerated(environments: Environments, p_s_given_l: np.ndarray) -> Told:
    """I(S;L) and I(S;E) of p(s|l) [nL, nS], by summing over all of them: p(s|e) = sum p(l|e) p(s|l)."""
    return Told(_information(environments.p_l, p_s_given_l), _information(environments.p_e, environments.p_l_given_e @ p_s_given_l))


def from_posteriors(environments: Environments, logs: np.ndarray, dose: np.ndarray, weight: np.ndarray) -> Told:
    """I(S;L) and I(S;E) from ln p(l | s) [m, K] of cells at `dose` [m]; `weight` [m] follows p(L).

        I(S;L) = sum_i w_i log2 p(l_i | s_i) / p(l_i)
        I(S;E) = sum_i w_i sum_e p(e | l_i) log2 p(e | s_i) / p(e),   p(e | s) = sum_l p(e | l) p(l | s)

    The expectation of both lies below the truth by the divergence between true and given posteriors (Barber and Agakov, NIPS 2003).
    """
    tiny = np.finfo(float).tiny
    own = logs[np.arange(len(dose)), dose] - np.log(np.maximum(environments.p_l[dose], tiny))
    given = np.log(np.maximum(np.exp(logs) @ environments.p_e_given_l, tiny)) - np.log(np.maximum(environments.p_e, tiny))
    about = (environments.p_e_given_l[dose] * given).sum(axis=1)
    return Told(float(weight @ own / np.log(2)), float(weight @ about / np.log(2)))


def replicated(pairs: list[Pair], measure: Callable[[list[Pair], int], np.ndarray], seed: int) -> Replicates:
    """`measure` [2, q] on all cells and on ten divisions of them into halves, all pairs divided in the same way, within each dose.

    `measure` gives each quantity from the fit to all cells and from cells left out, the first too high and the second too low by the same
    to first order in 1/N: their mean is the estimate. The spread comes from the differences of independent halves, sd^2(N) = mean
    (q_1 - q_2)^2 / 4; a quarter of what was corrected, and half of what is gained from N/2 to N, count as doubt.
    """
    ends, generator = measure(pairs, seed), numpy_generator(seed, "halves")
    halves = []
    for split in range(_SPLITS):
        half = random_half(pairs[0], generator)
        parts = (np.flatnonzero(half), np.flatnonzero(~half))
        halves.append([measure([pair.take(part) for pair in pairs], seed + 2 * split + k + 1).mean(axis=0) for k, part in enumerate(parts)])
    both = np.array(halves)
    whole = ends.mean(axis=0)
    return Replicates(whole, np.hypot(spread_of_halves(whole, both), _DOUBT * 0.5 * (ends[0] - ends[1])), both)


def spread_of_halves(whole: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """Standard error of `whole` [...] from estimates on `halves` [splits, 2, ...]: their differences, and half of what the whole gained."""
    found: np.ndarray = np.sqrt(np.mean((halves[:, 0] - halves[:, 1]) ** 2, axis=0) / 4 + (0.5 * (whole - halves.mean(axis=(0, 1)))) ** 2)
    return found


def _information(p: np.ndarray, given: np.ndarray) -> float:
    """sum p(x) p(y|x) log2 p(y|x) / p(y)."""
    q = p @ given
    ratio = np.divide(given, q, out=np.ones_like(given), where=(given > 0) & (q > 0))
    return float(p @ (given * np.log2(ratio)).sum(axis=1))
