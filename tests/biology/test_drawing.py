"""The drawing of a network: everything is there once, nothing on top of each other, the same each time."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sciml.biology.datasets import list_pathways, load_pathway
from sciml.biology.drawing import MOST_DRAWN, draw, network_figure
from sciml.biology.formula import parse
from sciml.biology.network import Network, Parameter, Reaction, Rule, Species

NET = Network(
    species=[Species("L", 1, boundary=True), Species("R", 5), Species("RL", 0), Species("idle", 1)],
    parameters=[Parameter("k", 1), Parameter("seen", constant=False)],
    rules=[Rule("assignment", parse("2*RL"), "seen")],
    reactions=[Reaction.parse("bind", "L + R -> RL", rate="k"), Reaction.parse("loss", "R ->", law="seen*R")],
)


def test_what_is_drawn():
    drawing = draw(NET)
    assert drawing.ids == ("L", "R", "RL", "bind", "loss")
    named = {(drawing.ids[a], drawing.ids[b], kind) for a, b, kind in drawing.arrows}
    assert named == {("L", "bind", "in"), ("R", "bind", "in"), ("bind", "RL", "out"), ("R", "loss", "in"), ("RL", "loss", "modifies")}
    json.dumps(drawing.to_dict())


@pytest.mark.parametrize("name", list_pathways())
def test_places(name):
    net = load_pathway(name)
    places = draw(net).places
    assert np.isfinite(places).all()
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2)) + np.eye(len(places)) * 9
    assert apart.min() > 0.2
    assert np.ptp(places[:, 0]) >= np.ptp(places[:, 1]) * 0.99
    assert (draw(net).places == places).all()


def test_the_figure_keeps_its_numbers():
    figure = network_figure(NET)
    assert [len(t["x"]) for t in figure.traces] == [3, 2]
    assert figure.notes == ()
    assert figure.whole["id"] == ["L", "R", "RL", "bind", "loss"]
    assert "bind: L + R -> RL, rate k * L * R" in figure.whole["about"]
    assert len(figure.layout["annotations"]) == 5
    heads = [a for a in figure.layout["annotations"] if a["arrowhead"]]
    assert len(heads) == 1
    colours = figure.traces[0]["marker"]["color"]
    assert colours[0] != colours[1]


def test_nothing_and_too_much():
    assert network_figure(Network()) is None
    many = Network(species={f"s{i}": 1 for i in range(MOST_DRAWN + 1)})
    assert network_figure(many) is None
    alone = Network(species={"A": 1}, reactions=[Reaction.parse("r", "A -> ", rate=1)])
    assert len(draw(alone).places) == 2
