"""A package behind a door: names load at their first use, calls keep their place, unknown ones are told."""

from __future__ import annotations

import importlib
import inspect
import sys

import pytest

from sciml.door import loaded_from, open_door


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "behind_a_door"
    folder.mkdir()
    (folder / "__init__.py").write_text("__all__ = ['check', 'ONE']\n")
    (folder / "check.py").write_text("def check(): return 'called'\n")
    (folder / "numbers_of.py").write_text("ONE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    door = importlib.import_module("behind_a_door")
    open_door("behind_a_door", {"check": ("check",), "numbers_of": ("ONE",)})
    yield door
    for name in [n for n in sys.modules if n.startswith("behind_a_door")]:
        del sys.modules[name]


def test_names_load_at_their_first_use(package):
    assert "behind_a_door.numbers_of" not in sys.modules
    assert package.ONE == 1 and "behind_a_door.numbers_of" in sys.modules
    assert {"check", "ONE"} <= set(dir(package))


def test_a_call_keeps_its_place(package):
    importlib.import_module("behind_a_door.check")
    assert package.check() == "called"


def test_unknown_names_are_told(package):
    with pytest.raises(AttributeError, match="'behind_a_door' has no attribute 'two'; it has check, ONE"):
        package.two  # noqa: B018


def test_a_stub_says_what_its_function_does(package):
    @loaded_from("behind_a_door.check")
    def check(far: int = 1) -> str:
        """Says what."""

    assert "behind_a_door.check" not in sys.modules
    assert (check.__doc__, list(inspect.signature(check).parameters)) == ("Says what.", ["far"])
    assert check() == "called"
