"""Kinds of sides, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sciml.biology.information.samples import checked_groups, checked_pair, checked_side
from sciml.errors import ConfigError, DataError


def test_texts_few_numbers_and_many_numbers():
    doses = np.repeat([0.0, 1.0, 10.0], 100)
    assert checked_side(doses, "x").levels == (0.0, 1.0, 10.0)
    assert checked_side(np.repeat(["b", "a"], 50), "x").levels == ("a", "b")
    assert not checked_side(np.arange(300), "x").discrete
    assert checked_side(np.arange(300), "x", "discrete").discrete and not checked_side(doses, "x", "continuous").discrete
    assert checked_side(np.repeat([[0, 1], [2, 1], [2, 3]], 20, axis=0), "x").levels == ((0.0, 1.0), (2.0, 1.0), (2.0, 3.0))


def test_offset_and_scale_are_taken_off():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(500, 2))
    found = checked_side(values * [1e-9, 1e9] + [1.0, 1e12], "y").values
    plain = checked_side(values, "y").values
    assert np.allclose(found, plain, atol=2e-6)


def test_constant_columns_are_left_out_and_said():
    side = checked_side(np.column_stack([np.full(300, 4096.0), np.arange(300)]), "y")
    assert side.values.shape == (300, 1) and "column 0 is constant" in side.notes[0]
    assert checked_pair(np.full(300, 4096.0), np.arange(300)).constant


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([0.0, 1.0, np.nan, 3.0], "row 2, column 0: found nan"),
        ([0.0, np.inf, 2.0, 3.0], "row 1, column 0: found inf"),
        ([1.0, 2.0], "at least 4"),
        (np.zeros((4, 2, 2)), "expected"),
        (["a", "", "b", "a"], "row 1: found an empty value"),
        (["a", None, "b", "a"], "row 1: found an empty value"),
        ([1j, 2j, 3j, 4j], "expected numbers"),
    ],
)
def test_refused(data, words):
    with pytest.raises(DataError, match=words):
        checked_side(np.asarray(data, dtype=object) if any(v is None for v in np.ravel(data)) else data, "y")


def test_lengths_and_kinds():
    with pytest.raises(DataError, match="x has 4 rows, y 5"):
        checked_pair([1, 2, 3, 4], [1, 2, 3, 4, 5])
    with pytest.raises(ConfigError, match="texts, which have no distances"):
        checked_side(["a", "b"] * 4, "x", "continuous")


def test_entropy_shuffle_and_parts():
    pair = checked_pair(np.repeat([0, 1], [75, 25]), np.arange(100.0), np.arange(100) % 5)
    assert pair.x.entropy == pytest.approx(0.75 * np.log2(4 / 3) + 0.5)
    assert pair.y.entropy == np.inf
    part = pair.take(np.arange(10))
    assert len(part) == 10 and part.groups.max() == 4
    mixed = pair.shuffled(np.random.default_rng(0))
    assert np.bincount(mixed.x.codes).tolist() == [75, 25] and (mixed.y.values == pair.y.values).all()


def test_groups():
    assert checked_groups(["d1", "d2", "d1", "d2"], 4).tolist() == [0, 1, 0, 1]
    with pytest.raises(ConfigError, match="at least two groups"):
        checked_groups([1, 1, 1, 1], 4)
    with pytest.raises(DataError, match="one name a row"):
        checked_groups([1, 2], 4)
    with pytest.raises(DataError, match="row 1: found nan"):
        checked_groups([1.0, np.nan, 2.0, 2.0], 4)


def test_shuffled_given_z_stays_within_its_levels_and_near_by():
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 64))
    plain = checked_pair(x, x)
    for side in (checked_side(z, "z"), checked_side(np.where(z > 0, "b", "a"), "z")):
        mixed = replace(plain, z=side).shuffled(np.random.default_rng(1))
        assert sorted(mixed.x.values[:, 0]) == sorted(plain.x.values[:, 0])
        assert not np.array_equal(mixed.x.values, plain.x.values)
        place = np.array([np.flatnonzero(plain.x.values[:, 0] == v)[0] for v in mixed.x.values[:, 0]])
        if side.codes is not None:
            assert np.array_equal(side.codes[place], side.codes)
        else:
            ranks = np.argsort(np.argsort(z))
            assert np.abs(ranks[place] - ranks).max() < 8


@pytest.mark.parametrize("scale", [1e-308, 1e-200, 1e200, 1e307])
def test_the_unit_does_not_matter_where_most_rows_are_equal(scale):
    rng = np.random.default_rng(1)
    values = np.where(rng.random(200) < 0.8, 0.0, np.abs(rng.normal(size=200)))
    assert np.allclose(checked_side(values * scale, "y").values, checked_side(values, "y").values)


def test_what_hides_a_missing_value_is_refused():
    with pytest.raises(DataError, match="y: row 2: found a masked entry"):
        checked_side(np.ma.masked_equal([1.0, 2.0, -999.0, 4.0], -999), "y")
    assert len(checked_side(np.ma.masked_equal([1.0, 2.0, 3.0, 4.0], -999), "y").values) == 4
    with pytest.raises(DataError, match="row 0: found the number 1.5 among texts"):
        checked_side(np.array([1.5, 2.5, 3.5, "a"], dtype=object), "y")
    with pytest.raises(DataError, match="dates"):
        checked_side(np.array(["2020-01-01"] * 4, dtype="datetime64[D]"), "y")
    for value in (None, "", float("nan")):
        with pytest.raises(DataError, match="groups: row 1: found"):
            checked_groups(np.array(["a", value, "b", "b"], dtype=object), 4)


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("dosed", [False, True])
def test_a_table_joined_twice_is_refused(times, dosed):
    rng = np.random.default_rng(2)
    y = rng.normal(size=(200, 2))
    x = np.repeat([0.0, 1.0, 10.0, 100.0], 50) if dosed else y[:, 0] + rng.normal(size=200)
    assert not checked_pair(x, y).y.notes
    with pytest.raises(DataError, match=rf"x and y: row 200: found the values of row 0 again.* {(times - 1) * 200} of {times * 200} rows"):
        checked_pair(np.tile(x, times), np.tile(y, (times, 1)))


def test_some_rows_joined_twice_are_said():
    x, y = np.random.default_rng(3).normal(size=(2, 500))
    (note,) = checked_pair(np.r_[x, x[100:220]], np.r_[y, y[100:220]]).y.notes
    assert note.startswith("warning: 120 of 620 rows") and "row 500, of row 100" in note


def test_ties_of_any_other_making_are_no_repeats():
    rng = np.random.default_rng(4)
    x, z = rng.normal(size=(2, 600))
    dose = np.repeat(np.arange(100), 6)
    seen = rng.random(600) < 0.4
    for first, second in (
        (np.round(x, 1), np.round(x + z, 1)),  # heavily rounded
        (np.where(seen, x, 0.0), np.where(seen, x + z, 0.0)),  # drop-outs of both
        (np.minimum(x, 0.5), np.minimum(x + z, 0.5)),  # saturation
        (rng.poisson(np.exp(2 + x)), rng.poisson(np.exp(2 + x))),  # counts
        (dose, np.sqrt(dose)),  # a response without noise
    ):
        assert not checked_pair(first, second, x_kind="discrete" if first is dose else "auto", y_kind="continuous").y.notes


def test_numbers_given_as_texts_are_refused_or_taken_as_names():
    doses = np.repeat(["1.5", "10", "5"], 20)
    with pytest.raises(DataError, match=r"x: row 0: found '1.5', which is a number given as a text.*x_kind='discrete'"):
        checked_side(doses, "x")
    assert checked_side(doses, "x", "discrete").levels == ("1.5", "10", "5")
    assert checked_side(np.repeat(["1_1", "1_2", "2_1"], 20), "x").levels == ("1_1", "1_2", "2_1")  # plates and wells
    assert checked_side(np.repeat(["1.5", "10", "none"], 20), "x").levels == ("1.5", "10", "none")
