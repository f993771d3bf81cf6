"""Say which torch ``pip install --dry-run --report`` has resolved, before anything large is downloaded.

``torch_report.py REPORT`` exits 0 for a CPU build and says so in one line; it exits 1, in silence, for any other build.
``torch_report.py REPORT --large`` prints that build, its size with all that comes with it, and how to choose another.
Needs the standard library only: it runs before the project is installed.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ADVICE = """\
set-up: to choose another build, stop here (Ctrl-C) and run one of
set-up:   make {goal} TORCH=system                        the torch that your Python has already (clusters)
set-up:   make {goal} PIP_ARGS="--find-links FOLDER"      a folder with a wheel of the build you want, for example a CPU one
set-up:   make {goal} PIP_ARGS="--extra-index-url URL"    the index of the build you want (the README says more)"""


def size_of(url: str) -> int | None:
    """Bytes of a wheel: of the file itself, or what the server says without sending it; None where it says nothing."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).stat().st_size
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=20) as answer:
            return int(answer.headers["Content-Length"])
    except (OSError, TypeError, ValueError):
        return None


def describe(items: list[dict[str, Any]]) -> str:
    """One line: number of packages, their size in GB, and how many sizes are unknown."""
    sizes = [size_of(item["download_info"]["url"]) for item in items]
    known = sum(size for size in sizes if size is not None)
    unknown = sum(size is None for size in sizes)
    text = f"{len(items)} packages, {known / 1e9:.2f} GB to download"
    return text + (f" and {unknown} of unknown size" if unknown else "")


def is_cpu(torch: dict[str, Any]) -> bool:
    """A CPU build carries ``+cpu`` in its version; macOS and Windows have no other on the common index."""
    version = str(torch["metadata"]["version"])
    needs = " ".join(torch["metadata"].get("requires_dist", []))
    if sys.platform in ("darwin", "win32"):
        return "+cu" not in version
    return version.endswith("+cpu") or ("nvidia" not in needs and "cuda" not in needs and "+" not in version)


def main(arguments: list[str]) -> int:
    """Read the report named first; see the module's text."""
    items = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))["install"]
    torch = next((item for item in items if item["metadata"]["name"] == "torch"), None)
    if torch is None:  # already there
        return 0
    version, url = torch["metadata"]["version"], torch["download_info"]["url"]
    if "--large" not in arguments:
        if is_cpu(torch):
            size = size_of(url)
            where = "from this machine" if url.startswith("file:") else "from the index"
            print(f"set-up: torch {version}, a CPU build, {where}" + (f" ({size / 1e6:.0f} MB)" if size else ""))
        return 0 if is_cpu(torch) else 1
    cuda = sum(item["metadata"]["name"].startswith(("nvidia", "cuda")) for item in items)
    print(f"set-up: pip resolved torch {version}, a build for GPUs ({cuda} CUDA packages with it): {describe(items)}")
    print(ADVICE.format(goal="demo"))
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
