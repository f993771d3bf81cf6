"""Simulation experiments as files: SED-ML (uniform time courses and scans) and COMBINE archives that hold them.

Read by the standard library alone, after the checks that SBML files pass: no DOCTYPE, no deep nesting, 20 MB. What is not understood is
refused by name and line. Source: sed-ml.org, level 1 versions 1 to 4; KiSAO for the methods.
"""

from __future__ import annotations

import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from sciml import files
from sciml.arguments import checked
from sciml.biology.network import Network, Species
from sciml.biology.sbml.precheck import inspect, read_bytes, unpack
from sciml.biology.sbml.read import load_sbml
from sciml.biology.sbml.tree import Element, parse
from sciml.biology.sources import SEDML, path_of, refuse_others
from sciml.errors import ConfigError, DataError

__all__ = ["Experiment", "Task", "load_archive", "load_sedml"]

_STOCHASTIC = frozenset((15, 27, 29, 38, 241))  # numbers of KiSAO: first reaction, next reaction, direct, sorting
_LEAPS = frozenset((39, 40, 45, 46, 48, 74))
_CONTINUOUS = frozenset(
    (19, 30, 31, 32, 33, 64, 71, 86, 87, 88, 89, 94, *range(280, 314), 321, 369, 370, 371, 377, 433, 434, 435, 436, 496, 497, 560, 694)
)
_TARGET = re.compile(r"\[\s*@id\s*=\s*['\"]([^'\"]+)['\"]\s*\](?:/@(\w+))?\s*$")
_VALUES = (None, "value", "initialConcentration", "initialAmount", "size")
_MOST_BYTES, _MOST_FILES = 100_000_000, 1000
_SEDML, _SBML = "sed-ml", "sbml"


@dataclass(frozen=True)
class Task:
    """One time course: `times` [T] of `network` by `method` ("ode", "ssa" or "tau"), for each value of `scan` {id: values [V]}.

    `shown`: ids that the file's data generators read. Several scanned ids go together, value by value.
    """

    id: str
    network: Network
    times: np.ndarray
    method: str = "ode"
    scan: Mapping[str, np.ndarray] = field(default_factory=dict)
    shown: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        span = {"start": float(self.times[0]), "end": float(self.times[-1]), "points": len(self.times)}
        scan = {id: values.tolist() for id, values in self.scan.items()}
        return {"id": self.id, "network": self.network.id, **span, "method": self.method, "scan": scan, "shown": list(self.shown)}


@dataclass(frozen=True)
class Experiment:
    """The tasks of a file, and its networks by id (the archive's only model has the id "model")."""

    source: str
    networks: Mapping[str, Network]
    tasks: tuple[Task, ...] = ()

    @property
    def network(self) -> Network:
        """The network of the first task, else the first one."""
        return self.tasks[0].network if self.tasks else next(iter(self.networks.values()))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able data."""
        return {"source": self.source, "networks": list(self.networks), "tasks": [task.to_dict() for task in self.tasks]}


@checked
def load_sedml(path: str | os.PathLike[str]) -> Experiment:
    """The experiment in a SED-ML file; its models are SBML files beside it.

    Raises DataError with file and line for what is not supported: other simulations than uniform time courses from time 0, changes that
    are more than new values, nested or functional ranges, models that lie elsewhere.
    """
    file = path_of("load_sedml", path)
    text = unpack(str(file), read_bytes(file, "a SED-ML document"), "a SED-ML document")
    refuse_others(str(file), text, SEDML)
    inspect(str(file), text, "sedML")
    return _Reader(file, parse(text)).experiment()


@checked
def load_archive(path: str | os.PathLike[str]) -> Experiment:
    """The experiment in a COMBINE archive (.omex): its master SED-ML file, else its only one, else its only SBML model without tasks.

    At most 100 MB and 1000 files are unpacked, into a folder that is gone afterwards. Raises DataError for a damaged archive.
    """
    file = path_of("load_archive", path)
    read_bytes(file, "a COMBINE archive")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        try:
            with zipfile.ZipFile(file) as archive:
                contents = _unpacked(file, archive, place)
            return replace(_of_contents(file, place, contents), source=str(file))
        except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as error:
            raise DataError(f"{file}: no COMBINE archive that can be read: {error}") from error
        except DataError as error:
            raise DataError(str(error).replace(f"{place}{os.sep}", f"{file}: ").replace(f"{file}: {file}: ", f"{file}: ")) from error


def _unpacked(file: Path, archive: zipfile.ZipFile, place: Path) -> list[tuple[str, str, bool]]:
    """Write the files that the manifest names; (name, format, master) of each."""
    infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    if len(infos) > _MOST_FILES or sum(info.file_size for info in infos.values()) > _MOST_BYTES:
        raise DataError(f"{file}: holds more than {_MOST_FILES} files or {_MOST_BYTES // 1_000_000} MB")
    if "manifest.xml" not in infos:
        raise DataError(f"{file}: has no manifest.xml: this is no COMBINE archive")
    text = unpack(f"{file}: manifest.xml", archive.read("manifest.xml"), "a manifest")
    inspect(f"{file}: manifest.xml", text, "omexManifest")
    contents = []
    for element in parse(text).children:
        name = str(PurePosixPath(element.attributes.get("location", ".")))
        if name in infos and name != "manifest.xml":
            target = (place / name).resolve()
            if not target.is_relative_to(place):
                raise DataError(f"{file}: names {name!r}, which lies outside of it")
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(infos[name]) as packed:
                files.write_bytes(target, packed.read(_MOST_BYTES))
            contents.append((name, element.attributes.get("format", "").lower(), element.attributes.get("master") == "true"))
    return contents


def _of_contents(file: Path, place: Path, contents: list[tuple[str, str, bool]]) -> Experiment:
    for kind, load in ((_SEDML, load_sedml), (_SBML, _only_model)):
        found = [(name, master) for name, format, master in contents if kind in format]
        chosen = [name for name, master in found if master] or [name for name, _ in found]
        if len(chosen) > 1:
            raise DataError(f"{file}: holds {len(chosen)} {kind} files and says of none that it is the master: {', '.join(chosen[:5])}")
        if chosen:
            experiment = load(place / chosen[0])
            named = {id: replace(net, source=f"{file}: {Path(net.source).name}") for id, net in experiment.networks.items()}
            return replace(experiment, networks=named)
    raise DataError(f"{file}: holds neither SED-ML nor SBML")


def _only_model(path: Path) -> Experiment:
    return Experiment(str(path), {"model": load_sbml(path)})


class _Reader:
    """The lists of one SED-ML document."""

    def __init__(self, file: Path, root: Element) -> None:
        self.file, self.root = file, root
        self.models: dict[str, Network] = {}
        self.courses: dict[str, tuple[np.ndarray, str]] = {}
        self.tasks: dict[str, Task] = {}

    def fault(self, element: Element, what: str) -> DataError:
        """An error at an element."""
        return DataError(f"{self.file}: line {element.line}: {what}")

    def experiment(self) -> Experiment:
        """The whole."""
        for element in self.root.listed("listOfModels"):
            self.models[_id(element)] = self._model(element)
        if not self.models:
            raise DataError(f"{self.file}: names no model")
        for element in self.root.listed("listOfSimulations"):
            self.courses[_id(element)] = self._course(element)
        inner: set[str] = set()
        for element in self.root.listed("listOfTasks"):
            make: Callable[[Element], Task] = self._repeated if element.name == "repeatedTask" else self._task
            self.tasks[_id(element)] = make(element)
            inner |= {part.attributes.get("task", "") for part in element.listed("listOfSubTasks")}
        shown = self._shown()
        tasks = [replace(task, shown=shown.get(id, ())) for id, task in self.tasks.items() if id not in inner or shown.get(id)]
        return Experiment(str(self.file), self.models, tuple(tasks))

    def _model(self, element: Element) -> Network:
        source = element.attributes.get("source", "")
        known = self.models.get(source.lstrip("#"))
        if known is None:
            name = source.removeprefix("./")
            if not name or ":" in name or Path(name).is_absolute() or ".." in Path(name).parts:
                raise self.fault(element, f"model {_id(element)!r} comes from {source!r}; only files beside the document are read")
            known = load_sbml(self.file.parent / name)
        values: dict[str, float] = {}
        for change in element.listed("listOfChanges"):
            if change.name != "changeAttribute":
                raise self.fault(change, f"found <{change.name}>; only new values (changeAttribute) are supported")
            values[self._id_of(change, known)] = self._number(change, "newValue")
        try:
            return known.set(values) if values else known
        except ConfigError as error:
            raise self.fault(element, f"model {_id(element)!r}: {error}") from error

    def _id_of(self, element: Element, network: Network) -> str:
        """The id of the element whose value a target means."""
        target = element.attributes.get("target", "")
        found = _TARGET.search(target)
        if not found or found[2] not in _VALUES or found[1] not in network.elements:
            raise self.fault(element, f"found the target {target[:100]!r}, expected a value by the id of its element")
        self._check_quantity(element, network.elements[found[1]], found[2])
        return found[1]

    def _check_quantity(self, element: Element, species: Any, attribute: str | None) -> None:
        """A species is set in the quantity that its model states: refused where the document means the other one."""
        if isinstance(species, Species):
            concentration = attribute == "initialConcentration" if attribute else not species.substance_only
            if attribute == "value" or concentration != species.initial_is_concentration:
                states, means = ("a concentration", "an amount") if species.initial_is_concentration else ("an amount", "a concentration")
                raise self.fault(element, f"the model states {states} of {species.id!r}, and this sets {means}")

    def _number(self, element: Element, name: str) -> float:
        try:
            value = float(element.attributes[name])
        except (KeyError, ValueError):
            raise self.fault(element, f"{name}: found {element.attributes.get(name)!r}, expected a number") from None
        return value

    def _count(self, element: Element) -> int:
        name = "numberOfSteps" if "numberOfSteps" in element.attributes else "numberOfPoints"
        value = self._number(element, name)
        if value != int(value) or not 1 <= value <= 1_000_000:
            raise self.fault(element, f"{name}: found {value:g}, expected a whole number from 1 to 1000000")
        return int(value)

    def _course(self, element: Element) -> tuple[np.ndarray, str]:
        if element.name != "uniformTimeCourse":
            raise self.fault(element, f"found the simulation <{element.name}>; only uniformTimeCourse is supported")
        if (begin := self._number(element, "initialTime")) != 0:
            raise self.fault(element, f"initialTime: found {begin:g}; the start is at time 0 here")
        first, last = self._number(element, "outputStartTime"), self._number(element, "outputEndTime")
        if not 0 <= first <= last < np.inf:
            raise self.fault(element, f"output from {first:g} to {last:g}, expected 0 <= start <= end")
        algorithm = element.child("algorithm")
        found = re.search(r"(\d+)\s*$", algorithm.attributes.get("kisaoID", "") if algorithm else "")
        number = int(found[1]) if found else 19
        if number not in _STOCHASTIC | _LEAPS | _CONTINUOUS:
            raise self.fault(
                element, f"the algorithm KISAO:{number:07} is not known here; KISAO:0000019 (ODE) and 0000029 (exact) are, and others"
            )
        method = "ssa" if number in _STOCHASTIC else "tau" if number in _LEAPS else "ode"
        return np.linspace(first, last, self._count(element) + 1), method

    def _task(self, element: Element) -> Task:
        if element.name != "task":
            raise self.fault(element, f"found <{element.name}>; only task and repeatedTask are supported")
        model, course = element.attributes.get("modelReference", ""), element.attributes.get("simulationReference", "")
        if model not in self.models or course not in self.courses:
            raise self.fault(element, f"task {_id(element)!r} names model {model!r} and simulation {course!r}, one of which is not there")
        times, method = self.courses[course]
        return Task(_id(element), self.models[model], times, method)

    def _repeated(self, element: Element) -> Task:
        parts = element.listed("listOfSubTasks")
        base = self.tasks.get(parts[0].attributes.get("task", "")) if len(parts) == 1 else None
        if base is None or base.scan:
            raise self.fault(element, f"repeated task {_id(element)!r}: expected one plain task in it")
        if element.attributes.get("resetModel", "true") not in ("true", "1"):
            raise self.fault(element, "resetModel: found false; every run of a repeated task starts anew here")
        ranges = {_id(each): self._range(each) for each in element.listed("listOfRanges")}
        scan = {}
        for change in element.listed("listOfChanges"):
            used = change.attributes.get("range", element.attributes.get("range", ""))
            math = next((child for child in change.children if child.name == "math"), None)
            plain = math is not None and [(c.name, c.text.strip()) for c in math.children] == [("ci", used)]
            if used not in ranges or not plain or change.child("listOfVariables"):
                raise self.fault(change, "only values that are those of a range as they stand are set here")
            scan[self._id_of(change, base.network)] = ranges[used]
        if not scan or len({len(values) for values in scan.values()}) != 1:
            raise self.fault(element, f"repeated task {_id(element)!r}: expected values of equal number that it sets")
        return replace(base, id=_id(element), scan=scan)

    def _range(self, element: Element) -> np.ndarray:
        if element.name == "vectorRange":
            try:
                return np.array([float(child.text) for child in element.children], dtype=float)
            except ValueError as error:
                raise self.fault(element, f"range {_id(element)!r}: {error}") from error
        if element.name != "uniformRange":
            raise self.fault(element, f"found the range <{element.name}>; uniformRange and vectorRange are supported")
        first, last = self._number(element, "start"), self._number(element, "end")
        if element.attributes.get("type", "linear") == "linear":
            return np.linspace(first, last, self._count(element) + 1)
        if first <= 0 or last <= 0:
            raise self.fault(element, f"range {_id(element)!r}: found {first:g} to {last:g}, a logarithmic one needs positive ends")
        return np.geomspace(first, last, self._count(element) + 1)

    def _shown(self) -> dict[str, tuple[str, ...]]:
        """{task: ids that data generators read from it}."""
        found: dict[str, dict[str, None]] = {}
        for generator in self.root.listed("listOfDataGenerators"):
            for variable in generator.listed("listOfVariables"):
                task = variable.attributes.get("taskReference", "")
                target = _TARGET.search(variable.attributes.get("target", ""))
                if task in self.tasks:
                    found.setdefault(task, {})
                    if target and target[1] in self.tasks[task].network.elements:
                        found[task][target[1]] = None
        return {task: tuple(ids) for task, ids in found.items()}


def _id(element: Element) -> str:
    return element.attributes.get("id", "")
