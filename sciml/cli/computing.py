"""What commands that compute share: threads, reading of structures, models and other calculators by name."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciml.cli.terminal import pairs, settings
from sciml.errors import ConfigError, SciMLError

if TYPE_CHECKING:
    from ase import Atoms

    from sciml.materials import Potential

__all__ = ["open_calculator", "open_potential", "read", "read_options", "records_of", "use_threads"]

ASE = "ase:"
_STRUCTURE = re.compile(r"(?:\w+: )?structure (\d+)(?=\W)")


def use_threads(threads: int | None) -> None:
    """Give torch `threads`, or bring it down to what may be used where it would take more."""
    import torch

    from sciml import devices

    if threads is not None or torch.get_num_threads() > devices.thread_limit():
        devices.set_threads(threads)


def read_options(
    units: Sequence[str] | None, keys: Sequence[str] | None, symbols: str | None, min_distance: float, format: str | None
) -> dict[str, Any]:
    """Arguments of `read_structures` from what was typed. ConfigError for what is no distance or no NAME=VALUE."""
    if not (math.isfinite(min_distance) and min_distance >= 0):
        raise ConfigError(f"--min-distance: found {min_distance}, expected a finite number >= 0 (A)")
    options: dict[str, Any] = {"min_distance_A": min_distance}
    options |= {"units": pairs("--units", units)} if units else {}
    options |= {"keys": pairs("--keys", keys)} if keys else {}
    options |= {"symbols": [word.strip() for word in symbols.split(",")]} if symbols else {}
    return options | ({"format": format} if format else {})


def read(path: Path, options: dict[str, Any] | None = None) -> list[Atoms]:
    """All structures of a file; warnings about single records become lines of the log."""
    from sciml.materials import read_structures

    return read_structures(path, **(options or {}))


@contextmanager
def records_of(file: Path, records: Sequence[int]) -> Iterator[None]:
    """Within the block, which works on these `records` of a file, an error about `structure k` of them says file and record."""
    try:
        yield
    except ConfigError:  # about an option, whatever the file
        raise
    except SciMLError as error:
        raise type(error)(_in_file(str(error), file, records)) from error


def _in_file(message: str, file: Path, records: Sequence[int]) -> str:
    """The message with file and record in front; what begins with the file already stays as it is."""
    if message.startswith(f"{file}:"):
        return message
    found = _STRUCTURE.match(message)
    if found is not None and int(found[1]) < len(records):
        return f"{file}: record {records[int(found[1])]}{message[found.end() :]}"
    return f"{file}: record {records[0]}: {message}" if len(records) == 1 else f"{file}: {message}"


def open_potential(model: str) -> Potential:
    """A potential by folder, zip or shipped name. ConfigError for a calculator of ASE and for an empty name."""
    from sciml.materials import load_potential

    if not model:
        raise ConfigError("model: found an empty name, expected a folder, a zip or the name of a shipped model")
    if model.startswith(ASE):
        raise ConfigError(f"model: found {model}; here a potential of sciml is needed; relax, md and audit take calculators of ASE")
    return load_potential(model)


def open_calculator(model: str, dtype: str, device: str, options: Sequence[str] = ()) -> Any:
    """A potential's calculator (folder, zip, shipped name), or ASE's own by `ase:NAME` with `options` NAME=VALUE. ConfigError else."""
    if not model.startswith(ASE):
        if options:
            raise ConfigError(f"--option: {model} takes none; options are for calculators of ASE, as in ase:lj")
        return open_potential(model).calculator(dtype=dtype, device=device)
    from ase.calculators.calculator import get_calculator_class
    from ase.calculators.calculator import names as known

    name = model.removeprefix(ASE).lower()
    if name not in known:
        near = ", ".join(difflib.get_close_matches(name, known, 3)) or "emt, lj, morse"
        raise ConfigError(f"model: found {model!r}; ASE has no calculator {name!r}; it has {near} and others")
    chosen = settings("--option", options)
    try:
        kind = get_calculator_class(name)
        allowed = getattr(kind, "default_parameters", {})
        if unknown := sorted(set(chosen) - set(allowed)):
            raise ConfigError(f"--option: found {unknown[0]!r}; {model} takes {', '.join(sorted(allowed)) or 'none'}")
        return kind(**chosen)
    except ConfigError:
        raise
    except Exception as error:  # some look for a program or a configuration of their own
        raise ConfigError(f"model: {model} with {chosen} cannot be made ({type(error).__name__}: {error})") from error
