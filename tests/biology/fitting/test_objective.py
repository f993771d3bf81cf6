"""Gradients and information of the objective, for every way in which a run can depend on a parameter; nothing compiled twice."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from sciml.biology import Event, Network, Parameter, Reaction
from sciml.biology.fitting.measured_network import measured_network
from sciml.biology.fitting.parameters import FitParameter, Prior
from sciml.biology.fitting.problem import Problem
from sciml.biology.fitting.statement import Measurement, Observable
from sciml.biology.fitting.tables import load_petab
from sciml.biology.formula import parse
from sciml.errors import DataError
from sciml.resources import cache_folder
from tests.biology.fitting.problems import PETAB, TIMES, chain, chain_data, chain_problem, slopes_by_differences, write_petab


def checked(problem, rel=1e-4):
    objective = problem.objective
    x = objective.point(problem.values()) + 0.03
    point = objective.at(x)
    wanted = slopes_by_differences(lambda at: np.array(objective.at(at).value), x, 1e-4)
    np.testing.assert_allclose(point.gradient, wanted, rtol=rel, atol=rel * np.abs(wanted).max())
    assert np.linalg.eigvalsh(point.information).min() > -1e-9 * np.abs(point.information).max()
    return objective


@pytest.mark.parametrize(
    "case", ["0001", "0005", "0009", "0010", "0013", "0015", "0017", "0018", "09-petab-row-overrides", "10-petab-preequilibration"]
)
def test_gradients_are_differences(case):
    problem = load_petab(PETAB / case / ("problem.yaml" if "-" in case else f"_{case}.yaml"))
    assert checked(problem).sensitive is not None


def test_gradients_with_priors_scales_and_laplace_noise(tmp_path):
    problem = load_petab(write_petab(tmp_path))
    priors = (Prior("logNormal", 0.2, 1.0), Prior("parameterScaleNormal", 0.0, 2.0), Prior("laplace", 1.0, 2.0), None)
    parameters = tuple(replace(p, prior=prior) for p, prior in zip(problem.parameters, priors, strict=True))
    checked(replace(problem, parameters=parameters, observables=tuple(replace(o, distribution="laplace") for o in problem.observables)))


def test_gradients_through_a_pulse_in_time_and_by_differences_through_events():
    pulse = chain().with_(reactions=[Reaction.parse("r", "A -> B", law="k * A * piecewise(1, time < 2.5, 0.1)")])
    assert checked(measured_network(pulse, chain_data(), {"k": (0.01, 9), "d": (0.01, 9)}, "normal")).sensitive is not None
    event = chain().with_(parameters=[Parameter("dose", 3.0)], events=[Event("e", parse("B > 3"), (("A", parse("A + dose")),))])
    problem = measured_network(event, chain_data(), {"k": (0.01, 9), "dose": (0.01, 9)}, "normal")
    assert checked(problem, 1e-2).sensitive is None


def test_information_of_a_linear_model_is_exact():
    sd = np.array([0.3, 0.5])
    rows = tuple(Measurement("o", "c", 0.0, 1.0, observable_parameters=(a, b), noise_parameters=(s,)) for (a, b), s in zip(
        [(1.0, 2.0), (-1.0, 0.5)], sd, strict=True))  # fmt: skip
    observable = Observable("o", parse("u * observableParameter1_o + w * observableParameter2_o"), parse("noiseParameter1_o"))
    parameters = (FitParameter("u", -9, 9, nominal=1.0), FitParameter("w", -9, 9, nominal=2.0))
    problem = Problem(chain(), parameters, {"c": {}}, (observable,), rows)
    design = np.array([[1.0, 2.0], [-1.0, 0.5]]) / sd[:, None]
    np.testing.assert_allclose(problem.objective.at(np.array([1.0, 2.0])).information, design.T @ design, rtol=1e-12)


def test_values_are_arguments_of_what_was_compiled_once(tmp_path, monkeypatch):
    objective = chain_problem().objective
    objective.at(objective.point(objective.problem.values()))
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path / "cache"))  # other tests of this run write into the common one
    before = sorted(cache_folder().rglob("*"))
    began = time.process_time()
    for factor in np.linspace(0.5, 2.0, 200):
        objective.at(objective.point(objective.problem.values({"k": factor})))
    assert (time.process_time() - began) / 200 < 0.02
    assert sorted(cache_folder().rglob("*")) == before


def test_the_first_value_that_is_not_finite_is_traced():
    net = chain().with_(reactions=[Reaction.parse("s", "B -> 0", law="d * ln(B - 1)")])
    problem = measured_network(net, chain_data(), {"k": (0.01, 9), "d": (0.01, 9)}, "normal")
    with pytest.raises(DataError, match="time 0 .*B.*'s'"):
        problem.log_likelihood()


def test_the_same_values_give_the_same_bits():
    first, second = chain_problem().objective, chain_problem().objective
    x = first.point(first.problem.values())
    for _ in range(2):
        assert first.at(x).value == second.at(x).value
        np.testing.assert_array_equal(first.at(x).gradient, second.at(x).gradient)
        first.at(x + 0.1)
    assert len(TIMES) * 2 == len(first.residuals(first.problem.values()))


def test_large_models_have_gradients_by_differences():
    size = 60
    reactions = [Reaction.parse(f"r{i}", f"S{i} -> S{i + 1}", rate=f"k{i}") for i in range(size - 1)]
    net = Network(
        "long", species={f"S{i}": 10.0 * (i == 0) for i in range(size)}, parameters={f"k{i}": 1.0 for i in range(size)}, reactions=reactions
    )
    fitted = {f"k{i}": (0.1, 10.0) for i in range(20)}
    objective = measured_network(net, {"S3": (TIMES, TIMES, 0.1)}, fitted, "normal").objective
    assert objective.sensitive is None
    gradient = objective.at(np.zeros(20)).gradient
    assert gradient[:4].all() and abs(gradient[4:]).max() < 1e-4 * abs(gradient).max()  # what comes later does not count
