"""`sciml model`: what a model file says of itself, and whether it is whole."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sciml.cli.terminal import Json, Quiet, Verbose, command, emit

__all__ = ["app", "summary"]

Model = Annotated[str, typer.Argument(help="A model: folder of a run or model, zip, or the name of a shipped one.", metavar="MODEL")]

app = typer.Typer(no_args_is_help=True, help="Model files.")


def summary(model: str) -> dict[str, Any]:
    """What is in a model file in a few fields; its digests are checked. Raises ModelFileError where it is damaged."""
    from sciml.materials.model_file import read_metadata

    content = read_metadata(model)
    test = ((content.get("metrics") or {}).get("test") or {}).get("all") or {}
    errors = ", ".join(f"{name} {row['rmse']:.3g} {row['unit'].replace('_per_', '/')}" for name, row in test.items())
    return {
        "kind": content["network"]["model"]["kind"],
        "species": content["species"],
        "cutoff_A": content["cutoff_A"],
        "members": len(content["members"]),
        "kB": round(sum(entry["bytes"] for entry in content["members"]) / 1000, 1),
        "errors": f"test RMSE: {errors}" if errors else "no test errors recorded",
        "pairs_seen": content.get("pairs_seen"),
        "sciml": content.get("sciml"),
        "format": content.get("format"),
        "digest": content.get("digest"),
    }


@app.command()
@command
def info(model: Model, json: Json = False, verbose: Verbose = False, quiet: Quiet = False) -> None:
    """What a model is: elements, cut-off, reference energies, training, errors. With --json all of model.json."""
    from sciml.materials.model_file import read_metadata

    content, few = read_metadata(model), summary(model)
    lines = [f"{name.replace('_', ' '):<12}{value}" for name, value in few.items()]
    references = content["references"]["elements"]
    lines += [f"reference   {symbol} {row['energy']:.6f} eV ({row['origin']})" for symbol, row in references.items()]
    training = content.get("training") or {}
    wanted = ("train_structures", "valid_structures", "targets", "steps", "seed", "train_digest")
    lines += [f"{name.replace('_', ' '):<17}{training[name]}" for name in wanted if name in training]
    emit(content, "\n".join(lines), as_json=json, quiet=quiet)


@app.command()
@command
def verify(model: Model, json: Json = False, verbose: Verbose = False, quiet: Quiet = False) -> None:
    """Check a model file: digests, format, names, shapes and values of all tensors. Exit 3 where something is wrong."""
    from sciml.materials import load_potential

    potential, few = load_potential(model), summary(model)
    text = f"{model}: whole ({few['members']} member(s), {few['kB']} kB, format {few['format']}, digest {few['digest'][:12]})\n{potential}"
    emit({"model": model, "whole": True, **few}, text, as_json=json, quiet=quiet)
