"""Blocks as HTML: every text escaped, every number from the block, data embedded for drawing and saving."""

from __future__ import annotations

import base64
import html
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sciml.report.blocks import Block, Download, Figure, KeyFigure, KeyFigures, Section, Structure3D, Table, Text, plain
from sciml.report.numbers import shown

__all__ = ["escaped", "run_facts", "section"]

EMBEDDED_CELLS = 200_000
EMBEDDED_BYTES = 4_000_000


def escaped(text: Any) -> str:
    """`text` for element content and quoted attributes; what is no valid Unicode becomes a question mark."""
    return html.escape(str(text).encode("utf-8", "replace").decode("utf-8"), quote=True)


def section(number: int, content: Section, names: Sequence[Sequence[str]], folder: str) -> str:
    """One section; `names` are the data files of each block in `folder`. Plots and structures in a row share it."""
    parts, row = list[str](), list[str]()
    for place, block in enumerate(content.blocks):
        key = f"b{number}-{place}"
        files = [f"{folder}/{name}" for name in names[place]]
        panel = isinstance(block, Structure3D) or (isinstance(block, Figure) and not block.wide)
        if not panel:
            parts, row = [*parts, *_row(row)], []
        (row if panel else parts).append(_block(block, key, files))
    parts += _row(row)
    lead = f'<p class="lead">{escaped(content.lead)}</p>' if content.lead else ""
    heading = f"<h2>{escaped(content.title)}</h2>" if content.title else ""
    label = escaped(content.title or "Overview")
    return f'<section id="s{number}" aria-label="{label}">{heading}{lead}\n' + "\n".join(parts) + "\n</section>"


def run_facts(run: Mapping[str, Any]) -> str:
    """What was run: plain values as a list of terms, mappings inside as parts that open."""
    values = {name: value for name, value in run.items() if not isinstance(value, Mapping)}
    parts = [_terms(values)] if values else []
    groups = [(name, value) for name, value in run.items() if isinstance(value, Mapping)]
    parts += [f"<details><summary>{escaped(_label(name))}</summary>{_terms(value)}</details>" for name, value in groups]
    return f'<div class="run">{"".join(parts)}</div>' if parts else ""


def _terms(values: Mapping[str, Any]) -> str:
    return "<dl>" + "".join(_term(_label(name), value) for name, value in values.items()) + "</dl>"


def _term(label: str, value: Any) -> str:
    long = isinstance(value, Mapping) or (isinstance(value, str) and len(value) > 36)
    return f"<div{' class=long' if long else ''}><dt>{escaped(label)}</dt><dd>{_value(value)}</dd></div>"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return _terms(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(item) for item in value) or "–"
    text = escaped(f"{value:.6g}" if isinstance(value, float) else shown(value))
    return f"<code>{text}</code>" if len(text) >= 32 and " " not in text else text


def _label(name: str) -> str:
    return name.replace("_", " ")


def _row(panels: Sequence[str]) -> list[str]:
    """Panels in full rows: threes, and at the end two (or two twos) where threes do not come out even; one a row on a phone."""
    count, sizes = len(panels), list[int]()
    while count:
        sizes.append(2 if count in (2, 4) else min(3, count))
        count -= sizes[-1]
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    return [
        f'<div class="row columns-{size}">' + "\n".join(panels[start : start + size]) + "</div>"
        for start, size in zip(starts, sizes, strict=True)
    ]


def _block(block: Block, key: str, files: Sequence[str]) -> str:
    match block:
        case Text():
            return _text(block)
        case KeyFigures():
            return '<div class="key-figures">' + "".join(map(_key_figure, block.figures)) + "</div>"
        case Figure():
            return _figure(block, key, files)
        case Table():
            return _table(block, key, files)
        case Structure3D():
            return _structure(block, key, files)
        case Download():
            return _download(block, key, files)


def _text(block: Text) -> str:
    if block.code:
        body = f'<pre tabindex="0">{escaped(block.text)}</pre>'
    else:
        body = "".join(f"<p>{escaped(part.strip())}</p>" for part in block.text.split("\n\n") if part.strip())
    return f'<div class="text {block.tone}">{body}</div>'


def _key_figure(figure: KeyFigure) -> str:
    unit = f" <small>{escaped(figure.unit)}</small>" if figure.unit else ""
    note = f'<span class="note">{escaped(figure.note)}</span>' if figure.note else ""
    value = f'<span class="value">{escaped(shown(figure.value))}{unit}</span>'
    return f'<div class="key-figure {figure.tone}"><span class="label">{escaped(figure.label)}</span>{value}{note}</div>'


def _figure(block: Figure, key: str, files: Sequence[str]) -> str:
    height = block.layout.get("height", 340)
    plot = f'<div class="plot" data-key="{key}" role="img" aria-label="{escaped(f"Plot: {block.name}. {block.caption}")}"></div>'
    data = _embedded(key, {"name": block.name, "traces": block.traces, "layout": block.layout})
    box = f'<div class="drawing" style="height:{int(height)}px">{plot}</div>'
    return _panel("figure", block.name, box, block.caption, block.notes, _save(key, ("csv", "json", "svg"), files)) + data


def _structure(block: Structure3D, key: str, files: Sequence[str]) -> str:
    hint = "Select it, then drag to turn, scroll to zoom; or arrow keys, + and -."
    label = escaped(f"Structure: {block.name}. {block.caption} {hint}")
    viewer = f'<div class="drawing viewer" data-key="{key}" role="img" tabindex="0" aria-label="{label}"></div><div class="elements"></div>'
    data = _embedded(key, {"name": block.name, "format": block.format, "text": block.text})
    return _panel("structure", block.name, viewer, block.caption, (hint,), _save(key, ("text", "reset"), files, block.format)) + data


def _table(block: Table, key: str, files: Sequence[str]) -> str:
    cut, notes, kinds = min(block.rows, block.rows_shown), list[str](), tuple[str, ...]()
    if cut < block.rows:
        notes.append(f"The first {cut:,} of {block.rows:,} rows are shown; the data file has all of them.")
    data = ""
    if block.rows * len(block.columns) <= EMBEDDED_CELLS:
        kinds, data = ("csv", "json"), _embedded(key, {"name": block.name, "columns": {h: _cells(v) for h, v in block.columns.items()}})
    numeric = {
        h: all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values if v is not None)
        for h, values in block.columns.items()
    }
    head = "".join(_heading(heading, block.units.get(heading, ""), numeric[heading]) for heading in block.columns)
    body = "".join(
        "<tr>" + "".join(_cell(values[row], numeric[heading], block) for heading, values in block.columns.items()) + "</tr>"
        for row in range(cut)
    )
    grid = f'<div class="scroll" role="region" tabindex="0" aria-label="{escaped(f"Table: {block.name}")}">'
    grid += f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    return _panel("table", block.name, grid, block.caption, notes, _save(key, kinds, files)) + data


def _heading(heading: str, unit: str, numeric: bool) -> str:
    shown_unit = f" <small>{escaped(unit)}</small>" if unit else ""
    return f'<th scope="col"{" class=number" if numeric else ""}>{escaped(heading)}{shown_unit}</th>'


def _cell(value: Any, numeric: bool, block: Table) -> str:
    text = escaped(shown(value, block.digits))
    tone = block.tones.get(value, "") if isinstance(value, str) else ""
    inner = f'<span class="pill {tone}">{text}</span>' if tone else text
    return f"<td{' class=number' if numeric else ''}>{inner}</td>"


def _cells(values: Sequence[Any]) -> list[Any]:
    """Values for JSON; NaN and infinities, which JSON cannot hold, as the texts nan, inf and -inf."""
    return [str(value) if isinstance(value, float) and not math.isfinite(value) else value for value in values]


def _download(block: Download, key: str, files: Sequence[str]) -> str:
    content = block.content if isinstance(block.content, bytes) else block.content.encode()
    size = f"{len(content) / 1e6:.1f} MB" if len(content) >= 1e5 else f"{len(content) / 1e3:.1f} kB"
    where = f'<span class="file">{escaped(files[0])}</span>' if files else ""
    about = f"<span><b>{escaped(block.name)}</b> {escaped(block.caption)}</span>"
    if len(content) > EMBEDDED_BYTES:
        return f'<div class="download">{about}{where}<span class="note">{size}, beside this page only</span></div>'
    data = _embedded(key, {"name": block.filename, "base64": base64.b64encode(content).decode()})
    button = f'<button type="button" data-save="file" data-key="{key}">Save {escaped(block.filename)} ({size})</button>'
    return f'<div class="download">{about}{where}{button}</div>{data}'


def _panel(kind: str, name: str, body: str, caption: str, notes: Sequence[str], save: str) -> str:
    said = f"{escaped(caption)} " if caption else ""
    said += "".join(f'<span class="note">{escaped(note)}</span> ' for note in notes)
    below = f"<figcaption>{said}</figcaption>" if said else ""
    return f'<figure class="panel {kind}"><h3>{escaped(name)}</h3>{body}{below}{save}</figure>'


def _save(key: str, kinds: Sequence[str], files: Sequence[str], text: str = "") -> str:
    labels = {"csv": "CSV", "json": "JSON", "svg": "SVG", "text": text, "reset": "Reset view"}
    buttons = "".join(f'<button type="button" data-save="{kind}" data-key="{key}">{escaped(labels[kind])}</button>' for kind in kinds)
    where = "".join(f'<span class="file">{escaped(name)}</span>' for name in files)
    return f'<div class="save">{buttons}{where}</div>'


def _embedded(key: str, data: Any) -> str:
    """`data` as JSON that no parser of HTML can take for markup."""
    text = json.dumps(plain(data), allow_nan=False, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<script type="application/json" id="data-{key}">{text}</script>'
