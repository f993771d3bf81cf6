"""Finds what is shipped beside the code, in a checkout and in an installed wheel, and the folder for caches."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from sciml.errors import ConfigError, DataError

__all__ = ["cache_folder", "find"]

_PACKAGE = Path(__file__).resolve().parent
_NAMES = ("datasets", "models", "examples", "workflows")


def find(name: str) -> Path:
    """The folder of shipped `name`: datasets, models, examples or workflows.

    A wheel carries it as `sciml/_resources/<name>`, a checkout beside `sciml/`. Raises ConfigError for another name and DataError
    where the folder is missing.
    """
    if name not in _NAMES:
        raise ConfigError(f"resource: found {name!r}, expected one of {', '.join(_NAMES)}")
    places = [_PACKAGE / "_resources" / name]
    if (_PACKAGE.parent / "pyproject.toml").is_file():
        places.append(_PACKAGE.parent / name)
    for place in places:
        if place.is_dir():
            return place
    raise DataError(f"{name}: the shipped folder was not found, looked in {' and '.join(map(str, places))}; install sciml again")


def cache_folder() -> Path:
    """The folder for caches: `SCIML_CACHE`, else the user's own cache place. Made with mode 0700 where it is missing.

    What lies in it is read back as our own work, so a folder that belongs to somebody else is a ConfigError, and an own folder that
    others may enter is closed to them (mode 0700).
    """
    folder = Path(os.environ.get("SCIML_CACHE", "").strip() or _user_cache() / "sciml").expanduser().absolute()
    hint = "set SCIML_CACHE to a folder of your own"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.stat()
        if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
            raise ConfigError(f"{folder}: this cache folder belongs to user {status.st_uid}, not to you ({os.geteuid()}); {hint}")
        if os.name == "posix" and stat.S_IMODE(status.st_mode) != 0o700:
            folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be used as cache folder ({error.strerror}); {hint}") from error
    return folder


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
