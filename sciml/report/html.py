"""One self-contained page from a report's data: scripts and data inside, and a policy under which it can reach no network.

The policy (`Content-Security-Policy`) forbids everything that is not in the file: scripts run only if their SHA-256 is
listed, so a script smuggled in with a text would not run even if it were not escaped; images come from data and blob
addresses; there are no connections, frames, fonts or forms.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sciml import __version__, files
from sciml.errors import ConfigError, DataError
from sciml.report.blocks import Figure, Section, Structure3D
from sciml.report.markup import escaped, run_facts, section
from sciml.report.storage import INDEX, Report, load_report, save_report

__all__ = ["report_from_folder", "write_report"]

HERE = Path(__file__).parent


def write_report(sections: Sequence[Section], path: str | Path, *, title: str, run: Mapping[str, Any] | None = None) -> Path:
    """Write `sections` as one HTML page at `path` and their data as files in `<stem>-data/` beside it; returns the page's path.

    `run` says what was run, in the header: name -> value, or name -> mapping for parts that open (configuration, versions,
    data digests). Both are written whole or not at all, the data first. Raises `ConfigError` where `path` is no .html.
    """
    target = Path(path)
    if target.suffix != ".html":
        raise ConfigError(f"report {target}: its name ends in {target.suffix!r}; .html would be right")
    folder = target.with_name(f"{target.stem}-data")
    report = save_report(sections, folder, title=title, run=run)
    files.write_text(target, _page(report, folder.name))
    return target


def report_from_folder(folder: str | Path, path: str | Path | None = None) -> Path:
    """Make the page again from the data files in a run folder (or in the data folder itself); returns the page's path.

    `path`: None writes the page where it was. Raises `DataError` where there is no report's data, or it is damaged.
    """
    place = Path(folder)
    data = next((place for place in (place, place / "report-data") if (place / INDEX).is_file()), None)
    if data is None:
        raise DataError(f"{place}: no report's data here; a folder with report-data/{INDEX} would be right")
    target = Path(path) if path is not None else data.with_name(data.name.removesuffix("-data") + ".html")
    files.write_text(target, _page(load_report(data), data.name))
    return target


def _page(report: Report, folder: str) -> str:
    blocks = [block for content in report.sections for block in content.blocks]
    scripts = [_plotly()] if any(isinstance(block, Figure) for block in blocks) else []
    scripts += [_asset("vendor/3Dmol-min.js")] if any(isinstance(block, Structure3D) for block in blocks) else []
    scripts.append(_asset("page/report.js"))
    named = [(number, content.title) for number, content in enumerate(report.sections) if content.title]
    links = "".join(f'<a href="#s{number}">{escaped(title)}</a>' for number, title in named)
    body = [section(n, content, report.files[n], folder) for n, content in enumerate(report.sections)]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            f"<head>{_head(report.title, scripts)}</head>",
            '<body><a class="skip" href="#content">Skip to the content</a>',
            f'<header><div class="top"><span class="mark">sciml {escaped(__version__)}</span>'
            '<button type="button" id="theme" hidden>Dark</button></div>'
            f"<h1>{escaped(report.title)}</h1>{run_facts(report.run)}</header>",
            f'<nav aria-label="Sections">{links}</nav>' if len(named) > 1 else "",
            '<noscript><p class="text warn">Plots and structures are drawn by scripts, which are switched off here.</p></noscript>',
            '<main id="content">',
            *body,
            f"</main>{_footer(folder, scripts)}",
            *(f"<script>{script}</script>" for script in scripts),
            "</body></html>\n",
        ]
    )


def _head(title: str, scripts: Sequence[str]) -> str:
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts)
    policy = f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    return (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f'<title>{escaped(title)}</title><link rel="icon" href="data:,"><style>{_asset("page/report.css")}</style>'
    )


def _footer(folder: str, scripts: Sequence[str]) -> str:
    licence = escaped(_asset("vendor/3Dmol-LICENSE.txt"))
    parts = ["plotly.js (MIT licence, its text is in the script)"] if any("plotly.js v" in script[:200] for script in scripts) else []
    notice = ""
    if any("3dmol" in script[:2000].lower() for script in scripts):
        parts.append("3Dmol.js 2.5.5 (BSD-3 licence)")
        notice = f'<details><summary>Licence of 3Dmol.js</summary><pre tabindex="0">{licence}</pre></details>'
    inside = f" Inside: {', '.join(parts)}." if parts else ""
    return (
        "<footer><p>This page is one file and opens without a network; the numbers behind it lie in "
        f'<span class="file">{escaped(folder)}/</span> beside it.{inside}</p>{notice}</footer>'
    )


def _asset(name: str) -> str:
    """A text file of this package, as a script or style that ends no element early."""
    text = (HERE / name).read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--") if name.endswith(".js") else text


def _plotly() -> str:
    """plotly's script from its Python package, which is not imported (that takes a second)."""
    found = importlib.util.find_spec("plotly")
    places = list(found.submodule_search_locations or []) if found else []
    path = Path(places[0]) / "package_data" / "plotly.min.js" if places else None
    if path is None or not path.is_file():
        raise ConfigError("plotly's script is missing; `pip install plotly` would put it right")
    return path.read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n")
