"""Laws against scipy and against their own moments."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sciml.biology.distributions import Gamma, Law, LogNormal, Normal
from sciml.errors import ConfigError


def _peer(law: Law, mean: float) -> stats.rv_continuous:
    if isinstance(law, LogNormal):
        s = np.sqrt(np.log1p(law.cv**2))
        return stats.lognorm(s=s, scale=mean * np.exp(-(s**2) / 2))
    if isinstance(law, Gamma):
        return stats.gamma(a=law.cv**-2, scale=mean * law.cv**2)
    return stats.norm(loc=mean, scale=law.sd)


@pytest.mark.parametrize(
    "law", [LogNormal(0.3), LogNormal(2.0, mean=5.0), Gamma(0.5), Gamma(1.5, mean=0.1), Normal(2.0), Normal(0.1, mean=-3)]
)
def test_laws_are_scipys(law: Law) -> None:
    nominal = 7.0
    mean, sd = law.moments(nominal)
    peer = _peer(law, mean)
    u = np.array([1e-6, 0.01, 0.3, 0.5, 0.77, 0.999])
    np.testing.assert_allclose(law.quantile(u, nominal), peer.ppf(u), rtol=1e-9)
    np.testing.assert_allclose([mean, sd], [peer.mean(), peer.std()], rtol=1e-12)
    assert law.entropy(nominal) == pytest.approx(float(peer.entropy()) / np.log(2), rel=1e-9)


def test_the_mean_is_the_nominal_value_unless_given() -> None:
    assert LogNormal(0.3).moments(12.0)[0] == 12.0
    assert LogNormal(0.3, mean=4.0).moments(12.0)[0] == 4.0
    assert Gamma(cv=0.2, mean=2.0).to_dict() == {"law": "Gamma", "cv": 0.2, "mean": 2.0}


@pytest.mark.parametrize(
    "make", [lambda: LogNormal(0.0), lambda: Gamma(-1.0), lambda: Normal(float("nan")), lambda: LogNormal(0.3, mean=-1.0)]
)
def test_numbers_that_make_no_law_are_refused(make: type) -> None:
    with pytest.raises(ConfigError, match="expected a finite number"):
        make()


def test_a_positive_law_needs_a_positive_nominal_value() -> None:
    with pytest.raises(ConfigError, match="mean of its own"):
        LogNormal(0.3).quantile(np.array([0.5]), 0.0)
