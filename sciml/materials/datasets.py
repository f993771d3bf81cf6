"""The data sets that come with the package: `datasets/<name>/` with card.md, licence, make.py and one `<part>.extxyz.gz` a part (eV,
eV/A, eV/A^3)."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path

import ase.io
from ase import Atoms

from sciml import files, resources
from sciml.errors import ConfigError, DataError

_SUFFIX = ".extxyz.gz"


def list_datasets() -> list[str]:
    """Names of the shipped data sets, sorted."""
    return sorted(folder.name for folder in resources.find("datasets").iterdir() if list_parts(folder))


def list_parts(folder: str | Path) -> list[str]:
    """Names of the parts (`train`, `test`, ...) that a data-set folder holds: train first, then by name."""
    names = [path.name.removesuffix(_SUFFIX) for path in Path(folder).glob("*" + _SUFFIX)]
    return sorted(names, key=lambda name: (name != "train", name))


def load_dataset(name: str, part: str | None = None) -> list[Atoms]:
    """Structures of a shipped data set with their labels in `atoms.calc.results` (eV, eV/A, eV/A^3; ASE's sign and Voigt order).

    `part`: "train", "test", ...; None gives all parts, train first. `info` holds the source's own columns, `group` among them where it
    has one. Raises ConfigError for an unknown name or part.
    """
    if name not in list_datasets():
        raise ConfigError(f"data set {name!r} is not known; there are {', '.join(list_datasets())}")
    folder = resources.find("datasets") / name
    parts = list_parts(folder)
    if part is not None and part not in parts:
        raise ConfigError(f"data set {name!r} has no part {part!r}; it has {', '.join(parts)}")
    return [atoms for each in ([part] if part else parts) for atoms in read_part(folder / (each + _SUFFIX))]


def read_part(path: str | Path) -> list[Atoms]:
    """The structures of one `<part>.extxyz.gz` written by `write_part`. Raises DataError when it is not a whole gzip file."""
    try:
        text = gzip.decompress(Path(path).read_bytes()).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a whole gzip file of text ({error}); fetch the package again") from error
    frames = ase.io.read(io.StringIO(text), index=":", format="extxyz")
    return list(frames)


def write_part(folder: str | Path, part: str, structures: Sequence[Atoms]) -> Path:
    """Writes `<part>.extxyz.gz`: symbols, positions and what the calculator holds of energy (eV), forces (eV/A), stress (eV/A^3, Voigt,
    ASE's sign).

    The same structures give the same bytes. Returns the path.
    """
    text = io.StringIO()
    for atoms in structures:
        has_forces = atoms.calc is not None and "forces" in atoms.calc.results
        columns = ["symbols", "positions", *(["forces"] if has_forces else [])]
        ase.io.write(text, atoms, format="extxyz", columns=columns)
    path = Path(folder) / (part + _SUFFIX)
    files.write_bytes(path, gzip.compress(text.getvalue().encode(), 9, mtime=0))
    return path
