"""A small model, linear in its coefficients, that says what forces and stress go with which energies: the yardstick of the checks.

Energy of atom i: sum_n c_n sum_j f_n(r_ij) + sum_(ab,l) c_abl M_a^l : M_b^l, with M_a^l = sum_j f_a(r_ij) u u .. u (l unit vectors; `a`
is one species of j and one radial function), as in moment tensor potentials (Shapeev 2016, doi:10.1137/15M1054183). Derivatives are
analytic. Coefficients are found by ridge regression: no training, no starting point; exact for nothing, right within some per cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from sciml.materials.labels.finding import Array
from sciml.materials.neighbors import neighbor_pairs

MANY_SPECIES = 10  # from here on radii stand for species


@dataclass(frozen=True)
class Rows:
    """How the labels of one structure depend on the K coefficients: energy [K], forces [3N,K], strain derivative of the energy [6,K]
    (Voigt)."""

    energy: Array
    forces: Array
    virial: Array


@dataclass(frozen=True)
class Basis:
    """The functions of `species` within `cutoff_A`: radial functions of pairs and of densities, highest rank of the tensors."""

    species: tuple[int, ...]
    cutoff_A: float
    n_pair: int = 8
    n_density: int = 4
    max_rank: int = 3

    @classmethod
    def for_structures(cls, structures: Sequence[Atoms]) -> Basis:
        """A basis whose size and cut-off (about 2.2 nearest-neighbour distances, 3 to 5 A) suit the structures."""
        species = tuple(sorted({int(number) for atoms in structures for number in atoms.numbers}))
        nearest = [_nearest(atoms) for atoms in structures[:: max(1, len(structures) // 20)]]
        cutoff = float(np.clip(2.2 * np.median([each for each in nearest if each > 0] or [2.0]), 3.0, 5.0))
        if len(species) == 1:
            return cls(species, cutoff)
        return cls(species, cutoff, 6, 3 if len(species) <= 3 else 2, 2)

    @property
    def by_radius(self) -> bool:
        """Whether species enter through their covalent radii only (many species)."""
        return len(self.species) > MANY_SPECIES

    def rows(self, atoms: Atoms) -> Rows:
        """The rows of one structure."""
        target, source, shift, _ = neighbor_pairs(atoms.positions, atoms.cell.array, atoms.pbc, self.cutoff_A)
        vectors = atoms.positions[source] + shift @ atoms.cell.array - atoms.positions[target]
        place = np.searchsorted(self.species, atoms.numbers)
        classes = np.zeros(len(atoms), dtype=np.int64) if self.by_radius else place
        edges = _Edges(len(atoms), target, source, vectors, self._scaled(atoms, target, source, vectors))
        local, slopes = self._local(edges, classes[source])  # [N,K0], [E,3,K0]
        n_classes = 1 if self.by_radius else len(self.species)
        return _assembled(edges, classes, n_classes, local, slopes)

    def _scaled(self, atoms: Atoms, target: NDArray[np.int64], source: NDArray[np.int64], vectors: Array) -> tuple[Array, Array]:
        """[E] distances as fractions of the cut-off, at most 1, and d(fraction)/dr."""
        distances = np.linalg.norm(vectors, axis=1)
        reach = np.full(len(distances), self.cutoff_A)
        if self.by_radius:
            reach = np.minimum(reach, 2.0 * (covalent_radii[atoms.numbers[target]] + covalent_radii[atoms.numbers[source]]))
        return np.minimum(distances / reach, 1.0), 1 / reach

    def _local(self, edges: _Edges, neighbor_class: NDArray[np.int64]) -> tuple[Array, Array]:
        """Functions of each atom [N,K0] and their derivatives with respect to its edge vectors [E,3,K0]."""
        n_channels = 1 if self.by_radius else len(self.species)
        channels = np.eye(n_channels)[neighbor_class]  # [E,Z]
        values, slopes = _radial(edges.fraction, edges.fraction_slope, max(self.n_pair, self.n_density))
        pair, pair_slope = _spread(values[:, : self.n_pair], channels), _spread(slopes[:, : self.n_pair], channels)
        local = [edges.summed(pair)]
        derivatives = [edges.unit[:, :, None] * pair_slope[:, None, :]]
        if n_channels > 3:
            channels = np.ones((len(channels), 1))
        density, density_slope = _spread(values[:, : self.n_density], channels), _spread(slopes[:, : self.n_density], channels)
        for rank in range(self.max_rank + 1):
            own, own_derivatives = _contractions(edges, density, density_slope, rank)
            local.append(own)
            derivatives.append(own_derivatives)
        return np.concatenate(local, 1), np.concatenate(derivatives, 2)


class _Edges:
    """Directed edges of one structure, target i, source j, with unit vectors."""

    def __init__(
        self, n_atoms: int, target: NDArray[np.int64], source: NDArray[np.int64], vectors: Array, scaled: tuple[Array, Array]
    ) -> None:
        self.n_atoms, self.target, self.source, self.vectors = n_atoms, target, source, vectors
        self.fraction, self.fraction_slope = scaled
        self.distance = np.linalg.norm(vectors, axis=1)
        self.unit = vectors / self.distance[:, None]
        every = np.arange(len(target))
        self.to_target = csr_matrix((np.ones(len(target)), (target, every)), shape=(n_atoms, len(target)))
        self.to_source = csr_matrix((np.ones(len(target)), (source, every)), shape=(n_atoms, len(target)))

    def summed(self, values: Array) -> Array:
        """[N,...] sums over the edges of each target."""
        flat = values.reshape(len(values), int(np.prod(values.shape[1:])))
        return np.asarray(self.to_target @ flat).reshape(self.n_atoms, *values.shape[1:])


def _nearest(atoms: Atoms) -> float:
    """Median distance to the nearest neighbour within 4 A; 0 where nobody has one."""
    target, source, shift, _ = neighbor_pairs(atoms.positions, atoms.cell.array, atoms.pbc, 4.0)
    if not len(target):
        return 0.0
    distances = np.linalg.norm(atoms.positions[source] + shift @ atoms.cell.array - atoms.positions[target], axis=1)
    nearest = np.full(len(atoms), np.inf)
    np.minimum.at(nearest, target, distances)
    return float(np.median(nearest[np.isfinite(nearest)]))


def _radial(fraction: Array, fraction_slope: Array, n: int) -> tuple[Array, Array]:
    """f_k = (1 - x^2)^3 cos(k pi x) [E,n] and df_k/dr."""
    x = fraction[:, None]
    k = np.pi * np.arange(n)
    window, window_slope = (1 - x**2) ** 3, -6 * x * (1 - x**2) ** 2
    values = window * np.cos(k * x)
    return values, (window_slope * np.cos(k * x) - window * k * np.sin(k * x)) * fraction_slope[:, None]


def _spread(values: Array, channels: Array) -> Array:
    """[E, Z n]: the radial functions, in the columns of the neighbour's channel."""
    return (channels[:, :, None] * values[:, None, :]).reshape(len(values), channels.shape[1] * values.shape[1])


def _contractions(edges: _Edges, density: Array, density_slope: Array, rank: int) -> tuple[Array, Array]:
    """M_a : M_b for all a <= b of one rank, [N,P], and their derivatives with respect to the edge vectors [E,3,P]."""
    powers = _powers(edges.unit, rank)  # [E,3^l]
    moments = edges.summed(density[:, :, None] * powers[:, None, :])  # [N,A,3^l]
    n = density.shape[1]
    seen = moments[edges.target]  # [E,A,3^l]
    along = np.einsum("eap,ep->ea", seen, powers)  # M : u..u
    if rank:
        less = np.einsum("eaxp,ep->eax", seen.reshape(len(density), n, 3, 3 ** (rank - 1)), _powers(edges.unit, rank - 1))  # one index open
        across = rank * (less - edges.unit[:, None, :] * along[:, :, None]) / edges.distance[:, None, None]
    pairs = list(combinations_with_replacement(range(n), 2))
    first, second = np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])
    values = np.einsum("nap,nap->na", moments[:, first], moments[:, second])
    radial = density_slope[:, first] * along[:, second] + density_slope[:, second] * along[:, first]
    derivatives = edges.unit[:, :, None] * radial[:, None, :]
    if rank:
        bent = across.transpose(0, 2, 1)  # [E,3,A]
        derivatives = derivatives + density[:, None, first] * bent[:, :, second] + density[:, None, second] * bent[:, :, first]
    return values, derivatives


def _powers(unit: Array, rank: int) -> Array:
    """u u .. u, [E,3^l]."""
    powers = np.ones((len(unit), 1))
    for count in range(1, rank + 1):
        powers = (powers[:, :, None] * unit[:, None, :]).reshape(len(unit), 3**count)
    return powers


def _assembled(edges: _Edges, classes: NDArray[np.int64], n_classes: int, local: Array, slopes: Array) -> Rows:
    """Sums over atoms, with a block of columns for each class of the central atom."""
    k = local.shape[1]
    energy = np.zeros((n_classes, k))
    forces = np.zeros((n_classes, edges.n_atoms, 3, k))
    virial = np.zeros((n_classes, 6, k))
    for own in range(n_classes):
        energy[own] = local[classes == own].sum(0)
        mine = (classes[edges.target] == own).astype(float)
        weighted = slopes * mine[:, None, None]
        flat = weighted.reshape(len(weighted), 3 * k)
        forces[own] = np.asarray(edges.to_target @ flat - edges.to_source @ flat).reshape(edges.n_atoms, 3, k)
        outer = np.einsum("ex,eyk->xyk", edges.vectors, weighted)
        outer = 0.5 * (outer + outer.transpose(1, 0, 2))
        virial[own] = outer[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    return Rows(
        energy.reshape(-1),
        forces.transpose(1, 2, 0, 3).reshape(3 * edges.n_atoms, -1),
        virial.transpose(1, 0, 2).reshape(6, -1),
    )
