"""The table of a jump process: what a reaction touches, and the rows against numpy."""

from __future__ import annotations

import itertools

import numpy as np

from sciml.biology.network import Network, Reaction
from sciml.biology.simulation import scalar_table as st
from sciml.biology.simulation.molecules import in_molecules

parse = Reaction.parse


def lists(table: np.ndarray, part: int, starts: int, count: int) -> list[list[int]]:
    at = table[table[starts] : table[starts] + count + 1]
    return [table[table[part] + a : table[part] + b].tolist() for a, b in itertools.pairwise(at)]


def test_what_a_reaction_changes_and_touches():
    reactions = (
        parse("f", "A -> B", rate=1.0),
        parse("g", "B -> 2 C", law="2 * B"),
        parse("h", "C ->", law="3 * C"),
        parse("i", "3 A ->", law="1"),
    )
    jumps = in_molecules(Network(species={"A": 5, "B": 0, "C": 0}, reactions=reactions), 1, 0).jumps
    table = st.scalar_table(jumps)
    assert st.size(table, st.CHANNELS) == 4 and st.size(table, st.TRIGGERS) == 0 and st.tree_size(4) == 8
    assert lists(table, st.CHANGED, st.CHANGED_AT, 4) == [[0, -1, 1, 1], [1, -1, 2, 2], [2, -1], [0, -3]]
    assert lists(table, st.NEEDS, st.NEEDS_AT, 4) == [[], [], [], [0, 3]]
    assert lists(table, st.RENEWED, st.RENEWED_AT, 4) == [[0, 1], [1, 2], [2], [0]]
    for touched in lists(table, st.TOUCHED, st.TOUCHED_AT, 4):
        assert touched == sorted(touched)


def test_the_tree_has_room():
    assert [st.tree_size(n) for n in (0, 1, 2, 3, 8, 9)] == [2, 2, 4, 8, 16, 32]
