import math

import numpy as np
import pytest

from sciml.errors import DataError
from sciml.report import Download, Figure, KeyFigure, Section, Structure3D, Table, Text


def test_figure_holds_plain_numbers_and_leaves_its_input_alone():
    x = np.array([1.0, 2.0, 3.0], dtype=np.float32)
    trace = {"x": x, "y": [1, 2, 3]}
    figure = Figure("a", [trace])
    assert figure.traces == ({"x": [1.0, 2.0, 3.0], "y": [1, 2, 3], "type": "scatter"},)
    assert trace == {"x": x, "y": [1, 2, 3]} and figure.notes == ()


def test_values_that_are_not_finite_become_null_and_are_counted():
    figure = Figure("a", [{"x": [1.0, math.nan, math.inf], "y": np.array([-math.inf, 1.0, 2.0])}])
    assert figure.traces[0]["x"] == [1.0, None, None] and figure.traces[0]["y"] == [None, 1.0, 2.0]
    assert figure.notes == ("3 values not finite, hence not drawn.",)


def test_figure_with_unequal_lengths_names_trace_and_field():
    with pytest.raises(DataError, match="figure 'a', trace 1: x has 2 values, y has 3 values"):
        Figure("a", [{"x": [1], "y": [1]}, {"x": [1, 2], "y": [1, 2, 3]}])
    Figure("grid", [{"type": "heatmap", "x": [1, 2], "y": [1], "z": [[1, 2]]}])


@pytest.mark.parametrize("kind", ["scattergl", "scattermap", "image", "choropleth"])
def test_traces_that_need_network_or_generated_code_are_refused(kind):
    with pytest.raises(DataError, match=f"type '{kind}' is not drawn"):
        Figure("a", [{"type": kind}])


def test_table_columns():
    table = Table("t", {"n": np.array([1, 2]), "x": [1, 2.5], "ok": [True, None], "s": ["a", "b"]}, units={"x": "eV"})
    assert table.columns == {"n": [1, 2], "x": [1.0, 2.5], "ok": [True, None], "s": ["a", "b"]} and table.rows == 2
    assert Table("t", {}).rows == 0
    rows = Table.from_rows("t", [{"a": 1}, {"a": 2, "b": "x"}])
    assert rows.columns == {"a": [1, 2], "b": [None, "x"]}
    with pytest.raises(DataError, match="'a' has 1 rows, 'b' has 2 rows"):
        Table("t", {"a": [1], "b": [1, 2]})
    with pytest.raises(DataError, match="column 'a': it holds int, str"):
        Table("t", {"a": [1, "x"]})
    with pytest.raises(DataError, match="unit of 'z', but the columns are a"):
        Table("t", {"a": [1]}, units={"z": "eV"})


def test_structure_from_arrays_is_what_ase_reads(tmp_path):
    ase_io = pytest.importorskip("ase.io")
    cell, positions = np.array([[5.0, 0, 0], [1.0, 4.0, 0], [0, 0.5, 6.0]]), np.array([[0.1, 0.2, 0.3], [1.5, -2.0, 3.0]])
    structure = Structure3D.from_arrays("s", ["Na", "Cl"], positions, cell)
    (tmp_path / "s.xyz").write_text(structure.text)
    atoms = ase_io.read(tmp_path / "s.xyz", format="extxyz")
    assert atoms.get_chemical_symbols() == ["Na", "Cl"]
    np.testing.assert_allclose(atoms.positions, positions, atol=1e-8)
    np.testing.assert_allclose(atoms.cell.array, cell, atol=1e-8)
    with pytest.raises(DataError, match="1 symbols, but 2 positions"):
        Structure3D.from_arrays("s", ["Na"], positions)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Text("a", tone="loud"), "tone 'loud'"),
        (lambda: KeyFigure("a", 1, tone="loud"), "key figure 'a': tone 'loud'"),
        (lambda: Table(" ", {}), "its name is ' '"),
        (lambda: Structure3D("a", "x", format="pdb"), "format 'pdb'; 'xyz' or 'cif' would be right"),
        (lambda: Structure3D("a", " "), "its text is empty"),
        (lambda: Download("a", "../x", b""), "a name without folders would be right"),
        (lambda: Section("a", ["text"]), "section 'a', block 0: str is not a block"),
    ],
)
def test_refusals_say_what_would_be_right(make, message):
    with pytest.raises(DataError, match=message):
        make()


def test_blocks_are_frozen():
    with pytest.raises(AttributeError):
        Text("a").text = "b"
