"""What a simulator is asked for, looked at before anything is computed: one check for the arguments that all of them share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from os import PathLike
from typing import Any

from sciml.arguments import shown
from sciml.biology.distributions import Law
from sciml.biology.kernels.symbols import values_given
from sciml.biology.network import Network, nearest
from sciml.errors import ConfigError

__all__ = ["check_request"]

Check = tuple[Callable[[Any], bool], str]


def _one_of(*names: str) -> Check:
    listed = ", ".join(repr(name) for name in names[:-1])
    return lambda value: isinstance(value, str) and value in names, f"{listed} or {names[-1]!r}"


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: Any, least: int = 1, below: int = 2**63) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) < below


def _by_id(value: Any, good: Callable[[Any], bool]) -> bool:
    return isinstance(value, Mapping) and all(isinstance(id, str) and good(entry) for id, entry in value.items())


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check[0](value), f"{check[1]}, or None"


_TRUTH: Check = (lambda value: isinstance(value, bool), "True or False")
_CHECKS: dict[str, Check] = {
    "net": (lambda value: isinstance(value, Network), "a Network, such as load_sbml returns"),
    "n": (_whole, "a whole number >= 1"),
    "seed": (lambda value: _whole(value, 0, 2**64), "a whole number from 0 to 2^64 - 1"),
    "parameters": _or_none((lambda value: _by_id(value, lambda _: True), "{id: number or array [n]}")),
    "extrinsic": _or_none(
        (lambda value: _by_id(value, lambda law: isinstance(law, Law)), "{id: law}, where a law is such as LogNormal(cv=0.3)")
    ),
    "start": (
        lambda value: (isinstance(value, str) and value in ("given", "steady_state")) or (_number(value) and value >= 0),
        "'given', 'steady_state' or a time >= 0 to simulate before",
    ),
    "before": _or_none((lambda value: _by_id(value, _number), "{id: number}, which holds before time 0")),
    "record": _one_of("grid", "final", "moments"),
    "initial": _or_none(_one_of("round", "stochastic")),
    "substance": _or_none(_one_of("item", "mole")),
    "split_reversible": _TRUTH,
    "discrete_mass_action": _TRUTH,
    "budget": _or_none((lambda value: _number(value) and value > 0, "seconds > 0")),
    "device": _one_of("cpu", "cuda"),
    "threads": _or_none((_whole, "a whole number >= 1")),
    "store": _or_none((lambda value: isinstance(value, str | PathLike), "a folder")),
    "progress": _or_none((callable, "a function of (done, n)")),
    "epsilon": (lambda value: _number(value) and 0 < value <= 0.5, "a number above 0, at most 0.5"),
    "abundant": (lambda value: _number(value) and value >= 10, "a number of molecules >= 10"),
    "fallback": _one_of("auto", "never"),
    "boundary": _one_of("free", "reflect"),
}


def check_request(net: Network, **asked: Any) -> None:
    """Raise ConfigError for the first argument, by its name, that cannot be meant; times and values of parameters are not looked at here.

    Names: n, seed, parameters, extrinsic, start, before, record, initial, substance, split_reversible, discrete_mass_action, budget,
    device, threads, store, progress, epsilon, abundant, fallback, boundary. Ids in `before` must be known, and `before` needs a start other
    than "given".
    """
    for name, value in {"net": net, **asked}.items():
        if name not in _CHECKS:
            raise ConfigError(f"{name}: there is no such argument{nearest(name, _CHECKS)}")
        good, expected = _CHECKS[name]
        if not good(value):
            raise ConfigError(f"{name}: found {shown(value)}, expected {expected}")
    before = asked.get("before") or {}
    known = values_given(net) if before else {}
    for id in before:
        if id not in known:
            raise ConfigError(f"before: {id!r} is no parameter, species or compartment of {net.id!r}{nearest(id, known)}")
    if before and asked.get("start", "given") == "given":
        raise ConfigError("before: found start='given', which has no time before 0; give start='steady_state' or a time")
    if twice := sorted(set(asked.get("extrinsic") or ()) & set(asked.get("parameters") or ())):
        raise ConfigError(f"extrinsic: {twice[0]!r} is given in parameters as well")
