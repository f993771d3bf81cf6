import json
from html.parser import HTMLParser

import pytest

from sciml.report import Download, Figure, KeyFigure, KeyFigures, Section, Structure3D, Table, Text
from sciml.report.markup import escaped, run_facts, section


class Tags(HTMLParser):
    """Tags with attributes, text, and the content of the embedded data."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.text, self.data, self._key = [], "", {}, None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._key = dict(attrs).get("id") if tag == "script" else None

    def handle_endtag(self, tag):
        self._key = None

    def handle_data(self, data):
        if self._key:
            self.data[self._key] = json.loads(data)
        else:
            self.text += data


def read(*blocks, **fields) -> Tags:
    return Tags(section(0, Section("S", blocks, **fields), [[f"f{number}.json"] for number in range(len(blocks))], "report-data"))


def test_every_text_is_escaped():
    evil = "<b onclick='x'>\"&</script>"
    page = read(
        Text(evil),
        KeyFigures([KeyFigure(evil, evil, evil, evil)]),
        Figure(evil, [{"x": [1], "name": evil}], caption=evil, notes=[evil]),
        Table(evil, {evil: [evil]}, {evil: evil}, evil, tones={evil: "bad"}),
        Structure3D(evil, evil, caption=evil),
        Download(evil, "a.md", evil, evil),
        lead=evil,
    )
    assert not [tag for tag, attributes in page.tags if tag == "b" and attributes]
    assert page.text.count(evil) >= 12 and all("onclick" not in attributes for _, attributes in page.tags)
    assert page.data["data-b0-2"]["traces"][0]["name"] == evil and page.data["data-b0-3"]["columns"] == {evil: [evil]}
    assert evil in run_and_text({evil: {evil: evil}})


def run_and_text(run) -> str:
    return Tags(run_facts(run)).text


def test_text_that_is_no_unicode_is_shown_with_a_question_mark():
    assert escaped("a\ud800b").encode() == b"a?b"


def test_embedded_numbers_are_the_blocks_numbers():
    figure = Figure("f", [{"x": [1.0, 2.0], "y": [0.1, float("nan")]}], {"height": 200})
    page = read(figure, Table("t", {"a": [1.0, float("nan"), float("inf"), None]}))
    assert page.data["data-b0-0"]["traces"] == list(figure.traces)
    assert page.data["data-b0-1"]["columns"] == {"a": [1.0, "nan", "inf", None]}
    assert "1 value not finite, hence not drawn." in page.text and "NaN" in page.text and "∞" in page.text


def test_long_tables_are_cut_with_a_note():
    page = read(Table("t", {"a": range(5000)}))
    assert sum(tag == "tr" for tag, _ in page.tags) == 101
    assert "The first 100 of 5,000 rows are shown; the data file has all of them." in page.text
    assert len(page.data["data-b0-0"]["columns"]["a"]) == 5000
    huge = read(Table("t", {"a": range(300_000)}))
    assert not huge.data and "f0.json" in huge.text


def test_large_downloads_stay_beside_the_page():
    assert "beside this page only" in read(Download("d", "a.bin", bytes(5_000_000))).text
    assert read(Download("d", "a.bin", b"\x00\x01")).data["data-b0-0"] == {"name": "a.bin", "base64": "AAE="}


@pytest.mark.parametrize(
    ("panels", "rows"), [(1, [1]), (2, [2]), (3, [3]), (4, [2, 2]), (5, [3, 2]), (6, [3, 3]), (7, [3, 2, 2]), (8, [3, 3, 2])]
)
def test_rows_of_panels_are_full(panels, rows):
    page = read(*[Figure(f"f{number}", [{"x": [1]}]) for number in range(panels)])
    found = [int(attributes["class"][-1]) for tag, attributes in page.tags if tag == "div" and "columns-" in attributes.get("class", "")]
    assert found == rows


def test_wide_figures_and_text_end_a_row():
    page = read(*[Figure(name, [{"x": [1]}], wide=name == "w") for name in "awb"])
    assert sum("columns-1" in attributes.get("class", "") for _, attributes in page.tags) == 2


def test_what_can_be_scrolled_or_turned_is_reached_by_keyboard():
    page = read(Table("t", {"a": [1]}), Structure3D("s", "1\n\nH 0 0 0"), Text("x", code=True))
    for name in ("scroll", "viewer"):
        (attributes,) = [attributes for _, attributes in page.tags if name in attributes.get("class", "").split()]
        assert attributes["tabindex"] == "0" and attributes["aria-label"]
    assert all(attributes.get("type") == "button" for tag, attributes in page.tags if tag == "button")
