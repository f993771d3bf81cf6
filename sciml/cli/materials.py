"""`sciml materials`: check, train, predict, relax, md, audit, models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sciml.cli.computing import open_calculator, open_potential, read, read_options, records_of, use_threads
from sciml.cli.reading import Format, Keys, MinDistance, StructureFile, Symbols, Units
from sciml.cli.simulation import md, relax
from sciml.cli.terminal import Device, Dtype, Json, Out, Overwrite, Quiet, Seed, Threads, Verbose, command, emit, new_file
from sciml.cli.training import train
from sciml.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ase import Atoms

    from sciml.materials import Potential

__all__ = ["app"]

Model = Annotated[str, typer.Argument(help="A model: folder of a run or model, zip, or the name of a shipped one.", metavar="MODEL")]
AnyCalculator = Annotated[str, typer.Argument(help="As in predict; or ase:NAME for a calculator of ASE, as in ase:emt.", metavar="MODEL")]

app = typer.Typer(no_args_is_help=True, help="Structures, potentials, and what one does with them.")


@app.command()
@command
def check(
    file: StructureFile,
    test: Annotated[
        Path | None, typer.Option("--test", help="A test set: looked through for copies of these structures and for elements they lack.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="A model whose stress the stress in the file is held against.")] = None,
    require: Annotated[str, typer.Option("--require", help="Labels that must be there, as in energy,forces.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 for warnings too, not for errors only.")] = False,
    units: Units = None,
    keys: Keys = None,
    symbols: Symbols = None,
    min_distance: MinDistance = 0.4,
    format: Format = None,
    device: Annotated[str | None, typer.Option("--device", help="Of --model: auto (CUDA, else CPU; default), cpu, cuda or cuda:N.")] = None,
    dtype: Annotated[str | None, typer.Option("--dtype", help="Precision of --model: float32 (default) or float64.")] = None,
    threads: Threads = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Count the labels of a file and look for wrong units, signs, odd records, offsets, copies and leakage. Exit 3 for an error."""
    from functools import partial

    from sciml.materials import labels

    options = read_options(units, keys, symbols, min_distance, format)
    wanted = {name.strip(): 1.0 for name in require.split(",") if name.strip()}
    if unknown := sorted(set(wanted) - {"energy", "forces", "stress"}):
        raise ConfigError(f"--require: found {unknown[0]!r}, expected energy, forces, stress")
    if model is None:
        _refuse_idle({"--device": device, "--dtype": dtype, "--threads": threads})
    predict = None if model is None else _predicting(model, dtype or "float32", device or "auto", threads)
    structures = read(file, options)
    evaluate = None if predict is None else partial(_evaluated, predict, file, structures)
    report = labels.check(structures, test=None if test is None else read(test, options), weights=wanted, evaluate=evaluate)
    emit({"file": str(file), **report.to_dict()}, report.text(), as_json=json, quiet=quiet)
    report.require_no_error()
    if strict and not report.passed:
        raise DataError(f"{file}: {sum(finding.level == 'warning' for finding in report.findings)} warning(s), and --strict was given")


app.command()(train)


@app.command()
@command
def predict(
    model: Model,
    file: StructureFile,
    out: Out,
    overwrite: Overwrite = False,
    units: Units = None,
    keys: Keys = None,
    symbols: Symbols = None,
    min_distance: MinDistance = 0.4,
    format: Format = None,
    device: Device = "auto",
    dtype: Dtype = "float32",
    threads: Threads = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Energy, forces and stress of every structure of a file, as an extxyz file that states its columns and units."""
    from sciml.devices import resolve_device, resolve_dtype
    from sciml.materials.prediction_file import UNITS, write_predictions

    resolve_device(device)
    resolve_dtype(dtype)
    path = new_file(out, overwrite=overwrite, source=file)
    options = read_options(units, keys, symbols, min_distance, format)
    use_threads(threads)
    potential, outside = open_potential(model), [0]
    pieces = _predictions(potential, file, options, dtype, device, outside)
    count = write_predictions(path, pieces, _stated(model))
    strange = f"; {outside[0]} outside the training data (in_domain=F)" if outside[0] else ""
    result = {"out": str(path), "structures": count, "outside_domain": outside[0], "units": UNITS, "model": model}
    emit(result, f"{count} structures -> {path}{strange}\nunits: {UNITS}", as_json=json, quiet=quiet)


def _refuse_idle(options: dict[str, Any]) -> None:
    """ConfigError for options that concern a model where there is none."""
    if given := [f"{name} {value}" for name, value in options.items() if value is not None]:
        raise ConfigError(f"{given[0]}: it has an effect with --model only; add a model, or leave it out")


def _predicting(model: str, dtype: str, device: str, threads: int | None) -> Callable[..., Sequence[Any]]:
    """The `predict` of a model, in that precision and there."""
    from functools import partial

    from sciml.devices import resolve_device, resolve_dtype

    resolve_device(device)
    resolve_dtype(dtype)
    use_threads(threads)
    return partial(open_potential(model).predict, dtype=dtype, device=device)


def _evaluated(predict: Callable[..., Sequence[Any]], file: Path, structures: list[Atoms], chosen: Sequence[Atoms]) -> Sequence[Any]:
    """Predictions for some of the `structures` of a file; an error names the record."""
    places = {id(atoms): record for record, atoms in enumerate(structures)}
    with records_of(file, [places[id(atoms)] for atoms in chosen]):
        return predict(chosen)


def _stated(model: str) -> str:
    """A model's name and the digest of its file, for the column `model`."""
    from sciml.materials.model_file import read_metadata

    return f"{Path(model).name} {read_metadata(model)['digest'][:12]}"


def _predictions(
    potential: Potential, file: Path, options: dict[str, Any], dtype: str, device: str, outside: list[int]
) -> Iterator[tuple[list[Any], list[Any]]]:
    """Structures and predictions, 64 at a time; counts those outside the training data."""
    from itertools import islice

    from sciml.materials import iterate_structures

    records, first = iterate_structures(file, **options), 0
    while piece := list(islice(records, 64)):
        with records_of(file, range(first, first + len(piece))):
            predictions = potential.predict(piece, dtype=dtype, device=device)
        first += len(piece)
        outside[0] += sum(prediction.in_domain is False for prediction in predictions)
        yield piece, predictions


app.command()(relax)
app.command()(md)


@app.command()
@command
def audit(
    model: AnyCalculator,
    file: StructureFile,
    option: Annotated[list[str] | None, typer.Option("--option", help="NAME=VALUE for a calculator of ASE, as in smooth=true.")] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write the table as a page, a name ending in .html.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the page at --report.")] = False,
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
    """Check the physics of a model or of any ASE calculator: symmetries, derivatives, smoothness, drift. Exit 1 where it does not pass."""
    from sciml import materials as mat

    if report is not None:
        new_file(report, overwrite=overwrite, source=file, option="--report", suffixes=(".html",))
    use_threads(threads)
    structures = read(file, read_options(units, keys, symbols, min_distance, format))
    calculator = open_calculator(model, dtype, device, option or ())
    with records_of(file, range(len(structures))):
        found = mat.audit(calculator, structures, seed=seed)
    if report is not None:
        from sciml.report import write_report

        write_report(
            found.to_sections(), report, title=f"Audit of {Path(model).name}", run={"model": model, "structures": str(file), "seed": seed}
        )
    emit(found.to_dict(), found.text(), as_json=json, quiet=quiet)
    if not found.passed:
        raise typer.Exit(1)


@app.command()
@command
def models(json: Json = False, verbose: Verbose = False, quiet: Quiet = False) -> None:
    """The models that come with the package."""
    from sciml import materials as mat
    from sciml.cli.model import summary

    found = {name: summary(name) for name in mat.list_potentials()}
    lines = [
        f"{name:<14}{' '.join(each['species']):<10}{each['members']} x {each['kind']}, {each['errors']}" for name, each in found.items()
    ]
    emit({"models": found}, "\n".join(lines) or "no model is shipped with this installation", as_json=json, quiet=quiet)
