"""`sciml demo`: one short function over public calls that leaves a report; the report in a browser."""

from __future__ import annotations

import inspect
import json
import shutil
from pathlib import Path

import pyarrow.parquet
import pytest

from sciml.cli.demo import demo
from tests.cli.sample import sciml


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "run"
    done = sciml("demo", "--quick", "--out", out)
    assert done.exit_code == 0, done.output
    assert done.stdout.strip().splitlines()[-1] == f"report: {out / 'report.html'}"
    return out


def test_one_function_of_under_40_lines():
    lines = inspect.getsource(inspect.unwrap(demo)).rstrip().splitlines()
    assert len(lines) - lines.index(") -> None:") < 40 and len(lines) < 45


def test_what_it_leaves(folder):
    index = json.loads((folder / "report-data" / "report.json").read_text())
    potential, pathway = ["", "Test set", "Worst structure", "Audit", "Training", "Data"], ["The cell against its bound", "Design map"]
    titles = [section["title"] for section in index["sections"]]
    assert titles[:6] == potential and titles[-2:] == pathway
    points = json.loads((folder / "report-data" / "force-components.json").read_text())["traces"]
    rows = pyarrow.parquet.read_table(folder / "parity-forces.parquet").num_rows
    assert sum(len(trace["x"]) for trace in points if trace.get("mode") == "markers") == rows == 3 * 7 * 60 or rows > 0


def test_existing_folder_is_refused(folder):
    done = sciml("demo", "--quick", "--out", folder)
    assert done.exit_code == 2 and "is not empty" in done.stderr


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 1200])
def test_page_in_a_browser(folder, width):
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        pytest.skip("no Chromium on this machine; `make browser` installs Debian's package")
    playwright = pytest.importorskip("playwright.sync_api", reason="the Python package playwright is missing")
    page_path, asked, said = folder / "report.html", [], []
    with playwright.sync_playwright() as driver:
        words = "--headless --no-sandbox --disable-gpu --use-angle=swiftshader --enable-unsafe-swiftshader --disable-background-networking"
        chromium = driver.chromium.launch(executable_path=executable, args=words.split())
        page = chromium.new_page(viewport={"width": width, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(page_path.as_uri())
        for plot in page.locator(".plot").all():
            plot.scroll_into_view_if_needed()
        page.wait_for_function("Array.from(document.querySelectorAll('.plot')).every((plot) => plot.data)")
        count = "Array.from(document.querySelectorAll('.plot')).map((plot) => plot.data.map((trace) => trace.x.length))"
        drawn = page.evaluate(count)
        inside = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        atoms = page.locator(".viewer").get_attribute("data-atoms")
        chromium.close()
    stored = [json.loads(path.read_text())["traces"] for path in figures(folder)]
    assert sorted(drawn) == sorted([len(trace["x"]) for trace in traces] for traces in stored)
    assert said == [] and {url for url in asked if not url.startswith(("data:", "blob:"))} == {page_path.as_uri()} and inside
    assert int(atoms) == int((folder / "report-data" / "worst-structure.xyz").read_text().split()[0])


def figures(folder: Path) -> list[Path]:
    """Data files of the figures on the page."""
    index = json.loads((folder / "report-data" / "report.json").read_text())
    blocks = [block for section in index["sections"] for block in section["blocks"] if block["kind"] == "figure"]
    return [folder / "report-data" / block["files"][0] for block in blocks]
