"""Networks with data become problems, whatever form the data come in."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.fitting.measured_network import measured_network
from sciml.biology.fitting.parameters import FitParameter
from sciml.errors import ConfigError, DataError
from tests.biology.fitting.problems import TIMES, chain, chain_data

RANGES = {"k": (1e-3, 1e2), "d": (1e-3, 1e2)}


def table():
    import pandas as pd

    rows = [(o, t, v, sd, 10.0) for o, (ts, vs, sd) in chain_data().items() for t, v in zip(ts, vs, strict=True)]
    return pd.DataFrame(rows, columns=["observable", "time", "value", "sd", "A"])


def test_all_forms_of_data_are_the_same_problem(tmp_path):
    table().to_csv(tmp_path / "data.csv", index=False)
    table().to_csv(tmp_path / "data.tsv", index=False, sep="\t")
    wanted = measured_network(chain(), chain_data(), RANGES, "normal").log_likelihood()
    for data in ([({}, chain_data())], [({"A": 10.0}, chain_data())], table(), tmp_path / "data.csv", str(tmp_path / "data.tsv")):
        assert measured_network(chain(), data, RANGES, "normal").log_likelihood() == pytest.approx(wanted, rel=1e-12)


def test_replicates_count_and_sds_may_be_numbers_arrays_or_formulas():
    _, values, _ = chain_data()["A"]
    one = measured_network(chain(), {"A": (TIMES, values, 0.3)}, RANGES | {"d": FitParameter("d", estimated=False, nominal=0.2)}, "normal")
    parameters = {"k": (1e-3, 1e2), "A": (0.1, 99)}
    made = [measured_network(chain(), {"A": (TIMES, v, sd)}, parameters, "normal").log_likelihood() for v, sd in (
        (values, 0.3), (values, np.full(len(TIMES), 0.3)), (values, "0.1 + 0.2"), ([values, values], 0.3))]  # fmt: skip
    np.testing.assert_allclose(made, np.array([1, 1, 1, 2]) * one.log_likelihood(), rtol=1e-9)


def test_parameters_are_logarithmic_where_they_are_positive():
    problem = measured_network(chain(), {"A": (TIMES, TIMES)}, {"k": (1e-3, 1e2), "A": (0, 20)}, "lognormal")
    k, a, sd = problem.parameters
    assert (k.scale, k.nominal, a.scale, a.nominal) == ("log10", 0.5, "lin", 10.0)
    assert (sd.id, sd.scale, sd.upper) == ("sd_A", "log10", 80.0)
    assert problem.observables[0].transformation == "log"


def test_settings_are_conditions():
    series = {"A": (TIMES, TIMES, 1.0)}
    problem = measured_network(chain(), [({"A": 1.0}, series), ({"A": 2.0, "k": "k2"}, series)], {"k2": (0.1, 1), "d": (0.1, 1)}, "laplace")
    assert list(problem.conditions) == ["A = 1", "A = 2, k = k2"] and problem.observables[0].distribution == "laplace"
    assert len(problem.measurements) == 2 * len(TIMES)


@pytest.mark.parametrize(
    ("data", "ranges", "noise", "error", "words"),
    [
        ({"A": ([1], [2], 1)}, None, "normal", ConfigError, "needs parameters"),
        ({"A": ([1], [2], 1)}, RANGES, "cauchy", ConfigError, "expected one of normal"),
        ({"A": ([1], [2], 1)}, {"k": 3.0}, "normal", ConfigError, r"expected \(lower, upper\)"),
        ({"A": ([1, 2], [2], 1)}, RANGES, "normal", DataError, "2 times and values of shape"),
        ({"A": ([1], ["x"], 1)}, RANGES, "normal", DataError, "must be numbers"),
        ({"A": ([1], [2], 0)}, RANGES, "normal", DataError, "sd that is not > 0"),
        ({"A": ([1],)}, RANGES, "normal", DataError, r"expected \(times, values\)"),
        ({"A": ([1], [0.0])}, RANGES, "normal", DataError, "all values are 0"),
        (3, RANGES, "normal", ConfigError, "expected {formula"),
        ("no.csv", RANGES, "normal", DataError, "no.csv: cannot be read"),
        ([({}, {"A": ([1], [2], 1)}), ({"B": 1.0}, {"A": ([1], [2], "0.1")})], RANGES, "normal", DataError, "in different ways"),
    ],
)
def test_what_cannot_be_meant_is_refused(data, ranges, noise, error, words):
    with pytest.raises(error, match=words):
        measured_network(chain(), data, ranges, noise)


def test_tables_are_checked_by_record():
    bad = table()
    bad.loc[3, "value"] = np.nan
    with pytest.raises(DataError, match="record 3.*empty cell"):
        measured_network(chain(), bad, RANGES, "normal")
    with pytest.raises(DataError, match="column 'value' is missing"):
        measured_network(chain(), table().rename(columns={"value": "amount"}), RANGES, "normal")
