"""What no parser should see is refused before it, by file name, in time that does not grow with the attack."""

from __future__ import annotations

import gzip
import time

import pytest

from sciml.biology.sbml.precheck import DEEPEST, LARGEST, inspect, read_bytes, unpack
from sciml.errors import DataError
from tests.biology.sbml.texts import document, math

MODEL = document("")


def deep(levels: int) -> str:
    return document(f"<listOfRules>{math('<apply><minus/>' * levels + '<cn>1</cn>' + '</apply>' * levels)}</listOfRules>")


@pytest.mark.parametrize("data", [MODEL.encode(), b"\xef\xbb\xbf" + MODEL.encode(), gzip.compress(MODEL.encode(), mtime=0)])
def test_plain_marked_and_packed_texts_are_the_same(data):
    text = unpack("f.xml", data)
    assert "<?xml" not in text
    assert text == unpack("f.xml", MODEL.encode())
    assert text.count("\n") == MODEL.count("\n")  # lines keep their numbers
    assert inspect("f.xml", text) == ()


@pytest.mark.parametrize(
    ("encoding", "name"), [("utf-16", "UTF-16"), ("iso-8859-1", "ISO-8859-1"), ("cp1252", "windows-1252"), ("ascii", "US-ASCII")]
)
def test_declared_encodings_are_read(encoding, name):
    text = MODEL.replace("UTF-8", name).replace('id="m"', 'id="m" name="x"' if encoding == "ascii" else 'id="m" name="é"')
    assert ("é" in unpack("f", text.encode(encoding))) == (encoding != "ascii")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (MODEL.replace('id="m"', 'id="é"').encode("latin-1"), "line 3: found the bytes 0xe9"),
        (MODEL.replace("UTF-8", "rot13").encode(), "found encoding 'rot13'"),
        (MODEL.replace("UTF-8", "UTF-7").encode(), "found encoding 'UTF-7'"),
        (MODEL.encode("utf-32"), "UTF-32"),
        (b"PK\x03\x04rest", "a zip archive"),
        (gzip.compress(MODEL.encode(), mtime=0)[:-9], "cannot be unpacked"),
        (gzip.compress(b"x" * 200, mtime=0)[:20] + b"junk" * 9, "cannot be unpacked"),
        (gzip.compress(b" \n", mtime=0), "empty once unpacked"),
    ],
)
def test_what_is_not_what_it_says_is_refused(data, said):
    with pytest.raises(DataError, match=r"f\.xml") as error:
        unpack("f.xml", data)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html><body/></html>", "web page"),
        ("<!DOCTYPE html><html/>", "web page"),
        ('<!DOCTYPE sbml [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><sbml>&b;</sbml>', "DOCTYPE"),
        (MODEL.partition("?>")[2][:-19], "the file is cut off, elements still open: 2"),
        ("<sbml><a></b></sbml>", "not well-formed XML: mismatched tag"),
        ("<sbml/><sbml/>", "not well-formed"),
        ("no xml at all", "not well-formed"),
        ("<model/>", "found <model>, expected <sbml>"),
        ("<sbml>&nbsp;</sbml>", "undefined entity"),
        ("<sbml>\x01</sbml>", "not well-formed"),
    ],
)
def test_faults_of_a_text_name_file_and_line(text, said):
    with pytest.raises(DataError, match=r"^f\.xml: line 1") as error:
        inspect("f.xml", text.replace("\n", " "))
    assert said in str(error.value)


def test_depth_ends_at_200_and_a_deep_text_costs_nothing():
    inspect("f", deep(DEEPEST - 5))
    began = time.process_time()
    with pytest.raises(DataError, match="more than 200 deep"):
        inspect("f", deep(10_000))
    assert time.process_time() - began < 0.2


def test_sizes_are_bounded_before_they_are_read(tmp_path):
    bomb = tmp_path / "bomb.xml.gz"
    bomb.write_bytes(gzip.compress(b" " * (5 * LARGEST), 1, mtime=0))
    began = time.process_time()
    with pytest.raises(DataError, match=r"bomb\.xml\.gz: unpacks to more than 20 MB"):
        unpack(str(bomb), read_bytes(bomb))
    assert time.process_time() - began < 1
    large = tmp_path / "large.xml"
    with large.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(DataError, match="larger than 20 MB"):
        read_bytes(large)


def test_missing_empty_and_other_things_are_refused(tmp_path):
    (tmp_path / "empty.xml").touch()
    for name, said in [("absent.xml", "No such file"), ("empty.xml", "is empty"), (".", "irectory"), ("a\0b", "null")]:
        with pytest.raises(DataError, match=said):
            read_bytes(tmp_path / name)


def test_external_models_are_named():
    definition = '<c:externalModelDefinition xmlns:c="urn:c" c:id="e" c:source="other.xml"/>'
    assert inspect("f", document(definition)) == ("other.xml",)
