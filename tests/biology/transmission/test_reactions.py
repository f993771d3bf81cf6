"""Bits per reaction against closed forms: normal laws, birth and death, a gene; by Langevin the same within its error."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from sciml import biology as bio
from sciml.biology.network import Network, Reaction
from sciml.biology.simulation.linear_noise import linear_noise
from sciml.biology.transmission.reactions import bits_per_reaction, normal_information
from sciml.errors import ConfigError, DataError
from tests.biology.simulation.small_networks import birth_death, telegraph
from tests.biology.transmission.networks import loop


def _by_quadrature(means, sds, p) -> float:
    def density(y: float, i: int) -> float:
        mixture = sum(q * norm.pdf(y, m, s) for q, m, s in zip(p, means, sds, strict=True))
        own = norm.pdf(y, means[i], sds[i])
        return own * np.log2(own / mixture) if own > 0 else 0.0

    return sum(
        q * quad(density, m - 12 * s, m + 12 * s, args=(i,), limit=300)[0] for i, (q, m, s) in enumerate(zip(p, means, sds, strict=True))
    )


def test_information_of_normal_responses() -> None:
    means, sds, p = np.array([0.0, 1.0, 4.0]), np.array([1.0, 0.3, 2.0]), np.array([0.5, 0.2, 0.3])
    assert normal_information(means, sds**2, p) == pytest.approx(_by_quadrature(means, sds, p), abs=1e-7)
    assert normal_information(np.array([0.0, 1.0]), np.zeros(2), np.array([0.5, 0.5])) == pytest.approx(1.0)
    assert normal_information(np.ones(3), np.ones(3), p) == pytest.approx(0.0, abs=1e-12)
    assert normal_information(np.ones(3), np.zeros(3), p) == 0.0


def test_birth_and_death_share_the_noise() -> None:
    doses = np.array([5.0, 20.0, 60.0])
    found = bio.bits_per_reaction(birth_death(), "k", "X", doses)
    np.testing.assert_allclose(found.mean, doses, rtol=1e-9)
    np.testing.assert_allclose(found.variance, doses, rtol=1e-9)
    np.testing.assert_allclose(found.share, 0.5, rtol=1e-9)
    p = np.full(3, 1 / 3)
    assert found.bits == pytest.approx(_by_quadrature(doses, np.sqrt(doses), p), abs=1e-6)
    np.testing.assert_allclose(found.gained, _by_quadrature(doses, np.sqrt(doses / 2), p) - found.bits, atol=1e-6)
    assert "birth" in found.sentence() or "death" in found.sentence()
    json.dumps(found.to_dict())
    assert [block.name for block in found.to_sections()[0].blocks[1:]] == ["bits per reaction", "bits per reaction, table"]


def test_a_gene_loses_most_to_its_switch() -> None:
    """Var P = mean (make, decay) + (k / g)^2 a b / ((a + b)^2) g / (a + b + g) (switching)."""
    a, b, k, g = 0.3, 0.5, 60.0, 1.0
    found = bits_per_reaction(telegraph(a, b, k, g), "k", "P", [20.0, k])
    assert found.reactions == ("on", "off", "make", "decay")
    mean = a / (a + b) * k / g
    switching = (k / g) ** 2 * a * b / (a + b) ** 2 * g / (a + b + g)
    np.testing.assert_allclose(found.share[1] * found.variance[1], [switching / 2, switching / 2, mean / 2, mean / 2], rtol=1e-8)
    assert found.gained[:2].min() > 5 * found.gained[2:].max()


def test_before_rest_the_parts_add_up_to_linear_noise() -> None:
    net = loop(40.0)
    found = bits_per_reaction(net, "S", "X", [20.0, 90.0], time=0.7)
    for k, dose in enumerate(found.doses):
        whole = linear_noise(net, [0.7], parameters={"S": dose})
        mean, std = whole.select("X")
        assert found.mean[k] == pytest.approx(mean[0], rel=1e-6)
        assert found.variance[k] == pytest.approx(std[0] ** 2, rel=1e-6)
    np.testing.assert_allclose(found.share.sum(axis=1), 1.0)


def test_an_input_law_weighs_the_doses() -> None:
    found = bits_per_reaction(birth_death(), "k", "X", [5.0, 20.0, 60.0], p_x=[0.5, 0.0, 0.5])
    assert found.bits == pytest.approx(bits_per_reaction(birth_death(), "k", "X", [5.0, 60.0]).bits, abs=1e-12)


@pytest.mark.parametrize(
    ("doses", "n"), [([100.0, 170.0], 200), pytest.param([100.0, 130.0, 170.0], 1000, marks=pytest.mark.long)], ids=["small", "whole"]
)
def test_langevin_cells_say_the_same(doses: list[float], n: int) -> None:
    """|z| <= 4, and 0.02 bit for what is not normal."""
    net = birth_death(start=130.0)
    line = bits_per_reaction(net, "k", "X", doses, time=5.0)
    found = bits_per_reaction(net, "k", "X", doses, time=5.0, method="langevin", n=n, seed=2)
    assert abs(found.bits - line.bits) <= 4 * found.bits_error + 0.02
    assert (abs(found.gained - line.gained) <= 4 * found.gained_error + 0.02).all()
    assert found.reactions == line.reactions


def test_reactions_with_one_change_are_one_row() -> None:
    parse = Reaction.parse
    reactions = [parse("a", "-> X", rate="k"), parse("b", "-> X", rate=3.0), parse("c", "X ->", rate=1.0)]
    net = Network("two births", species={"X": 5}, parameters={"k": 5.0}, reactions=reactions)
    assert bits_per_reaction(net, "k", "X", [5.0, 9.0]).reactions == ("a, b", "c")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"doses": [1.0, 1.0]}, "two different numbers"), ({"doses": "high"}, "two different numbers"), ({"dose": "q"}, "'q'"),
     ({"readout": "Q"}, "'Q' is no symbol"), ({"method": "langevin"}, "until a time"),
     ({"method": "langevin", "time": 1.0, "p_x": [0.5, 0.5]}, "as many cells at each dose"), ({"time": 0.0}, "time: found 0")],
)  # fmt: skip
def test_faults_are_named(options: dict, said: str) -> None:
    request = {"dose": "k", "readout": "X", "doses": [5.0, 9.0]} | options
    with pytest.raises(ConfigError, match=said):
        bits_per_reaction(birth_death(), **request)


@pytest.mark.parametrize(
    ("p_x", "said"), [([1.0], "found 1 probabilities, expected 2"), ([0.5, 0.4], "p_x: sums to 0.9"), ("p", "found 'p'")]
)
def test_a_law_of_doses_that_is_none(p_x, said: str) -> None:
    with pytest.raises(DataError, match=said):
        bits_per_reaction(birth_death(), "k", "X", [5.0, 9.0], p_x=p_x)
