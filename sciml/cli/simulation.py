"""`sciml materials relax` and `md`: structures brought to rest, and moved."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sciml.cli.computing import open_calculator, read, read_options, records_of, use_threads
from sciml.cli.reading import Format, Keys, MinDistance, StructureFile, Symbols, Units
from sciml.cli.terminal import Device, Dtype, Json, Out, Overwrite, Quiet, Seed, Threads, Verbose, command, emit, new_file
from sciml.errors import ConfigError, ConvergenceError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sciml.materials import Relaxation

__all__ = ["md", "relax"]

_log = logging.getLogger("sciml.cli.simulation")

Model = Annotated[str, typer.Argument(help="A model: folder, zip or shipped name; or ase:NAME for a calculator of ASE.", metavar="MODEL")]
Options = Annotated[list[str] | None, typer.Option("--option", help="NAME=VALUE for a calculator of ASE.")]


@command
def relax(
    model: Model,
    file: StructureFile,
    out: Out,
    overwrite: Overwrite = False,
    cell: Annotated[bool, typer.Option("--cell", help="Relax the cell too.")] = False,
    pressure: Annotated[float, typer.Option("--pressure", help="Pressure on the cell (GPa), with --cell.")] = 0.0,
    fmax: Annotated[float, typer.Option("--fmax", help="Longest force that may be left (eV/A).")] = 0.01,
    steps: Annotated[int, typer.Option("--steps", help="Most steps a structure.")] = 500,
    option: Options = None,
    units: Units = None,
    keys: Keys = None,
    symbols: Symbols = None,
    min_distance: MinDistance = 0.4,
    format: Format = None,
    device: Device = "auto",
    dtype: Dtype = "float64",
    threads: Threads = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Relax every structure of a file, one at a time. Exit 4 where one does not converge; the others are written all the same."""
    from sciml.materials.relaxation import iterate_relax

    path = new_file(out, overwrite=overwrite, source=file)
    use_threads(threads)
    structures = read(file, read_options(units, keys, symbols, min_distance, format))
    calculator = open_calculator(model, dtype, device, option or ())
    with records_of(file, range(len(structures))):
        results = iterate_relax(structures, calculator, cell=cell, pressure_GPa=pressure, fmax_eV_per_A=fmax, steps=steps)
        found = _written(path, results, file, len(structures))
    lines = [*map(_line, found), f"-> {path}"]
    emit({"out": str(path), "structures": [each.to_dict() for each in found]}, "\n".join(lines), as_json=json, quiet=quiet)
    open_ends = [each for each in found if not each.converged]
    if open_ends:
        first = open_ends[0]
        raise ConvergenceError(
            f"{file}: {len(open_ends)} of {len(found)} structures did not converge, the first is record {first.index}: {first.reason}"
        )


@command
def md(
    model: Model,
    file: StructureFile,
    out: Out,
    overwrite: Overwrite = False,
    record: Annotated[int, typer.Option("--record", help="Which structure of the file starts, counted from 0.")] = 0,
    steps: Annotated[int, typer.Option("--steps", help="Number of steps.")] = 1000,
    timestep: Annotated[float, typer.Option("--timestep", help="Length of a step (fs).")] = 1.0,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="Draw momenta of this temperature (K); else the file's.")
    ] = None,
    every: Annotated[int, typer.Option("--every", help="Steps between two frames of the trajectory.")] = 10,
    option: Options = None,
    units: Units = None,
    keys: Keys = None,
    symbols: Symbols = None,
    min_distance: MinDistance = 0.4,
    format: Format = None,
    seed: Seed = 0,
    device: Device = "auto",
    dtype: Dtype = "float64",
    threads: Threads = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Molecular dynamics at constant energy of one structure; an extxyz trajectory, and the drift of the energy."""
    from sciml import materials as mat

    path = new_file(out, overwrite=overwrite, source=file)
    use_threads(threads)
    structures = read(file, read_options(units, keys, symbols, min_distance, format))
    if not 0 <= record < len(structures):
        raise ConfigError(f"--record: found {record}, but {file} has the records 0 to {len(structures) - 1}")
    calculator = open_calculator(model, dtype, device, option or ())
    times: dict[str, Any] = {"timestep_fs": timestep, "temperature_K": temperature, "every": every}
    with records_of(file, [record]):
        run = mat.molecular_dynamics(structures[record], calculator, steps=steps, seed=seed, out=path, **times)
    figures = run.to_dict()
    text = f"{steps} steps of {timestep} fs, mean temperature {figures['mean_temperature_K']:.1f} K"
    drift = run.drift_eV_per_atom_per_ps
    text += "" if drift is None else f", drift {drift:.3g} eV/atom/ps"
    emit(figures, f"{text}\n-> {path}", as_json=json, quiet=quiet)


def _line(each: Relaxation) -> str:
    energy = "" if each.energy_eV is None else f", {each.energy_eV} eV"
    return f"{each.index}: {'converged' if each.converged else each.reason}, {each.steps} steps{energy}"


def _written(path: Path, results: Iterator[Relaxation], file: Path, count: int) -> list[Relaxation]:
    """Write each result as it comes; what ends the run early leaves those up to then. DataError, and no file, where none has an energy."""
    from sciml import files
    from sciml.materials.snapshot import as_extxyz

    found: list[Relaxation] = []
    with files.write_records(path) as stream:
        try:
            for result in results:
                stream.write(as_extxyz(result.atoms))
                found.append(result)
        except (KeyboardInterrupt, SystemExit):
            if found:
                _log.warning("%s: ended early; it holds the first %d of %d structures", path, len(found), count)
            raise
        if found and all(each.energy_eV is None for each in found):
            stream.truncate(stream.seek(0))
            raise DataError(f"{file}: none of {count} structures could be evaluated, the first, record 0: {found[0].reason}")
    return found
