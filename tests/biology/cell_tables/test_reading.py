from __future__ import annotations

import pandas as pd
import pytest

from sciml.biology.cell_tables.reading import read_table
from sciml.errors import ConfigError


def test_text_and_frames(tmp_path):
    path = tmp_path / "cells.parquet"  # the content says what it is
    path.write_text("a;b\n1;2\n", "utf-8")
    for source in (path, str(path)):
        assert read_table(source, ["b"]).columns["b"].texts == ("2",)
    assert read_table(pd.DataFrame({"a": [1.0]}), ["a"]).rows == 1


@pytest.mark.parametrize(
    ("source", "said"),
    [({"a": [1]}, "expected the path of a table"), (3, "found 3"), ("", "found an empty text"), ("https://x.org/a.csv", "lies on the net"),
     ("dose;response\n1;2\n", "a text that begins with")],
)  # fmt: skip
def test_what_is_no_source(source, said):
    with pytest.raises(ConfigError, match=said):
        read_table(source, ["a"])
