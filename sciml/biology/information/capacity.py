"""Capacity of a channel with finitely many inputs and outputs: the most that any input law can send, with a certificate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from sciml.arguments import Bound, checked, shown
from sciml.biology.information.optimal_input import best_input
from sciml.biology.probabilities import checked_law
from sciml.errors import ConfigError, ConvergenceError, DataError
from sciml.report.blocks import Block, KeyFigure, KeyFigures, Section, Text
from sciml.report.figures import bars

__all__ = ["Capacity", "capacity", "channel_matrix"]

_Tolerance = Annotated[float, Bound("bits, from 1e-12 to below 1", lambda x: 1e-12 <= x < 1)]
_BIT = math.log(2)
_NOTHING = 1e-200  # smaller probabilities change no information, and underflow
_DRAWN = 200


@dataclass(frozen=True)
class Capacity:
    """max over p(x) of I(X;Y), in bits: `lower` <= capacity <= `upper` also in floating point.

    `bits`: the information that the input law `p_x` [n_inputs] sends, `lower` less what rounding can do to it; `p_y` [n_outputs] the law of
    outputs that goes with it. `upper` is the largest divergence of a row from a law of outputs, which no input law can exceed. `doses`:
    2^bits, the number of inputs that could be told apart without error. Under a cost: `cost` is that of p_x, `budget` what was allowed and
    `price` the bits that one more unit of budget would give; without, they are None. `steps`: of Newton's method.
    """

    bits: float
    lower: float
    upper: float
    p_x: np.ndarray
    p_y: np.ndarray
    cost: float | None
    budget: float | None
    price: float | None
    steps: int

    @property
    def doses(self) -> float:
        """2^bits."""
        return float(2.0**self.bits)

    def sentence(self) -> str:
        """How to read the numbers."""
        others = "no input law" if self.budget is None else "no input law within the budget"
        return (
            f"The optimal input sends {self.bits:.4f} bit, no less than {self.lower:.9f} bit, and {others} more than {self.upper:.9f} bit."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `doses` and `sentence` included."""
        plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()}
        return plain | {"doses": self.doses, "sentence": self.sentence()}

    def to_sections(self, labels: Sequence[str] | None = None) -> Sequence[Section]:
        """Bits, bracket and the optimal input as a section of a report; `labels` [n_inputs] name the inputs, else they are numbered."""
        names = [str(label) for label in labels] if labels is not None else [str(i) for i in range(len(self.p_x))]
        figures = [
            KeyFigure("capacity", self.bits, "bit", f"certified: at most {self.upper - self.lower:.1g} bit apart"),
            KeyFigure("inputs told apart", self.doses, "", "2 to the power of the capacity"),
            KeyFigure("inputs used", f"{int(np.count_nonzero(self.p_x))} of {len(self.p_x)}"),
        ]
        if self.budget is not None:
            figures.append(KeyFigure("cost", self.cost, "", f"budget {self.budget:g}; one more unit: {self.price:.3g} bit"))
        shares: Block = Text(f"{len(names)} inputs: too many to draw.")
        if len(names) <= _DRAWN:
            shares = bars("optimal input", names, self.p_x, label="share of uses", caption="How often each input is sent at capacity.")
        return [Section("Capacity", [KeyFigures(figures), shares], self.sentence())]


@checked
def capacity(p_y_given_x: Any, *, cost: Any = None, budget: float | None = None, tolerance: _Tolerance = 1e-9) -> Capacity:
    """C = max over p(x) of sum_x p(x) D(p(y|x) || p(y)), in bits, with a certificate upper - lower <= `tolerance`.

    `p_y_given_x` [n_inputs, n_outputs]: row x is the law of outputs of input x; rows that sum to 1 within 1e-6 are scaled to do so, and
    probabilities below 1e-200 count as 0. `cost` [n_inputs] and `budget`: only input laws with sum_x p(x) cost(x) <= budget. Input laws are
    found by an interior point (`optimal_input`), in about ten steps of n_inputs x n_outputs x min(n_inputs, n_outputs) operations.

    Raises DataError for what is no channel (with the row), ConfigError for a cost without a budget or a budget below the cheapest input,
    and ConvergenceError, with the bracket that was reached, where rounding keeps it wider than `tolerance`.
    """
    w = channel_matrix(p_y_given_x)
    prices = _checked_cost(cost, budget, len(w))
    allowed, used = np.arange(len(w)), w.any(axis=0)
    scaled, share, unit = None, 1.0, 0.0
    if prices is not None and budget is not None and budget < prices.max():
        if budget == prices.min():
            allowed = np.flatnonzero(prices == budget)
        else:
            unit = float(np.ptp(prices))
            scaled, share = (prices - prices.min()) / unit, float(budget - prices.min()) / unit
    found = best_input(w[allowed][:, used], float(tolerance) * _BIT, scaled, share)
    most = math.log(min(len(allowed), int(used.sum())))
    lower, upper = max(found.lower, 0.0), max(min(found.upper, most), 0.0)
    if upper - lower > tolerance * _BIT:
        bracket = f"between {lower / _BIT:.12g} and {upper / _BIT:.12g} bit"
        raise ConvergenceError(f"capacity: found {bracket} after {found.steps} steps, expected tolerance={tolerance:g}")
    p_x = np.zeros(len(w))
    p_x[allowed] = found.p
    return Capacity(
        bits=min(max(found.value, lower), upper) / _BIT,
        lower=lower / _BIT,
        upper=upper / _BIT,
        p_x=p_x,
        p_y=p_x @ w,
        cost=None if prices is None else float(prices @ p_x),
        budget=budget,
        price=None if prices is None else found.price / (unit * _BIT) if unit else 0.0,
        steps=found.steps,
    )


def channel_matrix(p_y_given_x: Any) -> np.ndarray:
    """p(y|x) [n_inputs, n_outputs] as float64, its rows scaled to sum to 1.

    Raises DataError for another shape, entries that are no numbers, negative or not finite, and rows that do not sum to 1 within 1e-6;
    it names the row, counted from 0.
    """
    w = checked_law(p_y_given_x, "p_y_given_x", ("n_inputs", "n_outputs"))
    if w[w > 0].min() < _NOTHING:
        w[w < _NOTHING] = 0.0
    return w


def _checked_cost(cost: Any, budget: float | None, n: int) -> np.ndarray | None:
    if (cost is None) != (budget is None):
        raise ConfigError(f"capacity: found cost without budget or the other way round (budget={budget}), expected both or none")
    if cost is None:
        return None
    try:
        prices = np.array(cost, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"cost: found {shown(cost)}, expected one number an input") from None
    if prices.shape != (n,):
        raise DataError(f"cost: found an array of shape {prices.shape}, expected ({n},): one number an input")
    if not np.isfinite(prices).all():
        row = int(np.argmin(np.isfinite(prices)))
        raise DataError(f"cost: entry {row}: found {prices[row]}, expected a finite number")
    if not budget >= prices.min():
        raise ConfigError(
            f"budget: found {budget}, expected at least {prices.min():g}, the cost of the cheapest input {int(prices.argmin())}"
        )
    return prices
