"""Names, objects and functions as the audit calls them."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.audit.subject import Sample, subject_of
from sciml.biology.information.known_laws import known_law
from sciml.errors import ConfigError


def number_of_rows(x, y):
    return len(x)


def test_a_name_an_object_and_a_function_estimate():
    sample = Sample(*known_law("gauss-1").sample(300, 0), "continuous")
    by_name = subject_of("ksg", None)
    auto = subject_of("auto", None)
    assert by_name.name == "ksg" and auto.name == "auto"
    by_object = subject_of(by_name.method(sample.pair()), None)
    assert by_object.bits(sample, 1) == by_name.bits(sample, 1) == pytest.approx(0.2, abs=0.25)
    assert by_name.estimate(sample, 1).low < by_name.bits(sample, 1)
    function = subject_of(number_of_rows, None)
    assert function.name == "number_of_rows" and function.bits(sample, 0) == 300 and function.estimate(sample, 0) is None


def test_kinds_are_refused_for_a_reason():
    assert "discrete" in subject_of("ksg", None).refuses(known_law("hill-20"), 300)
    assert subject_of("ksg", None).refuses(known_law("gauss-1"), 300) == ""
    assert "only laws of kind doses" in subject_of("auto", "doses").refuses(known_law("gauss-1"), 300)

    def only_columns(x, y):
        return float(np.linalg.norm(x.shape[1] * y))

    assert "IndexError" in subject_of(only_columns, None).refuses(known_law("gamma-4"), 300)
    assert subject_of(only_columns, None).refuses(known_law("gauss-1"), 300) == ""


def test_neither_is_said():
    with pytest.raises(ConfigError, match="found 'dimers', expected a Network, or an estimator: one of 'auto', 'ksg'"):
        subject_of("dimers", None)
    with pytest.raises(ConfigError, match="found 3"):
        subject_of(3, None)
