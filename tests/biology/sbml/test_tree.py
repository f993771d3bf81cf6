"""Elements keep their lines; notes and annotations stay the text that they are and stand alone."""

from __future__ import annotations

import pytest

from sciml.biology.sbml.tree import descend, parse, parts
from sciml.errors import DataError

TEXT = """<sbml xmlns="urn:s" xmlns:h="urn:h">
 <model id="m">
  <notes><h:p>a &lt; b &amp; é</h:p></notes>
  <annotation xmlns:x="urn:x"><x:y z=">"/><a/></annotation>
  <list>
   <math xmlns="urn:m"><cn> 6.5 <sep/> -3 </cn></math>
  </list>
 </model>
</sbml>"""


def test_names_lines_and_texts():
    root = parse(TEXT)
    model = root.child("model")
    assert [(e.name, e.line) for e in descend(root)] == [("sbml", 1), ("model", 2), ("list", 5), ("math", 6), ("cn", 6), ("sep", 6)]
    assert model.attributes == {"id": "m"}
    assert root.space == "urn:s"
    assert model.child("list").children[0].space == "urn:m"
    assert model.child("list").child("math") is None  # another namespace
    assert next(e for e in descend(root) if e.name == "cn").text == " 6.5 | -3 "


def test_notes_are_verbatim_and_self_contained():
    kept = parse(TEXT).child("model").kept
    assert kept["notes"] == '<notes xmlns:h="urn:h"><h:p>a &lt; b &amp; é</h:p></notes>'
    assert kept["annotation"] == '<annotation xmlns:x="urn:x"><x:y z=">"/><a/></annotation>'
    assert parse(kept["notes"]).name == "notes"


def test_empty_notes():
    assert parse("<a><notes/><b/></a>").kept == {"notes": "<notes></notes>"}


def test_parts_of_an_annotation():
    found = parts('<annotation xmlns:x="urn:x"><x:a/> <x:b>t<x:c/></x:b><d xmlns="urn:d">e</d><f/></annotation>')
    elements = [("urn:x", "<x:a/>"), ("urn:x", "<x:b>t<x:c/></x:b>"), ("urn:d", '<d xmlns="urn:d">e</d>'), ("", "<f/>")]
    assert [part for part in found if part[0] is not None] == elements
    assert [text for space, text in found if space is None] == ["", " ", "", "", ""]
    assert parts("<annotation/>") == [(None, "")]


def test_no_xml_is_refused():
    with pytest.raises(DataError, match="line 1, column 2: no XML"):
        parse("<a<")
