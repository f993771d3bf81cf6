"""Pair energies in closed form: Lennard-Jones and Morse (oracles of tests), and the screened nuclear repulsion of Ziegler et al.

Every law takes distances r [E] in angstrom of the full list of edges and gives phi(r) [E] in eV; half of phi belongs to each atom.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from ase.data import covalent_radii
from torch import Tensor

from sciml.materials.kernels import envelope

_COULOMB_EV_A = 14.399645  # e^2 / (4 pi epsilon_0)
_SCREENING = ((0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162))  # Ziegler 1985, universal potential


def lennard_jones(r: Tensor, depth: float, length: float) -> Tensor:
    """4 depth ((length / r)^12 - (length / r)^6), in the unit of `depth`."""
    x6 = (length / r) ** 6
    return 4 * depth * (x6 * x6 - x6)


def morse(r: Tensor, depth: float, length: float, steepness: float) -> Tensor:
    """depth (x^2 - 2 x) with x = exp(-steepness (r / length - 1)), in the unit of `depth`."""
    x = torch.exp(-steepness * (r / length - 1))
    return depth * (x * x - 2 * x)


@lru_cache(maxsize=8)
def _radii(dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(covalent_radii, dtype=dtype, device=device)


def zbl(r: Tensor, z_a: Tensor, z_b: Tensor) -> Tensor:
    """Screened Coulomb repulsion in eV for atomic numbers z_a, z_b [E]; C^2 to zero at the sum of the covalent radii.

    Z_a Z_b e^2 / r sum_k c_k exp(-d_k r / a), a = 0.46850 A / (Z_a^0.23 + Z_b^0.23) (Ziegler, Biersack, Littmark 1985).
    """
    radii = _radii(r.dtype, r.device)
    x = r / (radii[z_a] + radii[z_b])
    a = 0.46850 / (z_a.to(r.dtype) ** 0.23 + z_b.to(r.dtype) ** 0.23)
    screened = sum(c * torch.exp(-d * r / a) for c, d in _SCREENING)
    charges = z_a.to(r.dtype) * z_b.to(r.dtype)
    return _COULOMB_EV_A * charges / r * screened * envelope(x.clamp(max=1.0))
