"""`sciml biology simulate | scan`: numbers, options, folders, budgets."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from types import SimpleNamespace

import pytest

from sciml.biology import Network
from sciml.biology.antimony import load_antimony
from sciml.biology.simulation.methods import METHODS
from sciml.biology.simulation.scan import scan
from sciml.cli.networks import Method
from sciml.cli.runs import _progress
from tests.cli.sample import sciml

TEXT = "model decay\nA -> B; k*A\nk = 0.5; A = 100; B = 0\nend"


@pytest.fixture(scope="module")
def decay(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "decay.ant"
    path.write_text(TEXT)
    return path


def run(*words):
    done = sciml("biology", *words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_simulate(decay):
    found = run("simulate", decay, "--end", 2, "--set", "k=0.25")
    assert found["final"]["A"]["mean"] == pytest.approx(100 * math.exp(-0.5), rel=1e-6)
    assert "decay at 2 (ode)" in sciml("biology", "simulate", decay, "--end", 2).stdout


def test_stochastic_methods(decay):
    """Binomial: mean 100 q, variance 100 q (1 - q), |z| <= 4.5."""
    q = math.exp(-1)
    for method in METHODS.keys() - {"ode"}:
        a = run("simulate", decay, "--end", 2, "--method", method, "-n", 400, "--yes")["final"]["A"]
        assert abs(a["mean"] - 100 * q) <= 4.5 * math.sqrt(100 * q * (1 - q) / 400)
        assert abs(a["std"] ** 2 / (100 * q * (1 - q)) - 1) <= 4.5 * math.sqrt(2 / 400)


def test_amounts_that_are_not_whole(decay):
    words = ("simulate", decay, "--set", "A=10.4", "--end", 1, "--method", "ssa", "-n", 5)
    done = sciml("biology", *words)
    assert done.exit_code == 3
    assert "--initial round" in done.stderr
    assert run(*words, "--initial", "round")["final"]["A"]["mean"] <= 10


def test_same_seed_same_numbers(decay):
    words = ("simulate", decay, "--end", 2, "--method", "ssa", "-n", 20, "--seed", 5)
    assert run(*words) == run(*words)
    assert run(*words)["final"] != run(*words[:-1], 6)["final"]


def test_a_report_with_its_tables(decay, tmp_path):
    out = tmp_path / "run"
    done = sciml("biology", "simulate", decay, "--end", 2, "--method", "ssa", "-n", 20, "--points", 3, "--out", out)
    assert done.exit_code == 0, done.output
    with (out / "amounts.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["time"] for row in rows] == ["0.0", "1.0", "2.0"]
    assert rows[0]["A"] == "100.0"
    assert {"report.html", "report-data", "manifest.json"} <= {p.name for p in out.iterdir()}
    again = sciml("biology", "simulate", decay, "--end", 2, "--out", out)
    assert again.exit_code == 2
    assert "exists" in again.stderr


def test_scan(decay, tmp_path):
    found = run("scan", decay, "--vary", "k=0.1:10:3:log", "--end", 1, "--out", tmp_path / "scan")
    assert found["columns"]["k"] == pytest.approx([0.1, 1, 10])
    assert found["columns"]["A"] == pytest.approx([100 * math.exp(-k) for k in (0.1, 1, 10)], rel=1e-6)
    assert (tmp_path / "scan" / "scan.csv").read_text().startswith("k,A,B\n")
    pairs = run("scan", decay, "--vary", "k=1,2", "--vary", "A=10,20", "--end", 1, "--species", "B")
    assert pairs["columns"]["B"] == pytest.approx([10 * (1 - math.exp(-1)), 20 * (1 - math.exp(-2))], rel=1e-6)


def test_sedml_runs_as_it_says(tmp_path):
    from sciml.biology.antimony import load_antimony
    from sciml.biology.sbml import to_sbml
    from tests.biology.test_sedml import TEXT as EXPERIMENT

    to_sbml(load_antimony("model little\nA -> B; k*A\nk = 0.5; A = 7; B = 0\nend"), tmp_path / "model.xml")
    (tmp_path / "first.sedml").write_text(EXPERIMENT)
    one = run("simulate", tmp_path / "first.sedml")
    assert list(one["final"]) == ["B"]
    assert one["final"]["B"]["mean"] == pytest.approx(7 * (1 - math.exp(-12.5)), rel=1e-6)
    many = run("scan", tmp_path / "first.sedml", "--method", "ode", "--species", "B")
    assert many["columns"]["B"] == pytest.approx([a * (1 - math.exp(-2 * k)) for k, a in ((0.1, 1), (1, 2), (10, 4))], rel=1e-6)


WRONG = {
    "no end": (["simulate"], "--end: give the last time"),
    "end": (["simulate", "--end", "-1"], "--end: found -1"),
    "method": (["simulate", "--end", 1, "--method", "euler"], "--method: found 'euler'"),
    "species": (["simulate", "--end", 1, "--species", "C", "--out", "never"], "'C'"),
    "set": (["simulate", "--end", 1, "--set", "q=1"], "'q' is no species"),
    "task": (["simulate", "--end", 1, "--task", "x"], "--task: found 'x'"),
    "nothing varied": (["scan", "--end", 1], "--vary: give what is varied"),
    "vary": (["scan", "--end", 1, "--vary", "k=a"], "--vary: found 'k=a'"),
    "vary ends": (["scan", "--end", 1, "--vary", "k=1:2"], "--vary: found 'k=1:2'"),
    "vary id": (["scan", "--end", 1, "--vary", "q=1,2"], "'q' is no parameter"),
    "vary twice": (["scan", "--end", 1, "--vary", "k=1,2", "--vary", "k=3,4"], "--vary: k is there twice"),
    "vary and set": (["scan", "--end", 1, "--vary", "k=1,2", "--set", "k=3"], "--set: k is varied by --vary too"),
    "vary count": (["scan", "--end", 1, "--vary", "k=1:2:0"], "0 is no whole number from 1 to 10000"),
    "vary word": (["scan", "--end", 1, "--vary", "k=1:2:5:lin"], "three parts, or four of which the last is log"),
    "vary log": (["scan", "--end", 1, "--vary", "k=-1:2:5:log"], "equal ratios need ends > 0"),
    "vary no id": (["scan", "--end", 1, "--vary", "k"], "--vary: found 'k': no ID="),
    "unknown species": (["simulate", "--end", 1, "--species", "A,Q"], "--species: 'Q' is no species of 'decay'"),
    "species of a scan": (["scan", "--end", 1, "--vary", "k=1,2", "--species", "k"], "--species: 'k' is no species"),
    "set nothing": (["simulate", "--end", 1, "--set", "k"], "--set: found 'k', expected NAME=VALUE, as in k=0.1"),
    "no budget": (["simulate", "--end", 1, "--method", "ssa", "--budget", "nan"], "--budget: found nan, expected seconds > 0"),
    "points": (["simulate", "--end", 1, "--points", 10**9], "1000000"),
    "unequal": (["scan", "--end", 1, "--vary", "k=1,2", "--vary", "A=1,2,3"], "they go together"),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options_end_with_2(decay, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    done = sciml("biology", words[0], decay, *words[1:])
    assert done.exit_code == 2, done.output
    assert message in done.stderr
    assert not any(tmp_path.iterdir())


def stopped(monkeypatch, n):
    """Exact runs are as if the user had stopped them after n trajectories."""
    exact = METHODS["ssa"]

    def call(*words, **options):
        found = exact.call(*words, **{**options, "n": n})
        return dataclasses.replace(found, asked=options["n"], notes=("said",))

    monkeypatch.setitem(METHODS, "ssa", dataclasses.replace(exact, call=call))


def test_a_run_that_was_stopped_ends_with_130(decay, monkeypatch):
    stopped(monkeypatch, 3)
    done = sciml("biology", "simulate", decay, "--end", 1, "--method", "ssa", "-n", 5, "--json")
    assert done.exit_code == 130
    assert json.loads(done.stdout)["notes"] == ["said"]
    assert sciml("biology", "simulate", decay, "--end", 1, "--method", "ssa", "-n", 3).exit_code == 0


def test_a_scan_that_was_stopped_ends_with_130(decay, monkeypatch):
    """A value with fewer trajectories than the others would stand beside them as if it were like them."""
    stopped(monkeypatch, 3)
    done = sciml("biology", "scan", decay, "--end", 1, "--vary", "k=1,2", "--method", "ssa", "-n", 5)
    assert done.exit_code == 130
    assert "interrupted" in done.stderr


def test_a_scan_is_that_of_the_library(decay):
    """Of any method; each value has streams of its own, and no other seed has them."""
    words = ("scan", decay, "--vary", "k=0.5,0.5", "--vary", "A=9000,9000", "--end", 1, "--method", "ssa", "-n", 3)
    found = [run(*words, "--seed", seed)["columns"] for seed in (0, 1)]
    network = load_antimony(TEXT)
    for seed, columns in enumerate(found):
        same = scan(network, {"k": [0.5, 0.5], "A": [9000, 9000]}, [1.0], "ssa", n=3, seed=seed, together=True)
        assert columns["B"] == same.select("B")[:, 0].tolist()
    assert len({b for columns in found for b in columns["B"]}) == 4
    for method in METHODS:
        one = run("scan", decay, "--vary", "k=0.5,1", "--end", 1, "--method", method, "-n", 1)["columns"]
        assert abs(one["A"][0] - 100 * math.exp(-0.5)) < 4.5 * 5 and ("A (sd)" in one) == (method == "lna")


def test_the_help_names_every_method():
    assert all(name in Method.__metadata__[0].help for name in METHODS)


def test_progress_on_terminals_only(monkeypatch):
    assert _progress() is None
    said = io.StringIO()
    said.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", said)
    show = _progress()
    show(5, 10)
    show(10, 10)
    assert "5 of 10 trajectories" in said.getvalue()
    assert said.getvalue().endswith("\n")


def test_long_runs_need_a_yes(decay, monkeypatch):
    monkeypatch.setattr(Network, "forecast", lambda *a, **k: SimpleNamespace(seconds=1e4, events=1e9, bytes=1), raising=False)
    words = ("biology", "simulate", decay, "--end", 1, "--method", "ssa", "-n", 5)
    done = sciml(*words)
    assert done.exit_code == 2
    assert "about 10000 s are expected" in done.stderr
    assert sciml(*words, "--yes").exit_code == 0
    assert sciml(*words, "--budget", 1e5).exit_code == 0
