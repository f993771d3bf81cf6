"""`sciml biology`: check, simulate, scan, fit, and what a pathway transmits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sciml.cli.information import bottleneck, capacity, efficiency, information
from sciml.cli.networks import ModelFile, OutFolder, Set, check_out, variant, write_run
from sciml.cli.runs import scan, simulate
from sciml.cli.terminal import Json, Quiet, Seed, Verbose, command, emit
from sciml.errors import ConfigError, DataError

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Reaction networks: checked, simulated, fitted; what they transmit, and against which bound.")


@app.command()
@command
def check(
    model: ModelFile,
    set: Set = None,
    thorough: Annotated[bool, typer.Option("--thorough", help="Also libSBML's own checks of an SBML file, which may take long.")] = False,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """What a model says: species with molecule numbers and volumes, laws, units that do not fit, what is odd or not supported (exit 3)."""
    from sciml.biology import load_experiment
    from sciml.biology.sbml import consistency_problems

    unsupported: DataError | None = None
    try:
        experiment = load_experiment(model)
    except DataError as error:
        unsupported = error
        try:
            experiment = load_experiment(model, strict=False)
        except DataError:
            raise error from None
    network = variant(experiment.network, set)
    summary = network.summary()
    consistency = list(consistency_problems(model)) if thorough and _is_sbml(model) else []
    tasks = [task.to_dict() for task in experiment.tasks]
    lines = [summary.text(), *(f"libSBML: {problem}" for problem in consistency)]
    lines += [f"task {t['id']}: {t['method']} from {t['start']:g} to {t['end']:g}, {t['points']} times{_scanned(t)}" for t in tasks]
    result = {"model": model, **summary.to_dict(), "consistency": consistency, "tasks": tasks}
    emit(result, "\n".join(lines), as_json=json, quiet=quiet)
    if unsupported is not None:
        raise unsupported


def _is_sbml(model: str) -> bool:
    return Path(model).is_file() and Path(model).suffix.lower() in (".xml", ".sbml", ".gz")


def _scanned(task: dict[str, Any]) -> str:
    return "".join(f", {id} at {len(values)} values" for id, values in task["scan"].items())


app.command()(simulate)
app.command()(scan)


@app.command()
@command
def fit(
    problem: Annotated[Path, typer.Argument(help="A PEtab problem (problem.yaml).", metavar="PROBLEM")],
    starts: Annotated[int, typer.Option("--starts", min=1, help="Number of local fits from different starts.")] = 20,
    profiles: Annotated[bool, typer.Option("--profiles/--no-profiles", help="Profile intervals of all parameters.")] = True,
    out: OutFolder = None,
    seed: Seed = 0,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Fit the parameters of a PEtab problem to its data, from many starts. Exit 4 where no start gets anywhere."""
    from sciml import biology as bio

    check_out(out)
    if str(problem) in bio.list_pathways() and not problem.exists():
        raise ConfigError(f"fit: {problem} is a model; a fit takes a PEtab problem, a problem.yaml that names model, data and parameters")
    found = bio.fit(bio.load_petab(problem), starts=starts, seed=seed, profiles=profiles)
    text = found.summary()
    if out is not None:
        columns = {"parameter": list(found.parameters), "value": [float(v) for v in found.parameters.values()],
                   "standard error": [float(found.standard_errors.get(id, float("nan"))) for id in found.parameters]}  # fmt: skip
        facts = {"problem": str(problem), "starts": starts, "seed": seed}
        write_run(out, found.to_sections(), f"Fit of {problem.parent.name or problem.name}", facts, {"parameters": columns})
        text += f"\n-> {out / 'report.html'}"
    emit(found.to_dict(), text, as_json=json, quiet=quiet)


for _command in (information, capacity, bottleneck, efficiency):
    app.command()(_command)
