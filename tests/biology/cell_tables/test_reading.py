from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sciml.biology.cell_tables.reading import read_table
from sciml.errors import ConfigError, DataError
from tests.biology.cell_tables.written import fcs


def test_text_and_frames(tmp_path):
    path = tmp_path / "cells.parquet"  # the content says what it is
    path.write_text("a;b\n1;2\n", "utf-8")
    for source in (path, str(path)):
        assert read_table(source, ["b"]).columns["b"].texts == ("2",)
    assert read_table(pd.DataFrame({"a": [1.0]}), ["a"]).rows == 1


def test_flow_files_by_folder_list_and_mapping(tmp_path):
    for dose in (1, 2):
        (tmp_path / f"dose_{dose}.fcs").write_bytes(fcs(np.full((2, 1), dose), ["GFP"]))
    files = sorted(tmp_path.glob("*.fcs"))
    for source in (tmp_path, files, {files[0]: 1, files[1]: 2}, dict.fromkeys(map(str, files), 1)):
        assert read_table(source, ["GFP", "dose"]).columns["GFP"].numbers.tolist() == [1, 1, 2, 2]
    assert read_table(files[0], ["GFP", "dose"], doses={"dose_1": 3}).columns["dose"].texts == ("3.0",)
    with pytest.raises(ConfigError, match="dose: found 2 names"):
        read_table(tmp_path, ["GFP"], dose=["a", "b"])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (3, "found 3"),
        ("", "found an empty text"),
        ("https://x.org/a.csv", "lies on the net"),
        ("dose;response\n1;2\n", "a text that begins with"),
        ({}, "expected paths of FCS files"),
        ([1.0], "expected paths of FCS files"),
    ],
)
def test_what_is_no_source(source, said):
    with pytest.raises(ConfigError, match=said):
        read_table(source, ["a"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="none.csv: cannot be read: No such file"):
        read_table(tmp_path / "none.csv", ["a"])


@pytest.mark.parametrize("option", ["layer", "doses", "separator", "encoding"])
def test_options_that_mean_nothing_are_refused(option):
    with pytest.raises(ConfigError, match=f"{option}: found .* which means nothing for a DataFrame"):
        read_table(pd.DataFrame({"a": [1.0]}), ["a"], **{option: {} if option == "doses" else "x"})
