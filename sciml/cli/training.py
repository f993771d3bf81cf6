"""`sciml materials train`: a file of labelled structures in, a potential with its run folder and report out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sciml.cli.computing import read_options, use_threads
from sciml.cli.reading import Format, Keys, MinDistance, Symbols, Units
from sciml.cli.terminal import Device, Json, Quiet, Seed, Threads, Verbose, command, emit, pairs, settings
from sciml.errors import ConfigError, DataError

__all__ = ["train"]

TrainFile = Annotated[Path, typer.Argument(help="Structures with energies, forces and stress, whichever there are.", metavar="TRAIN")]
Words = list[str] | None


@command
def train(
    file: TrainFile,
    valid: Annotated[Path | None, typer.Option("--valid", help="Validation set; default a tenth of TRAIN, by group.")] = None,
    test: Annotated[Path | None, typer.Option("--test", help="Test set, read once at the end.")] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", help="Budget in minutes, turned into steps once.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Budget in steps; default as in the recipe.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run; must be empty unless --resume.")] = Path("runs/potential"),
    model: Annotated[str | None, typer.Option("--model", help="equivariant (default), invariant or tensor-product.")] = None,
    ensemble: Annotated[int, typer.Option("--ensemble", help="Members, trained one after the other.")] = 1,
    start_from: Annotated[str | None, typer.Option("--start-from", help="A model to fine-tune: folder, zip or shipped name.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    cutoff: Annotated[float | None, typer.Option("--cutoff", help="Largest distance (A) at which atoms see each other; default 5.")] = None,
    weights: Annotated[Words, typer.Option("--weights", help="Weights of the loss: energy=2,forces=1,stress=0.1.")] = None,
    references: Annotated[Words, typer.Option("--references", help="Energies (eV) of single atoms: Si=-0.8,O=-1.9.")] = None,
    option: Annotated[Words, typer.Option("--option", help="NAME=VALUE of the model: channels=16.")] = None,
    recipe: Annotated[Words, typer.Option("--recipe", help="NAME=VALUE of the recipe: peak_lr=0.005 (see mat.Recipe).")] = None,
    repulsion: Annotated[
        bool | None, typer.Option("--repulsion/--no-repulsion", help="Add the nuclear repulsion at short range (default: yes).")
    ] = None,
    pulay: Annotated[
        bool, typer.Option("--pulay/--no-pulay", help="Take a Pulay stress off the stress labels, where the data show one.")
    ] = True,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Leave report.html in --out.")] = True,
    checkpoint_seconds: Annotated[float, typer.Option("--checkpoint-seconds", help="Time between checkpoints.")] = 60.0,
    units: Units = None,
    keys: Keys = None,
    symbols: Symbols = None,
    min_distance: MinDistance = 0.4,
    format: Format = None,
    devices: Annotated[int, typer.Option("--devices", help="Devices of a node; one process each.")] = 1,
    num_nodes: Annotated[int, typer.Option("--num-nodes", help="Nodes.")] = 1,
    strategy: Annotated[str, typer.Option("--strategy", help="Lightning's strategy.")] = "auto",
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Train a potential. Leaves a folder with the model, the learning curve, test errors and report.html; goes on with --resume."""
    from sciml import materials as mat

    use_threads(threads)
    for name, path in (("TRAIN", file), ("--valid", valid), ("--test", test)):
        if path is not None and not path.is_file():
            raise DataError(f"{name}: {path} is {'a folder' if path.is_dir() else 'not there'}; a file of structures would be right")
    given: dict[str, Any] = {"valid": valid, "test": test, "steps": steps, "minutes": minutes, "cutoff_A": cutoff, "start_from": start_from}
    given |= {"weights": _numbers("--weights", weights), "references": _numbers("--references", references)}
    given |= {"model_options": settings("--option", option or ()) or None, "recipe": settings("--recipe", recipe or ()) or None}
    given |= {"read_options": read_options(units, keys, symbols, min_distance, format), "model": model, "ensemble": ensemble}
    given |= {"devices": devices, "num_nodes": num_nodes, "strategy": strategy, "checkpoint_seconds": checkpoint_seconds}
    given |= {
        "repulsion": repulsion,
        "pulay": pulay,
        "report": report,
        "verbose": not quiet and not json,
        "device": device,
    }
    potential = mat.train_potential(file, out=out, seed=seed, resume=resume, **given)
    metrics = potential.metadata["metrics"]
    result = {"out": str(out), "model": str(out / "model"), "report": str(out / "report.html") if report else None, "metrics": metrics}
    emit(result, _told(out, metrics, report), as_json=json, quiet=quiet)


def _numbers(option: str, words: Words) -> dict[str, float] | None:
    """NAME=NUMBER words; None without any. ConfigError for what is no number."""
    if not words:
        return None
    try:
        return {name: float(text) for name, text in pairs(option, words).items()}
    except ValueError as error:
        raise ConfigError(f"{option}: {error}; a number after each = would be right") from None


def _told(out: Path, metrics: dict[str, Any], report: bool) -> str:
    """Errors on the test set, else on the validation set, and where things lie."""
    lines = []
    for name, row in ((metrics.get("test") or {}).get("all") or {}).items():
        low, high = row["rmse_interval"]
        unit = row["unit"].replace("_per_", "/")
        lines.append(f"test {name:<8} RMSE {row['rmse']:.4g} {unit} (95 %: {low:.4g} to {high:.4g}), MAE {row['mae']:.4g}")
    for member, row in enumerate([] if lines else metrics.get("validation") or []):
        rows = ", ".join(f"{key} {value:.4g}" for key, value in sorted((row or {}).items()) if "rmse" in key and value is not None)
        lines += [f"validation, member {member}: {rows}"] if rows else []
    lines.append(f"model:  {out / 'model'}")
    return "\n".join([*lines, f"report: {out / 'report.html'}"] if report else lines)
