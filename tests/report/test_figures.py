import re

import numpy as np
import pytest

from sciml.errors import DataError
from sciml.report import bars, curve, error_against_uncertainty, histogram, parity
from sciml.report.figures import points_and_lines


def test_parity_holds_every_pair_once_by_group_and_the_errors():
    truth, guess = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.1, 2.0, 2.7, 4.0])
    figure = parity("Energy", "eV", truth, guess, ["a", "b", "a", "b"])
    line, first, second = figure.traces
    assert (first["name"], first["x"], first["y"]) == ("a", [1.0, 3.0], [1.1, 2.7]) and second["x"] == [2.0, 4.0]
    assert line["x"] == line["y"] and min(line["x"]) < 1.0 and max(line["x"]) > 4.0
    assert "MAE 0.100, RMSE 0.158 eV over 4 values" in figure.caption and figure.whole is None
    assert figure.layout["yaxis"]["scaleanchor"] == "x" and figure.layout["xaxis"]["title"]["text"] == "reference (eV)"


def test_parity_of_many_points_is_thinned_but_its_figures_are_of_all():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(10_000, 3))
    guess = truth + 0.1
    figure = parity("Forces", "eV/A", truth, guess)
    assert len(figure.traces[1]["x"]) == 20_000 and len(figure.whole["reference"]) == 30_000
    assert figure.whole["predicted"] == guess.ravel().tolist() and "over 30,000 values" in figure.caption
    assert "20,000 of 30,000 points drawn" in figure.notes[0]


def test_parity_refuses_unequal_lengths():
    with pytest.raises(DataError, match="figure 'E', predicted: 3 values where 2 would be right"):
        parity("E", "eV", [1, 2], [1, 2, 3])
    with pytest.raises(DataError, match="2 points, but 1 groups"):
        parity("E", "eV", [1, 2], [1, 2], ["a"])


def test_curve_with_band_and_logarithmic_axis():
    figure = curve(
        "c", [1, 2], {"a": [1, 0], "b": [2, 3]}, x_label="step", y_label="loss", y_unit="eV", log_y=True, bands={"b": ([1, 2], [3, 4])}
    )
    assert [trace["name"] for trace in figure.traces] == ["a", "band of b", "b"]
    assert figure.traces[1]["x"] == [1, 2, 2, 1] and figure.traces[1]["y"] == [3, 4, 2, 1]
    assert figure.layout["yaxis"]["type"] == "log" and figure.notes == ("1 value zero or negative, not drawn on a logarithmic axis.",)
    assert figure.caption == "Loss in eV."
    with pytest.raises(DataError, match="figure 'c', b: 1 values where 2 would be right"):
        curve("c", [1, 2], {"b": [1]}, x_label="x", y_label="y")


def test_points_of_a_group_lie_beside_its_line_in_order_and_in_its_colour():
    figure = points_and_lines("p", [3, 1, 2, 1], [30, 10, 7, 5], [31, 11, 8, 6], ["a", "a", "b", "b"], x_label="time", y_label="B")
    line, points, other, _ = figure.traces
    assert (line["x"], line["y"], points["x"], points["y"]) == ([1, 3], [11, 31], [3, 1], [30, 10])
    assert line["meta"] == points["meta"] and other["x"] == [1, 2] and other["meta"] != line["meta"]
    with pytest.raises(DataError, match="2 points, but 1 groups"):
        points_and_lines("p", [1, 2], [1, 2], [1, 2], ["a"], x_label="x", y_label="y")
    with pytest.raises(DataError, match="figure 'p', lines: 1 values where 2 would be right"):
        points_and_lines("p", [1, 2], [1, 2], [1], ["a", "a"], x_label="x", y_label="y")


def test_histogram_counts_every_finite_value():
    values = np.append(np.random.default_rng(1).normal(size=500), [np.nan, np.inf])
    figure = histogram("h", values, label="error", unit="eV")
    (trace,) = figure.traces
    assert sum(trace["y"]) == 500 and figure.notes == ("2 values not finite, left out.",)
    counts, edges = np.histogram(values[:500], len(trace["x"]))
    assert trace["y"] == counts.tolist() and trace["width"] == pytest.approx(edges[1] - edges[0])
    two = histogram("h", {"a": [0.0, 1.0], "b": [2.0]}, label="x", bins=4)
    assert two.traces[0]["x"] == two.traces[1]["x"] and [sum(t["y"]) for t in two.traces] == [2, 1]
    assert sum(histogram("h", [], label="x").traces[0]["y"]) == 0


def test_bars():
    figure = bars("b", ["a", "b"], [1.0, 2.0], label="error", unit="eV", errors=[0.1, 0.2])
    assert figure.traces[0]["error_y"]["array"] == [0.1, 0.2] and figure.layout["showlegend"] is False
    with pytest.raises(DataError, match="3 values where 2"):
        bars("b", ["a", "b"], [1, 2, 3], label="x")


def test_honest_uncertainties_look_honest_and_narrow_ones_do_not():
    generator = np.random.default_rng(2)
    spread = generator.lognormal(0, 0.7, 10_000)
    error = spread * generator.normal(size=10_000)
    honest, narrow = error_against_uncertainty("u", "eV", error, spread), error_against_uncertainty("u", "eV", error, spread / 3)
    share = [[int(number) for number in re.findall(r"(\d+)%", figure.caption)[:2]] for figure in (honest, narrow)]
    np.testing.assert_allclose(share[0], [68.3, 95.4], atol=1.9)  # 4 standard errors of 10,000 draws
    np.testing.assert_allclose(share[1], [26.1, 49.5], atol=2.0)  # within 1/3 and 2/3 of a standard deviation
    middles, rms = honest.traces[3]["x"], honest.traces[3]["y"]
    np.testing.assert_allclose(rms, middles, rtol=0.08)


def test_uncertainties_that_cannot_be_drawn_are_counted():
    figure = error_against_uncertainty("u", "eV", [0.0, 1.0, np.nan, 1.0], [1.0, 0.0, 1.0, 2.0])
    assert figure.traces[0]["x"] == [2.0] and figure.notes == ("3 pairs zero, negative or not finite, not drawn.",)


def test_units_with_markup_stay_text_in_templates():
    figure = histogram("h", [1.0], label="<b>x</b>", unit="%{y}")
    assert "<b>" not in figure.traces[0]["hovertemplate"] and "%{y}</" not in figure.traces[0]["hovertemplate"]
