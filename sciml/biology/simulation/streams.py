"""First words of the random streams of many trajectories at once, by numpy alone, so that nothing need be compiled for them.

`draws.begin_stream` says what a stream is; these are its first words, and tests hold the two to the same bits.
"""

from __future__ import annotations

import numpy as np

__all__ = ["stream_words"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xD1B54A32D192ED03)


def stream_words(seed: int, first: int, count: int, purpose: int = 0) -> np.ndarray:
    """The first two words of the states of `count` trajectories, uint64 [count, 2]: a hash of seed, index and purpose."""
    found = np.empty((count, 2), dtype=np.uint64)
    index = np.arange(first, first + count, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for k in range(2):
            key = _mixed(np.uint64(seed) + _GOLDEN * np.uint64(4 * purpose + k + 1))
            found[:, k] = _mixed(key ^ _mixed(index + _OTHER))
    return found


def _mixed(word: np.ndarray | np.uint64) -> np.ndarray | np.uint64:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection of 64-bit words."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
