"""The Python blocks of the guide to information run as they stand; it names every public call, and none that is gone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from sciml import biology
from sciml.biology import cell, information

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "information.md").read_text("utf-8")


def test_blocks_run(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 8
    script = tmp_path / "guide.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


def test_every_public_call_has_its_place() -> None:
    words = set(re.findall(r"\b\w+\b", PAGE))
    calls = {name for module in (information, cell) for name in module.__all__ if name.islower()} | {"VariationalBottleneck"}
    assert calls - words == set()
    assert set(re.findall(r"\binfo\.(\w+)", PAGE)) - set(information.__all__) == set()
    assert set(re.findall(r"\bbio\.(\w+)", PAGE)) - set(biology.__all__) == set()
