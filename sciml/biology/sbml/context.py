"""What a reader of SBML elements carries along: level, findings with their lines, notes and annotations, and how attributes are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sciml.biology.sbml.annotations import kept
from sciml.biology.sbml.mathml import Report, body
from sciml.biology.sbml.tree import Element

__all__ = ["Context", "flag", "real"]


@dataclass
class Context:
    """Level and version, and what was found on the way.

    `unsupported`: (line, text) of what cannot be taken; `warnings`: what can be, with a word; `lines`: key -> line of an element;
    `kept`: key -> notes and annotation as XML; `marks`: key -> {name: attributes} of our own annotation.
    """

    level: tuple[int, int]
    unsupported: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    marks: dict[str, dict[str, str]] = field(default_factory=dict)

    def refuse(self, element: Element, what: str) -> None:
        """Note something that cannot be taken, at the line of an element."""
        self.unsupported.append((element.line, what))

    def warn(self, element: Element, what: str) -> None:
        """Note something that is taken in a way that the user should know of."""
        self.warnings.append(f"line {element.line}: {what}")

    def math(self, parent: Element, where: str) -> Any:
        """The list form of the <math> in an element, None where there is none or it is empty."""
        found = next((c for c in parent.children if c.name == "math"), None)
        return None if found is None else body(found, self.reporting(where))

    def reporting(self, where: str) -> Report:
        """`refuse` for what is found in the formula of `where`."""
        return lambda element, what: self.refuse(element, f"{where}: {what}")

    def keep(self, element: Element, key: str) -> None:
        """Keep notes, annotation, metaid and sboTerm of an element under a key; our own annotation is taken out."""
        self.lines.setdefault(key, element.line)
        text, marks = kept(element)
        if text:
            self.kept[key] = text
        if marks:
            self.marks[key] = marks


def real(context: Context, element: Element, name: str, where: str) -> float | None:
    """A number attribute, None where it is missing; INF and NaN are SBML's words."""
    text = element.attributes.get(name)
    if text is None:
        return None
    try:
        return float(text.strip())
    except ValueError:
        context.refuse(element, f"{where}: {name} is {text[:40]!r}, expected a number")
        return None


def flag(context: Context, element: Element, name: str, default: bool, where: str) -> bool:
    """A boolean attribute, `default` where it is missing."""
    text = element.attributes.get(name)
    if text is None:
        return default
    if text.strip() not in ("true", "false", "1", "0"):
        context.refuse(element, f"{where}: {name} is {text[:40]!r}, expected true or false")
    return text.strip() in ("true", "1")
