"""Blocks cover every trajectory once, whatever the threads; errors and Ctrl-C come through."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sciml.biology.simulation.blocks import run_blocks
from sciml.errors import DataError


@pytest.mark.parametrize(("n", "threads", "block"), [(1, 1, None), (1000, 2, None), (1000, 2, 64), (40_000, 1, None)])
def test_every_trajectory_once(n, threads, block):
    seen = np.zeros(n, dtype=int)

    def work(first, count, signals):
        seen[first : first + count] += 1

    assert run_blocks(n, work, threads=threads, block=block) and (seen == 1).all()


def test_an_error_of_a_block():
    def work(first, count, signals):
        if first == 64:
            raise DataError("the second block")

    with pytest.raises(DataError, match="the second block"):
        run_blocks(640, work, threads=2, block=64)


def test_ctrl_c_ends_blocks_where_they_stand():
    ended = []

    def work(first, count, signals):
        signals[1] = 1
        while not signals[0]:
            time.sleep(0.01)
        ended.append(first)

    def stop(done, total):
        assert total == 128
        raise KeyboardInterrupt

    assert not run_blocks(128, work, threads=1, block=64, progress=stop)
    assert ended == [0]
