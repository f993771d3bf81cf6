"""Writes docs/commands.md from the commands themselves: `python docs/make_commands.py`. A test compares the two."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEAD = """# Commands

Made from the commands themselves by `python docs/make_commands.py`; `sciml COMMAND --help` says the same. Every command takes `--json`
(the result as JSON), `-v` (more on stderr, with the traceback of an error) and `-q` (nothing but errors). Progress is drawn on
terminals only.

Exit codes: 0 done, 1 failed, 2 bad configuration, 3 bad data, 4 did not converge, 130 interrupted and 143 ended by SIGTERM, both after
saving. An error is one line on stderr.
"""
EVERYWHERE = {"json", "verbose", "quiet"}


def leaves(group: Any, before: str = "") -> list[tuple[str, Any]]:
    """(full name, command) for every command that is no group."""
    found: list[tuple[str, Any]] = []
    for name, each in group.commands.items():
        found += leaves(each, f"{before}{name} ") if hasattr(each, "commands") else [(before + name, each)]
    return found


def page() -> str:
    """The text of docs/commands.md."""
    from typer.main import get_command

    from sciml.cli.main import app

    parts = [HEAD]
    for name, leaf in leaves(get_command(app)):
        arguments = [each for each in leaf.params if each.param_type_name == "argument"]
        options = [each for each in leaf.params if each.param_type_name == "option" and each.name not in EVERYWHERE]
        usage = " ".join([f"sciml {name}", *(each.metavar or each.name.upper() for each in arguments), *(["[OPTIONS]"] if options else [])])
        parts.append(f"\n## {name}\n\n```text\n{usage}\n```\n\n{' '.join(leaf.help.split())}\n")
        rows = [*rows_of(arguments), *rows_of(options)]
        if rows:
            parts.append("\n| word | default | meaning |\n| --- | --- | --- |\n" + "".join(rows))
    return "".join(parts)


def rows_of(parameters: list[Any]) -> Iterator[str]:
    """A row of the table for each argument or option."""
    for each in parameters:
        if each.param_type_name == "argument":
            word = (each.metavar or each.name.upper()).strip("[]")
        else:
            word = ", ".join([*each.opts, *each.secondary_opts])
        silent = each.required or each.default is None or each.default is False or each.default == "" or callable(each.default)
        default = "" if silent else f"`{each.default}`"
        yield f"| `{word}` | {'required' if each.required else default} | {each.help} |\n"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from sciml import files

    files.write_text(Path(__file__).with_name("commands.md"), page())
