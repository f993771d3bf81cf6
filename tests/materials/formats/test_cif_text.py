import time

import pytest

from sciml.errors import DataError
from sciml.materials.formats.cif_text import parse_blocks
from sciml.materials.formats.tokens import Place

PLACE = Place("a.cif")


def values(text):
    (block,) = parse_blocks(text, PLACE)
    return block.values


def test_tags_quotes_text_fields_and_comments():
    text = """# a comment
data_One
_a 1.5(2)   # behind a value
_b.C 'it's # no comment' \t_d "x 'y' z"
_e
;first
 second;
;
_f ;no_text
_g ?
"""
    (block,) = parse_blocks(text, PLACE)
    assert block.name == "One"
    assert block.values == {
        "_a": ["1.5(2)"],
        "_b_c": ["it's # no comment"],
        "_d": ["x 'y' z"],
        "_e": ["first\n second;"],
        "_f": [";no_text"],
        "_g": ["?"],
    }
    assert block.one("_nothing", "_g", "_a") == "1.5(2)"
    assert block.column("_nothing") is None


def test_loops():
    found = values("data_x\nloop_\n_a\n_B\n1 'x, y'\n2\n;long\ntext\n;\nloop_ _c 5 6 7\n_d 8\n")
    assert found == {"_a": ["1", "2"], "_b": ["x, y", "long\ntext"], "_c": ["5", "6", "7"], "_d": ["8"]}


def test_blocks():
    assert [block.name for block in parse_blocks("data_a\n_x 1\nDATA_b\n_x 2\ndata_c\n", PLACE)] == ["a", "b", "c"]
    assert parse_blocks("", PLACE) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data_x\nloop_\n_a\n_b\n1 2 3\n", "loop_ of _a: 3 values for 2 columns"),
        ("data_x\nloop_\n", "loop_: no tags"),
        ("data_x\n_a 'open\n", "line 2: a quote is not closed"),
        ("data_x\n_a\n;open\n", "line 3: a text field is not closed"),
        ("data_x\n_a\n", "_a: the file ends before its value"),
        ("data_x\n_a _b 1\n", "_a: no value"),
        ("data_x\n1 2\n", "the value '1' has no tag"),
    ],
)
def test_faults(text, message):
    with pytest.raises(DataError, match=f"a.cif: .*{message}"):
        parse_blocks(text, PLACE)


@pytest.mark.parametrize("unit", ["'a ", "''a", "'a' ", ";\n", "_a 1\n", "loop_ _b 1\n", '"', "# ", "data_\n"])
def test_time_is_linear(unit):
    start = time.process_time()
    try:
        parse_blocks("data_x\n_x " + unit * (300_000 // len(unit)), PLACE)
    except DataError:
        pass
    assert time.process_time() - start < 5
