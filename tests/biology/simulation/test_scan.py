"""Scans against closed forms."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.methods import METHODS
from sciml.biology.simulation.scan import scan
from sciml.errors import ConfigError
from tests.biology.simulation.small_networks import own_kernel


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


def test_values_that_go_together():
    k1, k2 = np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 2.0])
    found = scan(reversible(), {"k1": k1, "k2": k2}, [0.0, 60.0], together=True)
    np.testing.assert_allclose(found.select("B")[:, -1], 4 * k1 / (k1 + k2), rtol=1e-8)
    table = found.to_pandas()
    assert table.loc[(2.0, 4.0, 60.0), "B"] == pytest.approx(4 / 3) and len(table) == 6 and found.to_dict()["together"]
    with pytest.raises(ConfigError, match="found 2 of 'k1', 1 of 'k2', expected equally many"):
        scan(reversible(), {"k1": [1.0, 2.0], "k2": [1.0]}, [1.0], together=True)


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if name != "ode"])
def test_random_runs_at_every_point(method):
    """A <-> B, each of 400 molecules in B with p = k1 / (k1 + k2) after a long time: mean 400 p, variance 400 p (1 - p)."""
    n = 2000
    own, network = own_kernel(method), reversible().set(A=300, B=100)
    found = scan(network, {"k1": [0.5, 3.0]}, [20.0], method, n=n, seed=4, **own)
    p = np.array([0.5, 3.0]) / (np.array([0.5, 3.0]) + 1.0)
    assert found.n == (n if METHODS[method].sampled else 1)
    z = (found.select("B")[:, 0] - 400 * p) / np.sqrt(400 * p * (1 - p) / n)
    assert (np.abs(z) < 4.5).all()
    assert found.std is not None
    np.testing.assert_allclose(found.std[:, 0, found.species.index("B")], np.sqrt(400 * p * (1 - p)), rtol=0.1)
    again = scan(network, {"k1": [0.5, 3.0]}, [20.0], method, n=n, seed=4, **own)
    np.testing.assert_array_equal(found.mean, again.mean)


def test_one_trajectory_has_no_spread_and_moments_will_do():
    with warnings.catch_warnings(action="error"):
        one = scan(reversible(), {"k1": [0.5, 3.0]}, [20.0], "ssa", n=1)
    assert one.std is None and one.n == 1 and np.isfinite(one.mean).all()
    kept, moments = (scan(reversible(), {"k1": [0.5, 3.0]}, [2.0, 1.0], "ssa", n=50, record=r) for r in ("grid", "moments"))
    np.testing.assert_allclose(moments.mean, kept.mean, rtol=1e-12)
    np.testing.assert_allclose(moments.std, kept.std, rtol=1e-12)
    assert scan(reversible(), {"k1": [0.5]}, [2.0, 1.0], "ssa", n=50, record="final").times == [2.0]


def test_points_and_seeds_share_no_trajectories():
    """The same value at two points of two seeds: ends of 200 trajectories, as likely alike by chance as any other two."""
    many = Network("decay", species={"A": 10_000}, reactions=[Reaction.parse("out", "A ->", rate="k")], parameters={"k": 1.0})
    means = [scan(many, {"k": [1.0, 1.0, 1.0]}, [1.0], "ssa", n=7, seed=seed).mean.ravel() for seed in (0, 1, 2)]
    assert len(set(np.concatenate(means).tolist())) == 9


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
