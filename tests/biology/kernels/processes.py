"""Jump processes of small networks, as the generators of kernels take them."""

from __future__ import annotations

from sciml.biology.kernels.jumps import Jumps, compile_jumps
from sciml.biology.kernels.system import compile_system
from sciml.biology.network import Network


def jumps_of(net: Network) -> Jumps:
    """In molecules, with the network's own values."""
    system = compile_system(net)
    y, p = system.begin()
    return compile_jumps(system, p, y, {}, 1.0)
