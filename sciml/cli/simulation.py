"""`sciml materials relax` and `md`: structures brought to rest, and moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sciml.cli.computing import open_calculator, read, read_options, use_threads
from sciml.cli.reading import Format, MinDistance, StructureFile, Symbols
from sciml.cli.terminal import Device, Dtype, Json, Out, Overwrite, Quiet, Seed, Threads, Verbose, command, emit, new_file
from sciml.errors import ConfigError, ConvergenceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ase import Atoms

__all__ = ["md", "relax"]

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
    from sciml import materials as mat

    path = new_file(out, overwrite=overwrite, source=file)
    use_threads(threads)
    structures = read(file, read_options(None, None, symbols, min_distance, format))
    calculator = open_calculator(model, dtype, device, option or ())
    found = mat.relax(structures, calculator, cell=cell, pressure_GPa=pressure, fmax_eV_per_A=fmax, steps=steps)
    _write(path, [each.atoms for each in found])
    lines = [f"{each.index}: {'converged' if each.converged else each.reason}, {each.steps} steps, {each.energy_eV} eV" for each in found]
    emit({"out": str(path), "structures": [each.to_dict() for each in found]}, "\n".join([*lines, f"-> {path}"]), as_json=json, quiet=quiet)
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
    structures = read(file, read_options(None, None, symbols, min_distance, format))
    if not 0 <= record < len(structures):
        raise ConfigError(f"--record: found {record}, but {file} has the records 0 to {len(structures) - 1}")
    calculator = open_calculator(model, dtype, device, option or ())
    times: dict[str, Any] = {"timestep_fs": timestep, "temperature_K": temperature, "every": every}
    run = mat.molecular_dynamics(structures[record], calculator, steps=steps, seed=seed, out=path, **times)
    figures = run.to_dict()
    text = f"{steps} steps of {timestep} fs, mean temperature {figures['mean_temperature_K']:.1f} K"
    drift = run.drift_eV_per_atom_per_ps
    text += "" if drift is None else f", drift {drift:.3g} eV/atom/ps"
    emit(figures, f"{text}\n-> {path}", as_json=json, quiet=quiet)


def _write(path: Path, structures: Sequence[Atoms]) -> None:
    import io

    import ase.io

    from sciml import files

    text = io.StringIO()
    for atoms in structures:
        ase.io.write(text, atoms, format="extxyz")
    files.write_text(path, text.getvalue())
