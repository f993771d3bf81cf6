"""Small modules and small functions: median, 90 % and longest, as the table of our scoring has them."""

from __future__ import annotations

import ast
import statistics

import pytest

from tests.architecture.source import Module, read

GENERATED: set[str] = set()
"""Modules that hold generated tables: their length is not ours to judge."""


def spread(sizes):
    """(median, 90 %, largest)."""
    ordered = sorted(sizes)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))], ordered[-1]


def test_modules():
    sizes = {m.name: m.lines for m in read() if m.name not in GENERATED}
    median, most, longest = spread(sizes.values())
    assert [name for name, lines in sizes.items() if lines > 500] == []
    assert longest <= 500
    assert most <= 350
    assert median <= 150


def test_functions():
    sizes = dict(item for m in read() for item in m.functions())
    median, most, _ = spread(sizes.values())
    assert [f"{name}: {lines} lines" for name, lines in sizes.items() if lines > 80] == []
    assert most <= 40
    assert median <= 12


def test_no_assert_on_what_a_user_can_cause():
    """`python -O` removes asserts, so the package has none."""
    assert [f"{m.name}:{n.lineno}" for m in read() for n in ast.walk(m.tree) if isinstance(n, ast.Assert)] == []


@pytest.mark.parametrize("text", ["utils", "base", "common", "misc", "helpers"])
def test_names_say_something(text):
    assert [m.name for m in read() if text in m.name.split(".")] == []


def test_at_most_three_folders_deep():
    assert [m.name for m in read() if m.name.count(".") - (not m.package) > 2] == []


def test_counting():
    module = Module("a", "def f():\n    return 1\n\n\nclass A:\n    def g(self):\n        def h():\n            pass\n        return h\n")
    assert dict(module.functions()) == {"a:1 f": 2, "a:6 g": 4, "a:7 h": 2}
    assert spread(range(1, 11)) == (5.5, 10, 10)
