"""Watches this interpreter, and by PYTHONPATH every one it starts: classes looked up by pickles, connections to other machines.

Each offence raises there and is also written to the file named in SCIML_TEST_OFFENCES, so that one swallowed by the code still fails the
run. `tests/conftest.py` calls `install` in its own interpreter.
"""

from __future__ import annotations

import json
import os
import sys

_LOOPBACK = ("127.", "::1", "localhost", "::ffff:127.")
_NETWORK = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}
_PICKLE_ITSELF = ("pickle", "_pickle", "_compat_pickle", __name__)


def install(callers, offences):
    """Watch from here on; `callers` may unpickle, `offences` is the file that offences are appended to."""

    def watch(event, args):
        if event == "pickle.find_class":
            if not _allowed(callers):
                _offend(offences, f"pickle.find_class{args} by {_caller()}", RuntimeError)
        elif event in _NETWORK and not _inside(args[_NETWORK[event]]):
            _offend(offences, f"{event}: {args[_NETWORK[event]]!r}", ConnectionRefusedError)

    sys.addaudithook(watch)


def _frames():
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name not in _PICKLE_ITSELF:
            yield name
        frame = frame.f_back


def _caller():
    return next(_frames(), "nobody")


def _allowed(callers):
    name = _caller()
    return any(name == caller or name.startswith(caller + ".") for caller in callers)


def _inside(address):
    host = address[0] if isinstance(address, tuple) else address
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    unix = not isinstance(address, tuple) and isinstance(host, str) and host.startswith(("/", "\0"))
    return host in (None, "") or unix or host.startswith(_LOOPBACK)


def _offend(offences, text, error):
    handle = os.open(offences, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, (text.replace("\n", " ") + "\n").encode())
    os.close(handle)
    raise error(f"refused by the guard of the test run: {text}")


if __name__ == "sitecustomize" and "SCIML_TEST_OFFENCES" in os.environ:
    install(tuple(json.loads(os.environ["SCIML_TEST_CALLERS"])), os.environ["SCIML_TEST_OFFENCES"])
