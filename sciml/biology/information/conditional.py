"""Information between two sides given a third."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from sciml.arguments import Seed, checked
from sciml.biology.information.estimators import Estimator, chosen
from sciml.biology.information.gaussian import wishart_bias_nats
from sciml.biology.information.intervals import Z95, disjoint_halves
from sciml.biology.information.mutual import measured
from sciml.biology.information.neighbors import conditional_nats
from sciml.biology.information.result import Estimate, MutualInformation
from sciml.biology.information.samples import Kind, Pair, Side, checked_pair, checked_side
from sciml.biology.information.scores import normal_scores
from sciml.errors import ConfigError, DataError
from sciml.seeding import numpy_generator

__all__ = ["ChainRule", "Given", "GivenGaussian", "GivenLevels", "GivenNeighbors", "conditional_information", "settled", "way"]

Given = Literal["auto", "levels", "neighbors", "chain", "gaussian"]
_APART = 1e3  # between levels of a discrete side, where normal scores reach 5
_FEWEST = 8
_ROUNDING = 1e-10  # of the spread of a column


@checked
def conditional_information(
    x: Any,
    y: Any,
    z: Any,
    *,
    estimator: Given = "auto",
    interval: Literal["auto", "none"] = "auto",
    groups: Any = None,
    x_kind: Kind = "auto",
    y_kind: Kind = "auto",
    z_kind: Kind = "auto",
    readout: str = "snapshot",
    seed: Seed = 0,
) -> MutualInformation:
    """I(X;Y|Z) = sum_z p(z) I(X;Y|Z=z), in bits, from joint samples; row i of `x`, `y`, `z` [n] or [n, d] is one cell.

    `estimator`: "levels" takes a discrete z and weighs the information within its levels (each by the rule of `mutual_information`);
    "chain" takes continuous sides: I(X;Y,Z) - I(X;Z), both by that rule; "neighbors" takes a continuous z and sides of either kind, in a
    tenth of the time, but is low where x and y agree closely or have more than two columns together with z; "gaussian" is exact where all
    three are jointly Gaussian, and blind to all else. "auto": levels for a discrete z; for a continuous one neighbors where x or y is
    discrete, else chain. The other arguments are those of `mutual_information`; `baseline` is of x exchanged among rows of the same level
    of z, or near by.

    Information given Z may be more than without (X and Y have Z as a common effect) or less (a common cause, or a link between them): it
    shows association, not cause. Raises what `mutual_information` raises, and DataError for a level of z with too few rows.
    """
    pair = replace(checked_pair(x, y, groups, x_kind=x_kind, y_kind=y_kind), z=checked_side(z, "z", z_kind))
    method = None if pair.constant else way(estimator, pair)
    return measured(None if settled(pair) else method, pair, interval, readout, seed)


def settled(pair: Pair) -> bool:
    """Whether z leaves nothing of a side, by sums of its columns and their squares: what is left is rounding, and tells nothing."""
    z = given(pair).values
    if pair.constant or not z.shape[1] or given(pair).discrete:
        return pair.constant
    sides = [side.values for side in (pair.x, pair.y) if side.values.shape[1]]
    return any((_less(values, z).std(axis=0) <= _ROUNDING * values.std(axis=0)).all() for values in sides)


def way(wanted: Given, pair: Pair) -> Estimator:
    """The estimator of that name for a pair with z. ConfigError where it cannot be used; DataError for another number of rows in z."""
    z = given(pair)
    if len(z.values) != len(pair):
        raise DataError(f"z has {len(z.values)} rows, x {len(pair)}; row i of all is the same cell, so they must be as many")
    if wanted == "auto":
        wanted = "levels" if z.discrete else "neighbors" if pair.x.discrete or pair.y.discrete else "chain"
    ways: dict[str, Estimator] = {
        "levels": GivenLevels(), "neighbors": GivenNeighbors(), "chain": ChainRule(), "gaussian": GivenGaussian(),
    }  # fmt: skip
    if why := ways[wanted].refuses(pair):
        raise ConfigError(f"estimator {wanted!r}: {why}")
    return ways[wanted]


def given(pair: Pair) -> Side:
    """The side Z of a pair that has one."""
    if pair.z is None:
        raise ConfigError("z: found none, expected the side that information is given")
    return pair.z


class GivenLevels:
    """sum_z n_z / n I(X;Y|Z=z): within each level the estimator that the rule takes there."""

    name = "levels of z"

    def refuses(self, pair: Pair) -> str:
        """It takes a discrete z."""
        return "" if given(pair).discrete else "z is continuous; z_kind='discrete' takes its numbers as levels"

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits."""
        return sum(len(part) / len(pair) * method.point(part, seed) for part, method in _levels(pair) if method)

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Ends of the levels' intervals put together: what is chance in squares, what is bias as it is (Zou and Donner, Stat. Med. 27
        (2008) 1693), and the chance of how often each level came."""
        shares, found = [], []
        for part, method in _levels(pair):
            shares.append(len(part) / len(pair))
            found.append(method.estimate(part, seed) if method else Estimate(0.0, 0.0, 0.0, 0.0, "none needed", ""))
        w, bits, error = np.array(shares), np.array([e.bits for e in found]), np.array([e.standard_error for e in found])
        mean = float(w @ bits)
        drift = float(w @ (bits - mean) ** 2) / len(pair)
        chance = math.sqrt(float((w**2) @ error**2) + drift)
        down, up = (w @ np.maximum(np.array(d) - Z95 * error, 0.0) for d in zip(*((e.bits - e.low, e.high - e.bits) for e in found),
                    strict=True))  # fmt: skip
        names = ", ".join(dict.fromkeys(e.estimator for e in found))
        notes = tuple(
            dict.fromkeys(f"within a level of z: {n}" for e in found for n in e.notes if n.startswith(("undersampled", "warning")))
        )
        return Estimate(
            mean, chance, mean - Z95 * chance - float(down), mean + Z95 * chance + float(up), f"{self.name} ({names})",
            "put together from the intervals within levels of z", "within levels of z", (f"{len(found)} levels of z", *notes),
        )  # fmt: skip


class GivenNeighbors:
    """psi(k) - <psi(n_xz + 1) + psi(n_yz + 1) - psi(n_z + 1)>, k = 4, on normal scores.

    Source: Frenzel and Pompe, Phys. Rev. Lett. 99 (2007) 204101. What x and y have of z in parabolas is taken off before, which changes
    nothing of what they share given z; levels of a discrete side lie far apart.
    """

    name = "neighbors given z"

    def refuses(self, pair: Pair) -> str:
        """It takes a continuous z, and enough rows."""
        if given(pair).discrete:
            return "z is discrete; z_kind='continuous' says that its numbers are not levels"
        return "" if len(pair) >= 20 else f"found {len(pair)} rows, expected at least 20"

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits."""
        generator = numpy_generator(seed, "ties")
        z = normal_scores(given(pair).values, generator)
        x, y = (_apart(s) if s.discrete else normal_scores(_less(s.values, z), generator) for s in (pair.x, pair.y))
        return conditional_nats(x, y, z) / math.log(2)

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits, with the spread between disjoint halves and what the estimate still moves with N."""
        return _halved(self, pair, seed, f"{self.name} (k = 4, normal scores)")


class ChainRule:
    """I(X;Y,Z) - I(X;Z), both by the estimator that the rule takes: where nearest neighbours have too many columns."""

    name = "chain rule"
    shuffles = 1

    def refuses(self, pair: Pair) -> str:
        """It takes a continuous z, and y of numbers."""
        if given(pair).discrete or not pair.y.values.shape[1]:
            return "y or z is discrete; expected numbers in both, and 'levels' for a discrete z"
        both, alone = self._sides(pair)
        return chosen(both)[0].refuses(both) or chosen(alone)[0].refuses(alone)

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits."""
        both, alone = self._sides(pair)
        return chosen(both)[0].point(both, seed) - chosen(alone)[0].point(alone, seed)

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits, with the spread between 5 divisions into disjoint halves: 20 fits."""
        both, alone = self._sides(pair)
        name = f"{self.name}: I(X;Y,Z) by {chosen(both)[0].name} less I(X;Z) by {chosen(alone)[0].name}"
        return _halved(self, pair, seed, name, splits=5)

    @staticmethod
    def _sides(pair: Pair) -> tuple[Pair, Pair]:
        z = given(pair)
        x = pair.x if pair.x.discrete else replace(pair.x, values=_less(pair.x.values, z.values))
        both = Side("y and z", np.hstack([_less(pair.y.values, z.values), z.values]), None, (), False, min(pair.y.tied, z.tied))
        return Pair(x, both), Pair(x, z)


class GivenGaussian:
    """1/2 log |S_x|z| |S_y|z| / |S_xy|z| of the residuals on z, less its exact bias: right where x, y, z are jointly Gaussian."""

    name = "gaussian given z"

    def refuses(self, pair: Pair) -> str:
        """It takes numbers."""
        sides = (pair.x, pair.y, given(pair))
        if not all(side.values.shape[1] for side in sides):
            return "a side has no numbers"
        columns = sum(side.values.shape[1] for side in sides)
        return "" if len(pair) >= 2 * columns + 8 else f"found {len(pair)} rows, expected at least {2 * columns + 8}"

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits."""
        x, y = (_less(side.values, given(pair).values, parabolas=False) for side in (pair.x, pair.y))
        dx, both = x.shape[1], np.cov(np.hstack([x, y]), rowvar=False)
        first, second, joint = (np.linalg.slogdet(part)[1] for part in (both[:dx, :dx], both[dx:, dx:], both))
        bias = wishart_bias_nats(len(x) - given(pair).values.shape[1], dx, y.shape[1])
        return float(0.5 * (first + second - joint) - bias) / math.log(2)

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits, with the spread between disjoint halves."""
        found = _halved(self, pair, seed, self.name)
        return replace(found, notes=("only what a joint Gaussian law has of information: a lower figure for most others, not a bound",))


def _halved(method: Estimator, pair: Pair, seed: int, name: str, splits: int = 10) -> Estimate:
    """Student's t for so few divisions; what the estimate moved from N / 2 to N is added on the side to which it moves."""
    from scipy.stats import t

    bits, halves = method.point(pair, seed), disjoint_halves(pair, method.point, seed, splits)
    moved = bits - halves.mean
    error = math.hypot(halves.standard_error, 0.5 * moved)
    reach = float(t.ppf(0.975, splits - 1)) * error
    words = f"none; {moved:+.4f} bit from N/2 to N, which is in the interval"
    low, high = bits - reach + min(moved, 0.0), bits + reach + max(moved, 0.0)
    return Estimate(bits, error, low, high, name, f"{splits} divisions into disjoint halves, Student's t", words)


def _levels(pair: Pair) -> list[tuple[Pair, Estimator | None]]:
    """The rows of each level of z and the estimator that the rule takes there, None where a side is constant."""
    z = given(pair)
    found: list[tuple[Pair, Estimator | None]] = []
    for code in np.unique(z.codes) if z.codes is not None else ():
        rows = np.flatnonzero(z.codes == code)
        part = replace(pair.take(rows), z=None)
        constant = any(len(np.unique(s.codes)) < 2 if s.codes is not None else not np.ptp(s.values, axis=0).any() for s in (part.x, part.y))
        method = None if constant else chosen(part)[0]
        if method and not (part.x.discrete and part.y.discrete):
            why = method.refuses(part) or ("" if len(rows) >= _FEWEST else f"found {len(rows)} rows, expected at least {_FEWEST}")
            if why:
                raise DataError(f"z: within level {z.levels[code]!r}: {why}; join levels, or leave these rows out")
        found.append((part, method))
    return found


def _apart(side: Side) -> np.ndarray:
    codes = side.codes if side.codes is not None else np.zeros(len(side.values))
    return _APART * np.asarray(codes, dtype=float)[:, None]


def _less(values: np.ndarray, z: np.ndarray, parabolas: bool = True) -> np.ndarray:
    """Residuals of each column on z, and on its squares."""
    terms = np.hstack([np.ones((len(z), 1)), z, *([z**2] if parabolas else [])])
    found: np.ndarray = values - terms @ np.linalg.lstsq(terms, values, rcond=None)[0]
    return found
