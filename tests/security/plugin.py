"""The whole run is watched: no class looked up by a pickle, no connection to another machine, caches in a folder of the run's own."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SECURITY = Path(__file__).resolve().parent
GUARD = SECURITY / "guard"

settings.register_profile("gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gate")


def pytest_configure(config: pytest.Config) -> None:
    """Start the guard here and in every interpreter started from here; give the run its own cache folder."""
    if "SCIML_TEST_OFFENCES" not in os.environ:  # the first process of the run; workers inherit
        scratch = Path(tempfile.mkdtemp(prefix="sciml-tests-"))
        config.add_cleanup(lambda: shutil.rmtree(scratch, ignore_errors=True))
        callers = runpy.run_path(str(SECURITY / "exceptions.py"))["PICKLE_CALLERS"]
        os.environ["SCIML_TEST_OFFENCES"] = str(scratch / "offences")
        os.environ["SCIML_TEST_CALLERS"] = json.dumps(list(callers))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(GUARD), os.environ.get("PYTHONPATH")]))
        os.environ.setdefault("SCIML_CACHE", str(scratch / "cache"))
    guard = runpy.run_path(str(GUARD / "sitecustomize.py"), run_name="guard")
    guard["install"](tuple(json.loads(os.environ["SCIML_TEST_CALLERS"])), os.environ["SCIML_TEST_OFFENCES"])


def offences() -> list[str]:
    """What the guard has refused so far in the whole run, all processes."""
    path = Path(os.environ["SCIML_TEST_OFFENCES"])
    return path.read_text(errors="replace").splitlines() if path.exists() else []


@pytest.fixture(autouse=True)
def _watched():
    """Fail the test during which the guard refused something, also where the code swallowed the error."""
    before = len(offences())
    yield
    new = offences()[before:]
    if new:
        pytest.fail("the guard refused: " + "; ".join(new))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Nothing refused may go by unseen: not in the import of a test, not in a child that outlived its test."""
    if "PYTEST_XDIST_WORKER" not in os.environ and offences() and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was refused."""
    for line in offences():
        terminalreporter.write_line(f"refused by the guard: {line}", red=True)
