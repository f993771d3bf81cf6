"""What a fit gives: data, text, a section of a report, a network."""

from __future__ import annotations

import json

import pytest

from sciml.biology import Compartment, Network, Reaction, Species, fit
from sciml.biology.fitting.result import Failure, Fit, Profile
from sciml.report.blocks import Figure, Table
from tests.biology.fitting.problems import TIMES, chain_exact, chain_problem


@pytest.fixture(scope="module")
def found() -> Fit:
    return fit(chain_problem(), starts=3)


def test_data_are_json(found):
    data = json.loads(json.dumps(found.to_dict()))
    assert data["parameters"]["k"] == found.parameters["k"] and set(data["profiles"]) == {"k", "d", "A"}
    assert data["seed"] == 0 and data["evaluations"] > 10 and data["failed"] == []


def test_profiles_fall_on_both_sides(found):
    for profile in found.profiles.values():
        top = profile.drops.index(0.0)
        assert list(profile.values) == sorted(profile.values) and 0 < top < len(profile.values) - 1
        assert profile.low < profile.values[top] < profile.high and profile.identified
        assert list(profile.drops[: top + 1]) == sorted(profile.drops[: top + 1])
        assert list(profile.drops[top:]) == sorted(profile.drops[top:], reverse=True)


def test_the_summary_has_a_line_for_each_parameter(found):
    lines = found.summary().splitlines()
    assert "3 of 3 starts end there" in lines[0] and lines[1].startswith("k = ") and "95 %" in lines[1] and repr(found) == found.summary()


def test_a_section_shows_parameters_and_profiles(found):
    (section,) = found.to_sections()
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert table.columns["parameter"] == ["k", "d", "A"] and table.columns["ends"] == ["data"] * 3
    names = [block.name for block in section.blocks if isinstance(block, Figure)]
    observables = list(dict.fromkeys(m.observable for m in found.problem.measurements))
    courses = [f"{id} over time" for id in observables]
    assert names == ["Measured and fitted", *courses, "Profile of k", "Profile of d", "Profile of A"]
    line, points = next(block for block in section.blocks if isinstance(block, Figure) and block.name == courses[0]).traces
    assert line["x"] == sorted(line["x"])
    assert sorted(points["y"]) == sorted(m.value for m in found.problem.measurements if m.observable == observables[0])


def test_failures_and_bounds_are_said(found):
    from dataclasses import replace

    profile = Profile("k", 0.9, 0.1, 2.0, True, False)
    other = replace(found, failed=(Failure(2, "no value"),), profiles={"k": profile}, undetermined=("+1.00 d",))
    assert other.failures == 2 and not profile.identified
    for words in ("2 failed", "2 starts failed: no value", "90 %: bound 0.1 to 2", "not determined: +1.00 d"):
        assert words in other.summary()
    assert "2 starts failed: no value" in str(other.to_sections())


def test_the_network_has_the_fitted_values_as_its_ids_mean_them():
    species = [Species("A", 3.0, "c", initial_is_concentration=False, substance_only=False)]
    net = Network(
        "c",
        compartments=[Compartment("c", 2.0)],
        species=species,
        parameters={"k": 0.1},
        reactions=[Reaction.parse("r", "A -> 0", rate="k")],
    )
    data = {"A": (TIMES, chain_exact(TIMES, a=4.0)[0], 0.1)}
    found = fit(net, data, parameters={"A": (0.1, 50), "k": (0.01, 10)}, starts=2, profiles=False)
    assert found.parameters["A"] == pytest.approx(4.0, rel=1e-4)  # a concentration
    from sciml.biology import simulate_ode

    assert simulate_ode(found.network, [0.0]).select("A")[0] == pytest.approx(found.parameters["A"])
