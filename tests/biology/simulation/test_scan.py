"""Scans against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.scan import scan
from sciml.errors import ConfigError


def reversible():
    return Network(
        "reversible",
        species={"A": 3.0, "B": 1.0},
        reactions=[Reaction.parse("f", "A -> B", rate="k1"), Reaction.parse("r", "B -> A", rate="k2")],
        parameters={"k1": 2.0, "k2": 1.0},
    )


def test_a_grid_of_two_parameters_and_a_curve_at_rest():
    found = scan(reversible(), {"k1": [1.0, 2.0, 3.0], "k2": [1.0, 4.0]}, [0.0, 60.0])
    k1, k2 = np.meshgrid([1.0, 2.0, 3.0], [1.0, 4.0], indexing="ij")
    np.testing.assert_allclose(found.select("B")[..., -1], 4 * k1 / (k1 + k2), rtol=1e-8)
    assert found.mean.shape == (3, 2, 2, 2) and len(found.to_pandas()) == 12
    curve = scan(reversible(), {"k1": [1.0, 3.0]}, None, "steady_state")
    np.testing.assert_allclose(curve.select("B")[:, 0], [2.0, 3.0], rtol=1e-10)


def test_what_cannot_be_scanned_is_refused():
    for wrong in ({"values": {}}, {"values": {"k1": []}}, {"values": {"k1": [1.0]}, "method": "guess"}, {"values": {"nobody": [1.0]}}):
        with pytest.raises(ConfigError):
            scan(reversible(), **{"times": [1.0], **wrong})


def test_random_runs_at_every_point():
    """A <-> B, each of 4 molecules in B with probability p = k1 / (k1 + k2) after a long time: mean 4 p, variance 4 p (1 - p)."""
    n = 2000
    found = scan(reversible(), {"k1": [0.5, 3.0]}, [20.0], "ssa", n=n, seed=4)
    p = np.array([0.5, 3.0]) / (np.array([0.5, 3.0]) + 1.0)
    z = (found.select("B")[:, 0] - 4 * p) / np.sqrt(4 * p * (1 - p) / n)
    assert (np.abs(z) < 4.5).all()
    assert found.std is not None
    np.testing.assert_allclose(found.std[:, 0, found.species.index("B")], np.sqrt(4 * p * (1 - p)), rtol=0.1)
    again = scan(reversible(), {"k1": [0.5, 3.0]}, [20.0], "ssa", n=n, seed=4)
    np.testing.assert_array_equal(found.mean, again.mean)


def test_an_interrupt_ends_the_whole_scan():
    """A simulator keeps the trajectories that are done; a point with fewer of them must not stand beside the others."""
    asked = []

    def interrupt(done, count):
        asked.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan(reversible(), {"k1": [0.5, 3.0]}, [20.0], "ssa", n=50_000, progress=interrupt)
    assert asked
    with pytest.raises(ConfigError, match="n: found 0"):
        scan(reversible(), {"k1": [0.5]}, [1.0], n=0)
