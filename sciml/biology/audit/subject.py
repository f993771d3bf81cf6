"""An estimator of information as the audit calls it: a name, an object with the calls of `Estimator`, or a function of two arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from sciml.arguments import shown
from sciml.biology.information.estimators import ESTIMATORS, Estimator, chosen, estimator
from sciml.biology.information.known_law import KnownLaw
from sciml.biology.information.result import Estimate
from sciml.biology.information.samples import Kind, Pair, checked_pair
from sciml.errors import ConfigError

__all__ = ["LawKind", "Sample", "Subject", "subject_of"]

LawKind = Literal["continuous", "doses", "discrete"]


class Sample(NamedTuple):
    """Pairs to estimate from: sides [n, d], or codes [n] of doses and classes; a side may be discrete whatever its numbers look like."""

    x: np.ndarray
    y: np.ndarray
    kind: LawKind

    def pair(self) -> Pair:
        """As estimators take it."""
        x_kind: Kind = "auto" if self.kind == "continuous" else "discrete"
        return checked_pair(self.x, self.y, x_kind=x_kind, y_kind="discrete" if self.kind == "discrete" else "auto")


@dataclass(frozen=True)
class Subject:
    """What is audited: `method` of a pair, or `function` of two arrays; `kind` None: all kinds of laws that it does not refuse."""

    name: str
    method: Callable[[Pair], Estimator] | None
    function: Callable[[np.ndarray, np.ndarray], float] | None
    kind: LawKind | None = None

    def refuses(self, law: KnownLaw, n: int) -> str:
        """Why the subject takes no samples of this law; "" where it does."""
        if self.kind not in (None, law.kind):
            return f"only laws of kind {self.kind} were asked for"
        sample = Sample(*law.sample(n, 0), law.kind)
        try:
            if self.method is None:
                self.bits(sample, 0)
                return ""
            pair = sample.pair()
            return self.method(pair).refuses(pair)
        except Exception as error:  # what a foreign estimator raises is its way to refuse
            return f"{type(error).__name__}: {error}"

    def bits(self, sample: Sample, seed: int) -> float:
        """Raw bits."""
        if self.function is not None:
            return float(self.function(sample.x, sample.y))
        return float(self._method(pair := sample.pair()).point(pair, seed))

    def estimate(self, sample: Sample, seed: int) -> Estimate | None:
        """With an interval; None for functions, which have none."""
        return None if self.function is not None else self._method(pair := sample.pair()).estimate(pair, seed)

    def _method(self, pair: Pair) -> Estimator:
        if self.method is None:
            raise ConfigError(f"{self.name}: has neither a method nor a function")
        return self.method(pair)


def subject_of(given: Any, kind: LawKind | None) -> Subject:
    """The subject of a name, an object or a function. ConfigError says what would be right for anything else."""
    if isinstance(given, str):
        if given == "auto":
            return Subject("auto", lambda pair: chosen(pair)[0], None, kind)
        method = estimator(given) if given in ESTIMATORS else None
    else:
        method = given if all(hasattr(given, call) for call in ("name", "refuses", "point", "estimate")) else None
    if method is not None:
        return Subject(method.name, lambda pair: method, None, kind)
    if callable(given):
        return Subject(getattr(given, "__name__", type(given).__name__), None, given, kind)
    names = ", ".join(map(repr, ("auto", *ESTIMATORS)))
    expected = f"a Network, or an estimator: one of {names}, an object, or a function of x and y"
    raise ConfigError(f"audit: net: found {shown(given)}, expected {expected}")
