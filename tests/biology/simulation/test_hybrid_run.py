"""A block of a hybrid run: its shapes, the same trajectories in any block, coefficients that single precision cannot hold."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.kernels.hybrid_lanes import hybrid_program
from sciml.biology.simulation.hybrid_run import HybridRun, single_coefficients
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.molecules import in_molecules
from sciml.errors import DataError
from tests.biology.simulation.hybrid_runs import bursting_gene, prepared
from tests.biology.simulation.small_networks import birth_death, parse


def _filled(run: HybridRun, first: int, count: int) -> np.ndarray:
    out, done = run.room(count)
    run.block(first, out, done, np.zeros(2, dtype=np.int64))
    assert done.all()
    return out


def test_blocks_hold_the_same_trajectories() -> None:
    run = prepared(bursting_gene(), [100.0, 2000.0], seed=4)
    whole = _filled(run, 0, 100)
    assert whole.shape == (100, 2, 4) and (whole == np.rint(whole)).all() and whole.min() >= 0
    np.testing.assert_array_equal(_filled(run, 30, 70), whole[30:])
    np.testing.assert_array_equal(_filled(prepared(bursting_gene(), [100.0, 2000.0], seed=4, final=True), 0, 9), whole[:9, 1:])
    assert (_filled(prepared(bursting_gene(), [100.0, 2000.0], seed=5), 0, 100) != whole).any()


def test_coefficients_that_are_no_numbers_of_single_precision() -> None:
    model = JumpModel(in_molecules(birth_death(10.0, 1e-35), 1, 0))
    program = hybrid_program(model.jumps)
    assert program is not None and single_coefficients(model, program) is None


def test_what_takes_more_than_there_is_is_refused_with_its_state() -> None:
    hungry = birth_death(1e4, 1.0, start=1e4).with_(species={"E": 1}, reactions=[parse("take", "E ->", law=5.0)])
    with pytest.raises(DataError, match=r"'take' is 5 at .*E = 0"):
        _filled(prepared(hungry, [3.0]), 0, 3)


def test_it_pays_where_abundant_reactions_are_many_for_each_event_and_step() -> None:
    assert prepared(bursting_gene(), [36000.0]).pays()
    assert not prepared(bursting_gene(1e3), [36000.0]).pays()
    assert not prepared(birth_death(), [10.0]).pays()
