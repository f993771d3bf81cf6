"""Networks whose information between traces is known, and the exact rates."""

from __future__ import annotations

import numpy as np
from scipy.integrate import quad, solve_ivp

from sciml.biology.network import Network, Reaction

parse = Reaction.parse


def motif(kappa: float, lam: float = 1.0, rho: float = 1.0, mu: float = 1.0) -> Network:
    """0 -> S -> 0, S -> S + X, X -> 0, begun at its means."""
    reactions = [parse("in", "-> S", rate=kappa), parse("out", "S ->", rate=lam), parse("make", "S -> S + X", rate=rho),
                 parse("decay", "X ->", rate=mu)]  # fmt: skip
    start = {"S": round(kappa / lam), "X": round(kappa * rho / lam / mu)}
    return Network("motif", species=start, reactions=reactions)


def gene(on: float, off: float, rho: float) -> Network:
    """A promoter that switches and makes X while it is on."""
    reactions = [parse("open", "Off -> On", rate=on), parse("close", "On -> Off", rate=off), parse("make", "On -> On + X", rate=rho),
                 parse("decay", "X ->", rate=1.0)]  # fmt: skip
    return Network("gene", species={"Off": 1, "On": 0, "X": 0}, reactions=reactions)


def gene_rate(on: float, off: float, rho: float) -> float:
    """rho E[S ln S - S^ ln S^] in nats per time with S^ = P(on | X).

    It is 1 when an X is made; then dS^/dt = on (1 - S^) - off S^ - rho S^ (1 - S^).
    """

    def slopes(t: float, z: np.ndarray) -> list[float]:
        s, quiet = z[0], z[1]
        return [on * (1 - s) - off * s - rho * s * (1 - s), -rho * s * quiet, quiet, -quiet * s * np.log(max(s, 1e-300))]

    found = solve_ivp(slopes, (0.0, 400.0 / min(on, off, rho)), [1.0, 1.0, 0.0, 0.0], method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
    return rho * found[3] / found[2]


def cascade(copies: float, fast: float = 1.0) -> Network:
    """0 -> S -> 0, S -> S + H, H -> 0, H -> H + X, X -> 0."""
    reactions = [parse("in", "-> S", rate=copies), parse("out", "S ->", rate=1.0), parse("a", "S -> S + H", rate=fast),
                 parse("b", "H ->", rate=fast), parse("make", "H -> H + X", rate=2.0), parse("decay", "X ->", rate=2.0)]  # fmt: skip
    return Network("cascade", species={"S": copies, "H": copies, "X": copies}, reactions=reactions)


def cascade_rate(fast: float = 1.0) -> float:
    """(1 / 4 pi) int ln (spectrum of d X+ / spectrum of it with S given) dw in nats per time, for `cascade` in linear noise."""

    def density(w: float) -> float:
        given = 2 * fast / (w**2 + fast**2)  # spectra per copy; that of S is 2 / (w^2 + 1)
        driven = fast**2 * (2 / (w**2 + 1)) / (w**2 + fast**2)
        return float(np.log((4 * (given + driven) + 2) / (4 * given + 2)))

    return quad(density, 0, np.inf, epsrel=1e-10)[0] / (2 * np.pi)


def loop(copies: float) -> Network:
    """The motif with its output closing its input."""
    reactions = [parse("in", "-> S", law=f"{2 * copies} / (1 + X / {copies})"), parse("out", "S ->", rate=1.0),
                 parse("make", "S -> S + X", rate=1.0), parse("decay", "X ->", rate=1.0)]  # fmt: skip
    return Network("loop", species={"S": copies, "X": copies}, reactions=reactions)
