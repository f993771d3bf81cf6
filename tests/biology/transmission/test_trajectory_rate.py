"""The call: units, labels, defaults, what it refuses, what the report shows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sciml import biology as bio
from sciml.biology.transmission.trajectory_rate import trajectory_rate
from sciml.errors import ConfigError, ConvergenceError
from tests.biology.transmission.networks import gene, gene_rate, motif


def test_gaussian_rates_are_labelled_and_in_bits() -> None:
    seen = bio.trajectory_rate(motif(20.0, 2.0, 5.0), "S", "X", "gaussian")
    assert seen.approximation == "reactions"
    assert seen.rate == pytest.approx((np.sqrt(6) - 1) / np.log(2), rel=1e-9)
    assert (seen.standard_error, seen.low, seen.high) == (0.0, seen.rate, seen.rate)
    slope = np.diff(seen.information[-2:])[0] / np.diff(seen.times[-2:])[0]
    assert slope == pytest.approx(seen.rate, rel=1e-6)
    assert seen.times[-1] == pytest.approx(6.0)
    counts = bio.trajectory_rate(motif(20.0, 2.0, 5.0), "S", "X", "gaussian", approximation="states")
    assert counts.approximation == "states"
    assert counts.rate == pytest.approx((np.sqrt(3.5) - 1) / np.log(2), rel=1e-8)
    assert "less than a perfectly watched trace" in counts.sentence()


def test_a_counter_that_only_adds_up_has_the_same_rates() -> None:
    whole = motif(20.0)
    counter = whole.with_(without=["decay"])
    for approximation in ("reactions", "states"):
        found, same = (trajectory_rate(n, "S", "X", "gaussian", approximation=approximation) for n in (counter, whole))  # type: ignore[arg-type]
        assert found.rate == pytest.approx(same.rate, rel=1e-9)
    assert trajectory_rate(counter, "S", "X", n=10, particles=20).times[-1] == pytest.approx(12.0)


def test_path_weights_give_a_slope_with_its_interval() -> None:
    found = trajectory_rate(gene(1.0, 1.0, 5.0), "On", "X", n=150, particles=80, times=[2, 6, 10], seed=3)
    assert found.approximation == "exact"
    np.testing.assert_array_equal(found.times, [2, 6, 10])
    assert abs(found.rate - gene_rate(1.0, 1.0, 5.0) / np.log(2)) <= 4 * found.standard_error
    assert found.low < found.rate < found.high
    assert found.high - found.low == pytest.approx(2 * 1.976 * found.standard_error, rel=1e-3)
    assert (np.diff(found.information) > 0).all()
    assert found.rate < found.information[-1] / 10 or found.transient > 0  # a slope, no I(T) / T
    json.dumps(found.to_dict())
    section = found.to_sections()[0]
    assert {"information between traces", "information between traces, table"} <= {getattr(b, "name", "") for b in section.blocks}


def test_without_rest_times_are_asked_for() -> None:
    parse = bio.Reaction.parse
    growing = bio.Network(
        "grows", species={"S": 3, "X": 0}, reactions=[parse("a", "S -> 2 S", rate=0.2), parse("m", "S -> S + X", rate=1.0)]
    )
    with pytest.raises(ConfigError, match="times: the network has no stable steady state"):
        trajectory_rate(growing, "S", "X")
    with pytest.raises(ConvergenceError):
        trajectory_rate(growing, "S", "X", "gaussian")
    found = trajectory_rate(growing, "S", "X", n=20, particles=50, times=[1.0, 3.0], transient=1.0)
    assert found.rate > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [({"n": 5}, "n: found 5"), ({"times": [0.0]}, "none above 0"), ({"transient": 0.0}, "transient: found 0"),
     ({"times": [1.0], "transient": 2.0}, "before the last of times"), ({"approximation": "counts"}, "'reactions' or 'states'")],
)  # fmt: skip
def test_faults_are_named(options: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        trajectory_rate(motif(2.0), "S", "X", **({"n": 10, "particles": 20} | options))
