"""What commands that compute share: threads, reading of structures, models and other calculators by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciml.cli.terminal import pairs, settings
from sciml.errors import ConfigError

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["open_calculator", "read", "read_options", "use_threads"]

ASE = "ase:"


def use_threads(threads: int | None) -> None:
    """Give torch `threads`, or bring it down to what may be used where it would take more."""
    import torch

    from sciml import devices

    if threads is not None or torch.get_num_threads() > devices.thread_limit():
        devices.set_threads(threads)


def read_options(
    units: Sequence[str] | None, keys: Sequence[str] | None, symbols: str | None, min_distance: float, format: str | None
) -> dict[str, Any]:
    """Arguments of `read_structures` from what was typed."""
    options: dict[str, Any] = {"min_distance_A": min_distance}
    options |= {"units": pairs("--units", units)} if units else {}
    options |= {"keys": pairs("--keys", keys)} if keys else {}
    options |= {"symbols": [word.strip() for word in symbols.split(",")]} if symbols else {}
    return options | ({"format": format} if format else {})


def read(path: Path, options: dict[str, Any] | None = None) -> list[Atoms]:
    """All structures of a file; warnings about single records become lines of the log."""
    from sciml.materials import read_structures

    return read_structures(path, **(options or {}))


def open_calculator(model: str, dtype: str, device: str, options: Sequence[str] = ()) -> Any:
    """A potential's calculator (folder, zip, shipped name), or ASE's own by `ase:NAME` with `options` NAME=VALUE. ConfigError else."""
    if not model.startswith(ASE):
        from sciml.materials import load_potential

        if options:
            raise ConfigError(f"--option: {model} takes none; options are for calculators of ASE, as in ase:lj")
        return load_potential(model).calculator(dtype=dtype, device=device)
    from ase.calculators.calculator import get_calculator_class
    from ase.calculators.calculator import names as known

    name = model.removeprefix(ASE).lower()
    if name not in known:
        raise ConfigError(f"model: found {model!r}; ASE has no calculator {name!r}")
    chosen = settings("--option", options)
    try:
        kind = get_calculator_class(name)
        allowed = getattr(kind, "default_parameters", {})
        if unknown := sorted(set(chosen) - set(allowed)):
            raise ConfigError(f"--option: found {unknown[0]!r}; {model} takes {', '.join(sorted(allowed)) or 'none'}")
        return kind(**chosen)
    except (TypeError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise ConfigError(f"model: {model} with {chosen} cannot be made ({type(error).__name__}: {error})") from error
