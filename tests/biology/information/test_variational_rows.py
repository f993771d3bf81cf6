"""Rows scaled and named when they are wrong, split without dividing groups, and batches that follow from seed and step."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sciml.biology.information.variational_rows import Batches, Scale, array_source, drawn_rows, simulator_source, split_rows
from sciml.errors import ConfigError, DataError


def test_numbers_are_scaled_by_the_rows_that_train() -> None:
    x = np.column_stack([np.arange(60.0), 1e9 * np.arange(60.0), np.full(60, 7.0)])
    scale = Scale.of(x, "x", "auto", rows=np.arange(40))
    found = scale.numbers(x)[:40].double()
    assert scale.width == 3
    assert found.mean(0).abs().max() < 1e-6
    assert found.std(0, correction=0).tolist() == pytest.approx([1, 1, 0], abs=1e-6)


def test_levels() -> None:
    texts = np.array(["low", "high"] * 20)
    x = Scale.of(texts, "x", "auto")
    assert x.numbers(["high", "low"]).tolist() == [[1, 0], [0, 1]]
    with pytest.raises(DataError, match="x: row 1: found 'mid', expected one of the 2 levels"):
        x.numbers(["low", "mid"])
    doses = np.repeat([0.1, 1.0, 10.0], 20)
    assert Scale.of(doses, "x", "auto").levels is None
    assert Scale.of(doses, "x", "discrete").numbers([1.0]).tolist() == [[0, 1, 0]]
    assert Scale.of(doses, "y", "auto", count_levels=True).targets([10, 0.1]).tolist() == [2, 0]
    pairs = np.column_stack([doses, doses > 1])
    assert Scale.of(pairs, "x", "auto").levels is None
    assert Scale.of(pairs, "y", "auto", count_levels=True).targets([[10, 1]]).tolist() == [2]
    assert Scale.of(doses > 1, "y", "auto", count_levels=True).targets([True]).tolist() == [1]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([[1.0, 2.0], [np.nan, 1.0]], "x: row 1, column 0: found nan, expected a finite number"),
        ([[1.0], [2.0]], "x: found 1 columns, expected 2"),
        ([["a", "b"]], "x: found .* expected numbers"),
        (3.0, "x: found an array of shape"),
    ],
)
def test_new_rows_that_are_wrong(data, said) -> None:
    scale = Scale.of(np.random.default_rng(0).normal(size=(50, 2)), "x", "auto")
    with pytest.raises(DataError, match=said):
        scale.numbers(data)


def test_a_split_has_all_rows_once_and_the_share_that_was_asked_for() -> None:
    split = split_rows(1000, None, 0.3, 0)
    assert sorted(np.concatenate(split)) == list(range(1000))
    assert [len(part) for part in split] == [560, 140, 300]
    assert not np.array_equal(split.held_out, split_rows(1000, None, 0.3, 1).held_out)


@pytest.mark.parametrize("count", [3, 4, 5, 17])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_groups_are_never_divided_and_no_part_is_empty(count, share) -> None:
    groups = np.random.default_rng(count).integers(count, size=400)
    split = split_rows(400, groups, share, 3)
    parts = [set(groups[rows]) for rows in split]
    assert all(parts)
    assert sum(map(len, parts)) == count


def test_too_few_rows_or_groups() -> None:
    with pytest.raises(DataError, match="found 39 rows, expected at least 40"):
        split_rows(39, None, 0.3, 0)
    with pytest.raises(ConfigError, match="groups: found 2, expected at least 3"):
        split_rows(100, np.arange(100) % 2, 0.3, 0)


def test_batches_of_arrays() -> None:
    x = torch.arange(100.0)[:, None]
    source = array_source(x, x[:, 0], 30, 5)
    first, second = source(0), source(1)
    assert len(first[0].unique()) == 30
    assert torch.equal(first[0][:, 0], first[1])
    assert not torch.equal(first[0], second[0])
    assert torch.equal(source(1)[0], second[0])
    assert array_source(x, x, 100, 5)(0)[0] is x
    assert [len(batch[0]) for batch in Batches(source, 3)] == [30] * 3


def test_batches_of_a_simulator() -> None:
    def draw(n: int, seed: int):
        x = np.random.default_rng(seed).normal(size=n)
        return x, x > 0

    x, y = drawn_rows(draw, 100, 0, "first")
    source = simulator_source(draw, Scale.of(x, "x", "auto"), Scale.of(y, "y", "auto", count_levels=True), 20, 0)
    assert source(0)[0].shape == (20, 1)
    assert torch.equal(source(0)[0], source(0)[0])
    assert not torch.equal(source(0)[0], source(1)[0])


@pytest.mark.parametrize(
    ("found", "said"), [((np.zeros(9), np.zeros(10)), "found 9 and 10 rows"), (np.zeros(10), "expected .x, y. of 10 rows")]
)
def test_a_simulator_that_gives_something_else(found, said) -> None:
    with pytest.raises(DataError, match=said):
        drawn_rows(lambda n, seed: found, 10, 0)
