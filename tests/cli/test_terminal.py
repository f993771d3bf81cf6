"""What commands share: exit codes, one line for an error, words to options, what may be written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sciml.cli.terminal import Quiet, Verbose, command, emit, new_file, pairs, settings
from sciml.errors import ConfigError, ConvergenceError, DataError, ModelFileError, SciMLError

ENDS = [
    (SciMLError("broken"), 1, "sciml: broken"),
    (ConfigError("cutoff_A: found -1"), 2, "sciml: cutoff_A: found -1"),
    (DataError("a.cif: record 3:\n  two lines"), 3, "sciml: a.cif: record 3: two lines"),
    (ModelFileError("damaged"), 3, "sciml: damaged"),
    (ConvergenceError("after 3 steps"), 4, "sciml: after 3 steps"),
    (KeyboardInterrupt(), 130, "sciml: interrupted; what was saved is kept"),
    (SystemExit(143), 143, "sciml: ended by SIGTERM; what was saved is kept"),
    (typer.Exit(1), 1, ""),
    (OSError("no space"), 1, "sciml: OSError: no space"),
    (RuntimeError("odd"), 1, "sciml: unexpected RuntimeError: odd (-v shows where; please report it)"),
    (ConfigError("give resume=True or keys={'energy': 'E'}"), 2, "sciml: give --resume or --keys energy=E"),
    (DataError('read them with units={"stress": "-kBar"}'), 3, "sciml: read them with --units stress=-kBar"),
    (
        DataError("a: no elements; expected symbols=, one a group (or keys=)"),
        3,
        "sciml: a: no elements; expected --symbols, one a group (or --keys)",
    ),
    (DataError("runs/keys=old.extxyz: record 3: energy"), 3, "sciml: runs/keys=old.extxyz: record 3: energy"),
    (DataError("keys=old.extxyz and cell=True/a: not there"), 3, "sciml: keys=old.extxyz and cell=True/a: not there"),
]


def raising(error: BaseException) -> typer.Typer:
    app = typer.Typer()

    @app.command()
    @command
    def fail(verbose: Verbose = False, quiet: Quiet = False) -> None:
        raise error

    return app


@pytest.mark.parametrize(("error", "code", "line"), ENDS, ids=[str(end[1]) + type(end[0]).__name__ for end in ENDS])
def test_each_error_is_one_line_and_its_exit_code(error, code, line):
    done = CliRunner().invoke(raising(error), [])
    assert done.exit_code == code
    assert done.stderr.strip() == line and done.stdout == ""


def test_traceback_only_if_asked_for():
    done = CliRunner().invoke(raising(DataError("bad")), ["-v"])
    assert done.exit_code == 3 and "Traceback" in done.stderr and done.stderr.strip().endswith("sciml: bad")


@pytest.mark.parametrize("path", ["my units= x.cif", "my cell=True", "runs/resume=True", "keys="])
def test_a_path_that_was_typed_is_said_as_it_is(path):
    """However it looks; the rest of the message is put in words of the command line."""
    app = typer.Typer()

    @app.command()
    @command
    def fail(file: Path, model: str) -> None:
        raise DataError(f"{file}: not there; {model} needs cell=True or symbols=")

    done = CliRunner().invoke(app, [path, "si"])
    assert done.stderr.strip() == f"sciml: {path}: not there; si needs --cell or --symbols"


def test_words_to_options():
    assert pairs("--units", ["energy=Ry,stress=-kBar", "length=bohr"]) == {"energy": "Ry", "stress": "-kBar", "length": "bohr"}
    assert settings("--option", ["a=3,b=0.5", "c=true", "d=text"]) == {"a": 3, "b": 0.5, "c": True, "d": "text"}
    for word in ("energy", "=eV", "energy=", ""):
        with pytest.raises(ConfigError, match=r"--units: found .*, expected NAME=VALUE, as in energy=eV"):
            pairs("--units", [word])


def test_what_may_be_written(tmp_path):
    there = tmp_path / "a.extxyz"
    assert new_file(there, overwrite=False) == there
    there.write_text("x")
    assert new_file(there, overwrite=True) == there
    for path, words in (
        (there, {"overwrite": False}),
        (there, {"overwrite": True, "source": there}),
        (tmp_path / "a.cif", {"overwrite": True}),
    ):
        with pytest.raises(ConfigError, match="--out: "):
            new_file(path, **words)
    (tmp_path / "b.xyz").mkdir()
    with pytest.raises(ConfigError, match="exists; give another name$"):
        new_file(tmp_path / "b.xyz", overwrite=True)
    with pytest.raises(ConfigError, match=r"--out: .*: the folder .*nowhere is not there"):
        new_file(tmp_path / "nowhere" / "a.extxyz", overwrite=False)
    with pytest.raises(ConfigError, match=r"the folder .*a.extxyz is no folder"):
        new_file(there / "a.extxyz", overwrite=False)
    assert new_file(Path("a.extxyz"), overwrite=True) == Path("a.extxyz")
    page = {"option": "--report", "suffixes": (".html",)}
    assert new_file(tmp_path / "a.html", overwrite=False, **page) == tmp_path / "a.html"
    with pytest.raises(ConfigError, match=r"--report: found .*a.txt, a name that ends in .html"):
        new_file(tmp_path / "a.txt", overwrite=False, **page)


def test_output(capsys):
    emit({"a": float("nan"), "b": (1, {"c": float("inf")})}, "text", as_json=True, quiet=True)
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [1, {"c": None}]}
    emit({}, "text", as_json=False, quiet=False)
    emit({}, "text", as_json=False, quiet=True)
    assert capsys.readouterr().out == "text\n"
