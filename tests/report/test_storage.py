import json
import math

import pytest

from sciml import files
from sciml.errors import DataError
from sciml.report import Download, Figure, KeyFigure, KeyFigures, Section, Structure3D, Table, Text, load_report, save_report

pyarrow_parquet = pytest.importorskip("pyarrow.parquet")
SECTIONS = [
    Section("One", [Text("a", "warn", True), KeyFigures([KeyFigure("k", 1.5, "eV", "n", "good")])], "lead"),
    Section(
        "Two",
        [
            Figure("My plot/..", [{"x": [1, 2], "y": [0.5, math.nan]}], {"height": 200}, "c", ["n"], True, {"x": [1, 2, 3]}),
            Figure("my plot", [{"y": [3]}]),
            Table("T", {"a": [1.0, math.inf, None], "s": ["x", "", "ü"]}, {"a": "eV"}, "c", 3, 2, {"x": "good"}),
            Structure3D("S", "1\n\nH 0 0 0\n"),
            Download("D", "run.tar.gz", b"\x00\xff", "c"),
        ],
    ),
]


def test_what_is_read_is_what_was_written(tmp_path):
    written = save_report(SECTIONS, tmp_path / "data", title="T", run={"seed": 0, "path": tmp_path})
    assert load_report(tmp_path / "data") == written
    assert written.sections == tuple(SECTIONS) and written.run == {"seed": 0, "path": str(tmp_path)}
    names = sorted(path.name for path in (tmp_path / "data").iterdir())
    assert names == ["my-plot-2.json", "my-plot-whole.parquet", "my-plot.json", "report.json", "run.tar.gz", "s.xyz", "t.parquet"]


def test_data_files_hold_the_numbers(tmp_path):
    save_report(SECTIONS, tmp_path / "data", title="T")
    figure = json.loads((tmp_path / "data/my-plot.json").read_text())
    assert figure["traces"][0] == {"type": "scatter", "x": [1, 2], "y": [0.5, None]} and figure["layout"] == {"height": 200}
    table = pyarrow_parquet.read_table(tmp_path / "data/t.parquet").to_pydict()
    assert table == {"a": [1.0, math.inf, None], "s": ["x", "", "ü"]}
    assert pyarrow_parquet.read_table(tmp_path / "data/my-plot-whole.parquet").to_pydict() == {"x": [1, 2, 3]}


def test_an_older_report_is_replaced_whole(tmp_path):
    save_report(SECTIONS, tmp_path / "data", title="T")
    save_report([], tmp_path / "data", title="T")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["report.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda index: index.update(format=99), "format: found 99, this sciml reads up to 1"),
        (lambda index: index.pop("format"), "no report of sciml"),
        (lambda index: index.pop("sections"), "damaged or not a report"),
        (lambda index: index["sections"][0]["blocks"][0].update(kind="frame"), "section 0, block 0: field kind: found 'frame'"),
        (lambda index: index["sections"][0]["blocks"][0].update(surprise=1), "surprise"),
        (lambda index: index["sections"][1]["blocks"][0].update(files=["../secret.json"]), "section 1, block 0: field files"),
        (lambda index: index["sections"][1]["blocks"][2].update(files=["my-plot.json"]), "not a Parquet file"),
    ],
)
def test_damaged_or_foreign_data_is_refused(tmp_path, change, message):
    save_report(SECTIONS, tmp_path / "data", title="T")
    files.write_json(tmp_path / "secret.json", {"traces": []})
    index = files.read_json(tmp_path / "data/report.json")
    change(index)
    files.write_json(tmp_path / "data/report.json", index)
    with pytest.raises(DataError, match=message):
        load_report(tmp_path / "data")


def test_missing_data_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"report\.json"):
        load_report(tmp_path)


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    save_report(SECTIONS, tmp_path / "data", title="T")
    (tmp_path / "secret").write_text("1\n\nH 0 0 0\n")
    (tmp_path / "data/s.xyz").unlink()
    (tmp_path / "data/s.xyz").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match=r"'s\.xyz' is no file of"):
        load_report(tmp_path / "data")
