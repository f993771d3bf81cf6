"""The hybrid method: the law of a bursting gene with 1e5 proteins, exact where all is scarce, whole and conserved where all is abundant."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import ks_2samp, kstest

from sciml.biology.formula import as_expression
from sciml.biology.network import Event, Network
from sciml.biology.simulation.hybrid import simulate_hybrid
from sciml.biology.simulation.linear_noise import linear_noise
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.biology.simulation.state_projection import finite_state_projection
from sciml.biology.simulation.trajectories import Ensemble, Moments
from sciml.errors import ConfigError, DataError
from tests.biology.simulation.hybrid_runs import bursting_gene
from tests.biology.simulation.small_networks import SMALL, birth_death, parse, z_scores

_N = 4000


def run(net: Network, times: list[float], n: int = _N, seed: int = 1, **options: object) -> Ensemble:
    """Trajectories that no fallback made."""
    found = simulate_hybrid(net, times, n, seed, fallback="never", **options)  # type: ignore[arg-type]
    assert isinstance(found, Ensemble) and found.kernel == "hybrid32"
    return found


def moment_scores(values: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """|z| [2, T] of means and variances of values [n, T], the variance's error from the fourth moment found."""
    n, off = len(values), values - values.mean(axis=0)
    fourth = (off**4).mean(axis=0)
    of_variance = (off.var(axis=0) - std**2) / np.sqrt((fourth - off.var(axis=0) ** 2) / n)
    return np.abs([(values.mean(axis=0) - mean) / (std / np.sqrt(n)), of_variance])


@pytest.mark.parametrize("start", [True, False])
def test_a_bursting_gene_has_the_exact_moments(start: bool) -> None:
    """Linear, so that mean and covariance are known: |z| <= 4 for mRNA and proteins at four times, from rest and from nothing."""
    net, times = bursting_gene(start=start), [300.0, 3600.0, 14400.0, 36000.0]
    found, exact = run(net, times), linear_noise(net, times)
    for s in (2, 3):
        assert moment_scores(found.amounts[..., s].astype(float), exact.mean[:, s], exact.std[:, s]).max() < 4


def test_a_bursting_gene_has_the_exact_memory() -> None:
    """Cov(x(t + tau), x(t)) = exp(A tau) Cov(x(t)) with the rate equations' matrix A of promoter, mRNA and proteins: |z| <= 4."""
    net, first, after = bursting_gene(), 36000.0, 3600.0
    on, off, k, g, make, d = (next(q.value for q in net.parameters if q.id == id) for id in ("on", "off", "k", "g", "make", "d"))
    flow = np.array([[-(on + off), 0, 0], [k, -g, 0], [0, make, -d]]) * after
    wanted = (expm(flow) @ linear_noise(net, [first]).covariance[0][1:, 1:])[2, 2]
    p = run(net, [first, first + after]).amounts[..., 3].astype(float)
    product = (p[:, 0] - p[:, 0].mean()) * (p[:, 1] - p[:, 1].mean())
    assert abs(product.mean() - wanted) < 4 * product.std() / np.sqrt(_N)


def test_feedback_has_the_law_of_the_exact_method() -> None:
    """Proteins close their own promoter (Hill): means, variances, covariance over time |z| <= 4, distributions p > 1e-3."""
    net, times, n = bursting_gene(2e4, feedback=True), [1800.0, 7200.0, 14400.0], 1500
    hybrid, exact = run(net, times), simulate_ssa(net, times, n, seed=2)
    for s in (2, 3):
        a, b = (e.amounts[..., s].astype(float) for e in (hybrid, exact))
        error = np.sqrt(a.var(axis=0) / _N + b.var(axis=0) / n)
        assert (abs(a.mean(axis=0) - b.mean(axis=0)) / error).max() < 4
        for i, j in ((0, 0), (1, 1), (2, 2), (1, 2)):
            u, v = ((x[:, i] - x[:, i].mean()) * (x[:, j] - x[:, j].mean()) for x in (a, b))
            assert abs(u.mean() - v.mean()) / np.sqrt(u.var() / _N + v.var() / n) < 4
        assert min(ks_2samp(a[:, i], b[:, i]).pvalue for i in range(len(times))) > 1e-3


def test_the_scores_see_a_wrong_law() -> None:
    """The twin: a promoter that closes 10 % later, held against the moments of the one above."""
    net, times = bursting_gene(), [36000.0]
    exact = linear_noise(net, times)
    other = run(net.set(off=0.009), times).amounts[..., 3].astype(float)
    assert moment_scores(other, exact.mean[:, 3], exact.std[:, 3])[0].max() > 4


def test_waiting_times_follow_what_is_abundant() -> None:
    """S is lost at a hazard c A(t) with A = 1e6 exp(-t): P(left at t) = exp(-c 1e6 (1 - exp(-t))), by KS at p > 1e-3."""
    reactions = [parse("fade", "A ->", rate=1.0), parse("hit", "A + S -> A", rate=3e-6)]
    net, times = Network("fading", species={"A": 1_000_000, "S": 1}, reactions=reactions), np.linspace(0.0, 3.0, 301)
    found = run(net, times.tolist(), n=_N)
    lost = times[np.minimum((found.counts[..., 1] > 0).sum(axis=1), 300)]
    uniform = np.random.default_rng(0).uniform(size=_N) * 0.01
    inside = lost < 2.5

    def law(t: np.ndarray) -> np.ndarray:
        gone = 1 - np.exp(-3.0 * (1 - np.exp(-t)))
        return gone / (1 - np.exp(-3.0 * (1 - np.exp(-2.49))))

    assert kstest((lost - uniform)[inside], law).pvalue > 1e-3
    assert kstest((lost - uniform)[inside], lambda t: (1 - np.exp(-3.0 * t)) / (1 - np.exp(-3.0 * 2.49))).pvalue < 1e-6


def test_a_scarce_event_that_makes_abundant_reactions_fast_ends_the_step() -> None:
    """An enzyme comes at rate 1 and turns 1e5 molecules over 200 times faster, birth and loss alike: their mean stays, their variance is
    1e5 (1 - E[S^2]), S the share of the first ones that are left. Where it takes only, their mean follows from when it came."""
    reactions = [
        parse("come", "Off -> On", rate=1.0), parse("in", "-> A", law="1e5"), parse("out", "A ->", rate=1.0),
        parse("fast_in", "-> A", law="2e7 * On"), parse("fast_out", "A + On -> On", rate=200.0),
    ]  # fmt: skip
    species, times = {"A": 100_000, "Off": 1, "On": 0}, np.array([0.5, 1.0])
    found = run(Network("turnover", species=species, reactions=reactions), times.tolist(), n=1000)
    sd = np.sqrt(1e5 * (1 - np.exp(-3 * times) * (1 + 1 / 399)))
    assert (abs(found.mean[:, 0] - 1e5) / sd * np.sqrt(1000)).max() < 4
    assert (abs(found.std[:, 0] / sd - 1) < 0.015 + 4 / np.sqrt(2000)).all()  # epsilon / 2 of their own noise
    takes = [*reactions[:3], parse("take", "A + On -> On", rate=49.0)]
    taking = run(Network("taking", species=species, reactions=takes), [0.5])
    came = np.linspace(0.0, 0.5, 20_001)
    after = 2e3 + (1e5 - 2e3) * np.exp(-50.0 * (0.5 - came))
    density = np.exp(-came)
    mean = np.trapezoid(density * after, came) + np.exp(-0.5) * 1e5
    square = np.trapezoid(density * (after**2 + after), came) + np.exp(-0.5) * (1e10 + 1e5)
    assert abs(taking.mean[0, 0] - mean) < 4 * np.sqrt((square - mean**2) / _N)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_small_numbers_have_the_exact_law(name: str) -> None:
    """|z| <= 4.5 of means, variances and cumulative shares at three times, where every reaction is scarce."""
    network, times = SMALL[name](), [0.3, 1.0, 3.0]
    scores = z_scores(run(network, times).counts, finite_state_projection(network, times, tolerance=1e-8))
    assert max(scores.values()) < 4.5, scores


@pytest.mark.parametrize("start", [1e5, 1e9])
def test_where_all_is_abundant(start: float) -> None:
    """Birth and death: Poisson at rest; the spread within epsilon / 2."""
    found = run(birth_death(start, 1.0, start=start), [0.1, 3.0])
    exact = linear_noise(birth_death(start, 1.0, start=start), [0.1, 3.0])
    assert (abs(found.mean - exact.mean) / exact.std * np.sqrt(_N)).max() < 4
    assert (abs(found.std / exact.std - 1) < 0.015 + 4 / np.sqrt(2 * _N)).all()


def test_what_falls_becomes_scarce_again_and_totals_are_kept() -> None:
    """100,000 X turn into Y one by one: binomial at all times, down to the last; a small pool beside them."""
    reactions = [parse("a", "A -> B", rate=30.0), parse("b", "B -> C", rate=1.0), parse("x", "X -> Y", rate=1.0)]
    net = Network("fall", species={"A": 25, "B": 0, "C": 0, "X": 100_000, "Y": 0}, reactions=reactions)
    times = np.array([0.05, 0.5, 3.0, 8.0, 60.0])
    found = run(net, times.tolist())
    a, b, c, x, y = np.moveaxis(found.counts, -1, 0)
    assert found.counts.min() == 0 and (a + b + c == 25).all() and (x + y == 100_000).all() and (x[:, -1] == 0).all()
    share = np.exp(-times[:4])
    sd = np.sqrt(1e5 * share * (1 - share))
    assert (abs(x[:, :4].mean(axis=0) - 1e5 * share) / sd * np.sqrt(_N)).max() < 4
    assert (abs(x[:, :4].std(axis=0) / sd - 1) < 0.015 + 4 / np.sqrt(2 * _N)).all()
    left = 25 * np.exp(-30.0 * 0.05)
    assert abs(a[:, 0].mean() - left) < 4 * np.sqrt(left * (1 - left / 25) / _N)


def test_bits_depend_on_seed_and_index_alone() -> None:
    net, times = bursting_gene(feedback=True), [600.0, 3600.0]
    whole = run(net, times, n=200, seed=5)
    np.testing.assert_array_equal(run(net, times, n=200, seed=5, threads=1).states, whole.states)
    np.testing.assert_array_equal(run(net, times, n=7, seed=5).states, whole.states[:7])
    np.testing.assert_array_equal(run(net, times[::-1], n=7, seed=5).states, whole.states[:7, ::-1])
    np.testing.assert_array_equal(run(net, times, n=7, seed=5, record="final").states, whole.states[:7, -1:])
    assert (run(net, times, n=7, seed=6).states != whole.states[:7]).any()
    moments = simulate_hybrid(net, times, 200, 5, record="moments")
    assert isinstance(moments, Moments) and moments.kernel == "hybrid32" and moments.n == 200
    np.testing.assert_allclose(moments.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(moments.std, whole.std, rtol=1e-9, atol=1e-12)


def test_parameters_may_differ_between_trajectories() -> None:
    k = np.array([1e5, 4e5] * 100)
    found = run(birth_death(1e5), [30.0], n=200, parameters={"k": k})
    assert (abs(found.amounts[:, 0, 0] - k) < 6 * np.sqrt(k)).all()


def test_a_burn_in_begins_at_rest() -> None:
    """Twenty lifetimes from nothing, by leaps that begin as single events: Poisson at time 0."""
    found = run(birth_death(1e5, 1.0, start=0.0), [0.0], n=1000, start=20.0)
    assert abs(found.mean[0, 0] - 1e5) < 4 * np.sqrt(1e5 / 1000)
    assert abs(found.std[0, 0] / np.sqrt(1e5) - 1) < 0.015 + 4 / np.sqrt(2000)


def test_where_it_does_not_pay_the_run_is_exact_and_says_so() -> None:
    few = simulate_hybrid(birth_death(), [5.0], 100, 3)
    assert isinstance(few, Ensemble) and few.kernel == "lanes32"
    np.testing.assert_array_equal(few.states, simulate_ssa(birth_death(), [5.0], 100, 3).states)
    assert simulate_hybrid(bursting_gene(), [36000.0], 8).kernel == "hybrid32"
    kick = Event("kick", as_expression("time > 3"), (("X", as_expression("0")),))
    with_event = birth_death(10.0).with_(events=[kick])
    assert simulate_hybrid(with_event, [0.01], 2).kernel != "hybrid32"
    with pytest.raises(ConfigError, match="events"):
        simulate_hybrid(with_event, [0.01], 2, fallback="never")


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"epsilon: found 0.2"):
        simulate_hybrid(birth_death(), [1.0], epsilon=0.2)
    with pytest.raises(ConfigError, match=r"abundant: found 1"):
        simulate_hybrid(birth_death(), [1.0], abundant=1.0)
    with pytest.raises(DataError, match="'birth'"):
        simulate_hybrid(birth_death(-1.0), [1.0])
