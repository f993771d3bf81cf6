"""What holds for every test: the run is watched."""

from __future__ import annotations

pytest_plugins = ("tests.security.plugin",)  # nothing unpickled, no connection to another machine, caches in the run's own folder
