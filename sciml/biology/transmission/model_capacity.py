"""The capacity of a model from dose to read-out: simulate and measure in one call, and how it moves with rate constants."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.arguments import checked
from sciml.biology.channel import Channel
from sciml.biology.information.dose_capacity import DataCapacity, capacity_from_data
from sciml.biology.kernels.symbols import values_given
from sciml.biology.measurement import Measurement
from sciml.biology.network import Network, nearest
from sciml.biology.simulation.forecast import Forecast
from sciml.biology.simulation.requests import Count, Laws, Seed
from sciml.biology.transmission.gradient import Derivative, information_gradient
from sciml.errors import ConfigError
from sciml.report import Section, Table

__all__ = ["ModelCapacity", "capacity_of_model"]

_log = logging.getLogger(__name__)
_DOSES, _DECADES = 10, 1.5  # where no doses are given: so many, so far below and above what the network states


@dataclass(frozen=True)
class ModelCapacity:
    """`capacity` (with `bits`, `low`, `high` and the optimal input `p_x`) of the simulated `channel`.

    `forecast`: what the simulation was expected to take; None where the method is not exact. `gradient` {id: `Derivative`}: bits per unit
    of each parameter that was asked for, at the optimal input.
    """

    channel: Channel
    capacity: DataCapacity
    forecast: Forecast | None
    gradient: Mapping[str, Derivative]

    @property
    def bits(self) -> float:
        """Of the capacity, raw."""
        return self.capacity.bits

    @property
    def low(self) -> float:
        """Lower end of its 95 % interval."""
        return self.capacity.low

    @property
    def high(self) -> float:
        """Upper end of its 95 % interval."""
        return self.capacity.high

    def sentence(self) -> str:
        """How to read the numbers: as for measured cells."""
        return self.capacity.sentence()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "channel": self.channel.to_dict(),
            "capacity": self.capacity.to_dict(),
            "forecast": None if self.forecast is None else self.forecast.to_dict(),
            "gradient": {name: slope.to_dict() for name, slope in self.gradient.items()},
        }

    def to_sections(self) -> list[Section]:
        """Response distributions at each dose and the optimal input, as for measured cells; the gradient."""
        sections = [*self.channel.to_sections(), *self.capacity.to_sections()]
        if self.gradient:
            rows = [
                {"parameter": name, "value": d.at, "bits per unit": d.value, "standard error": d.standard_error,
                 "bits per e-fold": d.value * d.at}
                for name, d in self.gradient.items()
            ]  # fmt: skip
            sections.append(Section("What moves the capacity", [Table.from_rows("gradient of the capacity", rows)]))
        return sections


@checked
def capacity_of_model(
    net: Network,
    dose: str,
    readout: str | Sequence[str],
    times: Any,
    *,
    doses: Any = None,
    n: Count = 1000,
    extrinsic: Laws | None = None,
    measurement: Measurement | Mapping[str, Measurement] | None = None,
    wrt: Iterable[str] = (),
    seed: Seed = 0,
    method: str = "ssa",
    **options: Any,
) -> ModelCapacity:
    """max over p(dose) of I(dose; read-out) in bits: `n` cells at each dose by `Channel.from_network`, then `capacity_from_data`.

    `doses` None: ten from 1/32 to 32 times what the network states for `dose`, evenly in the logarithm. `times`: one is a snapshot, several
    are a trajectory. `extrinsic`, `measurement`, `method` and `options` (`hold`, `start`, `parameters`, `budget`, ...) are those of
    `Channel.from_network`. Before it runs the log says what it will take; `budget` seconds refuse what takes longer. `wrt`: ids of
    parameters with respect to which the capacity is differentiated (pairs of coupled runs at the optimal input, which does not move to
    first order). Raises what these calls raise, and ConfigError where the network states no dose above zero and none are given.
    """
    given = _around(net, dose) if doses is None else doses
    channel = Channel.from_network(
        net, dose, readout, given, times, n=n, seed=seed, method=method, extrinsic=extrinsic, measurement=measurement, **options
    )
    forecast = channel.forecast() if method == "ssa" else None
    if forecast is not None:
        _log.info("%s: %s", net.id, forecast)
    capacity = capacity_from_data(*(channel.samples or ()), seed=seed)
    gradient = information_gradient(channel, capacity.p_x, tuple(wrt), seed)
    return ModelCapacity(channel, capacity, forecast, gradient)


def _around(net: Network, dose: str) -> np.ndarray:
    known = values_given(net)
    if dose not in known:
        raise ConfigError(f"dose: {dose!r} is no parameter, species or compartment of {net.id!r}{nearest(dose, known)}")
    if not (np.isfinite(known[dose]) and known[dose] > 0):
        raise ConfigError(f"doses: {net.id!r} states {known[dose]:g} for {dose!r}, from which none follow; expected doses=[...]")
    return np.asarray(known[dose] * np.logspace(-_DECADES, _DECADES, _DOSES))
