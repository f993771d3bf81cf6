"""The page in a real browser: what is drawn is what is stored, nothing is asked for outside, nothing overflows."""

import json
import shutil
from pathlib import Path

import pytest

from sciml.report import write_report
from tests.report.sample import EVIL, RUN, sections

pytestmark = pytest.mark.browser

ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --use-angle=swiftshader --enable-unsafe-swiftshader"
).split()
WIDTHS = (400, 1200)
COUNT = """() => Array.from(document.querySelectorAll('.plot')).map((plot) => ({key: plot.dataset.key,
  failed: plot.classList.contains('failed'),
  traces: plot.data.map((trace) => ['x', 'y', 'z'].map((axis) => (trace[axis] || []).flat().length))}))"""


@pytest.fixture(scope="module")
def browser():
    executable = next(filter(None, (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        pytest.skip("no Chromium on this machine; `make browser` installs Debian's package")
    playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is missing")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    return write_report(sections(), tmp_path_factory.mktemp("run") / "report.html", title=EVIL, run=RUN)


@pytest.fixture(scope="module", params=WIDTHS)
def opened(request, browser, report):
    """The page at one width (a phone's with touch), with all that it said and asked for."""
    phone = request.param < 500
    context = browser.new_context(viewport={"width": request.param, "height": 900}, has_touch=phone, is_mobile=phone, accept_downloads=True)
    page = context.new_page()
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.goto(report.as_uri())
    page.wait_for_selector("html[data-drawn]", timeout=120_000)
    yield page
    context.close()


def stored_figures(report: Path) -> dict[str, list[dict]]:
    """Traces in the data files by the figure's place in the page."""
    folder = report.with_name("report-data")
    index = json.loads((folder / "report.json").read_text())
    return {
        f"b{s}-{b}": json.loads((folder / block["files"][0]).read_text())["traces"]
        for s, section in enumerate(index["sections"])
        for b, block in enumerate(section["blocks"])
        if block["kind"] == "figure"
    }


def size(values) -> int:
    return sum(map(size, values)) if isinstance(values, list) else 1


def test_traces_and_points_drawn_are_those_of_the_data_files(opened, report):
    drawn = {plot["key"]: plot for plot in opened.evaluate(COUNT)}
    stored = stored_figures(report)
    assert len(drawn) == len(stored) == 6 and not any(plot["failed"] for plot in drawn.values())
    for key, traces in stored.items():
        assert drawn[key]["traces"] == [[size(trace.get(axis, [])) for axis in "xyz"] for trace in traces]
    marks = opened.evaluate("document.querySelectorAll('.plot[data-key=\"b1-1\"] .scatterlayer .point').length")
    assert marks == sum(len(trace["x"]) for trace in stored["b1-1"] if trace["mode"] == "markers") == 300


def test_no_error_no_request_no_overflow(opened, report, tmp_path):
    opened.mouse.wheel(0, 3000)
    opened.wait_for_timeout(300)
    assert opened.said == []
    assert {address for address in opened.asked if not address.startswith(("data:", "blob:"))} == {report.as_uri()}
    width, inside = opened.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= inside
    assert opened.title() == EVIL and opened.evaluate("document.querySelectorAll('main img, main b[onclick]').length") == 0
    opened.screenshot(path=tmp_path / "report.png", full_page=True)
    assert int.from_bytes((tmp_path / "report.png").read_bytes()[16:20], "big") == inside  # the picture's width: nothing beside the page


def test_structure_is_drawn_and_turned_by_keys(opened):
    viewer = opened.locator(".viewer")
    assert viewer.get_attribute("data-atoms") == "8" and opened.locator(".elements").inner_text().split() == "Na × 4 Cl × 4".split()
    viewer.scroll_into_view_if_needed()
    before = viewer.screenshot()
    viewer.focus()
    for _ in range(4):
        opened.keyboard.press("ArrowRight")
    opened.wait_for_timeout(300)
    assert viewer.screenshot() != before


def test_downloads_are_the_stored_numbers(opened, report):
    traces = stored_figures(report)["b1-1"]
    found = {}
    for kind in ("json", "csv"):
        with opened.expect_download() as waiting:
            opened.locator(f'[data-key="b1-1"][data-save="{kind}"]').click()
        found[kind] = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert json.loads(found["json"])["traces"] == traces
    lines = found["csv"].splitlines()
    assert lines[0] == "trace,x,y,error_y" and len(lines) == 1 + sum(len(trace["x"]) for trace in traces)
    with opened.expect_download() as waiting:
        opened.locator('[data-save="text"]').click()
    assert Path(waiting.value.path()).read_text() == report.with_name("report-data").joinpath("rock-salt.xyz").read_text()
    with opened.expect_download() as waiting:
        opened.locator('[data-key="b1-1"][data-save="svg"]').click()
    assert "<svg" in Path(waiting.value.path()).read_text()


def test_policy_stops_what_a_script_would_ask_for(opened):
    assert opened.evaluate("fetch('https://example.org/').then(() => 'sent', () => 'refused')") == "refused"
    opened.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.smuggled = 1'}))")
    assert opened.evaluate("window.smuggled") is None
    assert opened.evaluate("document.querySelectorAll('[data-title*=Share], [data-title*=loud]').length") == 0


def test_dark_and_light_and_what_the_keyboard_reaches(opened):
    colours = []
    for _ in range(2):
        opened.locator("#theme").click()
        opened.wait_for_timeout(500)
        text = opened.evaluate("getComputedStyle(document.querySelector('.plot .xtick text')).fill")
        colours.append((opened.evaluate("getComputedStyle(document.body).backgroundColor"), text))
    assert colours[0][0] != colours[1][0] and colours[0][1] != colours[1][1]
    opened.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(60):
        opened.keyboard.press("Tab")
        reached.add(opened.evaluate("[...document.activeElement.classList, document.activeElement.dataset.save || ''].join(' ').trim()"))
    assert {"csv", "json", "svg", "drawing viewer", "scroll", "file"} <= reached


def test_printing_uses_light_colours_and_pictures(opened):
    opened.said.clear()
    opened.evaluate("document.documentElement.dataset.theme === 'light' && document.getElementById('theme').click()")
    opened.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    opened.wait_for_timeout(1000)
    assert opened.evaluate("document.documentElement.dataset.theme") == "light"
    assert opened.evaluate("Array.from(document.querySelectorAll('img.printed')).map((picture) => picture.src.slice(0, 14))") == [
        "data:image/png"
    ]
    opened.evaluate("window.dispatchEvent(new Event('afterprint'))")
    opened.wait_for_timeout(1000)
    assert opened.evaluate("document.documentElement.dataset.theme") == "dark" and opened.said == []
