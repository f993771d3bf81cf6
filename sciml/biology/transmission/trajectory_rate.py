"""How many bits per time the trace of a read-out tells of the trace of a dose: by path weights, or in linear noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Unpack

import numpy as np

from sciml.arguments import Bound, checked
from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.blocks import Progress
from sciml.biology.simulation.jump_model import CountingOptions, jump_model
from sciml.biology.simulation.linear_noise import StationaryNoise, stationary_noise
from sciml.biology.simulation.requests import Count, Seed
from sciml.biology.simulation.steady_state import steady_state
from sciml.biology.simulation.trajectories import checked_times
from sciml.biology.transmission.decoding import DecodedCourse, decoded_course
from sciml.biology.transmission.gaussian_rate import reaction_information, relaxation_time, signal_to_noise, spectral_rate
from sciml.biology.transmission.observation import traces
from sciml.biology.transmission.path_weights import PathSample, path_sample
from sciml.errors import ConfigError, ConvergenceError
from sciml.report import KeyFigure, KeyFigures, Section, Table, Text, curve

__all__ = ["TrajectoryRate", "trajectory_rate"]

_TRANSIENT, _LENGTH = 4.0, 12.0  # relaxation times: until the slope is taken, and to the last time
_PIECE = 0.05  # of the time in which a trace tells what is unseen apart: filters draw anew so often
_MOST_PIECES, _FEWEST_PIECES = 2000, 100
_LARGE_BIAS = 0.05
_MEANING = {
    "exact": "a sample of the exact information between the traces",
    "reactions": "linear noise in which every kind of change of the read-out is watched by itself",
    "decoder": "growth of what a decoder tells of doses that are held: each length has a lower bound, the slope itself is none",
    "states": "linear noise in which the count of the read-out is watched: less than a perfectly watched trace tells",
}


@dataclass(frozen=True)
class TrajectoryRate:
    """`rate`: bits per unit of the model's time by which I(T), the information between traces of length T, grows after the transient.

    `low`, `high`: 95 % interval, of the chance of the sample alone (`standard_error`; 0 for closed forms). `approximation`:
    "exact" (path weights), "reactions" or "states" (linear noise), "decoder" (see `trajectory_rate`). `information` [K] with
    `information_error` [K]: I(T) in bits at `times` [K], of traces that begin at a known state; empty for "states". `correction`: bits per
    time that were added because a filter's logarithm is too low in the mean. `n` trajectories (of a decoder: cells a dose), `particles` of
    each filter; 0 where nothing is drawn.
    """

    rate: float
    low: float
    high: float
    standard_error: float
    method: str
    approximation: str
    dose: str
    readout: str
    times: np.ndarray
    information: np.ndarray
    information_error: np.ndarray
    transient: float
    correction: float
    n: int
    particles: int
    notes: tuple[str, ...] = ()

    def sentence(self) -> str:
        """How to read it."""
        chance = f" ({self.low:.4g} to {self.high:.4g})" if self.standard_error else ""
        told = f"The trace of {self.readout} tells {self.rate:.4g} bits{chance} of the trace of {self.dose} per unit of time"
        return f"{told}: {_MEANING[self.approximation]}."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {k: v.tolist() if isinstance(v, np.ndarray) else list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}

    def to_sections(self) -> list[Section]:
        """The rate, and I(T) with the line whose slope it is."""
        figures = [KeyFigure("rate", self.rate, "bits per time", f"{self.method}, {self.approximation}")]
        if self.standard_error:
            figures.append(KeyFigure("standard error", self.standard_error, "bits per time"))
        blocks: list[Any] = [KeyFigures(figures)]
        if len(self.times):
            line = self.information[-1] + self.rate * (self.times - self.times[-1])
            band = (self.information - 2 * self.information_error, self.information + 2 * self.information_error)
            lines = {"I(T)": self.information, "the rate": np.where(self.times >= self.transient, line, np.nan)}
            blocks.append(curve("information between traces", self.times, lines, x_label="T", y_label="information", y_unit="bits",
                                bands={"I(T)": band} if self.standard_error else None,
                                caption="The rate is the slope after the transient; the band is two standard errors."))  # fmt: skip
            columns: dict[str, Any] = {"T": self.times, "I(T)": self.information, "standard error": self.information_error}
            blocks.append(Table("information between traces, table", columns, units={"I(T)": "bits"}, rows_shown=20))
        if self.notes:
            blocks.append(Text("\n\n".join(self.notes)))
        return [Section("Information between traces", blocks, self.sentence())]


@checked
def trajectory_rate(
    net: Network,
    dose: str,
    readout: str,
    method: Literal["paths", "gaussian", "decoding"] = "paths",
    *,
    approximation: Literal["reactions", "states"] = "reactions",
    doses: Any = None,
    times: Any = None,
    transient: Annotated[float, Bound("a time > 0", lambda t: 0 < t < math.inf)] | None = None,
    n: Annotated[int, Bound("a whole number >= 10", lambda n: 10 <= n < 2**63)] = 200,
    particles: Annotated[int, Bound("a whole number >= 2", lambda n: 2 <= n < 2**31)] = 200,
    seed: Seed = 0,
    parameters: dict[str, float] | None = None,
    threads: Count | None = None,
    progress: Progress | None = None,
    **counting: Unpack[CountingOptions],
) -> TrajectoryRate:
    """d I(T) / dT after the transient, in bits per unit of time, I(T) between the traces over T of the species `dose` and `readout`.

    A trace has every change of its species with its time; reactions that change it by the same number are not told apart.
    "paths": I(T) = E ln p(s, x) / (p(s) p(x)), exact but for chance: n trajectories, and filters of so many particles over what a trace
    does not show, hidden species and feedback too (Reinhardt, Tkacik, ten Wolde, PRX 13 (2023) 041017). "gaussian": linear noise at rest.
    `approximation` "reactions": each kind of change of a species is a Gaussian channel of its own; for 0 -> S -> 0, S -> S + X, X -> 0 that
    is (lambda/2)(sqrt(1 + 2 rho/lambda) - 1) nats. "states": the spectra of the counts, (lambda/2)(sqrt(1 + rho/lambda) - 1) nats there,
    which is less than a perfectly watched trace tells (Tostevin and ten Wolde, PRL 102 (2009) 218101).
    "decoding", as for measured traces: `dose`, a parameter or start, is held at one of `doses` in each of `n` cells a dose, and a decoder
    tells which from the read-out at `times` up to T: a lower bound of I(T) at equally likely doses, which ends at their entropy.

    `times` [K] > 0: where I(T) is given; None: until 12 relaxation times of what the read-out leaves unknown. The slope is that after
    `transient` (None: 4 relaxation times, or a third of the last time); trajectories run for so long from the network's start before they
    are watched, too. Raises ConfigError for a dose or read-out that reactions do not change, or change together, ConvergenceError where
    "gaussian" finds no steady state or a change was seen that no particle could make, and what exact simulation refuses.
    """
    if (method == "decoding") != (doses is not None):
        raise ConfigError("doses: 'decoding' needs them, at which the dose is held, and no other method takes them")
    if method == "decoding":
        given: dict[str, Any] = {"parameters": parameters, "threads": threads, "progress": progress, **counting}
        course = decoded_course(net, dose, readout, doses, times, int(n), seed, given)
        return TrajectoryRate(method=method, dose=dose, readout=readout, **_slope(course, transient), n=int(n), particles=0)
    model = jump_model(net, "trajectory_rate", parameters=parameters, single=True, **counting)
    states = traces(model, dose, readout)
    noise = _at_rest(net, parameters, counting, required=method == "gaussian")
    if noise is not None and method == "gaussian":
        found = _gaussian(noise, states, approximation, times, transient)
    else:
        grid, asked = _grid(noise, states, times)
        begin = _transient(noise, states, transient, float(grid[-1]))
        sample = path_sample(model, states, grid, begin, int(n), int(particles), seed, threads=threads, progress=progress)
        found = _sampled(sample, asked, begin) | {"n": int(n), "particles": int(particles)}
    notes = model.molecules.notes
    if abs(found["correction"]) > _LARGE_BIAS * abs(found["rate"]):
        share = abs(found["correction"] / found["rate"])
        notes += (f"{share:.0%} of the rate are a correction of the filters' bias: more particles make it smaller.",)
    return TrajectoryRate(method=method, dose=dose, readout=readout, notes=notes, **found)


def _sampled(sample: PathSample, asked: np.ndarray, transient: float) -> dict[str, Any]:
    """The slope between the transient and the last time, of each trajectory; its mean and what follows from its spread."""
    from scipy.special import stdtrit

    grid, n = sample.grid, len(sample.density)
    first = int(np.searchsorted(grid, transient))
    if first >= len(grid) - 1:
        raise ConfigError(f"transient: found {transient:g}, expected a time before the last of times, {grid[-1]:g}")
    information, span = (sample.density + sample.missing) / np.log(2), grid[-1] - grid[first]
    slopes = (information[:, -1] - information[:, first]) / span
    rate, error = float(slopes.mean()), float(slopes.std(ddof=1) / np.sqrt(n))
    half, kept = float(stdtrit(n - 1, 0.975)) * error, np.searchsorted(grid, asked)
    return {
        "rate": rate, "low": rate - half, "high": rate + half, "standard_error": error, "approximation": "exact", "times": asked,
        "information": information.mean(axis=0)[kept], "information_error": information.std(axis=0, ddof=1)[kept] / np.sqrt(n),
        "transient": float(grid[first]), "correction": float((sample.missing[:, -1] - sample.missing[:, first]).mean() / span / np.log(2)),
    }  # fmt: skip


def _slope(course: DecodedCourse, transient: float | None) -> dict[str, Any]:
    """Between the transient and the last time, of a course of estimates."""
    times, begin = course.times, course.times[-1] / 3 if transient is None else transient
    first = int(np.searchsorted(times, begin))
    if first >= len(times) - 1:
        raise ConfigError(f"transient: found {begin:g}, expected a time before the last of times, {times[-1]:g}")
    span = times[-1] - times[first]
    rate, error = float((course.bits[-1] - course.bits[first]) / span), float(np.hypot(course.errors[-1], course.errors[first]) / span)
    return {
        "rate": rate, "low": rate - 1.96 * error, "high": rate + 1.96 * error, "standard_error": error, "approximation": "decoder",
        "times": times, "information": course.bits, "information_error": course.errors, "transient": float(times[first]), "correction": 0.0,
        "notes": course.notes,
    }  # fmt: skip


def _gaussian(noise: StationaryNoise, states: tuple[int, int], approximation: str, times: Any, transient: float | None) -> dict[str, Any]:
    asked = _grid(noise, states, times)[1]
    begin = _transient(noise, states, transient, float(asked[-1]))
    if approximation == "states":
        rate, asked, course = spectral_rate(noise, states), np.zeros(0), np.zeros(0)
    else:
        rate, course = reaction_information(noise, states, asked)
    bits = rate / float(np.log(2))
    return {
        "rate": bits, "low": bits, "high": bits, "standard_error": 0.0, "approximation": approximation, "times": asked,
        "information": course / np.log(2), "information_error": np.zeros(len(asked)), "transient": begin, "correction": 0.0, "n": 0,
        "particles": 0,
    }  # fmt: skip


def _at_rest(net: Network, parameters: Any, counting: Any, *, required: bool) -> StationaryNoise | None:
    """Noise at rest. What only adds up, and acts on nothing, is given a decay: its trace tells the same with it."""
    given = {**counting, "initial": None}
    try:
        drifting = steady_state(net, parameters).drifts
        drains = [Reaction.parse(f"drain_{id}", f"{id} ->", rate=1.0) for id in drifting]
        return stationary_noise(net.with_(reactions=drains) if drains else net, parameters=parameters, **given)
    except (ConvergenceError, ConfigError):
        if required:
            raise
        return None


def _grid(noise: StationaryNoise | None, states: tuple[int, int], times: Any) -> tuple[np.ndarray, np.ndarray]:
    """(times at which filters draw anew, those of them at which I(T) is given)."""
    if times is not None:
        asked = np.unique(checked_times(times))
        asked = asked[asked > 0]
        if not len(asked):
            raise ConfigError("times: found none above 0, expected the lengths of traces at which I(T) is wanted")
        last = float(asked[-1])
    elif noise is None:
        raise ConfigError(
            "times: the network has no stable steady state from which to choose them; expected the lengths of traces, and transient="
        )
    else:
        last = _LENGTH * _relaxation(noise, states)
        asked = np.zeros(0)
    told = signal_to_noise(noise, states) if noise is not None else 0.0
    pieces = int(np.clip(np.ceil(last * told / _PIECE), _FEWEST_PIECES, _MOST_PIECES))
    even = np.arange(1, pieces + 1) * (last / pieces)
    if not len(asked):
        return even, even
    inner = even[:-1]
    return np.unique(np.concatenate([inner[np.abs(inner[:, None] - asked).min(axis=1) > 1e-9 * last], asked])), asked


def _transient(noise: StationaryNoise | None, states: tuple[int, int], given: float | None, last: float) -> float:
    if given is not None:
        return float(given)
    return min(_TRANSIENT * _relaxation(noise, states), last / 3) if noise is not None and last else last / 3


def _relaxation(noise: StationaryNoise, states: tuple[int, int]) -> float:
    found = relaxation_time(noise, states)
    if math.isfinite(found):
        return found
    raise ConfigError("times: the read-out determines all that it depends on, so that no time follows from it; give times= and transient=")
