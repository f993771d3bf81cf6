"""Which reaction costs the bits: the information of a read-out about a dose when the noise of one reaction at a time is switched off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Unpack

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import orth, solve_continuous_lyapunov

from sciml.arguments import Bound, checked, shown
from sciml.biology.channel import Channel
from sciml.biology.information.mutual import mutual_information
from sciml.biology.kernels.derivatives import partials
from sciml.biology.network import Network
from sciml.biology.probabilities import checked_law
from sciml.biology.simulation.jump_model import CountingOptions, JumpModel, jump_model, observed
from sciml.biology.simulation.linear_noise import stationary_noise
from sciml.biology.simulation.requests import Seed
from sciml.biology.transmission.linear_rates import LinearRates
from sciml.errors import ConfigError, ConvergenceError, DataError
from sciml.report import KeyFigure, KeyFigures, Section, Table, bars

__all__ = ["ReactionBits", "bits_per_reaction", "normal_information"]

_NODES, _REACH = 1201, 9.0  # of the quadrature over each dose's normal law, in standard deviations
_SILENT = 1e-16  # of the largest variance: a law without noise
_RTOL, _ATOL = 1e-9, 1e-12
_PARTS = 10


@dataclass(frozen=True)
class ReactionBits:
    """`gained` [R]: bits that `readout` would tell more of `dose` if the noise of each of `reactions` [R] were silent.

    `gained_error` [R]: standard errors, 0 in linear noise. `bits` with `bits_error`: with all noise, at the input law `p_x` [k] of `doses`
    [k]. In linear noise `mean` [k] and `variance` [k] are those of the read-out, `share` [k, R] is the part of the variance that comes from
    each reaction; else empty. Reactions that change all species by the same numbers are one row.
    """

    dose: str
    readout: str
    doses: np.ndarray
    p_x: np.ndarray
    time: float
    method: str
    bits: float
    bits_error: float
    reactions: tuple[str, ...]
    gained: np.ndarray
    gained_error: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    share: np.ndarray

    def sentence(self) -> str:
        """How to read it."""
        most = int(np.argmax(self.gained))
        when = "at rest" if math.isinf(self.time) else f"at time {self.time:g}"
        return (
            f"{self.readout} {when} tells {self.bits:.3f} bit of {self.dose}; without the noise of {self.reactions[most]} it would tell "
            f"{self.gained[most]:.3f} bit more, the most of {len(self.reactions)} reactions ({self.method} noise)."
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; a time at rest is None."""
        found = {k: v.tolist() if isinstance(v, np.ndarray) else list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}
        return found | {"time": None if math.isinf(self.time) else self.time, "sentence": self.sentence()}

    def to_sections(self) -> list[Section]:
        """Bars of the bits gained, and the table behind them."""
        order = np.argsort(-self.gained)
        names = [self.reactions[r] for r in order]
        columns: dict[str, Any] = {
            "noise silent in": names, "bits gained": self.gained[order].tolist(), "standard error": self.gained_error[order].tolist(),
        }  # fmt: skip
        if self.share.size:
            columns["share of the variance"] = (self.p_x @ self.share)[order].tolist()
        figures = KeyFigures([KeyFigure("information", self.bits, "bit", f"{len(self.doses)} doses, {self.method} noise")])
        drawn = bars("bits per reaction", names, self.gained[order], label="bits gained", caption="By silencing the noise of one reaction.")
        return [Section("Which reaction costs the bits", [figures, drawn, Table("bits per reaction, table", columns)], self.sentence())]


@checked
def bits_per_reaction(
    net: Network,
    dose: str,
    readout: str,
    doses: Any,
    *,
    time: Annotated[float, Bound("a time > 0", lambda t: 0 < t < math.inf)] | None = None,
    p_x: Any = None,
    method: Literal["linear", "langevin"] = "linear",
    n: Annotated[int, Bound("a whole number >= 100", lambda n: 100 <= n < 2**63)] = 1000,
    seed: Seed = 0,
    parameters: dict[str, float] | None = None,
    **counting: Unpack[CountingOptions],
) -> ReactionBits:
    """I(dose; read-out) with the noise of reaction r silent, less that with all noise, for each r; its mean rate stays as it is.

    `dose`: a parameter, or a species whose start it is, set to each of `doses` [k]; `p_x` [k] their law, None for equal shares. `readout`:
    a species or another symbol at `time`, None for at rest. "linear": the covariance of linear noise is a sum over reactions,
    Var = sum_r int a_r (w(s) . v_r)^2 ds with dw/ds = J^T w from the gradient of the read-out, so that one term is left out; information of
    normal responses by quadrature. "langevin": `n` cells a dose at `time` by `simulate_langevin(..., silent=...)`, the same random numbers
    with and without; standard errors by a jackknife over ten tenths of the cells. Gains do not add up to the bits lost in all.

    Raises ConfigError for doses that are no two different numbers, ids the network does not have and a time that "langevin" lacks,
    DataError for a p_x that is no law, ConvergenceError where there is no steady state.
    """
    values = _doses(doses)
    weights = np.full(len(values), 1.0 / len(values)) if p_x is None else checked_law(p_x, "p_x", ("k",))
    if len(weights) != len(values):
        raise DataError(f"p_x: found {len(weights)} probabilities, expected {len(values)}, one for each dose")
    said: dict[str, Any] = {"dose": dose, "readout": readout, "doses": values, "p_x": weights, "method": method}
    if method == "langevin":
        if time is None:
            raise ConfigError("time: method='langevin' simulates until a time; found None")
        if p_x is not None:
            raise ConfigError("p_x: method='langevin' runs as many cells at each dose; found a law, expected None")
        return ReactionBits(**said, **_by_langevin(net, dose, readout, values, float(time), n, seed, parameters, counting))
    rows = [_at_dose(net, {**(parameters or {}), dose: float(value)}, readout, time, counting) for value in values]
    names, means, parts = rows[0][0], np.array([row[1] for row in rows]), np.stack([row[2] for row in rows])
    variance = parts.sum(axis=1)
    bits = normal_information(means, variance, weights)
    quieter = [normal_information(means, variance - parts[:, r], weights) for r in range(len(names))]
    share = np.divide(parts, variance[:, None], out=np.zeros_like(parts), where=variance[:, None] > 0)
    return ReactionBits(
        **said, time=math.inf if time is None else float(time), bits=bits, bits_error=0.0, reactions=names, gained=np.array(quieter) - bits,
        gained_error=np.zeros(len(names)), mean=means, variance=variance, share=share,
    )  # fmt: skip


def normal_information(means: np.ndarray, variances: np.ndarray, p_x: np.ndarray) -> float:
    """I(X;Y) in bits of inputs with law p_x [k] and normal outputs: sum_i p_i int N_i log2 (N_i / sum_j p_j N_j), by trapezoids."""
    from scipy.special import logsumexp

    used = p_x > 0
    means, variances, weights = means[used], variances[used], p_x[used]
    scale = max(float(np.ptp(means)) ** 2, float(variances.max(initial=0.0)))
    if scale == 0.0:
        return 0.0
    sd = np.sqrt(np.maximum(variances, _SILENT * scale))
    z = np.linspace(-_REACH, _REACH, _NODES)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    found = 0.0
    for i, p in enumerate(weights):
        y = means[i] + sd[i] * z
        logs = -0.5 * ((y[:, None] - means) / sd) ** 2 - np.log(sd)
        found += p * float(density @ (logs[:, i] - logsumexp(logs, axis=1, b=weights)))
    return found / math.log(2)


def _at_dose(
    net: Network, given: dict[str, float], readout: str, time: float | None, counting: Any
) -> tuple[tuple[str, ...], float, np.ndarray]:
    """(reactions, mean of the read-out, variance by reaction [R]) at one dose."""
    if time is None:
        noise = stationary_noise(net, parameters=given, **counting)
        model, y = noise.model, noise.state_mean[0]
        rates = LinearRates(model).at(y)[0]
        basis = orth(model.changes.T.astype(float))
        inner, along = basis.T @ noise.jacobian @ basis, model.changes @ basis
        mean, gradient = _readout(model, readout, y)
        h = basis.T @ gradient
        weight = solve_continuous_lyapunov(inner.T, -np.outer(h, h))
        parts = rates * np.einsum("ri,ij,rj->r", along, weight, along)
    else:
        model = jump_model(net, "bits_per_reaction", parameters=given, single=True, real=True, **counting)
        mean, parts = _until(model, readout, time)
    return tuple(", ".join(c.names) for c in model.jumps.channels), mean, np.maximum(parts, 0.0)


def _until(model: JumpModel, readout: str, time: float) -> tuple[float, np.ndarray]:
    """Mean and variance by reaction [R] at `time` from the start: the course of the mean, then the weight of earlier times backwards."""
    rates, start = LinearRates(model), model.molecules.start[0]
    course = solve_ivp(lambda t, y: rates.drift(y), (0.0, time), start, method="LSODA", rtol=_RTOL, atol=_ATOL, dense_output=True)
    if not course.success:
        raise ConvergenceError(f"{model.name}: the mean of linear noise stopped before {time:g}: {course.message}")
    mean, gradient = _readout(model, readout, course.y[:, -1])
    s = len(start)

    def back(ago: float, z: np.ndarray) -> np.ndarray:
        a, slopes = rates.at(course.sol(time - ago))
        along = rates.changes @ z[:s]
        return np.concatenate([slopes.T @ along, a * along**2])

    z = solve_ivp(back, (0.0, time), np.concatenate([gradient, np.zeros(len(rates.changes))]), method="LSODA", rtol=_RTOL, atol=_ATOL)
    if not z.success:
        raise ConvergenceError(f"{model.name}: the noise at {time:g} cannot be followed back: {z.message}")
    return mean, z.y[s:, -1]


def _readout(model: JumpModel, readout: str, y: np.ndarray) -> tuple[float, np.ndarray]:
    """A symbol's value at a state in molecules, and its gradient [s]."""
    node, graph = model.in_molecules(observed(model.jumps.system, readout)), model.jumps.graph
    row = partials(graph, [node], "state")[0]
    value, *slopes = graph.evaluate([node, *row.values()], states=list(y), params=list(model.molecules.parameters[0]))
    gradient = np.zeros(len(y))
    gradient[list(row)] = [float(v) for v in slopes]
    return float(value), gradient


def _by_langevin(
    net: Network, dose: str, readout: str, doses: np.ndarray, time: float, n: int, seed: int, parameters: Any, counting: Any
) -> dict[str, Any]:  # fmt: skip
    given: dict[str, Any] = {"parameters": parameters, **counting}
    model = jump_model(
        net, "bits_per_reaction", parameters={**(parameters or {}), dose: float(doses[0])}, single=True, real=True, **counting
    )
    channels = [c.names for c in model.jumps.channels]
    loud = _parts_out(Channel.from_network(net, dose, readout, doses, [time], n=n, seed=seed, method="langevin", **given), n)
    gained = []
    for names in channels:
        quiet = Channel.from_network(net, dose, readout, doses, [time], n=n, seed=seed, method="langevin", silent=names, **given)
        gained.append(_parts_out(quiet, n) - loud)
    table = np.array(gained)
    factor = math.sqrt(_PARTS - 1)  # jackknife: (m - 1) / m times the sum of squares of m parts
    return {
        "time": time, "bits": float(loud[0]), "bits_error": float(loud[1:].std() * factor),
        "reactions": tuple(", ".join(c) for c in channels), "gained": table[:, 0], "gained_error": table[:, 1:].std(axis=1) * factor,
        "mean": np.zeros(0), "variance": np.zeros(0), "share": np.zeros((0, 0)),
    }  # fmt: skip


def _parts_out(channel: Channel, n: int) -> np.ndarray:
    """Information of all cells, then without each of ten parts of them, [11]."""
    x, y = channel.samples  # type: ignore[misc]
    part = np.tile(np.arange(n) * _PARTS // n, len(channel.doses))
    kept = [np.ones(len(x), dtype=bool), *(part != k for k in range(_PARTS))]
    return np.array([mutual_information(x[rows], y[rows], x_kind="discrete", interval="none").bits for rows in kept])


def _doses(doses: Any) -> np.ndarray:
    try:
        found = np.asarray(doses, dtype=float)
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.ndim != 1 or len(np.unique(found)) < 2 or len(np.unique(found)) < len(found) or not np.isfinite(found).all():
        raise ConfigError(f"doses: found {shown(doses)}, expected at least two different numbers")
    return found
