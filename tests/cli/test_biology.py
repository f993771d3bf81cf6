"""`sciml biology check | fit`: what they print, what they exit with."""

from __future__ import annotations

import json

import pytest

from sciml.cli.biology import app
from tests.cli.sample import sciml

FILES = {
    "empty.xml": "",
    "page.xml": "<!DOCTYPE html><html><body>Not found</body></html>",
    "truncated.xml": '<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"><model id="m">',
    "wrong.ant": "A -> B; k*(A\n",
    "wrong.net": "begin species\n1 A\nend species\n",
    "wrong.omex": "PK",
    "wrong.sedml": "<sedML/>",
}


def test_commands():
    assert {each.callback.__name__ for each in app.registered_commands} == {
        "check", "simulate", "scan", "fit", "information", "capacity", "bottleneck", "efficiency",
    }  # fmt: skip


def test_check_says_what_a_model_counts():
    done = sciml("biology", "check", "mapk", "--set", "cell=10")
    assert done.exit_code == 0
    assert "MKKK + MKKKp = 1000" in done.stdout
    assert "900" in done.stdout
    found = json.loads(sciml("biology", "check", "mapk", "--json").stdout)
    first = found["species"][0]
    assert (first["id"], first["molecules"], first["concentration"], first["volume"]) == ("MKKK", 9000, 90, 100)
    assert sciml("biology", "check", "mapk", "-q").stdout == ""


@pytest.mark.parametrize("name", [*FILES, "absent.xml", "absent"])
def test_what_is_no_model_ends_with_3(tmp_path, name):
    """One line that names the file, no traceback."""
    if name in FILES:
        (tmp_path / name).write_text(FILES[name])
    done = sciml("biology", "check", tmp_path / name)
    assert done.exit_code == 3
    assert done.stdout == ""
    assert f"{name}: " in done.stderr
    assert "Traceback" not in done.output


def test_check_shows_the_rest_of_what_is_not_supported(tmp_path):
    (tmp_path / "m.ant").write_text("model m\n x -> y; 2*x\n z -> ; normal(3,1)*z; x=3; y=1; z=2\nend")
    done = sciml("biology", "check", tmp_path / "m.ant")
    assert done.exit_code == 3
    assert "x -> y" in done.stdout
    assert "line 3: the law of reaction" in done.stderr


def test_check_thoroughly(tmp_path):
    from sciml.biology.antimony import load_antimony
    from sciml.biology.sbml import to_sbml

    to_sbml(load_antimony("model little\nA -> B; k*A\nk = 0.5; A = 7; B = 0\nend"), tmp_path / "model.xml")
    found = json.loads(sciml("biology", "check", tmp_path / "model.xml", "--thorough", "--json").stdout)
    assert not [line for line in found["consistency"] if "error" in line]
    assert json.loads(sciml("biology", "check", tmp_path / "model.xml", "--json").stdout)["consistency"] == []


def test_check_lists_tasks(tmp_path):
    from sciml.biology.antimony import load_antimony
    from sciml.biology.sbml import to_sbml
    from tests.biology.test_sedml import TEXT

    to_sbml(load_antimony("model little\nA -> B; k*A\nk = 0.5; A = 7; B = 0\nend"), tmp_path / "model.xml")
    (tmp_path / "first.sedml").write_text(TEXT)
    done = sciml("biology", "check", tmp_path / "first.sedml")
    assert done.exit_code == 0
    assert "task one: ode from 1 to 5, 9 times" in done.stdout
    assert "task many: ssa from 0 to 2, 5 times, k at 3 values, A at 3 values" in done.stdout


def test_fit(tmp_path):
    """Three measurements of a chain: a number, a report and a table."""
    from tests.biology.fitting.problems import write_petab

    problem = write_petab(tmp_path)
    out = tmp_path / "fit"
    done = sciml("biology", "fit", problem, "--starts", 2, "--no-profiles", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert isinstance(found["log_likelihood"], float)
    assert (out / "parameters.csv").read_text().startswith("parameter,value,standard error\n")
    assert (out / "report.html").is_file()


def test_fit_of_a_model_says_what_a_fit_takes(tmp_path):
    done = sciml("biology", "fit", "telegraph")
    assert done.exit_code == 2
    assert "telegraph is a model; a fit takes a PEtab problem" in done.stderr
    (tmp_path / "m.ant").write_text("A -> B; k*A\nk = 1")
    done = sciml("biology", "fit", tmp_path / "m.ant")
    assert done.exit_code == 3
    assert "found Antimony text, expected a PEtab problem" in done.stderr


def test_fit_says_what_is_missing(tmp_path):
    done = sciml("biology", "fit", tmp_path / "problem.yaml")
    assert done.exit_code == 3
    assert "problem.yaml" in done.stderr
