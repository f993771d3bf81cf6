"""A problem from a network and data: observables by formula, times, values and how exact they are."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sciml.biology.expressions import Expression, symbol
from sciml.biology.fitting.parameters import FitParameter
from sciml.biology.fitting.problem import Problem
from sciml.biology.fitting.statement import Measurement, Observable, Value
from sciml.biology.formula import parse
from sciml.biology.network import Compartment, Network, Parameter, Species, nearest
from sciml.errors import ConfigError, DataError

__all__ = ["measured_network"]

_NOISE = {"normal": ("lin", "normal"), "laplace": ("lin", "laplace"), "lognormal": ("log", "normal")}
_COLUMNS = ("observable", "time", "value", "sd")


def measured_network(net: Network, data: Any, parameters: Mapping[str, Any] | None, noise: str) -> Problem:
    """The problem of `fit(net, data, parameters=..., noise=...)`, which says what these may be."""
    if noise not in _NOISE:
        raise ConfigError(f"noise: found {noise!r}, expected one of {', '.join(_NOISE)}")
    if not parameters:
        raise ConfigError("fit: a network needs parameters={id: (lower, upper)} to say what is fitted")
    estimated = [_parameter(net, id, bounds) for id, bounds in parameters.items()]
    observables: dict[str, Observable] = {}
    measurements: list[Measurement] = []
    conditions: dict[str, dict[str, Value]] = {}
    for place, (settings, series) in enumerate(_experiments(data)):
        condition = ", ".join(f"{id} = {value:g}" if not isinstance(value, str) else f"{id} = {value}" for id, value in settings.items())
        condition = condition or "as the model is"
        condition = condition if condition not in conditions else f"{condition} ({place})"
        conditions[condition] = dict(settings)
        for formula, given in series.items():
            times, values, sd = _series(formula, given)
            sigma = _sigma(net, formula, sd)
            if sd is None and f"sd_{formula}" not in {p.id for p in estimated}:
                estimated.append(_spread(formula, data))
            made = Observable(formula, parse(formula, [f.id for f in net.functions]), sigma, *_NOISE[noise])
            if observables.setdefault(formula, made) != made:
                raise DataError(f"data: {formula!r}: the noise is given in different ways under different settings; give it in one")
            own = np.broadcast_to(sd, values.shape) if isinstance(sd, np.ndarray) else None
            for r, t in np.ndindex(values.shape):
                extra = () if own is None else (float(own[r, t]),)
                measurements.append(Measurement(formula, condition, float(times[t]), float(values[r, t]), noise_parameters=extra))
    return Problem(net, tuple(estimated), conditions, tuple(observables.values()), tuple(measurements), name=net.id)


def _parameter(net: Network, id: str, bounds: Any) -> FitParameter:
    element = net.elements.get(id)
    nominal = {Species: "initial", Parameter: "value", Compartment: "size"}.get(type(element), "")
    value = getattr(element, nominal) if nominal else None
    if isinstance(bounds, FitParameter):
        return bounds
    try:
        lower, upper = (float(end) for end in bounds)
    except (TypeError, ValueError):
        raise ConfigError(f"parameters: {id!r}: found {bounds!r}, expected (lower, upper) or a FitParameter") from None
    return FitParameter(id, lower, upper, "log10" if lower > 0 else "lin", math.nan if value is None else value)


def _series(formula: str, given: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """times [T], values [replicates, T], and sd: None, a formula or an array."""
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise DataError(f"data: {formula!r}: expected (times, values) or (times, values, sd)")
    try:
        times, values = np.atleast_1d(np.asarray(given[0], float)), np.atleast_2d(np.asarray(given[1], float))
        sd = given[2] if len(given) == 3 else None
        sd = sd if sd is None or isinstance(sd, str) else np.asarray(sd, float)
        if sd is not None and not isinstance(sd, str) and not (sd > 0).all():
            raise DataError(f"data: {formula!r}: found an sd that is not > 0")
        np.broadcast_shapes(values.shape, np.shape(sd) if isinstance(sd, np.ndarray) else ())
    except (TypeError, ValueError) as error:
        raise DataError(f"data: {formula!r}: times, values and sd must be numbers of matching shapes ({error})") from error
    if times.ndim != 1 or values.ndim != 2 or values.shape[1] != len(times):
        raise DataError(f"data: {formula!r}: found {len(times)} times and values of shape {values.shape}, expected as many in a row")
    return times, values, sd


def _sigma(net: Network, formula: str, sd: Any) -> Expression:
    if sd is None:
        return symbol(f"sd_{formula}")
    if isinstance(sd, str):
        return parse(sd, [f.id for f in net.functions])
    return symbol(f"noiseParameter1_{formula}")


def _spread(formula: str, data: Any) -> FitParameter:
    """The sd of an observable whose noise is not given: estimated, between 1e-4 and 10 times the size of its values."""
    values = [_series(formula, series[formula])[1].ravel() for _, series in _experiments(data) if formula in series]
    size = float(np.abs(np.concatenate(values)).max())
    if not size > 0:
        raise DataError(f"data: {formula!r}: all values are 0, so that their noise cannot be estimated; give sd")
    return FitParameter(f"sd_{formula}", 1e-4 * size, 10 * size, "log10", 0.1 * size)


def _experiments(data: Any) -> list[tuple[Mapping[str, Value], Mapping[str, Any]]]:
    """[(settings, {formula: series})] of whatever form the data come in."""
    if isinstance(data, str | os.PathLike) or hasattr(data, "columns"):
        return _of_table(data)
    if isinstance(data, Mapping):
        return [({}, data)]
    if not isinstance(data, Sequence) or not all(isinstance(e, tuple | list) and len(e) == 2 and isinstance(e[1], Mapping) for e in data):
        raise ConfigError("data: expected {formula: (times, values, sd)}, a list of (settings, such data), a table or its file")
    return [(settings or {}, series) for settings, series in data]


def _of_table(data: Any) -> list[tuple[Mapping[str, Value], Mapping[str, Any]]]:
    """From a table with the columns observable, time, value and sd (which may be missing); every other column is a setting."""
    import pandas as pd

    name = "data"
    if not hasattr(data, "columns"):
        name = str(data)
        try:
            data = pd.read_csv(Path(data), sep="\t" if Path(data).suffix == ".tsv" else ",")
        except (OSError, ValueError) as error:
            raise DataError(f"{name}: cannot be read as a table: {error}") from error
    if missing := [c for c in _COLUMNS[:3] if c not in data.columns]:
        raise DataError(f"{name}: the column {missing[0]!r} is missing{nearest(missing[0], map(str, data.columns))}")
    settings = [c for c in data.columns if c not in _COLUMNS]
    found: dict[tuple[float, ...], dict[str, Any]] = {}
    for record, row in enumerate(data.to_dict("records")):
        try:
            key = tuple(float(row[c]) for c in settings)
            numbers = [float(row[c]) for c in ("time", "value", "sd") if c in row]
        except (TypeError, ValueError) as error:
            raise DataError(f"{name}: record {record}: {error}; expected numbers") from error
        if not all(map(math.isfinite, (*key, *numbers))):
            raise DataError(f"{name}: record {record}: found an empty cell or a number that is not finite")
        found.setdefault(key, {}).setdefault(str(row["observable"]), []).append(numbers)
    columns = ({o: tuple(np.array(c) for c in zip(*rows, strict=True)) for o, rows in series.items()} for series in found.values())
    return [(dict(zip(map(str, settings), key, strict=True)), series) for key, series in zip(found, columns, strict=True)]
