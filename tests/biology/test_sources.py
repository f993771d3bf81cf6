"""A text given for a path, a path for a text, one format for another: each is said with the call that would be right."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sciml import resources
from sciml.biology import load_antimony, load_net, load_pathway, load_petab, load_sbml
from sciml.biology.sedml import load_archive, load_sedml
from sciml.biology.sources import ANTIMONY, NET, PETAB, SBML, SEDML, path_of, recognised, refuse_others
from sciml.errors import ConfigError, DataError

DATA = Path(__file__).parents[1] / "data"
TEXTS = {
    SBML: [
        "<sbml/>",
        '\ufeff<?xml version="1.0"?>\n<!-- <html> -->\n<sbml level="3" version="1"/>',
        '<s:sbml xmlns:s="http://www.sbml.org/sbml/level3/version1/core"/>',
    ],
    SEDML: ['<?xml version="1.0"?><sedML level="1" version="1"/>'],
    NET: [
        "# made by BioNetGen\nbegin parameters\n    1 k 1\nend parameters\n",
        "begin model\nbegin reaction rules\nA() -> B() k\nend reaction rules",
    ],
    PETAB: ["format_version: 1\nparameter_file: p.tsv\n", "# a -> b;\nformat_version: 1"],
    ANTIMONY: ["model m\n  k = 1\nend", "*model m()\nend", "A -> B; k*A", "r: 2 A + B => C; k*A^2*B\nk = 1"],
    None: ["", "Hello world", "time,A\n0,1\n", "k = 1", "<note/>", "\0\0"],
}


@pytest.mark.parametrize(("expected", "text"), [(format, text) for format, texts in TEXTS.items() for text in texts])
def test_formats_are_recognised(expected, text):
    assert recognised(text) == expected


def test_what_the_repository_holds_is_recognised():
    folders = (
        (DATA / "petab", "**/_0*[0-9].yaml", PETAB),
        (DATA / "biomodels", "*.xml.gz", SBML),
        (resources.find("datasets"), "pathways/*.ant", ANTIMONY),
    )
    for folder, pattern, expected in folders:
        found = list(folder.glob(pattern))
        assert found, folder
        for file in found:
            data = file.read_bytes()
            assert recognised((gzip.decompress(data) if file.suffix == ".gz" else data).decode()) == expected, file


@pytest.mark.parametrize("load", [load_sbml, load_net, load_petab, load_antimony, load_sedml])
def test_each_reader_names_the_one_that_would_be_right(load, tmp_path):
    """Every reader is given a file of every other format."""
    own = {load_sbml: SBML, load_net: NET, load_petab: PETAB, load_antimony: ANTIMONY, load_sedml: SEDML}[load]
    for format, texts in TEXTS.items():
        if format in (own, None):
            continue
        file = tmp_path / f"{format.key}.txt"
        file.write_text(texts[0])
        with pytest.raises(DataError) as caught:
            load(file)
        assert str(caught.value) == f"{file}: found {format.name}, expected {own.name}; {format.reader} reads files of it"


def test_a_web_page_and_a_pdf_have_no_reader():
    for text, what in (("<!DOCTYPE html><html/>", "a web page"), ("<HTML>", "a web page"), ("%PDF-1.4", "a PDF document")):
        with pytest.raises(DataError) as caught:
            refuse_others("m.xml", text, SBML)
        assert str(caught.value) == f"m.xml: found {what}, expected an SBML model"


@pytest.mark.parametrize("load", [load_sbml, load_net, load_petab, load_antimony, load_sedml, load_archive])
def test_what_is_no_path_is_said(load):
    for given, message in (
        ("", "found an empty text"),
        ("  ", "found an empty text"),
        ("https://example.org/m.xml", "lies on the net; fetch it"),
        ("x" * 5000, "found a text that begins with"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            load(given)
        assert str(caught.value).startswith(f"{load.__name__}: ")
        assert len(str(caught.value)) < 200
    with pytest.raises(DataError, match="cannot be read"):
        load("no such file.xml")
    with pytest.raises(DataError, match="Is a directory"):
        load(Path("."))
    with pytest.raises(DataError, match="null"):
        load("a\0b")


@pytest.mark.parametrize("load", [load_sbml, load_net, load_petab])
def test_a_model_given_for_its_path_is_said(load):
    with pytest.raises(ConfigError, match="expected the path of a file; load_antimony takes text"):
        load("A -> B; k*A\nk = 1")
    with pytest.raises(ConfigError, match="it looks like an SBML model: put it into a file"):
        load(load_pathway("telegraph").to_sbml())


def test_a_path_given_for_antimony_text_says_how_they_are_told_apart():
    with pytest.raises(DataError, match="no.ant: cannot be read: No such file or directory; a text that is a model has a line break"):
        load_antimony("no.ant")


def test_a_path_stays_as_it_is():
    assert path_of("call", "a/b.xml") == Path("a/b.xml")
    assert path_of("call", Path("a/b.xml")) == Path("a/b.xml")
