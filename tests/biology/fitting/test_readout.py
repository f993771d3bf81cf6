"""Predictions and noise of rows: placeholders of their own, observables in noise formulas, derivatives, errors that explain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sciml.biology.fitting.parameters import FitParameter
from sciml.biology.fitting.problem import Problem
from sciml.biology.fitting.statement import Measurement, Observable
from sciml.biology.fitting.tables import load_petab
from sciml.biology.formula import parse
from sciml.errors import DataError
from tests.biology.fitting.problems import PETAB, chain, chain_exact, slopes_by_differences


def problem(formula="A", sigma="1", rows=((1.0, 2.0),), parameters=("k",), conditions=None, more=(), **kinds):
    table = tuple(FitParameter(id, 0.1, 10, nominal=0.5) for id in parameters)
    measured = tuple(m if isinstance(m, Measurement) else Measurement("o", "c", *m) for m in rows)
    observables = (Observable("o", parse(formula), parse(sigma), **kinds), *more)
    return Problem(chain(), table, conditions or {"c": {}}, observables, measured)


def test_observables_in_formulas_of_others_and_in_noise():
    more = (Observable("twice", parse("2 * o + time"), parse("0.1 * twice + o")),)
    p = problem("A + 1", "0.5 * o", ((1.0, 2.0), Measurement("twice", "c", 1.0, 2.0)), more=more)
    a = chain_exact(np.array(1.0))[0] + 1
    reading, _ = p.objective._read(p.values())
    np.testing.assert_allclose(reading.predicted, [a, 2 * a + 1], rtol=1e-7)
    np.testing.assert_allclose(reading.sigma, [0.5 * a, 0.1 * (2 * a + 1) + a], rtol=1e-7)


@pytest.mark.parametrize("case", ["09-petab-row-overrides/problem.yaml", "0004/_0004.yaml", "0005/_0005.yaml", "0015/_0015.yaml"])
def test_slopes_are_differences(case):
    p = load_petab(PETAB / case)
    values = p.values() + 0.05
    _, _, slopes = p.objective._read_with_slopes(values)
    for number, field in enumerate(("predicted", "sigma")):
        wanted = slopes_by_differences(lambda v, f=field: getattr(p.objective._read(v)[0], f), values, 1e-4)
        np.testing.assert_allclose(slopes[number], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: problem("A * gain"), "'gain', which nothing defines"),
        (
            lambda: problem("A", "a + o", more=(Observable("a", parse("b"), parse("1")), Observable("b", parse("a"), parse("1")))),
            "by itself",
        ),
        (lambda: problem("A * observableParameter1_o"), "found 0 observableParameters, its formulas have 1"),
        (
            lambda: problem("A", "1", (Measurement("o", "c", 1, 1, noise_parameters=(2.0,)),)),
            "found 1 noiseParameters, its formulas have 0",
        ),
        (
            lambda: problem("A * observableParameter1_o", "1", (Measurement("o", "c", 1, 1, observable_parameters=("q",)),)),
            "'q' is no parameter",
        ),
        (lambda: problem(parameters=("k", "extra")), "'extra' is estimated and nothing uses it"),
        (lambda: problem(conditions={"c": {"kk": 1.0}}), "nothing uses 'kk'; did you mean 'k'"),
        (lambda: problem("rateOf(A)"), "looks into the past|not supported"),
    ],
)
def test_what_cannot_be_computed_is_refused(make, words):
    with pytest.raises(DataError, match=words):
        make().log_likelihood()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: problem("A", "A - 9"),
            r"measurement 0 \('o', condition 'c', time 1\): its sigma A - 9 is -2.93.*expected a number > 0 \(A = 6.06",
        ),
        (lambda: problem("B - 5", transformation="log"), "its prediction B - 5 is -1.*expected a number > 0"),
        (lambda: problem("ln(-A)"), "its prediction ln.*is nan, expected a finite number"),
        (lambda: problem("A * gain", conditions={"c": {}, "d": {"gain": 2.0}}), "is nan"),
    ],
)
def test_numbers_that_are_none_are_explained(make, words):
    with pytest.raises(DataError, match=words):
        make().log_likelihood()


def test_the_earliest_bad_measurement_is_named():
    p = problem("A", "A - 5", ((8.0, 1.0), (0.5, 1.0), (2.0, 1.0)))
    with pytest.raises(DataError, match="measurement 2 .*time 2"):
        p.log_likelihood()


def test_conditions_give_output_parameters():
    p = problem("A + gain", rows=((0.0, 2.0), Measurement("o", "d", 0.0, 2.0)), conditions={"c": {"gain": 1.0}, "d": {"gain": "k"}})
    np.testing.assert_allclose(p.objective.predictions(p.values({"k": 0.25})), [11.0, 10.25])
    assert replace(p, name="x") == p
