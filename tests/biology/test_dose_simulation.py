from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import poisson

from sciml import biology as bio
from sciml.biology.dose_simulation import DoseSimulation
from sciml.errors import ConfigError

Z = 4.5
BIRTH_DEATH = bio.load_antimony("model birth\n species X; -> X; k; X -> ; g*X; k = 5; g = 1; X = 0;\n end")
BINDING = bio.load_antimony(
    "model binding\n species L, R, C, Y, $B; bind: L + R -> C; on*L*R; sense: L -> L + Y; make*L; L = 20; R = 10; C = 0; Y = 0; B = 3;"
    " on = 0.5; make = 1;\n end"
)


def run(net=BIRTH_DEATH, dose="k", doses=(2.0, 20.0), times=(8.0,), n=2000, **options):
    return DoseSimulation(net, dose, np.array(doses), np.array(times), n, **options)


def test_cells_of_each_dose_have_its_law():
    """X(8) of births k and deaths 1 from zero is Poisson with mean k (1 - e^-8)."""
    simulation = run()
    found = simulation.read("X")[:, 0].reshape(2, -1)
    assert simulation.x.reshape(2, -1)[1, 0] == 20
    for cells, mean in zip(found, np.array([2, 20]) * (1 - math.exp(-8)), strict=True):
        assert abs(cells.mean() - mean) <= Z * math.sqrt(mean / len(cells))
        assert abs(cells.var() / mean - 1) <= Z * math.sqrt((2 + 1 / mean) / len(cells))


def test_cells_that_differ():
    """With k log-normal the variance is mean + cv^2 mean^2; in the rate equations the second part alone is left."""
    law = {"g": bio.LogNormal(cv=1e-9), "X": bio.Gamma(cv=0.5, mean=30.0)}
    cells = run(times=(0.0,), n=4000, extrinsic=law, method="ode").read("X")[:, 0]
    assert abs(cells.mean() - 30) <= Z * 15 / math.sqrt(8000) and abs(cells.std() - 15) <= 1
    cells = run(dose="g", doses=(1.0,), n=4000, extrinsic={"k": bio.LogNormal(cv=0.4, mean=20.0)}).read("X")[:, 0]
    mean = 20 * (1 - math.exp(-8))
    variance = mean + 0.16 * mean**2
    assert abs(cells.mean() - mean) <= Z * math.sqrt(variance / 4000) and abs(cells.var() / variance - 1) <= 0.15


def test_a_poisson_readout_of_poisson_numbers():
    """p(m) = sum_x Poisson(x; 5 (1 - e^-8)) Poisson(m; x / 2), summed; |z| of Pearson's chi^2 <= 4.5."""
    cells = run(doses=(5.0,), n=4000, measurement=bio.Measurement(poisson=0.5)).read("X")[:, 0]
    x, m = np.arange(60), np.arange(12)
    law = poisson.pmf(x, 5 * (1 - math.exp(-8))) @ poisson.pmf(m, 0.5 * x[:, None])
    expected = 4000 * np.append(law[:8], 1 - law[:8].sum())
    found = np.bincount(np.minimum(cells, 8).astype(int), minlength=9)
    chi2 = ((found - expected) ** 2 / expected).sum()
    assert abs(chi2 - 8) / math.sqrt(2 * 8) <= Z


def test_several_readouts_are_of_the_same_cells():
    simulation = run(BINDING, "L", (5.0, 20.0), (1.0, 3.0), 50)
    bound, free = simulation.read("C"), simulation.read("R")
    assert (bound + free == 10).all() and bound.shape == (100, 2)


def test_an_instrument_for_all_or_for_one():
    plain, noisy = run(n=50), run(n=50, measurement=bio.Measurement(background=100.0, saturation=103.0))
    assert (noisy.read("X") == np.minimum(plain.read("X") + 100, 103)).all()
    assert noisy.notes("X")[-1].startswith("X: ") and "saturation 103" in noisy.notes("X")[-1]
    only = run(BINDING, "L", (5.0,), n=50, measurement={"C": bio.Measurement(background=100.0)})
    assert only.read("C").min() >= 100 and only.read("R").max() <= 10
    gain = run(n=50, measurement=bio.Measurement(gain_cv=0.2))
    assert (gain.read("X") == gain.read("X")).all()


def test_whether_the_dose_is_held():
    assert run().held  # a parameter
    assert not run(BINDING, "L", (5.0,)).held  # bound away
    assert run(BINDING, "L", (5.0,), hold=True).held and run(BINDING, "B", (5.0,)).held
    sensed = bio.load_antimony("model s\n species L, Y; L -> L + Y; L; L = 5; Y = 0;\n end")
    assert run(sensed, "L", (5.0,)).held  # on both sides of its reaction
    moved = bio.load_antimony("model m\n species $L, Y; -> Y; L; L = 5; Y = 0; at (time > 1): L = 0;\n end")
    assert not run(moved, "L", (5.0,)).held


def test_a_held_species_stays_whatever_binds_it():
    assert (run(BINDING, "L", (5.0,), n=20, hold=True).read("L") == 5).all()
    assert run(BINDING, "L", (5.0,), n=20).read("L").max() < 5


def test_nothing_runs_before_it_is_read_and_the_forecast_is_near():
    simulation = run(doses=(2.0, 20.0), times=(8.0,), n=500)
    forecast = simulation.forecast()
    assert "run" not in simulation.__dict__ and simulation.notes("X") == () and forecast.n == 1000
    exact = np.mean([k * (2 * 8 - (1 - math.exp(-8))) for k in (2, 20)])  # births k t, deaths k t - mean
    assert abs(forecast.events / exact - 1) < 0.02
    with pytest.raises(ConfigError, match="the cost of 'ssa' alone is forecast"):
        run(method="tau").forecast()


def test_the_same_seed_gives_the_same_bits():
    first, second, third = run(n=30, seed=4).read("X"), run(n=30, seed=4).read("X"), run(n=30, seed=5).read("X")
    assert (first == second).all() and (first != third).any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dose": "kk"}, "dose: 'kk' is no parameter.*; did you mean 'k'|dose: 'kk'"),
        ({"method": "lna"}, "method: found 'lna', expected 'ssa'"),
        ({"times": (1.0, 1.0)}, "times: found the same time twice"),
        ({"dose": "X", "doses": (-1.0, 1.0)}, "doses: found -1.*'X' is a species"),
        ({"options": {"parameters": {"k": 1.0}}}, "parameters: 'k' is the dose"),
        ({"options": {"initia": "round"}}, "initia: is no option of simulate_ssa; did you mean 'initial'"),
        ({"options": {"record": "final"}}, "record: is no option"),
        ({"options": {"initial": "round"}, "method": "ode"}, "initial: is no option of simulate_ode"),
        ({"extrinsic": {"k": bio.LogNormal(cv=0.1)}}, "extrinsic: 'k' is the dose"),
        ({"measurement": {"Y": bio.Measurement()}}, "readout: 'Y' is no symbol"),
    ],
)
def test_what_cannot_be_meant(options, said):
    with pytest.raises(ConfigError, match=said):
        run(**options)


def test_the_request_can_be_told():
    said = run(extrinsic={"g": bio.LogNormal(cv=0.1)}, measurement={"X": bio.Measurement()}, options={"initial": "round"}).to_dict()
    assert said["extrinsic"]["g"]["cv"] == 0.1 and said["measurement"]["X"]["poisson"] is None and said["options"] == {"initial": "round"}
