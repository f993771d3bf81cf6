"""The guard of the test run is itself tested: each planted offence is refused, written down and fails the run."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.security.exceptions import PICKLE_CALLERS
from tests.security.plugin import GUARD, SECURITY

PICKLED = "import pickle, fractions; text = pickle.dumps(fractions.Fraction(1, 3))\n"
OFFENCES = {
    "unpickled": PICKLED + "pickle.loads(text)",
    "unpickled in Python": PICKLED + "import io; pickle._loads(text)",
    "unpickled by numpy": "import numpy as np; np.save('x.npy', np.array([None]), allow_pickle=True)\nnp.load('x.npy', allow_pickle=True)",
    "connection": "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
    "datagram": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 80))",
    "name looked up": "import socket; socket.getaddrinfo('example.org', 80)",
    "swallowed": "import socket\ntry: socket.getaddrinfo('example.org', 80)\nexcept OSError: raise SystemExit(9)",
}
ALLOWED = {
    "a plain pickle of numbers": "import pickle; pickle.loads(pickle.dumps([1, 'a']))",
    "loopback": "import socket; a = socket.create_server(('127.0.0.1', 0)); socket.create_connection(a.getsockname())",
    "workers": "import multiprocessing as m\nif __name__ == '__main__':\n"
    " p = m.get_context('spawn').Pool(1); assert p.map(abs, [-1]) == [1]; p.close()",
    "a socket of the machine": "import socket; socket.socketpair()",
}


def watched(code, folder):
    """Run code in a watched interpreter; (exit code, offences written down)."""
    script, log = folder / "script.py", folder / "log"
    script.write_text(code)
    environment = os.environ | {
        "SCIML_TEST_OFFENCES": str(log),
        "SCIML_TEST_CALLERS": json.dumps(list(PICKLE_CALLERS)),
        "PYTHONPATH": str(GUARD),
    }
    done = subprocess.run([sys.executable, str(script)], env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, log.read_text().splitlines() if log.exists() else []


@pytest.mark.parametrize("name", OFFENCES)
def test_offences_are_refused_and_written_down(name, tmp_path):
    code, offences = watched(OFFENCES[name], tmp_path)
    assert code in (1, 9)
    assert len(offences) == 1


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_needed_passes(name, tmp_path):
    assert watched(ALLOWED[name], tmp_path) == (0, [])


def test_torch_checkpoints_by_weights_only_look_up_nothing(tmp_path):
    code = "import torch; torch.save({'w': torch.ones(2), 'n': 3}, 'c.pt'); assert torch.load('c.pt', weights_only=True)['n'] == 3"
    assert watched(code, tmp_path) == (0, [])


def test_a_swallowed_offence_fails_its_test_and_the_run(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import socket, contextlib, pickle, fractions\n"
        "def test_quiet():\n    with contextlib.suppress(OSError): socket.getaddrinfo('example.org', 80)\n"
        "def test_good():\n    pass\n"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SCIML_TEST")} | {"PYTHONPATH": str(SECURITY.parent.parent)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.security.plugin",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stdout
    assert "test_quiet" in done.stdout
    assert "refused by the guard: socket.getaddrinfo: 'example.org'" in done.stdout
    assert "2 passed, 1 error" in done.stdout


def test_this_run_is_watched(request):
    assert "_watched" in request.fixturenames
    assert str(GUARD) in os.environ["PYTHONPATH"].split(os.pathsep)
    code = "import socket, sys; socket.getaddrinfo"
    assert subprocess.run([sys.executable, "-c", code + "\nassert 'sitecustomize' in sys.modules"]).returncode == 0
