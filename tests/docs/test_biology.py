"""The Python blocks of the biology guide run as they stand, one after the other; the calls that it names are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from sciml import biology

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "biology.md").read_text("utf-8")


def test_blocks_run(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 5
    script = tmp_path / "guide.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


def test_every_public_call_has_its_place() -> None:
    """A call that no hand-written page names is one that nobody finds; a name that is gone is found here too."""
    calls = {name for name in biology.__all__ if name.islower()}
    assert calls - set(re.findall(r"\b\w+\b", PAGE)) == set()
    assert set(re.findall(r"\bbio\.(\w+)", PAGE)) - set(biology.__all__) == set()
