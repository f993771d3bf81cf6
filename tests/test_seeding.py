"""Same name, same bits; other name, an independent stream."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from sciml.errors import ConfigError
from sciml.seeding import derive, numpy_generator, torch_generator

names = st.lists(st.one_of(st.text(max_size=8), st.integers(-(2**70), 2**70)), max_size=4).map(tuple)


@given(st.integers(0, 2**70), names, names)
def test_names_are_told_apart(seed, first, second):
    assert derive(seed, *first) == derive(seed, *first)
    assert 0 <= derive(seed, *first) < 2**64
    assume([(type(n), n) for n in first] != [(type(n), n) for n in second])
    assert derive(seed, *first) != derive(seed, *second)


def test_joined_and_typed_names_differ():
    assert len({derive(0, "ab", "c"), derive(0, "a", "bc"), derive(0, "abc"), derive(0, "1"), derive(0, 1), derive(1), derive(0)}) == 7


def test_known_values_never_change():
    """A changed value would change every published run. The figures are those of `printf 'i1:0' | sha256sum` and so on."""
    assert derive(0) == int.from_bytes(bytes.fromhex("59a435212025b8a5"), "little")
    assert derive(0, "shuffle", 3) == int.from_bytes(bytes.fromhex("776534a177aac725"), "little")
    assert numpy_generator(0, "a").integers(0, 2**63) == 7285541315082616693


def test_another_process_has_the_same_bits():
    code = "from sciml.seeding import *; print(derive(7, 'x', 2), numpy_generator(7, 'x').random(), torch_generator(7, 'x').initial_seed())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == [str(derive(7, "x", 2)), str(numpy_generator(7, "x").random()), str(derive(7, "x"))]


def test_streams_are_independent():
    """Correlation of 200 pairs of neighbouring streams is that of noise: |z| below 4.5 for the largest."""
    streams = np.array([numpy_generator(0, "worker", i).standard_normal(2000) for i in range(201)])
    z = (streams[:-1] * streams[1:]).mean(1) * np.sqrt(2000)
    assert abs(z).max() < 4.5
    assert z.std() == pytest.approx(1, abs=0.2)


def test_numpy_integers_are_whole_numbers():
    assert derive(np.int64(5), np.int32(2)) == derive(5, 2)


def test_torch_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    first, second = (torch.rand(5, generator=torch_generator(3, "w")) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("seed", [-1, 1.0, "0", None, True])
def test_seeds_that_are_none(seed):
    with pytest.raises(ConfigError, match="seed: found .*, expected a whole number >= 0"):
        derive(seed)


@pytest.mark.parametrize("name", [1.5, None, ("a",), True])
def test_names_that_are_none(name):
    with pytest.raises(ConfigError, match="name of a random stream: found"):
        derive(0, name)
