"""The data files of a report: a folder beside the page from which the page can be made again.

    report.json          format number, title, what was run, sections; text and key figures stand in it
    NAME.json            a figure: plotly's traces and layout (numbers as drawn; NaN and infinities are null)
    NAME.parquet         a table; or NAME-whole.parquet: all data of a figure that shows a part
    NAME.xyz, NAME.cif   a structure
    other                downloads, under their own names

The folder is written whole or not at all; names are made from the blocks' names and hold only a-z, 0-9 and hyphens.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sciml import files
from sciml.errors import DataError
from sciml.report.blocks import Block, Download, Figure, KeyFigure, KeyFigures, Section, Structure3D, Table, Text, plain

__all__ = ["Report", "load_report", "save_report"]

FORMAT = 1
INDEX = "report.json"
KINDS: dict[str, type[Any]] = {block.kind: block for block in (Text, KeyFigures, Figure, Table, Structure3D, Download)}


@dataclasses.dataclass(frozen=True)
class Report:
    """What a page shows: `title`, `run` (name -> value or mapping: what was run), `sections`, and per block its data files.

    `files` [section][block] are names in the data folder, empty for blocks that stand in the index.
    """

    title: str
    run: Mapping[str, Any]
    sections: Sequence[Section]
    files: Sequence[Sequence[Sequence[str]]]


def save_report(sections: Sequence[Section], folder: str | Path, *, title: str, run: Mapping[str, Any] | None = None) -> Report:
    """Write `sections` as data files to `folder` (replaced whole) and return what a page shows of them."""
    used: set[str] = {INDEX}
    with files.write_folder(folder) as place:
        entries = [
            {"title": section.title, "lead": section.lead, "blocks": [_save(block, place, used) for block in section.blocks]}
            for section in sections
        ]
        index = {"format": FORMAT, "title": title, "run": plain(run or {}), "sections": entries}
        files.write_text(place / INDEX, json.dumps(index, indent=1, allow_nan=False))  # the order of `run` is kept
    names = [[entry["files"] for entry in section["blocks"]] for section in entries]  # type: ignore[index]
    return Report(title, index["run"], tuple(sections), names)


def load_report(folder: str | Path) -> Report:
    """Read what `save_report` wrote. Raises `DataError` that names the file and field where it is missing, damaged or newer."""
    place = Path(folder)
    path = place / INDEX
    index = files.read_json(path)
    number = index.get("format") if isinstance(index, dict) else None
    if not isinstance(number, int):
        raise DataError(f"{path}: field format: found {number!r}, a whole number would be right; this is no report of sciml")
    if number > FORMAT:
        raise DataError(f"{path}: field format: found {number}, this sciml reads up to {FORMAT}; install a newer sciml")
    sections, names = [], []
    try:
        for number, entry in enumerate(index["sections"]):
            where = f"{path}: section {number}"
            blocks = [_load(block, place, f"{where}, block {n}") for n, block in enumerate(entry["blocks"])]
            sections.append(Section(entry["title"], blocks, entry["lead"]))
            names.append([block["files"] for block in entry["blocks"]])
        return Report(index["title"], index["run"], tuple(sections), names)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: damaged or not a report: {type(error).__name__}: {error}") from error


def _save(block: Block, place: Path, used: set[str]) -> dict[str, Any]:
    """Write the data files of a block; its entry in the index is its kind, its files and the fields that are in no file."""
    fields = {f.name: getattr(block, f.name) for f in dataclasses.fields(block)}
    entry: dict[str, Any] = {"kind": block.kind, "files": []}
    if isinstance(block, KeyFigures):
        fields["figures"] = [dataclasses.asdict(figure) for figure in block.figures]
    elif isinstance(block, Figure):
        data = _name(block.name, ".json", used)
        files.write_json(place / data, {"traces": fields.pop("traces"), "layout": fields.pop("layout")})
        entry["files"].append(data)
        if fields.pop("whole") is not None:
            entry["files"].append(_write_columns(place, _name(f"{block.name} whole", ".parquet", used), block.whole or {}))
    elif isinstance(block, Table):
        entry["files"].append(_write_columns(place, _name(block.name, ".parquet", used), fields.pop("columns")))
    elif isinstance(block, Structure3D):
        entry["files"].append(_name(block.name, f".{block.format}", used))
        files.write_text(place / entry["files"][0], fields.pop("text"))
    elif isinstance(block, Download):
        suffix = "".join(re.findall(r"\.[A-Za-z0-9]+", block.filename)[-2:])
        entry["files"].append(_name(block.filename.removesuffix(suffix), suffix, used))
        files.write_bytes(place / entry["files"][0], fields.pop("content"))
    return entry | plain(fields)


def _load(entry: Mapping[str, Any], place: Path, where: str) -> Block:
    fields = dict(entry)
    kind, names = fields.pop("kind"), fields.pop("files")
    if kind not in KINDS:
        raise DataError(f"{where}: field kind: found {kind!r}; one of {', '.join(KINDS)} would be right")
    paths = [_inside(place, name, where) for name in names]
    if kind == KeyFigures.kind:
        fields["figures"] = [KeyFigure(**figure) for figure in fields["figures"]]
    elif kind == Figure.kind:
        fields |= files.read_json(paths[0])
        fields["whole"] = _read_columns(paths[1]) if len(paths) > 1 else None
    elif kind == Table.kind:
        fields["columns"] = _read_columns(paths[0])
    elif kind == Structure3D.kind:
        fields["text"] = paths[0].read_text(encoding="utf-8")
    elif kind == Download.kind:
        fields["content"] = paths[0].read_bytes()
    return KINDS[kind](**fields)


def _name(name: str, suffix: str, used: set[str]) -> str:
    """A file name no other block has: lower case letters, digits and hyphens, at most 60 of them."""
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-") or "data"
    number, found = 1, f"{stem}{suffix}"
    while found in used:
        number += 1
        found = f"{stem}-{number}{suffix}"
    used.add(found)
    return found


def _inside(place: Path, name: Any, where: str) -> Path:
    path = place / str(name)
    if not isinstance(name, str) or Path(name).name != name or path.is_symlink() or not path.is_file():
        raise DataError(f"{where}: field files: {name!r} is no file of {place}")
    return path


def _write_columns(place: Path, name: str, columns: Mapping[str, Sequence[Any]]) -> str:
    import pyarrow
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table({heading: list(values) for heading, values in columns.items()}), sink)
    files.write_bytes(place / name, sink.getvalue().to_pybytes())
    return name


def _read_columns(path: Path) -> dict[str, list[Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a Parquet file, or damaged: {error}") from error
    return {heading: table.column(number).to_pylist() for number, heading in enumerate(table.column_names)}
