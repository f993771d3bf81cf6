from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sciml.biology.cell_tables.dosed_files import doses_in_names, listed_files, read_dosed
from sciml.errors import ConfigError, DataError
from tests.biology.cell_tables.written import fcs


@pytest.mark.parametrize(
    ("names", "doses"),
    [
        (["TNF_0ng.fcs", "TNF_0.1ng.fcs", "TNF_10ng.fcs"], ["0 ng", "0.1 ng", "10 ng"]),
        (["2024_L=1_a.fcs", "2024_L=3_b.fcs"], ["1", "3"]),
        (["1e-3.fcs", "1e-2.fcs"], ["1e-3", "1e-2"]),
        (["dose 5uM rep.fcs", "dose 7uM rep.fcs"], ["5 uM", "7 uM"]),
    ],
)
def test_doses_in_names(names, doses):
    assert doses_in_names([Path(name) for name in names]) == doses


@pytest.mark.parametrize(
    "names",
    [
        ["a.fcs", "b.fcs"],
        ["1ng_rep1.fcs", "10ng_rep2.fcs"],
        ["1ng.fcs"],
        ["1ng_a_b.fcs", "10ng_a.fcs"],
        ["1ng.fcs", "1ng.fcs"],
        ["rep1_a.fcs", "day2_a.fcs"],
    ],
)
def test_names_that_leave_it_open(names):
    with pytest.raises(DataError, match=r"doses cannot be told from the names of .*doses=\{"):
        doses_in_names([Path(name) for name in names])


@pytest.fixture
def folder(tmp_path):
    for k, dose in enumerate(["0ng", "0.5ng"]):
        (tmp_path / f"TNF_{dose}.fcs").write_bytes(fcs(np.array([[1.0 + k, 2.0], [3.0, 4.0 + k]]), ["GFP", "FSC"]))
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "._TNF_1ng.fcs").write_text("what a Mac leaves behind")
    return tmp_path


def test_a_folder_is_one_table(folder):
    table = read_dosed(listed_files(folder), None, "dose", ["dose", "GFP", "file"])
    assert table.columns["GFP"].numbers.tolist() == [1, 3, 2, 3]
    assert [table.columns["dose"].texts[c] for c in table.columns["dose"].codes] == ["0 ng", "0 ng", "0.5 ng", "0.5 ng"]
    assert table.place(0) == "TNF_0ng.fcs, event 0" and table.place(3) == "TNF_0.5ng.fcs, event 1"


def test_doses_that_are_said(folder):
    files = listed_files(folder)
    for keys in ([p.name for p in files], [p.stem for p in files], files, [str(p) for p in files]):
        table = read_dosed(files, dict(zip(keys, [7, "9"], strict=True)), "dose", ["dose"])
        assert table.columns["dose"].texts == ("7.0", "9")
    with pytest.raises(ConfigError, match=r"doses: has none for 'TNF_0.5ng.fcs'"):
        read_dosed(files, {files[0].name: 1}, "dose", ["dose"])
    with pytest.raises(ConfigError, match=r"doses: 'other.fcs' is none of the files"):
        read_dosed(files, {**dict.fromkeys(files, 1.0), "other.fcs": 1.0}, "dose", ["dose"])
    with pytest.raises(ConfigError, match=r"found \[1\], expected a number or a text"):
        read_dosed(files, {path: [1] for path in files}, "dose", ["dose"])


def test_which_files(tmp_path):
    with pytest.raises(DataError, match="the folder holds no file that ends in .fcs"):
        listed_files(tmp_path)
    for wrong in ([], [3], {}):
        with pytest.raises(ConfigError, match="expected paths of FCS files"):
            listed_files(wrong)
    assert listed_files(["a.fcs", Path("b.fcs")]) == [Path("a.fcs"), Path("b.fcs")]


def test_files_stand_in_the_order_of_their_numbers(tmp_path):
    for dose in ("10", "0.1", "2", "0", "0.05"):
        (tmp_path / f"d{dose}ng.fcs").write_bytes(b"")
    assert [path.stem for path in listed_files(tmp_path)] == ["d0ng", "d0.05ng", "d0.1ng", "d2ng", "d10ng"]
