import time

import numpy as np
import pytest
from ase.io.extxyz import key_val_str_to_dict
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.materials.formats.keyvalue import parse_comment, parse_value


def same(a, b):
    return np.array_equal(np.asarray(a), np.asarray(b)) if not isinstance(a, str) else a == b


@pytest.mark.parametrize(
    "line",
    [
        'Lattice="5.44 0.0 0.0 0.0 5.44 0.0 0.0 0.0 5.44" Properties=species:S:1:pos:R:3 Time=0.0',
        "config_type=bulk n=3 x=-1.5e-3 flag=T other=F names='a b' pbc=\"T F T\"",
        'a=1,2,3 b={1 2 3} c=[0.5 1.5] d="it\'s" e=\'say "x"\'',
        'escaped="a \\"quote\\" inside" bare cutoff=3.4 have_energy',
        "url=http://x/?a=b&c=d k = 5 spaced= 6",
        'class="_JSON [1.0, 0.0, 0.0]" data="_JSON {\\"a\\": [1, 2]}"',
        "uid=0012 mixed=12a",
    ],
)
def test_as_ase_reads_it(line):
    ours, theirs = parse_comment(line), key_val_str_to_dict(line)
    assert ours.keys() == theirs.keys()
    for key, value in ours.items():
        assert key == "Lattice" or same(value, theirs[key]), key  # ASE transposes this one


def test_nested_arrays_and_mappings_are_json():
    found = parse_comment('m=[[1, 2], [3, 4]] d={"a": {"b": 1}} t=[[1, 0.5], ["x", 2]]')
    assert found["m"].tolist() == [[1, 2], [3, 4]]
    assert found["d"] == {"a": {"b": 1}}
    assert found["t"] == [[1, 0.5], ["x", 2]]


@pytest.mark.parametrize(
    ("text", "value"), [("1_0", "1_0"), ("1.0x", "1.0x"), ("nan", "nan"), ("12", 12), ("007", 7), ("T", True), ("t", "t")]
)
def test_values(text, value):
    assert repr(parse_value(text)) == (text if text == "nan" else repr(value))


def test_a_line_without_equals_is_a_comment():
    assert parse_comment("Cubic bulk silicon cell\n") == {"comment": "Cubic bulk silicon cell"}
    assert parse_comment("  ") == {}


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab=\"'[]{}\\ ,1.T_:-\t"), max_size=60))
def test_no_text_crashes(line):
    assert isinstance(parse_comment(line), dict)


@pytest.mark.parametrize("unit", ['"', "'a ", "[", "{[", "a=", "=", "\\", 'k="x" ', "]", '[" '])
def test_time_is_linear(unit):
    start = time.process_time()
    parse_comment("x=1 " + unit * (200_000 // len(unit)))
    assert time.process_time() - start < 3
