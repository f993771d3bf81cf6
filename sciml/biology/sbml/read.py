"""`load_sbml`: a file is checked, parsed by libSBML in a limited child process, and kept in the cache by its content."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from sciml import files, resources, sandbox
from sciml.arguments import checked
from sciml.biology.network import Network
from sciml.biology.sbml.precheck import inspect, read_bytes, unpack
from sciml.biology.sbml.semantics import mass_action_law
from sciml.biology.sources import SBML, path_of, refuse_others
from sciml.errors import DataError, SciMLError

__all__ = ["load_sbml", "network_from_record", "reader_digest", "recall", "remember"]

_LOG = logging.getLogger("sciml.biology.sbml")
_MOST_COMPANIONS = 20
_MOST_LISTED = 200


@checked
def load_sbml(path: str | os.PathLike[str], *, strict: bool = True) -> Network:
    """A model from an SBML file (levels 1 to 3; `.xml`, or packed by gzip whatever its name).

    Laws are taken literally. What is not supported is refused, all of it at once with element and line; `strict=False` leaves it out and
    lists it in `Network.warnings`. A model of the package comp is written out flat; external models are taken from files beside it only.
    Raises ConfigError for what is no path, and DataError, which names the file, for one that is missing, damaged, larger than 20 MB,
    nested deeper than 200 elements, holds a DOCTYPE, or takes more than 10 s of CPU + 2 s a MB, or 1 GiB.
    """
    file = path_of("load_sbml", path)
    data = read_bytes(file)
    key = hashlib.sha256(reader_digest() + hashlib.sha256(data).digest()).hexdigest()
    known = recall(key, file.parent)
    record = known or _parsed(file, data)
    network = network_from_record(str(file), record, strict=strict)
    if known is None:
        remember(key, record)
    return network


def _parsed(file: Path, data: bytes) -> dict[str, Any]:
    """What the child finds in a file that passed the checks before it."""
    text = unpack(str(file), data)
    refuse_others(str(file), text, SBML)
    companions = _companions(file, inspect(str(file), text))
    megabytes = (len(text) + sum(map(len, companions.values()))) / 1e6
    record, _ = sandbox.run("sciml.biology.sbml.parser:read", str(file), text, companions, cpu_seconds=10 + 2 * megabytes)
    return {**record, "companions": {name: _digest(file.parent / name) for name in companions}}


def network_from_record(source: str, record: Mapping[str, Any], *, strict: bool = True) -> Network:
    """The network of what `parser.parse_sbml_text` found. Raises DataError with all that is unsupported, or that makes no network."""
    unsupported, warnings = record["unsupported"], record["warnings"]
    if unsupported and strict:
        many = f"{len(unsupported)} things in it are" if len(unsupported) > 1 else "one thing in it is"
        listed = [
            *unsupported[:_MOST_LISTED],
            *([f"and {len(unsupported) - _MOST_LISTED} more"] if len(unsupported) > _MOST_LISTED else []),
        ]
        raise DataError(f"{source}: {many} wrong or not supported (strict=False goes on without): " + "; ".join(listed))
    if not record["network"]:
        raise DataError(f"{source}: holds no model: {'; '.join(unsupported)}")
    try:
        network = Network.from_dict(record["network"])
    except DataError as error:
        raise DataError(f"{source}: {error}") from error
    network = replace(_declared(network, record["mass_action"]), source=source, warnings=(*unsupported, *warnings))
    for warning in network.warnings:
        _LOG.info("%s: %s", source, warning)
    return network


def _declared(network: Network, marked: list[str]) -> Network:
    """Reactions that our writer marked as mass action are so again, where their law is still the one that it wrote."""
    if not marked:
        return network
    reactions = []
    for reaction in network.reactions:
        if reaction.id in marked and reaction.law is not None and reaction.law.op == "times" and reaction.law.args:
            declared = replace(reaction, law=reaction.law.args[0], mass_action=True)
            if mass_action_law(network, declared) == reaction.law:
                reaction = declared
        reactions.append(reaction)
    return replace(network, reactions=tuple(reactions))


def _companions(file: Path, sources: tuple[str, ...]) -> dict[str, str]:
    """{name: text} of the files beside `file` that external models name, and of those that these name."""
    found: dict[str, str] = {}
    waiting = list(sources)
    while waiting:
        source = waiting.pop().removeprefix("file:").removeprefix("./")
        if source in found:
            continue
        if not source or Path(source).name != source or source in (".", "..") or any(c in source for c in ":\\\0"):
            raise DataError(f"{file}: names the external model {source!r}; only files beside it are read")
        if len(found) >= _MOST_COMPANIONS:
            raise DataError(f"{file}: names more than {_MOST_COMPANIONS} external models")
        place = file.parent / source
        try:
            found[source] = unpack(str(place), read_bytes(place))
            waiting += inspect(str(place), found[source])
        except DataError as error:
            raise DataError(f"{file}: names an external model: {error}") from error
    return found


@cache
def reader_digest() -> bytes:
    """What reads: another reader finds other things in the same file."""
    here = Path(__file__).parent
    sources = [*sorted(here.glob("*.py")), here.parent / "network.py", here.parent / "expressions.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).digest()


def _digest(path: Path) -> str:
    try:
        return files.digest(path)
    except DataError:
        return ""


def _place(key: str) -> Path:
    return resources.cache_folder() / "sbml" / f"{key}.json"


def recall(key: str, folder: Path) -> dict[str, Any] | None:
    """The record of an earlier reading, None where there is none, it is damaged, or a file beside the model has changed since."""
    try:
        digest, _, content = _place(key).read_bytes().partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return None
        record: dict[str, Any] = json.loads(content)
    except (OSError, ValueError):
        return None
    return record if all(_digest(folder / name) == digest for name, digest in record["companions"].items()) else None


def remember(key: str, record: Mapping[str, Any]) -> None:
    """Keep a record; without a place to keep it the next reading takes longer, no more."""
    content = json.dumps(record, separators=(",", ":")).encode()
    place = _place(key)
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        files.write_bytes(place, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    except (OSError, SciMLError) as error:
        _LOG.info("%s: not kept: %s", place, error)
