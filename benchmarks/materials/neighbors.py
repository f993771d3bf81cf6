"""Neighbour lists against vesin: CPU time of 200 small crystals (structures to tensors), of 8,000 and of 100,000 atoms.

    python benchmarks/materials/neighbors.py [--repeat 5] [--quick]

Prints one row a case; `ratio` is vesin's least CPU time over ours, so that above 1 we are faster. vesin gives i, j, shift unsorted; ours
are sorted and come with the number of the reverse edge.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import vesin
from ase import Atoms
from ase.build import bulk

from sciml import materials as mat


def crystals(count: int) -> list[Atoms]:
    """Strained, rattled cells of 4 and 8 atoms."""
    rng = np.random.default_rng(0)
    kinds = [bulk("Si", cubic=True), bulk("Cu", cubic=True), bulk("NaCl", "rocksalt", a=5.64, cubic=True)]
    rows = []
    for i in range(count):
        atoms = kinds[i % len(kinds)].copy()
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
        atoms.rattle(0.1, seed=i)
        rows.append(atoms)
    return rows


def large(symbol: str, repeat: int) -> list[Atoms]:
    """One rattled supercell of the cubic cell."""
    atoms = bulk(symbol, cubic=True).repeat(repeat)
    atoms.rattle(0.1, seed=0)
    return [atoms]


def least(call: Callable[[], Any], repeat: int) -> float:
    """Least CPU seconds of `repeat` calls, after one that warms up."""
    call()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def row(name: str, structures: list[Atoms], cutoff: float, repeat: int) -> str:
    """Measure one case."""
    peer = vesin.NeighborList(cutoff=cutoff, full_list=True, n_threads=1)

    def theirs() -> list[Any]:
        return [peer.compute(points=a.positions, box=a.cell.array, periodic=True, quantities="ijS") for a in structures]

    edges = mat.build_graphs(structures, cutoff).num_edges
    if edges != sum(len(i) for i, *_ in theirs()):
        raise SystemExit(f"{name}: the numbers of edges differ")
    ours_s, theirs_s = least(lambda: mat.build_graphs(structures, cutoff), repeat), least(theirs, repeat)
    return f"{name:12} {cutoff:4.1f} {edges:9} {ours_s * 1e3:9.2f} {theirs_s * 1e3:9.2f} {theirs_s / ours_s:6.2f}"


def main() -> None:
    """Measure all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that the script runs")
    options = parser.parse_args()
    few, edge, more = (20, 3, 4) if options.quick else (200, 10, 29)
    print("case         cut     edges   ours ms  vesin ms  ratio")
    small, middle, big = crystals(few), large("Si", edge), large("Cu", more)
    for name, structures, cutoff in (
        ("small", small, 5.0),
        ("small", small, 6.0),
        ("Si", middle, 5.0),
        ("Si", middle, 6.0),
        ("Cu", big, 5.0),
    ):
        print(row(f"{name} {sum(map(len, structures))}", structures, cutoff, options.repeat))


if __name__ == "__main__":
    main()
