"""What can go wrong, as types. A message names file, record (counted from 0), field, what was found and what would be right."""

from __future__ import annotations

__all__ = ["ConfigError", "ConvergenceError", "DataError", "ModelFileError", "SciMLError"]


class SciMLError(Exception):
    """Anything that `sciml` refuses or cannot do; `exit_code` is what the command line returns."""

    exit_code = 1


class ConfigError(SciMLError):
    """An option, a name or a combination of options that cannot be meant."""

    exit_code = 2


class DataError(SciMLError):
    """A file or an array that is damaged, incomplete or contradicts itself."""

    exit_code = 3


class ModelFileError(DataError):
    """A model file that is corrupted, truncated, foreign or newer than this version."""


class ConvergenceError(SciMLError):
    """An iteration that ended without meeting its tolerance."""

    exit_code = 4
