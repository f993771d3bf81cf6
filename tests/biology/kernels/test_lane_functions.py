"""Single instructions against numpy; the generator against its published definition."""

from __future__ import annotations

import numba
import numpy as np

from sciml.biology.kernels.lane_functions import as_bits, as_float, both, only, same, select, xoshiro


@numba.njit
def _masks(a, b):
    return both(a, b), only(a, b), same(a, b), select(a, np.float32(1), np.float32(2))


@numba.njit
def _words(s, count):
    a, b, c, d = s[0], s[1], s[2], s[3]
    out = np.empty(count, np.uint32)
    for k in range(count):
        word, _, a, b, c, d = xoshiro(a, b, c, d)
        out[k] = word
    return out


@numba.njit
def _there_and_back(value):
    return as_float(as_bits(value))


def test_masks():
    for a in (False, True):
        for b in (False, True):
            assert _masks(a, b) == (a and b, a and not b, a == b, 1.0 if a else 2.0)


def test_bits():
    for value in np.array([0.0, -1.5, np.inf, 3e-42], dtype=np.float32):
        assert np.float32(_there_and_back(value)).tobytes() == value.tobytes()


def test_xoshiro128_plus_plus():
    """The C code of Blackman and Vigna, in Python integers."""
    state, mask = [0x12345678, 0x9ABCDEF0, 0x0F1E2D3C, 0x4B5A6978], 0xFFFFFFFF

    def rotated(x, k):
        return ((x << k) | (x >> (32 - k))) & mask

    expected, s = [], list(state)
    for _ in range(200):
        expected.append((rotated((s[0] + s[3]) & mask, 7) + s[0]) & mask)
        t = (s[1] << 9) & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotated(s[3], 11)
    assert _words(np.array(state, dtype=np.uint32), 200).tolist() == expected
