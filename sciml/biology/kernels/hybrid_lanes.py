"""Source of the vectorised hybrid kernel: one trajectory a lane; scarce molecules event by event along the mean path of abundant ones.

Each call goes over `INTERVALS` intervals in every lane. An interval ends at the next event of the channels that fire one by one, at the
end of the lane's step, or where an abundant state has changed by a share. Propensities are straight lines through the start and the
middle of an interval (the midpoint rule), so that the waiting time solves a quadratic equation. What the other channels fire is summed up
as what is expected; whole numbers are drawn where the step ends, outside. Time in a lane counts from the start of its step; a clock below
zero says that a propensity cannot be.
"""

from __future__ import annotations

from dataclasses import dataclass

from sciml.biology.kernels.jumps import Jumps
from sciml.biology.kernels.lanes import LANES, LaneWriter, choice, header, waiting

__all__ = ["BUDGET", "CLOCK", "END", "GENERATOR", "INTERVALS", "MOST_EVENTS", "SHARE", "WAIT", "HybridProgram", "hybrid_program"]

INTERVALS = 4
MOST_EVENTS = 100  # single events in a step: then what is abundant is looked at again
_MOST_CHANNELS, _MOST_LINES = 32, 800
_SHORT = "np.float32(1e-12)"  # the shortest waiting time
_FURTHER = 1.25  # how far beyond the guessed length of an interval its straight lines are trusted
# rows behind the states, the coefficients, the marks and the firings of the channels
WAIT, CLOCK, END, BUDGET, SHARE, GENERATOR = range(6)


@dataclass(frozen=True)
class HybridProgram:
    """Generated text, and what goes into the rows of a lane.

    Rows of float32, `LANES` wide: states along the path, `single` (nodes of coefficients), marks of channels (1: by whole steps, 0: one by
    one), firings in the step (expected; or made), then WAIT (in units of 1 / hazard), CLOCK, END, BUDGET (of expected firings), SHARE (by
    which a state may change in an interval), four words of the generator. `double`: nodes of the coefficients in double precision.
    """

    source: str
    states: int
    channels: int
    single: tuple[int, ...]
    double: tuple[int, ...]

    @property
    def marks(self) -> int:
        """The first row of marks."""
        return self.states + len(self.single)

    @property
    def firings(self) -> int:
        """The first row of firings."""
        return self.marks + self.channels

    @property
    def further(self) -> int:
        """The row of WAIT."""
        return self.firings + self.channels

    @property
    def rows(self) -> int:
        """Rows of float32."""
        return self.further + GENERATOR + 4


def hybrid_program(jumps: Jumps) -> HybridProgram | None:
    """The program of a jump process; None where it has time, events or rate rules, or is too large to be compiled."""
    if jumps.events or jumps.flows or jumps.timed or not all(jumps.counted) or len(jumps.channels) > _MOST_CHANNELS:
        return None
    writer = LaneWriter(jumps)
    if not writer.fits:
        return None
    channels = jumps.channels
    found = HybridProgram("", len(jumps.system.states), len(channels), tuple(writer.single), tuple(writer.double))
    used = sorted({s for c in channels for s, _ in c.change} | jumps.graph.leaves([c.node for c in channels], "state"))
    moved = sorted({s for c in channels for s, _ in c.change})
    rows = {f"x{s}": s for s in used}
    rows |= {f"k{j}": found.states + j for j in range(len(found.single))}
    rows |= {f"l{r}": found.marks + r for r in range(len(channels))}
    rows |= {f"n{r}": found.firings + r for r in range(len(channels))}
    rows |= {name: found.further + j for j, name in enumerate(("wait", "t", "end", "budget", "share"))}
    lines = [f"{name} = w[{row * LANES} + i]" for name, row in rows.items()]
    lines += [f"d{j} = d[{j * LANES} + i]" for j in range(len(found.double))]
    lines += [f"s{j} = as_bits(w[{(found.further + GENERATOR + j) * LANES} + i])" for j in range(4)]
    lines += [*writer.laws, *_interval(jumps, moved, used, writer), *_event(jumps), *_end(jumps, moved)]
    kept = [*(f"x{s}" for s in moved), *(f"n{r}" for r in range(len(channels))), "wait", "t", "end"]
    lines += [f"w[{rows[name] * LANES} + i] = {name}" for name in kept]
    lines += [f"w[{(found.further + GENERATOR + j) * LANES} + i] = as_float(s{j})" for j in range(4)]
    if len(lines) > _MOST_LINES:
        return None
    body = "".join(f"            {line}\n" for line in lines)
    source = f"{header()}\n\ndef f(w, d):\n    for _ in range({INTERVALS}):\n        for i in range({LANES}):\n{body}"
    return HybridProgram(source, found.states, found.channels, found.single, found.double)


def _sum(terms: list[str]) -> str:
    return " + ".join(terms) or "F0"


def _effects(jumps: Jumps, rate: str) -> dict[int, str]:
    """{state: what the channels that go by whole steps change it by}, `rate` in terms of a channel's number."""
    found: dict[int, list[str]] = {}
    for r, channel in enumerate(jumps.channels):
        for state, by in channel.change:
            found.setdefault(state, []).append(f"np.float32({by}) * {rate.format(r)}")
    return {state: _sum(terms) for state, terms in found.items()}


def _interval(jumps: Jumps, moved: list[int], used: list[int], writer: LaneWriter) -> list[str]:
    """The length `span` of the interval, whether an event ends it, and the path to its end."""
    count = range(len(jumps.channels))
    drift = _effects(jumps, "p{}")
    lines = ["live = t < end", "run = both(sound, live)", *(f"p{r} = l{r} * a{r}" for r in count)]
    lines += ["hazard = " + _sum([f"(a{r} - p{r})" for r in count]), "rest = end - t"]
    lines += ["guess = wait / hazard", "tau = select(guess < rest, guess, rest)"]
    # no more than twice what is foreseen for a whole step, where a scarce event has made abundant reactions much faster
    lines += ["most = F2 * budget / (" + _sum([f"p{r}" for r in count]) + ")", "tau = select(most < tau, most, tau)"]
    for s in moved:
        lines += [f"g{s} = {drift[s]}", f"most = share * x{s} / abs(g{s})", "tau = select(most < tau, most, tau)"]
    lines += [f"y{s} = x{s} + HALF * tau * g{s}" if s in moved else f"y{s} = x{s}" for s in used]
    lines += writer.rates("y", "q")
    lines += ["middle = " + _sum([f"(q{r} - l{r} * q{r})" for r in count])]
    lines += ["square = hazard * hazard + F4 * (middle - hazard) / tau * wait"]
    lines += ["span = F2 * wait / (hazard + math.sqrt(select(square > F0, square, F0)))"]
    lines += [f"fire = both(both(run, square > F0), both(span <= np.float32({_FURTHER}) * tau, span <= rest))"]
    lines += ["span = select(fire, span, tau)", "part = span / tau"]
    for r in count:
        lines += [f"q{r} = part * (q{r} - a{r})", f"p{r} = select(run, l{r} * span * (a{r} + q{r}), F0)", f"n{r} += p{r}"]
    lines += [f"x{s} += {drift[s]}" for s in moved]
    lines += ["wait = select(run, wait - span * middle, wait)", "after = select(both(tau == rest, same(fire, False)), end, t + span)"]
    return [*lines, "t = select(run, after, select(only(live, sound), select(t < F0, t, -t - TINY), t))"]


def _event(jumps: Jumps) -> list[str]:
    """The channel that fires, by its propensity at the end of the interval, and the next waiting time."""
    count = range(len(jumps.channels))
    lines = []
    for r in count:
        lines += [f"a{r} = (F1 - l{r}) * (a{r} + F2 * q{r})", f"a{r} = select(a{r} > F0, a{r}, F0)"]
    lines += ["total = " + _sum([f"a{r}" for r in count]), *waiting(), "target = v * GRAIN * total", *choice(jumps.channels)]
    lines += [f"n{r} += select(h{r}, F1, F0)" for r in count]
    # a draw that rounding puts behind the last channel is made again at once
    return [*lines, "wait = select(fire, select(found, abs(logarithm), F0), wait)", f"wait = select(wait > {_SHORT}, wait, {_SHORT})"]


def _end(jumps: Jumps, moved: list[int]) -> list[str]:
    """Where a step ends before its end."""
    count = range(len(jumps.channels))
    change = _effects(jumps, "l{0} * n{0}")
    lines = ["expected = " + _sum([f"l{r} * n{r}" for r in count]), "events = " + _sum([f"n{r}" for r in count]) + " - expected"]
    lines += [f"goes = both(expected <= budget, events < np.float32({MOST_EVENTS}))"]
    lines += [f"goes = both(goes, abs({change[s]}) <= F2 * share * x{s})" for s in moved]
    return [*lines, "end = select(only(run, goes), t, end)"]
