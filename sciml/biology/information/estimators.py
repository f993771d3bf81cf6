"""The estimators by name, and the rule by which `estimator="auto"` chooses one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Pair
from sciml.errors import ConfigError

__all__ = ["ESTIMATORS", "Estimator", "Rule", "chosen", "estimator", "estimator_rule"]


class Estimator(Protocol):
    """What estimates I(X;Y) of a pair. A foreign object with these three calls may be given as `estimator=` too."""

    name: str

    def refuses(self, pair: Pair) -> str:
        """Why this estimator cannot be used on the pair; "" where it can."""
        ...

    def point(self, pair: Pair, seed: int) -> float:
        """Raw bits, without an interval: for shuffled pairs and parts of the data."""
        ...

    def estimate(self, pair: Pair, seed: int) -> Estimate:
        """Bits with an interval, at the cost of at most 20 fits."""
        ...


@dataclass(frozen=True)
class Rule:
    """A row of the table: the first row whose condition holds names the estimator."""

    when: str
    estimator: str
    why: str
    holds: Callable[[Pair], bool]


_MOST_DECODED = 24

# Name -> module and class of this package; loaded at first use.
ESTIMATORS: dict[str, tuple[str, str]] = {
    "ksg": ("neighbors", "NearestNeighbors"),
    "mixture": ("densities", "MixtureDensity"),
    "critic": ("critic", "Critic"),
    "dose_neighbors": ("dose_neighbors", "DoseNeighbors"),
    "discrete": ("discrete", "Discrete"),
    "dose_decoder": ("dose_decoder", "DoseDecoder"),
}


def _continuous(pair: Pair) -> bool:
    return not (pair.x.discrete or pair.y.discrete)


def _few_columns(pair: Pair) -> bool:
    return _continuous(pair) and pair.x.values.shape[1] + pair.y.values.shape[1] <= 4


def _dosed(pair: Pair) -> bool:
    return pair.x.discrete != pair.y.discrete


def _counted(pair: Pair) -> bool:
    return pair.x.discrete and pair.y.discrete


def _many_doses(pair: Pair) -> bool:
    dose, response = (pair.x, pair.y) if pair.x.discrete else (pair.y, pair.x)
    return _dosed(pair) and len(dose.levels) > _MOST_DECODED and response.values.shape[1] <= 3


_RULES: tuple[Rule, ...] = (
    Rule("both continuous, at most 4 columns", "mixture", "a fitted law has little spread, and neighbours test it", _few_columns),
    Rule("both continuous, more columns", "critic", "neighbours fail; a law of one component is right or a network looks on", _continuous),
    Rule("both sides discrete", "discrete", "right where cells hold few counts, and an interval that says how far", _counted),
    Rule(
        f"one side discrete, more than {_MOST_DECODED} levels, at most 3 columns",
        "dose_neighbors",
        "a classifier of so many levels is slow",
        _many_doses,
    ),
    Rule("one side discrete", "dose_decoder", "a smooth classifier errs less than neighbours, in several columns too", _dosed),
)


def estimator(name: str) -> Estimator:
    """The estimator of that name. ConfigError lists the names where there is none."""
    if name not in ESTIMATORS:
        raise ConfigError(f"estimator: found {name!r}, expected 'auto' or one of {', '.join(map(repr, ESTIMATORS))}")
    module, kind = ESTIMATORS[name]
    made: Estimator = getattr(importlib.import_module(f"sciml.biology.information.{module}"), kind)()
    return made


def chosen(pair: Pair) -> tuple[Estimator, str]:
    """The estimator that the rule takes for this pair, and the row's condition."""
    for rule in _RULES:
        if rule.holds(pair):
            return estimator(rule.estimator), rule.when
    raise ConfigError("estimator: no row of the rule holds for this pair")


def estimator_rule() -> tuple[Rule, ...]:
    """The rule of `estimator="auto"`: rows from top to bottom, the first that holds decides. Print it with `for row in ...: print(row)`."""
    return _RULES
