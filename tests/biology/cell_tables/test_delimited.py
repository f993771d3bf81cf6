from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.biology.cell_tables.delimited import read_delimited
from sciml.biology.cell_tables.samples import samples_of
from sciml.errors import ConfigError, DataError


def cells(tmp_path, text, names=("dose", "response"), *, encode="utf-8", name="cells.csv", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encode))
    table = read_delimited(path, names, **options)
    return {column: [c.texts[code] for code in c.codes] for column, c in table.columns.items()}, table


PLAIN = {"dose": ["0.1", "1"], "response": ["2.5", "3"]}


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path, mark, end):
    found, table = cells(tmp_path, end.join([f"dose{mark}response", f"0.1{mark}2.5", f"1{mark}3", ""]))
    assert found == PLAIN and table.separator == mark and table.lines.tolist() == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_encodings_with_a_mark_need_not_be_said(tmp_path, encoding):
    found, _ = cells(tmp_path, "dose;Antwort µ→\n0,1;2,5\n", ("Antwort µ→",), encode=encoding, name="mit Blanks und äö.csv")
    assert found == {"Antwort µ→": ["2,5"]}


def test_other_encodings_are_said_or_refused(tmp_path):
    text = "dose (µM);response\n1;2\n"
    with pytest.raises(DataError, match=r"cells.csv: line 1: found the bytes 0xb5 0x4d, which are no text in UTF-8.*encoding='cp1252'"):
        cells(tmp_path, text, encode="cp1252")
    assert cells(tmp_path, text, ("dose (µM)",), encode="cp1252", encoding="cp1252")[0] == {"dose (µM)": ["1"]}
    with pytest.raises(ConfigError, match="encoding: found 'utf-9'"):
        cells(tmp_path, text, encoding="utf-9")


def test_lines_above_the_header_and_empty_lines(tmp_path):
    found, table = cells(tmp_path, "# made by; hand, on\n#\n\ndose,response\n0.1,2.5\n\n1,3\n\n\n")
    assert found == PLAIN and table.lines.tolist() == [5, 7] and table.place(1) == "line 7 (row 1)"


def test_the_separator_line_of_excel(tmp_path):
    found, table = cells(tmp_path, "sep=;\ndose;response\n0.1;2.5\n1;3\n")
    assert found == PLAIN and table.lines.tolist() == [3, 4]


def test_packed_by_gzip_whatever_the_name(tmp_path):
    packed = gzip.compress(b"dose,response\n0.1,2.5\n1,3\n")
    for name in ("cells.csv.gz", "cells.csv"):
        assert cells(tmp_path, packed, name=name)[0] == PLAIN
    assert cells(tmp_path, "dose,response\n0.1,2.5\n1,3\n", name="cells.csv.gz")[0] == PLAIN
    for broken in (packed[:-9], packed[:20] + b"\0\0\0" + packed[23:], packed[:3]):
        with pytest.raises(DataError, match="cells.csv: .*gzip"):
            cells(tmp_path, broken)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("sciml.biology.cell_tables.delimited._LARGEST", 1_000_000)
    with pytest.raises(DataError, match="larger than 1 MB of text"):
        cells(tmp_path, gzip.compress(b"0" * 50_000_000))


def test_quotes_hold_separators_and_lines(tmp_path):
    found, table = cells(tmp_path, 'dose,response\n"0,1","2\n5"\n1,"3 ""x"""\n')
    assert found == {"dose": ["0,1", "1"], "response": ["2\n5", '3 "x"']} and table.lines.tolist() == [3, 4]
    with pytest.raises(DataError, match="cells.csv: line 2: not a table"):
        cells(tmp_path, 'dose,response\n"0.1,2.5\n1,3\n')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        ("# only\n# comments\n", "line 4: the table has no header"),
        ("dose,response\n", "line 1: the table ends after its header"),
        ("dose,response\n0.1,2.5\n1,3,4\n", r"line 3: found 3 cells, the header has 2 \(divided by a comma\)"),
        ("dose,response\n0.1,2.5\n1\n", "line 3: found 1 cells, the header has 2"),
        ("dose,response\n0,1,2,5\n1,0,3,5\n", "decimal commas between separating commas cannot be told apart"),
        ('dose,response\n"1",0.1,2.5\n"2",1,3\n', "were rows named without a name"),
        ("dose;response,unit\n0;1,a\n", "a semicolon and a comma both divide every line evenly; .*separator=';'"),
        ("dose response\n0.1 2.5\n", "divided by blanks"),
        ("dose,dose,response\n1,2,3\n", "'dose' is there 2 times"),
        ("dose,value\n1,2\n", "has no column 'response'"),
        ("<html><body>Not found</body></html>", "found a web page"),
        ("%PDF-1.4\n", "found a PDF"),
        ("a" * 200_000, "not a table: field larger"),
        ("dose,response\n" + "a" * 200_000, "not a table: field larger"),
        (b"PK\x03\x04abc", "a zip archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0abc", "an old Excel workbook"),
        (b"dose,response\n1,\x002\n", "line 2: found a null character"),
    ],
)
def test_what_is_no_such_table_is_refused_with_its_line(tmp_path, text, said):
    with pytest.raises(DataError, match=f"cells.csv: .*{said}"):
        cells(tmp_path, text)


def test_a_separator_can_be_said(tmp_path):
    text = "dose;response,unit\n0;1,a\n"
    assert cells(tmp_path, text, ("dose",), separator=";")[0] == {"dose": ["0"]}
    assert cells(tmp_path, "dose response\n1 2\n", separator=" ")[0] == {"dose": ["1"], "response": ["2"]}
    with pytest.raises(ConfigError, match="separator: found 'xx'"):
        cells(tmp_path, text, separator="xx")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="none.csv: cannot be read: No such file"):
        read_delimited(tmp_path / "none.csv", ["a"])
    with pytest.raises(DataError, match="cannot be read"):
        read_delimited(tmp_path, ["a"])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from([b";", b",", b'"', b"\n", b"#", b"\xff", b"\x00", b".", b"e", b"-", b""])), max_size=6
    )
)
def test_damaged_tables_are_refused_or_read(changes):
    """Whatever was hit: an error of ours that names the file, or as many numbers as rows."""
    data = bytearray(b"dose;response\n0,1;11,75\n1,0;9,5\n1,0;10,25\n10,0;99,0\n")
    for place, what in changes:
        data[place : place + 1] = what
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cells.csv"
        path.write_bytes(data)
        try:
            table = read_delimited(path, ["dose", "response"])
            found = samples_of(table, ["dose"], ["response"], drop_missing=True)
            assert len(found.x) == len(found.y) <= table.rows and np.isfinite(found.y).all()
        except DataError as error:
            assert "cells.csv" in str(error)
