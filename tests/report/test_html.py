import base64
import hashlib
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sciml.errors import ConfigError, DataError
from sciml.report import Section, Text, report_from_folder, write_report
from tests.report.sample import EVIL, RUN, sections

VENDOR = Path(__file__).parents[2] / "sciml/report/vendor"


class Page(HTMLParser):
    """Tags with their attributes, and the scripts' texts."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.scripts, self.title, self._open, self._attributes = [], [], "", "", {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open, self._attributes = tag, dict(attrs)
        if tag == "script":
            self.scripts.append((self._attributes.get("type"), ""))

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, data):
        if self._open == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif self._open == "title":
            self.title += data


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = write_report(sections(), tmp_path_factory.mktemp("run") / "report.html", title=EVIL, run=RUN)
    return path, Page(path.read_text(encoding="utf-8"))


def policy(page: Page) -> str:
    (found,) = [attributes["content"] for tag, attributes in page.tags if attributes.get("http-equiv") == "Content-Security-Policy"]
    return found


def test_policy_forbids_the_network_and_lists_exactly_the_scripts(written):
    _, page = written
    rules = dict(rule.strip().split(" ", 1) for rule in policy(page).split(";"))
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data: blob:" and rules["form-action"] == "'none'"
    code = [text for kind, text in page.scripts if kind is None]
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in code}
    assert set(rules["script-src"].split()) == hashes and len(code) == 3
    assert "unsafe" not in rules["script-src"] and not any(rule in policy(page) for rule in ("http:", "https:", "*", "unsafe-eval"))


def test_nothing_is_fetched(written):
    _, page = written
    addresses = [
        value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href", "action", "srcset", "data")
    ]
    assert addresses and all(address.startswith("#") or address == "data:," for address in addresses)
    (style,) = re.findall(r"<style>(.*?)</style>", written[0].read_text(encoding="utf-8"), re.S)
    assert "url(" not in style and "@import" not in style
    assert not {tag for tag, _ in page.tags} & {"iframe", "object", "embed", "base", "form", "img"}


def test_plotly_and_3dmol_are_there_once_and_only_where_needed(written, tmp_path):
    _, page = written
    assert sum("plotly.js v" in text[:100] for _, text in page.scripts) == 1
    assert sum("3Dmol-min.js.LICENSE" in text[:200] for _, text in page.scripts) == 1
    path = write_report([Section("s", [Text("t")])], tmp_path / "small.html", title="t")
    assert path.stat().st_size < 60_000 and (tmp_path / "small-data/report.json").is_file()


def test_the_licence_of_3dmol_is_beside_it_and_in_the_page(written):
    licence = (VENDOR / "3Dmol-LICENSE.txt").read_text(encoding="utf-8")
    assert "University of Pittsburgh" in licence and "BSD-3-Clause" in licence
    assert "Copyright (c) 2014, University of Pittsburgh" in written[0].read_text(encoding="utf-8")
    script = (VENDOR / "3Dmol-min.js").read_bytes()
    assert hashlib.sha256(script).hexdigest() == "f7cc78921ae72e7623e89cdd111434f58c2efddd2ffda1cd212644b406fb8016"


def test_texts_that_try_to_break_out_stay_text(written):
    _, page = written
    assert page.title == EVIL
    assert not [attributes for _, attributes in page.tags if any(name.startswith("on") for name in attributes)]
    assert not [text for kind, text in page.scripts if kind is None and text.startswith("document.title")]


def test_numbers_in_the_page_are_the_numbers_in_the_data_files(written):
    path, page = written
    embedded = [json.loads(text) for kind, text in page.scripts if kind == "application/json"]
    drawn = [item["traces"] for item in embedded if "traces" in item]
    index = json.loads((path.parent / "report-data/report.json").read_text())
    names = [block["files"][0] for section in index["sections"] for block in section["blocks"] if block["kind"] == "figure"]
    stored = [json.loads((path.parent / "report-data" / name).read_text())["traces"] for name in names]
    assert len(drawn) == 6 and drawn == stored


def test_every_part_has_a_name_once(written):
    names = [attributes["id"] for _, attributes in written[1].tags if "id" in attributes]
    assert len(names) == len(set(names))
    targets = [attributes["href"][1:] for tag, attributes in written[1].tags if tag == "a"]
    assert set(targets) <= set(names)


def test_the_page_made_from_the_folder_is_the_same(written, tmp_path):
    path, _ = written
    text = path.read_text(encoding="utf-8")
    assert report_from_folder(path.parent) == path and path.read_text(encoding="utf-8") == text
    copy = report_from_folder(path.parent / "report-data", tmp_path / "copy.html")
    assert copy.read_text(encoding="utf-8") == text


def test_refusals(tmp_path):
    with pytest.raises(ConfigError, match=r"ends in '\.pdf'; \.html would be right"):
        write_report([], tmp_path / "a.pdf", title="t")
    with pytest.raises(DataError, match=r"a folder with report-data/report\.json would be right"):
        report_from_folder(tmp_path)


def test_importing_reports_loads_no_plotly():
    import subprocess

    code = "import sys, sciml.report; sys.exit(any(name in sys.modules for name in ('plotly', 'torch', 'ase', 'pyarrow', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
