"""Streams of many trajectories at once are those that loops begin one by one, and differ from each other."""

from __future__ import annotations

import numpy as np

from sciml.biology.simulation.draws import begin_stream
from sciml.biology.simulation.streams import stream_words


def test_as_in_loops():
    words = stream_words(77, 5, 40, purpose=3)
    for k in range(40):
        assert (begin_stream(np.uint64(77), np.uint64(5 + k), np.uint64(3))[:2] == words[k]).all()


def test_no_two_are_equal_in_any_word():
    words = np.concatenate([stream_words(1, 0, 200_000), stream_words(2, 0, 200_000)])
    assert len(np.unique(words[:, 0])) == len(words) and len(np.unique(words[:, 1])) == len(words)
    bits = np.unpackbits(words.view(np.uint8), axis=1)
    assert (abs(bits.mean(axis=0) - 0.5) < 4.5 * 0.5 / np.sqrt(len(words))).all()
