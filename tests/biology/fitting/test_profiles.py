"""Profiles of quadratic likelihoods are known: estimate +- root of the quantile x standard error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sciml.biology.fitting.profiles import BetterError, profile_side, quantile_root
from sciml.errors import DataError

HESSIAN = np.array([[4.0, 1.5, 0.0], [1.5, 2.0, 0.3], [0.0, 0.3, 1.0]])
BEST = np.array([0.5, -1.0, 2.0])
WIDE = (np.full(3, -50.0), np.full(3, 50.0))
ROOT = quantile_root(0.95)


def parabola(x):
    d = np.asarray(x) - BEST
    return 7.0 + 0.5 * float(d @ HESSIAN @ d), HESSIAN @ d, HESSIAN


def ends(k, bounds=WIDE, function=parabola, information=HESSIAN):
    return [profile_side(function, BEST, 7.0, information, k, bounds, upwards=up, root=ROOT) for up in (False, True)]


def test_the_root_is_that_of_chi_square():
    assert ROOT == pytest.approx(1.959964, abs=1e-6) and quantile_root(0.68) ** 2 == pytest.approx(stats.chi2(1).ppf(0.68))


@pytest.mark.parametrize("k", [0, 1, 2])
@pytest.mark.parametrize("factor", [1.0, 25.0, 0.04])
def test_intervals_of_a_parabola(k, factor):
    """Also where the information that the first step is taken from is wrong by a factor."""
    sd = np.sqrt(np.linalg.inv(HESSIAN)[k, k])
    low, high = ends(k, information=factor * HESSIAN)
    np.testing.assert_allclose([low.end, high.end], BEST[k] + ROOT * sd * np.array([-1, 1]), atol=0.004 * sd)
    assert not low.bounded and not high.bounded and len(low.points) <= 9
    for x, drop in (*low.points, *high.points):
        assert drop == pytest.approx(-0.5 * ((x - BEST[k]) / sd) ** 2, abs=1e-4)


def test_holding_the_others_would_be_too_narrow():
    held = ROOT / np.sqrt(HESSIAN[1, 1])
    assert ends(1)[1].end - BEST[1] > 1.1 * held


def test_a_bound_ends_a_side():
    low, high = ends(2, (np.full(3, -50.0), np.array([50.0, 50.0, 2.5])))
    assert high.bounded and high.end == 2.5 and not low.bounded


def test_a_direction_without_information_goes_from_bound_to_bound():
    flat = lambda x: (7.0, np.zeros(3), np.zeros((3, 3)))  # noqa: E731
    low, high = ends(0, function=flat, information=np.zeros((3, 3)))
    assert (low.end, low.bounded, high.end, high.bounded) == (-50.0, True, 50.0, True)


def test_where_there_is_no_likelihood_a_side_ends():
    def cut(x):
        if x[0] > 0.9:
            raise DataError("nothing there")
        return parabola(x)

    high = ends(0, function=cut)[1]
    assert high.end == pytest.approx(0.9, abs=1e-6) and not high.bounded


def test_a_better_point_is_not_passed_over():
    with pytest.raises(BetterError) as found:
        profile_side(parabola, BEST + 1.0, parabola(BEST + 1.0)[0], HESSIAN, 0, WIDE, upwards=False, root=ROOT)
    assert parabola(found.value.x)[0] < parabola(BEST + 1.0)[0]


def test_one_parameter_alone():
    side = profile_side(lambda x: (0.5 * x[0] ** 2, x, np.eye(1)), np.zeros(1), 0.0, np.eye(1), 0, (np.array([-9.0]), np.array([9.0])),
                        upwards=True, root=ROOT)  # fmt: skip
    assert side.end == pytest.approx(ROOT, abs=0.01)
