"""Which dose to measure next: what a dose between two that were measured could add to the capacity, and where more cells help most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.arguments import Seed, checked, shown
from sciml.biology.information.capacity import capacity
from sciml.biology.information.dose_capacity import best_law, bits_at, shared
from sciml.biology.information.dose_decoder import likelihood_ratios, many_columns
from sciml.biology.information.doses import Dosed, checked_doses, dosed, several_doses
from sciml.biology.information.intervals import disjoint_halves
from sciml.biology.information.response_features import stretched
from sciml.biology.information.samples import Pair
from sciml.errors import ConfigError, DataError
from sciml.report.blocks import KeyFigure, KeyFigures, Section, Text
from sciml.report.figures import bars
from sciml.seeding import numpy_generator

__all__ = ["NextDose", "next_dose"]

_MOST_MATCHED, _SPLITS = 300, 8
_EXACT = 1e-6  # bit, to which capacities are computed: a gain below it is none
_CAVEAT = (
    "The law at a dose that was not measured is a guess: responses are moved steadily from those at the dose below to those above. "
    "Where cells switch instead, each showing one of the two responses, the dose between adds nothing; so the gains are what a graded "
    "response would add, not what will be found."
)


@dataclass(frozen=True)
class NextDose:
    """The candidate `best` of the largest gain in capacity, `gain` bits, were the response graded between the doses beside it.

    `low` to `high` holds that gain with 95 %; `dose` is `best`, or None where `low` is not above 1e-6: no dose is worth it. `candidates`
    [m] and `gains` [m] in bits; `capacity`: bits of the doses measured, by the fitted decoder; `more_cells`: the measured dose whose cells
    leave most of the variance of the capacity, `variance_share` of it: where more cells shrink the interval most.
    """

    best: float
    gain: float
    low: float
    high: float
    candidates: np.ndarray
    gains: np.ndarray
    capacity: float
    more_cells: float
    variance_share: float
    notes: tuple[str, ...]

    @property
    def dose(self) -> float | None:
        """The dose to measure next."""
        return self.best if self.low > _EXACT else None

    def sentence(self) -> str:
        """How to read the numbers."""
        gain = f"could add {self.gain:.3f} bit, between {self.low:.3f} and {self.high:.3f} with 95 % confidence"
        if self.dose is None:
            return f"No dose between those measured is worth it: the best of {len(self.gains)}, {self.best:.4g}, {gain}."
        return f"Were the response graded, {self.dose:.4g} {gain}."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `dose` and `sentence` included."""
        plain = {k: v.tolist() if isinstance(v, np.ndarray) else list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}
        return plain | {"dose": self.dose, "sentence": self.sentence()}

    def to_sections(self) -> list[Section]:
        """The proposal, the gains of all candidates and the caveat as a section of a report."""
        figures = [
            KeyFigure("measure next", "none" if self.dose is None else self.dose, "", f"gain {self.low:.3f} to {self.high:.3f} bit"),
            KeyFigure("more cells at", self.more_cells, "", f"{self.variance_share:.0%} of the variance of the capacity"),
        ]
        drawn = bars("gain of a dose more", [f"{dose:.4g}" for dose in self.candidates], self.gains, label="bits added, if graded")
        return [Section("Next dose", [KeyFigures(figures), drawn, Text("\n\n".join(self.notes), tone="warn")], self.sentence())]


@checked
def next_dose(doses: Any, responses: Any, *, candidates: Any = None, seed: Seed = 0) -> NextDose:
    """Of doses between those measured, the one that could add most to the capacity; and the measured one that needs cells most.

    `doses` [n]: numbers; `responses` [n] or [n, d <= 4]. `candidates`: doses within the range measured; None takes the middle of each two
    neighbours on the scale asinh(dose / smallest positive dose). The law at a candidate is interpolated by displacement (McCann, Adv. Math.
    128 (1997) 153): cells of the two doses beside it are matched at the least squared distance and moved on straight lines, in asinh of
    each column over its spread; counts and rounded values are first spread evenly over the step between two of them. The gain is the
    capacity with the candidate less that without, both by one decoder. A mixture of the two laws would by definition gain nothing: read
    `notes`. Its interval is made of 8 divisions into disjoint halves, with what the gain moved from N / 2 to N, for the best of all
    candidates (Bonferroni); with a dose of fewer than 4 cells it is all that a dose more could add.

    Raises ConfigError for doses that are no numbers and candidates outside their range, DataError as `capacity_from_data`, for responses
    that do not vary and for doses that leave no number between them.
    """
    pair = checked_doses(doses, responses)
    if not pair.x.ordered:
        raise ConfigError("doses: found names or several columns, expected numbers: between names there is nothing to propose")
    if many_columns(pair):
        raise ConfigError(f"responses: found {pair.y.values.shape[1]} columns, expected at most 4")
    cells, kept = several_doses(pair)
    if not cells.responses.shape[1]:
        raise DataError("responses: found the same value at all doses, expected some that differ")
    levels = np.array(kept, dtype=float)
    places = _places(levels, levels)
    with np.errstate(invalid="ignore"):
        steps = np.diff(places)
    if len(wrong := np.flatnonzero(~((steps > 0) & np.isfinite(steps)))):
        two = " and ".join(repr(float(dose)) for dose in levels[wrong[0] : wrong[0] + 2])
        raise DataError(f"doses: found {two}, expected doses that computed numbers tell apart, within 300 orders of magnitude")
    wanted = _middles(levels) if candidates is None else _checked(candidates, levels)
    offered = _places(wanted, levels)
    gains = np.array([_gain(cells, places, float(place), seed) for place in offered])
    ratios = likelihood_ratios(cells, seed)
    law = shared(best_law(ratios), ratios)
    now = bits_at(ratios, np.broadcast_to(law, ratios.fitted.shape))
    most, needy = int(np.argmax(gains)), int(np.argmax(now.spread))
    share = float(now.spread[needy] / max(float(now.spread.sum()), 1e-300))
    gain = float(gains[most])
    low, high = 0.0, float(np.log2(1 + 2.0 ** -max(now.bits, 0.0)))  # C with an input more is at most log2(2^C + 1)
    if cells.counts.min() >= 4:
        low, high = _interval(pair, gain, lambda part, at: _gain(dosed(part), places, float(offered[most]), at), len(gains), seed)
    return NextDose(
        float(wanted[most]), gain, low, high, wanted, gains, now.bits, float(levels[needy]), share,
        (_CAVEAT, *pair.y.notes, *cells.notes),
    )  # fmt: skip


def _places(doses: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """asinh(dose / smallest positive level): even near 0, by ratio above."""
    sizes = abs(levels[levels != 0])
    with np.errstate(over="ignore"):  # some 300 orders of magnitude apart: refused by name
        return np.asarray(np.arcsinh(doses / (sizes.min() if len(sizes) else 1.0)))


def _middles(levels: np.ndarray) -> np.ndarray:
    """The middle of each two neighbours by place."""
    unit = abs(levels[levels != 0]).min()
    places = _places(levels, levels)
    return np.asarray(np.sinh(0.5 * (places[1:] + places[:-1])) * unit)


def _checked(candidates: Any, levels: np.ndarray) -> np.ndarray:
    try:
        wanted = np.atleast_1d(np.asarray(candidates, dtype=float))
    except (TypeError, ValueError):
        raise ConfigError(f"candidates: found {shown(candidates)}, expected numbers") from None
    outside = ~((wanted > levels.min()) & (wanted < levels.max()))
    if wanted.ndim != 1 or not len(wanted) or outside.any():
        found = shown(wanted[outside][0]) if wanted.ndim == 1 and outside.any() else shown(candidates)
        raise ConfigError(
            f"candidates: found {found}, expected doses between {levels.min():g} and {levels.max():g}: beyond, nothing was measured"
        )
    return wanted


def _interval(pair: Pair, gain: float, point: Callable[[Pair, int], float], tried: int, seed: int) -> tuple[float, float]:
    """Of the best of `tried` gains."""
    from scipy.stats import t

    halves = disjoint_halves(pair, point, seed, _SPLITS)
    reach = float(t.ppf(1 - 0.025 / tried, _SPLITS - 1)) * halves.standard_error
    moved = gain - halves.mean
    return gain - reach + min(moved, 0.0), gain + reach + max(moved, 0.0)


def _gain(cells: Dosed, places: np.ndarray, place: float, seed: int) -> float:
    """Capacity with a dose at `place` more, less that without, of one decoder."""
    if not cells.responses.shape[1]:
        return 0.0
    above = min(int(np.searchsorted(places, place, side="right")), len(places) - 1)  # next to the largest dose both round to one place
    share = float((place - places[above - 1]) / (places[above] - places[above - 1]))
    columns = stretched(_spread_out(cells.responses, numpy_generator(seed, "ties")))
    added = _between(columns[cells.codes == above - 1], columns[cells.codes == above], share, numpy_generator(seed, "match", above))
    codes = np.concatenate([cells.codes, np.full(len(added), len(places))])
    ratios = likelihood_ratios(Dosed(codes, np.vstack([columns, added]), 0), seed).fitted
    w = 2.0 ** (ratios - ratios.max(axis=0)).T
    w /= w.sum(axis=1, keepdims=True)
    return capacity(w, tolerance=_EXACT).bits - capacity(w[:-1], tolerance=_EXACT).bits


def _spread_out(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """[n, d] with even noise over the smallest step of each column: a response between two counts would be told by being no count."""
    steps = np.array([np.diff(np.unique(column)).min() for column in values.T])
    return np.asarray(values + steps * (generator.random(values.shape) - 0.5))


def _between(low: np.ndarray, high: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """[m, d] cells moved by `share` of the way from `low` [n0, d] to `high` [n1, d], matched at the least squared distance."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    m = min(len(low), len(high), _MOST_MATCHED)
    one, two = (side[generator.permutation(len(side))[:m]] for side in (low, high))
    rows, columns = linear_sum_assignment(cdist(one, two, "sqeuclidean"))
    return np.asarray((1 - share) * one[rows] + share * two[columns])
