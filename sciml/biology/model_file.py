"""A model by the file that holds it, in any of the formats, or by the name of a shipped pathway."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sciml import files
from sciml.arguments import checked
from sciml.biology.antimony import load_antimony
from sciml.biology.bionetgen import load_net
from sciml.biology.datasets import list_pathways, load_pathway
from sciml.biology.network import Network, nearest
from sciml.biology.sbml import load_sbml
from sciml.biology.sbml.precheck import read_bytes
from sciml.biology.sedml import Experiment, load_archive, load_sedml
from sciml.biology.sources import path_of, recognised
from sciml.errors import ConfigError, DataError, SciMLError

__all__ = ["load", "load_experiment"]

_ANTIMONY, _ARCHIVES = (".ant", ".antimony", ".txt", ".sb"), (".omex", ".zip", ".sedx")
_SUFFIXES = (*_ANTIMONY, *_ARCHIVES, ".net", ".sedml", ".xml", ".sbml", ".gz")
_EXPECTED = "a file or the name of a shipped pathway"


@checked
def load(model: str | os.PathLike[str], *, strict: bool = True) -> Network:
    """The network in a file of any format (SBML, Antimony, BioNetGen, SED-ML, COMBINE archive; by content), or a shipped pathway by name.

    Of an experiment the network of its first task. `strict=False` leaves out what SBML or Antimony say that is not supported, and lists it
    in `warnings`. Raises ConfigError where a name is both a file and a pathway, or empty; DataError where it is neither or no model.
    """
    return load_experiment(model, strict=strict).network


@checked
def load_experiment(model: str | os.PathLike[str], *, strict: bool = True) -> Experiment:
    """As `load`, with the time courses and scans that a SED-ML document or a COMBINE archive asks for; other files have no tasks.

    What such a document asks for beyond uniform time courses and repeated tasks over a range is refused with a DataError, by name and line.
    """
    path, name = path_of("load", model, _EXPECTED), os.fsdecode(model)
    if name in list_pathways():
        if path.exists():
            raise ConfigError(f"load: {name} is a shipped pathway and a file here; say ./{name} for the file")
        return Experiment(name, {"model": load_pathway(name)})
    if path.exists() and not (path.is_file() or path.is_dir()):
        return _of_stream(path, strict)
    kind = _kind(path)
    if not path.exists() and path.suffix not in _SUFFIXES and path.name == name:
        hint = f"there are {', '.join(list_pathways())}{nearest(name, list_pathways())}"
        raise DataError(f"{name}: no such file, and no shipped pathway; {hint}")
    if kind in ("archive", "sedml"):
        return load_archive(path) if kind == "archive" else load_sedml(path)
    return Experiment(name, {"model": _network(path, kind, strict)})


def _network(path: Path, kind: str, strict: bool) -> Network:
    if kind == "net":
        return load_net(path)
    return load_antimony(path, strict=strict) if kind == "antimony" else load_sbml(path, strict=strict)


def _of_stream(path: Path, strict: bool) -> Experiment:
    """From a pipe, which can be read once."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model"
        files.write_bytes(copy, read_bytes(path, "a model"))
        try:
            return load_experiment(copy, strict=strict)
        except SciMLError as error:
            raise type(error)(str(error).replace(str(copy), str(path))) from error


def _kind(path: Path) -> str:
    """By its content where that is plain, else by its suffix."""
    try:
        with path.open("rb") as file:
            begin = file.read(4000)
    except (OSError, ValueError):
        begin = b""
    if begin[:4] == b"PK\x03\x04":
        return "archive"
    found = recognised(begin.decode("utf-8", "replace"))
    if found is not None and found.key in ("sbml", "sedml", "net", "antimony"):
        return found.key
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" and path.with_suffix("").suffix else path.suffix
    by_suffix = dict.fromkeys(_ANTIMONY, "antimony") | dict.fromkeys(_ARCHIVES, "archive") | {".net": "net", ".sedml": "sedml"}
    return by_suffix.get(suffix.lower(), "sbml")
