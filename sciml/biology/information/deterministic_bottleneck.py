"""The deterministic bottleneck: hard clusters of X that minimise H(T) - beta I(T;Y)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sciml.arguments import Seed, checked
from sciml.biology.information.bottleneck import joint_law
from sciml.biology.information.bottleneck_result import checked_betas
from sciml.report.blocks import Section, Table
from sciml.report.figures import curve
from sciml.seeding import numpy_generator

__all__ = ["DeterministicBottleneck", "deterministic_bottleneck"]

_STARTS, _SWEEPS = 10, 50


@dataclass(frozen=True)
class DeterministicBottleneck:
    """Hard clusters by beta, in the order asked, information in bits.

    `h_t` [B] = H(T) = I(T;X), `i_y` [B] = I(T;Y); `encoders`: the cluster [n_x] of each x, -1 for an x that never occurs. `exact`: no
    other clustering is better, which holds for two relevant states; otherwise they are the best of some starts.
    """

    beta: np.ndarray
    h_t: np.ndarray
    i_y: np.ndarray
    encoders: tuple[np.ndarray, ...] = field(repr=False)
    exact: bool

    @property
    def clusters(self) -> np.ndarray:
        """[B]: how many there are."""
        return np.array([int(e.max(initial=-1)) + 1 for e in self.encoders])

    def sentence(self) -> str:
        """How to read the numbers."""
        k = int(self.beta.argmax())
        kind = "no other clusters are better" if self.exact else "the best of many starts, and no proof that none is better"
        told = f"keep {self.h_t[k]:.3f} bit of X and {self.i_y[k]:.3f} bit about Y"
        return f"At beta = {self.beta[k]:.4g}, {self.clusters[k]} hard clusters {told}; {kind}."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `clusters` and `sentence` included."""
        made = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()}
        return made | {"encoders": [e.tolist() for e in self.encoders], "clusters": self.clusters.tolist(), "sentence": self.sentence()}

    def to_sections(self) -> list[Section]:
        """The clusters in the information plane, and their numbers by beta."""
        order = np.argsort(self.beta, kind="stable")
        plane = curve("hard clusters in the information plane", self.h_t[order], self.i_y[order], x_label="H(T) = I(T;X)", x_unit="bit",
                      y_label="I(T;Y)", y_unit="bit", markers=True)  # fmt: skip
        columns: dict[str, Any] = {
            "beta": self.beta[order],
            "H(T)": self.h_t[order],
            "I(T;Y)": self.i_y[order],
            "clusters": self.clusters[order],
        }
        return [Section("Deterministic bottleneck", [plane, Table("hard clusters", columns)], self.sentence())]


@checked
def deterministic_bottleneck(p_xy: Any, betas: Any = None, *, seed: Seed = 0) -> DeterministicBottleneck:
    """Clusters of X that minimise H(T) - beta I(T;Y), the bottleneck whose encoder is a function (alpha = 0).

    `p_xy` and `betas` as in `bottleneck_curve`; None: 50 from 1 to 1,000 in equal ratios. With two relevant states the best clusters are
    intervals of p(y|x), and dynamic programming over their ends is exact; with more, clusters are joined greedily and single x moved,
    from the clusters at the next higher beta, from every x alone and from random ones. Raises as `bottleneck_curve` does. Source: Strouse
    and Schwab 2017; Kurkoski and Yagi 2014 for the intervals.
    """
    joint = joint_law(p_xy)
    beta = np.geomspace(1.0, 1e3, 50) if betas is None else checked_betas(betas)
    rows, columns = np.flatnonzero(joint.sum(axis=1) > 0), joint.sum(axis=0) > 0
    law = joint[np.ix_(rows, columns)]
    exact = law.shape[1] <= 2
    generator = numpy_generator(seed, "deterministic bottleneck")
    found: dict[float, np.ndarray] = {}
    last = np.arange(len(law))
    for one in sorted(set(beta.tolist()), reverse=True):
        last = found[one] = _intervals(law, one) if exact else _searched(law, one, last, generator)
    encoders = []
    for one in beta.tolist():
        whole = np.full(len(joint), -1)
        whole[rows] = np.unique(found[one], return_inverse=True)[1]
        encoders.append(whole)
    bits = np.array([_informations(law, found[one]) for one in beta.tolist()])
    return DeterministicBottleneck(beta, bits[:, 0], bits[:, 1], tuple(encoders), exact)


def _cost(beta: float, joint: np.ndarray) -> np.ndarray:
    """[...] of clusters p(t, y) [..., Y], whose sum is H(T) - beta I(T;Y) less a constant; at beta = inf -I(T;Y), ties to fewer."""
    p = joint.sum(axis=-1)
    told = (joint * np.log(np.maximum(joint, 1e-300))).sum(axis=-1) - p * np.log(np.maximum(p, 1e-300))
    kept = -p * np.log(np.maximum(p, 1e-300))
    return np.asarray(kept - beta * told if np.isfinite(beta) else 1e-9 * kept - told)


def _intervals(law: np.ndarray, beta: float) -> np.ndarray:
    """The best cluster of each x where Y has at most two states."""
    n = len(law)
    order = np.argsort(law[:, 0] / law.sum(axis=1), kind="stable")
    sums = np.concatenate([np.zeros((1, law.shape[1])), np.cumsum(law[order], axis=0)])
    best, begin = np.zeros(n + 1), np.zeros(n + 1, dtype=int)
    for end in range(1, n + 1):
        costs = best[:end] + _cost(beta, np.maximum(sums[end] - sums[:end], 0.0))
        begin[end] = int(costs.argmin())
        best[end] = costs[begin[end]]
    cluster, end = np.empty(n, dtype=int), n
    while end > 0:
        cluster[order[begin[end] : end]] = begin[end]
        end = begin[end]
    return cluster


def _searched(law: np.ndarray, beta: float, last: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The best clusters found."""
    n = len(law)
    starts = [last, np.arange(n), *(generator.integers(0, generator.integers(1, min(n, 12) + 1), n) for _ in range(_STARTS))]
    tried = [_moved(law, beta, _joined(law, beta, start)) for start in starts]
    return min(tried, key=lambda cluster: float(_cost(beta, _summed(law, cluster)).sum()))


def _summed(law: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """p(t, y) of the clusters that occur [T, Y]."""
    _, number = np.unique(cluster, return_inverse=True)
    joint = np.zeros((number.max() + 1, law.shape[1]))
    np.add.at(joint, number, law)
    return joint


def _joined(law: np.ndarray, beta: float, cluster: np.ndarray) -> np.ndarray:
    """Clusters joined two by two, the pair that wins most first, until none wins."""
    _, cluster = np.unique(cluster, return_inverse=True)
    joint = _summed(law, cluster)
    alone = _cost(beta, joint)
    change = np.stack([_cost(beta, joint + row) - alone - own for row, own in zip(joint, alone, strict=True)])
    np.fill_diagonal(change, np.inf)
    while True:
        i, j = np.unravel_index(int(change.argmin()), change.shape)
        if not change[i, j] < -1e-15:
            return np.asarray(cluster)
        cluster[cluster == j] = i
        joint[i] += joint[j]
        alone[i] = _cost(beta, joint[i])
        change[j], change[:, j] = np.inf, np.inf
        dead = np.isinf(change[i])
        change[i] = np.where(dead, np.inf, _cost(beta, joint + joint[i]) - alone - alone[i])
        change[:, i] = change[i]


def _moved(law: np.ndarray, beta: float, cluster: np.ndarray) -> np.ndarray:
    """Single x moved to the cluster, or to one of their own, that wins most, until none wins."""
    _, cluster = np.unique(cluster, return_inverse=True)
    joint = np.concatenate([_summed(law, cluster), np.zeros((1, law.shape[1]))])  # the last is empty
    for _ in range(_SWEEPS):
        changed = False
        for x, row in enumerate(law):
            here = cluster[x]
            joint[here] = np.maximum(joint[here] - row, 0.0)
            gain = _cost(beta, joint + row) - _cost(beta, joint)
            to = int(gain.argmin())
            to = to if gain[to] < gain[here] - 1e-15 else here
            joint[to] += row
            changed |= to != here
            cluster[x] = to
            if to == len(joint) - 1:
                joint = np.concatenate([joint, np.zeros((1, law.shape[1]))])
        if not changed:
            break
    return np.asarray(cluster)


def _informations(law: np.ndarray, cluster: np.ndarray) -> tuple[float, float]:
    """(H(T), I(T;Y)) in bits."""
    joint = _summed(law, cluster)
    share, p_y = joint.sum(axis=1), joint.sum(axis=0)
    told = np.sum(joint * np.log2(np.maximum(joint, 1e-300) / np.maximum(np.outer(share, p_y), 1e-300)))
    return max(float(-np.sum(share * np.log2(share))), 0.0), max(float(told), 0.0)
