"""A jump process as tables for the double kernel: one loop runs any network, and nothing is compiled for a model.

After a reaction only the rows that depend on what it changed are computed again, and a binary tree of partial sums is brought up to date
(logarithmic in the number of channels), so that networks of ten thousand reactions are no trouble.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sciml.biology.kernels.jumps import Jumps
from sciml.biology.kernels.table import table
from sciml.biology.simulation.row_walk import walk_address

__all__ = ["ScalarTable", "scalar_table", "tree_size"]


class ScalarTable(NamedTuple):
    """All int64. `walk`: address of the function that computes rows. `rows` [N, 4]: operation and arguments (`kernels.table`), `every`: all rows in order. `channels`, `triggers`, `rates`: rows of propensities, of event
    triggers and of d y / d t for the states `moving`; `drifting`: rows that change between jumps.

    Lists per channel c, flat[starts[c] : starts[c + 1]]: `changed` (state, by, ...), `needs` (state, least, ...), `touched` rows to compute again
    in this order, `renewed` channels whose propensity is among them.
    """

    walk: int
    rows: np.ndarray
    every: np.ndarray
    channels: np.ndarray
    triggers: np.ndarray
    rates: np.ndarray
    moving: np.ndarray
    drifting: np.ndarray
    changed: np.ndarray
    changed_starts: np.ndarray
    needs: np.ndarray
    needs_starts: np.ndarray
    touched: np.ndarray
    touched_starts: np.ndarray
    renewed: np.ndarray
    renewed_starts: np.ndarray


def tree_size(channels: int) -> int:
    """Nodes of the tree of sums over so many channels, its root at 1."""
    return 2 << max(0, int(channels - 1).bit_length())


def scalar_table(jumps: Jumps) -> ScalarTable:
    """The tables of a jump process."""
    graph = jumps.graph
    nodes = [c.node for c in jumps.channels] + [e.trigger for e in jumps.events] + [node for _, node in jumps.flows]
    flat = table(graph, nodes, len(jumps.system.parameters) + len(jumps.extra))
    results, rows = flat[2 : 2 + len(nodes)], flat[2 + len(nodes) :].reshape(-1, 4)
    order = graph.reach(nodes)
    place = {node: row for row, node in enumerate(order)}
    users: list[list[int]] = [[] for _ in order]
    for row, node in enumerate(order):
        for argument in set(graph.args[node]):
            users[place[argument]].append(row)
    leaf = {int(graph.values[node]): row for row, node in enumerate(order) if graph.ops[node] == "state"}
    behind = {state: _behind(users, row) for state, row in leaf.items()}
    count = len(jumps.channels)
    by_row: dict[int, list[int]] = {}
    for channel, row in enumerate(results[:count]):
        by_row.setdefault(int(row), []).append(channel)
    touched = [sorted(set().union(*(behind.get(s, ()) for s, _ in c.change))) for c in jumps.channels]
    renewed = [[c for row in rows_of for c in by_row.get(row, ())] for rows_of in touched]
    moving = [state for state, _ in jumps.flows]
    times = [_behind(users, row) for row, node in enumerate(order) if graph.ops[node] == "time"]
    return ScalarTable(
        walk_address(),
        np.ascontiguousarray(rows),
        np.arange(len(rows)),
        results[:count].copy(),
        results[count : count + len(jumps.events)].copy(),
        results[count + len(jumps.events) :].copy(),
        np.array(moving, dtype=np.int64),
        np.array(sorted(set().union(*times, *(behind.get(s, ()) for s in moving))), dtype=np.int64),
        *_lists([[v for pair in c.change for v in pair] for c in jumps.channels]),
        *_lists([[v for pair in c.needs for v in pair] for c in jumps.channels]),
        *_lists(touched),
        *_lists(renewed),
    )


def _lists(lists: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """All numbers behind each other, and where each list starts."""
    starts = np.concatenate([[0], np.cumsum([len(part) for part in lists], dtype=np.int64)]).astype(np.int64)
    return np.array([v for part in lists for v in part], dtype=np.int64), starts


def _behind(users: list[list[int]], row: int) -> set[int]:
    """The row and all that need it."""
    found, stack = {row}, [row]
    while stack:
        for user in users[stack.pop()]:
            if user not in found:
                found.add(user)
                stack.append(user)
    return found
