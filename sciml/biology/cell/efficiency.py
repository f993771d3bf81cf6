"""How close a cell comes to the best trade-off between what its signal knows of the ligand and of the environment."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np

from sciml.arguments import Bound, Seed, checked, shown
from sciml.biology.cell.environments import Environments, checked_environments
from sciml.biology.cell.ligand_decoder import ligand_posteriors
from sciml.biology.cell.readouts import T95, Replicates, enumerated, from_posteriors, replicated, spread_of_halves
from sciml.biology.cell.result import Bits, CellEfficiency
from sciml.biology.channel import Channel
from sciml.biology.information.bottleneck import bottleneck_curve
from sciml.biology.information.bottleneck_result import BottleneckCurve
from sciml.biology.information.samples import Pair, checked_pair
from sciml.errors import ConfigError, DataError

__all__ = ["Reading", "cell_efficiency", "environment_curve", "placed"]

_Rate = Annotated[float, Bound("bits >= 0", lambda rate: 0 <= rate < math.inf)]
_NOTHING = 1e-9  # bits
_BEYOND = 5.0  # standard errors above 1 that no chance explains


@dataclass(frozen=True)
class Reading:
    """How the signal was read, and from how many bits on an efficiency means something."""

    readout: str
    hold_ligand: bool
    min_rate: float
    seed: int


@checked
def cell_efficiency(
    p_environment: Any,
    p_ligand_given_environment: Any,
    channel: Channel,
    *,
    expression: Channel | str | None = None,
    doses: Any = None,
    readout: Literal["snapshot", "trace"] | None = None,
    hold_ligand: bool | None = None,
    environment: Any = None,
    min_rate: _Rate = 0.01,
    cost: Any = None,
    cost_unit: str = "",
    seed: Seed = 0,
) -> CellEfficiency:
    """I(S;E) over the information bottleneck's curve of (E, L) at the same I(S;L).

    `p_environment` [nE], `p_ligand_given_environment` [nE, nL] with one column for each dose of `channel` (`doses=` [nL]: for other ligand
    amounts, interpolated). A channel of a matrix p(s|l) is enumerated; one of cells or of a network is estimated from held-out cells at
    each dose, however many there are of each, with everything resampled jointly. `expression`: a second channel on the same doses, or the
    name of a second read-out of the same trajectories; I(G;E) and I(G;L) are None without it. `environment` [n]: in which environment each
    cell of the samples was, to hold E - L - S against the data. `cost` a number or [nL]: what the signal costs at each dose (molecules or
    ATP a second, `cost_unit`), averaged over p(L).

    An efficiency is `defined` where E - L - S is a Markov chain (the ligand held while the signal is read, or S a whole trace), not
    rejected by the data, and I(S;L) is at least `min_rate` bit; otherwise `why_not` says what is missing. Raises DataError for laws that
    are none, for an efficiency above 1 beyond the bracket (matrix) or by more than 5 standard errors (samples): then p(L|E) and the
    channel do not belong together; ConfigError for options that do not apply to the channel.
    """
    environments = checked_environments(p_environment, p_ligand_given_environment, channel.doses, doses)
    curve = environment_curve(environments, seed)
    held = channel.held is not False if hold_ligand is None else hold_ligand
    reading = Reading(readout or ("trace" if channel.readout == "trajectory" else "snapshot"), held, min_rate, seed)
    found = placed(environments, curve, channel, expression, reading, environment)
    _refuse_impossible(found)
    return replace(found, cost=_mean_cost(cost, environments), cost_unit=cost_unit)


def environment_curve(environments: Environments, seed: int) -> BottleneckCurve:
    """The bottleneck's curve of ligand (what is encoded) about environment (what matters)."""
    return bottleneck_curve(environments.joint, seed=seed)


def placed(
    environments: Environments,
    curve: BottleneckCurve,
    channel: Channel,
    expression: Channel | str | None,
    reading: Reading,
    environment: Any = None,
) -> CellEfficiency:
    """The cell in the plane of a curve that is already there; an efficiency above 1 is returned, not refused."""
    if isinstance(expression, str) and channel.p_y_given_x is not None:
        raise ConfigError(f"expression: found {expression!r}, a name; the channel is a matrix, expected a second channel")
    other = channel.with_readout(expression) if isinstance(expression, str) else expression
    if other is not None and (other.p_y_given_x is None) != (channel.p_y_given_x is None):
        raise ConfigError("expression: one channel is a matrix, the other has samples; expected the same kind for both")
    if channel.p_y_given_x is not None:
        if environment is not None:
            raise ConfigError("environment: names of cells go with samples; the channel is a matrix")
        return _enumerated(environments, curve, channel, other, reading)
    return _estimated(environments, curve, channel, other, reading, environment)


def _enumerated(
    environments: Environments, curve: BottleneckCurve, channel: Channel, other: Channel | None, reading: Reading
) -> CellEfficiency:
    signal = enumerated(environments, _matrix(channel, environments))
    gene = enumerated(environments, _matrix(other, environments)) if other is not None else None
    low, high = curve.bound(float(np.clip(signal.ligand, 0, curve.h_x)))
    ends = _ratio(signal.environment, high), _ratio(signal.environment, low)
    why = _reasons(reading, float(curve.i_xy), signal.ligand, gene.ligand if gene else None, 0.0, ends[0])
    return CellEfficiency(
        i_le=float(curve.i_xy), i_ls=_exact(signal.ligand), i_es=_exact(signal.environment),
        i_eg=_exact(gene.environment) if gene else None, i_lg=_exact(gene.ligand) if gene else None,
        bound_low=low, bound_high=high, efficiency=0.5 * sum(ends), efficiency_low=ends[0], efficiency_high=ends[1], efficiency_error=0.0,
        defined=not why, why_not=why, certified=curve.certified, estimator="enumerated", readout=reading.readout, curve=curve,
        seed=reading.seed, notes=environments.notes,
    )  # fmt: skip


def _estimated(
    environments: Environments, curve: BottleneckCurve, channel: Channel, other: Channel | None, reading: Reading, environment: Any
) -> CellEfficiency:
    pairs = _pairs(channel, other)

    def measure(parts: list[Pair], seed: int) -> np.ndarray:
        fits = [ligand_posteriors(environments, part, seed) for part in parts]
        ends = ([fit.fitted[fit.value] for fit in fits], [fit.left_out for fit in fits])
        told = [[from_posteriors(environments, logs, fit.dose, fit.weight) for fit, logs in zip(fits, end, strict=True)] for end in ends]
        return np.array([[value for t in end for value in (t.ligand, t.environment)] for end in told])

    runs = replicated(pairs, measure, reading.seed)
    bits = [Bits(float(b), float(b - T95 * e), float(b + T95 * e), float(e)) for b, e in zip(runs.whole, runs.error, strict=True)]
    efficiency, error = _joint_efficiency(runs, curve)
    bounds = [curve.bound(float(np.clip(v, 0, curve.h_x))) for v in (bits[0].bits, bits[0].low, bits[0].high)]
    low, high = _ratio(bits[1].bits, bounds[0][1]) - T95 * error, _ratio(bits[1].bits, bounds[0][0]) + T95 * error
    why = _reasons(reading, float(curve.i_xy), bits[0].bits, bits[2].bits if other is not None else None, bits[0].standard_error, low)
    why += _chain(pairs[0], environment, reading.seed)
    said = dict.fromkeys(note for pair in pairs for note in pair.y.notes)
    notes = (*environments.notes, *channel.notes, *said)
    if bits[0].bits > curve.h_x:
        notes = (*notes, f"I(S;L) came out above {curve.h_x:.3f} bit, the entropy of L; the curve was read at its end")
    return CellEfficiency(
        i_le=float(curve.i_xy), i_ls=bits[0], i_es=bits[1], i_eg=bits[3] if other else None, i_lg=bits[2] if other else None,
        bound_low=bounds[1][0], bound_high=bounds[2][1], efficiency=efficiency, efficiency_low=low, efficiency_high=high,
        efficiency_error=error, defined=not why, why_not=why, certified=curve.certified,
        estimator="posterior of the dose, fit and left-out cells", readout=reading.readout, curve=curve, n=len(pairs[0]),
        seed=reading.seed, notes=notes,
    )  # fmt: skip


def _joint_efficiency(runs: Replicates, curve: BottleneckCurve) -> tuple[float, float]:
    """(efficiency, standard error): I(S;L), I(S;E) and the bound at I(S;L) move together over the halves."""

    def value(bits: np.ndarray) -> float:
        low, high = curve.bound(float(np.clip(bits[0], 0, curve.h_x)))
        return _ratio(bits[1], 0.5 * (low + high))

    whole, both = value(runs.whole), np.array([[value(half) for half in halves] for halves in runs.halves])
    return whole, float(spread_of_halves(np.asarray(whole), both))


def _reasons(reading: Reading, i_le: float, i_ls: float, i_lg: float | None, error: float, efficiency_low: float) -> tuple[str, ...]:
    """Why an efficiency would not mean what it says."""
    found = []
    if i_le <= _NOTHING:
        found.append("E and L are independent: the ligand tells nothing of the environment, and there is no bound to compare with")
    if reading.readout == "snapshot" and not reading.hold_ligand:
        found.append("a snapshot of a ligand that moves: E - L - S is no Markov chain; hold the ligand or read the whole trace")
    if i_ls < reading.min_rate:
        found.append(f"I(S;L) is {i_ls:.4f} bit, below {reading.min_rate:g}: both sides of the ratio are near 0")
    if i_lg is not None and i_lg > i_ls + T95 * error + 1e-9:
        found.append(f"the expression knows more of the ligand ({i_lg:.3f} bit) than the signal ({i_ls:.3f}): L - S - G is no Markov chain")
    if efficiency_low > 1 + 1e-9:
        found.append(f"the lower end of the efficiency is {efficiency_low:.4f}, above 1: p(L|E) and the channel may not belong together")
    return tuple(found)


def _chain(pair: Pair, environment: Any, seed: int) -> tuple[str, ...]:
    """Whether the cells' environments tell about S beyond what L does."""
    if environment is None:
        return ()
    from sciml.biology.information.conditional import conditional_information

    named = np.asarray(environment)
    if named.shape != (len(pair),):
        raise DataError(f"environment: found {shown(named)}, expected the name of the environment of each of the {len(pair)} cells")
    beyond = conditional_information(pair.y.values, named, _codes(pair), y_kind="discrete", seed=seed)
    if beyond.low <= 0:
        return ()
    return (f"given L, S still tells {beyond.bits:.3f} bit ({beyond.low:.3f} or more) about the environment: E - L - S is rejected",)


def _pairs(channel: Channel, other: Channel | None) -> list[Pair]:
    """(dose, signal) and, with a second read-out, (dose, expression), of the same cells."""
    cells = [made.samples for made in (channel, other) if made is not None]
    pairs = [checked_pair(*both, x_kind="discrete", y_kind="continuous") for both in cells if both is not None]
    if len(pairs) == 2 and not np.array_equal(_codes(pairs[0]), _codes(pairs[1])):
        raise DataError("expression: its cells have other doses than those of the signal; expected the same cells in the same order")
    if len(pairs[0].x.levels) != len(channel.doses):
        raise DataError(f"channel: cells at {len(pairs[0].x.levels)} doses, {len(channel.doses)} doses are named; expected cells at each")
    return pairs


def _codes(pair: Pair) -> np.ndarray:
    if pair.x.codes is None:
        raise DataError("channel: its doses are not discrete")
    return pair.x.codes


def _matrix(channel: Channel, environments: Environments) -> np.ndarray:
    matrix = np.asarray(channel.p_y_given_x)
    if len(matrix) != environments.p_l_given_e.shape[1]:
        raise DataError(f"channel: found {len(matrix)} rows, expected {environments.p_l_given_e.shape[1]}, one a column of p(L|E)")
    return matrix


def _exact(bits: float) -> Bits:
    return Bits(bits, bits, bits)


def _ratio(bits: float, bound: float) -> float:
    return float(bits / bound) if bound > 0 else math.nan


def _refuse_impossible(found: CellEfficiency) -> None:
    """An efficiency above 1 that neither the bracket nor chance explains is a fault of the inputs."""
    limit = 1 + 1e-9 + (_BEYOND * found.efficiency_error if found.n else 0.0)
    point = _ratio(found.i_es.bits, found.bound_high) if not found.n else found.efficiency
    if point > limit:
        beyond = "beyond the bracket of the bound" if not found.n else f"{(point - 1) / found.efficiency_error:.1f} standard errors above 1"
        raise DataError(
            f"cell_efficiency: I(S;E) is {found.i_es.bits:.4f} bit, the most at I(S;L) = {found.i_ls.bits:.4f} is {found.bound_high:.4f}: "
            f"efficiency {point:.4f}, {beyond}; expected p(L|E) and channel of the same doses, and a signal that knows E through L alone"
        )


def _mean_cost(cost: Any, environments: Environments) -> float | None:
    if cost is None:
        return None
    try:
        values = np.asarray(cost, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"cost: found {shown(cost)}, expected numbers") from None
    if values.shape not in ((), environments.p_l.shape) or not np.isfinite(values).all():
        raise DataError(f"cost: found {shown(cost)}, expected a finite number, or one for each of the {len(environments.p_l)} doses")
    return float(environments.p_l @ np.broadcast_to(values, environments.p_l.shape))
