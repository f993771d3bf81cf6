"""Information along time: at each time, at each lag, and directed from one trace to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np

from sciml.arguments import Bound, Seed, checked, shown
from sciml.biology.information.conditional import Given, given, settled, way
from sciml.biology.information.mutual import measured, mutual_information
from sciml.biology.information.result import MutualInformation
from sciml.biology.information.samples import Kind, Pair, Side, checked_pair, unmasked
from sciml.errors import ConfigError, DataError
from sciml.report.blocks import Section, Table
from sciml.report.figures import curve

__all__ = ["InformationSeries", "directed_information", "information_over_time", "lagged_information"]

_Order = Annotated[int, Bound("a whole number from 1 to 8", lambda n: 1 <= n <= 8)]
_BLOCKS = 20  # stretches of one long trace that stand for cells
_POOLED = "times of a cell are not independent: the interval comes from leaving out whole {}"
_SHORT = "one trace alone, cut into {} stretches that are taken as independent"


@dataclass(frozen=True)
class InformationSeries:
    """`information` at each of `at` (times, or lags in steps); `over` says which."""

    over: Literal["time", "lag"]
    at: tuple[float, ...]
    information: tuple[MutualInformation, ...]

    @property
    def bits(self) -> np.ndarray:
        """[n] raw bits."""
        return np.array([found.bits for found in self.information])

    @property
    def low(self) -> np.ndarray:
        """[n] lower ends."""
        return np.array([found.low for found in self.information])

    @property
    def high(self) -> np.ndarray:
        """[n] upper ends."""
        return np.array([found.high for found in self.information])

    def sentence(self) -> str:
        """How to read the numbers: those of the largest."""
        most = int(self.bits.argmax())
        return f"Of {len(self.at)} {self.over}s, {self.at[most]:g} has the most information: {self.information[most].sentence()}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data, `sentence` included."""
        found = [one.to_dict() for one in self.information]
        return {"over": self.over, "at": list(self.at), "information": found, "sentence": self.sentence()}

    def to_sections(self) -> Sequence[Section]:
        """Bits with their intervals as a figure and a table of a report."""
        name, unit = f"information over {self.over}", "" if self.over == "time" else "steps"
        ends = {"information": (self.low, self.high)} if np.isfinite([self.low, self.high]).all() else None
        figure = curve(name, self.at, {"information": self.bits}, x_label=self.over, x_unit=unit, y_label="information", y_unit="bit",
                       bands=ends, markers=True, caption="Each point has its own 95 % interval; neighbours share cells.")  # fmt: skip
        table = Table(f"{name}, numbers", {self.over: self.at, "bit": tuple(self.bits), "low": tuple(self.low), "high": tuple(self.high)})
        return [Section(name.capitalize(), [figure, table], self.sentence())]


@checked
def information_over_time(x: Any, y: Any, times: Any = None, **options: Any) -> InformationSeries:
    """I(X; Y(t)) in bits at each time of the traces `y` [n_cells, n_times] or [n_cells, n_times, d]; `x` [n_cells] or [n_cells, d].

    `times` [n_times], else 0, 1, 2, ...; `options` are those of `mutual_information`. What a whole trace knows is more than any of its
    snapshots; the intervals of different times come from the same cells. Raises what `mutual_information` raises, with the time.
    """
    traces = _traces(y, "y")
    try:
        at = np.arange(traces.shape[1], dtype=float) if times is None else np.asarray(times, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"times: found {shown(times)}, expected numbers") from None
    if at.shape != (traces.shape[1],):
        raise DataError(f"times: found {shown(at)}, expected one for each of the {traces.shape[1]} times of y")
    options = {"readout": "snapshot", **options}
    return InformationSeries("time", tuple(at.tolist()), _each(at, "time", lambda k: mutual_information(x, traces[:, k], **options)))


@checked
def lagged_information(
    x: Any, y: Any, lags: Sequence[int], *, estimator: Any = "auto", x_kind: Kind = "auto", y_kind: Kind = "auto", seed: Seed = 0
) -> InformationSeries:
    """I(x(t); y(t + lag)) in bits, all t of all cells taken together: `x`, `y` [n_cells, n_times] or [n_cells, n_times, d], stationary.

    `lags` in steps, negative ones ask what y knows of the later x. Times of a cell are not independent, so the interval comes from leaving
    out whole cells; one long trace alone is cut into 20 stretches. A trace that remembers its own past shows information at many lags, and
    a peak at a positive lag is no proof of cause: `directed_information` takes y's own past into account. Raises what `mutual_information`
    raises, with the lag, and ConfigError for no lags or lags as long as the traces.
    """
    first, second = _pair_of_traces(x, y)
    steps = first.shape[1]
    if not len(lags):
        raise ConfigError("lags: found none, expected at least one")
    if wrong := [lag for lag in lags if abs(lag) >= steps]:
        raise ConfigError(f"lags: found {wrong[0]}, expected less than the {steps} times of the traces")

    def at(k: int) -> MutualInformation:
        lag = int(lags[k])
        early = slice(max(0, -lag), steps - max(0, lag))
        late = slice(max(0, lag), steps + min(0, lag))
        groups, note = _cells(len(first), early.stop - early.start)
        found = mutual_information(_pooled(first[:, early]), _pooled(second[:, late]), estimator=estimator, groups=groups, x_kind=x_kind,
                                   y_kind=y_kind, readout=f"lag {lag}", seed=seed)  # fmt: skip
        return replace(found, notes=(*found.notes, note))

    return InformationSeries("lag", tuple(float(lag) for lag in lags), _each(np.asarray(lags), "lag", at))


@checked
def directed_information(
    x: Any, y: Any, *, order: _Order = 1, estimator: Given = "auto", x_kind: Kind = "auto", y_kind: Kind = "auto", seed: Seed = 0
) -> MutualInformation:
    """I(x(t - order .. t); y(t) | y(t - order .. t - 1)) in bits a step, all t of all cells together.

    `x`, `y` [n_cells, n_times] or [n_cells, n_times, d], stationary. It is the rate of Massey's directed information (Proc. ISITA 1990)
    where y's present depends on no more than `order` steps of both pasts; x(t) itself is counted, so what both get at once goes both ways.
    Discrete traces: the sum over pasts of y, one level for each; continuous ones: `estimator` as in `conditional_information`. The interval
    comes from leaving out whole cells; one long trace alone is cut into 20 stretches.

    Directed information is no proof of cause: a driver of both that nobody watches makes it, and so does coarse sampling in time. Raises
    DataError for traces that do not agree, fewer than order + 2 times, and an `order` whose pasts are too many for the traces.
    """
    first, second = _pair_of_traces(x, y)
    cells, steps = second.shape[:2]
    if steps < order + 2:
        raise DataError(f"y: found {steps} times, expected at least {order + 2} for order={order}")
    both = checked_pair(_pooled(first), _pooled(second), x_kind=x_kind, y_kind=y_kind)
    past = [slice(order - k, steps - k) for k in range(order, 0, -1)]
    now = slice(order, steps)
    groups, note = _cells(cells, steps - order)
    pair = Pair(
        _windowed(both.x, cells, [*past, now]), _windowed(both.y, cells, [now]), groups, _windowed(both.y, cells, past)
    )  # fmt: skip
    method = None if settled(pair) else way(estimator, pair)
    try:
        found = measured(method, pair, "auto", f"directed, bits a step, order {order}", seed)
    except DataError:
        made = [side for side in (pair.x, given(pair)) if side.discrete]
        if not made:
            raise
        # The error speaks of levels that the caller has not made.
        many = " and ".join(f"{len(side.levels)} different pasts of {side.name}" for side in made)
        seldom = f"order: found {order}, which makes {many}; some come too seldom in {cells} traces of {steps} times"
        raise DataError(f"{seldom}, expected a lower order, fewer levels or more traces") from None
    caveats = (
        "no proof of cause: a driver of both that is not watched makes directed information too",
        f"order {order}: right if y(t) depends on no earlier steps; compare a higher order",
    )
    return replace(found, notes=(*found.notes, note, *caveats))


def _each(at: np.ndarray, over: str, measure: Callable[[int], MutualInformation]) -> tuple[MutualInformation, ...]:
    found = []
    for k, value in enumerate(at.tolist()):
        try:
            found.append(measure(k))
        except DataError as error:
            raise DataError(f"{over} {value:g}: {error}") from None
    return tuple(found)


def _traces(data: Any, name: str) -> np.ndarray:
    """[n_cells, n_times, d]."""
    traces = unmasked(data, name)
    if traces.ndim == 2:
        traces = traces[:, :, None]
    if traces.ndim != 3 or traces.size == 0:
        raise DataError(f"{name}: found an array of shape {np.shape(data)}, expected [n_cells, n_times] or [n_cells, n_times, d]")
    return traces


def _pair_of_traces(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    first, second = _traces(x, "x"), _traces(y, "y")
    if first.shape[:2] != second.shape[:2]:
        raise DataError(
            f"x has {first.shape[0]} cells and {first.shape[1]} times, y {second.shape[0]} and {second.shape[1]}: they must agree"
        )
    return first, second


def _pooled(traces: np.ndarray) -> np.ndarray:
    """[n_cells * n_times, d]."""
    return traces.reshape(-1, traces.shape[2])


def _cells(cells: int, steps: int) -> tuple[np.ndarray, str]:
    """The group of each pooled row: its cell, or its stretch of the one trace."""
    if cells > 1:
        return np.repeat(np.arange(cells), steps), _POOLED.format("cells")
    blocks = min(_BLOCKS, max(2, steps // 10))
    return np.arange(steps) * blocks // steps, f"{_POOLED.format('stretches')}; {_SHORT.format(blocks)}"


def _windowed(side: Side, cells: int, windows: Sequence[slice]) -> Side:
    """A side whose rows are (cell, t) and whose columns, or levels, are those of `side` at each of the windows in time."""
    values = side.values.reshape(cells, len(side.values) // cells, side.values.shape[1])
    parts = [values[:, window] for window in windows]
    columns = np.concatenate([part.reshape(part.shape[0] * part.shape[1], part.shape[2]) for part in parts], axis=1)
    if side.codes is None:
        return Side(side.name, columns, None, (), False, side.tied, side.notes)
    codes = side.codes.reshape(cells, -1)
    words = np.stack([codes[:, window].ravel() for window in windows], axis=1)
    levels, joined = np.unique(words, axis=0, return_inverse=True)
    named = tuple(tuple(side.levels[code] for code in level) for level in levels.tolist())
    return Side(side.name, columns, joined.reshape(-1), named, False, 0.0, side.notes)
