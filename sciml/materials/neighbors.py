"""Cell, positions, cut-off -> every pair of atoms nearer than the cut-off, over all periodic images.

One linear cell list serves a molecule, a primitive cell that is smaller than the cut-off, and 100,000 atoms: the cell is cut into bins
(by fractions of its vectors, so any skewness will do), and bin b + n * bins is bin b of image n. How many images there are follows from
the distances between lattice planes. Pairs are found once (source >= target), and each gives two edges, sorted by target, source, shift.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sciml.compiling import compiled
from sciml.errors import ConfigError, DataError

__all__ = ["NeighborPairs", "PeriodicEdges", "neighbor_pairs", "periodic_edges"]

EDGE = 1e-9  # slack, in bins, so that rounding at a border loses no bin
FARTHEST = 500  # images in one direction: 10 bits of a key
MOST = 1e6  # images in all, so that a cell in wrong units ends in a message
HALF, BITS = 512, 10
ZERO = (HALF << 2 * BITS) | (HALF << BITS) | HALF  # the key of the home image
FAULTS = (
    "",
    "positions: found NaN or infinite numbers, expected finite ones",
    "cell: found periodic vectors that are missing, not finite or in one plane, expected independent ones (or pbc = False there)",
    f"cell: found lattice planes nearer than cutoff / {FARTHEST} or over {MOST:.0e} images in reach, expected a cell that is not so small",
    "positions: found an atom more than 1e9 cells away, expected positions near the cell",
)


class PeriodicEdges(NamedTuple):
    """The edges of one or more structures, sorted by target, source, shift.

    edge_index: int64 [2, E], (source j, target i), counted through all structures
    shift: int32 [E, 3], so that the edge vector is positions[j] + shift @ cell - positions[i]
    reverse: int64 [E], the number of the edge i -> j with -shift; reverse[reverse] counts 0, 1, 2, ...
    """

    edge_index: NDArray[np.int64]
    shift: NDArray[np.int32]
    reverse: NDArray[np.int64]


class NeighborPairs(NamedTuple):
    """The pairs of one structure, sorted by target, source, shift; each array has one row per directed pair.

    target: int64 [E], atom i; source: int64 [E], its neighbour j
    shift: int32 [E, 3], so that the vector from i to j is positions[j] + shift @ cell - positions[i]
    reverse: int64 [E], the number of the pair (j, i, -shift)
    """

    target: NDArray[np.int64]
    source: NDArray[np.int64]
    shift: NDArray[np.int32]
    reverse: NDArray[np.int64]


def neighbor_pairs(positions: ArrayLike, cell: ArrayLike, pbc: ArrayLike, cutoff: float) -> NeighborPairs:
    """All directed pairs with |positions[j] + shift @ cell - positions[i]| < cutoff.

    positions: [N, 3] angstrom, as they are: wrapped into the cell or not; shifts refer to them
    cell: [3, 3] angstrom, rows are lattice vectors; the row of an open direction is not looked at
    pbc: [3] bool
    cutoff: angstrom; may exceed the cell, an atom then meets its own images

    Raises ConfigError for a cut-off that is no positive number, DataError for arrays that no structure can have.
    """
    positions = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
    cells, periodic = np.asarray(cell, np.float64)[None], np.asarray(pbc, np.bool_)[None]
    edges = periodic_edges(positions, cells, periodic, np.array([0, len(positions)]), cutoff)
    return NeighborPairs(edges.edge_index[1], edges.edge_index[0], edges.shift, edges.reverse)


def periodic_edges(
    positions: NDArray[np.float64], cells: NDArray[np.float64], pbc: NDArray[np.bool_], ptr: NDArray[np.int64], cutoff: float
) -> PeriodicEdges:
    """`neighbor_pairs` of G structures in one call: the fast path for many.

    positions: float64 [N, 3] angstrom, those of all structures one after the other
    cells: float64 [G, 3, 3] angstrom; pbc: bool [G, 3]
    ptr: int64 [G + 1], structure g has the atoms ptr[g] to ptr[g + 1] - 1

    Raises ConfigError for the cut-off, DataError that names the structure (counted from 0) and the field.
    """
    if not (math.isfinite(cutoff) and cutoff > 0):
        raise ConfigError(f"cutoff: found {cutoff!r}, expected a positive number of angstrom")
    positions = np.ascontiguousarray(positions, np.float64)
    cells = np.ascontiguousarray(cells, np.float64)
    pbc = np.ascontiguousarray(pbc, np.bool_)
    ptr = np.ascontiguousarray(ptr, np.int64)
    if positions.shape != (ptr[-1], 3) or cells.shape != (len(ptr) - 1, 3, 3) or pbc.shape != (len(ptr) - 1, 3):
        shapes = f"positions {positions.shape}, cells {cells.shape}, pbc {pbc.shape}, ptr {ptr.shape}"
        raise DataError(f"structures: found shapes {shapes}, expected [N, 3], [G, 3, 3], [G, 3], [G + 1] with ptr[-1] = N")
    keys, heads, wraps, fault, record = _search(positions, cells, pbc, ptr, float(cutoff))
    if fault:
        raise DataError(f"structure {record}, {FAULTS[fault]}")
    return PeriodicEdges(*_mirror(keys, heads, wraps))


@compiled()
def _frame(cell: Any, pbc: Any, frame: Any) -> None:
    """Lattice vectors with each open one replaced by a unit vector perpendicular to all others -> frame [3, 3]."""
    periodic = 0
    for k in range(3):
        periodic += pbc[k]
        for x in range(3):
            frame[k, x] = cell[k, x] if pbc[k] else 0.0
    if periodic == 0:
        for k in range(3):
            frame[k, k] = 1.0
    elif periodic == 1:
        k = 0 if pbc[0] else (1 if pbc[1] else 2)
        least = 0
        for x in range(3):
            if abs(frame[k, x]) < abs(frame[k, least]):
                least = x
        a, b = (k + 1) % 3, (k + 2) % 3
        frame[b, least] = 1.0  # helper that is not parallel
        _unit_normal(frame, k, b, a)
        _unit_normal(frame, k, a, b)
    elif periodic == 2:
        k = 0 if not pbc[0] else (1 if not pbc[1] else 2)
        _unit_normal(frame, (k + 1) % 3, (k + 2) % 3, k)


@compiled()
def _unit_normal(frame: Any, a: int, b: int, out: int) -> None:
    """frame[out] = frame[a] x frame[b] / |...|; left zero where they are parallel."""
    x = frame[a, 1] * frame[b, 2] - frame[a, 2] * frame[b, 1]
    y = frame[a, 2] * frame[b, 0] - frame[a, 0] * frame[b, 2]
    z = frame[a, 0] * frame[b, 1] - frame[a, 1] * frame[b, 0]
    length = math.sqrt(x * x + y * y + z * z)
    if length > 0.0:
        frame[out, 0], frame[out, 1], frame[out, 2] = x / length, y / length, z / length


@compiled()
def _reciprocal(frame: Any, reciprocal: Any, heights: Any) -> bool:
    """Rows b_k with a_k . b_l = delta_kl, and the distances 1/|b_k| of the lattice planes; False for a flat or infinite cell."""
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        for x in range(3):
            y, z = (x + 1) % 3, (x + 2) % 3
            reciprocal[k, x] = frame[a, y] * frame[b, z] - frame[a, z] * frame[b, y]
    volume = frame[0, 0] * reciprocal[0, 0] + frame[0, 1] * reciprocal[0, 1] + frame[0, 2] * reciprocal[0, 2]
    if not (abs(volume) > 0.0 and math.isfinite(volume)):
        return False
    for k in range(3):
        square = 0.0
        for x in range(3):
            reciprocal[k, x] /= volume
            square += reciprocal[k, x] ** 2
        heights[k] = 1.0 / math.sqrt(square)
        if not (heights[k] > 0.0 and math.isfinite(heights[k])):
            return False
    return True


@compiled()
def _fractions(positions: Any, pbc: Any, cutoff: float, reciprocal: Any, heights: Any, fractions: Any, wraps: Any) -> int:
    """Fractions in [0, 1] along each vector and the whole cells taken off; an open direction spans its atoms. Gives a fault's number."""
    images = 1.0
    for k in range(3):
        low, high = np.inf, -np.inf
        for i in range(len(positions)):
            f = positions[i, 0] * reciprocal[k, 0] + positions[i, 1] * reciprocal[k, 1] + positions[i, 2] * reciprocal[k, 2]
            if not math.isfinite(f):
                return 1
            w = math.floor(f) if pbc[k] else 0.0
            if abs(w) > 1e9:
                return 4
            fractions[i, k] = f - w
            wraps[i, k] = int(w)
            low, high = min(low, f), max(high, f)
        if pbc[k]:
            images *= 2.0 * cutoff / heights[k] + 1.0
            if not (cutoff < FARTHEST * heights[k] and images < MOST):
                return 3
        else:  # unit vector: f is in angstrom
            span = max(high - low, cutoff)
            heights[k] = span
            for i in range(len(positions)):
                fractions[i, k] = (fractions[i, k] - low) / span
    return 0


@compiled()
def _divide(heights: Any, width: float, atoms: int, bins: Any) -> None:
    """How many bins each direction gets: none thinner than width, about one bin an atom at most in all."""
    for k in range(3):
        bins[k] = int(min(max(math.floor(heights[k] / width), 1.0), 1048576.0))
    while float(bins[0]) * bins[1] * bins[2] > max(atoms, 1):
        k = 0
        for x in range(1, 3):
            if bins[x] > bins[k]:
                k = x
        bins[k] = (bins[k] + 1) // 2


@compiled()
def _fill_bins(fractions: Any, bins: Any, starts: Any, order: Any, home: Any) -> None:
    """Counting sort of the atoms by bin; within a bin they stay in order. starts: [bins + 1]."""
    for b in range(len(starts)):
        starts[b] = 0
    for i in range(len(fractions)):
        b = 0
        for k in range(3):
            b = b * bins[k] + min(int(fractions[i, k] * bins[k]), bins[k] - 1)
        home[i] = b
        starts[b + 1] += 1
    for b in range(1, len(starts)):
        starts[b] += starts[b - 1]
    for i in range(len(fractions) - 1, -1, -1):  # from the end, so that starts[b + 1] falls to the first of bin b
        b = home[i]
        starts[b + 1] -= 1
        order[starts[b + 1]] = i
    for b in range(len(starts) - 1):
        starts[b] = starts[b + 1]
    starts[len(starts) - 1] = len(fractions)


@compiled()
def _sort(keys: Any) -> None:
    """Shell sort, in place."""
    gap = 1
    while 3 * gap + 1 < len(keys):
        gap = 3 * gap + 1
    while gap > 0:
        for p in range(gap, len(keys)):
            key = keys[p]
            q = p
            while q >= gap and keys[q - gap] > key:
                keys[q] = keys[q - gap]
                q -= gap
            keys[q] = key
        gap //= 3


@compiled()
def _grown(keys: Any, need: int) -> Any:
    """The same keys in an array with room for `need` at least."""
    more = np.empty(max(need, 2 * len(keys)), np.int64)
    for k in range(len(keys)):  # a slice would take numba a second and a half to compile
        more[k] = keys[k]
    return more


@compiled()
def _neighbors_of(i: int, centre: Any, window: Any, frame: Any, grid: Any, offset: int, limit: float, keys: Any, found: int) -> Any:
    """Append the keys of the pairs (i, j >= i) of atom i -> keys, their number. A key: j, then 10 bits a direction for image + 512."""
    low, high, bins = window
    starts, first, order, sorted_ = grid
    for bx in range(low[0], high[0] + 1):
        nx = bx // bins[0]
        for by in range(low[1], high[1] + 1):
            ny = by // bins[1]
            row = ((bx - nx * bins[0]) * bins[1] + by - ny * bins[1]) * bins[2]
            for bz in range(low[2], high[2] + 1):
                nz = bz // bins[2]
                b = row + bz - nz * bins[2]
                p, end = first[b], starts[b + 1]
                while p < end and order[p] < i:  # atoms come in order: those before i are done with for good
                    p += 1
                first[b] = p
                if p == end:
                    continue
                image = ((nx + HALF) << 2 * BITS) | ((ny + HALF) << BITS) | (nz + HALF)
                if order[p] == i and image <= ZERO:  # itself, or an own image met from the other side
                    p += 1
                if found + end - p > len(keys):
                    keys = _grown(keys, found + end - p)
                x = centre[0] - (nx * frame[0, 0] + ny * frame[1, 0] + nz * frame[2, 0])
                y = centre[1] - (nx * frame[0, 1] + ny * frame[1, 1] + nz * frame[2, 1])
                z = centre[2] - (nx * frame[0, 2] + ny * frame[1, 2] + nz * frame[2, 2])
                for q in range(p, end):
                    dx, dy, dz = sorted_[q, 0] - x, sorted_[q, 1] - y, sorted_[q, 2] - z
                    keys[found] = ((order[q] + offset) << 3 * BITS) | image
                    found += dx * dx + dy * dy + dz * dz < limit
    return keys, found


@compiled()
def _search(positions: Any, cells: Any, pbc: Any, ptr: Any, cutoff: float) -> Any:
    """Half of the pairs -> keys sorted by (atom, key), where each atom's keys begin [N + 1], cells taken off [N, 3], fault, structure."""
    total = len(positions)
    largest = 1
    for g in range(len(ptr) - 1):
        largest = max(largest, ptr[g + 1] - ptr[g])
    keys, found = np.empty(32 * total + 64, np.int64), np.int64(0)
    heads, wraps, fractions = np.zeros(total + 1, np.int64), np.empty((total, 3), np.int64), np.empty((total, 3))
    order, home, sorted_ = np.empty(largest, np.int64), np.empty(largest, np.int64), np.empty((largest, 3))
    starts, first = np.empty(largest + 1, np.int64), np.empty(largest, np.int64)
    frame, reciprocal, heights, centre = np.empty((3, 3)), np.empty((3, 3)), np.empty(3), np.empty(3)
    bins, low, high = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3, np.int64)
    window, grid = (low, high, bins), (starts, first, order, sorted_)
    for g in range(len(ptr) - 1):
        begin, atoms = ptr[g], ptr[g + 1] - ptr[g]
        _frame(cells[g], pbc[g], frame)
        if not _reciprocal(frame, reciprocal, heights):
            return keys[:0], heads, wraps, 2, g
        f, w = fractions[begin : begin + atoms], wraps[begin : begin + atoms]
        fault = _fractions(positions[begin : begin + atoms], pbc[g], cutoff, reciprocal, heights, f, w)
        if fault:
            return keys[:0], heads, wraps, fault, g
        _divide(heights, cutoff, atoms, bins)
        used = bins[0] * bins[1] * bins[2]
        _fill_bins(f, bins, starts[: used + 1], order, home)
        for b in range(used):
            first[b] = starts[b]
        for q in range(atoms):
            for x in range(3):
                j = order[q]
                sorted_[q, x] = positions[begin + j, x] - (w[j, 0] * frame[0, x] + w[j, 1] * frame[1, x] + w[j, 2] * frame[2, x])
        for i in range(atoms):
            for k in range(3):
                centre[k] = positions[begin + i, k] - (w[i, 0] * frame[0, k] + w[i, 1] * frame[1, k] + w[i, 2] * frame[2, k])
                reach = cutoff / heights[k] * bins[k] + EDGE
                low[k], high[k] = math.floor(f[i, k] * bins[k] - reach), math.floor(f[i, k] * bins[k] + reach)
                if not pbc[g, k]:
                    low[k], high[k] = max(low[k], 0), min(high[k], bins[k] - 1)
            before = found
            keys, found = _neighbors_of(i, centre, window, frame, grid, begin, cutoff * cutoff, keys, found)
            _sort(keys[before:found])
            heads[begin + i + 1] = found
    return keys[:found], heads, wraps, 0, 0


@compiled()
def _mirror(keys: Any, heads: Any, wraps: Any) -> Any:
    """Half of the pairs -> all edges, sorted: the edges to atom t are those found from atoms i <= t, then those that t found itself."""
    total = len(heads) - 1
    edges = 2 * len(keys)
    edge_index, shift, reverse = np.empty((2, edges), np.int64), np.empty((edges, 3), np.int32), np.empty(edges, np.int64)
    mirrored = np.zeros(total + 1, np.int64)  # where the next edge found from the other side goes
    own = np.empty(total, np.int64)
    for key in keys:
        mirrored[(key >> 3 * BITS) + 1] += 1
    for t in range(total):
        own[t] = mirrored[t] + mirrored[t + 1]
        mirrored[t + 1] = own[t] + heads[t + 1] - heads[t]
    for i in range(total):
        k, e = heads[i], own[i]
        while k < heads[i + 1]:
            j, count = keys[k] >> 3 * BITS, 1
            while k + count < heads[i + 1] and keys[k + count] >> 3 * BITS == j:
                count += 1
            back = mirrored[j] + count - 1  # shifts of opposite sign run the other way
            mirrored[j] += count
            for _ in range(count):
                edge_index[0, e], edge_index[1, e], edge_index[0, back], edge_index[1, back] = j, i, i, j
                for x in range(3):
                    n = (keys[k] >> (2 - x) * BITS & (1 << BITS) - 1) - HALF + wraps[i, x] - wraps[j, x]
                    shift[e, x], shift[back, x] = n, -n
                reverse[e], reverse[back] = back, e
                e, back, k = e + 1, back - 1, k + 1
    return edge_index, shift, reverse
