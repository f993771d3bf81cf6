"""The table of methods says what is true of them."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.simulation.methods import METHODS
from sciml.biology.simulation.state_projection import finite_state_projection
from sciml.biology.simulation.trajectories import Ensemble
from tests.biology.simulation.small_networks import KERNELS, birth_death, dimerisation, own_kernel, z_scores


@pytest.mark.parametrize("name", METHODS)
def test_sampled_methods_give_trajectories_by_seed(name: str) -> None:
    method = METHODS[name]
    found = method.call(birth_death(), [1.0], **({"n": 3, "seed": 5} | own_kernel(name) if method.sampled else {}))
    assert isinstance(found, Ensemble) == method.sampled == (name in KERNELS)
    if isinstance(found, Ensemble):
        assert (found.asked, found.complete, found.seed, found.kernel) == (3, True, 5, KERNELS[name])


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.exact])
def test_exact_methods_have_the_law_of_the_master_equation(name: str) -> None:
    """|z| <= 4.5; the Langevin equation, which is not exact, is seen."""
    times = [0.3, 3.0]
    law = finite_state_projection(dimerisation(), times, tolerance=1e-8)
    assert max(z_scores(METHODS[name].call(dimerisation(), times, n=4000, seed=2).counts, law).values()) < 4.5
    other = np.rint(METHODS["langevin"].call(dimerisation(), times, n=4000, seed=2).amounts).astype(int)
    assert max(z_scores(other, law).values()) > 4.5
