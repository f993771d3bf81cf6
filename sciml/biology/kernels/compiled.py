"""What is made once for all networks of one structure: their system of equations, and whatever simulators compile from it.

Variants by `net.set` share their reactions, rules, events and functions as objects, which is seen without looking into them.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from sciml.biology.kernels.system import System, compile_system
from sciml.biology.network import Network

__all__ = ["made_once", "system_of"]

_MOST = 64  # structures that are remembered
_systems: OrderedDict[tuple[Any, ...], System] = OrderedDict()
_made: weakref.WeakKeyDictionary[Any, dict[str, Any]] = weakref.WeakKeyDictionary()
_lock = threading.RLock()
_T = TypeVar("_T")


def system_of(network: Network) -> System:
    """The equations of a network; compiled once for all networks that differ from it in values alone."""
    key = _structure(network)
    with _lock:
        known = _systems.get(key)
        if known is None:
            known = _systems[key] = compile_system(network)
            while len(_systems) > _MOST:
                _systems.popitem(last=False)
        _systems.move_to_end(key)
    return known if known.network is network else replace(known, network=network)


def made_once(system: System, name: str, make: Callable[[System], _T]) -> _T:
    """make(system), kept under `name` for all systems of this structure."""
    with _lock:
        kept = _made.setdefault(system.graph, {})
        if name not in kept:
            kept[name] = make(system)
        found: _T = kept[name]
        return found


def _structure(network: Network) -> tuple[Any, ...]:
    """Equal for networks that differ in values alone. Holding the parts, not their digest, keeps them comparable by identity."""
    return (
        tuple((s.id, s.compartment, s.initial_is_concentration, s.substance_only, s.boundary, s.constant, s.conversion_factor,
               s.initial is None)
              for s in network.species),
        tuple((q.id, q.constant, q.value is None) for q in network.parameters),
        tuple((c.id, c.dimensions, c.constant, c.size is None) for c in network.compartments),
        network.conversion_factor,
        _Same(*network.reactions, *network.rules, *network.events, *network.functions, *(f for _, f in network.initial_assignments)),
        tuple(id for id, _ in network.initial_assignments),
    )  # fmt: skip


class _Same:
    """Objects that are the same ones."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __hash__(self) -> int:
        return hash(tuple(id(part) for part in self.parts))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and len(self.parts) == len(other.parts) and all(map(lambda a, b: a is b, self.parts, other.parts))
