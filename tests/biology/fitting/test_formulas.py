"""Formulas of the tables against the package petab's own reading of them."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.expressions import Expression
from sciml.biology.fitting.formulas import formula
from sciml.biology.kernels.graph import Graph
from sciml.biology.kernels.lowering import Lowering
from sciml.errors import DataError

NUMBERS = {"A": 1.7, "B": 0.4, "c1": 3.0, "Pi": 2.5, "Avogadro": 7.0}
TEXTS = [
    "log(A)", "log10(A + B)", "log2(c1)", "log(A, c1)", "ln(B)", "exp(-A) * B", "A^2^B", "-A^2", "A^-B", "2 * A / B * c1", "sqrt(A)",
    "pow(A, B)", "sign(-B) + sign(A) + sign(0)", "min(A, B) - max(A, B)", "abs(B - A)", "piecewise(A, A > 2, B, A > 1 && B < 1, c1)",
    "piecewise(1, !(A <= B) || A == B, 0)", "tan(A) + arctan(B) + sinh(B)", "1e-3 + 2.5E2*A", "A*(B+c1)-B",
]  # fmt: skip


def value(expression: Expression) -> float:
    """By the graph of nodes, each id a parameter."""
    g, ids = Graph(), list(NUMBERS)
    refuse = lambda *_: pytest.fail("no such node here")  # noqa: E731
    lowering = Lowering(g, {}, resolve=lambda id: g.leaf("param", ids.index(id)), rate_of=refuse, delayed=refuse, number=g.const)
    return float(g.evaluate([lowering.lower(expression)], params=list(NUMBERS.values()))[0])


@pytest.mark.parametrize("text", TEXTS)
def test_values_are_those_of_petab(text):
    from petab.v1.math import sympify_petab

    exact = sympify_petab(text)
    wanted = float(exact.subs({s: NUMBERS[str(s)] for s in exact.free_symbols}))
    assert value(formula(text, NUMBERS, "here")) == pytest.approx(wanted, rel=1e-13)


def test_an_id_that_looks_like_a_constant_is_the_id():
    assert value(formula("Pi * Avogadro", NUMBERS, "here")) == 17.5
    assert formula("pi", NUMBERS, "here").symbols() == {"pi"}  # no constant of the tables, and not the id Pi
    assert formula("time + A", NUMBERS, "here").symbols() == {"A"}


@pytest.mark.parametrize(
    ("text", "words"), [("A +", "end"), ("foo(A)", "no function"), ("", "empty"), ("log(A, B, c1)", "3 arguments"), ("sign()", "one")]
)
def test_errors_name_the_place(text, words):
    with pytest.raises(DataError, match=f"(?s)column 3.*{words}"):
        formula(text, NUMBERS, "column 3")


def test_results_are_finite():
    assert np.isfinite([value(formula(text, NUMBERS, "")) for text in TEXTS]).all()
