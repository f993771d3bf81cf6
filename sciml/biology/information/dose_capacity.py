"""Capacity from single cells: the most that the doses given can send through the responses measured, with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.arguments import Seed, checked
from sciml.biology.information.capacity import capacity
from sciml.biology.information.dose_decoder import Ratios, extrapolated, fit_error, folds_within, likelihood_ratios, many_columns
from sciml.biology.information.doses import Dosed, checked_doses, dosed, several_doses
from sciml.biology.information.intervals import Z95, check_levels, over_groups
from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Pair
from sciml.report.blocks import KeyFigure, KeyFigures, Section, Text
from sciml.report.figures import bars
from sciml.seeding import derive, numpy_generator

__all__ = ["BitsAtLaws", "DataCapacity", "best_law", "bits_at", "capacity_from_data", "shared"]

_FOLDS = 5
_DOUBT = 0.5  # of what the best law of all cells sends more than laws of other folds, each on its own fold


@dataclass(frozen=True)
class DataCapacity:
    """The largest I(dose; response) over input laws on the doses given, in bits.

    `bits` is raw; `low` to `high` holds the truth with 95 %; `bits_equal` (`equal_low` to `equal_high`): the same at equally likely doses.
    `doses` [k]; `p_x` [k]: how often each is sent at capacity; doses that the cells do not tell apart share.
    `left_out`: bits of cells that neither the decoder nor the input law had seen. `baseline`: of shuffled cells, truth 0.
    """

    bits: float
    low: float
    high: float
    standard_error: float
    bits_equal: float
    equal_low: float
    equal_high: float
    doses: tuple[Any, ...]
    p_x: np.ndarray
    left_out: float
    baseline: float
    interval: str
    extrapolation: str
    n: int
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def distinguishable(self) -> float:
        """2^bits: as many doses as could be told apart without error."""
        return float(2.0 ** max(self.bits, 0.0))

    def sentence(self) -> str:
        """How to read the numbers."""
        sent = f"{self.bits:.3f} bit between {self.low:.3f} and {self.high:.3f} with 95 % confidence, in {self.n:,} cells"
        return f"The {len(self.doses)} doses can send {sent}; equally likely doses send {self.bits_equal:.3f} bit."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `distinguishable` and `sentence` included."""
        plain = {k: v.tolist() if isinstance(v, np.ndarray) else list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}
        return plain | {"distinguishable": self.distinguishable, "sentence": self.sentence()}

    def to_sections(self) -> list[Section]:
        """Figures, the optimal input and the notes as a section of a report."""
        figures = [
            KeyFigure("capacity", self.bits, "bit", f"{self.low:.3f} to {self.high:.3f}"),
            KeyFigure("at equal doses", self.bits_equal, "bit", f"{self.equal_low:.3f} to {self.equal_high:.3f}"),
            KeyFigure("distinguishable doses", self.distinguishable, "", "2 to the power of the capacity"),
            KeyFigure("on shuffled cells", self.baseline, "bit", "truth 0"),
        ]
        labels = [f"{dose:.4g}" if isinstance(dose, float) else str(dose) for dose in self.doses]
        law = bars("optimal input", labels, self.p_x, label="share of uses")
        words = Text("\n\n".join([f"Interval: {self.interval}. Extrapolation: {self.extrapolation}.", *self.notes]))
        return [Section("Capacity", [KeyFigures(figures), law, words], self.sentence())]


@checked
def capacity_from_data(doses: Any, responses: Any, *, groups: Any = None, seed: Seed = 0) -> DataCapacity:
    """max over p(dose) of I(dose; response), in bits, from the responses of single cells; row i of `doses` and `responses` is one cell.

    `doses` [n]: numbers or texts; `responses` [n] or [n, d]: numbers. The likelihood ratios p(response | dose) / p(response) are those of
    the decoder (`dose_decoder`), fitted and left-out as there. The input law is the best one for them, after which doses that the decoder
    cannot tell apart share their uses evenly: noise alone would choose between them, and that choice would look like capacity. Half of
    what laws of other folds send less than the best one, each on cells that it has not seen, is in the interval.
    `groups` [n] (replicate, day, donor): folds are cut between groups, and the interval leaves out whole groups.

    Raises DataError for rows that are not numbers, numbers given as texts, sides of different length, a table joined twice and fewer than
    two doses of two cells.
    """
    pair = checked_doses(doses, responses, groups)
    kept = several_doses(pair)[1]
    if pair.groups is not None:
        check_levels(pair, pair.groups)
    sent = _sent(pair, seed)
    optimal, equal = _estimates(pair, sent, seed)
    most = float(np.log2(len(kept)))
    above = max(optimal.bits, equal.bits) > most + 1e-9
    warned = (f"warning: above {most:.4f} bit, all that {len(kept)} doses can say: too high",) if above else ()
    shuffled = pair.shuffled(numpy_generator(seed, "shuffle"))
    return DataCapacity(
        bits=optimal.bits, low=optimal.low, high=optimal.high, standard_error=optimal.standard_error,
        bits_equal=equal.bits, equal_low=equal.low, equal_high=equal.high,
        doses=kept, p_x=sent.law, left_out=sent.left_out,
        baseline=_best_bits(shuffled, derive(seed, "shuffle")), interval=optimal.interval, extrapolation=optimal.extrapolation,
        n=len(pair), seed=int(seed), notes=(*pair.y.notes, *optimal.notes, *warned),
    )  # fmt: skip


@dataclass(frozen=True)
class _Sent:
    """Bits at the optimal law and at equal doses, each with its standard error; `gap`: half of the distance between fitted and left out."""

    bits: float
    error: float
    gap: float
    left_out: float
    law: np.ndarray
    equal: float
    equal_error: float


def _estimates(pair: Pair, sent: _Sent, seed: int) -> tuple[Estimate, Estimate]:
    """At the optimal law and at equal doses."""
    words = "spread of log ratios and of the fit, with doubt of the correction"
    trend = f"mean of fitted and left-out bits, which err to either side by {sent.gap:.4f} bit to first order in 1/N"
    found, cells = [], dosed(pair)
    for bits, error, point in (
        (sent.bits, sent.error, _best_bits),
        (sent.equal, sent.equal_error, _equal_bits),
    ):
        how = trend
        if many_columns(pair):
            bits, error, gained = extrapolated(pair, point, bits, error, seed)
            how = f"2 C(N) - C(N/2), which adds {gained:.4f} bit; {trend}"
        high = cells.upper(bits + Z95 * error, float(np.log2(len(cells.counts))))
        one = Estimate(bits, error, bits - Z95 * error, high, "dose_decoder", words, how, cells.notes)
        found.append(one if pair.groups is None else over_groups(pair, point, one, seed))
    return found[0], found[1]


def _sent(pair: Pair, seed: int) -> _Sent:
    """A fit of the decoder with the input laws on it, and one for each fold that judges the optimal law."""
    cells = dosed(pair)
    k = len(cells.counts)
    even = np.full(k, 1 / k)
    if not cells.responses.shape[1]:
        return _Sent(0.0, 0.0, 0.0, 0.0, even, 0.0, 0.0)
    ratios = likelihood_ratios(cells, seed)
    best = best_law(ratios)
    law = shared(best, ratios)
    most, sent, equal = (bits_at(ratios, np.broadcast_to(one, ratios.fitted.shape)) for one in (best, law, even))
    careful = bits_at(ratios, _laws_of_other_folds(cells, seed))
    error = float(np.hypot(sent.error, _DOUBT * (most.bits - careful.bits)))
    return _Sent(sent.bits, error, sent.gap, careful.left_out, law, equal.bits, equal.error)


def _best_bits(pair: Pair, seed: int) -> float:
    """At the optimal law, without an error: of parts of the data, one fit."""
    cells = dosed(pair)
    if not cells.responses.shape[1]:
        return 0.0
    ratios = likelihood_ratios(cells, seed)
    return bits_at(ratios, np.broadcast_to(shared(best_law(ratios), ratios), ratios.fitted.shape)).bits


def _equal_bits(pair: Pair, seed: int) -> float:
    """At equal doses, without an error."""
    cells = dosed(pair)
    if not cells.responses.shape[1]:
        return 0.0
    ratios = likelihood_ratios(cells, seed)
    return bits_at(ratios, np.full(ratios.fitted.shape, 1 / len(cells.counts))).bits


def _laws_of_other_folds(cells: Dosed, seed: int) -> np.ndarray:
    """[n, k]: for each cell the input law of a decoder that has seen none of its fold; groups stay whole."""
    if cells.groups is None or not np.ptp(cells.groups):  # one group alone, where another of two is left out
        folds = folds_within(cells.codes, _FOLDS, seed)
    else:
        number = int(cells.groups.max()) + 1
        folds = (numpy_generator(seed, "folds").permutation(number) % min(number, _FOLDS))[cells.groups]
    laws = np.zeros((len(folds), len(cells.counts)))
    for fold in range(int(folds.max()) + 1):
        rest, kept = cells.take(folds != fold)
        law = np.zeros(laws.shape[1])
        law[kept] = 1 / kept.sum()
        if rest.responses.shape[1]:
            ratios = likelihood_ratios(rest, seed)
            law[kept] = shared(best_law(ratios), ratios)
        laws[folds == fold] = law
    return laws


def best_law(ratios: Ratios) -> np.ndarray:
    """[k]: the law that sends most to the cells themselves, p(cell i | dose) ~ 2^fitted[i, dose]."""
    w = 2.0 ** (ratios.fitted - ratios.fitted.max(axis=0)).T
    return capacity(w / w.sum(axis=1, keepdims=True), tolerance=1e-6).p_x


def shared(law: np.ndarray, ratios: Ratios) -> np.ndarray:
    """[k] -> [k]: the uses of each dose shared with those that do the same, and the less the clearer the cells tell them apart.

    Another dose has one part, or as many as one over the squared likelihood ratio of `_told_apart`, to the one part of the dose itself.
    """
    parts = 4.0 ** -np.maximum(_told_apart(ratios), 0.0)
    return np.asarray(law @ (parts / parts.sum(axis=1, keepdims=True)))


def _told_apart(ratios: Ratios) -> np.ndarray:
    """[k, k]: log2 of the likelihood ratio by which the cells of two doses speak for two laws rather than one; about 0 where they are one.

    The mean of the fitted ratio, too high by half of the degrees of freedom in nats, and that of cells left out, too low by the same.
    """
    counts = np.bincount(ratios.codes)
    own_count = counts[ratios.codes][:, None]
    found = np.zeros((len(counts), len(counts)))
    for logs in (ratios.fitted, ratios.left_out):
        own = logs[np.arange(len(logs)), ratios.codes][:, None]
        either = np.logaddexp2(own + np.log2(own_count), logs + np.log2(counts)) - np.log2(own_count + counts)
        np.add.at(found, ratios.codes, 0.5 * (own - either))  # [n, k]: one cell against each other dose
    return found + found.T


@dataclass(frozen=True)
class BitsAtLaws:
    """Information at given input laws; `gap`: half of what fitted and left-out bits are apart; `left_out`: the lower of both.

    `spread` [k]: the variance that the cells of each dose leave.
    """

    bits: float
    error: float
    gap: float
    left_out: float
    spread: np.ndarray


def bits_at(ratios: Ratios, laws: np.ndarray) -> BitsAtLaws:
    """sum_k q_k mean over cells of dose k of log2 p(y | k) / sum_j q_j p(y | j); `laws` [n, k]: the law that each cell is judged with."""
    fitted, left = _terms(ratios, ratios.fitted, laws), _terms(ratios, ratios.left_out, laws)
    counts = np.bincount(ratios.codes)
    terms = 0.5 * (fitted + left)
    means = np.bincount(ratios.codes, terms) / counts
    spread = np.bincount(ratios.codes, (terms - means[ratios.codes]) ** 2) / (counts - 1) / counts
    top, bottom = (float((np.bincount(ratios.codes, side) / counts).sum()) for side in (fitted, left))
    shares = np.bincount(ratios.codes, laws[np.arange(len(terms)), ratios.codes]) / counts
    used = max(2, int(1 / max(float((shares**2 / counts).sum()), 1 / len(terms))))
    error = float(np.hypot(np.sqrt(spread.sum()), fit_error(0.5 * (top - bottom), used)))
    return BitsAtLaws(float(means.sum()), error, 0.5 * (top - bottom), bottom, spread)


def _terms(ratios: Ratios, logs: np.ndarray, laws: np.ndarray) -> np.ndarray:
    """[n]: q(dose_i) log2 p(y_i | dose_i) / sum_k q_k p(y_i | k); their mean within each dose, summed over doses, is I at q."""
    rows = np.arange(len(logs))
    highest = logs.max(axis=1)
    mixture = highest + np.log2((laws * 2.0 ** (logs - highest[:, None])).sum(axis=1))
    return np.asarray(laws[rows, ratios.codes] * (logs[rows, ratios.codes] - mixture))
