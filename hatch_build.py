"""Build hook: the folders beside the package go into the wheel, under sciml/_resources/.

A hook and not a plain ``force-include`` table, for two reasons: hatchling would copy the table's folders into an *editable* install too,
where they would grow stale beside the checkout, and it refuses a table that names a folder which does not exist yet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("datasets", "models", "examples", "workflows")


class ResourcesHook(BuildHookInterface[Any]):
    """Adds ``FOLDERS`` to a standard wheel; leaves an editable one alone (there the checkout itself is read)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        for name in FOLDERS:
            if (root / name).is_dir():
                build_data["force_include"][str(root / name)] = f"sciml/_resources/{name}"
