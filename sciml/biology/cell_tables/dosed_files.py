"""Files with a dose each: which ones a folder or a list holds, and the doses that were said or stand in their names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sciml.arguments import shown
from sciml.biology.cell_tables.flow_cytometry import read_flow
from sciml.biology.cell_tables.table import CellTable, Column, coded
from sciml.errors import ConfigError, DataError

__all__ = ["doses_in_names", "listed_files", "read_dosed"]

FILE = "file"
_TOKEN = re.compile(r"([A-Za-z]*=?)([+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?)([A-Za-zµμ%]*)")


def read_dosed(files: Sequence[Path], doses: Mapping[Any, Any] | None, dose: str, names: Sequence[str]) -> CellTable:
    """One table of all FCS files: channels, the dose of each file under the name `dose`, and the file's name under "file"."""
    said = [_given(path, doses) for path in files] if doses is not None else doses_in_names(files)
    if doses is not None and len(doses) > len(files):
        known = {key for path in files for key in _keys(path)}
        unused = next(key for key in doses if os.fspath(key) not in known) if all(isinstance(k, str | os.PathLike) for k in doses) else None
        raise ConfigError(f"doses: {shown(unused)} is none of the files: {', '.join(path.name for path in files[:10])}")
    channels = [name for name in names if name not in (dose, FILE)]
    samples = [read_flow(path, channels) for path in files]
    sizes = [len(sample.values) for sample in samples]
    values = np.concatenate([sample.values for sample in samples])
    columns = {name: Column(name, np.ascontiguousarray(values[:, k])) for k, name in enumerate(channels)}
    which = np.repeat(np.arange(len(files)), sizes)
    for name, texts in ((dose, said), (FILE, [path.name for path in files])):
        if name in names:
            column = coded(name, texts)
            columns[name] = Column(name, None, column.codes[which], column.texts)
    notes = dict.fromkeys(note for sample in samples for note in sample.notes)
    source = str(files[0] if len(files) == 1 else files[0].parent)
    starts = tuple(zip((path.name for path in files), (np.cumsum(sizes) - sizes).tolist(), strict=True))
    return CellTable(source, columns, len(values), notes=tuple(notes), starts=starts)


def listed_files(source: Any) -> list[Path]:
    """The FCS files of a folder, sorted by name (numbers in it by size), or of a list. DataError for none, ConfigError for no path."""
    if isinstance(source, str | os.PathLike):
        folder = Path(source)
        if not folder.is_dir():
            return [folder]
        found = [path for path in folder.iterdir() if path.suffix.lower() == ".fcs" and not path.name.startswith(".")]
        if not found:
            raise DataError(f"{folder}: the folder holds no file that ends in .fcs")
        return sorted(found, key=lambda path: ([_size(part) for part in re.split(r"(\d+(?:\.\d+)?)", path.stem)], path.name))
    if not source or not all(isinstance(path, str | os.PathLike) for path in source):
        raise ConfigError(f"from_table: found {shown(source)}, expected paths of FCS files")
    return [Path(path) for path in source]


def doses_in_names(files: Sequence[Path]) -> list[str]:
    """The dose of each file as text: the one number in its name that differs, where all names are alike but for it and plain words.

    Names are divided by _, blanks and hyphens: "TNF_0.1ng_a.fcs". DataError where no number or more than one could be meant.
    """
    stems = [
        re.split(r"[_\s]+|-(?!\d)|(?<=[A-Za-z])(?<!\d[eE])-", path.name[: -len(path.suffix)] if path.suffix else path.name)
        for path in files
    ]
    hint = "say them, as in doses={'a.fcs': 0.1, 'b.fcs': 1.0}"
    if len({len(parts) for parts in stems}) > 1 or len(files) < 2:
        raise DataError(f"{files[0]}: the doses cannot be told from the names of {len(files)} files; {hint}")
    places = []
    for k, texts in enumerate(zip(*stems, strict=True)):
        matches = [_TOKEN.fullmatch(text) for text in texts]
        if len(set(texts)) > 1 and all(matches) and len({m[1] for m in matches if m}) == 1:
            places.append((k, [f"{m[2]} {m[3]}".strip() for m in matches if m]))
    if len(places) != 1:
        found = "no number differs" if not places else f"{len(places)} numbers differ"
        raise DataError(f"{files[0].parent}: the doses cannot be told from the names of the files, where {found}; {hint}")
    return places[0][1]


def _size(part: str) -> tuple[float, str]:
    return (float(part), "") if part[:1].isdigit() else (-1.0, part)


def _given(path: Path, doses: Mapping[Any, Any]) -> str:
    for key in _keys(path):
        for given, value in doses.items():
            if isinstance(given, str | os.PathLike) and os.fspath(given) == key:
                if isinstance(value, bool) or not isinstance(value, str | int | float | np.number):
                    raise ConfigError(f"doses: {path.name!r}: found {shown(value)}, expected a number or a text")
                return value if isinstance(value, str) else repr(float(value))
    raise ConfigError(f"doses: has none for {path.name!r}; found {', '.join(map(str, list(doses)[:10])) or 'none'}")


def _keys(path: Path) -> tuple[str, str, str]:
    return str(path), path.name, path.stem
