"""What holds for every public call: nothing is refused by a typed error that names the argument, and results read and draw themselves."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sciml.biology import information as info
from sciml.errors import SciMLError

NONE: list[float] = []
SOME = np.random.default_rng(0).normal(size=60)
TRACES = SOME.reshape(3, 20)
DOSES = np.repeat([0.0, 1.0, 10.0], 20)
LAW = [[0.5, 0.0], [0.2, 0.3]]
NETWORK = info.VariationalBottleneck(beta=2.0, steps=10)

CALLS = {
    "mutual_information x": ("x", lambda: info.mutual_information(NONE, NONE)),
    "mutual_information y": ("y", lambda: info.mutual_information(SOME, NONE)),
    "mutual_information columns": ("x", lambda: info.mutual_information(np.zeros((60, 0)), SOME)),
    "mutual_information groups": ("groups", lambda: info.mutual_information(SOME, SOME, groups=NONE)),
    "conditional_information": ("x", lambda: info.conditional_information(NONE, NONE, NONE)),
    "conditional_information z": ("z", lambda: info.conditional_information(SOME, SOME[::-1], NONE)),
    "information_over_time": ("y", lambda: info.information_over_time(NONE, NONE)),
    "information_over_time x": ("x", lambda: info.information_over_time(NONE, TRACES.T)),
    "information_over_time times": ("times", lambda: info.information_over_time(SOME[:20], TRACES.T, NONE)),
    "lagged_information": ("x", lambda: info.lagged_information(NONE, NONE, [1])),
    "lagged_information lags": ("lags", lambda: info.lagged_information(TRACES, TRACES, [])),
    "directed_information": ("x", lambda: info.directed_information(NONE, NONE)),
    "capacity_from_data": ("doses", lambda: info.capacity_from_data(NONE, NONE)),
    "capacity_from_data responses": ("responses", lambda: info.capacity_from_data(DOSES, NONE)),
    "distinguish": ("doses", lambda: info.distinguish(NONE, NONE)),
    "distinguish responses": ("responses", lambda: info.distinguish(DOSES, NONE)),
    "next_dose": ("doses", lambda: info.next_dose(NONE, NONE)),
    "next_dose responses": ("responses", lambda: info.next_dose(DOSES, NONE)),
    "next_dose candidates": ("candidates", lambda: info.next_dose(DOSES, SOME, candidates=NONE)),
    "capacity": ("p_y_given_x", lambda: info.capacity(NONE)),
    "capacity cost": ("cost", lambda: info.capacity([[0.5, 0.5], [0.2, 0.8]], cost=NONE, budget=1.0)),
    "bottleneck_curve": ("p_xy", lambda: info.bottleneck_curve(NONE)),
    "bottleneck_curve betas": ("betas", lambda: info.bottleneck_curve(LAW, betas=NONE)),
    "deterministic_bottleneck": ("p_xy", lambda: info.deterministic_bottleneck(NONE)),
    "deterministic_bottleneck betas": ("betas", lambda: info.deterministic_bottleneck(LAW, betas=NONE)),
    "gaussian_bottleneck": ("cov", lambda: info.gaussian_bottleneck(NONE, 1)),
    "gaussian_bottleneck betas": ("betas", lambda: info.gaussian_bottleneck([[1, 0.5], [0.5, 1]], 1, betas=NONE)),
    "VariationalBottleneck": ("beta", lambda: info.VariationalBottleneck(beta=[])),
    "VariationalBottleneck.fit": ("x", lambda: NETWORK.fit(NONE, NONE)),
    "VariationalBottleneck.fit y": ("y", lambda: NETWORK.fit(SOME, NONE)),
    "VariationalBottleneck.fit_simulator": ("x", lambda: NETWORK.fit_simulator(lambda n, seed: (np.zeros((n, 0)), np.zeros(n)))),
}


@pytest.mark.parametrize("case", CALLS)
def test_nothing_is_refused_by_name(case):
    name, call = CALLS[case]
    with pytest.raises(SciMLError, match=rf"\b{name}\b"):
        call()


def test_every_call_is_asked():
    calls = {name for name in info.__all__ if name[0].islower()} - {"estimator_rule"} | {"VariationalBottleneck"}
    assert calls == {case.split(" ")[0].split(".")[0] for case in CALLS}


RESULTS = {
    "MutualInformation": lambda: info.mutual_information(DOSES, SOME),
    "InformationSeries": lambda: info.lagged_information(TRACES, TRACES[:, ::-1], [0, 1], x_kind="continuous"),
    "DataCapacity": lambda: info.capacity_from_data(DOSES, SOME),
    "Distinction": lambda: info.distinguish(DOSES, SOME),
    "NextDose": lambda: info.next_dose(DOSES, SOME),
    "Capacity": lambda: info.capacity([[0.5, 0.5], [0.2, 0.8]]),
    "BottleneckCurve": lambda: info.bottleneck_curve(LAW, [1.0, 2.0, 5.0]),
    "DeterministicBottleneck": lambda: info.deterministic_bottleneck(LAW),
    "GaussianBottleneck": lambda: info.gaussian_bottleneck([[1, 0.5], [0.5, 1]], 1),
    "VariationalCurve": lambda: NETWORK.fit(SOME, SOME[::-1]),
}


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_reads_and_draws_itself(name):
    found = RESULTS[name]()
    assert type(found).__name__ == name
    assert found.sentence().endswith(".") and "bit" in found.sentence() and "nan" not in found.sentence()
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["sentence"] == found.sentence()
    sections = found.to_sections()
    assert sections and any(section.blocks for section in sections)


def test_every_result_is_asked():
    """Parts of a result (a pair of doses, a row of the rule) and what trains one are none."""
    parts = {"PairOfDoses", "Rule", "VariationalBottleneck"}
    assert {name for name in info.__all__ if name[0].isupper()} - parts == set(RESULTS)
