"""How the information of a model's read-out about its dose moves with rate constants, by coupled pairs of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from sciml.biology.channel import Channel
from sciml.biology.dose_simulation import DoseSimulation
from sciml.biology.information.dose_decoder import likelihood_ratios
from sciml.biology.information.doses import dosed
from sciml.biology.information.samples import Pair, checked_side
from sciml.biology.kernels.symbols import values_given
from sciml.biology.network import nearest
from sciml.biology.simulation.extrinsic import cell_options
from sciml.biology.simulation.jump_model import jump_model
from sciml.biology.simulation.trajectories import Trajectories
from sciml.biology.transmission.coupled_runs import coupled_pairs
from sciml.errors import ConfigError
from sciml.seeding import derive

__all__ = ["Derivative", "information_gradient"]

_STEP = 0.1  # of the parameter, to either side: the error of the difference is of its square
_COUNTING = ("initial", "substance", "split_reversible", "discrete_mass_action")


@dataclass(frozen=True)
class Derivative:
    """d bits / d parameter, `value` with its `standard_error`; `at`: the parameter's value."""

    value: float
    standard_error: float
    at: float

    def to_dict(self) -> dict[str, float]:
        """JSON-able."""
        return asdict(self)


def information_gradient(channel: Channel, p_x: np.ndarray, wrt: Sequence[str], seed: int) -> dict[str, Derivative]:
    """dI / d theta in bits at the input law `p_x` [k] of a simulated channel, for each parameter or start `wrt`.

    dI/d theta = sum_i p_i sum_y (d p(y|i) / d theta) log2 p(y|i) / p(y), the other terms being zero; at the optimal input it is the
    gradient of the capacity too. The sum is a central difference of the log ratio between pairs of exact runs at 0.9 and 1.1 theta, which
    share reactions, cells and instrument (`coupled_pairs`), as many as the channel has cells; the log ratio is that of a classifier that
    tells the doses of these runs, each run judged without itself. Raises ConfigError for ids that the network does not have, the dose, a
    value of zero, and runs that do not begin at the network's start.
    """
    run = channel.simulation
    if run is None:
        raise ConfigError("wrt: this channel is no simulated model, whose parameters could be moved")
    if not wrt:
        return {}
    if run.method != "ssa" or run.options.get("start", "given") != "given":
        raise ConfigError("wrt: pairs of runs are exact and begin at the network's start; expected method='ssa' and start='given'")
    known = values_given(run.network)
    for name in wrt:
        if name not in known:
            raise ConfigError(f"wrt: {name!r} is no parameter or species of {run.network.id!r}{nearest(name, known)}")
        if name == run.dose or name in (run.extrinsic or {}):
            raise ConfigError(f"wrt: found {name!r}, expected one that is not the dose and not drawn for each cell")
        if not (np.isfinite(_base(run, name)) and _base(run, name) != 0):
            raise ConfigError(f"wrt: {name!r} is {_base(run, name):g}; a relative step needs a number that is not zero")
    return {name: _derivative(channel, run, p_x, name, seed) for name in wrt}


def _base(run: DoseSimulation, name: str) -> float:
    return float((run.options.get("parameters") or {}).get(name, values_given(run.network)[name]))


def _derivative(channel: Channel, run: DoseSimulation, p_x: np.ndarray, name: str, seed: int) -> Derivative:
    base = _base(run, name)
    step = _STEP * abs(base)
    y = _responses(channel, run, [{name: base - step}, {name: base + step}], derive(seed, "gradient", name))
    x = np.tile(run.x, 2)
    # both sides of the step are drawn alike, so many rows stand twice: no fault here
    pair = Pair(checked_side(x, "doses", "discrete"), checked_side(y.reshape(len(x), -1), "responses"))
    logs = likelihood_ratios(dosed(pair), derive(seed, "ratios")).left_out
    used = p_x > 0
    mixed = np.log2(np.exp2(logs[:, used]) @ p_x[used])
    own = np.tile(np.repeat(np.arange(len(run.doses)), run.n), 2)
    ratio = (logs[np.arange(len(x)), own] - mixed).reshape(2, len(run.doses), run.n)
    moved = (ratio[1] - ratio[0]) / (2 * step)
    error = np.sqrt(np.sum(p_x**2 * moved.var(axis=1, ddof=1) / run.n))
    return Derivative(float(p_x @ moved.mean(axis=1)), float(error), base)


def _responses(channel: Channel, run: DoseSimulation, sides: Sequence[Mapping[str, float]], seed: int) -> np.ndarray:
    """[2, k n, columns]: what is read of the cells of both sides of a pair."""
    net, cells = run.simulated, len(run.x)
    given, initial = cell_options(net, run.extrinsic, cells, seed, run.options.get("parameters"), run.options.get("initial"))
    counting = {name: run.options[name] for name in _COUNTING if name in run.options} | {"initial": initial}
    one, other = (jump_model(net, "wrt", n=cells, seed=seed, parameters={**given, run.dose: run.x, **side}, **counting) for side in sides)
    times = np.sort(run.times if channel.times is None else channel.times)
    found = []
    for model, states in zip((one, other), coupled_pairs((one, other), times, cells, seed), strict=True):
        amounts = states / model.jumps.molecules if model.molecules.per_unit else states
        course = Trajectories(model.jumps.system, times, amounts, model.molecules.raw)
        columns = []
        for name in channel.names:
            values, how = np.asarray(course.select(name), dtype=float), run.instrument(name)
            columns.append(values if how is None else how.apply(values, derive(seed, "measurement", name)))
        found.append(np.concatenate(columns, axis=1))
    return np.stack(found)
