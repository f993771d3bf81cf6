"""Imports go one way, inside functions too; each fault planted is found."""

from __future__ import annotations

import pytest

from tests.architecture.layers import cycles, layer_faults
from tests.architecture.source import Module, read


def test_layers_go_one_way():
    assert layer_faults(read()) == []


def test_no_circles():
    assert cycles(read()) == []


PLANTED = {
    "upwards": ("sciml.errors", "from sciml.files import write_json", "errors may not import files"),
    "sideways": ("sciml.files", "import sciml.seeding", "files may not import seeding"),
    "inside a function": ("sciml.units", "def f():\n    from sciml import sandbox", "units may not import sandbox"),
    "relative": ("sciml.report.blocks", "from ..materials import graph", "report may not import materials"),
    "by name": ("sciml.nn.dense", "importlib.import_module('sciml.cli.main')", "nn may not import cli"),
    "inside materials": ("sciml.materials.graph", "from sciml.materials.potential import Potential", "graph may not import potential"),
    "through the door": (
        "sciml.materials.audit.table",
        "from sciml.materials import build_graph",
        "imports the door sciml.materials from inside",
    ),
    "no place": ("sciml.utils", "", "has no place in the order of sciml"),
    "no place in materials": ("sciml.materials.helpers", "", "has no place in the order of sciml.materials"),
}
OTHERS = [Module(name, "") for name in ("sciml.sandbox", "sciml.files", "sciml.seeding", "sciml.cli.main", "sciml.materials.graph")]
OTHERS += [Module("sciml.materials", "", True), Module("sciml.materials.potential", "")]


@pytest.mark.parametrize("name", PLANTED)
def test_planted_faults_are_found(name):
    module, text, message = PLANTED[name]
    faults = layer_faults([Module(module, text), *(m for m in OTHERS if m.name != module)])
    assert len(faults) == 1
    assert message in faults[0]


def test_good_imports_pass():
    text = "import numpy\nfrom sciml import __version__\nfrom sciml.errors import DataError\nfrom sciml.materials.graph import CrystalGraph"
    assert layer_faults([Module("sciml.materials.training.data", text), *OTHERS]) == []


def test_planted_circle_is_found():
    circle = [
        Module("sciml.a", "from sciml.b import x"),
        Module("sciml.b", "def f():\n    from sciml import c"),
        Module("sciml.c", "import sciml.a"),
    ]
    assert cycles([*circle, Module("sciml.d", "import sciml.a"), Module("sciml.e", "")]) == ["sciml.a", "sciml.b", "sciml.c"]
