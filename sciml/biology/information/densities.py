"""Information by a density of the transformed pair, tested against nearest neighbours: two continuous sides of any number of columns."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from sciml.biology.information.gaussian import gaussian_nats
from sciml.biology.information.intervals import ONE_SIDED, Z95
from sciml.biology.information.mixture_choice import Fit, chosen_fit
from sciml.biology.information.neighbors import ksg_nats
from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Pair
from sciml.biology.information.scores import normal_scores
from sciml.biology.information.transforms import Transformed, gaussianized
from sciml.seeding import numpy_generator

__all__ = [
    "MixtureDensity", "Residual", "fitted", "law_variance", "law_words", "mixture_estimate", "ratio_nats", "residual", "residual_words",
    "transform_words",
]  # fmt: skip

_DRAWS = 24  # 8 where a draw is dear: from 2,000 rows
_SEEN = 2.4  # errors, 97.5 % of Student's t with 7 degrees of freedom, since the error may come from 8 draws
_MOST_ROWS = 5_000
_MOST_TWO_SIDED = 4
_WRONG = 0.5  # weight from which on the law is not believed
_FEW_COLUMNS = 3  # up to here nearest neighbours have hardly any bias of their own
_STILL = 2.4  # 1 / (sqrt 2 - 1): what is left of a bias that falls as 1 / sqrt N, as at sharp edges of two columns
_LACKING = 0.75  # of what unseen rows lack against the mean of both
_RANKS = 2.5  # bits below log2 n from which on ranks see too little
_PER_NAT = 1 / math.log(2)


@dataclass(frozen=True)
class Residual:
    """What nearest neighbours see in the data beyond the fitted law; nats.

    `beyond`: with at most 3 columns, where KSG is nearly unbiased, KSG less the law's own figure; with more, [KSG - mean log ratio] of the
    data less the same of draws of the law. `error`: the spread of KSG - mean log ratio over such draws. `trend`: with at most 3 columns,
    what KSG gained from N / 2 to N. `weight` in [0, 1): 0 up to 2.4 errors, then 1 - (2.4 error /
    beyond)^2.
    """

    beyond: float
    error: float
    trend: float

    @property
    def weight(self) -> float:
        """How far the fitted law is wrong, from 0 (not seen to be) to 1."""
        return max(0.0, 1 - (_SEEN * self.error / self.beyond) ** 2) if self.beyond else 0.0

    @property
    def variance(self) -> float:
        """What it adds to that of an estimate that takes it: a part taken after a test keeps the uncertainty of the whole."""
        return self.error**2 if self.weight else 0.0


class MixtureDensity:
    """Each side transformed to near a Gaussian, a mixture of Gaussian or Student-t components fitted to the pair, and what it misses.

    One Gaussian component: 1/2 log |S_x| |S_y| / |S| less its exact bias. Otherwise the mean of log q(x, y) / (q(x) q(y)) over rows that
    the fit saw and over rows that it did not, averaged: one is too high by what the other is too low, to first order in 1 / n. Several
    components in at most 4 columns are an approximation, of which neighbours give a second opinion.
    """

    name = "mixture"
    shuffles = 1

    def refuses(self, pair: Pair) -> str:
        """Discrete sides have no densities; the covariance needs more rows than columns."""
        if pair.x.discrete or pair.y.discrete:
            return "a side is discrete; expected two continuous sides (x_kind, y_kind='continuous' says that numbers are)"
        least = max(20, 3 * (pair.x.values.shape[1] + pair.y.values.shape[1]))
        return "" if len(pair) >= least else f"found {len(pair)} rows, expected at least {least}"

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits."""
        return self.estimate(pair, seed).bits

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits; the interval is the spread of the log ratio, of what the residual leaves open, and of the parameters."""
        x, y, fit = fitted(pair, seed)
        law = ratio_nats(fit, x, y)
        left = residual(fit, law, x.columns, seed)
        if fit.parts > 1 and x.columns + y.columns <= _MOST_TWO_SIDED:
            found = _approximated(self.name, x, y, fit, law, left)
        else:
            found = mixture_estimate(self.name, x, y, fit, law, left)
        return _within_ranks(found, len(pair), ranked=x.ranked or y.ranked or not fit.gaussian)


def _within_ranks(found: Estimate, n: int, *, ranked: bool) -> Estimate:
    """`found`, open above where n ranks can hardly tell more: neither ranks nor neighbours see how closely x and y agree within a step."""
    most = math.log2(n) - _RANKS
    if not ranked or found.bits <= most:
        return found
    note = f"one-sided: {n:,} ranks tell little more than {most:.1f} bit, and how much more there is, is not known"
    return replace(found, high=math.inf, notes=(*found.notes, note))


def mixture_estimate(name: str, x: Transformed, y: Transformed, fit: Fit, law: float, left: Residual) -> Estimate:
    """The law's own figure, `law` nats, and the residual by its weight; one-sided where that is not all in more than 4 columns."""
    nats = law + left.weight * left.beyond
    d = fit.points.shape[1]
    error = math.sqrt(law_variance(fit, x.columns) + left.variance)
    still = _STILL * left.weight * left.trend
    low, high = nats - Z95 * error + min(still, 0.0), nats + Z95 * error + max(still, 0.0)
    notes = [residual_words(left)]
    if left.weight > _WRONG and d > _MOST_TWO_SIDED:
        low, high = nats - ONE_SIDED * error, math.inf
        notes.append("one-sided: in so many columns neighbours see a part of what the law misses, and no trend in N tells the rest")
    return Estimate(
        nats * _PER_NAT, error * _PER_NAT, low * _PER_NAT, high * _PER_NAT, f"{name} ({transform_words(x, y)}; {law_words(fit)})",
        "spread of the log ratio, of its parameters and of the residual" + (", bias of neighbours" if still else ""),
        "exact in 1/N" if fit.gaussian else "mean of seen and unseen rows", tuple(notes),
    )  # fmt: skip


def _approximated(name: str, x: Transformed, y: Transformed, fit: Fit, law: float, left: Residual) -> Estimate:
    """Several components in at most 4 columns: none of them is thought to be the law, so neighbours have a say whatever a test sees.

    Components that are too coarse see too little of unseen rows, and of seen ones too. Two columns: half of what seen rows say and half
    KSG, with half of their distance open. Three or four, where KSG is low: seen and unseen rows 3 to 1 and KSG where it sees more; what
    unseen rows lack stays open above. So does, up to three columns, what KSG still gains with N.
    """
    lacking = float(fit.inside.mean() - fit.outside.mean()) / 2
    two = fit.points.shape[1] == 2
    own = law + (lacking if two else lacking / 2)
    apart = law + left.beyond - own
    taken = apart / 2 if two else max(apart, 0.0) / 2
    error = math.sqrt(law_variance(fit, x.columns) + left.error**2 / (4 if two else 2) + taken**2) * _PER_NAT
    above = ((0.0 if two else _LACKING * max(lacking, 0.0)) + _STILL / 2 * max(0.0, left.trend - left.error)) * _PER_NAT
    bits = (own + taken) * _PER_NAT
    notes = [
        f"several components approximate the law: rows that they saw say {lacking * 2 * _PER_NAT:+.3f} bit more than unseen ones, nearest "
        f"neighbours {apart * _PER_NAT:+.3f} bit more than what is taken of both (error {left.error * _PER_NAT:.3f}); "
        f"{taken * _PER_NAT:+.3f} of that is added"
    ]
    if above > 0:
        notes.append(f"stated bias: {above:.3f} bit may be missing, which `high` holds")
    return Estimate(
        bits, error, bits - Z95 * error, bits + Z95 * error + above,
        f"{name} ({transform_words(x, y)}; {law_words(fit)} and nearest neighbours)",
        "spread of the log ratio and of its parameters, how far neighbours are apart" + ", stated bias" * (above > 0),
        "seen and unseen rows", tuple(notes),
    )  # fmt: skip


def law_variance(fit: Fit, dx: int) -> float:
    """Of the law's figure, nats^2: the spread of the log ratio; of the dx x dy couplings of each component where there is little to find;
    half of the bias (inside - outside) / 2 that averaging takes off, which stays open."""
    n, d = fit.points.shape
    bias = 0.0 if fit.gaussian else (fit.inside.mean() - fit.outside.mean()) / 4
    return float(fit.outside.var() / n + dx * (d - dx) * fit.parts / (2 * n**2) + bias**2)


def fitted(pair: Pair, seed: int) -> tuple[Transformed, Transformed, Fit]:
    """Both sides transformed, and the mixture chosen for them."""
    x, y = gaussianized(pair, seed)
    return x, y, chosen_fit(x.values, y.values, numpy_generator(seed, "mixture"))


def ratio_nats(fit: Fit, x: Transformed, y: Transformed) -> float:
    """Information by the fitted law alone."""
    if fit.gaussian:
        return gaussian_nats(x.values, y.values)
    return float(fit.inside.mean() + fit.outside.mean()) / 2


def residual(fit: Fit, found: float, dx: int, seed: int) -> Residual:
    """Nearest neighbours against the fitted law, whose own figure is `found` nats; both see normal scores."""
    generator = numpy_generator(seed, "residual")
    points = fit.points
    if len(points) > _MOST_ROWS:
        points = points[np.sort(generator.choice(len(points), _MOST_ROWS, replace=False))]
    neighbors, own = _seen(fit, points, dx, generator)
    draws = _DRAWS if len(points) < 2_000 else _DRAWS // 3
    drawn = [np.subtract(*_seen(fit, fit.mixture.draw(len(points), generator), dx, generator)) for _ in range(draws)]
    error = float(np.std(drawn, ddof=1)) * math.sqrt(1 + 1 / draws)
    if points.shape[1] > _FEW_COLUMNS:
        return Residual(float(neighbors - own - np.mean(drawn)), error, 0.0)
    first = np.arange(len(points)) % 2 == 0
    rows = generator.permutation(len(points))
    halves = [_seen(fit, points[rows[half]], dx, generator)[0] for half in (first, ~first)]
    return Residual(neighbors - found, error, neighbors - float(np.mean(halves)))


def _seen(fit: Fit, points: np.ndarray, dx: int, generator: np.random.Generator) -> tuple[float, float]:
    """KSG and the mean log ratio of some rows."""
    scores = normal_scores(points, generator)
    return ksg_nats(scores[:, :dx], scores[:, dx:]), float(fit.mixture.log_ratio(points[:, :dx], points[:, dx:]).mean())


def transform_words(x: Transformed, y: Transformed) -> str:
    """The transforms of both sides."""
    return f"x and y: {x.words}" if x.words == y.words else f"x: {x.words}; y: {y.words}"


def law_words(fit: Fit) -> str:
    """The law that was fitted."""
    kind = "Gaussian" if math.isinf(fit.mixture.freedom) else f"Student-t ({fit.mixture.freedom:g} degrees of freedom)"
    return f"one {kind} component" if fit.parts == 1 else f"{fit.parts} {kind} components"


def residual_words(left: Residual) -> str:
    """What the test against nearest neighbours said."""
    seen = f"residual: nearest neighbours see {left.beyond * _PER_NAT:+.3f} bit beyond the fitted law (error {left.error * _PER_NAT:.3f})"
    return f"{seen}; weight {left.weight:.2f}" if left.weight else f"{seen}: nothing that it misses"
