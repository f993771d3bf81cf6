"""Two columns that lie on a curve (a roll, a spiral): the position along it is all that they know."""

from __future__ import annotations

import itertools

import numpy as np

__all__ = ["along_curves"]

_NEIGHBORS = 16  # with 6 the graph of a sparsely sampled curve falls apart
_LINE_BELOW = 1.25  # dimension by two neighbours: 1 on a curve, 2 in a plane
_MOST_COLUMNS = 12
_LEAST_ROWS = 100


def along_curves(values: np.ndarray) -> tuple[np.ndarray, int]:
    """[n, d] -> [n, d - pairs] with each pair of columns on an open curve replaced by the position along it, and how many pairs there were.

    The map is one to one on the curve, so information does not change. Dimension of a pair: 1 / <log r_2 / r_1> over the nearest and the
    second nearest row (Facco et al., Sci. Rep. 7 (2017) 12140); position: shortest way through the graph of 16 neighbours from one end.
    """
    pairs, free, found = [], set(range(values.shape[1])), []
    if len(values) < _LEAST_ROWS or values.shape[1] > _MOST_COLUMNS:
        return values, 0
    for a, b in itertools.combinations(range(values.shape[1]), 2):
        if a in free and b in free and (place := _position(values[:, [a, b]])) is not None:
            pairs.append((a, b))
            found.append(place)
            free -= {a, b}
    return np.column_stack([*found, values[:, sorted(free)]]), len(pairs)


def _position(points: np.ndarray) -> np.ndarray | None:
    """[n] position along the curve on which the points lie; None where they lie on none, on a closed one, or on several."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra
    from scipy.spatial import cKDTree

    n = len(points)
    tree = cKDTree(points)
    distances, rows = tree.query(points, _NEIGHBORS + 1)
    if (distances[:, 1] == 0).mean() > 0.05:
        return None
    apart = distances[:, 1] > 0
    growth = np.log(distances[apart, 2] / distances[apart, 1])
    if growth.mean() < 1 / _LINE_BELOW or min(np.ptp(points, axis=0)) == 0:
        return None
    edges = np.maximum(distances[:, 1:], 1e-300).ravel()
    graph = csr_array((edges, (np.repeat(np.arange(n), _NEIGHBORS), rows[:, 1:].ravel())), shape=(n, n))
    start = int(np.argmax(_finite(dijkstra(graph, directed=False, indices=0))))
    place = dijkstra(graph, directed=False, indices=start)
    if not np.isfinite(place).all():
        return None
    # One to one: rows that follow each other along the way are neighbours in the plane (on a loop the two arms would alternate).
    order = np.argsort(place)
    steps = np.linalg.norm(np.diff(points[order], axis=0), axis=1)
    return place if (steps <= 1.5 * distances[order[1:], -1] + 1e-12).mean() > 0.99 else None


def _finite(way: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(way), way, -1.0)
