"""FCS files of flow cytometry (2.0 to 3.2, list mode): one file a dose, channels by their short or long name.

ISAC's data file standard 3.1, Spidlen et al., Cytometry A 77 (2010) 97. Nothing is taken on trust: what a header claims is held against the
length of the file before anything is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sciml.arguments import shown
from sciml.biology.network import nearest
from sciml.errors import DataError

__all__ = ["FlowSample", "read_flow"]

_ORDERS = {"1,2,3,4": "<", "4,3,2,1": ">", "1,2": "<", "2,1": ">", "1,2,3,4,5,6,7,8": "<", "8,7,6,5,4,3,2,1": ">"}
_MOST_CHANNELS = 10_000


@dataclass(frozen=True)
class FlowSample:
    """`values` [n, c]: events by channel, as the file scales them (gain, logarithmic amplifier); `notes` say so."""

    values: np.ndarray
    notes: tuple[str, ...]


def read_flow(path: Path, channels: Sequence[str]) -> FlowSample:
    """The channels of an FCS file, named by $PnN or $PnS.

    Integers are masked by their range ($PnR), values from a logarithmic amplifier made linear ($PnE) and divided by the gain of a linear
    one ($PnG). Spillover is not taken off; a note says where the file has a matrix for it. Raises DataError that names the file for a
    channel that it does not have or has twice, for data that do not fit its events, and for what is damaged or not in list mode.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    file = _File(path, data)
    places = [file.place(name) for name in channels]
    events = file.events()
    columns, notes = [], []
    for name, place in zip(channels, places, strict=True):
        values, said = file.scaled(events[place], place + 1)
        columns.append(values)
        notes += [f"channel {name!r}: {said}"] if said else []
    if any(key in file.text for key in ("$SPILLOVER", "SPILL", "$COMP")):
        notes.append("a spillover matrix is in the file and was not applied")
    return FlowSample(np.array(columns).reshape(len(columns), -1).T if columns else np.zeros((file.total, 0)), tuple(notes))


class _File:
    """One data set: its keywords, and where its data are."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self.data = path, data
        if not re.fullmatch(rb"FCS[23]\.\d", data[:6]):
            raise self.fault(f"begins with {shown(data[:6])}, expected FCS2.0 to FCS3.2")
        header = [self.header(k) for k in range(4)]
        self.text = self.keywords(header[0], header[1])
        if self.whole("$NEXTDATA", 0) not in (0, len(data)) and self.whole("$NEXTDATA", 0) < len(data):
            raise self.fault("holds several data sets; expected one, split the file")
        self.count, self.total = self.whole("$PAR"), self.whole("$TOT")
        if not 1 <= self.count <= _MOST_CHANNELS:
            raise self.fault(f"$PAR: found {self.count} channels, expected 1 to {_MOST_CHANNELS}")
        self.begin, self.end = (self.segment(k, key, header[k + 2]) for k, key in enumerate(("$BEGINDATA", "$ENDDATA")))
        self.names = [self.text.get(f"$P{k}N", "") for k in range(1, self.count + 1)]
        self.labels = [self.text.get(f"$P{k}S", "") for k in range(1, self.count + 1)]

    def fault(self, said: str) -> DataError:
        return DataError(f"{self.path}: {said}")

    def header(self, k: int) -> int:
        text = self.data[10 + 8 * k : 18 + 8 * k]
        if not re.fullmatch(rb" *\d+ *", text):
            raise self.fault(f"header: found {shown(text)} where the place of a segment is, expected a whole number")
        return int(text)

    def keywords(self, begin: int, end: int) -> dict[str, str]:
        """The TEXT segment: its first byte stands between keywords and values, twice where it is meant itself."""
        if not 58 <= begin < end < len(self.data):
            raise self.fault(f"TEXT would be bytes {begin} to {end} of {len(self.data)}; the file is damaged or cut off")
        segment = self.data[begin : end + 1]
        try:
            text = segment.decode("utf-8")
        except UnicodeDecodeError:
            text = segment.decode("latin-1")
        mark, text = text[0], text[1:].rstrip(" \r\n\0")
        parts = [part.replace("\0", mark) for part in text.replace("\0", "").replace(mark * 2, "\0").removesuffix(mark).split(mark)]
        if len(parts) % 2 or mark.isalnum():
            raise self.fault("TEXT: keywords and values do not pair up; the file is damaged")
        return {key.strip().upper(): value.strip() for key, value in zip(parts[::2], parts[1::2], strict=True)}

    def whole(self, key: str, default: int | None = None) -> int:
        text = self.text.get(key)
        if text is None and default is not None:
            return default
        if text is None or not re.fullmatch(r"\d{1,18}", text):
            raise self.fault(f"{key}: found {shown(text)}, expected a whole number")
        return int(text)

    def segment(self, k: int, key: str, header: int) -> int:
        """An end of the DATA segment, from the header, from TEXT where that has 0; both say the same where both say something."""
        said = self.whole(key, 0)
        if header and said and header != said:
            raise self.fault(f"the data {'end' if k else 'begin'} at {header} by the header and at {said} by {key}; the file is damaged")
        return header or said

    def place(self, name: str) -> int:
        """The channel with this short or long name, from 0."""
        for names in (self.names, self.labels):
            if names.count(name) > 1:
                raise self.fault(f"the channel {name!r} is there {names.count(name)} times")
            if name in names:
                return names.index(name)
        known = [known for known in (*self.names, *self.labels) if known]
        raise self.fault(f"has no channel {name!r}{nearest(name, known)}; found {', '.join(map(repr, known))}")

    def events(self) -> list[np.ndarray]:
        """[n] of each channel, as stored."""
        if (mode := self.text.get("$MODE", "L").upper()) != "L":
            raise self.fault(f"$MODE: found {mode!r}, expected 'L' (a list of events)")
        kind, order = self.text.get("$DATATYPE", "").upper(), _ORDERS.get(self.text.get("$BYTEORD", "").replace(" ", ""))
        bits = [self.whole(f"$P{k}B") for k in range(1, self.count + 1)]
        fits = {"F": {32}, "D": {64}, "I": {8, 16, 32, 64}}.get(kind)
        if fits is None or order is None:
            wrong = ("$DATATYPE", "'F', 'D' or 'I'") if fits is None else ("$BYTEORD", "'1,2,3,4' or '4,3,2,1'")
            raise self.fault(f"{wrong[0]}: found {shown(self.text.get(wrong[0]))}, expected {wrong[1]}")
        if odd := next((k for k, width in enumerate(bits, 1) if width not in fits), 0):
            raise self.fault(f"$P{odd}B: found {bits[odd - 1]} bits, expected {' or '.join(map(str, sorted(fits)))} for {kind}")
        if mixed := next((k for k in range(1, self.count + 1) if self.text.get(f"$P{k}DATATYPE", kind).upper() != kind), 0):
            raise self.fault(f"$P{mixed}DATATYPE: found {shown(self.text[f'$P{mixed}DATATYPE'])}, expected all channels to be {kind!r}")
        size, held = self.total * sum(bits) // 8, self.end + 1 - self.begin
        if not 0 < self.begin <= self.end or held not in (size, size + 1) or self.begin + size > len(self.data):
            raise self.fault(
                f"claims {self.total} events of {sum(bits) // 8} bytes, but its data are bytes {self.begin} to {self.end} of "
                f"{len(self.data)}; the file is damaged or cut off"
            )
        if not self.total:
            raise self.fault("holds no events")
        letter = "f" if kind in "FD" else "u"
        layout = np.dtype([(f"c{k}", f"{order}{letter}{width // 8}") for k, width in enumerate(bits)])
        table = np.frombuffer(self.data, layout, self.total, self.begin)
        return [table[f"c{k}"] for k in range(self.count)]

    def scaled(self, values: np.ndarray, k: int) -> tuple[np.ndarray, str]:
        """(channel k as numbers on its scale, what was done)."""
        decades, lowest = self.number_pair(f"$P{k}E")
        gain = self.number(f"$P{k}G", 1.0)
        if values.dtype.kind == "u":
            span = self.whole(f"$P{k}R")
            if 0 < span < 1 << (8 * values.dtype.itemsize):
                values = values & values.dtype.type((1 << (span - 1).bit_length()) - 1)
        found = values.astype(np.float64)
        if decades > 0:
            span = self.whole(f"$P{k}R")
            if span < 1:
                raise self.fault(f"$P{k}R: found {span}, expected a range > 0")
            return (lowest or 1.0) * 10.0 ** (decades * found / span), f"{decades:g} decades of a logarithmic amplifier made linear"
        if gain not in (0.0, 1.0):
            return found / gain, f"divided by its gain {gain:g}"
        return found, ""

    def number(self, key: str, default: float) -> float:
        try:
            found = float(self.text[key]) if self.text.get(key) else default
        except ValueError:
            found = np.nan
        if not np.isfinite(found) or found < 0:
            raise self.fault(f"{key}: found {shown(self.text[key])}, expected a number")
        return found

    def number_pair(self, key: str) -> tuple[float, float]:
        text = self.text.get(key, "0,0") or "0,0"
        if not re.fullmatch(r"\s*\d+(\.\d*)?\s*,\s*\d+(\.\d*)?\s*", text):
            raise self.fault(f"{key}: found {shown(text)}, expected two numbers")
        first, second = (float(part) for part in text.split(","))
        if first > 30:
            raise self.fault(f"{key}: found {first:g} decades, expected at most 30")
        return first, second
