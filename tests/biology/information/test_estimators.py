"""The table of estimators and its rule."""

from __future__ import annotations

import pytest

from sciml.biology.information.estimators import ESTIMATORS, estimator, estimator_rule
from sciml.errors import ConfigError


def test_every_estimator_is_there_and_keeps_its_name():
    for name in ESTIMATORS:
        made = estimator(name)
        assert made.name == name and all(callable(getattr(made, call)) for call in ("refuses", "point", "estimate"))


def test_rows_name_estimators_and_say_why():
    for row in estimator_rule():
        assert row.estimator in ESTIMATORS and row.when and row.why


def test_an_unknown_name():
    with pytest.raises(ConfigError, match="found 'kgs'"):
        estimator("kgs")
