from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology import information as info
from sciml.errors import ConfigError, DataError
from tests.biology.information.bottleneck_laws import JUMP, cells, entropy, flip, gaussian_grid, informations, mrs_gerber, noisy_hill

LAWS = {k: np.array(v) for k, v in json.loads((Path(__file__).parents[2] / "data/cases/13-bottleneck-laws.json").read_text()).items()}


def mutual(joint) -> float:
    return entropy(joint.sum(0)) + entropy(joint.sum(1)) - entropy(joint)


def check_curve(curve, joint, rng, slack=1e-9):
    """What holds for every curve: data processing, encoders that are what they say, no random encoder above the upper side."""
    assert np.all(curve.i_y <= curve.i_x + slack)
    assert np.all(curve.i_y <= mutual(joint) + slack)
    assert np.all(curve.lower <= curve.upper + slack)
    assert curve.gap >= 0
    order = np.lexsort((curve.i_x, curve.beta))
    assert np.all(np.diff(curve.i_x[order]) >= -1e-4)  # flat stretches leave I(T;X) open
    for encoder, i_x, i_y in zip(curve.encoders, curve.i_x, curve.i_y, strict=True):
        np.testing.assert_allclose(encoder.sum(1), 1, atol=1e-12)
        assert encoder.min() >= 0
        np.testing.assert_allclose(informations(joint, encoder), (i_x, i_y), atol=1e-8)
    for _ in range(30):
        sharp = rng.choice([0.1, 1.0, 5.0])
        i_x, i_y = informations(joint, rng.dirichlet(np.full(rng.integers(2, 5), 1 / sharp), len(joint)))
        low, high = curve.bound(max(i_x, 0.0))
        assert i_y <= high + slack
        assert low <= high + slack


@pytest.mark.parametrize("eps", [0.01, 0.2, 0.4])
def test_symmetric_binary_is_mrs_gerber(eps):
    curve = info.bottleneck_curve(flip(eps))
    assert curve.certified
    assert len(curve.beta) >= 50
    assert np.isinf(curve.beta[-1])
    np.testing.assert_allclose(curve.i_y, mrs_gerber(curve.i_x, eps), atol=1e-6)
    at = np.linspace(0, 1, 301)
    low, high = np.array([curve.bound(x) for x in at]).T
    truth = mrs_gerber(at, eps)
    assert np.all(low <= truth + 1e-8)
    assert np.all(high >= truth - 1e-8)
    assert (high - low).max() <= curve.gap + 1e-12 <= 1e-3
    assert curve.onset == pytest.approx((1 - 2 * eps) ** -2, rel=1e-5)
    assert curve.onset_local == pytest.approx((1 - 2 * eps) ** -2, rel=1e-9)


def test_symmetric_binary_at_given_betas():
    curve = info.bottleneck_curve(flip(0.2), betas=[4.167, 2.5, 2.777, np.inf, 0, 1])
    np.testing.assert_allclose(curve.beta, [4.167, 2.5, 2.777, np.inf, 0, 1])
    np.testing.assert_allclose(curve.i_x, [0.737767, 0, 0, 1, 0, 0], atol=2e-6)
    np.testing.assert_allclose(curve.i_y, [mrs_gerber(0.737767, 0.2)[0], 0, 0, mutual(flip(0.2)), 0, 0], atol=2e-6)


@pytest.mark.parametrize(
    ("rho", "beta", "i_x", "i_y"), [(0.5, 5.2, 0.2426, 0.05345), (0.8, 2.031, 0.43715, 0.24795), (0.95, 6.648, 2.8537, 1.56145)]
)
def test_gaussian_on_a_grid(rho, beta, i_x, i_y):
    below = 0.97 / rho**2
    curve = info.bottleneck_curve(gaussian_grid(rho), betas=[below, beta])
    np.testing.assert_allclose([curve.i_x[0], curve.i_y[0]], 0, atol=1e-4)
    assert curve.i_x[1] == pytest.approx(i_x, abs=5e-4)
    assert curve.i_y[1] == pytest.approx(i_y, abs=2e-4)
    exact = info.gaussian_bottleneck(np.array([[1, rho], [rho, 1]]), 1).bound(float(curve.i_x[1]))[0]
    assert curve.i_y[1] == pytest.approx(exact, abs=2e-4)
    assert curve.onset_local == pytest.approx(1 / rho**2, rel=3e-4)
    assert not curve.certified
    assert curve.notes


def test_a_far_cluster_is_found_below_the_local_onset():
    curve = info.bottleneck_curve(JUMP)
    assert curve.certified
    assert curve.gap <= 1e-3
    assert curve.onset < 0.7 * curve.onset_local
    step = info.bottleneck_curve(JUMP, betas=[0.7 * curve.onset_local, 0.99 * curve.onset, 1.01 * curve.onset])
    assert step.i_x[0] > 0.03
    assert step.i_x[2] > 0.003
    np.testing.assert_allclose(step.i_x[1], 0, atol=1e-9)
    check_curve(curve, JUMP, np.random.default_rng(0))


def test_onset_is_the_contraction_of_divergence():
    """1 / onset = max KL(r W || p W) / KL(r || p), scanned over r."""
    p, w = JUMP.sum(1), JUMP / JUMP.sum(1, keepdims=True)
    r = np.linspace(0, 1, 200001)[1:-1]
    r = r[np.abs(r - p[1]) > 1e-4]
    r = np.stack([1 - r, r], axis=1)
    q, p_y = r @ w, p @ w
    ratio = (q * np.log(q / p_y)).sum(1) / (r * np.log(r / p)).sum(1)
    assert info.bottleneck_curve(JUMP, betas=[3.0]).onset == pytest.approx(1 / ratio.max(), rel=1e-5)


def test_cells_have_a_certificate():
    joint = cells()
    curve = info.bottleneck_curve(joint)
    assert curve.certified
    assert curve.i_xy == pytest.approx(0.575, abs=1e-3)
    assert curve.gap <= 1e-3
    for i_x in (0.03, 0.1, 0.305, 1.0, 2.5, curve.h_x):
        low, high = curve.bound(i_x)
        assert 0 <= high - low <= 1e-3 * high
    with pytest.raises(DataError, match=r"found 6\.3.*at most H\(X\) = 6\.194"):
        curve.bound(6.3)
    with pytest.raises(ConfigError, match="i_x"):
        curve.bound(-0.1)


def test_noisy_hill_at_one_bit():
    curve = info.bottleneck_curve(noisy_hill(20, 20))
    assert np.interp(1, curve.i_x, curve.i_y) == pytest.approx(0.9688, abs=1e-4)
    low, high = curve.bound(1.0)
    assert low <= 0.96885 <= high + 1e-4
    check_curve(curve, noisy_hill(20, 20), np.random.default_rng(1))


@pytest.mark.parametrize(("name", "most"), [("x tells y apart", 0.918296), ("2 x 2", 0.191165), ("3 x 2", 0.197768)])
def test_corners(name, most):
    curve = info.bottleneck_curve(LAWS[name])
    for values in (curve.i_x, curve.i_y, curve.lower, curve.upper):
        assert np.all(np.isfinite(values))
    assert curve.i_y.max() == pytest.approx(most, abs=1e-6)
    assert np.all(curve.i_y <= np.minimum(curve.i_x, curve.i_xy) + 2e-6)
    assert curve.gap <= 1e-3


def test_step_of_a_function():
    """X is a function of Y: L = (1 - beta) I, nothing below beta = 1 and everything above."""
    curve = info.bottleneck_curve(LAWS["x tells y apart"], betas=[0.8, 1.3])
    np.testing.assert_allclose(curve.i_x, [0, 0.918296], atol=1e-5)
    np.testing.assert_allclose(curve.i_y, [0, 0.918296], atol=1e-5)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 7), m=st.integers(1, 5), sparse=st.sampled_from([0.05, 0.3, 3.0]))
def test_random_laws(seed, n, m, sparse):
    rng = np.random.default_rng(seed)
    joint = rng.gamma(sparse, size=(n, m)) + 1e-300
    joint /= joint.sum()
    curve = info.bottleneck_curve(joint, betas=[1.2, 2, 5, 30, np.inf])
    check_curve(curve, joint, rng)
    assert curve.i_y.max() == pytest.approx(mutual(joint), abs=1e-9)
    for a in range(5):  # no encoder found is better at another beta than what stands there
        beta = curve.beta[a]
        if np.isfinite(beta):
            assert (beta * curve.i_y - curve.i_x).max() <= curve.supremum[a] + 1e-9


def test_five_relevant_states_are_not_certified():
    rng = np.random.default_rng(4)
    joint = rng.gamma(0.3, size=(12, 5))
    joint /= joint.sum()
    curve = info.bottleneck_curve(joint)
    assert not curve.certified
    assert "5 relevant states" in curve.notes[0]
    check_curve(curve, joint, rng)
    assert curve.gap <= 1e-3


def test_rows_may_be_permuted_repeated_split_or_empty():
    rng = np.random.default_rng(7)
    joint = rng.gamma(0.5, size=(6, 3))
    joint /= joint.sum()
    betas = [1.5, 3, 10, np.inf]
    plain = info.bottleneck_curve(joint, betas=betas)
    order, columns = rng.permutation(6), rng.permutation(3)
    split = np.concatenate([joint * 0.25, np.zeros((2, 3)), joint * 0.75])
    for other in (joint[order][:, columns], split, np.concatenate([joint, np.zeros((6, 2))], axis=1)):
        curve = info.bottleneck_curve(other, betas=betas)
        np.testing.assert_allclose(curve.i_y[:3] - curve.i_x[:3] / betas[:3], plain.i_y[:3] - plain.i_x[:3] / betas[:3], atol=2e-6)
        assert curve.i_y[3] == pytest.approx(plain.i_y[3], abs=1e-12)
        assert curve.i_x_end == pytest.approx(plain.i_x_end, abs=1e-9)
        assert curve.certified
        assert all(len(encoder) == len(other) for encoder in curve.encoders)


def test_nothing_to_tell():
    for joint in (np.full((4, 3), 1 / 12), np.full((1, 5), 0.2), np.full((5, 1), 0.2), np.outer([0.3, 0.7, 0], [0.5, 0.5])):
        curve = info.bottleneck_curve(joint)
        np.testing.assert_allclose([curve.i_y.max(), curve.gap, curve.i_xy], 0, atol=1e-9)
        assert curve.onset == np.inf
        assert len(curve.beta) >= 50


def test_the_same_seed_gives_the_same_bits():
    joint = noisy_hill(12, 9)
    one, two = (info.bottleneck_curve(joint, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.i_x, two.i_x)
    np.testing.assert_array_equal(one.upper, two.upper)


@pytest.mark.parametrize(
    ("joint", "said"),
    [
        (np.full((2, 2), 0.5), r"sum to 2, expected 1.*p\(y\|x\), multiply it by p\(x\)"),
        (np.full((2, 2), 0.2), "sum to 0.8, expected 1"),
        (np.array([[0.5, -0.1], [0.3, 0.3]]), "row 0, column 1: found -0.1"),
        (np.array([[0.5, np.nan], [0.3, 0.2]]), "row 0, column 1: found nan"),
        (np.full(4, 0.25), r"shape \(4,\)"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        ("joint", "found 'joint'"),
        ([[0.5], [0.25, 0.25]], "expected numbers"),
    ],
)
def test_what_is_no_joint_law_is_refused(joint, said):
    with pytest.raises(DataError, match=said):
        info.bottleneck_curve(joint)


@pytest.mark.parametrize(
    ("betas", "said"),
    [
        ([2, -1], "entry 1: found -1"),
        ([np.nan], "entry 0: found nan"),
        ([], "shape"),
        ("many", "'many'"),
        (3.0, "3.0"),
        ([[1, 2]], "shape"),
    ],
)
def test_wrong_betas_are_refused(betas, said):
    with pytest.raises(ConfigError, match=said):
        info.bottleneck_curve(flip(0.2), betas=betas)
