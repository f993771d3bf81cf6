"""What a decoder tells of a held dose from the trace of a read-out, as the trace grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.biology.channel import Channel
from sciml.biology.information.mutual import mutual_information
from sciml.biology.network import Network
from sciml.biology.simulation.trajectories import checked_times
from sciml.errors import ConfigError

__all__ = ["DecodedCourse", "decoded_course"]

_LENGTHS = 6  # of traces that are decoded: each takes some fits


@dataclass(frozen=True)
class DecodedCourse:
    """`bits` [K] with standard `errors` [K] that a decoder tells of the dose from what was read up to each of `times` [K]."""

    times: np.ndarray
    bits: np.ndarray
    errors: np.ndarray
    notes: tuple[str, ...]


def decoded_course(
    net: Network, dose: str, readout: str, doses: Any, times: Any, n: int, seed: int, options: Mapping[str, Any]
) -> DecodedCourse:
    """I(dose; read-out at the first of `times` up to T) by `mutual_information(estimator="dose_decoder")`, cross-fitted, for six lengths T.

    `n` cells at each of `doses`, equally likely, are simulated once. Raises what `Channel.from_network` does and ConfigError for fewer than
    three times.
    """
    asked = np.unique(checked_times(() if times is None else times)) if times is not None else np.zeros(0)
    asked = asked[asked > 0]
    if len(asked) < 3:
        raise ConfigError("times: 'decoding' reads each cell at several times; expected at least three above 0")
    channel = Channel.from_network(net, dose, readout, doses, asked, n=n, seed=seed, **options)
    x, y = channel.samples or (np.zeros(0), np.zeros((0, 0)))
    lengths = np.unique(np.linspace(1, len(asked), min(_LENGTHS, len(asked))).round().astype(int))
    found = [mutual_information(x, y[:, :k], estimator="dose_decoder", x_kind="discrete", readout="trajectory", seed=seed) for k in lengths]
    entropy = float(np.log2(len(channel.doses)))
    notes = tuple(dict.fromkeys(note for one in found for note in one.notes))
    if found[-1].bits > 0.9 * entropy:
        notes += (f"The longest traces tell {found[-1].bits:.2f} of the {entropy:.2f} bit of the doses: the slope is held down by that.",)
    return DecodedCourse(asked[lengths - 1], np.array([f.bits for f in found]), np.array([f.standard_error for f in found]), notes)
