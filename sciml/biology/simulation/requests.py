"""What simulators are asked for: the kinds of arguments that they share, and the rules between arguments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from sciml.arguments import Bound
from sciml.biology.distributions import Law
from sciml.biology.kernels.symbols import values_given
from sciml.biology.network import Network, nearest
from sciml.errors import ConfigError

__all__ = ["Before", "Count", "Device", "Epsilon", "Laws", "Loss", "Seconds", "Seed", "Start", "Tolerance", "check_cells"]

Count = Annotated[int, Bound("a whole number >= 1", lambda n: 1 <= n < 2**63)]
Seed = Annotated[int, Bound("a whole number from 0 to 2^64 - 1", lambda seed: 0 <= seed < 2**64)]
Seconds = Annotated[float, Bound("seconds > 0", lambda t: 0 < t < math.inf)]
Tolerance = Annotated[float, Bound("a number from 1e-13 to below 1", lambda x: 1e-13 <= x < 1)]
Loss = Annotated[float, Bound("a number from 1e-14 to below 1", lambda x: 1e-14 <= x < 1)]  # of probability
Epsilon = Annotated[float, Bound("a number above 0, at most 0.5", lambda x: 0 < x <= 0.5)]
Device = Literal["cpu", "cuda"]
Laws = Mapping[str, Annotated[Law, Bound("a law such as LogNormal(cv=0.3)")]]
Start = Literal["given", "steady_state"] | Annotated[float, Bound("a time >= 0 to simulate before", lambda t: 0 <= t < math.inf)]
Before = Mapping[str, Annotated[float, Bound("a finite number", lambda x: -math.inf < x < math.inf)]]


def check_cells(
    net: Network,
    start: Start = "given",
    before: Before | None = None,
    extrinsic: Laws | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> None:
    """Raise ConfigError for ids in `before` that the network does not have, a `before` without a time before 0, and what is given twice."""
    known = values_given(net) if before else {}
    for id in before or {}:
        if id not in known:
            raise ConfigError(f"before: {id!r} is no parameter, species or compartment of {net.id!r}{nearest(id, known)}")
    if before and start == "given":
        raise ConfigError("before: found start='given', which has no time before 0; give start='steady_state' or a time")
    if twice := sorted(set(extrinsic or ()) & set(parameters or ())):
        raise ConfigError(f"extrinsic: {twice[0]!r} is given in parameters as well")
