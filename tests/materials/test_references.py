"""Reference energies: isolated atoms, given values, least squares of minimum norm."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.materials.references import References


def test_one_composition_gives_the_minimum_norm():
    found = References.fit([11, 17], [[1, 1], [4, 4], [2, 2]], [-6.0, -24.0, -12.0])
    assert found.energies == pytest.approx((-3.0, -3.0), abs=1e-12)
    assert found.origin == ("fitted", "fitted") and found.rank == 1


def test_isolated_atoms_before_given_before_fitted():
    counts, energies = [[1, 0, 0], [2, 1, 1], [1, 2, 1]], [-1.0, -2.0 - 5.0 - 7.0, -1.0 - 10.0 - 7.0]
    found = References.fit([1, 6, 8], counts, energies, isolated=[True, False, False], given={"H": 99.0, "C": -5.0})
    assert found.energies == pytest.approx((-1.0, -5.0, -7.0))
    assert found.origin == ("isolated", "given", "fitted") and found.rank == 1
    assert found["C"] == found[6] == -5.0
    assert References.from_dict(found.to_dict()) == found


def test_recovers_planted_energies_and_skips_missing_labels():
    rng = np.random.default_rng(0)
    counts, true = rng.integers(0, 5, (20, 3)), np.array([-1.5, 2.25, -30.0])
    energies = counts @ true
    energies[3] = np.nan
    found = References.fit([3, 9, 40], counts, energies)
    assert found.energies == pytest.approx(tuple(true), abs=1e-10) and found.rank == 3
