"""Readers of structure files, one small module a format: text in, plain records out. They run in a limited child (`sciml.sandbox`)."""

from __future__ import annotations

from sciml.materials.formats.detect import FORMATS, detect
from sciml.materials.formats.record import Record

__all__ = ["FORMATS", "Record", "detect"]
