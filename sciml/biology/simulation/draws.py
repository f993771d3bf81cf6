"""Random numbers of one trajectory inside compiled loops: uniform, exponential, normal, Poisson, binomial.

The state is four 64-bit words (xoshiro256++, Blackman and Vigna 2021), hashed from the seed, the index of the trajectory and the purpose,
so that a trajectory's numbers depend on nothing else. `begin_stream` is the truth about how; `streams.stream_words` repeats it by numpy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sciml.compiling import compiled

__all__ = ["begin_stream", "binomial", "exponential", "normal", "poisson", "uniform"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_OTHER = np.uint64(0xD1B54A32D192ED03)
_SMALL = 10.0  # mean from which the transformed rejection of Hoermann is used


@compiled()
def _mixed(word: Any) -> Any:
    """The finaliser of splitmix64: a bijection of 64-bit words."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@compiled()
def begin_stream(seed: Any, index: Any, purpose: Any) -> Any:
    """The state uint64 [4] of trajectory `index`: for one seed, different indices give different words in every place."""
    state = np.empty(4, dtype=np.uint64)
    for k in range(4):
        key = _mixed(np.uint64(seed) + _GOLDEN * (np.uint64(4) * np.uint64(purpose) + np.uint64(k) + np.uint64(1)))
        state[k] = _mixed(key ^ _mixed(np.uint64(index) + _OTHER))
    return state


@compiled()
def _word(s: Any) -> Any:
    mixed = s[0] + s[3]
    result = ((mixed << np.uint64(23)) | (mixed >> np.uint64(41))) + s[0]
    moved = s[1] << np.uint64(17)
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= moved
    s[3] = (s[3] << np.uint64(45)) | (s[3] >> np.uint64(19))
    return result


@compiled()
def uniform(s: Any) -> Any:
    """In (0, 1), neither end reached: (k + 1/2) 2^-52."""
    return (float(_word(s) >> np.uint64(12)) + 0.5) * 2.220446049250313e-16


@compiled()
def exponential(s: Any) -> Any:
    """Of mean 1."""
    return -math.log(uniform(s))


@compiled()
def normal(s: Any) -> Any:
    """Of mean 0 and variance 1 (Box and Muller)."""
    return math.sqrt(-2.0 * math.log(uniform(s))) * math.cos(6.283185307179586 * uniform(s))


@compiled()
def poisson(s: Any, mean: float) -> Any:
    """A Poisson number: by products of uniforms for small means, else by PTRS (Hoermann 1993)."""
    if mean <= 0.0:
        return 0.0
    if mean < _SMALL:
        limit, product, count = math.exp(-mean), uniform(s), 0
        while product > limit:
            product *= uniform(s)
            count += 1
        return float(count)
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accepted = 0.9277 - 3.6224 / (b - 2.0)
    log_mean = math.log(mean)
    while True:
        u = uniform(s) - 0.5
        v = uniform(s)
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= accepted:
            return k
        if k < 0.0 or (us < 0.013 and v > us):
            continue
        if math.log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_mean - mean - math.lgamma(k + 1.0):
            return k


@compiled()
def binomial(s: Any, n: float, p: float) -> Any:
    """A binomial number: by waiting times for small means, else by BTRS (Hoermann 1993)."""
    if n <= 0.0 or p <= 0.0:
        return 0.0
    if p >= 1.0:
        return n
    if p > 0.5:
        return n - _binomial(s, n, 1.0 - p)
    return _binomial(s, n, p)


@compiled()
def _binomial(s: Any, n: float, p: float) -> Any:
    if n * p < _SMALL:
        rate, trials, count = math.log1p(-p), 0.0, 0.0
        while True:
            trials += math.floor(math.log(uniform(s)) / rate) + 1.0
            if trials > n:
                return count
            count += 1.0
    spread = math.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    centre, accepted = n * p + 0.5, 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    log_odds, mode = math.log(p / (1.0 - p)), math.floor((n + 1.0) * p)
    height = math.lgamma(mode + 1.0) + math.lgamma(n - mode + 1.0)
    while True:
        u = uniform(s) - 0.5
        v = uniform(s)
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + centre)
        if us >= 0.07 and v <= accepted:
            return k
        if k < 0.0 or k > n:
            continue
        v = math.log(v * alpha / (a / (us * us) + b))
        if v <= height - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0) + (k - mode) * log_odds:
            return k
