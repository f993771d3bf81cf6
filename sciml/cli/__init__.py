"""The command line: thin commands over the public calls of the library; only here is anything printed."""

from __future__ import annotations

__all__: list[str] = []
