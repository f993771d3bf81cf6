"""`sciml biology simulate` and `scan`: time courses, deterministic and stochastic, and how they depend on a parameter."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sciml.cli.networks import (
    Budget,
    End,
    Initial,
    Method,
    ModelFile,
    OutFolder,
    Points,
    Runs,
    Set,
    Shown,
    Substance,
    Yes,
    check_out,
    shown_species,
    time_grid,
    variant,
    write_run,
)
from sciml.cli.terminal import Json, Quiet, Seed, Verbose, command, emit, settings
from sciml.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np

    from sciml.biology import Network
    from sciml.biology.sedml import Experiment, Task

__all__ = ["scan", "simulate", "spread_values"]

_log = logging.getLogger("sciml.cli.runs")
Progress = Callable[[int, int], None]
_MOST_VALUES = 10_000


@command
def simulate(
    model: ModelFile,
    end: End = None,
    points: Points = 101,
    method: Method = None,
    runs: Runs = 1000,
    set: Set = None,
    species: Shown = None,
    substance: Substance = None,
    initial: Initial = None,
    task: Annotated[str | None, typer.Option("--task", help="Which task of a SED-ML file; default the first.")] = None,
    out: OutFolder = None,
    budget: Budget = 60.0,
    yes: Yes = False,
    seed: Seed = 0,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Simulate a model from time 0; the amounts at the end, and with --out a report with traces, spread and tables."""
    from sciml.biology import load_experiment
    from sciml.biology.result_figures import distribution_section, network_section, trace_section
    from sciml.biology.simulation.methods import METHODS

    check_out(out)
    experiment = load_experiment(model)
    chosen = _task(experiment, task)
    network = variant(chosen.network if chosen else experiment.network, set)
    times = chosen.times if chosen is not None and end is None else time_grid(end, points)
    how = _method(method or (chosen.method if chosen else "ode"))
    names = shown_species(species, network) or list(chosen.shown if chosen else ())
    kind, options = METHODS[how], _options(how, substance, initial)
    if kind.exact:
        _watch_budget(network, times, runs, options, budget, yes)
    own = {"n": runs, "seed": seed, "progress": None if quiet else _progress()} if kind.sampled else {}
    result = kind.call(network, times, **own, **options)
    mean = result.amounts if how == "ode" else result.mean
    std = None if how == "ode" or (kind.sampled and runs == 1) else result.std
    shown = [id for id in names or result.species if id in result.species]
    rows = {id: (mean[-1, result.species.index(id)], None if std is None else std[-1, result.species.index(id)]) for id in shown}
    facts = {"model": model, "method": how, "end": float(times[-1]), "times": len(times), "set": list(set or ()), "seed": seed}
    facts |= {"trajectories": runs, "kernel": result.kernel} if kind.sampled else {}
    lines = [f"{id:<24}{_pair(*pair)}" for id, pair in rows.items()]
    if out is not None:
        unit = _unit(network)
        sections = [trace_section(result, names or None, unit=unit, time_unit=_named(network.units.time))]
        sections += [distribution_section(result, names or None, unit=unit)] if kind.sampled else []
        write_run(out, [*sections, network_section(network)], f"{network.id}, {how}", facts, {"amounts": _columns(result, mean, std)})
        lines.append(f"-> {out / 'report.html'}")
    final = {id: {"mean": float(m), **({} if s is None else {"std": float(s)})} for id, (m, s) in rows.items()}
    head = f"{network.id} at {times[-1]:g} ({how}{f', {runs} runs' if kind.sampled else ''})"
    notes = list(getattr(result, "notes", ()))
    emit({**facts, "final": final, "notes": notes}, "\n".join([head, *lines]), as_json=json, quiet=quiet)
    if kind.sampled and not result.complete:
        raise typer.Exit(130)


@command
def scan(
    model: ModelFile,
    vary: Annotated[
        list[str] | None, typer.Option("--vary", help="ID=A,B,C or ID=FIRST:LAST:COUNT, with :log at its end for equal ratios.")
    ] = None,
    end: End = None,
    method: Method = None,
    runs: Runs = 1000,
    set: Set = None,
    species: Shown = None,
    substance: Substance = None,
    initial: Initial = None,
    task: Annotated[str | None, typer.Option("--task", help="Which repeated task of a SED-ML file; default the first.")] = None,
    out: OutFolder = None,
    budget: Budget = 60.0,
    yes: Yes = False,
    seed: Seed = 0,
    json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """The state at the end for each value of a parameter, compartment or species' start: dose and response."""
    import numpy as np

    from sciml import biology as bio
    from sciml.biology.result_figures import dose_section, network_section
    from sciml.biology.simulation.methods import METHODS

    check_out(out)
    experiment = bio.load_experiment(model)
    chosen = _task(experiment, task, scanned=not vary)
    network = variant(chosen.network if chosen else experiment.network, set)
    values = _values(vary or ()) if vary else dict(chosen.scan) if chosen else {}
    if not values:
        raise ConfigError("--vary: give what is varied, as in --vary k=0.1:10:21:log")
    if both := sorted(values.keys() & settings("--set", set or ()).keys()):
        raise ConfigError(f"--set: {both[0]} is varied by --vary too")
    names = shown_species(species, network) or list(chosen.shown if chosen else ())
    last = np.array([chosen.times[-1]]) if chosen is not None and end is None else time_grid(end, 1)
    how = _method(method or (chosen.method if chosen else "ode"))
    dose, options = next(iter(values)), _options(how, substance, initial)
    if METHODS[how].exact:
        _watch_budget(network, last, runs * len(values[dose]), options, budget, yes)
    run = bio.scan(network, {id: v.tolist() for id, v in values.items()}, last, how, together=True, n=runs, seed=seed, **options)
    mean, std, found = run.mean[:, 0], None if run.std is None else run.std[:, 0], run.species
    shown = [id for id in names or _moving(found, mean) if id in found and id not in values]
    responses = {id: (mean[:, found.index(id)], None if std is None else std[:, found.index(id)]) for id in shown}
    columns: dict[str, Any] = dict(values)
    for id, (m, s) in responses.items():
        columns |= {id: m} | ({} if s is None else {f"{id} (sd)": s})
    facts = {"model": model, "method": how, "end": float(last[-1]), "varied": list(values), "set": list(set or ()), "seed": seed}
    lines = ["  ".join(f"{cell:>12}" for cell in columns)]
    lines += ["  ".join(f"{float(v):>12.6g}" for v in row) for row in zip(*columns.values(), strict=True)]
    if out is not None:
        section = dose_section(dose, values[dose], responses, unit=_unit(network))
        write_run(out, [section, network_section(network)], f"{network.id} over {dose}", facts, {"scan": columns})
        lines.append(f"-> {out / 'report.html'}")
    emit({**facts, "columns": {id: np.asarray(v) for id, v in columns.items()}}, "\n".join(lines), as_json=json, quiet=quiet)


def _task(experiment: Experiment, name: str | None, scanned: bool = False) -> Task | None:
    """The task asked for, else the first (that scans); None where the file has none."""
    if name is not None:
        found = next((task for task in experiment.tasks if task.id == name), None)
        if found is None:
            raise ConfigError(f"--task: found {name!r}; {experiment.source} has {', '.join(t.id for t in experiment.tasks) or 'no task'}")
        return found
    return next((task for task in experiment.tasks if task.scan or not scanned), None)


def _method(name: str) -> str:
    from sciml.biology.simulation.methods import METHODS

    if name not in METHODS:
        raise ConfigError(f"--method: found {name!r}, expected one of {', '.join(METHODS)}")
    return name


def _options(how: str, substance: str | None, initial: str | None) -> dict[str, Any]:
    """How amounts become molecules, for the methods that count them."""
    given = {"substance": substance, "initial": initial}
    return {} if how == "ode" else {name: value for name, value in given.items() if value is not None}


def _progress() -> Progress | None:
    """Trajectories done and time left, on one line of a terminal; None where stderr is none."""
    if not sys.stderr.isatty():
        return None
    begun = time.monotonic()

    def show(done: int, count: int) -> None:
        left = (time.monotonic() - begun) * (count - done) / max(done, 1)
        end = "\n" if done >= count else ""
        sys.stderr.write(f"\r{done} of {count} trajectories, about {left:.0f} s left  {end}")
        sys.stderr.flush()

    return show


def _moving(names: Sequence[str], mean: np.ndarray) -> list[str]:
    return [id for j, id in enumerate(names) if mean[:, j].max() > mean[:, j].min()] or list(names)


def _values(words: Sequence[str]) -> dict[str, np.ndarray]:
    """{id: values} of ID=A,B,C and ID=FIRST:LAST:COUNT[:log] words, all equally many. ConfigError for anything else."""
    found: dict[str, np.ndarray] = {}
    for word in words:
        id, sign, text = (part.strip() for part in word.partition("="))
        if not (sign and id):
            raise _unread("--vary", word, "no ID=")
        if id in found:
            raise ConfigError(f"--vary: {id} is there twice")
        found[id] = spread_values("--vary", text, word)
    if len({len(values) for values in found.values()}) > 1:
        raise ConfigError(f"--vary: {', '.join(f'{id} has {len(v)} values' for id, v in found.items())}; they go together, one by one")
    return found


def spread_values(option: str, text: str, word: str | None = None) -> np.ndarray:
    """The numbers of A,B,C or FIRST:LAST:COUNT[:log]. ConfigError with `option` and the whole `word` for anything else."""
    import numpy as np

    given, parts = word or text, [part.strip() for part in text.split(":")]
    if len(parts) == 1:
        return np.array([_number(option, given, part) for part in text.split(",")])
    if len(parts) not in (3, 4) or parts[3:] not in ([], ["log"]):
        raise _unread(option, given, "three parts, or four of which the last is log, are expected")
    first, last, count = (_number(option, given, part) for part in parts[:3])
    if count != int(count) or not 1 <= count <= _MOST_VALUES:
        raise _unread(option, given, f"{parts[2]} is no whole number from 1 to {_MOST_VALUES}")
    if parts[3:] and not (first > 0 and last > 0):
        raise _unread(option, given, "equal ratios need ends > 0")
    return np.geomspace(first, last, int(count)) if parts[3:] else np.linspace(first, last, int(count))


def _number(option: str, word: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _unread(option, word, f"{text!r} is no finite number")
    return value


def _unread(option: str, word: str, why: str) -> ConfigError:
    id = "ID=" if option == "--vary" else ""
    return ConfigError(f"{option}: found {word!r}: {why}; expected {id}A,B,C or {id}FIRST:LAST:COUNT[:log]")


def _watch_budget(network: Network, times: Any, runs: int, options: Mapping[str, Any], budget: float, yes: bool) -> None:
    """ConfigError, before anything is done, where an exact run is expected to take longer than the budget and nobody said yes."""
    if not budget > 0:
        raise ConfigError(f"--budget: found {budget:g}, expected seconds > 0")
    forecast = network.forecast(times, runs, **options)
    if forecast.seconds <= budget:
        return
    if not yes:
        raise ConfigError(
            f"--budget: about {_seconds(forecast.seconds)} s are expected ({runs} runs of {forecast.events:.3g} reactions), "
            f"not {budget:g}; "
            "add --yes to run it all the same, take a smaller -n, or --method tau or lna"
        )
    _log.warning("about %s s are expected (%d runs of %.3g reactions)", _seconds(forecast.seconds), runs, forecast.events)


def _seconds(value: float) -> str:
    return f"{value:.0f}" if value < 1e6 else f"{value:.3g}"


def _unit(network: Network) -> str:
    return "molecules" if network.units.substance in ("item", None) and network.level[0] >= 3 else _named(network.units.substance)


def _named(unit: str | None) -> str:
    """A unit that says more than what it is a unit of: level 2 calls its own `substance` and `time`."""
    return "" if unit in (None, "substance", "time") else str(unit)


def _pair(mean: float, std: float | None) -> str:
    return f"{mean:.8g}" if std is None else f"{mean:.6g} +- {std:.4g}"


def _columns(result: Any, mean: np.ndarray, std: np.ndarray | None) -> dict[str, Any]:
    """time, each species' amount or mean, and its standard deviation."""
    columns: dict[str, Any] = {"time": result.times}
    for j, id in enumerate(result.species):
        columns[id] = mean[:, j]
        if std is not None:
            columns[f"{id} (sd)"] = std[:, j]
    return columns
