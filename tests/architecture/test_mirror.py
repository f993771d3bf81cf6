"""Tests mirror the source: sciml/a/b.py <-> tests/a/test_b.py."""

from __future__ import annotations

import pytest

from tests.architecture.source import ROOT

COVERED_BY: dict[str, str] = {
    "sciml/materials/audit/probe.py": "tests/materials/audit/test_physics.py",
    "sciml/materials/kernels/reference.py": "tests/materials/kernels/test_edges.py",
    "sciml/biology/simulation/count_law.py": "tests/biology/simulation/test_state_projection.py",
    "sciml/biology/simulation/passage_sample.py": "tests/biology/simulation/test_first_passage.py",
    "sciml/biology/simulation/leap_loop.py": "tests/biology/simulation/test_tau_leaping.py",
    "sciml/biology/simulation/leap_run.py": "tests/biology/simulation/test_tau_leaping.py",
    "sciml/biology/simulation/langevin_loop.py": "tests/biology/simulation/test_langevin.py",
    "sciml/biology/transmission/path_loop.py": "tests/biology/transmission/test_path_weights.py",
}
"""Source without a test file of its own -> the test file of its neighbour that calls it by name."""

BESIDE = {
    "architecture",
    "security",
    "readme",
    "workflows",
    "examples",
    "docs",
    "cases",
    "data",
    "benchmarks",
    "packaging",
    "end_to_end",
    "shipped",
}
ALONE = {"tests/test_packaging.py", "tests/test_measured.py", "tests/test_init.py", "tests/report/test_browser.py"}


def expected(source: str) -> str:
    """The test file of a source file: sciml/a/b.py -> tests/a/test_b.py."""
    folder, _, name = source.removeprefix("sciml/").rpartition("/")
    return "/".join(filter(None, ["tests", folder, f"test_{name.lstrip('_')}"]))


def missing(sources, tests) -> list[str]:
    """Sources that no test file mirrors and no neighbour covers."""
    return [s for s in sources if not s.endswith("__init__.py") and expected(s) not in tests and s not in COVERED_BY]


def stray(sources, tests) -> list[str]:
    """Test files that mirror nothing; a package `a` may have tests/a/test_a.py and tests/a/test_init.py."""
    packages = {s.removesuffix("/__init__.py").removeprefix("sciml/") for s in sources if s.endswith("__init__.py")}
    allowed = {expected(s) for s in sources} | ALONE | {f"tests/{p}/test_{n}.py" for p in packages for n in ("init", p.rpartition("/")[2])}
    return [t for t in tests if t not in allowed and t.split("/")[1] not in BESIDE]


def listed():
    sources = {p.relative_to(ROOT).as_posix() for p in (ROOT / "sciml").rglob("*.py")}
    tests = {p.relative_to(ROOT).as_posix() for p in (ROOT / "tests").rglob("test_*.py")}
    return sorted(sources), sorted(tests)


def test_every_source_has_its_test():
    assert missing(*listed()) == []


def test_every_test_has_its_source():
    assert stray(*listed()) == []


@pytest.mark.parametrize(("source", "test"), COVERED_BY.items())
def test_what_a_neighbour_covers(source, test):
    assert (ROOT / source).is_file()
    assert source.removesuffix(".py").rpartition("/")[2] in (ROOT / test).read_text("utf-8")
    assert not (ROOT / expected(source)).exists()


def test_planted_faults_are_found():
    sources = ["sciml/a/b.py", "sciml/a/__init__.py", "sciml/_c.py"]
    assert missing(sources, ["tests/a/test_b.py"]) == ["sciml/_c.py"]
    assert stray(sources, ["tests/a/test_b.py", "tests/a/test_a.py", "tests/test_c.py", "tests/a/test_d.py", "tests/readme/test_x.py"]) == [
        "tests/a/test_d.py"
    ]
