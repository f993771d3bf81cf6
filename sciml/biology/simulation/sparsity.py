"""The Jacobian of a system by its pattern of zeros: which entries there are, in which order to eliminate, where fill appears."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sciml.biology.kernels.derivatives import partials
from sciml.biology.kernels.graph import Graph

__all__ = ["Pattern", "jacobian_nodes", "pattern"]


@dataclass(frozen=True)
class Pattern:
    """Rows of L and U of a matrix with these entries: row r (state order[r]) has columns[starts[r]:starts[r + 1]], ascending, its diagonal
    at diagonal[r]; entry e of the matrix lies at entries[e]. int64 all."""

    entries: np.ndarray
    starts: np.ndarray
    columns: np.ndarray
    diagonal: np.ndarray
    order: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """In the order that `rosenbrock` takes them."""
        return self.entries, self.starts, self.columns, self.diagonal, self.order


def jacobian_nodes(graph: Graph, derivatives: Sequence[int]) -> tuple[list[tuple[int, int]], list[int]]:
    """([(row, column)], nodes): d f_row / d y_column where it is not zero by structure, then df/dt [n]."""
    rows = partials(graph, derivatives, "state")
    places = [(i, j) for i, row in enumerate(rows) for j in sorted(row)]
    zero = graph.const(0.0)
    in_time = [row.get(0, zero) for row in partials(graph, derivatives, "time")]
    return places, [rows[i][j] for i, j in places] + in_time


def pattern(size: int, places: Sequence[tuple[int, int]]) -> Pattern:
    """Minimum degree (Markowitz) elimination along the diagonal: at each step the state with the fewest products of its row and column."""
    rows: list[set[int]] = [{i} for i in range(size)]
    columns: list[set[int]] = [{i} for i in range(size)]
    for i, j in places:
        rows[i].add(j)
        columns[j].add(i)

    def cost(i: int) -> int:
        return (len(rows[i]) - 1) * (len(columns[i]) - 1)

    order: list[int] = []
    position = np.full(size, -1, dtype=np.int64)
    kept: list[tuple[set[int], set[int]]] = []
    heap = [(cost(i), i) for i in range(size)]
    heapq.heapify(heap)
    while heap:
        known, pivot = heapq.heappop(heap)
        if position[pivot] >= 0 or known != cost(pivot):
            continue  # done, or its cost was put in again
        position[pivot] = len(order)
        order.append(pivot)
        right, below = rows[pivot] - {pivot}, columns[pivot] - {pivot}
        kept.append((right, below))
        for i in below:
            rows[i].discard(pivot)
            rows[i] |= right
        for j in right:
            columns[j].discard(pivot)
            columns[j] |= below
        for i in right | below:
            heapq.heappush(heap, (cost(i), i))
    cells: list[list[int]] = [[r] for r in range(size)]
    for r, (right, below) in enumerate(kept):
        cells[r] += [int(position[j]) for j in right]
        for i in below:
            cells[int(position[i])].append(r)
    for row in cells:
        row.sort()
    starts = np.concatenate([[0], np.cumsum([len(row) for row in cells])]).astype(np.int64)
    at = {(r, c): int(starts[r]) + e for r, row in enumerate(cells) for e, c in enumerate(row)}
    return Pattern(
        entries=np.array([at[int(position[i]), int(position[j])] for i, j in places], dtype=np.int64),
        starts=starts,
        columns=np.array([c for row in cells for c in row], dtype=np.int64),
        diagonal=np.array([at[r, r] for r in range(size)], dtype=np.int64),
        order=np.array(order, dtype=np.int64),
    )
