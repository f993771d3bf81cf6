"""A jump process as a table for the double kernel: one loop runs any network, and nothing is compiled for a model.

After a reaction only the rows that depend on what it changed are computed again, and a binary tree of partial sums is brought up to date
(logarithmic in the number of channels), so that networks of ten thousand reactions are no trouble.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sciml.biology.kernels.jumps import Jumps
from sciml.biology.kernels.table import table
from sciml.biology.simulation.row_walk import ROWS, WALK, walk_address

__all__ = ["scalar_table", "size", "tree_size"]


# Places in the head, after WALK and ROWS: where each part begins.
EVERY, CHANNELS, TRIGGERS, RATES, MOVING, DRIFTING, END = range(2, 9)
CHANGED, NEEDS, TOUCHED, RENEWED, ASSIGNED, CHANGED_AT, NEEDS_AT, TOUCHED_AT, RENEWED_AT, ASSIGNED_AT, HEAD = range(9, 20)
_LISTS, _STARTS = (CHANGED, NEEDS, TOUCHED, RENEWED, ASSIGNED), (CHANGED_AT, NEEDS_AT, TOUCHED_AT, RENEWED_AT, ASSIGNED_AT)


def tree_size(channels: int) -> int:
    """Nodes of the tree of sums over so many channels, its root at 1."""
    return 2 << int(max(0, channels - 1)).bit_length()


def scalar_table(jumps: Jumps) -> np.ndarray:
    """A jump process as one array int64: a head of places, then the parts; each ends where the next begins.

    ROWS: operation and three arguments per row (`kernels.table`), EVERY: all rows in order. CHANNELS, TRIGGERS, RATES: rows of
    propensities, of event triggers and of d y / d t for the states MOVING; DRIFTING: rows that change between jumps. Per channel c a list,
    at flat[starts[c] : starts[c + 1]]: CHANGED (state, by, ...), NEEDS (state, least, ...), TOUCHED rows to compute again in this order,
    RENEWED channels whose propensity is among them; their starts lie at CHANGED_AT, ... ASSIGNED likewise per event: (state, row of its
    new value, whether it is counted, ...), where all events are `plain`, else no lists.
    """
    graph = jumps.graph
    assigned = [list(e.assignments) for e in jumps.events] if plain(jumps) else []
    nodes = [c.node for c in jumps.channels] + [e.trigger for e in jumps.events] + [node for _, node in jumps.flows]
    rates = len(nodes)
    nodes += [node for pairs in assigned for _, node, _ in pairs]
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
    lists = [
        _lists([[v for pair in c.change for v in pair] for c in jumps.channels]),
        _lists([[v for pair in c.needs for v in pair] for c in jumps.channels]),
        _lists(touched),
        _lists(renewed),
        _lists([[v for s, node, _ in pairs for v in (s, place[node], int(jumps.counted[s]))] for pairs in assigned]),
    ]
    drifting = sorted(set().union(*times, *(behind.get(s, ()) for s in moving)))
    parts: dict[int, Sequence[int] | np.ndarray] = {
        ROWS: rows.ravel(),
        EVERY: np.arange(len(rows)),
        CHANNELS: results[:count],
        TRIGGERS: results[count : count + len(jumps.events)],
        RATES: results[count + len(jumps.events) : rates],
        MOVING: moving,
        DRIFTING: drifting,
        END: [],
        **{part: flat for part, (flat, _) in zip(_LISTS, lists, strict=True)},
        **{part: starts for part, (_, starts) in zip(_STARTS, lists, strict=True)},
    }
    head = np.zeros(HEAD, dtype=np.int64)
    head[WALK] = walk_address()
    head[1:] = HEAD + np.concatenate([[0], np.cumsum([len(parts[k]) for k in range(1, HEAD - 1)], dtype=np.int64)])
    return np.concatenate([head, *(np.asarray(parts[k], dtype=np.int64) for k in range(1, HEAD))])


def plain(jumps: Jumps) -> bool:
    """Whether events do no more than to set states to what other states say: at once, in any order, whenever that is."""
    nodes = [node for e in jumps.events for _, node, _ in e.assignments]
    simple = all(e.delay is None and e.priority is None and all(v is None for _, _, v in e.assignments) for e in jumps.events)
    return simple and not jumps.graph.leaves(nodes, "time") and not jumps.flows


def size(table: np.ndarray, part: int) -> int:
    """Numbers in a part."""
    return int(table[part + 1] - table[part])


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
