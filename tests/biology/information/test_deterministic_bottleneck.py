from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from sciml.biology import information as info
from sciml.errors import DataError
from tests.biology.information.bottleneck_laws import cells, informations


def value(joint, cluster, beta) -> float:
    kept, told = informations(joint, np.eye(len(joint))[cluster])
    return kept - beta * told


@pytest.mark.parametrize("n_y", [2, 3, 4])
@pytest.mark.parametrize("beta", [1.3, 3.0, 20.0])
def test_no_partition_of_six_is_better(n_y, beta):
    """All functions from six x to six clusters with non-increasing names (every partition is among them)."""
    for seed in range(2):
        joint = np.random.default_rng(seed).gamma(0.4, size=(6, n_y))
        joint /= joint.sum()
        found = info.deterministic_bottleneck(joint, betas=[beta])
        least = min(value(joint, np.array(c), beta) for c in itertools.product(*(range(k + 1) for k in range(6))))
        assert found.h_t[0] - beta * found.i_y[0] == pytest.approx(least, abs=1e-9)
        assert value(joint, found.encoders[0], beta) == pytest.approx(least, abs=1e-9)
        assert found.exact == (n_y == 2)


def test_hard_clusters_lie_below_the_curve():
    joint = cells()
    curve, hard = info.bottleneck_curve(joint), info.deterministic_bottleneck(joint)
    assert len(hard.beta) == 50
    for h_t, i_y in zip(hard.h_t, hard.i_y, strict=True):
        assert i_y <= curve.bound(float(h_t))[1] + 1e-9
    assert np.all(np.diff(hard.h_t) >= -1e-9)


def test_ends():
    joint = np.concatenate([cells(), np.zeros((1, 2))])
    found = info.deterministic_bottleneck(joint, betas=[np.inf, 0.5])
    assert found.i_y[0] == pytest.approx(info.bottleneck_curve(joint, betas=[2]).i_xy, abs=1e-6)
    assert found.h_t[1] == found.i_y[1] == 0
    assert found.encoders[0][-1] == -1
    assert json.loads(json.dumps(found.to_dict()))["exact"] is True
    with pytest.raises(DataError, match="sum to"):
        info.deterministic_bottleneck(joint * 2)
