"""The two environments and the ligand amounts of the tests."""

from __future__ import annotations

import numpy as np

LOG_LIGAND = np.linspace(-3.5, 3.5, 120)
LIGAND = np.exp(LOG_LIGAND)
FEW = np.exp(np.linspace(-3.5, 3.5, 24))  # a coarser law, quicker
P_E = np.array([0.5, 0.5])


def two_environments(ligand: np.ndarray = LIGAND) -> np.ndarray:
    """p(ln L | E) [2, nL], normal(+-0.8, 0.7) on the points."""
    given = np.array([np.exp(-0.5 * ((np.log(ligand) - m) / 0.7) ** 2) for m in (-0.8, 0.8)])
    return given / given.sum(axis=1, keepdims=True)
