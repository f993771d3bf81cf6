"""Shipped folders in a checkout and in a wheel; a cache folder that is ours alone."""

from __future__ import annotations

import os
import stat

import pytest

from sciml import resources
from sciml.errors import ConfigError, DataError

posix = pytest.mark.skipif(os.name != "posix", reason="modes and owners are those of POSIX")


def test_checkout_and_wheel(tmp_path, monkeypatch):
    package = tmp_path / "sciml"
    (tmp_path / "datasets").mkdir(parents=True)
    package.mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    with pytest.raises(DataError, match="datasets: the shipped folder was not found, looked in"):
        resources.find("datasets")  # a folder of that name beside an installed package is not ours
    (tmp_path / "pyproject.toml").touch()
    assert resources.find("datasets") == tmp_path / "datasets"
    (package / "_resources" / "datasets").mkdir(parents=True)
    assert resources.find("datasets") == package / "_resources" / "datasets"


def test_this_checkout():
    assert (resources.find("datasets") / "mlearn-si").is_dir()


@pytest.mark.parametrize("name", ["../etc", "dataset", ""])
def test_other_names(name):
    with pytest.raises(ConfigError, match="expected one of datasets, models, examples, workflows"):
        resources.find(name)


@posix
def test_cache_is_made_for_its_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path / "deep" / "cache"))
    folder = resources.cache_folder()
    assert folder == tmp_path / "deep" / "cache"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    assert stat.S_IMODE(resources.cache_folder().stat().st_mode) == 0o700


@posix
def test_cache_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="belongs to user .*, not to you .*; set SCIML_CACHE"):
        resources.cache_folder()


def test_cache_that_cannot_be_a_folder(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for place in ("file", "file/below"):
        monkeypatch.setenv("SCIML_CACHE", str(tmp_path / place))
        with pytest.raises(ConfigError, match="cannot be used as cache folder .*; set SCIML_CACHE"):
            resources.cache_folder()


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [("linux", "XDG_CACHE_HOME", "sciml"), ("win32", "LOCALAPPDATA", "sciml")],
)
def test_the_users_own_place(tmp_path, monkeypatch, platform, variable, tail):
    monkeypatch.delenv("SCIML_CACHE", raising=False)
    monkeypatch.setattr(resources.sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    assert resources.cache_folder() == tmp_path / tail


def test_home_is_the_last_resort(tmp_path, monkeypatch):
    for name in ("SCIML_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(resources.sys, "platform", "linux")
    assert resources.cache_folder() == tmp_path / ".cache" / "sciml"
    monkeypatch.setattr(resources.sys, "platform", "darwin")
    assert resources.cache_folder() == tmp_path / "Library" / "Caches" / "sciml"
