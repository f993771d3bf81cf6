"""The exact law of a small jump process, independent of the library: all states that can be reached, and the matrix exponential."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.linalg import expm

State = tuple[int, ...]


def exact_law(start: State, channels: Sequence[tuple[Callable[..., float], State]], t: float, most: int = 2000) -> dict[State, float]:
    """{state: probability} at time t. Each channel is (propensity(*state), change)."""
    index, stack = {start: 0}, [start]
    moves: list[tuple[int, int, float]] = []
    while stack:
        state = stack.pop()
        for rate, change in channels:
            a = rate(*state)
            if a > 0:
                to = tuple(x + d for x, d in zip(state, change, strict=True))
                if to not in index:
                    index[to] = len(index)
                    assert len(index) <= most
                    stack.append(to)
                moves.append((index[state], index[to], a))
    generator = np.zeros((len(index), len(index)))
    for i, j, a in moves:
        generator[i, j] += a
        generator[i, i] -= a
    p = expm(generator * t)[0]
    return {state: float(p[i]) for state, i in index.items()}


def worst_z(counts: np.ndarray, law: dict[State, float]) -> float:
    """The largest |z| of samples [n, s] against a law: means and variances of each species, and frequencies of states."""
    n, states, p = len(counts), np.array(list(law), dtype=float), np.array(list(law.values()))
    worst = 0.0
    for s in range(counts.shape[1]):
        mean = float(p @ states[:, s])
        centred = states[:, s] - mean
        variance, fourth = float(p @ centred**2), float(p @ centred**4)
        if variance > 1e-12:
            worst = max(worst, abs(counts[:, s].mean() - mean) / np.sqrt(variance / n))
            worst = max(worst, abs(((counts[:, s] - mean) ** 2).mean() - variance) / np.sqrt(max(fourth - variance**2, 1e-12) / n))
        else:
            assert np.allclose(counts[:, s], mean)
    found = {tuple(state): count for state, count in zip(*np.unique(counts, axis=0, return_counts=True), strict=True)}
    assert set(map(tuple, (tuple(int(v) for v in s) for s in found))) <= set(law), "a state that cannot be reached"
    for state, probability in law.items():
        if n * probability * (1 - probability) > 10:
            worst = max(worst, abs(found.get(state, 0) - n * probability) / np.sqrt(n * probability * (1 - probability)))
    return worst
