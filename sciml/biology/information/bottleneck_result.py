"""The bottleneck curve as a result: points, encoders, and the bracket that holds the true curve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import numpy as np

from sciml.arguments import Bound, checked, shown
from sciml.errors import ConfigError, DataError
from sciml.report import Block, Figure, Section, Table, Text

__all__ = ["BottleneckCurve", "Bracket", "bottleneck_section", "checked_betas"]

_ROUNDING = 1e-9
_Bits = Annotated[float, Bound("bits >= 0", lambda bits: bits >= 0)]


@dataclass(frozen=True)
class BottleneckCurve:
    """The most that T can say about Y for what it keeps of X, in bits; one entry for each beta, in the order asked.

    `beta` [B]: of L = I(T;X) - beta I(T;Y), the standard one: dimensionless, nothing is worth coding below `onset` >= 1, inf is the end of
    the curve. `i_x`, `i_y` [B]: I(T;X) and I(T;Y) of the encoder found, evaluated exactly. `encoders`: p(t|x) [n_x, n_t] for each beta.
    `supremum` [B]: no encoder has beta I(T;Y) - I(T;X) above it. `lower`, `upper` [B] hold the largest I(T;Y) at I(T;X) = `i_x`: from below
    by mixing encoders (the concave hull of the points), from above by min_beta (supremum + i_x) / beta; `gap` is the largest distance of
    the two anywhere on the curve. `certified`: the suprema are proved, to rounding; otherwise they come from the best of many starts
    and are no proof. `h_x` = H(X) and `i_xy` = I(X;Y) end the curve, which is flat from `i_x_end` on (the minimal sufficient statistic).

    `onset`: the least beta at which any encoder is better than none (1 / the contraction coefficient of strong data processing);
    `onset_local`: where coding nothing stops being a local optimum, 1 / (maximal correlation)^2. `onset` < `onset_local` means that the
    first useful cluster appears far from p(y), rare at first, and is missed by whoever starts from coding nothing.
    """

    beta: np.ndarray
    i_x: np.ndarray
    i_y: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    gap: float
    certified: bool
    encoders: tuple[np.ndarray, ...] = field(repr=False)
    supremum: np.ndarray
    h_x: float
    i_xy: float
    i_x_end: float
    onset: float
    onset_local: float
    notes: tuple[str, ...] = ()

    @checked
    def bound(self, i_x: _Bits) -> tuple[float, float]:
        """(low, high): the largest I(T;Y) in bits of any T with I(T;X) = `i_x` lies between. Raises DataError above H(X)."""
        if i_x > self.h_x + _ROUNDING:
            raise DataError(
                f"bound: i_x: found {i_x:.9g} bits, expected at most H(X) = {self.h_x:.9g}: nothing says more about X than X does"
            )
        at = np.array([min(float(i_x), self.h_x)])
        return float(self._bracket.low(at)[0]), float(self._bracket.high(at)[0])

    @cached_property
    def _bracket(self) -> Bracket:
        return Bracket.of(self.beta, self.i_x, self.i_y, self.supremum, (self.i_x_end, self.i_xy), self.h_x)

    def sentence(self) -> str:
        """The width of the bracket, whether it is proved, and where codes become useful."""
        kind = "certified" if self.certified else "not certified: the best of many starts"
        return (
            f"The largest I(T;Y) for each I(T;X); bracket {kind}, at most {self.gap:.2g} bits wide. The first useful encoder appears at "
            f"beta = {self.onset:.5g}; coding nothing is locally best up to beta = {self.onset_local:.5g}. I(X;Y) = {self.i_xy:.4f} bits."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `sentence` included."""
        made = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items() if not k.startswith("_")}
        made |= {"encoders": [e.tolist() for e in self.encoders], "notes": list(self.notes), "sentence": self.sentence()}
        return made

    def to_sections(self, points: Sequence[tuple[str, float, float]] = ()) -> list[Section]:
        """The information plane, the bracket as a band, dashed where it is not certified; `points` (name, I(T;X), I(T;Y)) are drawn too."""
        at = np.union1d(np.linspace(0.0, self.h_x, 200), self.i_x)
        low, high = self._bracket.low(at), self._bracket.high(at)
        order = np.argsort(self.beta, kind="stable")
        columns = {"beta": self.beta[order], "I(T;X)": self.i_x[order], "I(T;Y)": self.i_y[order], "lower": self.lower[order],
                   "upper": self.upper[order], "clusters": np.array([self.encoders[i].shape[1] for i in order])}  # fmt: skip
        return [
            bottleneck_section(
                (at, low, high), self.certified, (self.i_x[order], self.i_y[order]), points, columns, self.sentence(), self.notes
            )
        ]


@dataclass(frozen=True)
class Bracket:
    """The curve held between chords of the corners (`x`, `y`) below and lines y = (intercept + x) slope above."""

    x: np.ndarray
    y: np.ndarray
    slope: np.ndarray
    offset: np.ndarray

    @classmethod
    def of(cls, beta: np.ndarray, i_x: np.ndarray, i_y: np.ndarray, supremum: np.ndarray, end: tuple[float, float], h_x: float) -> Bracket:
        """Points and suprema of F(beta), joined by the origin, the end, and data processing: I(T;Y) <= I(T;X), I(T;Y) <= I(X;Y)."""
        x, y = _hull(np.concatenate([[0.0, end[0], h_x], i_x]), np.concatenate([[0.0, end[1], end[1]], i_y]))
        useful = np.isfinite(beta) & (beta > 0)
        slope = np.concatenate([[0.0, 1.0], 1.0 / beta[useful]])
        return cls(x, y, slope, np.concatenate([[end[1], 0.0], supremum[useful] / beta[useful]]))

    def low(self, at: np.ndarray) -> np.ndarray:
        """The lower side at I(T;X) = `at`."""
        return np.asarray(np.interp(at, self.x, self.y))

    def high(self, at: np.ndarray) -> np.ndarray:
        """The upper side at I(T;X) = `at`."""
        return np.asarray(np.min(self.slope[:, None] * at + self.offset[:, None], axis=0, initial=np.inf))

    def gap(self) -> float:
        """The largest width: the upper side is concave and the lower piecewise linear, so it lies where two lines above cross."""
        order = np.lexsort((self.offset, self.slope))
        slope, offset = self.slope[order], self.offset[order]
        i, j = np.triu_indices(len(slope), 1)
        apart = slope[j] - slope[i] > 1e-12
        crossings = (offset[i] - offset[j])[apart] / (slope[j] - slope[i])[apart]
        at = np.concatenate([self.x, crossings[(crossings >= 0) & (crossings <= self.x[-1])]])
        return float(max((self.high(at) - self.low(at)).max(), 0.0))


def _hull(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the least concave function above the points."""
    kept: list[tuple[float, float]] = []
    for a, b in sorted(zip(x.tolist(), y.tolist(), strict=True), key=lambda point: (point[0], -point[1])):
        if kept and a == kept[-1][0]:
            continue
        while len(kept) > 1 and (kept[-1][1] - kept[-2][1]) * (a - kept[-2][0]) <= (b - kept[-2][1]) * (kept[-1][0] - kept[-2][0]):
            kept.pop()
        kept.append((a, b))
    return np.array([a for a, _ in kept]), np.array([b for _, b in kept])


def bottleneck_section(
    bracket: tuple[np.ndarray, np.ndarray, np.ndarray],
    certified: bool,
    found: tuple[np.ndarray, np.ndarray],
    points: Sequence[tuple[str, float, float]],
    columns: dict[str, Any],
    lead: str,
    notes: Sequence[str] = (),
) -> Section:
    """The information plane with its `bracket` (I(T;X), low, high), encoders and named points, and the numbers beside."""
    at, low, high = bracket
    line = {"dash": "solid" if certified else "dash"}
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "name": "upper bound", "x": at, "y": high, "line": line},
        {"type": "scatter", "mode": "lines", "name": "lower bound", "x": at, "y": low, "line": line, "fill": "tonexty"},
        {"type": "scatter", "mode": "markers", "name": "encoders", "x": found[0], "y": found[1], "marker": {"size": 5}},
    ]
    traces += [
        {"type": "scatter", "mode": "markers", "name": name, "x": [a], "y": [b], "marker": {"size": 10, "symbol": "diamond"}}
        for name, a, b in points
    ]
    layout = {"xaxis": {"title": {"text": "I(T;X) (bits)"}}, "yaxis": {"title": {"text": "I(T;Y) (bits)"}}, "showlegend": True}
    caption = "Information plane: what T keeps of X against what it says about Y, in bits; no T lies above the upper bound."
    blocks: list[Block] = [
        Figure("information plane", traces, layout, caption if certified else f"{caption} Dashed: not certified."),
        Table("bottleneck curve", columns, caption="Points by beta, information in bits.", rows_shown=60),
    ]
    return Section("Information bottleneck", [*blocks, *([Text("\n\n".join(notes))] if notes else [])], lead)


def checked_betas(betas: Any) -> np.ndarray:
    """Betas [B] as given. Raises ConfigError for what is no list of numbers >= 0."""
    if isinstance(betas, str) or not isinstance(betas, Iterable):
        raise ConfigError(f"betas: found {shown(betas)}, expected a list of numbers >= 0, or None")
    try:
        found = np.asarray(list(betas), dtype=float)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"betas: found {shown(betas)}, expected a list of numbers >= 0") from error
    if found.ndim != 1 or not len(found):
        raise ConfigError(f"betas: found an array of shape {found.shape}, expected a list [n_beta]")
    if (wrong := np.flatnonzero(~(found >= 0))).size:
        raise ConfigError(f"betas: entry {wrong[0]}: found {found[wrong[0]]:g}, expected a number >= 0; inf is the end of the curve")
    return found
