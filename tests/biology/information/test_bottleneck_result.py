from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sciml.biology import information as info
from sciml.biology.information.bottleneck_result import Bracket
from sciml.report import write_report
from tests.biology.information.bottleneck_laws import flip, mrs_gerber


def test_bracket_of_a_parabola():
    """y = x - x^2 / 4 up to x = 2: tangents 1 / beta = 1 - x / 2, F = max beta y - x."""
    x = np.array([0.5, 1.0, 1.5])
    beta = 1 / (1 - x / 2)
    y = x - x**2 / 4
    bracket = Bracket.of(beta, x, y, beta * y - x, (2.0, 1.0), 3.0)
    at = np.linspace(0, 3, 1201)
    truth = np.where(at < 2, at - at**2 / 4, 1.0)
    assert np.all(bracket.low(at) <= truth + 1e-12)
    assert np.all(bracket.high(at) >= truth - 1e-12)
    np.testing.assert_allclose(bracket.low(x), bracket.high(x), atol=1e-12)
    assert bracket.gap() == pytest.approx(0.25**2 / 2, abs=1e-12)  # tangents of neighbours cross midway, d^2 / 8 above the chord, twice
    assert (bracket.high(at) - bracket.low(at)).max() == pytest.approx(bracket.gap(), abs=1e-4)


def test_points_below_the_hull_do_not_lower_it():
    beta = np.array([2.0, 3.0])
    bracket = Bracket.of(beta, np.array([0.5, 0.75]), np.array([0.4, 0.2]), np.array([0.3, 0.75]), (1.0, 0.6), 1.0)
    assert bracket.low(np.array([0.75]))[0] == pytest.approx(0.5)


def test_a_bound_that_is_too_low_is_seen():
    """The broken twin: suprema lowered by a hundredth put the upper side below encoders that exist."""
    curve = info.bottleneck_curve(flip(0.2), betas=[3.0, 4.167, 6.0])
    broken = replace(curve, supremum=curve.supremum * 0.99)
    truth = mrs_gerber(0.7377, 0.2)[0]
    assert curve.bound(0.7377)[1] >= truth > broken.bound(0.7377)[1]


def test_to_dict_and_sections(tmp_path):
    curve = info.bottleneck_curve(flip(0.2), betas=[2, 3, 5])
    made = json.loads(json.dumps(curve.to_dict()))
    assert made["beta"] == [2, 3, 5]
    assert len(made["encoders"][2]) == 2
    sections = curve.to_sections([("mutant", 0.5, 0.1)])
    figure, table = sections[0].blocks[:2]
    assert figure.traces[0]["line"]["dash"] == "solid"
    assert figure.traces[-1]["name"] == "mutant"
    assert list(table.columns["I(T;X)"]) == list(curve.i_x)
    dashed = replace(curve, certified=False).to_sections()[0]
    assert dashed.blocks[0].traces[0]["line"]["dash"] == "dash"
    assert "not certified" in dashed.lead
    write_report(sections, tmp_path / "report.html", title="Bottleneck")
