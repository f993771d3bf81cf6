"""One local minimum inside bounds: the trust-region reflective method of the package fides, with the Fisher information as its Hessian.

Coleman and Li, SIAM J. Optim. 6 (1996) 418; Froehlich and Sorger, PLoS Comput. Biol. 18 (2022) e1010322. Of scipy's methods those that
take bounds use either residuals alone (no estimated noise, no Laplace noise) or no information matrix.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from sciml.errors import ConvergenceError, DataError

__all__ = ["Minimum", "minimise"]

Evaluated = tuple[float, np.ndarray, np.ndarray]
"""Value, gradient [K] and information [K, K] at a point."""

_FLAT = 1e-9  # norm of a gradient that is none
_EDGE = 1e-9  # of the width between bounds: where starts on a bound are put


@dataclass(frozen=True)
class Minimum:
    """Where it ended: point x [K], value, `iterations`; `converged` False where the iterations ran out or no step helped any more."""

    x: np.ndarray
    value: float
    iterations: int
    converged: bool


def minimise(
    evaluate: Callable[[np.ndarray], Evaluated],
    x: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    *,
    tolerance: float = 1e-8,
    iterations: int = 500,
) -> Minimum:
    """From x [K] to a minimum with lower <= x <= upper. `tolerance`: of the value, absolute.

    A point that has no value (`evaluate` raises DataError or ConvergenceError) is stepped back from; at the start the error is raised.
    """
    edge = _EDGE * np.where(np.isfinite(upper - lower), upper - lower, 1.0)
    begin = np.clip(x, lower + edge, upper - edge)
    first = evaluate(begin)
    known: dict[bytes, Evaluated] = {begin.tobytes(): first}

    def function(at: np.ndarray) -> Evaluated:
        found = known.pop(at.tobytes(), None)
        if found is not None:
            return found
        try:
            return evaluate(at)
        except (DataError, ConvergenceError):
            return float("inf"), np.zeros_like(at), np.zeros((len(at), len(at)))

    if np.linalg.norm(first[1]) <= _FLAT:
        return Minimum(begin, first[0], 0, True)
    from fides import Options

    options = {Options.FATOL: tolerance, Options.FRTOL: 0.0, Options.GATOL: _FLAT, Options.MAXITER: iterations}
    optimiser = _quiet()(function, ub=upper, lb=lower, options=options)
    try:
        with np.errstate(all="ignore"):
            optimiser.minimize(begin)
    except RuntimeError as error:  # a gradient that is not finite
        raise ConvergenceError(f"optimiser: {' '.join(str(error).split())[:200]}") from error
    return Minimum(np.array(optimiser.x_min), float(optimiser.fval_min), int(optimiser.iteration), bool(optimiser.converged))


@cache
def _quiet() -> Any:
    """The optimiser, with our logger in the place of one that it makes, and never gives up, for every run."""
    from fides import Optimizer

    ours = logging.getLogger("sciml.biology.fitting.minimum")
    ours.setLevel(logging.ERROR)

    class Quiet(Optimizer):
        logger: Any

        def _reset(self, start_id: str | None = None) -> None:
            super()._reset(start_id)
            made = self.logger
            for handler in list(made.handlers):
                made.removeHandler(handler)
                handler.close()
            logging.Logger.manager.loggerDict.pop(made.name, None)
            self.logger = ours

    return Quiet
