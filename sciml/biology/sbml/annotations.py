"""Notes, annotations, metaid and sboTerm of elements as they travel in a network: one <kept> element each, text as it was.

Our own annotation is one element of the namespace `MARK`: it says the level a model came from, or that a reaction was declared as mass
action, and takes in what libSBML's rule for level 3 does not allow at the top of an annotation (a second element of one namespace).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from sciml.biology.sbml.tree import Element, parse, parts
from sciml.errors import DataError

__all__ = ["MARK", "Annotations", "kept"]

MARK = "urn:sciml:sbml"
_OURS = re.compile(r"<sciml:(\w+)\b([^>]*?)/?>")
_OUR_END = re.compile(r"</sciml:\w+>")
_EMPTY = re.compile(r"<annotation[^>]*>\s*</annotation>")
_OPENING = re.compile(r'<(notes|annotation)((?: xmlns:[\w.-]+="[^"]*")*)>')
_DECLARED = re.compile(r' xmlns:([\w.-]+)="([^"]*)"')


def kept(element: Element) -> tuple[str, dict[str, str]]:
    """(what to keep of an element as a <kept> element or nothing, {our marks: their attributes as text})."""
    names = {name: element.attributes[name] for name in ("metaid", "sboTerm") if name in element.attributes}
    annotation, marks = element.kept.get("annotation", ""), {}
    if MARK in annotation:
        marks = dict(_OURS.findall(annotation))
        annotation = _OUR_END.sub("", _OURS.sub("", annotation))
        annotation = "" if _EMPTY.fullmatch(annotation) else annotation
    content = element.kept.get("notes", "") + annotation
    text = "".join(f" {name}={quoteattr(value)}" for name, value in names.items())
    return f"<kept{text}>{content}</kept>" if content or names else "", marks


class Annotations:
    """What was kept, as the writer needs it; `spaces` are the prefixes that the root is to declare, where libSBML looks for them."""

    def __init__(self, network_id: str, texts: Mapping[str, str]) -> None:
        self.network_id, self.texts = network_id, texts
        self.spaces: dict[str, str] = {}

    def of(self, key: str, mark: str = "") -> tuple[dict[str, str], str]:
        """(attributes, notes and annotation) of an element, with our `mark` ("name" or "name attribute=...") in its annotation."""
        if key not in self.texts:
            return {}, _annotation("", "", mark) if mark else ""
        try:
            found = parse(self.texts[key])
        except DataError as error:
            raise DataError(f"{self.network_id}: the annotation of {key!r}: {error}") from error
        notes, annotation = found.kept.get("notes", ""), found.kept.get("annotation", "")
        free, bound = _sorted(annotation) if annotation else ("", "")
        opening = _OPENING.match(annotation)
        start = self._hoisted(opening) if opening else "<annotation>"
        text = _annotation(free, bound, mark, start) if free or bound or mark else ""
        return found.attributes, "".join(part + "\n" for part in (_OPENING.sub(self._hoisted, notes, count=1), text) if part)

    def _hoisted(self, opening: re.Match[str]) -> str:
        """The opening tag without the prefixes that the root can declare."""
        left = ""
        for prefix, uri in _DECLARED.findall(opening.group(2)):
            own = prefix in ("sciml", "math") or uri.startswith("http://www.sbml.org/sbml/level3")  # packages would be switched on
            if own or self.spaces.setdefault(prefix, uri) != uri:
                left += f' xmlns:{prefix}="{uri}"'
        return f"<{opening.group(1)}{left}>"


def _sorted(annotation: str) -> tuple[str, str]:
    """(what may stay in an annotation, what may not stand at its top: elements without namespace or of one that stands there already)."""
    seen = {"", MARK}
    free: list[str] = []
    bound: list[str] = []
    for space, text in parts(annotation):
        allowed = space is None or not (space in seen or space.startswith("http://www.sbml.org/sbml/level"))
        (free if allowed else bound).append(text)
        if space is not None:
            seen.add(space)
    return "".join(free), "\n".join(bound)


def _annotation(free: str, bound: str, mark: str, start: str = "<annotation>") -> str:
    name, _, attributes = mark.partition(" ")
    ours = ""
    if bound or mark:
        tag = f'sciml:{name or "kept"} xmlns:sciml="{MARK}"{" " + attributes if attributes else ""}'
        ours = f"<{tag}>{bound}</sciml:{name or 'kept'}>" if bound else f"<{tag}/>"
    return f"{start}{free}{ours}</annotation>"
