import numpy as np
import pytest

from sciml.errors import DataError
from sciml.report import summary


def test_errors_leave_out_what_is_not_finite():
    error = np.array([3.0, -4.0, np.nan, np.inf])
    assert summary.mae(error) == 3.5 and summary.rmse(error) == pytest.approx(np.sqrt(12.5))
    assert np.isnan(summary.mae(np.empty(0))) and np.isnan(summary.rmse(np.array([np.nan])))


def test_rank_correlation_equals_scipys():
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(3)
    a, b = generator.integers(0, 9, 60).astype(float), generator.normal(size=60)
    assert summary.spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)
    assert summary.spearman(b, np.exp(b)) == pytest.approx(1.0)
    assert np.isnan(summary.spearman(np.ones(5), b[:5]))


def test_bins_hold_equally_many_points_and_their_rms():
    spread = np.arange(1.0, 101.0)
    middles, rms = summary.binned(spread, 2 * spread)
    assert len(middles) == 10
    np.testing.assert_allclose(rms, 2 * middles)
    assert middles[0] == pytest.approx(np.sqrt(np.mean(spread[:10] ** 2)))
    assert len(summary.binned(spread[:7], spread[:7])[0]) == 0


def test_few_points_are_all_drawn_and_many_keep_the_largest_errors():
    assert summary.thinned(np.ones(summary.POINTS), {})[0] == list(range(summary.POINTS))
    error = np.random.default_rng(0).normal(size=50_000)
    error[123] = -40.0
    kept, notes, columns = summary.thinned(error, {"error": error})
    assert len(set(kept)) == len(kept) == summary.POINTS and 123 in kept and kept == sorted(kept)
    assert "20,000 of 50,000 points drawn" in notes[0] and columns == {"error": error}
    assert kept == summary.thinned(error, {})[0]


def test_ends_and_edges_without_spread_or_without_values():
    assert summary.span(np.array([2.0]), np.array([2.0])) == pytest.approx([1.9, 2.1])
    assert summary.span(np.array([0.0]), np.array([np.nan])) == [-1.0, 1.0]
    assert summary.span(np.empty(0), np.empty(0)) == [0.0, 1.0] and summary.span(np.empty(0), np.empty(0), True) == [0.1, 1.0]
    assert len(summary.edges(np.empty(0), None)) == 2 and np.all(np.diff(summary.edges(np.full(9, 3.0), None)) > 0)


def test_vectors_that_are_not_numbers_or_not_as_many():
    np.testing.assert_array_equal(summary.vector("a", "x", [[1, None]]), [1.0, np.nan])
    with pytest.raises(DataError, match="figure 'a', x: not numbers"):
        summary.vector("a", "x", ["one"])
    with pytest.raises(DataError, match="figure 'a', x: 2 values where 3 would be right"):
        summary.vector("a", "x", [1, 2], 3)
