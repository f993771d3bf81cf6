"""What pairs of atoms do at any distance: Lennard-Jones and Morse (oracles of tests), nuclear repulsion, and the limit of what was learned.

Every law takes distances r [E] in angstrom of the full list of edges and gives phi(r) [E] in eV; half of phi belongs to each atom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from ase.data import covalent_radii
from torch import Tensor

from sciml.materials.kernels import envelope

_COULOMB_EV_A = 14.399645  # e^2 / (4 pi epsilon_0)
_FLAT = 0.8  # of the shortest distance seen: from here down a network is told the same distance
CROWDED, OVERFULL = 1.25, 2.5  # of the crowding seen: where the network begins to fade, and where it has no say
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


def bond_length(z_a: Tensor, z_b: Tensor, like: Tensor) -> Tensor:
    """Sum of the covalent radii in angstrom for atomic numbers z_a, z_b, in the dtype of `like`."""
    radii = _radii(like.dtype, like.device)
    return radii[z_a] + radii[z_b]


def zbl(r: Tensor, z_a: Tensor, z_b: Tensor) -> Tensor:
    """Screened Coulomb repulsion of nuclei in eV for atomic numbers z_a, z_b [E], without end; see `faded`.

    Z_a Z_b e^2 / r sum_k c_k exp(-d_k r / a), a = 0.46850 A / (Z_a^0.23 + Z_b^0.23) (Ziegler, Biersack, Littmark 1985).
    """
    a = 0.46850 / (z_a.to(r.dtype) ** 0.23 + z_b.to(r.dtype) ** 0.23)
    screened: Tensor = sum(c * torch.exp(-d * r / a) for c, d in _SCREENING)  # type: ignore[assignment]
    return _COULOMB_EV_A * z_a.to(r.dtype) * z_b.to(r.dtype) / r * screened


def faded(values: Tensor, r: Tensor, reach: Tensor | float) -> Tensor:
    """`values` [E] of pairs at the distances r [E], brought C^2 to zero at the distance `reach`."""
    return values * envelope((r / reach).clamp(max=1.0))


def crowding_of(repulsion: Tensor, target: Tensor, atoms: int) -> Tensor:
    """Half the sum of the repulsions [E] in eV by atom, [atoms]; `target` [E] names the atoms."""
    return repulsion.new_zeros(atoms).index_add(0, target, repulsion / 2)


def inside(r: Tensor, cutoff_A: float) -> Tensor:
    """1 for neighbours, C^2 to zero at the cut-off: 1 - 153 x^16 + 288 x^17 - 136 x^18 with x = r / cut-off, above 0.9 up to x = 0.65.

    Flatter than `envelope`, so that the crowding of large atoms, whose neighbours are near the cut-off, does not jump as they move.
    """
    x = (r / cutoff_A).clamp(max=1.0)
    return 1 - x**16 * (153 - x * (288 - 136 * x))


def trust(crowding: Tensor, most: Tensor) -> Tensor:
    """Share in [0, 1] of a network in the energy of an atom, for its crowding [N] (`crowding_of`) and the largest in training, `most` [N].

    With t = crowding / most the share is 1 up to t = 1.25 and 1 - s^3 (10 - 15 s + 6 s^2), s = (t - 1.25) / 1.25, down to 0 at t = 2.5:
    twice continuously differentiable. A network knows nothing of atoms so close together, and where it guesses that they attract each
    other, matter collapses.
    """
    s = ((crowding / most - CROWDED) / (OVERFULL - CROWDED)).clamp(0.0, 1.0)
    return 1 - s**3 * (10 - 15 * s + 6 * s**2)


def saturate(vectors: Tensor, shortest: Tensor) -> Tensor:
    """Edge vectors [E, 3] for a network that saw no distance below `shortest` [E]: shorter ones are lengthened.

    With t = r / shortest the length becomes shortest (0.9 + 0.2 s^3 - 0.1 s^4), s = (t - 0.8) / 0.2 clamped to [0, 1]: twice continuously
    differentiable, constant below t = 0.8. So the network's energy is flat where it would be a guess, and the repulsion decides.
    """
    with torch.no_grad():
        close = vectors.square().sum(1) < shortest.square()
    if not bool(close.any()):  # nearly always
        return vectors
    where = close.nonzero().squeeze(1)
    r, limit = vectors[where].square().sum(1).sqrt(), shortest[where]
    s = ((r / limit - _FLAT) / (1 - _FLAT)).clamp(min=0.0)
    length = limit * (1 - (1 - _FLAT) * (0.5 - s**3 * (1 - s / 2)))
    return vectors.index_copy(0, where, vectors[where] * (length / r).unsqueeze(1))


def shortest_distances(species: Sequence[int], seen: Mapping[tuple[int, int], float], cutoff_A: float) -> Tensor:
    """Table [S, S] in angstrom of the distance from which `saturate` acts, at most the cut-off; zeros where nothing was seen.

    seen: shortest distance by pair of atomic numbers. One that is not in it gets its covalent radii times the smallest ratio of the others.
    """
    ratios = [d / float(covalent_radii[a] + covalent_radii[b]) for (a, b), d in seen.items()]
    ratio = min(ratios, default=0.0)
    rows = [[seen.get((min(a, b), max(a, b)), ratio * float(covalent_radii[a] + covalent_radii[b])) for b in species] for a in species]
    return torch.tensor(rows, dtype=torch.float32).clamp(max=cutoff_A)
