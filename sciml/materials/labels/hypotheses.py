"""Which unit or sign makes the labels of a set go together: one model is fitted to all of them at once under each hypothesis.

Labels that are right have one model that gives all of them; labels in another unit or sign have none. A hypothesis is judged by what the
fit leaves unexplained of records that it has not seen (two halves), so that a model that could agree with anything favours none. The
normal equations of each kind of label are summed once; another factor only weighs them anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from sciml.materials.labels.factors import BLAMED, QUANTITIES, Factor, fits
from sciml.materials.labels.finding import Array

RIDGES = (1e-3, 1e-5, 1e-7)  # of the mean diagonal; each hypothesis has its best one
TINY = 1e-300  # keeps the fit solvable where no atoms are near each other and all rows are zero
FLOOR = 1e-3  # share left unexplained below which nothing is gained by less
MARGIN, CLOSE = 2.0, 1.0  # in the sum of the logarithms of the shares: needed against "all is right"; not told apart
GOOD, BAD = 0.02, 0.5  # shares left: all labels below `GOOD` are right without more ado; no explanation leaves more than `BAD`
MIN_RECORDS, WILD = 8, 20.0
NOTHING, MUCH = 0.8, 0.2  # shares left where a label is not explained at all, and where it is
_FREE_STEPS = np.arange(-4.0, 4.01, 0.25)  # powers of ten of factors that are no known unit
_MOST_SECOND = 3  # factors of each quantity that are tried together
_Option = tuple[float, dict[str, float], tuple[Factor, ...]]  # score, shares left, factors


@dataclass(frozen=True)
class Equation:
    """One label of one record: design [m,K] times coefficients = goal [m]; name as in `Factor` with its form, half 0 or 1."""

    name: str
    half: int
    design: Array
    goal: Array


@dataclass(frozen=True)
class Verdict:
    """What goes with the labels: `factors` () where they are right as they are, None where a factor does that is no known unit.

    shares: what the fit of the labels as they are leaves unexplained, by quantity. rivals: factors that explain nearly as much.
    free: (quantity, factor) that is no known unit.
    """

    shares: dict[str, float]
    factors: tuple[Factor, ...] | None = ()
    rivals: tuple[Factor, ...] = ()
    free: tuple[str, float] | None = None

    @property
    def certain(self) -> bool:
        """Whether the labels as they are go together so well that nothing else need be asked."""
        return self.factors == () and all(share < 0.1 for share in self.shares.values())


class Trial:
    """Normal equations of all labels by name and half, and the judgement of hypotheses by them. `names`: quantities that take part."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._matrix: dict[str, Array] = {}
        self._vector: dict[str, Array] = {}
        self._square: dict[str, Array] = {}
        self._count: dict[str, int] = {}
        self.names: list[str] = []

    def add(self, equation: Equation) -> None:
        """Take one label in."""
        name, half, x, y = equation.name, equation.half, equation.design, equation.goal
        if name not in self._matrix:
            self._matrix[name], self._vector[name] = np.zeros((2, self._size, self._size)), np.zeros((2, self._size))
            self._square[name], self._count[name] = np.zeros(2), 0
        self._matrix[name][half] += x.T @ x
        self._vector[name][half] += x.T @ y
        self._square[name][half] += y @ y
        self._count[name] += 1

    def finish(self) -> None:
        """Bring every kind of label to a mean square of 1; kinds with too few records or nothing in them are left out."""
        for name in list(self._matrix):
            square = float(self._square[name].sum())
            if self._count[name] < MIN_RECORDS or self._square[name].min() <= 0 or not math.isfinite(square):
                del self._matrix[name]
                continue
            for table in (self._matrix, self._vector, self._square):
                table[name] = table[name] / square
        self.names = [name for name in QUANTITIES if name in self._matrix]

    def judge(self, factors: Mapping[str, Factor], names: Sequence[str] = ()) -> tuple[float, dict[str, float]]:
        """Sum of the logarithms of the shares left unexplained, and these shares, where labels are wrong by `factors` (one a quantity).

        names: the quantities that take part, all if none is named.
        """
        forms = {name: self._form(name, factors.get(name)) for name in names or self.names}
        best: tuple[float, dict[str, float]] = (math.inf, {})
        for ridge in RIDGES:
            left = dict.fromkeys(forms, 0.0)
            for half in (0, 1):
                matrix = sum(scale**2 * self._matrix[form][1 - half] for form, scale in forms.values())
                vector = sum(scale * self._vector[form][1 - half] for form, scale in forms.values())
                matrix = matrix + (ridge * np.trace(matrix) / self._size + TINY) * np.eye(self._size)
                c = np.linalg.solve(matrix, vector)
                for name, (form, scale) in forms.items():
                    square = scale**2 * (c @ self._matrix[form][half] @ c) - 2 * scale * (c @ self._vector[form][half])
                    left[name] += max(float(square + self._square[form][half]), 0.0)
            score = sum(math.log(share + FLOOR) for share in left.values())
            if score < best[0]:
                best = (score, left)
        return best

    def _form(self, name: str, factor: Factor | None) -> tuple[str, float]:
        if factor is None:
            return name, 1.0
        form = f"{name}, {factor.form}"
        return (form, math.copysign(1.0, factor.ratio)) if factor.form and form in self._matrix else (name, factor.ratio)

    def verdict(self, table: Sequence[Factor], evidence: Sequence[tuple[str, str, float, float]] = ()) -> Verdict | None:
        """The hypothesis that explains the labels and does not contradict `evidence` (as in `explain`); None with fewer than two kinds."""
        if len(self.names) < 2:
            return None
        right, shares = self.judge({})
        if max(shares.values()) < GOOD:
            return Verdict(shares)
        options: list[_Option] = [(*self.judge({factor.quantity: factor}), (factor,)) for factor in table if factor.quantity in self.names]
        options.sort(key=lambda option: option[0])
        told = [shares, *(option[1] for option in options)]
        silent = [name for name in self.names if min(each[name] for each in told) >= BAD and self.judge({}, [name])[1][name] >= BAD]
        if silent:  # what no fit explains (forces of perfect crystals, which are noise) speaks for none
            self.names = [name for name in self.names if name not in silent]
            return self.verdict(table, evidence)
        if len(self.names) > 2 and options and max(options[0][1].values()) > 0.3:
            options += self._pairs(table)
        options = [option for option in options if max(option[1].values()) < BAD and fits(option[2], evidence)]
        options.sort(key=lambda option: option[0])
        free = self._free()
        if free is not None and right - free[0] > MARGIN + 1 and (not options or options[0][0] - free[0] > MARGIN):
            return Verdict(shares, None, free=free[1:])
        if not options or right - options[0][0] < _margin(shares, options[0][1]):
            return Verdict(shares)
        near = [option for option in options if option[0] - options[0][0] < CLOSE]
        chosen = min(near, key=lambda option: (len(option[2]), round(option[0] / 0.1), _order(option[2])))
        rivals = tuple(option[2][0] for option in near if len(option[2]) == 1 and option is not chosen)
        return Verdict(shares, chosen[2], rivals)

    def _pairs(self, table: Sequence[Factor]) -> list[_Option]:
        """Two wrong quantities at once: of each the factors that go best with a third quantity alone.

        They must explain more by the margin than one does, since there are more of them to choose from.
        """
        found: list[_Option] = []
        for right in self.names:
            best = []
            for name in (each for each in self.names if each != right):
                own = [factor for factor in table if factor.quantity == name]
                scores = [self.judge({name: factor}, [right, name])[0] for factor in own]
                best.append([own[place] for place in np.argsort(scores)[:_MOST_SECOND]])
            for one, other in product(*best):
                score, shares = self.judge({one.quantity: one, other.quantity: other})
                found.append((score + MARGIN, shares, (one, other)))
        return found

    def _free(self) -> tuple[float, str, float] | None:
        """(score, quantity, factor) of the best number of all, no known unit meant; None where it is about 1."""
        found = []
        for name in self.names:
            for power in _FREE_STEPS:
                for sign in (1, -1):
                    score, shares = self.judge({name: Factor(name, float(sign * 10**power), "")})
                    if max(shares.values()) < BAD:
                        found.append((score, name, float(sign * 10**power)))
        if not found:
            return None
        best = min(found)
        return None if 0.4 < best[2] < 2.5 else best


def _margin(right: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The gain that another hypothesis needs: half of it where a label is not explained at all as it is, and all are by the other."""
    return MARGIN / 2 if max(right.values()) > NOTHING and max(other.values()) < MUCH else MARGIN


def _order(factors: tuple[Factor, ...]) -> int:
    """Place in the order of `BLAMED`, where nothing tells hypotheses apart."""
    return sum(BLAMED.index(factor.quantity) for factor in factors)


def halves(n: int) -> NDArray[np.int64]:
    """[n] 0 or 1, evenly spread and of no period (parity of the binary digits), so that no kind of structure falls on one side."""
    return np.array([place.bit_count() % 2 for place in range(n)], dtype=np.int64)


def inliers(values: Array) -> NDArray[np.bool_]:
    """Values that lie within twenty median deviations of their median, or five times the width of the inner four fifths: what lies
    further off would decide for all."""
    if not len(values):
        return np.zeros(0, dtype=bool)
    rest = np.abs(values - np.median(values))
    inner = float(np.ptp(np.quantile(values, [0.1, 0.9])))
    kept: NDArray[np.bool_] = rest <= max(WILD * float(np.median(rest)), 5 * inner) + 1e-12 * np.abs(values).max()
    return kept


def robust_shares(shares: Array, energies: Array) -> Array:
    """[elements] energy of each element by least absolute deviations (30 rounds of weights), which a few wild energies do not move."""
    weights = np.ones(len(energies))
    found: Array = np.zeros(shares.shape[1])
    for _ in range(30):
        root = np.sqrt(weights)
        found = np.asarray(np.linalg.lstsq(shares * root[:, None], energies * root, rcond=None)[0], dtype=np.float64)
        rest = np.abs(energies - shares @ found)
        weights = 1 / np.maximum(rest, max(1e-3 * float(np.median(rest)), 1e-9))
    return found
