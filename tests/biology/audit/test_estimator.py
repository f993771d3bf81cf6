"""Each check of an estimator passes on a sound one and fails on a broken twin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sciml.biology import audit
from sciml.biology.audit import estimator
from sciml.biology.audit.subject import subject_of
from sciml.biology.information.intervals import Z95
from sciml.biology.information.neighbors import NearestNeighbors
from sciml.biology.information.result import Estimate
from sciml.errors import ConfigError


def plug_in(x, y):
    """The sum over the observed table: biased up by about (nx - 1)(ny - 1) / (2 n ln 2)."""
    if x.ndim > 1:
        raise ValueError("classes only")
    table = np.zeros((len(set(x)), len(set(y))))
    np.add.at(table, (np.unique(x, return_inverse=True)[1], np.unique(y, return_inverse=True)[1]), 1 / len(x))
    seen = table > 0
    return float((table[seen] * np.log2((table / np.outer(table.sum(axis=1), table.sum(axis=0)))[seen])).sum())


def corrected(x, y):
    """The plug-in less its bias over the cells that were seen (Panzeri and Treves 1996)."""
    joint = len({*zip(x, y, strict=True)})
    return plug_in(x, y) - (joint - len(set(x)) - len(set(y)) + 1) / (2 * len(x) * np.log(2))


class Twin(NearestNeighbors):
    """KSG with a fault."""

    def __init__(self, change):
        self.change = change

    def point(self, pair, seed):
        return self.change(super().point(pair, seed), pair, seed)


class Bootstrapped(NearestNeighbors):
    """Rows drawn with replacement: equal rows are neighbours at distance 0."""

    def estimate(self, pair, seed):
        rng = np.random.default_rng(seed)
        draws = [self.point(pair.take(rng.integers(len(pair), size=len(pair))), seed) for _ in range(10)]
        spread, bits = np.std(draws), float(np.mean(draws))
        return Estimate(bits, spread, bits - Z95 * spread, bits + Z95 * spread, "twin", "bootstrap")


class Boundless(NearestNeighbors):
    def estimate(self, pair, seed):
        return replace(super().estimate(pair, seed), low=-10.0, high=10.0)


def gaussian(pair):
    """From Pearson correlations: no map of a column leaves it as it is."""
    both = np.cov(np.hstack([pair.x.values, pair.y.values]).T)
    d = pair.x.values.shape[1]
    parts = [np.linalg.slogdet(np.atleast_2d(m))[1] for m in (both[:d, :d], both[d:, d:], both)]
    return 0.5 * (parts[0] + parts[1] - parts[2]) / np.log(2)


def failed(found) -> set[str]:
    return {row.name for row in found.table if row.verdict == "fail"}


def test_a_sound_estimator_fails_only_where_it_is_known_to():
    found = audit(NearestNeighbors(), n=400)
    assert failed(found) == {"known law gauss-5"}  # too many columns for neighbours: low by 0.6 of 1.2 bit
    assert found.row("entropy bound").verdict == "not applicable"
    assert "400 pairs" in found.summary() and found.subject == "ksg"


def test_the_rule_passes_on_classes():
    assert failed(audit("auto", kind="discrete", n=300)) == set()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["continuous", "doses"])
def test_the_rule_passes(kind):
    assert failed(audit("auto", kind=kind)) == set()


@pytest.mark.parametrize(
    ("change", "row"),
    [
        (lambda bits, pair, seed: bits + 0.2, "independent sides"),
        (lambda bits, pair, seed: bits + 0.2, "known law gauss-1"),
        (lambda bits, pair, seed: 1.4 * bits, "known law bimodal-1"),
        (lambda bits, pair, seed: gaussian(pair), "monotone maps of y"),
        (lambda bits, pair, seed: bits + 9 * (abs(pair.y.values).mean() - abs(pair.x.values).mean()), "x and y swapped"),
        (lambda bits, pair, seed: bits + 0.3 * pair.y.values[:5].mean(), "order of rows"),
        (lambda bits, pair, seed: bits + 5 * abs(pair.y.values[:, 0]).mean(), "order of columns"),
        (lambda bits, pair, seed: bits + np.random.default_rng().normal(), "same seed, same bits"),
    ],
)
def test_a_broken_twin_fails(change, row):
    assert verdict(Twin(change), row) == "fail"


@pytest.mark.parametrize(("twin", "row"), [(Bootstrapped(), "coverage, gauss-1"), (Boundless(), "width, gauss-1")])
def test_an_interval_that_deceives_fails(twin, row):
    assert verdict(twin, row) == "fail"


def verdict(subject, row, kind="continuous", n=300):
    return estimator.checks(subject_of(subject, None), [kind], n, 0)[row]().verdict


def test_functions_of_classes():
    found = audit(corrected, n=3000)
    assert failed(found) == set() and found.row("coverage, binary-0.1").verdict == "not applicable"
    assert "known law gauss-1" not in {row.name for row in found.table}
    assert verdict(plug_in, "independent sides", "discrete", 3000) == "fail"
    assert verdict(lambda x, y: 1.1 * corrected(x, y), "entropy bound", "discrete", 3000) == "fail"


def test_noise_that_tells_more_is_seen_and_offsets_too():
    def spread(x, y):
        if x.ndim == 1:
            raise ValueError("columns only")
        return float(y.std())

    assert verdict(spread, "data processing") == verdict(spread, "offset of 1e9") == "fail"


def test_what_takes_nothing_and_what_breaks_midway():
    def never(x, y):
        raise ValueError("no")

    found = audit(never)
    assert [row.name for row in found.table] == ["takes samples"] and "ValueError: no" in found.table[0].reason and not found.passed
    broken = Twin(lambda bits, pair, seed: 1 / 0 if seed == 3 else bits)
    assert audit(broken, n=100).row("independent sides").reason == "ZeroDivisionError: division by zero"
    with pytest.raises(ConfigError, match="at least 100 trajectories or pairs"):
        audit("ksg", n=10)
