"""Each shipped pathway loads, runs, and shows what its card says: closed forms where there are such, else the linearised equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq, fsolve

from sciml import resources
from sciml.biology.datasets import list_pathways, load_pathway
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.errors import ConfigError

NAMES = ["chemotaxis", "feed-forward", "lac", "mapk", "nfkb", "signalling", "telegraph"]


def end(net, times, id: str) -> float:
    return float(simulate_ode(net, [times]).select(id)[0])


def value(net, id: str) -> float:
    return net.elements[id].value


def growth(slope, rest: np.ndarray) -> float:
    """The largest real part of the eigenvalues of a right-hand side at a point: positive where a rest is left."""
    jacobian = np.zeros((len(rest), len(rest)))
    for j, y in enumerate(rest):
        step = 1e-6 * max(abs(y), 1e-9)
        up, down = rest.copy(), rest.copy()
        up[j] += step
        down[j] -= step
        jacobian[:, j] = (slope(up) - slope(down)) / (2 * step)
    return float(np.linalg.eigvals(jacobian).real.max())


def test_names_and_cards():
    assert list_pathways() == NAMES
    card = (resources.find("datasets") / "pathways" / "card.md").read_text("utf-8")
    assert all(f"| `{name}` |" in card for name in NAMES)
    with pytest.raises(ConfigError, match="pathway 'mapkk' is not known; did you mean 'mapk'"):
        load_pathway("mapkk")


@pytest.mark.parametrize("name", NAMES)
def test_runs_as_molecules(name):
    """Amounts are whole molecules without a word, in both kinds of simulation."""
    net = load_pathway(name)
    assert (net.warnings, net.units.substance) == ((), "item")
    counts = simulate_ssa(net, [0, 0.2], n=3, seed=1).counts
    assert (counts[:, 0] == simulate_ode(net, [0]).amounts[0].round(9)).all()
    assert (counts >= 0).all()
    assert len(np.unique(counts[:, 1], axis=0)) > (name == "signalling")


@pytest.mark.parametrize("dose", [0.2, 1, 10])
def test_signalling_stages(dose):
    net = load_pathway("signalling").set(L=dose)
    rl = 200 * dose / (dose + value(net, "k_off") / value(net, "k_on"))
    kp = 1000 * value(net, "k_kinase") * rl / (value(net, "k_kinase") * rl + value(net, "k_phosphatase") * 100)
    on = 2 * value(net, "k_open") * kp / (value(net, "k_open") * kp + value(net, "k_close"))
    m = (value(net, "k_transcription") * on + value(net, "k_leak") * (2 - on)) / value(net, "k_mRNA")
    p = value(net, "k_translation") * m / value(net, "k_protein")
    rest = simulate_ode(net, [30_000])
    assert [float(rest.select(id)[0]) for id in ("RL", "Kp", "On", "M", "P")] == pytest.approx([rl, kp, on, m, p], rel=1e-6)


def test_signalling_binding_is_binomial():
    """Mean and variance of RL at rest, |z| <= 4.5."""
    net, n, share = load_pathway("signalling"), 2000, 0.5
    found = simulate_ssa(net, [40], n=n, seed=2).select("RL")[:, 0]
    here = share * (1 - math.exp(-0.2 * 40))  # each receptor by itself, from free
    variance = 200 * here * (1 - here)
    assert abs(found.mean() - 200 * here) <= 4.5 * math.sqrt(variance / n)
    assert abs(found.var(ddof=1) / variance - 1) <= 4.5 * math.sqrt(2 / n)


def kholodenko(y: np.ndarray, ki: float) -> np.ndarray:
    """The paper's table of rates, nM / s, in MKKKp, MKKp, MKKpp, MAPKp, MAPKpp."""
    a, b1, b2, c1, c2 = y
    a0, b0, c0 = 100 - a, 300 - b1 - b2, 300 - c1 - c2
    v1, v2 = 2.5 * a0 / ((1 + c2 / ki) * (10 + a0)), 0.25 * a / (8 + a)
    v3, v4, v5, v6 = 0.025 * a * b0 / (15 + b0), 0.025 * a * b1 / (15 + b1), 0.75 * b2 / (15 + b2), 0.75 * b1 / (15 + b1)
    v7, v8, v9, v10 = 0.025 * b2 * c0 / (15 + c0), 0.025 * b2 * c1 / (15 + c1), 0.5 * c2 / (15 + c2), 0.5 * c1 / (15 + c1)
    return np.array([v1 - v2, v3 + v5 - v4 - v6, v4 - v5, v7 + v9 - v8 - v10, v8 - v9])


@pytest.mark.parametrize(("ki", "moves"), [(9.0, True), (1e6, False)])
def test_mapk_oscillates_by_its_feedback(ki, moves):
    net = load_pathway("mapk").set(KI=ki)
    times = np.linspace(20_000, 40_000, 1001)
    run = simulate_ode(net, times)
    track = run.concentrations[:, list(run.species).index("MAPKpp")]
    early, late = np.ptp(track[:500]), np.ptp(track[500:])
    assert (late > 100) == moves
    assert late == pytest.approx(early, abs=1.0)
    names = ("MKKKp", "MKKp", "MKKpp", "MAPKp", "MAPKpp")
    start = np.array([run.concentrations[:, list(run.species).index(id)].mean() for id in names])
    if moves:
        rest = fsolve(kholodenko, start, args=(ki,))
        assert np.abs(kholodenko(rest, ki)).max() < 1e-9
        assert (rest > 0).all()
        assert growth(lambda y: kholodenko(y, ki), rest) > 0
    else:
        assert np.abs(kholodenko(start, ki)).max() < 1e-6
        assert growth(lambda y: kholodenko(y, ki), start) < 0


def krishna(y: np.ndarray, c: float, eps: float) -> np.ndarray:
    n, m, i = y
    return np.array([0.007 * (1 - n) / (eps + i) - 954.5 * i * n / (0.029 + n), n * n - m, m - c * (1 - n) * i / (eps + i)])


def krishna_rest(c: float, eps: float) -> np.ndarray:
    def inhibitor(n: float) -> float:
        return eps * n * n / (c * (1 - n) - n * n)

    top = brentq(lambda n: c * (1 - n) - n * n, 0, 1)
    n = brentq(lambda n: krishna(np.array([n, n * n, inhibitor(n)]), c, eps)[0], 1e-9, top * (1 - 1e-12))
    return np.array([n, n * n, inhibitor(n)])


@pytest.mark.parametrize(("c", "eps", "moves"), [(0.035, 2e-5, True), (0.0035, 2e-5, False), (0.035, 2e-2, False)])
def test_nfkb_spikes(c, eps, moves):
    net = load_pathway("nfkb").set(C=c, eps=eps)
    rest = krishna_rest(c, eps)
    assert (growth(lambda y: krishna(y, c, eps), rest) > 0) == moves
    run = simulate_ode(net, np.linspace(40, 80, 4001))
    track = run.concentrations[:, list(run.species).index("Nn")]
    if moves:
        assert track[:2000].max() == pytest.approx(track[2000:].max(), rel=0.02)
        assert track.max() > 5 * track.mean()
    else:
        assert track[-1] == pytest.approx(rest[0], rel=1e-2)


def test_feed_forward_pulse():
    """Y relaxes exponentially after the step; Z follows by one integral."""
    net = load_pathway("feed-forward")
    after = np.array([0.5, 1, 3, 10, 40])
    run = simulate_ode(net, 20 + after)

    def y(t: float) -> float:
        return 500 * (5 - 4 * math.exp(-0.1 * t))

    def z(t: float) -> float:
        return 200 * math.exp(-t) + quad(lambda s: math.exp(s - t) * 5010 * 100 / (1 + y(s)), 0, t, epsabs=1e-12)[0]

    assert run.select("Y") == pytest.approx([y(t) for t in after], rel=1e-6)
    assert run.select("Z") == pytest.approx([z(t) for t in after], rel=1e-6)
    assert run.select("Z")[2] > 2.5 * 200 > 2.4 * end(net, 120, "Z")


def test_feed_forward_sees_the_fold_only():
    exact, loose = load_pathway("feed-forward").set(K=0), load_pathway("feed-forward").set(K=500)
    times = [21, 22, 25, 40]
    assert simulate_ode(exact.set(X0=80), times).select("Z") == pytest.approx(simulate_ode(exact, times).select("Z"), rel=1e-6)
    assert simulate_ode(loose.set(X0=80), [22]).select("Z") != pytest.approx(simulate_ode(loose, [22]).select("Z"), rel=0.05)


def test_chemotaxis_adapts_exactly():
    net = load_pathway("chemotaxis")
    rest = value(net, "K_B") * value(net, "V_R") / (value(net, "V_B") - value(net, "V_R"))
    for ligand in (0.0, 10.0, 1000.0):
        assert end(net.set(L=ligand), 60_000, "Active") == pytest.approx(rest, rel=1e-6)
        assert end(net.set(L=ligand), 60_000, "CheYp") == pytest.approx(8000 * 0.006 * rest / (0.006 * rest + 1), rel=1e-6)
    step = net.set(L=0.01)  # small: Active falls by the factor 1 / (1 + L / K_L) and comes back at the linear rate
    run = simulate_ode(step, [0, 10, 30])
    lost = rest - run.select("Active")
    rate = value(net, "V_B") * value(net, "K_B") / (value(net, "K_B") + rest) ** 2 / 1.001
    assert lost[0] == pytest.approx(rest * (1 - 1 / 1.001), rel=1e-6)
    assert lost[1:] / lost[0] == pytest.approx(np.exp([-10 * rate, -30 * rate]), rel=2e-3)


def lac_rests(net) -> list[float]:
    """T / K_I at rest: real roots of x^3 - g x^2 + r x - g = 0, r = 1 + ratio (Ozbudak's cubic)."""
    full = value(net, "k_Y") / value(net, "a_Y")
    g, r = value(net, "uptake") * full / value(net, "a_T") / value(net, "K_I"), 1 + value(net, "ratio")
    return sorted(float(x.real) for x in np.roots([1, -g, r, -g]) if abs(x.imag) < 1e-9)


@pytest.mark.parametrize(
    ("uptake", "ratio", "rests"), [(15, 166, 3), (5, 166, 1), (60, 166, 1), (2.3, 7.5, 1), (2.6, 7.5, 1), (3.0, 7.5, 1)]
)
def test_lac_has_two_states_where_the_cubic_says_so(uptake, ratio, rests):
    net = load_pathway("lac").set(uptake=uptake, ratio=ratio)
    roots = lac_rests(net)
    assert len(roots) == rests
    low, high = (end(net.set(Y=y, T=t), 20_000, "T") / 500 for y, t in ((0, 0), (1000, 60_000)))
    assert (low, high) == (pytest.approx(roots[0], rel=1e-5), pytest.approx(roots[-1], rel=1e-5))


def test_telegraph_moments():
    """Peccoud and Ycart: the mean m and the variance m + m^2 k_off d / (k_on (k_on + k_off + d)) of mRNA at rest, |z| <= 4.5."""
    net, n = load_pathway("telegraph"), 3000
    on, off, make, d = (value(net, id) for id in ("k_on", "k_off", "k_m", "d_m"))
    mean = make / d * on / (on + off)
    variance = mean + mean**2 * off * d / (on * (on + off + d))
    found = simulate_ssa(net, [300], n=n, seed=4).select("M")[:, 0]
    assert abs(found.mean() - mean) <= 4.5 * math.sqrt(variance / n)
    kurtosis = ((found - found.mean()) ** 4).mean() / found.var() ** 2
    assert abs(found.var(ddof=1) / variance - 1) <= 4.5 * math.sqrt((kurtosis - 1) / n)
    assert end(net, 3000, "P") == pytest.approx(mean * value(net, "k_p") / value(net, "d_p"), rel=1e-6)
