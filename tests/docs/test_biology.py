"""The Python blocks of the pages on biology run as they stand, one after the other; the guide names every public call."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sciml import biology

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "biology.md").read_text("utf-8")


@pytest.mark.parametrize(("page", "least"), [("biology.md", 5), ("extending.md", 1)])
def test_blocks_run(page: str, least: int, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= least
    script = tmp_path / "guide.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


def test_every_public_call_has_its_place() -> None:
    """A call that no hand-written page names is one that nobody finds; a name that is gone is found here too."""
    calls = {name for name in biology.__all__ if name.islower()}
    assert calls - set(re.findall(r"\b\w+\b", PAGE)) == set()
    assert set(re.findall(r"\bbio\.(\w+)", PAGE)) - set(biology.__all__) == set()
