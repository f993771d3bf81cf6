"""A growing set of states of a jump process and the exact flow of probability on it.

With the rates a_r(x) and the changes v_r, dp(x)/dt = sum_r a_r(x - v_r) p(x - v_r) - a_r(x) p(x). What leaves the set is lost and never
comes back, so that p is a lower bound of the true law in every state, and 1 - sum p bounds the error of all of them together
(Munsky and Khammash, J. Chem. Phys. 124 (2006) 044104). The flow is computed by uniformisation (Jensen 1953),
p(t) = sum_k Poisson(k; L t) (1 + A / L)^k p(0) with L no less than any exit rate: sums of products of non-negative numbers, whose rounding
is all its error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from sciml.errors import ConvergenceError

__all__ = ["StateSpace", "Uniformised", "closed_classes", "poisson_weights"]

_FIRST_STATES = 100
_EPS = float(np.finfo(float).eps)


class StateSpace:
    """States [n, S] with the rates [n, R] of what leaves them and the index of where it goes (-1: outside).

    `rates(states)` gives [n, R]. It grows by `grow` only; indices of states never change.
    """

    def __init__(self, start: np.ndarray, changes: np.ndarray, rates: Callable[[np.ndarray], np.ndarray], max_states: int) -> None:
        self.changes = np.asarray(changes, dtype=np.int64)
        self._rates, self.max_states = rates, max_states
        # states are found by a random linear hash; every hit is compared in full
        self._factors = np.random.default_rng(0).integers(1, 2**63, self.changes.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        self._count = 0
        self._states = np.zeros((_FIRST_STATES, self.changes.shape[1]), dtype=np.int64)
        self._rates_of = np.zeros((_FIRST_STATES, len(self.changes)))
        self._targets = np.zeros((_FIRST_STATES, len(self.changes)), dtype=np.int64)
        self._old, self._new = _Sorted(), _Sorted()
        self._append(np.atleast_2d(np.asarray(start, dtype=np.int64)))
        self.full = False
        while len(self.states) < min(_FIRST_STATES, max_states) and self.grow(np.flatnonzero((self.targets < 0).any(axis=1)), 1):
            pass

    def __len__(self) -> int:
        return self._count

    @property
    def states(self) -> np.ndarray:
        """int64 [n, S]."""
        return self._states[: self._count]

    @property
    def rates(self) -> np.ndarray:
        """[n, R]."""
        return self._rates_of[: self._count]

    @property
    def targets(self) -> np.ndarray:
        """int64 [n, R]: index of the state that a channel leads to, -1 outside."""
        return self._targets[: self._count]

    def grow(self, sources: np.ndarray, layers: int) -> bool:
        """Add what can be reached from the states `sources` in up to `layers` jumps, fewer where the set becomes half as large again.

        False where nothing was added; `full` tells why.
        """
        before = len(self)
        for _ in range(layers):
            found = self._outside(sources)
            if not len(found):
                break
            room = self.max_states - len(self)
            self.full |= len(found) > room
            sources = np.arange(len(self), len(self) + min(len(found), room))
            self._append(found[: max(room, 0)])
            if self.full or len(self) > 1.5 * before:
                break
        return len(self) > before

    def find(self, states: np.ndarray) -> np.ndarray:
        """Index of each state, -1 for one that is not in the set."""
        keys, index = self._hashed(states), np.full(len(states), -1)
        for part in (self._old, self._new):
            found = part.find(keys)
            index = np.where((found >= 0) & (self._states[found] == states).all(axis=1), found, index)
        return index

    def generator(self) -> csr_matrix:
        """A [n, n]: column = from, row = to; what goes outside is missing from the column's sum."""
        n = len(self)
        source, reaction = np.nonzero((self.targets >= 0) & (self.rates > 0))
        rows = np.concatenate([self.targets[source, reaction], np.arange(n)])
        columns = np.concatenate([source, np.arange(n)])
        values = np.concatenate([self.rates[source, reaction], -self.rates.sum(axis=1)])
        return coo_matrix((values, (rows, columns)), shape=(n, n)).tocsr()

    def leaving(self) -> np.ndarray:
        """[n]: rate at which each state is left for outside."""
        found: np.ndarray = np.where(self.targets < 0, self.rates, 0.0).sum(axis=1)
        return found

    def _outside(self, sources: np.ndarray) -> np.ndarray:
        """States not in the set that one jump from `sources` leads to, each once, in a fixed order."""
        source, reaction = np.nonzero((self.targets[sources] < 0) & (self.rates[sources] > 0))
        reached = self.states[sources[source]] + self.changes[reaction]
        return np.unique(reached, axis=0)

    def _append(self, states: np.ndarray) -> None:
        rates, keys, start = self._rates(states), self._hashed(states), self._count
        end = start + len(states)
        if end > len(self._states):
            self._states, self._rates_of, self._targets = (_lengthened(a, end) for a in (self._states, self._rates_of, self._targets))
        if (self._old.find(keys) >= 0).any() or (self._new.find(keys) >= 0).any() or len(np.unique(keys)) < len(keys):
            raise ConvergenceError("state projection: two states share a hash; this happens once in 2^64 pairs")
        self._states[start:end], self._rates_of[start:end], self._targets[start:end] = states, rates, -1
        self._count = end
        self._new.add(keys, np.arange(start, end))
        if len(self._new) > max(_FIRST_STATES, len(self._old) // 8):
            self._old.add(self._new.keys, self._new.index)
            self._new = _Sorted()
        for reaction, change in enumerate(self.changes):
            going = np.arange(start, end)[rates[:, reaction] > 0]
            self._targets[going, reaction] = self.find(self._states[going] + change)
            before = self.find(states - change)
            coming = np.flatnonzero((before >= 0) & (self._rates_of[before, reaction] > 0))
            self._targets[before[coming], reaction] = start + coming
        # a jump that cannot happen leads nowhere: it is never outside
        self._targets[start:end][rates == 0] = 0

    def _hashed(self, states: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            mixed = (np.ascontiguousarray(states).view(np.uint64) * self._factors).sum(axis=1, dtype=np.uint64)
            mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        return np.asarray(mixed, dtype=np.uint64)


class _Sorted:
    """Keys with the index of each, found by halving."""

    def __init__(self) -> None:
        self.keys, self.index = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, keys: np.ndarray, index: np.ndarray) -> None:
        """More of them."""
        keys, index = np.concatenate([self.keys, keys]), np.concatenate([self.index, index])
        order = np.argsort(keys, kind="stable")
        self.keys, self.index = keys[order], index[order]

    def find(self, keys: np.ndarray) -> np.ndarray:
        """The index of each key, -1 for one that is not there."""
        if not len(self.keys):
            return np.full(len(keys), -1)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.index[at], -1)


def _lengthened(table: np.ndarray, needed: int) -> np.ndarray:
    found = np.zeros((max(needed, 2 * len(table)), table.shape[1]), dtype=table.dtype)
    found[: len(table)] = table
    return found


class Uniformised:
    """The flow on a set of states as it is now: `step(p, time)`. A product of the `products` made takes `size` multiplications."""

    def __init__(self, space: StateSpace) -> None:
        generator = space.generator()
        exits = -generator.diagonal()
        self.rate = float(exits.max(initial=0.0)) * (1.0 + 8 * _EPS)
        scaled = generator / self.rate if self.rate > 0 else generator
        scaled.setdiag(1.0 - exits / self.rate if self.rate > 0 else 1.0)
        self._matrix = scaled.tocsr()
        self.products, self.size = 0, self._matrix.nnz
        self.rounding_per_product = (float(np.diff(self._matrix.indptr).max(initial=1)) + 2) * _EPS

    def step(self, p: np.ndarray, time: float) -> tuple[np.ndarray, np.ndarray]:
        """(p after `time`, integral of p over it), both [n], or [n, m] of m laws in columns."""
        if self.rate == 0:
            return p.copy(), p * time
        weights, tails = poisson_weights(self.rate * time)
        power, result, integral = p, weights[0] * p, tails[0] * p
        for weight, tail in zip(weights[1:], tails[1:], strict=True):
            power = self._matrix @ power
            result += weight * power
            integral += tail * power
        self.products += len(weights) - 1
        return result, integral / self.rate


def closed_classes(generator: Any) -> list[np.ndarray]:
    """Indices of the states of each class that no jump within the set leaves (columns of the generator = from)."""
    count, label = connected_components(generator, directed=True, connection="strong")
    links = generator.tocoo()
    crossing = (label[links.row] != label[links.col]) & (links.data > 0)
    closed = np.setdiff1d(np.arange(count), label[links.col[crossing]])
    order = np.argsort(label, kind="stable")
    edges = np.searchsorted(label[order], closed), np.searchsorted(label[order], closed, side="right")
    return [order[a:b] for a, b in zip(*edges, strict=True)]


def poisson_weights(mean: float) -> tuple[np.ndarray, np.ndarray]:
    """(P(N = k), P(N > k)) for k = 0 ... K, P(N > K) below 1e-17: by ratios from the mode, so that no large numbers cancel."""
    mode = int(mean)
    reach = int(12 * np.sqrt(mean + 4)) + 30
    up = np.cumprod(mean / np.arange(mode + 1, mode + reach))
    down = np.cumprod(np.arange(mode, 0, -1) / mean)[::-1] if mode else np.zeros(0)
    weights = np.concatenate([down, [1.0], up])
    last = mode + 1 + int(np.count_nonzero(up > 1e-19 * up.max(initial=1.0)))
    weights = weights[:last]
    weights /= weights.sum()
    tails: Any = np.cumsum(weights[::-1])[::-1] - weights
    return weights, tails
