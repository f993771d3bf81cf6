"""Options that describe a channel: for tables and for models, and what does not go together."""

from __future__ import annotations

import inspect
from dataclasses import fields

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from sciml.cli.channels import ChannelOptions, Groups, Source, channel_command, is_table, made_channel, numbers
from sciml.errors import ConfigError

TABLE = "dose,a,b,day\n" + "".join(f"{d},{d + i * 0.1:g},{i},{i % 3}\n" for d in (0, 1, 2) for i in range(12))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text(TABLE)
    return str(path)


def test_tables_are_known_by_their_names(tmp_path):
    assert is_table("cells.csv.gz") and is_table("a.h5ad") and is_table("b.FCS") and is_table(str(tmp_path))
    assert not is_table("signalling") and not is_table("model.xml")


def test_a_table(table):
    channel = made_channel(table, ChannelOptions(readout="a, b", times="3,21"), "day")
    assert channel.samples[1].shape == (36, 2) and channel.readout == "trajectory" and len(np.unique(channel.groups)) == 3


def test_a_model_holds_its_dose():
    asked = ChannelOptions(dose="L", readout="Kp", doses="0.1:10:3:log", times="100", cells=5, extrinsic=["R=0.2"], set=["K=500"], seed=1)
    channel = made_channel("signalling", asked)
    assert np.allclose(channel.doses, [0.1, 1, 10]) and channel.held and channel.samples[1].shape == (15, 1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"doses": "1,2"}, "--doses: goes with a model"),
        ({"extrinsic": ["R=0.2"]}, "--extrinsic: goes with a model"),
        ({"set": ["R=2"]}, "--set: goes with a model"),
        ({"missing": "guess"}, "--missing: found 'guess'"),
        ({"times": "1,two"}, "--times: found 'two'"),
    ],
)
def test_options_of_models_with_a_table(table, options, words):
    with pytest.raises(ConfigError, match=words):
        made_channel(table, ChannelOptions(readout="a", **options))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"times": "1"}, "--doses: signalling is a model"),
        ({"doses": "1,2"}, "--times: signalling is a model"),
        ({"doses": "1,2", "times": "1", "layer": "raw"}, "--layer: goes with a table"),
        ({"doses": "1:2", "times": "1"}, "--doses: found '1:2'"),
        ({"doses": "1,2", "times": "1", "extrinsic": ["R"]}, "--extrinsic: found 'R', expected ID=CV"),
    ],
)
def test_options_of_tables_with_a_model(options, words):
    with pytest.raises(ConfigError, match=words):
        made_channel("signalling", ChannelOptions(dose="L", readout="Kp", **options))


def test_groups_go_with_a_table():
    with pytest.raises(ConfigError, match="--groups: goes with a table"):
        made_channel("signalling", ChannelOptions(dose="L", readout="Kp", doses="1,2", times="1"), "day")


def test_each_field_is_an_option_behind_those_of_the_command():
    seen = {}

    @channel_command
    def task(source: Source, asked: ChannelOptions, groups: Groups = None) -> None:
        """A task."""
        seen.update(vars(asked) | {"source": source, "groups": groups})

    names = list(inspect.signature(task).parameters)
    assert names == ["source", "groups", *(f.name for f in fields(ChannelOptions))]
    app = typer.Typer()
    app.command()(task)
    assert CliRunner().invoke(app, ["cells.csv", "--groups", "day", "--no-hold", "-n", "7", "--set", "a=1", "--set", "b=2"]).exit_code == 0
    changed = {"source": "cells.csv", "groups": "day", "hold": False, "cells": 7, "set": ["a=1", "b=2"]}
    assert seen == vars(ChannelOptions()) | changed


def test_numbers():
    assert numbers("--times", "1, 2.5") == [1.0, 2.5]
    with pytest.raises(ConfigError, match="--times: found 'inf'"):
        numbers("--times", "inf")
