"""Generated modules are files of our own cache, and only what was written is imported."""

from __future__ import annotations

import sys

import pytest

from sciml.biology.kernels.cache import load_source


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path / "cache"))
    yield tmp_path / "cache" / "kernels"
    for name in [n for n in sys.modules if n.startswith("sciml_generated_")]:
        del sys.modules[name]


def test_a_text_becomes_a_module_once(folder):
    module = load_source("A_NUMBER = 41\n")
    assert module.A_NUMBER == 41 and load_source("A_NUMBER = 41\n") is module
    assert len(list(folder.glob("*.py"))) == 1


def test_a_changed_file_is_written_anew_before_it_is_imported(folder):
    load_source("A_NUMBER = 42\n")
    (path,) = folder.glob("*.py")
    path.write_text("A_NUMBER = 666\n")
    del sys.modules[path.stem]
    assert load_source("A_NUMBER = 42\n").A_NUMBER == 42
    assert path.read_text() == "A_NUMBER = 42\n"
