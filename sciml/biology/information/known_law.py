"""A joint law of X and Y whose mutual information is known: what estimators are held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, Protocol

import numpy as np

from sciml.seeding import numpy_generator

__all__ = ["JointLaw", "KnownLaw"]

Map = Callable[[np.ndarray], np.ndarray]


class JointLaw(Protocol):
    """A law from which one can draw and whose densities are known; `truth` names how `bits` computes."""

    truth: ClassVar[str]

    def bits(self) -> float:
        """I(X;Y), computed from the law's numbers."""
        ...

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """n pairs: sides [n, d], or [n] where a side is doses or classes."""
        ...

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """[n] log2 p(x, y) / (p(x) p(y)) of drawn pairs; its mean is I(X;Y)."""
        ...


def _as_it_is(values: np.ndarray) -> np.ndarray:
    return values


@dataclass(frozen=True, eq=False)
class KnownLaw:
    """A law with a name and some words that say what it is; `law.truth` says where its truth comes from.

    `kind`: both sides "continuous", x is "doses" of a response, or both sides are "discrete". `x_map`, `y_map`: one-to-one maps of each
    side after drawing, which leave the information as it is. `sharp_edges`: densities that end in a step, where neighbours are biased;
    such laws are listed apart.
    """

    name: str
    kind: Literal["continuous", "doses", "discrete"]
    words: str
    law: JointLaw
    x_map: Map = _as_it_is
    y_map: Map = _as_it_is
    sharp_edges: bool = False

    @cached_property
    def bits(self) -> float:
        """I(X;Y) in bits."""
        return self.law.bits()

    @cached_property
    def n_x(self) -> int:
        """Columns of x."""
        return self._columns[0]

    @cached_property
    def n_y(self) -> int:
        """Columns of y."""
        return self._columns[1]

    @cached_property
    def _columns(self) -> tuple[int, int]:
        x, y = self.sample(8, 0)
        return (1 if x.ndim == 1 else x.shape[1]), (1 if y.ndim == 1 else y.shape[1])

    def sample(self, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """n pairs from the stream of this law's name: x and y, each [n, d], or [n] for doses and classes."""
        x, y = self.law.draw(numpy_generator(seed, "known law", self.name), n)
        return self.x_map(x), self.y_map(y)
