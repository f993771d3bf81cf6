"""Sphinx: furo, MyST, and API pages made from ``__all__`` of every package, so that no page can fall behind the code."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import pkgutil
import sys
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import docutils.core
from docutils.utils import Reporter

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

project = "sciml"
author = "The sciml developers"
copyright = "2026, the sciml developers"
release = importlib.metadata.version("sciml")
extensions = ["myst_parser", "sphinx.ext.autodoc"]
default_role = "literal"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"sciml {release}"
html_static_path = ["_static"]
exclude_patterns = ["_build"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True


def public_modules() -> list[str]:
    """Every package, and every module directly below sciml, with an ``__all__``; packages hide the modules that they re-export."""
    import sciml

    found = []
    for item in pkgutil.walk_packages(sciml.__path__, "sciml."):
        if any(part.startswith("_") for part in item.name.split(".")) or item.name.startswith("sciml.cli"):
            continue
        if item.name.count(".") > 1 and not item.ispkg:
            continue
        try:
            module = importlib.import_module(item.name)
        except ImportError as error:
            raise RuntimeError(f"{item.name} cannot be imported for its API page: {error}") from error
        if getattr(module, "__all__", None):
            found.append(item.name)
    return found


def options_table(model: Any) -> list[str]:
    """A table of a pydantic class: option, default, and the sentence that says what changes when it is raised."""
    lines = ["", "| option | default | what it does |", "| --- | --- | --- |"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else f"`{field.get_default(call_default_factory=True)!r}`"
        text = " ".join((field.description or "").split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {default[:60]} | {text} |")
    return [*lines, ""]


def entry(module: ModuleType, name: str) -> list[str]:
    """The lines of one public name."""
    from pydantic import BaseModel

    thing = getattr(module, name)
    target = f"{module.__name__}.{name}"
    if isinstance(thing, ModuleType):
        return [
            f"`{name}`",
            f": package, see {{doc}}`{thing.__name__}`" if (HERE / "api" / f"{thing.__name__}.md").exists() else ": module",
            "",
        ]
    if inspect.isclass(thing):
        if issubclass(thing, BaseModel):
            return [f"## {name}", "", "```{eval-rst}", f".. autoclass:: {target}", "   :no-members:", "```", *options_table(thing)]
        shown = ["   :members:"] if not issubclass(thing, BaseException) else ["   :show-inheritance:"]
        if is_dataclass(thing):  # what a result gives stands in its parents too
            shown.append("   :inherited-members:")
        return [f"## {name}", "", "```{eval-rst}", f".. autoclass:: {target}", *shown, "```", ""]
    if callable(thing):
        return [f"## {name}", "", "```{eval-rst}", f".. autofunction:: {target}", "```", ""]
    return [f"## {name}", "", f"`{name} = {str(thing)[:80]}`", ""]


def write_if_changed(path: Path, text: str) -> None:
    """A page that is not touched is not built again."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def write_api() -> None:
    """docs/api/<module>.md for every public module, and the index of them."""
    folder = HERE / "api"
    folder.mkdir(exist_ok=True)
    names, described = public_modules(), set[int]()
    for old in folder.glob("*.md"):
        if old.stem not in (*names, "index"):
            old.unlink()
    for name in names:
        module = importlib.import_module(name)
        first = (inspect.getdoc(module) or "").strip().split("\n\n")[0].replace("\n", " ")
        lines = [f"# {name}", "", first.replace("<", "&lt;").replace("*", "\\*").replace("$", "\\$"), ""]
        for public in module.__all__:
            own = entry(module, public)
            if id(getattr(module, public)) in described:  # a door shows it already
                own = [part for line in own for part in ([line, "   :no-index:"] if line.startswith(".. auto") else [line])]
            described.add(id(getattr(module, public)))
            lines += own
        write_if_changed(folder / f"{name}.md", "\n".join(lines))
    index = [
        "# Reference",
        "",
        "One page for each package, made from its `__all__`.",
        "",
        "```{toctree}",
        ":maxdepth: 1",
        "",
        *names,
        "```",
        "",
    ]
    write_if_changed(folder / "index.md", "\n".join(index))


def plain_where_needed(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Docstrings are written for people: one whose text is no valid reStructuredText is shown as it stands, as a literal block."""
    text = "\n".join(lines)
    settings = {
        "report_level": Reporter.WARNING_LEVEL,
        "halt_level": Reporter.WARNING_LEVEL,
        "warning_stream": False,
        "raw_enabled": False,
        "file_insertion_enabled": False,
    }
    try:
        docutils.core.publish_doctree(text, settings_overrides=settings)
    except Exception:
        lines[:] = ["::", "", *("   " + line for line in lines), ""]


def setup(app: Any) -> None:
    """Make the API pages before Sphinx looks for sources."""
    write_api()
    app.connect("autodoc-process-docstring", plain_where_needed, priority=900)
