"""`sciml biology information | capacity | bottleneck | efficiency`: figures against theory, reports, what they exit with."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tests.cli.sample import sciml

P_E = [0.5, 0.5]
GIVEN = np.array([[0.5, 0.3, 0.15, 0.05], [0.05, 0.15, 0.3, 0.5]])


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """A binary symmetric answer (noise far below the steps) to two doses: 1 - h(0.1) = 0.531 bit; `b` is noise."""
    rng = np.random.default_rng(0)
    dose = np.repeat([0, 1], 1000)
    answer = np.where(rng.random(2000) < 0.1, 1 - dose, dose)
    path = tmp_path_factory.mktemp("cells") / "cells.csv"
    pd.DataFrame({"dose": dose, "a": answer + 0.01 * rng.normal(size=2000), "b": rng.normal(size=2000)}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def hill(tmp_path_factory):
    """Four doses, a Poisson read-out, and the environments in a file beside."""
    rng = np.random.default_rng(1)
    dose = np.repeat([0.2, 0.7, 1.5, 5.0], 200)
    folder = tmp_path_factory.mktemp("hill")
    signal = rng.poisson(20 * dose / (1 + dose) + 0.1)
    pd.DataFrame({"dose": dose, "S": signal, "G": rng.poisson(0.3 * signal)}).to_csv(folder / "cells.csv", index=False)
    rows = [[f"place {k}", P_E[k], *GIVEN[k]] for k in (0, 1)]
    pd.DataFrame(rows, columns=["environment", "p", "0.2", "0.7", "1.5", "5"]).to_csv(folder / "environments.csv", index=False)
    return folder


def found(*words):
    done = sciml("biology", *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_information_of_each_column_and_of_all(cells, tmp_path):
    done = sciml("biology", "information", cells, "--readout", "a,b", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "all together" in done.stdout and (tmp_path / "out" / "report.html").exists() and (tmp_path / "out" / "information.csv").exists()
    parts = found("information", cells, "--readout", "a,b")["information"]
    assert list(parts) == ["a", "b", "all together"]
    assert parts["a"]["low"] <= 0.531 <= parts["a"]["high"] and parts["b"]["low"] <= 0 <= parts["b"]["high"]


def test_capacity(cells):
    result = found("capacity", cells, "--readout", "a")
    assert result["low"] <= 0.531 <= result["high"] and result["doses"] == ["0", "1"]
    assert sum(result["p_x"]) == pytest.approx(1)


def test_bottleneck(hill, tmp_path):
    result = found("bottleneck", hill / "cells.csv", "--readout", "S", "--out", tmp_path / "out")
    assert result["i_xy"] == pytest.approx(max(result["i_y"]), abs=1e-6) and (tmp_path / "out" / "curve.csv").exists()
    assert "encoders" not in result


def test_efficiency(hill, tmp_path):
    words = ["efficiency", hill / "cells.csv", "--environments", hill / "environments.csv", "--readout", "S", "--expression", "G"]
    result = found(*words, "--out", tmp_path / "out")
    assert result["defined"] and 0.8 < result["efficiency"] < 1.02 and result["i_eg"]["bits"] < result["i_es"]["bits"]
    assert (tmp_path / "out" / "report.html").exists()


def test_a_model():
    result = found("information", "signalling", "--dose", "L", "--readout", "Kp", "--doses", "0.05,1,20", "--times", "300", "-n", "40")
    assert result["information"]["Kp"]["bits"] == pytest.approx(np.log2(3), abs=0.15)  # three doses far apart are told apart


def test_a_model_in_which_only_cells_differ():
    words = ["--dose", "L", "--readout", "Kp", "--doses", "0.1,10", "--times", "300", "-n", "30", "--method", "ode", "--extrinsic", "R=0.1"]
    assert found("capacity", "signalling", *words)["bits"] == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["information", "{}/absent.csv"], 3, "absent.csv"),
        (["information", "{}/cells.csv", "--readout", "Q"], 3, "Q"),
        (["bottleneck", "{}/cells.csv", "--readout", "S,G"], 2, "one at a time"),
        (["capacity", "signalling", "--dose", "L", "--readout", "P"], 2, "--doses"),
        (["capacity", "signalling", "--dose", "L", "--readout", "P", "--doses", "1,2", "--times", "1e9"], 2, "--budget"),
        (["efficiency", "{}/cells.csv", "--readout", "S", "--environments", "{}/none.csv"], 2, "not there"),
        (["efficiency", "{}/cells.csv", "--readout", "S", "--environments", "{}/cells.csv"], 3, "no column p"),
    ],
)
def test_what_cannot_be_meant(hill, words, code, said):
    done = sciml("biology", *[word.format(hill) for word in words])
    assert done.exit_code == code and said in done.output and "Traceback" not in done.output
