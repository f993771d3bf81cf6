"""The comment line of an extended xyz frame: `key=value key="two words" flag`, in time linear in its length."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

__all__ = ["parse_comment", "parse_value"]

_CLOSING = {'"': '"', "'": "'", "{": "}", "[": "]"}
_PLAIN = re.compile(r"[^\s=\"'{}\[\]\\]+")
_QUOTED = {'"': re.compile(r'[^"\\]+'), "'": re.compile(r"[^'\\]+")}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:nan|inf)", re.IGNORECASE | re.ASCII)
_BOOLEANS = {"T": True, "F": False, "true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}
JSON_DEPTH = 20


def parse_comment(line: str) -> dict[str, Any]:
    """Key -> value of one comment line. A line without `=` is a plain comment: {"comment": line}.

    Values may stand in double or single quotes, in braces or in brackets (which may be nested); a backslash takes the next character as
    it is; a key alone is True. Numbers, arrays of numbers, booleans (T, F, true, False, ...) and `_JSON ...` become values, everything
    else stays a text.
    """
    line = line.strip()
    if "=" not in line:
        return {"comment": line} if line else {}
    found: dict[str, Any] = {}
    position = 0
    while position < len(line):
        if line[position].isspace() or line[position] == ",":
            position += 1
            continue
        key, position = _word(line, position, stop="=")
        after = position
        while after < len(line) and line[after].isspace():
            after += 1
        if after < len(line) and line[after] == "=":
            after += 1
            while after < len(line) and line[after].isspace():
                after += 1
            text, position = _word(line, after, stop="")
            found[key] = parse_value(text) if key.lower() != "uid" else text
        else:
            found[key] = True
    found.pop("", None)
    return found


def _word(line: str, position: int, stop: str) -> tuple[str, int]:
    """The word that starts here: plain, quoted or bracketed parts up to a blank (or `stop`), and the place behind it."""
    parts: list[str] = []
    while position < len(line) and not line[position].isspace() and line[position] != stop:
        char = line[position]
        if char == "\\":
            parts.append(line[position + 1 : position + 2])
            position += 2
        elif char in "\"'":
            text, position = _quoted(line, position)
            parts.append(text)
        elif char in "{[":
            text, position = _bracketed(line, position)
            parts.append(text)
        elif match := _PLAIN.match(line, position):
            parts.append(match.group())
            position = match.end()
        else:  # a closing bracket or an equals sign inside a value
            parts.append(char)
            position += 1
    return "".join(parts), position


def _quoted(line: str, position: int) -> tuple[str, int]:
    """Text between two equal quotes, escapes resolved."""
    quote = line[position]
    parts: list[str] = []
    position += 1
    while position < len(line) and line[position] != quote:
        if line[position] == "\\":
            parts.append(line[position + 1 : position + 2])
            position += 2
        elif match := _QUOTED[quote].match(line, position):
            parts.append(match.group())
            position = match.end()
    return "".join(parts), position + 1


def _bracketed(line: str, position: int) -> tuple[str, int]:
    """Text in braces or brackets: the inside where it is flat (`[1, 2]` -> `1, 2`), JSON with its mark where it is nested."""
    start, depth, deepest, inside = position, 0, 0, ""
    while position < len(line):
        char = line[position]
        if inside:
            position += char == "\\"
            inside = "" if char == inside else inside
        elif char in "\"'":
            inside = char
        elif char in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "}]":
            depth -= 1
            if depth == 0:
                break
        position += 1
    text = line[start : position + 1]
    nested = deepest > 1 or (text[:1] == "{" and '":' in text)
    return ("_JSON " + text, position + 1) if nested and deepest <= JSON_DEPTH else (text[1:].rstrip("]}"), position + 1)


def parse_value(text: str) -> Any:
    """Number, array of numbers, boolean, JSON or the text itself. A text like `12a` or `1_0` is no number and stays a text."""
    parts = text.replace(",", " ").split()
    if parts and all(_INTEGER.fullmatch(part) for part in parts):
        integers = [int(part) for part in parts]
        return integers[0] if len(parts) == 1 else np.array(integers, dtype=np.int64)
    if parts and all(_FLOAT.fullmatch(part) for part in parts):
        numbers = [float(part) for part in parts]
        return numbers[0] if len(parts) == 1 else np.array(numbers)
    if parts and all(part in _BOOLEANS for part in parts):
        flags = [_BOOLEANS[part] for part in parts]
        return flags[0] if len(parts) == 1 else np.array(flags)
    return _from_json(text[6:], text) if text.startswith("_JSON ") else text


def _from_json(text: str, otherwise: str) -> Any:
    """Value of a JSON text: an array where it is a regular list of numbers."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return otherwise.removeprefix("_JSON ")
    if not isinstance(value, list):
        return value
    try:
        array = np.array(value)
    except ValueError:
        return value
    return array if array.dtype.kind in "ifb" else value
