"""Model files: a folder, or the same as one zip, of safetensors, checked JSON and a card; nothing in it is ever executed.

    model.json                 format, network, species, references, units, training, digests; a digest over its own bytes
    model.safetensors          weights; of an ensemble member-0.safetensors, member-1.safetensors, ...
    MODEL_CARD.md              the same for people (not read back)

The order of checks: size, own digest of model.json, its format, the digests of the weights, names, shapes, dtypes, finite values; only
then is a network built.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from ase.data import atomic_numbers

from sciml import __version__, files, resources
from sciml.errors import ConfigError, DataError, ModelFileError
from sciml.materials.model_card import model_card
from sciml.materials.potential import Potential

FORMAT = 1
_MAX_JSON, _MAX_WEIGHTS, _MAX_MEMBERS = 4 << 20, 512 << 20, 64
_OWN_DIGEST = re.compile(rb'"digest": "([0-9a-f]{64})"')
_MEMBER = re.compile(r"(model|member-\d{1,3})\.safetensors")
_REQUIRED = {"convention": str, "cutoff_A": float, "members": list, "network": dict, "references": dict, "species": list, "units": dict}


def save_potential(potential: Potential, folder: str | Path) -> None:
    """Write a potential as a folder that appears by one rename (an older model there is replaced)."""
    metadata, members = potential.to_state()
    names = ["model.safetensors"] if len(members) == 1 else [f"member-{k}.safetensors" for k in range(len(members))]
    blobs = [safetensors.torch.save({key: value.cpu() for key, value in tensors.items()}) for tensors in members]
    entries = [{"file": n, "sha256": files.digest(b), "bytes": len(b)} for n, b in zip(names, blobs, strict=True)]
    content = {**metadata, "format": FORMAT, "kind": "potential", "members": entries, "sciml": __version__}
    with files.write_folder(folder) as target:
        for name, blob in zip(names, blobs, strict=True):
            files.write_bytes(target / name, blob)
        files.write_bytes(target / "model.json", sealed_json(content))
        files.write_text(target / "MODEL_CARD.md", model_card(content))


def sealed_json(content: Mapping[str, Any]) -> bytes:
    """JSON bytes with a field `digest`: sha256 of these bytes with the digest's 64 characters as zeros."""
    text = json.dumps({**content, "digest": "0" * 64}, indent=1, sort_keys=True, allow_nan=False).encode()
    return text.replace(b'"digest": "' + b"0" * 64, b'"digest": "' + hashlib.sha256(text).hexdigest().encode(), 1)


def list_potentials() -> list[str]:
    """Names of the shipped potentials."""
    try:
        root = resources.find("models")
    except DataError:
        return []
    return sorted(path.parent.name for path in root.glob("*/model.json"))


def load_potential(source: str | Path) -> Potential:
    """A potential from a folder, a zip, the `out` folder of a training run, or the name of a shipped one.

    A name without separator or suffix is a shipped model, `./si` a folder. ModelFileError says what is wrong with a file, and nothing of
    it is executed; ConfigError where a name means two things.
    """
    with _readable(source):
        path = _locate(source)
        content, blobs = _read(path)
        return _build(path, content, blobs)


def read_metadata(source: str | Path) -> dict[str, Any]:
    """The checked content of `model.json`, for `sciml model info`; digests of the weights are checked too."""
    with _readable(source):
        return _read(_locate(source))[0]


@contextlib.contextmanager
def _readable(source: str | Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelFileError(f"{error.filename or source}: cannot be read ({error.strerror or error})") from error


def _locate(source: str | Path) -> Path:
    text, path = str(source), Path(source)
    shipped = isinstance(source, str) and not re.search(r"[/\\.]", text)
    if shipped and text in list_potentials():
        if path.exists():
            raise ConfigError(f"potential {text!r}: is both a shipped model and a path here; write ./{text} for the path")
        return resources.find("models") / text
    if not path.exists():
        names = ", ".join(list_potentials()) or "none"
        raise ModelFileError(f"{text}: no such model folder or zip" + (f"; shipped models are {names}" if shipped else ""))
    return path / "model" if path.is_dir() and not (path / "model.json").exists() and (path / "model").is_dir() else path


def _read(path: Path) -> tuple[dict[str, Any], list[bytes]]:
    if path.is_dir():
        if not os.path.lexists(path / "model.json"):
            begun = "; the run there has not ended, go on with it (resume=True)" if (path / "config.json").is_file() else ""
            raise ModelFileError(f"{path}: this folder holds no model.json; expected the folder of a model or of a finished run{begun}")
        return _checked(path, lambda name, limit: _bounded(path / name, limit))
    if not zipfile.is_zipfile(path):
        raise ModelFileError(f"{path}: neither a model folder nor a zip of one")
    try:
        with zipfile.ZipFile(path) as archive:
            members = dict(_zip_members(path, archive))
            return _checked(path, lambda name, limit: _unzip(path, archive, members, name, limit))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, ValueError, RuntimeError) as error:
        raise ModelFileError(f"{path}: damaged zip ({error})") from None


def _bounded(path: Path, limit: int) -> bytes:
    if path.is_symlink() or not path.is_file():
        raise ModelFileError(f"{path}: missing, or not a plain file")
    with open(path, "rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ModelFileError(f"{path}: longer than the {limit} bytes it should have at most")
    return data


def _zip_members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    for info in archive.infolist():
        parts = info.filename.split("/")
        name = parts[-1]
        if (
            stat.S_ISLNK(info.external_attr >> 16)
            or ".." in parts
            or info.filename.startswith(("/", "\\"))
            or ":" in name
            or "\\" in info.filename
        ):
            raise ModelFileError(f"{path}: member {info.filename!r} is a link or leads out of the archive; a model holds plain files only")
        if not info.is_dir() and len(parts) <= 2:
            yield name, info


def _unzip(path: Path, archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str, limit: int) -> bytes:
    if name not in members:
        raise ModelFileError(f"{path}: {name} is missing")
    if members[name].file_size > limit:
        raise ModelFileError(f"{path}: {name} unpacks to {members[name].file_size} bytes, expected at most {limit}")
    with archive.open(members[name]) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ModelFileError(f"{path}: {name} unpacks to more than {limit} bytes")
    return data


def _checked(path: Path, read: Any) -> tuple[dict[str, Any], list[bytes]]:
    """Content of model.json and the bytes of the weights, each with its digest verified."""
    content = _unsealed(path, read("model.json", _MAX_JSON))
    members = content["members"]
    if not 1 <= len(members) <= _MAX_MEMBERS:
        raise ModelFileError(f"{path}: model.json, members: found {len(members)}, expected 1 to {_MAX_MEMBERS}")
    blobs = []
    for entry in members:
        name, size = (entry.get("file"), entry.get("bytes")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or not _MEMBER.fullmatch(name) or not isinstance(size, int) or not 0 < size <= _MAX_WEIGHTS:
            raise ModelFileError(f"{path}: model.json, members: found {entry!r}, expected file, bytes and sha256 of a safetensors file")
        blob = read(name, size)
        if len(blob) != size or files.digest(blob) != entry.get("sha256"):
            raise ModelFileError(
                f"{path}: {name}: its digest is not the one in model.json; the file is damaged or belongs to another model"
            )
        blobs.append(blob)
    return content, blobs


def _unsealed(path: Path, data: bytes) -> dict[str, Any]:
    found = _OWN_DIGEST.findall(data)
    zeros = _OWN_DIGEST.sub(b'"digest": "' + b"0" * 64 + b'"', data)
    if len(found) != 1 or hashlib.sha256(zeros).hexdigest().encode() != found[0]:
        raise ModelFileError(f"{path}: model.json does not match its own digest; it was changed or cut after it was written")
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{path}: model.json is not JSON ({error})") from None
    if not isinstance(content, dict) or content.get("kind") != "potential":
        raise ModelFileError(
            f"{path}: model.json, kind: found {content.get('kind') if isinstance(content, dict) else content!r}, expected 'potential'"
        )
    if content.get("format") != FORMAT:
        hint = f"; written by sciml {content.get('sciml')}, this is {__version__}"
        raise ModelFileError(f"{path}: model.json, format: found {content.get('format')!r}, this version reads {FORMAT}{hint}")
    for key, kind in _REQUIRED.items():
        if not isinstance(content.get(key), kind):
            raise ModelFileError(f"{path}: model.json, {key}: found {content.get(key)!r}, expected a {kind.__name__}")
    return content


def _build(path: Path, content: dict[str, Any], blobs: list[bytes]) -> Potential:
    try:
        strange = [s for s in content["species"] if s not in atomic_numbers]
        if strange or not content["species"]:
            raise ModelFileError(f"{path}: model.json, species: found {content['species']}, expected chemical symbols")
        expected = Potential.expected_tensors(content)
        names = [entry["file"] for entry in content["members"]]
        tensors = [_tensors(path, name, blob, expected) for name, blob in zip(names, blobs, strict=True)]
        return Potential.from_state(content, tensors)
    except ModelFileError:
        raise
    except (DataError, ConfigError) as error:
        raise ModelFileError(f"{path}: model.json, {error}") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError, OverflowError) as error:
        raise ModelFileError(f"{path}: model.json describes no potential of this version ({type(error).__name__}: {error})") from error


def _tensors(path: Path, name: str, blob: bytes, expected: dict[str, tuple[tuple[int, ...], torch.dtype]]) -> dict[str, torch.Tensor]:
    try:
        found = safetensors.torch.load(blob)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path}: {name} is no safetensors file ({error})") from None
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or extra:
        raise ModelFileError(f"{path}: {name}: tensors missing: {', '.join(missing) or 'none'}; not expected: {', '.join(extra) or 'none'}")
    for key, (shape, dtype) in expected.items():
        if tuple(found[key].shape) != shape or found[key].dtype != dtype:
            is_, right = f"{tuple(found[key].shape)} {found[key].dtype}", f"{shape} {dtype}"
            raise ModelFileError(f"{path}: {name}, tensor {key}: found {is_}, expected {right}")
        if not np.isfinite(found[key].double().numpy()).all():
            raise ModelFileError(f"{path}: {name}, tensor {key}: holds a value that is not finite")
    return found
