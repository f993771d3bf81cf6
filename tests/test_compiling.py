"""Compiled loops are kept in our own cache folder; of numba's settings the width of vectors alone is ours."""

from __future__ import annotations

import logging

import llvmlite.binding as llvm
import numba
from numba.core import config

from sciml import compiling
from sciml.errors import ConfigError


def doubled(x):
    return 2 * x


def test_machine_code_lies_in_the_cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path / "cache"))
    before = numba.config.CACHE_DIR
    first = compiling.compiled()(doubled)
    assert first(3) == 6 and first.stats.cache_misses
    assert list((tmp_path / "cache" / "numba").rglob("*.nbi"))
    again = compiling.compiled()(doubled)
    assert again(4) == 8 and again.stats.cache_hits and not again.stats.cache_misses
    assert numba.config.CACHE_DIR == before


def test_without_a_folder_it_compiles_all_the_same(monkeypatch, caplog):
    def refuse():
        raise ConfigError("no folder")

    monkeypatch.setattr(compiling, "cache_folder", refuse)
    with caplog.at_level(logging.INFO, "sciml.compiling"):
        assert compiling.compiled()(doubled)(5) == 10
    assert "compiled code is not kept" in caplog.text


def test_a_change_anywhere_in_the_package_gives_another_place(tmp_path, monkeypatch):
    """A loop calls functions of other modules, whose changes numba does not see."""
    (tmp_path / "called.py").write_text("x = 1\n")
    monkeypatch.setattr(compiling, "_PACKAGE", tmp_path)
    names = set()
    for text in ("x = 1\n", "x = 10\n"):
        (tmp_path / "called.py").write_text(text)
        compiling._sources.cache_clear()
        names.add(compiling._sources())
    compiling._sources.cache_clear()
    assert len(names) == 2


def test_what_the_user_set_for_the_processor_stays(monkeypatch):
    """NUMBA_CPU_FEATURES is theirs; without it vectors are as wide as the processor's."""
    monkeypatch.setattr(config, "CPU_NAME", None)
    monkeypatch.setattr(config, "CPU_FEATURES", "+sse2")
    compiling.prefer_wide()
    assert config.CPU_FEATURES == "+sse2"
    monkeypatch.setattr(config, "CPU_FEATURES", None)
    for wide in (True, False):
        monkeypatch.setattr(config, "CPU_FEATURES", None)
        monkeypatch.setattr(llvm, "get_host_cpu_features", lambda wide=wide: llvm.FeatureMap(avx512f=wide, sse2=True))
        compiling.prefer_wide()
        assert config.CPU_FEATURES == ("+avx512f,+sse2,-prefer-256-bit" if wide else None)
