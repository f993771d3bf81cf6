"""The syntax of CIF 1.1: data blocks of tags and loops, in time linear in the size of the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sciml.materials.formats.tokens import Place, shorten

__all__ = ["Block", "parse_blocks"]


@dataclass
class Block:
    """One `data_` block: tags in lower case, dots as underscores; every tag has a list of texts (one for a tag outside loops)."""

    name: str
    values: dict[str, list[str]] = field(default_factory=dict)

    def one(self, *tags: str) -> str | None:
        """The text of the first tag that is there and known (not `?` or `.`), else None."""
        for tag in tags:
            texts = self.values.get(tag)
            if texts and texts[0] not in ("?", "."):
                return texts[0]
        return None

    def column(self, *tags: str) -> list[str] | None:
        """The column of the first tag that is there, else None."""
        return next((self.values[tag] for tag in tags if tag in self.values), None)


def parse_blocks(text: str, place: Place) -> list[Block]:
    """The data blocks. DataError for a loop whose values do not fill its rows, a quote or text field that is not closed, a tag without
    a value.
    """
    blocks: list[Block] = []
    tags: list[str] | None = None  # tags of the open loop
    rows: list[str] = []
    pending: str | None = None
    for quoted, word in _words(text, place):
        lower = "" if quoted else word.lower()
        is_tag, is_word = lower.startswith("_"), lower.startswith(("data_", "loop_", "save_", "global_", "stop_"))
        if tags is not None and (is_word or (is_tag and rows)):
            _close_loop(blocks, tags, rows, place)
            tags, rows = None, []
        if pending is not None and (is_tag or is_word):
            raise place.fault(pending, "no value", "a value behind each tag")
        if lower.startswith("data_"):
            blocks.append(Block(word[5:]))
        elif not blocks and not is_word:
            blocks.append(Block(""))
        if is_word and lower != "loop_":
            continue
        if lower == "loop_":
            tags, rows = [], []
        elif is_tag and tags is not None:
            tags.append(_tag(word))
        elif is_tag:
            pending = _tag(word)
        elif tags is not None:
            rows.append(word)
        elif pending is not None:
            blocks[-1].values[pending] = [word]
            pending = None
        else:
            raise place.fault("CIF", f"the value {shorten(word)} has no tag", "tag and value in turn")
    if tags is not None:
        _close_loop(blocks, tags, rows, place)
    if pending is not None:
        raise place.fault(pending, "the file ends before its value", "a whole CIF")
    return blocks


def _tag(word: str) -> str:
    return word.lower().replace(".", "_")


def _close_loop(blocks: list[Block], tags: list[str], rows: list[str], place: Place) -> None:
    """Puts the columns of a loop into the last block."""
    if not tags:
        raise place.fault("loop_", "no tags", "tags behind loop_")
    if len(rows) % len(tags):
        raise place.fault(f"loop_ of {tags[0]}", f"{len(rows)} values for {len(tags)} columns: the last row is not whole", "whole rows")
    if not blocks:
        blocks.append(Block(""))
    for k, tag in enumerate(tags):
        blocks[-1].values[tag] = rows[k :: len(tags)]


def _words(text: str, place: Place) -> Iterator[tuple[bool, str]]:
    """(quoted, word) one after the other; comments left out."""
    lines = text.split("\n")
    k = 0
    while k < len(lines):
        line = lines[k]
        if line.startswith(";"):
            end = next((j for j in range(k + 1, len(lines)) if lines[j].startswith(";")), None)
            if end is None:
                raise place.fault(f"line {k + 1}", "a text field is not closed", "a line that starts with ;")
            yield True, "\n".join([line[1:], *lines[k + 1 : end]])
            lines[end] = " " + lines[end][1:]  # what follows the closing semicolon
            k = end
            continue
        yield from _words_of_line(line, k, place)
        k += 1


def _words_of_line(line: str, number: int, place: Place) -> Iterator[tuple[bool, str]]:
    """The words of one line; a quote closes only before a blank or the end."""
    if "'" not in line and '"' not in line:
        for word in line.split("#")[0].split() if line.lstrip().startswith("#") or " #" in line or "\t#" in line else line.split():
            yield False, word
        return
    position = 0
    while position < len(line):
        char = line[position]
        if char.isspace():
            position += 1
        elif char == "#":
            return
        elif char in "'\"":
            end = line.find(char, position + 1)
            while 0 <= end < len(line) - 1 and not line[end + 1].isspace():
                end = line.find(char, end + 1)
            if end < 0:
                raise place.fault(f"line {number + 1}", f"a quote is not closed in {shorten(line.strip())}", f"a closing {char}")
            yield True, line[position + 1 : end]
            position = end + 1
        else:
            start = position
            while position < len(line) and not line[position].isspace():
                position += 1
            yield False, line[start:position]
