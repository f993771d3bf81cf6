from __future__ import annotations

import json
import math

import numpy as np
import pytest

from sciml.biology import Gamma, LogNormal, Measurement, Normal
from sciml.errors import ConfigError, DataError

Z = 4.5


def mean_within(found, mean, sd):
    return abs(found.mean() - mean) <= Z * sd / math.sqrt(found.size)


def test_nothing_asked_nothing_changed():
    values = np.array([[1.0, -2.0], [3.0, 4.0]])
    found = Measurement().apply(values, 0)
    assert (found == values).all() and found is not values


def test_gain_keeps_the_mean_and_has_its_spread():
    found = Measurement(gain_cv=0.3).apply(np.full(40_000, 50.0), 1)
    assert mean_within(found, 50, 15)
    logs = np.log(found / 50)  # normal, mean -s^2 / 2, variance s^2 = ln(1 + cv^2)
    s2 = math.log1p(0.09)
    assert mean_within(logs, -s2 / 2, math.sqrt(s2)) and abs(logs.var() / s2 - 1) <= Z * math.sqrt(2 / logs.size)


def test_counts_are_whole_and_poisson():
    found = Measurement(poisson=0.5).apply(np.full(40_000, 20.0), 2)
    assert (found == np.rint(found)).all() and mean_within(found, 10, math.sqrt(10))
    assert abs(found.var() / 10 - 1) <= Z * math.sqrt(2 / found.size + 1 / (10 * found.size))


def test_background_is_added():
    assert Measurement(background=3.0).apply([1.0], 0).tolist() == [4.0]
    found = Measurement(background=Normal(sd=2.0, mean=5.0)).apply(np.full(40_000, 1.0), 3)
    assert mean_within(found, 6, 2) and abs(found.var() / 4 - 1) <= Z * math.sqrt(2 / found.size)
    assert mean_within(Measurement(background=Gamma(cv=0.5, mean=4.0)).apply(np.zeros(40_000), 3), 4, 2)


def test_parts_are_independent_of_each_other():
    whole = Measurement(background=Normal(sd=1.0, mean=0.0), gain_cv=0.2, poisson=1.0).apply(np.full(40_000, 30.0), 4)
    assert mean_within(whole, 30, math.sqrt(30 + 0.04 * (30 + 900) + 1))
    variance = 30 + 0.04 * (30 + 900) + 1  # var(C) + cv^2 E[C^2] + var(B)
    assert abs(whole.var() / variance - 1) <= 0.06


def test_limits_are_said():
    m = Measurement(detection_limit=2.0, saturation=4.0)
    found = m.apply([1.0, 2.5, 3.0, 9.0, 10.0], 0)
    assert found.tolist() == [2, 2.5, 3, 4, 4]
    assert m.censored(found) == (
        "20.00% of the measured values stand at the detection limit 2",
        "40.00% of the measured values stand at the saturation 4",
    )
    assert m.censored(np.array([3.0])) == ()


def test_the_same_seed_gives_the_same_bits():
    m = Measurement(background=LogNormal(cv=0.2, mean=3.0), gain_cv=0.2, poisson=2.0)
    values = np.linspace(0, 20, 50)
    assert (m.apply(values, 7) == m.apply(values, 7)).all() and (m.apply(values, 7) != m.apply(values, 8)).any()
    assert json.loads(json.dumps(m.to_dict()))["background"]["law"] == "LogNormal"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"gain_cv": -0.1}, "gain_cv: found -0.1"),
        ({"gain_cv": math.nan}, "gain_cv: found nan"),
        ({"background": LogNormal(cv=0.3)}, "background: the law has no mean"),
        ({"background": math.inf}, "background: found inf"),
        ({"background": "high"}, "background"),
        ({"poisson": 0.0}, "poisson: found 0.0"),
        ({"detection_limit": 5.0, "saturation": 5.0}, "detection_limit: found 5.0, expected less than the saturation"),
        ({"saturation": math.nan}, "saturation: found nan"),
    ],
)
def test_what_cannot_be_meant(fields, said):
    with pytest.raises(ConfigError, match=f"Measurement: {said}"):
        Measurement(**fields)


def test_values_that_cannot_be_measured():
    with pytest.raises(DataError, match="not finite"):
        Measurement().apply([1.0, math.nan], 0)
    with pytest.raises(DataError, match="mean counts from -1"):
        Measurement(poisson=1.0).apply([-1.0], 0)


def test_one_number():
    assert 0 < Measurement(poisson=2.0, gain_cv=0.1).apply(50.0, 0) < 200
