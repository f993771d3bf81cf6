"""The elements of an SBML text with the lines they stand on; notes and annotations are kept as the text they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from sciml.errors import DataError

__all__ = ["MATHML", "WITH_TEXT", "Element", "descend", "parse", "parts"]

MATHML = "http://www.w3.org/1998/Math/MathML"
WITH_TEXT = frozenset(("ci", "cn", "csymbol", "value"))
_KEPT = ("notes", "annotation")
_TAG = re.compile(rb"<(?:[^>\"']|\"[^\"]*\"|'[^']*')*>")
_PREFIX = re.compile(r"[</\s]([A-Za-z_][\w.-]*):[A-Za-z_]")


class Element:
    """An element: `name` without prefix, `space` its namespace, `attributes` (those of other namespaces as "uri name").

    `text` is what stands directly in it, a <sep/> in it as "|", blanks between elements left out. `kept` maps notes and annotation to
    their whole text.
    """

    __slots__ = ("attributes", "children", "kept", "line", "name", "space", "text")

    def __init__(self, name: str, space: str, attributes: dict[str, str], line: int) -> None:
        self.name, self.space, self.attributes, self.line = name, space, attributes, line
        self.children: list[Element] = []
        self.text = ""
        self.kept: dict[str, str] = {}

    def child(self, name: str) -> Element | None:
        """The first child of that name in the same namespace, or None."""
        return next((c for c in self.children if c.name == name and c.space == self.space), None)

    def listed(self, name: str) -> list[Element]:
        """What stands in the list of that name."""
        found = self.child(name)
        return [c for c in found.children if c.space == self.space] if found else []


def parse(text: str) -> Element:
    """The root of an XML text. Raises DataError with line and column where it is no XML."""
    return _Builder(text).root


class _Builder:
    """Collects elements from expat's events; inside notes and annotations it only follows the depth."""

    def __init__(self, text: str) -> None:
        self.data = text.encode("utf-8")
        self.stack: list[Element] = []
        self.spaces: dict[str, list[str]] = {}
        self.kept: tuple[str, int, dict[str, str], int] | None = None  # name, byte after its tag, its declarations, depth inside
        self.declared: dict[str, str] = {}
        self.found: Element | None = None
        parser = self.parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = self.start, self.end, self.characters
        parser.StartNamespaceDeclHandler, parser.EndNamespaceDeclHandler = self.declare, self.undeclare
        try:
            parser.Parse(self.data, True)
        except expat.ExpatError as error:
            raise DataError(f"line {error.lineno}, column {error.offset}: no XML: {expat.errors.messages[error.code]}") from error

    @property
    def root(self) -> Element:
        if self.found is None:
            raise DataError("found no element")
        return self.found

    def declare(self, prefix: str | None, uri: str | None) -> None:
        self.spaces.setdefault(prefix or "", []).append(uri or "")
        self.declared[prefix or ""] = uri or ""

    def undeclare(self, prefix: str | None) -> None:
        self.spaces[prefix or ""].pop()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        declared, self.declared = self.declared, {}
        if self.kept:
            name, first, own, depth = self.kept
            self.kept = (name, first, own, depth + 1)
            return
        space, _, name = tag.rpartition(" ")
        if name in _KEPT and self.stack and space == self.stack[-1].space:
            at = self.parser.CurrentByteIndex
            found = _TAG.match(self.data, at)
            self.kept = (name, found.end() if found else at, declared, 0)
            return
        element = Element(name, space, attributes, self.parser.CurrentLineNumber)
        if self.stack:
            parent = self.stack[-1]
            parent.children.append(element)
            if name == "sep":
                parent.text += "|"
        else:
            self.found = element
        self.stack.append(element)

    def end(self, tag: str) -> None:
        if self.kept is None:
            self.stack.pop()
            return
        name, first, own, depth = self.kept
        if depth:
            self.kept = (name, first, own, depth - 1)
            return
        inside = self.data[first : max(first, self.parser.CurrentByteIndex)].decode("utf-8")
        self.stack[-1].kept[name] = self._self_contained(name, inside, own)
        self.kept = None

    def characters(self, text: str) -> None:
        if self.kept is None and self.stack and (self.stack[-1].name in WITH_TEXT or not text.isspace()):
            self.stack[-1].text += text

    def _self_contained(self, name: str, inside: str, own: dict[str, str]) -> str:
        """The element with a declaration of every prefix that its text uses and does not bring along."""
        used = {p for p in _PREFIX.findall(inside) if self.spaces.get(p)}
        needed = {p: own[p] if p in own else self.spaces[p][-1] for p in (used | own.keys()) - {"", "xml"}}
        declarations = "".join(f' xmlns:{prefix}="{_quoted(uri)}"' for prefix, uri in sorted(needed.items()))
        return f"<{name}{declarations}>{inside}</{name}>"


def _quoted(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def parts(text: str) -> list[tuple[str | None, str]]:
    """What stands in the root of a text, cut up: (namespace, text) of each element, (None, text) of what is between them."""
    data = text.encode("utf-8")
    found: list[tuple[str | None, str]] = []
    starts: list[tuple[str, int]] = []
    last = 0  # where the part before this one ended
    parser = expat.ParserCreate(namespace_separator=" ")

    def tag_end(first: int) -> int:
        tag = _TAG.match(data, first)
        return tag.end() if tag else first

    def add(space: str | None, until: int) -> None:
        nonlocal last
        found.append((space, data[last:until].decode("utf-8")))
        last = until

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal last
        starts.append((tag.rpartition(" ")[0], parser.CurrentByteIndex))
        if len(starts) == 1:
            last = tag_end(parser.CurrentByteIndex)
        elif len(starts) == 2:
            add(None, parser.CurrentByteIndex)

    def end(_: str) -> None:
        space, first = starts.pop()
        if len(starts) == 1:
            own = tag_end(first)
            empty = data[own - 2 : own] == b"/>"  # then expat stands behind it, else before the closing tag
            add(space, own if empty else tag_end(parser.CurrentByteIndex))
        elif not starts:
            add(None, max(last, parser.CurrentByteIndex))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)
    return found


def descend(element: Element) -> Iterator[Element]:
    """The element and everything in it, in the order of the text."""
    stack = [element]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))
