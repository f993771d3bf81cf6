"""Notes and annotations go round; our own mark never shows; libSBML's rules for level 3 are kept."""

from __future__ import annotations

import time

import pytest

from sciml.biology.sbml.annotations import MARK, Annotations, kept
from sciml.biology.sbml.tree import parse
from sciml.errors import DataError

TEXT = '<x metaid="_1" sboTerm="SBO:1"><notes><p xmlns="urn:h">é</p></notes><annotation><a:b xmlns:a="urn:a">t</a:b></annotation></x>'


def round_trip(text: str, mark: str = "") -> tuple[str, str]:
    """(what was kept at first, what is kept after it was written)."""
    before, _ = kept(parse(text))
    attributes, content = Annotations("n", {"k": before}).of("k", mark)
    after, _ = kept(parse(f"<x {' '.join(f'{n}={v!r}' for n, v in attributes.items())}>{content}</x>"))
    return before, after


@pytest.mark.parametrize("mark", ["", "massAction", 'origin level="2" version="4"'])
def test_what_is_kept_comes_back(mark):
    before, after = round_trip(TEXT, mark)
    assert before == after
    assert before.startswith('<kept metaid="_1" sboTerm="SBO:1"><notes>')


def test_our_mark_is_read_and_taken_out():
    for texts in ({}, {"k": kept(parse(TEXT))[0]}):
        _, content = Annotations("n", texts).of("k", 'origin level="2" version="4"')
        text, marks = kept(parse(f"<x>{content}</x>"))
        assert marks == {"origin": f' xmlns:sciml="{MARK}" level="2" version="4"'}
        assert "sciml" not in text


def test_a_second_element_of_a_namespace_moves_into_ours():
    text = '<x><annotation xmlns:a="urn:a"><a:one/><a:two/><bare/></annotation></x>'
    before, _ = kept(parse(text))
    annotations = Annotations("n", {"k": before})
    _, content = annotations.of("k", "massAction")
    assert annotations.spaces == {"a": "urn:a"}
    assert "<annotation><a:one/><sciml:massAction" in content.replace("\n", "")
    after, marks = kept(parse(f'<r xmlns:a="urn:a"><x>{content}</x></r>').children[0])
    assert [part in after for part in ("<a:one/>", "<a:two/>", "<bare/>")] == [True] * 3
    assert list(marks) == ["massAction"]


def test_packages_are_never_declared_at_the_root():
    package = "http://www.sbml.org/sbml/level3/version1/fbc/version2"
    annotations = Annotations("n", {"k": f'<kept><annotation xmlns:f="{package}" xmlns:g="urn:g"><g:x/></annotation></kept>'})
    _, content = annotations.of("k")
    assert annotations.spaces == {"g": "urn:g"}
    assert package in content


def test_nothing_kept_is_nothing():
    assert kept(parse("<x/>")) == ("", {})
    assert Annotations("n", {}).of("k") == ({}, "")


def test_a_text_that_is_no_xml_is_refused():
    with pytest.raises(DataError, match="n: the annotation of 'k'"):
        Annotations("n", {"k": "<kept>"}).of("k")


def test_a_long_annotation_costs_linear_time():
    text = "<kept><annotation xmlns:a='urn:a'>" + "<a:b>t</a:b>" * 50_000 + "</annotation></kept>"
    began = time.process_time()
    _, content = Annotations("n", {"k": text}).of("k")
    assert content.count("<a:b>") == 50_000
    assert time.process_time() - began < 2
