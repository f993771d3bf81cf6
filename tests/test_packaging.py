"""The wheel holds what it must and nothing else; licences, versions and pins agree with each other."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = {
    canonicalize_name(name): version.strip()
    for name, version in (
        line.split("==") for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
    )
}
FOLDERS = [name for name in ("datasets", "models", "examples", "workflows") if (ROOT / name).is_dir()]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def requirements(lines: list[str]) -> list[Requirement]:
    return [item for item in map(Requirement, lines) if item.name != "sciml"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Name -> size of every file in the wheel, built as a release is."""
    folder = tmp_path_factory.mktemp("wheel")
    code = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        return {item.filename: item.file_size for item in archive.infolist()}


def test_wheel_holds_the_package(wheel: dict[str, int]) -> None:
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "sciml").rglob("*.py")}
    assert {name for name in wheel if name.endswith(".py") and name.startswith("sciml/") and "_resources" not in name} == sources
    assert "sciml/py.typed" in wheel or not (ROOT / "sciml" / "py.typed").exists()


@pytest.mark.parametrize("folder", FOLDERS)
def test_wheel_holds_the_folders_beside_it(wheel: dict[str, int], folder: str) -> None:
    tracked = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    assert {f"sciml/_resources/{name}" for name in tracked.stdout.split() if (ROOT / name).exists()} <= set(wheel)


def test_wheel_holds_nothing_else(wheel: dict[str, int]) -> None:
    allowed = re.compile(r"^(sciml/|sciml-[\d.\w]+\.dist-info/)")
    assert not [name for name in wheel if not allowed.match(name)]
    assert not [name for name in wheel if re.search(r"__pycache__|\.pyc$|lgpl|\.ckpt$|\.pkl$|\.pt$|\.env$|(^|/)\.", name)]
    assert sum(wheel.values()) < 40e6


def test_every_third_party_script_in_the_wheel_has_its_licence(wheel: dict[str, int]) -> None:
    page = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    vendored = [name for name in wheel if "/vendor/" in name and not name.endswith((".py", ".md", ".txt"))]
    assert all(f"`{name}`" in page for name in vendored)
    for folder in {
        name.removeprefix("sciml/_resources/").rsplit("/", 1)[0]
        for name in wheel
        if re.search(r"_resources/datasets/[^/]+/make\.py$", name)
    }:
        assert f"`{folder}`" in page
    texts = {name.rsplit("/", 1)[1] for name in wheel if ".dist-info/licenses/" in name}
    assert {"LICENSE", "THIRD_PARTY.md"} <= texts
    assert {path.name for path in (ROOT / "LICENSES").glob("*.txt")} <= texts


def test_licence_pages_are_what_their_script_makes() -> None:
    done = subprocess.run([sys.executable, "LICENSES/make.py", "--check"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_licence_script_refuses_what_it_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = load(ROOT / "LICENSES" / "make.py")
    monkeypatch.setattr(make, "ROOT", tmp_path)
    monkeypatch.setattr(make, "VENDOR", tmp_path)
    (tmp_path / "other.js").write_text("1")
    with pytest.raises(make.Missing, match="other.js"):
        make.vendored()
    (tmp_path / "other.js").rename(tmp_path / "3Dmol-min.js")
    with pytest.raises(make.Missing, match="expected f7cc789"):
        make.vendored()
    (tmp_path / "datasets" / "new").mkdir(parents=True)
    (tmp_path / "datasets" / "new" / "make.py").write_text("")
    with pytest.raises(make.Missing, match="no LICENSE file"):
        make.datasets()
    (tmp_path / "datasets" / "new" / "LICENSE").write_text("All rights reserved.")
    with pytest.raises(make.Missing, match="no licence of the list"):
        make.datasets()


def test_version_is_the_same_everywhere() -> None:
    import sciml

    citation = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert citation is not None
    assert sciml.__version__ == PROJECT["version"] == citation.group(1) == importlib.metadata.version("sciml")


@pytest.mark.parametrize("item", requirements(PROJECT["dependencies"] + [line for lines in EXTRAS.values() for line in lines]), ids=str)
def test_every_requirement_is_pinned_within_its_range(item: Requirement) -> None:
    assert item.specifier.contains(PINS[canonicalize_name(item.name)])
    assert any(clause.operator == ">=" for clause in item.specifier), "a lower end is wanted"
    assert not any(clause.operator in ("==", "<", "<=", "~=") for clause in item.specifier), "pins and caps belong in constraints.txt"


@pytest.mark.parametrize("name", ["lightning", "pytorch-lightning"])
@pytest.mark.parametrize("bad", ["2.6.2", "2.6.3"])
def test_bad_releases_of_lightning_are_excluded(name: str, bad: str) -> None:
    (item,) = [item for item in requirements(PROJECT["dependencies"]) if item.name == name]
    assert not item.specifier.contains(bad)
    assert PINS[name] not in ("2.6.2", "2.6.3")
    assert f"!={bad}" in str(item.specifier)


def closure() -> dict[str, importlib.metadata.Distribution]:
    """Everything that an installation of sciml with the test extra brings, by the metadata of what is installed."""
    found: dict[str, importlib.metadata.Distribution] = {}
    todo = requirements(PROJECT["dependencies"] + EXTRAS["test"] + EXTRAS["docs"])
    while todo:
        item = todo.pop()
        name = canonicalize_name(item.name)
        if name in found or (item.marker and not any(item.marker.evaluate({"extra": extra}) for extra in {"", *item.extras})):
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        todo += [
            each for each in map(Requirement, found[name].requires or []) if each.marker is None or each.marker.evaluate({"extra": ""})
        ]
    return found


def test_everything_installed_for_us_is_pinned() -> None:
    missing = sorted(set(closure()) - set(PINS) - {"pip"})
    other = [name for name in missing if not name.startswith(("nvidia-", "cuda-", "triton"))]
    assert not other


def test_pins_are_what_is_installed() -> None:
    if os.environ.get("TORCH") == "system":
        pytest.skip("another torch is used here")
    found = {name: item.version for name, item in closure().items() if name in PINS}
    assert {name: (version, PINS[name]) for name, version in found.items() if Version(version).public != PINS[name]} == {}


def test_no_gpl_among_what_is_installed_for_us() -> None:
    def licences(item: importlib.metadata.Distribution) -> str:
        fields = [item.metadata.get("License-Expression") or "", (item.metadata.get("License") or "")[:60]]
        return " ".join(fields + [line for line in item.metadata.get_all("Classifier") or [] if line.startswith("License")])

    # docutils: public domain but for an Emacs mode, which is not part of the installed package.
    plain_gpl = re.compile(r"(?<!L)GPL|(?<!Lesser )General Public License")
    found = {name: licences(item) for name, item in closure().items() if name != "docutils"}
    assert [name for name, text in found.items() if plain_gpl.search(text) and "LGPL" not in text] == []


def test_console_script_and_marks() -> None:
    assert PROJECT["scripts"] == {"sciml": "sciml.cli.main:main"}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    named = {line.split(":")[0] for line in settings["markers"]}
    assert {"long", "gpu", "slurm", "browser", "peers"} <= named
    assert all(mark in settings["addopts"][-1] for mark in ("long", "gpu", "slurm", "browser", "peers"))


def test_set_up_reports_which_torch_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = load(ROOT / ".ci" / "torch_report.py")
    wheel = tmp_path / "torch.whl"
    wheel.write_bytes(b"0" * 1000)

    def write(version: str, needs: list[str]) -> str:
        item = {"metadata": {"name": "torch", "version": version, "requires_dist": needs}, "download_info": {"url": wheel.as_uri()}}
        page = tmp_path / "report.json"
        page.write_text(json.dumps({"install": [item]}))
        return str(page)

    assert report.main([write("2.13.0+cpu", [])]) == 0
    assert "2.13.0+cpu, a CPU build, from this machine" in capsys.readouterr().out
    if sys.platform.startswith("linux"):
        large = write("2.13.0", ["nvidia-cublas==1"])
        assert report.main([large]) == 1
        assert capsys.readouterr().out == ""
        report.main([large, "--large"])
        said = capsys.readouterr().out
        assert "torch 2.13.0, a build for GPUs" in said and "GB to download" in said and "TORCH=system" in said and "PIP_ARGS" in said


def test_build_hook_leaves_an_editable_install_alone() -> None:
    source = ast.parse((ROOT / "hatch_build.py").read_text(encoding="utf-8"))
    assert any(isinstance(node, ast.ClassDef) for node in source.body)
    hook = load(ROOT / "hatch_build.py")
    data: dict[str, dict[str, str]] = {"force_include": {}}
    made = object.__new__(hook.ResourcesHook)
    made._BuildHookInterface__root = str(ROOT)
    made.initialize("editable", data)
    assert data["force_include"] == {}
    made.initialize("standard", data)
    assert set(data["force_include"].values()) == {f"sciml/_resources/{name}" for name in FOLDERS}
