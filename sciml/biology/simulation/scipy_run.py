"""The same runs by scipy's Radau: slow, and written by others, for comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.biology.simulation import step_control as steps
from sciml.biology.simulation.run import Run
from sciml.errors import ConvergenceError

__all__ = ["ScipyRun"]


class ScipyRun(Run):
    """Steps by `scipy.integrate.Radau`; events and break points as in any run."""

    def run_roughly(self, states: np.ndarray, numbers: np.ndarray, scale: np.ndarray) -> None:
        """By our own steps: only sizes are asked for."""
        self.plain().run_roughly(states, numbers, scale)

    def advance(self, y: Any, p: Any, marks: Any, out: Any, scale: Any, real: Any, whole: Any) -> None:
        """Each row from real[b, T] to real[b, STOP], or to where a condition changes."""
        for b in range(len(y)):
            self._one(y[b], p[b], marks, out[b], scale[b], real[b], whole[b])

    def _one(self, y: Any, p: Any, marks: Any, out: Any, scale: Any, real: Any, whole: Any) -> None:
        from scipy.integrate import Radau

        t, stop, rhs = float(real[steps.T]), float(real[steps.STOP]), self.equations.rhs
        whole[steps.STATUS] = steps.DONE
        if t >= stop:
            return
        size = np.maximum(scale, (stop - t) * np.abs(rhs(t, y, p))).max(initial=0.0)
        allowed = self.absolute + np.maximum(self.floor * scale, max(1e-140 * size, 1e-290))  # scipy divides by it, and squares
        solver = Radau(lambda time, state: rhs(time, state, p), t, y.copy(), stop, rtol=self.rtol, atol=allowed)
        while solver.status == "running":
            message = solver.step()
            if solver.status == "failed":
                raise ConvergenceError(f"{self.system.network.id}: scipy stopped at time {solver.t:.9g}: {message}")
            whole[steps.STEPS] += 1
            begin, end, dense = solver.t_old, solver.t, solver.dense_output()
            change = self.equations.conditions.first_change(begin, end - begin, dense, p, marks)
            last = change is not None or solver.status == "finished"
            new_t = end if change is None else change
            next = int(whole[steps.NEXT])
            at_end = not last or whole[steps.TO_THE_END]
            while next < len(self.grid) and (self.grid[next] < new_t or (at_end and self.grid[next] <= new_t)):
                out[next] = dense(self.grid[next])
                next += 1
            whole[steps.NEXT] = next
            y[:] = solver.y if change is None else dense(change)
            real[steps.T] = new_t
            np.maximum(scale, np.abs(y), out=scale)
            if change is not None:
                whole[steps.STATUS] = steps.CROSSED
                break
        whole[steps.CALLS] += solver.nfev
