"""Equations that look back in time, `delay(x, d)`: the method of steps on the run's own dense history.

Before time 0 nothing moves but what initial assignments and rules say of that time (SBML level 3, section 3.4.8). Steps are no longer than
the shortest lag; where something jumps it is felt again one lag later, and those times are break points.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from typing import Any

import numpy as np

from sciml.biology.kernels.native import Native, native
from sciml.biology.simulation import step_control as steps
from sciml.biology.simulation.run import Run
from sciml.biology.simulation.tsitouras import DENSE, ERROR, NODES, WEIGHTS
from sciml.errors import DataError

__all__ = ["DelayedRun"]

_DEEPEST = 5  # so often a jump is followed from lag to lag; each time the solution is smoother by one derivative
_SHORTEST = 1e-5  # of the run: shorter lags do not hold the step back


class _History:
    """The steps made so far: polynomials, each from its start to the next one's."""

    def __init__(self) -> None:
        self.begins: list[float] = []
        self.steps: list[tuple[float, np.ndarray]] = []

    def add(self, t: float, h: float, poly: np.ndarray) -> None:
        self.begins.append(t)
        self.steps.append((h, poly))

    def at(self, t: float) -> np.ndarray:
        """[n]: the state at an earlier time from 0 on; a little beyond the last step, its continuation."""
        place = bisect.bisect_right(self.begins, t) - 1
        h, poly = self.steps[place]
        s = (t - self.begins[place]) / h
        return poly[0] + s * (poly[1] + s * (poly[2] + s * (poly[3] + s * poly[4])))


class DelayedRun(Run):
    """A run with lags. They follow parameters and modes in p."""

    def begin(self, y: np.ndarray, p: np.ndarray) -> None:
        """What is remembered starts before the run."""
        super().begin(y, p)
        count, lags = self.equations.parameters, self.system.lags
        self.remembered: list[Native] = [native(self.system.graph, [what], count) for what, _ in lags]
        self.ago: list[Native] = [native(self.system.graph, [ago], count) for _, ago in lags]
        self.history, self.jumps = _History(), [(0.0, 0)]
        self.start, self.row = (y.copy(), p[: len(self.system.parameters)].copy()), len(self.lags)
        g = self.system.graph
        self.behind = [tuple(sorted(g.leaves(lag, "lag"))) for lag in lags]
        self.moves = bool(self.system.start.leaves((*self.system.state_start, *self.system.parameter_start), "time"))
        self.fixed = [not any(g.leaves([ago], kind) for kind in ("state", "time", "lag")) for _, ago in lags]

    def look_back(self, t: float, y: np.ndarray, p: np.ndarray, wanted: Iterable[int] | None = None) -> None:
        """Write what the lags (all, or those `wanted`) give at time t into p; what stands in another is made before it."""
        count = self.equations.parameters
        for index in range(len(self.ago)) if wanted is None else wanted:
            if wanted is not None:
                self.look_back(t, y, p, self.behind[index])
            lag = float(self.ago[index](t, y, p)[0])
            if not lag >= 0:
                name = self.system.network.id
                raise DataError(f"{name}: delay() looks back by {lag:g} at time {t:.6g}: a delay must not be negative")
            if lag == 0:
                p[count + index] = self.remembered[index](t, y, p)[0]
                continue
            then, before = self._earlier(t - lag, y, p)
            self.look_back(t - lag, then, before, self.behind[index])
            p[count + index] = self.remembered[index](t - lag, then, before)[0]

    def _earlier(self, t: float, y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(y, p) at an earlier time."""
        before = p.copy()
        if t >= 0:
            return self.history.at(t) if self.history.begins else y, before
        then, numbers = self.start
        if self.moves:
            starts = self.system.begin(self.given, t)
            then, numbers = (np.atleast_2d(part)[self.row if np.ndim(part) > 1 else 0] for part in starts)
        before[: len(numbers)] = numbers
        return then, before

    def next_break(self, t: float, y: np.ndarray, p: np.ndarray) -> float:
        """The next time at which an earlier jump is felt through a lag that does not change."""
        lags = [float(ago(t, y, p)[0]) for ago, fixed in zip(self.ago, self.fixed, strict=True) if fixed]
        ahead = [(jump + lag * times) for jump, _ in self.jumps for lag in lags if lag > 0 for times in range(1, _DEEPEST + 1)]
        sums = {a + b for a in lags for b in lags if len(lags) > 1}
        ahead += [jump + both for jump, _ in self.jumps for both in sums]
        return min([a for a in ahead if a > t * (1 + 1e-14) + 1e-300] + [super().next_break(t, y, p)])

    def jumped(self, t: float) -> None:
        """Something was not smooth at time t."""
        self.jumps.append((t, 0))
        del self.jumps[:-200]

    def advance(self, y: Any, p: Any, marks: Any, out: Any, scale: Any, real: Any, whole: Any) -> None:
        """From real[0, T] to real[0, STOP], or to where a condition changes: explicit steps of order 5(4)."""
        one = real[0]
        t, h, stop = float(one[steps.T]), float(one[steps.H]), float(one[steps.STOP])
        state, rhs, k = y[0], self.equations.rhs, np.empty((7, y.shape[1]))
        h = h if h > 0 else 1e-4 * (stop - t)
        begin, inside = t, min(1e-14 * stop, 0.25 * (stop - t))  # a jump that is felt at an end belongs to the other side of it
        tries = 0
        status = steps.DONE
        while t < stop:
            self.look_back(max(t, begin + inside), state, p[0])
            k[0] = rhs(t, state, p[0])
            lags = [lag for ago in self.ago if (lag := float(ago(t, state, p[0])[0])) > 0]
            h = min(h, max(min(lags, default=np.inf), _SHORTEST * float(self.grid[-1])))
            ends = t + 1.001 * h >= stop
            h = stop - t if ends else h
            new = self._stages(t, h, state, p[0], k, (begin + inside, stop - inside))
            change = h * np.maximum(np.abs(k[0]), np.abs(k[6]))
            size = np.maximum(np.abs(state), np.abs(new))
            allowed = self.rtol * size + self.absolute + self.floor * np.maximum(np.maximum(scale[0], size), change)
            off = np.abs(h * (ERROR @ k))
            error = float(np.max(np.divide(off, allowed, out=np.where(off > 0, np.inf, 0.0), where=allowed > 0), initial=0.0))
            whole[0, steps.CALLS] += 6
            if not error <= 1:
                whole[0, steps.REJECTED] += 1
                tries += 1
                whole[0, steps.WORST] = int(np.argmax(np.nan_to_num(off / np.where(allowed > 0, allowed, 1), nan=np.inf)))
                h *= max(0.1, 0.9 * error**-0.2) if np.isfinite(error) else 0.1
                if t + h == t or tries > 100:
                    status = steps.FAILED
                    break
                continue
            tries = 0
            whole[0, steps.STEPS] += 1
            poly = np.concatenate([state[None], h * (DENSE @ k)])
            self.history.add(t, h, poly)
            new_t = stop if ends else t + h
            if len(marks) and (change_at := self._crossed(t, h, p[0], marks)) is not None:
                new_t, new, status = change_at, self.history.at(change_at), steps.CROSSED
            self._hand_out(t, h, poly, new_t, out[0], whole[0], whole_step=not (ends or status == steps.CROSSED))
            t = new_t
            state[:] = new
            np.maximum(scale[0], np.abs(new), out=scale[0])
            h *= min(8.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.2))
            if status == steps.CROSSED:
                break
        one[steps.T], one[steps.H], whole[0, steps.STATUS] = t, h, status
        self.require_success(y, p, real, whole)

    def _stages(self, t: float, h: float, y: np.ndarray, p: np.ndarray, k: np.ndarray, within: tuple[float, float]) -> np.ndarray:
        for stage in range(1, 7):
            now, z = t + NODES[stage - 1] * h, y + h * (WEIGHTS[stage - 1, :stage] @ k[:stage])
            self.look_back(min(max(now, within[0]), within[1]), z, p)
            k[stage] = self.equations.rhs(now, z, p)
        return z

    def _crossed(self, t: float, h: float, p: np.ndarray, marks: np.ndarray) -> float | None:
        """The first time in the step at which a condition is not as in `marks`."""

        def state(time: float) -> np.ndarray:
            found = self.history.at(time)
            self.look_back(time, found, p)
            return found

        return self.equations.conditions.first_change(t, h, state, p, marks)

    def _hand_out(self, t: float, h: float, poly: np.ndarray, new_t: float, out: Any, whole: Any, *, whole_step: bool) -> None:
        next = int(whole[steps.NEXT])
        while next < len(self.grid) and (self.grid[next] < new_t or (whole_step and self.grid[next] <= new_t)):
            s = (self.grid[next] - t) / h
            out[next] = poly[0] + s * (poly[1] + s * (poly[2] + s * (poly[3] + s * poly[4])))
            next += 1
        whole[steps.NEXT] = next

    def eventful(self, y: np.ndarray, p: np.ndarray, out: np.ndarray, scale: Any, real: Any, whole: Any) -> None:
        """As it is for any run; `lags` [T, L] are what the lags give at the times of the grid."""
        super().eventful(y, p, out, scale, real, whole)
        lags = np.empty((len(self.grid), len(self.system.lags)))
        for row, (t, state) in enumerate(zip(self.grid, out[0], strict=True)):
            self.look_back(float(t), state, p[0])
            lags[row] = p[0, self.equations.parameters :]
        self.lags.append(lags)
