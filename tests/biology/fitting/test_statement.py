"""Plain data of a problem: contradictions are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sciml.errors import DataError
from tests.biology.fitting.problems import chain_problem


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: replace(p, parameters=p.parameters + p.parameters[:1]), "'k' is there twice"),
        (lambda p: replace(p, observables=p.observables + p.observables[:1]), "'A' is there twice"),
        (lambda p: replace(p, measurements=()), "no measurement"),
        (lambda p: replace(p, measurements=(replace(p.measurements[0], observable="C"),)), "no observable"),
        (lambda p: replace(p, measurements=(replace(p.measurements[0], before="C"),)), "no condition"),
        (lambda p: replace(p, observables=tuple(replace(o, transformation="log") for o in p.observables),
                           measurements=(replace(p.measurements[0], value=-1.0),)), "logarithmic"),
        (lambda p: replace(p.observables[0], transformation="sqrt"), "lin, log or log10"),
        (lambda p: replace(p.observables[0], distribution="cauchy"), "normal or laplace"),
    ],
)  # fmt: skip
def test_contradictions_are_refused(make, words):
    with pytest.raises(DataError, match=words):
        make(chain_problem())
