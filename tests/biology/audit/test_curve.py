"""Each check of a curve passes on a closed form and fails on a broken twin of it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from sciml.biology import audit
from sciml.biology.audit.curve import rows

SQUARE = 0.8**2


def gaussian(**changes):
    """The curve of a Gaussian pair (Chechik et al. 2005): I_Y = -log2(1 - rho^2 (1 - 2^(-2 I_X))) / 2, slope 1 / beta."""
    beta = np.geomspace(1 / SQUARE, 200, 40)
    i_x = 0.5 * np.log2((beta - 1) * SQUARE / (1 - SQUARE))
    i_y = -0.5 * np.log2(1 - SQUARE * (1 - 2.0 ** (-2 * i_x)))
    found = {"beta": beta, "i_x": i_x, "i_y": i_y, "lower": i_y, "upper": i_y + 1e-6, "gap": 1e-6, "certified": True}
    return SimpleNamespace(**(found | {"h_x": 12.0, "i_xy": -0.5 * np.log2(1 - SQUARE)} | changes))


def verdicts(curve) -> dict[str, str]:
    return {row.name: row.verdict for row in rows(curve)}


def test_the_closed_form_passes():
    found = audit(gaussian())
    assert found.passed and found.subject == "bottleneck curve" and "40 points" in found.summary()
    assert {row.verdict for row in found.table} == {"pass"} and len(found.table) == 6


def moved(field, place, by):
    return gaussian(**{field: getattr(gaussian(), field) + by * (np.arange(40) == place)})


@pytest.mark.parametrize(
    ("twin", "row"),
    [
        (moved("upper", 20, -0.01), "closed bracket"),
        (moved("i_y", 20, 0.01), "closed bracket"),
        (gaussian(gap=0.01), "width of the bracket"),
        (moved("upper", 20, 0.01), "width of the bracket"),
        (gaussian(i_xy=0.5), "data processing"),
        (gaussian(h_x=1.0), "data processing"),
        (gaussian(i_y=gaussian().i_x * 1.1), "data processing"),
        (gaussian(i_x=gaussian().i_x[::-1]), "rising with beta"),
        (moved("lower", 20, -0.01), "concave"),
        (moved("i_y", 20, -0.01), "best at its beta"),
        (gaussian(beta=2 * gaussian().beta), "best at its beta"),
        (gaussian(beta=np.log(2) * gaussian().beta), "best at its beta"),  # a beta of natural logarithms
    ],
)
def test_a_broken_twin_fails(twin, row):
    assert verdicts(twin)[row] == "fail"


def test_two_points_have_no_shape():
    few = {name: value[[0, -1]] for name, value in vars(gaussian()).items() if isinstance(value, np.ndarray)}
    assert verdicts(gaussian(**few))["concave"] == "not applicable"
