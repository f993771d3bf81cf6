"""The tree of commands, and the page that lists it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import sciml as package
from docs.make_commands import leaves, page
from sciml.cli.main import app
from tests.cli.sample import sciml

ROOT = Path(__file__).resolve().parents[2]
TREE = """demo doctor cite materials check materials train materials predict materials relax materials md materials audit materials models
biology check biology simulate biology scan biology fit biology information biology capacity biology bottleneck
biology efficiency model info model verify"""
COMMANDS = set(re.findall(r"(?:materials |model |biology )?\w+", " ".join(TREE.split())))


def test_tree_is_what_the_design_lists():
    assert {name for name, _ in leaves(get_command(app))} == COMMANDS


@pytest.mark.parametrize(("name", "leaf"), leaves(get_command(app)))
def test_every_command_says_what_it_does_and_can_be_quiet(name, leaf):
    options = {option for parameter in leaf.params for option in parameter.opts}
    assert leaf.help and {"--json", "--verbose", "-v", "--quiet", "-q"} <= options
    assert all(getattr(parameter, "help", None) for parameter in leaf.params)


def test_page_of_commands_is_up_to_date():
    assert (ROOT / "docs" / "commands.md").read_text("utf-8") == page(), "run python docs/make_commands.py"


def test_help_version_and_usage_errors():
    assert sciml("--version").stdout.strip() == f"sciml {package.__version__}"
    text = sciml("--help")
    assert text.exit_code == 0 and "130 interrupted" in text.stdout
    for words in (
        ["nothing"],
        ["materials", "nothing"],
        ["materials", "check"],
        ["demo", "--nothing"],
        ["materials", "md", "si", "x", "--steps", "a"],
    ):
        done = sciml(*words)
        assert done.exit_code == 2 and "Traceback" not in done.output, words


def test_as_a_module():
    done = subprocess.run([sys.executable, "-m", "sciml.cli.main", "--version"], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == f"sciml {package.__version__}" and done.stderr == ""
