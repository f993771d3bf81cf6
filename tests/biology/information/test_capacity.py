"""Capacity against closed forms, its Kuhn-Tucker conditions and what must not change it."""

from __future__ import annotations

import decimal
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology import information as info
from sciml.biology.information.capacity import channel_matrix
from sciml.errors import ConfigError, ConvergenceError, DataError
from sciml.report.blocks import Figure


def h2(p):
    return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p)) if 0 < p < 1 else 0.0


def z_channel(e):
    """The one crosses over to 0 with probability e: log2(1 + (1 - e) e^(e / (1 - e)))."""
    return [[1, 0], [e, 1 - e]], np.log2(1 + (1 - e) * e ** (e / (1 - e))) if e < 1 else 0.0


def noisy_hill(nx, ny):
    dose = 10 ** (-1.5 + 3 * np.arange(nx) / (nx - 1))
    w = np.exp(-((((np.arange(ny) + 0.5) / ny - (dose**2 / (1 + dose**2))[:, None]) / 0.08) ** 2) / 2)
    return w / w.sum(1, keepdims=True)


def random_channel(n, m, seed, width=0.5):
    return np.random.default_rng(seed).dirichlet(np.full(m, width), size=n)


TYPEWRITER = 0.5 * (np.eye(26) + np.roll(np.eye(26), 1, axis=1))
SYMMETRIC = np.full((7, 7), 0.05) + 0.65 * np.eye(7)
CLOSED = {
    "BSC": ([[0.89, 0.11], [0.11, 0.89]], 1 - h2(0.11)),
    "BEC": ([[0.7, 0.3, 0], [0, 0.3, 0.7]], 0.7),
    "Z 0.5": z_channel(0.5),
    "Z 0.001": z_channel(0.001),
    "Z 0.999": z_channel(0.999),
    "noisy typewriter": (TYPEWRITER, np.log2(13)),
    "seven symmetric": (SYMMETRIC, np.log2(7) + 0.7 * np.log2(0.7) + 0.3 * np.log2(0.05)),
    "useless": (np.full((3, 4), 0.25), 0.0),
    "one input": ([[0.2, 0.8]], 0.0),
    "one output": (np.ones((5, 1)), 0.0),
    "without noise": (np.eye(9), np.log2(9)),
    "many to few": (np.eye(3)[[0, 1, 2, 0, 0, 1, 2, 2]], np.log2(3)),
    "an output that never comes": ([[0.7, 0, 0.3, 0], [0, 0, 0.3, 0.7]], 0.7),
    "an input of half use": ([[1, 0], [0, 1], [0.5, 0.5]], 1.0),
    "probabilities of 1e-300": ([[1, 1e-300, 0], [1e-300, 1, 1e-310]], 1.0),
    "a private output of 1e-5": ([[1, 0, 0], [0, 1, 0], [0.499995, 0.499995, 1e-5]], 1.0),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name):
    w, bits = CLOSED[name]
    found = info.capacity(np.array(w))
    assert found.lower <= bits + 1e-15 and bits <= found.upper + 1e-15
    assert found.upper - found.lower <= 1e-9
    assert found.lower <= found.bits <= found.upper


@pytest.mark.parametrize(("nx", "ny", "bits"), [(20, 20, 1.9297), (100, 50, 1.9311)])
def test_noisy_hill(nx, ny, bits):
    found = info.capacity(noisy_hill(nx, ny))
    assert found.bits == pytest.approx(bits, abs=5e-5)
    assert found.upper - found.lower <= 1e-9
    assert found.steps <= 15


def test_a_tall_channel():
    found = info.capacity(noisy_hill(1000, 100))
    assert found.upper - found.lower <= 1e-9
    assert np.count_nonzero(found.p_x) <= 100


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 10**6))
def test_kuhn_tucker(n, m, seed):
    """D(p(y|x) || p(y)) is the capacity for every input that is used, and no more for the others; I(p) is the mean of D."""
    w = random_channel(n, m, seed)
    found = info.capacity(w)
    d = np.where(w > 0, w * np.log2(np.where(w > 0, w / np.maximum(found.p_y, 1e-300), 1)), 0).sum(1)
    assert d.max() <= found.bits + 1e-4  # D moves by sqrt(gap) where the law moves by it
    assert np.abs(d[found.p_x > 1e-4] - found.bits).max(initial=0) <= 1e-4
    assert found.p_x @ d == pytest.approx(found.bits, abs=1e-12)
    assert found.p_y == pytest.approx(found.p_x @ w, abs=1e-15)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 8), st.integers(2, 8), st.integers(2, 8), st.integers(0, 10**6))
def test_data_processing(n, m, k, seed):
    """A second channel behind the first, or in front of it, loses or keeps."""
    first, second = random_channel(n, m, seed), random_channel(m, k, seed + 1)
    both = info.capacity(first @ second)
    assert both.lower <= min(info.capacity(first).upper, info.capacity(second).upper)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 10**6))
def test_what_changes_nothing(n, m, seed):
    """Orders, equal rows, outputs split in a fixed proportion, mixtures of inputs; two uses side by side add up."""
    rng, w = np.random.default_rng(seed), random_channel(n, m, seed)
    bits = info.capacity(w).bits
    same = [
        w[rng.permutation(n)][:, rng.permutation(m)],
        np.vstack([w, w[: n // 2]]),
        np.hstack([0.3 * w, 0.7 * w]),
        np.vstack([w, rng.dirichlet(np.ones(n)) @ w]),
    ]
    assert [info.capacity(v).bits for v in same] == pytest.approx([bits] * 4, abs=2e-9)
    assert info.capacity(np.kron(w, w)).bits == pytest.approx(2 * bits, abs=3e-9)


def test_a_row_in_single_precision():
    w = noisy_hill(20, 20)
    assert info.capacity(w.astype(np.float32)).bits == pytest.approx(info.capacity(w).bits, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_certificate_in_sixty_digits(seed):
    """What the optimal input sends lies inside the bracket, and the brackets of two tolerances meet."""
    w = random_channel(6, 5, seed)
    found, close = info.capacity(w), info.capacity(w, tolerance=1e-12)
    with decimal.localcontext(prec=60):
        rows = [[decimal.Decimal(v) for v in row] for row in w.tolist()]
        rows = [[v / sum(row) for v in row] for row in rows]
        law = [decimal.Decimal(v) for v in found.p_x.tolist()]
        law = [v / sum(law) for v in law]
        q = [sum(a * row[j] for a, row in zip(law, rows, strict=True)) for j in range(5)]
        d = [sum(v * (v / q[j]).ln() for j, v in enumerate(row) if v) / decimal.Decimal(2).ln() for row in rows]
        sent = sum(a * b for a, b in zip(law, d, strict=True))
        assert decimal.Decimal(found.lower) <= sent <= decimal.Decimal(found.upper)
        assert decimal.Decimal(close.lower) <= max(d)
    assert found.lower <= close.upper and close.lower <= found.upper


class TestCost:
    """Laws with a mean cost at most the budget."""

    def test_gaussian_noise_known_form(self):
        """Inputs and outputs on a grid, noise of 1, cost x^2: log2(1 + P) / 2, less what 41 levels to +-5 sqrt(P) lose (< 1e-4)."""
        power = 1.0
        x, y = np.linspace(-5, 5, 41), np.linspace(-11, 11, 331)
        w = np.exp(-((y - x[:, None]) ** 2) / 2)
        found = info.capacity(w / w.sum(1, keepdims=True), cost=x**2, budget=power)
        assert found.bits == pytest.approx(0.5 * np.log2(1 + power), abs=1e-4)
        assert found.cost == pytest.approx(power, abs=1e-6) and found.cost <= power + 1e-12
        assert found.price == pytest.approx(0.5 / (1 + power) / np.log(2), abs=1e-3)  # dC/dP
        assert found.p_x @ x == pytest.approx(0, abs=1e-6)

    def test_binary_symmetric(self):
        """p(1) = B below 1/2: h(B (1 - e) + (1 - B) e) - h(e)."""
        e, b = 0.1, 0.2
        found = info.capacity([[1 - e, e], [e, 1 - e]], cost=[0, 3], budget=3 * b)
        assert found.bits == pytest.approx(h2(b * (1 - e) + (1 - b) * e) - h2(e), abs=1e-9)
        assert found.p_x == pytest.approx([1 - b, b], abs=1e-8)

    def test_price_is_the_slope(self):
        w, cost = noisy_hill(12, 15), np.arange(12) ** 1.5
        below, at, above = (info.capacity(w, cost=cost, budget=b, tolerance=1e-11) for b in (4.99, 5.0, 5.01))
        assert at.price == pytest.approx((above.bits - below.bits) / 0.02, rel=1e-4)
        assert below.bits < at.bits < above.bits

    def test_an_idle_budget_changes_nothing(self):
        w, cost = noisy_hill(12, 15), np.arange(12.0)
        free = info.capacity(w)
        for budget in (11.0, 1e9, float(free.p_x @ cost) + 0.5):
            found = info.capacity(w, cost=cost, budget=budget)
            assert found.bits == pytest.approx(free.bits, abs=2e-9)
            assert found.price == pytest.approx(0, abs=1e-6)

    def test_the_least_budget_leaves_the_cheapest_inputs(self):
        w = noisy_hill(6, 8)
        found = info.capacity(w, cost=[5, 2, 2, 9, 2, 7], budget=2)
        assert found.bits == pytest.approx(info.capacity(w[[1, 2, 4]]).bits, abs=2e-9)
        assert found.p_x[[0, 3, 5]].tolist() == [0, 0, 0]

    def test_scales_and_offsets_of_cost(self):
        w, cost = noisy_hill(12, 15), np.arange(12.0)
        plain = info.capacity(w, cost=cost, budget=4)
        other = info.capacity(w, cost=1e6 * cost - 3e7, budget=4e6 - 3e7)
        assert other.bits == pytest.approx(plain.bits, abs=2e-9)
        assert other.price == pytest.approx(1e-6 * plain.price, rel=1e-3)


class TestRefused:
    """What is no channel, no cost, or cannot be met."""

    @pytest.mark.parametrize(
        ("w", "said"),
        [
            ([[0.5, 0.5], [0.4, 0.5]], r"row 1 sums to 0\.9, expected 1$"),
            ([[0.5, 0.5], [1.2, -0.2]], r"row 1, column 1: found -0\.2, expected a probability"),
            ([[0.5, 0.5], [float("nan"), 1]], r"row 1, column 0: found nan"),
            ([[0.5, 0.5], [float("inf"), 1]], r"row 1, column 0: found inf"),
            ([[0.9, 0.2], [0.1, 0.8]], r"row 0 sums to 1\.1, expected 1; its columns sum to 1: is it the transpose\?"),
            ([[0, 0], [0, 1]], r"row 0 sums to 0, expected 1"),
            ([0.5, 0.5], r"shape \(2,\)"),
            (np.zeros((0, 3)), r"shape \(0, 3\)"),
            ([["a", "b"]], "expected probabilities"),
            ([[0.5, 0.5], [1.0]], "expected probabilities"),
        ],
    )
    def test_channels(self, w, said):
        with pytest.raises(DataError, match=said):
            info.capacity(w)

    def test_costs(self):
        w = np.eye(2)
        with pytest.raises(ConfigError, match="cost without budget"):
            info.capacity(w, cost=[0, 1])
        with pytest.raises(ConfigError, match=r"budget: found 0\.5, expected at least 1, the cost of the cheapest input 1"):
            info.capacity(w, cost=[2, 1], budget=0.5)
        with pytest.raises(DataError, match=r"cost: found an array of shape \(3,\), expected \(2,\)"):
            info.capacity(w, cost=[0, 1, 2], budget=1)
        with pytest.raises(DataError, match="cost: entry 1: found nan"):
            info.capacity(w, cost=[0, float("nan")], budget=1)

    def test_a_tolerance_below_what_rounding_leaves(self):
        with pytest.raises(ConvergenceError, match=r"between 1\.9\d+ and 1\.9\d+ bit"):
            info.capacity(noisy_hill(100, 50), tolerance=1e-12)

    def test_options(self):
        with pytest.raises(ConfigError, match="tolerance"):
            info.capacity(np.eye(2), tolerance=0)


def test_the_result():
    found = info.capacity(noisy_hill(20, 20))
    assert json.loads(json.dumps(found.to_dict()))["bits"] == found.bits
    assert found.doses == pytest.approx(2**1.9297, abs=1e-3)
    (section,) = found.to_sections()
    (figure,) = (b for b in section.blocks if isinstance(b, Figure))
    assert list(figure.traces[0]["y"]) == found.p_x.tolist()
    priced = info.capacity(np.eye(2), cost=[0, 1], budget=0.3)
    assert "cost" in str(priced.to_sections(["low", "high"]))


def test_channel_matrix_leaves_what_was_given():
    given_ = np.array([[0.5, 0.5 + 1e-7], [0, 1]])
    assert channel_matrix(given_).sum(1) == pytest.approx(1, abs=1e-15)
    assert given_[0, 1] == 0.5 + 1e-7
