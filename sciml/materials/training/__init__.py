"""Training of potentials: `train_potential` and its recipe."""

from __future__ import annotations

from sciml.materials.training.fit import train_potential
from sciml.materials.training.recipe import Recipe

__all__ = ["Recipe", "train_potential"]
