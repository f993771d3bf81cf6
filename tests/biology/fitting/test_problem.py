"""Likelihoods of whole problems: hand-made cases, and petab's own sum over a table of simulations."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sciml.biology import load_petab as from_the_door
from sciml.biology.fitting.parameters import FitParameter, Prior
from sciml.biology.fitting.problem import Problem
from sciml.biology.fitting.statement import Measurement, Observable
from sciml.biology.fitting.tables import load_petab
from sciml.biology.formula import parse
from sciml.errors import ConfigError
from tests.biology.fitting.problems import PETAB, chain, chain_exact, chain_problem, write_petab

ROWS, BEFORE = PETAB / "09-petab-row-overrides" / "problem.yaml", PETAB / "10-petab-preequilibration" / "problem.yaml"


def test_each_row_brings_its_own_scale_offset_and_noise():
    problem = load_petab(ROWS)
    assert problem.log_likelihood() == pytest.approx(-4.4455366, abs=1e-6)
    first = {"observable_parameters": (0.5, 2.0), "noise_parameters": (0.1, 0.05)}
    rows = tuple(replace(m, **(first if m.observable == "obs" else {})) for m in problem.measurements)
    fixed = tuple(replace(p, estimated=False) for p in problem.parameters)
    twin = replace(problem, parameters=fixed, measurements=rows)
    assert twin.log_likelihood() == pytest.approx(-120.29, abs=0.01)  # the fault of keeping the first row's
    once = replace(problem, measurements=tuple(dict.fromkeys(problem.measurements)))
    assert once.log_likelihood() == pytest.approx(-3.384, abs=1e-3)  # and of merging equal rows


def test_what_is_kept_and_what_is_reset_after_a_steady_state():
    assert load_petab(BEFORE).log_likelihood() == pytest.approx(7.8130678, abs=1e-6)
    assert from_the_door is load_petab


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # of petab
@pytest.mark.parametrize("path", [BEFORE, *(PETAB / c / f"_{c}.yaml" for c in ("0005", "0007", "0014", "0016"))])
def test_likelihoods_are_those_that_petab_sums(path):
    import petab.v1 as petab

    problem = load_petab(path)
    folder = path.parent
    name = "" if "problem" in path.name else "_"
    read = {
        kind: getattr(petab, f"get_{kind}_df")(str(folder / f"{name}{kind}s.tsv")) for kind in ("measurement", "observable", "parameter")
    }
    assert problem.log_likelihood() == pytest.approx(
        petab.calculate_llh(read["measurement"], problem.simulate(), read["observable"], read["parameter"]), rel=1e-9
    )


@pytest.mark.parametrize("transformation", ["lin", "log", "log10"])
@pytest.mark.parametrize("distribution", ["normal", "laplace"])
def test_all_kinds_of_noise(transformation, distribution):
    from petab.v1.calculate import calculate_single_llh

    t, values = np.array([0.5, 2.0]), np.array([7.0, 4.5])
    a, _ = chain_exact(t)
    observable = Observable("o", parse("A"), parse("0.1 + 0.05 * o"), transformation, distribution)
    rows = tuple(Measurement("o", "c", *pair) for pair in zip(t, values, strict=True))
    problem = Problem(chain(), (FitParameter("k", 0.1, 1, "log", 0.5),), {"c": {}}, (observable,), rows)
    wanted = sum(calculate_single_llh(m, s, transformation, distribution, 0.1 + 0.05 * s) for m, s in zip(values, a, strict=True))
    assert problem.log_likelihood() == pytest.approx(wanted, abs=1e-6)


def test_values_are_nominal_where_none_is_given():
    problem = chain_problem()
    np.testing.assert_array_equal(problem.values({"k": 2.0}), [2.0, 0.2, 10.0])
    assert problem.log_likelihood({"k": 2.0}) < problem.log_likelihood() < 10 and problem.chi2() > 0
    with pytest.raises(ConfigError, match="'kk' is no parameter.*did you mean 'k'"):
        problem.values({"kk": 1.0})
    with pytest.raises(ConfigError, match="finite"):
        problem.values({"k": np.nan})
    with pytest.raises(ConfigError, match="'d' has no nominal value"):
        replace(problem, parameters=(*problem.parameters[:1], replace(problem.parameters[1], nominal=np.nan))).values()


def test_priors_count_beside_the_likelihood():
    problem = chain_problem()
    with_prior = replace(problem, parameters=(replace(problem.parameters[0], prior=Prior("normal", 1.0, 0.5)), *problem.parameters[1:]))
    assert with_prior.log_likelihood() == problem.log_likelihood() and problem.log_prior() == 0
    assert with_prior.log_prior() == pytest.approx(stats.norm(1.0, 0.5).logpdf(0.5))


def test_the_table_of_simulations_has_the_rows_of_the_measurements(tmp_path):
    problem = load_petab(ROWS)
    table = problem.simulate()
    assert table["observableParameters"].tolist() == ["0.5;2", "0.5;s2", "0.5;2", "0.5;s2", "0.5;s2", "off;s2", ""]
    assert table["replicateId"].tolist() == ["r1", "r2", "r1", "r2", "r2", "r3", "r1"]
    assert list(load_petab(write_petab(tmp_path)).simulate().columns) == ["observableId", "simulationConditionId", "time", "simulation"]
    assert json.loads(json.dumps(problem.to_dict()))["measurements"] == 7 and "7 measurements" in repr(problem)
