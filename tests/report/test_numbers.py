import math

import pytest

from sciml.report.numbers import shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.08, "0.0800"),
        (3.0, "3.00"),
        (123.4, "123"),
        (123456.7, "123457"),
        (1.2e-5, "1.20e-5"),
        (3.14e12, "3.14e12"),
        (0.0, "0"),
        (-0.5, "-0.500"),
        (12, "12"),
        ("8 of 9", "8 of 9"),
        (None, "–"),
        (True, "yes"),
        (math.nan, "NaN"),
        (-math.inf, "-∞"),
    ],
)
def test_three_significant_digits(value, text):
    assert shown(value) == text


def test_what_is_shown_is_the_number_to_the_digits_asked_for():
    for exponent in range(-8, 9):
        value = 1.23456789 * 10.0**exponent
        assert float(shown(value, 4)) == pytest.approx(value, rel=5e-4)
