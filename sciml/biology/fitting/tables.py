"""`load_petab`: a PEtab problem (version 1) from its YAML file and tables. The model is read by `load_sbml`, in a limited child process.

Schmiester et al., PLoS Comput. Biol. 17 (2021) e1008646; https://petab.readthedocs.io/en/latest/v1/documentation_data_format.html
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sciml.arguments import checked
from sciml.biology.fitting.formulas import formula
from sciml.biology.fitting.parameters import FitParameter, Prior, Scale
from sciml.biology.fitting.problem import Problem
from sciml.biology.fitting.statement import Measurement, Observable, Value
from sciml.biology.network import Network
from sciml.biology.sbml import load_sbml
from sciml.biology.sources import PETAB, path_of, refuse_others
from sciml.errors import DataError

__all__ = ["load_petab"]

_LARGEST = 200_000_000  # bytes of a table
_FILES = ("sbml_files", "condition_files", "observable_files", "measurement_files")
_IGNORED = ("visualization_files",)
_LABELS = ("datasetId", "replicateId")
_EMPTY = ("NaN", "nan", "NA", "N/A", "null")  # as good as no text, in any cell
Row = dict[str, str]


@checked
def load_petab(path: str | os.PathLike[str]) -> Problem:
    """A problem of parameter estimation in PEtab's version 1: `problem.yaml` and the tables and the SBML model that it names.

    Files are taken from the disk only, never from the net. Raises DataError with file, record (from 0) and column for what is damaged or
    contradicts itself, and for what is not supported: version 2, several models in one problem, mapping tables, extensions.
    """
    file = path_of("load_petab", path)
    content = _yaml(file)
    _check_version(file, content)
    problems = content.get("problems")
    if not isinstance(problems, list) or not problems or not all(isinstance(part, dict) for part in problems):
        raise DataError(f"{file}: problems: expected a list with one entry that names files")
    if len(problems) > 1:
        raise DataError(f"{file}: problems: found {len(problems)} models in one problem; one is supported, load each by a file of its own")
    names = problems[0]
    if unknown := [key for key in names if key not in (*_FILES, *_IGNORED) and names[key]]:
        raise DataError(f"{file}: {unknown[0]}: this is not supported; expected {', '.join(_FILES)}")
    models = _paths(file, names, "sbml_files")
    if len(models) > 1:
        raise DataError(f"{file}: sbml_files: found {len(models)} models; one is supported")
    network = load_sbml(models[0])
    parameters = [p for table in _listed(file, content, "parameter_file") for p in _parameters(table)]
    conditions: dict[str, dict[str, Value]] = {}
    for table in _paths(file, names, "condition_files"):
        for id, row in _conditions(table).items():
            if id in conditions:
                raise DataError(f"{table}: condition {id!r} is there twice")
            conditions[id] = row
    measurements = [m for table in _paths(file, names, "measurement_files") for m in _measurements(table)]
    tables = _paths(file, names, "observable_files")
    known = _known(network, parameters, conditions)
    observables = [o for table in tables for o in _observables(table, known)]
    return Problem(network, tuple(parameters), conditions, tuple(observables), tuple(measurements), name=str(file))


def _known(network: Network, parameters: Sequence[FitParameter], conditions: Mapping[str, Mapping[str, Value]]) -> set[str]:
    return {*network.elements, *(p.id for p in parameters), *(id for row in conditions.values() for id in row)}


def _yaml(file: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    text = _text(file)
    refuse_others(str(file), text, PETAB)
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise DataError(f"{file}: is no YAML: {' '.join(str(error).split())[:200]}") from error
    if not isinstance(content, dict):
        raise DataError(f"{file}: expected keys format_version, parameter_file and problems")
    return content


def _check_version(file: Path, content: Mapping[str, Any]) -> None:
    version = str(content.get("format_version", ""))
    if version.split(".")[0] != "1":
        known = "version 2 of PEtab is not supported, only version 1" if version.startswith("2") else "expected 1"
        raise DataError(f"{file}: format_version: found {version!r}; {known}")
    if content.get("extensions"):
        raise DataError(f"{file}: extensions: {', '.join(map(str, content['extensions']))}: none is supported")


def _paths(file: Path, names: Mapping[str, Any], key: str) -> list[Path]:
    found = _listed(file, names, key)
    if not found:
        raise DataError(f"{file}: {key}: expected at least one file")
    return found


def _listed(file: Path, names: Mapping[str, Any], key: str) -> list[Path]:
    given = names.get(key) or []
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise DataError(f"{file}: {key}: found {given!r}, expected names of files")
    if remote := [name for name in listed if "://" in name]:
        raise DataError(f"{file}: {key}: {remote[0]!r} lies on the net; fetch it and name the file")
    return [file.parent / name for name in listed]


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise DataError(f"{file}: is larger than {_LARGEST // 1_000_000} MB")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is no UTF-8 text ({error.reason} at byte {error.start})") from error
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # a null character in the name
        raise DataError(f"{str(file)!r}: cannot be read: {error}") from error


def _rows(file: Path, *required: str) -> list[Row]:
    """Records of a table whose columns are divided by tabs; empty lines are no records."""
    lines = list(csv.reader(io.StringIO(_text(file)), delimiter="\t"))
    if not lines:
        raise DataError(f"{file}: is empty")
    header = [name.strip() for name in lines[0]]
    if missing := [name for name in required if name not in header]:
        raise DataError(f"{file}: the column {missing[0]!r} is missing; found {', '.join(header)} (columns are divided by tabs)")
    if twice := [name for name in header if name and header.count(name) > 1]:
        raise DataError(f"{file}: the column {twice[0]!r} is there twice")
    rows = []
    for record, cells in enumerate(line for line in lines[1:] if any(cell.strip() for cell in line)):
        if len(cells) > len(header) and any(cell.strip() for cell in cells[len(header) :]):
            raise DataError(f"{file}: record {record} has {len(cells)} cells, the header {len(header)}")
        cells = ["" if cell.strip() in _EMPTY else cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
        rows.append(dict(zip(header, cells, strict=False)))
    return rows


def _number(file: Path, record: int, row: Row, column: str, default: float | None = None) -> float:
    text = row.get(column, "")
    if text == "" and default is not None:
        return default
    try:
        return float(text)
    except ValueError:
        raise DataError(f"{file}: record {record}, column {column}: found {text!r}, expected a number") from None


def _value(text: str) -> Value:
    """A number, or the id of a parameter."""
    try:
        return float(text)
    except ValueError:
        return text


def _parameters(file: Path) -> list[FitParameter]:
    found = []
    for record, row in enumerate(_rows(file, "parameterId", "estimate")):
        estimate = row["estimate"].lower()
        if estimate not in ("0", "1", "0.0", "1.0", "true", "false"):
            raise DataError(f"{file}: record {record}, column estimate: found {row['estimate']!r}, expected 0 or 1")
        estimated = estimate[0] in "1t"
        scale: Scale = row.get("parameterScale", "") or "lin"  # type: ignore[assignment]
        lower, upper = (
            _number(file, record, row, column, None if estimated else end)
            for column, end in (("lowerBound", -math.inf), ("upperBound", math.inf))
        )
        priors = [_prior(file, record, row, kind, (lower, upper), scale) for kind in ("objective", "initialization")]
        nominal = _number(file, record, row, "nominalValue", math.nan)
        try:
            found.append(FitParameter(row["parameterId"], lower, upper, scale, nominal, estimated, *priors))
        except DataError as error:
            raise DataError(f"{file}: record {record}: {error}") from error
    return found


def _prior(file: Path, record: int, row: Row, kind: str, bounds: tuple[float, float], scale: Scale) -> Prior | None:
    law, numbers = row.get(f"{kind}PriorType", ""), row.get(f"{kind}PriorParameters", "")
    if not law:
        return None
    column = f"{kind}PriorParameters"
    parts = [part.strip() for part in numbers.split(";")] if numbers else []
    if not parts and law == "parameterScaleUniform":
        return None if kind == "initialization" else _uniform(bounds, scale)
    try:
        first, second = (float(part) for part in parts)
        return Prior(law, first, second)
    except ValueError:
        raise DataError(f"{file}: record {record}, column {column}: found {numbers!r}, expected two numbers divided by ';'") from None
    except DataError as error:
        raise DataError(f"{file}: record {record}: {error}") from error


def _uniform(bounds: tuple[float, float], scale: Scale) -> Prior:
    from sciml.biology.fitting.parameters import scaled

    lower, upper = scaled(bounds, [scale, scale])
    return Prior("parameterScaleUniform", float(lower), float(upper))


def _conditions(file: Path) -> dict[str, dict[str, Value]]:
    """{condition: {id: number or id}}; empty cells and NaN are left out: the model, or the steady state before, says."""
    found: dict[str, dict[str, Value]] = {}
    for record, row in enumerate(_rows(file, "conditionId")):
        id = row["conditionId"]
        if not id or id in found:
            raise DataError(f"{file}: record {record}, column conditionId: {id!r} is {'there twice' if id else 'no id'}")
        cells = {column: _value(text) for column, text in row.items() if column not in ("conditionId", "conditionName", "") and text}
        if infinite := [c for c, v in cells.items() if isinstance(v, float) and math.isinf(v)]:
            raise DataError(f"{file}: record {record}, column {infinite[0]}: found {row[infinite[0]]!r}, expected a finite number")
        found[id] = cells
    return found


def _observables(file: Path, known: set[str]) -> list[Observable]:
    rows = _rows(file, "observableId", "observableFormula", "noiseFormula")
    known = known | {row["observableId"] for row in rows}
    found = []
    for record, row in enumerate(rows):
        where = f"{file}: record {record}, column "
        law = (row.get("noiseDistribution", "") or "normal").lower()
        transformation = row.get("observableTransformation", "") or "lin"
        measured, sigma = (formula(row[column], known, where + column) for column in ("observableFormula", "noiseFormula"))
        try:
            found.append(Observable(row["observableId"], measured, sigma, transformation, law))
        except DataError as error:
            raise DataError(f"{file}: record {record}: {error}") from error
    return found


def _measurements(file: Path) -> list[Measurement]:
    found = []
    for record, row in enumerate(_rows(file, "observableId", "simulationConditionId", "time", "measurement")):
        observable, noise = (
            tuple(_value(part.strip()) for part in text.split(";")) if text else ()
            for text in (row.get("observableParameters", ""), row.get("noiseParameters", ""))
        )
        try:
            found.append(
                Measurement(
                    row["observableId"],
                    row["simulationConditionId"],
                    _number(file, record, row, "time"),
                    _number(file, record, row, "measurement"),
                    row.get("preequilibrationConditionId", ""),
                    observable,
                    noise,
                    tuple((name, row[name]) for name in _LABELS if name in row),
                )
            )
        except DataError as error:
            raise DataError(f"{file}: record {record}: {error}") from error
    return found
