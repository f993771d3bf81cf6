"""What stochastic runs cost: seconds on one core of a server, single trajectories of independent births and deaths in 2, 6 and
16 channels; the exact method as in benchmarks/biology/ssa.py. Right within a factor of two or three on other machines and models: so they
tell which method pays, and about how long a run is."""

from __future__ import annotations

from sciml.biology.kernels.jumps import Jumps
from sciml.biology.kernels.lanes import lane_program

__all__ = ["exact_seconds", "hybrid_seconds", "langevin_seconds", "leap_seconds", "stop_seconds"]

# fixed, and for each channel; in the double kernel for each row that a reaction makes it compute
_LANES, _SCALAR = (2.0e-9, 0.4e-9), (60e-9, 12e-9)
_LEAP, _LANGEVIN, _HYBRID = (1.1e-6, 0.23e-6), (0.8e-6, 0.05e-6), (0.35e-6, 0.05e-6)
_HYBRID_EVENT, _STOP = 12e-9, 6e-5


def exact_seconds(jumps: Jumps, firings: float, lanes: bool | None = None) -> float:
    """Of so many reactions by the exact method; `lanes`: whether in single precision side by side, None: as the model alone allows."""
    if lanes is None:
        lanes = lane_program(jumps) is not None
    return firings * (_each(_LANES, len(jumps.channels)) if lanes else _each(_SCALAR, _touched(jumps)))


def stop_seconds(stops: float) -> float:
    """Of so many stops for events in the double kernel."""
    return stops * _STOP


def leap_seconds(jumps: Jumps, steps: float) -> float:
    """Of so many steps of tau-leaping."""
    return steps * _each(_LEAP, len(jumps.channels))


def langevin_seconds(jumps: Jumps, steps: float) -> float:
    """Of so many steps of the Langevin equation."""
    return steps * _each(_LANGEVIN, len(jumps.channels))


def hybrid_seconds(jumps: Jumps, steps: float, events: float) -> float:
    """Of so many steps of the hybrid method, and of events one by one within them."""
    return steps * _each(_HYBRID, len(jumps.channels)) + events * _HYBRID_EVENT


def _each(cost: tuple[float, float], count: float) -> float:
    fixed, further = cost
    return fixed + further * count


def _touched(jumps: Jumps) -> float:
    """Rows that a reaction makes the double kernel compute, in the mean over channels."""
    from sciml.biology.simulation.scalar_table import TOUCHED, scalar_table, size

    return size(scalar_table(jumps), TOUCHED) / max(1, len(jumps.channels))
