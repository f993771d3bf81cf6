"""Makes THIRD_PARTY.md and the licence texts in this folder from what is shipped; ``--check`` compares instead and exits 1 on a difference.

    python LICENSES/make.py [--check]

Read are: the scripts in sciml/report/vendor, the installed plotly (its script is copied into every report), datasets/*/LICENSE* and
models/*/MODEL_CARD.md. A vendored file that no entry below names, or a data set without a licence file, is an error.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "sciml" / "report" / "vendor"
# File -> name, version, origin, licence, file of its text in this folder, digest of exactly that file.
VENDORED = {
    "3Dmol-min.js": (
        "3Dmol.js",
        "2.5.5",
        "npm package 3dmol 2.5.5, build/3Dmol-min.js",
        "BSD-3-Clause; bundles MIT and zlib parts",
        "3Dmol.txt",
        "f7cc78921ae72e7623e89cdd111434f58c2efddd2ffda1cd212644b406fb8016",
    ),
}
# A sentence that only the text of this licence has.
SENTENCES = {
    "BSD-3-Clause": "neither the name",
    "MIT": "permission is hereby granted, free of charge",
    "CC0-1.0": "cc0 1.0 universal",
    "CC-BY-4.0": "attribution 4.0 international",
    "NIST public domain": "not subject to copyright protection",
    "Apache-2.0": "apache license",
}
HEAD = """\
# Third-party material

What the wheel or a report contains that others made, with its licence. Made by `python LICENSES/make.py`; a test compares it with
the wheel. `sciml` itself is under the MIT licence (LICENSE). Packages that pip installs beside it carry their own licences.

| what | where | origin | licence | text | sha256 |
| --- | --- | --- | --- | --- | --- |
"""


class Missing(Exception):
    """Something is shipped whose licence is not known."""


@dataclass(frozen=True)
class Entry:
    """One line of THIRD_PARTY.md; `text` is None where the licence's text is the project's own."""

    what: str
    where: str
    origin: str
    licence: str
    text: tuple[str, str] | None  # file name in LICENSES/, content
    sha256: str

    def line(self) -> str:
        """The entry as a row of the table."""
        link = f"[{self.text[0]}](LICENSES/{self.text[0]})" if self.text else "[LICENSE](LICENSE)"
        return f"| {self.what} | {self.where} | {self.origin} | {self.licence} | {link} | {self.sha256} |\n"


def digest(path: Path) -> str:
    """The sha256 of a file, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kind_of(text: str, where: str) -> str:
    """The name of the licence whose text this is."""
    flat = " ".join(text.lower().split())
    found = [name for name, sentence in SENTENCES.items() if sentence in flat]
    if not found:
        raise Missing(f"{where}: no licence of the list is recognised in it ({', '.join(SENTENCES)})")
    return found[0]


def vendored() -> list[Entry]:
    """Entries of the scripts kept in the package."""
    entries = []
    for path in sorted(VENDOR.glob("*.js")) if VENDOR.is_dir() else []:
        if path.name not in VENDORED:
            raise Missing(f"{path.relative_to(ROOT)}: a vendored file that LICENSES/make.py does not name")
        name, version, origin, licence, text, wanted = VENDORED[path.name]
        if digest(path) != wanted:
            raise Missing(f"{path.relative_to(ROOT)}: found sha256 {digest(path)}, expected {wanted} of {origin}")
        content = (ROOT / "LICENSES" / text).read_text(encoding="utf-8")
        entries.append(
            Entry(
                f"{name} {version}",
                f"`sciml/report/vendor/{path.name}`, and each report with a structure",
                origin,
                licence,
                (text, content),
                wanted,
            )
        )
    return entries


def plotly() -> Entry:
    """The entry of plotly, whose script a report contains; the wheel of sciml does not."""
    found = importlib.metadata.distribution("plotly")
    files = [file for file in found.files or [] if file.name == "LICENSE.txt" and "dist-info" in str(file)]
    if not files:
        raise Missing("plotly: the installed package has no LICENSE.txt")
    text = files[0].read_text(encoding="utf-8").strip() + "\n"
    return Entry("plotly.js", "each report (from the installed plotly)", "Python package plotly", "MIT", ("plotly.txt", text), "")


def origin_of(card: Path) -> str:
    """The first address-like origin that a card names: a line or cell that starts with 'Origin'."""
    match = (
        re.search(r"^[|*\s-]*origin[*|:\s]+(.+?)[\s|]*$", card.read_text(encoding="utf-8"), re.IGNORECASE | re.MULTILINE)
        if card.is_file()
        else None
    )
    return match.group(1).replace("|", "/") if match else "its card.md"


def datasets() -> list[Entry]:
    """Entries of datasets/*: licence text and the digests of its data files."""
    entries = []
    for folder in sorted(path for path in (ROOT / "datasets").glob("*/") if (path / "make.py").is_file()):
        texts = sorted(folder.glob("LICENSE*"))
        if not texts:
            raise Missing(f"datasets/{folder.name}: no LICENSE file")
        content = "\n".join(f"{text.name}\n\n{text.read_text(encoding='utf-8').strip()}\n" for text in texts)
        kinds = "; ".join(dict.fromkeys(kind_of(text.read_text(encoding="utf-8"), f"datasets/{folder.name}/{text.name}") for text in texts))
        data = sorted(folder.glob("*.gz"))
        digests = hashlib.sha256("".join(digest(path) for path in data).encode()).hexdigest() if data else ""
        name = f"dataset-{folder.name}.txt"
        entries.append(
            Entry(f"data set {folder.name}", f"`datasets/{folder.name}`", origin_of(folder / "card.md"), kinds, (name, content), digests)
        )
    return entries


def models(data: list[Entry]) -> list[Entry]:
    """Entries of models/*: our own weights, and the data sets that their cards name."""
    licences = {entry.what.removeprefix("data set "): entry.licence for entry in data}
    entries = []
    for card in sorted((ROOT / "models").glob("*/MODEL_CARD.md")):
        text = card.read_text(encoding="utf-8")
        used = [f"{name} ({licence})" for name, licence in licences.items() if name in text]
        trained = f"trained by models/make.py on {', '.join(used)}" if used else "trained by models/make.py"
        entries.append(Entry(f"model {card.parent.name}", f"`models/{card.parent.name}`", trained, "MIT", None, "in its model.json"))
    return entries


def wanted_files() -> dict[Path, str]:
    """Path -> content of every file that this script makes."""
    data = datasets()
    entries = [plotly(), *vendored(), *data, *models(data)]
    wanted = {ROOT / "LICENSES" / entry.text[0]: entry.text[1] for entry in entries if entry.text}
    wanted[ROOT / "THIRD_PARTY.md"] = HEAD + "".join(entry.line() for entry in entries)
    return wanted


def main(arguments: list[str]) -> int:
    """Write the files, or compare with ``--check``."""
    try:
        wanted = wanted_files()
    except Missing as error:
        print(f"licences: {error}")
        return 1
    stale = [path for path, content in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != content]
    extra = [path for path in (ROOT / "LICENSES").glob("*.txt") if path not in wanted]
    if "--check" in arguments:
        for path in stale + extra:
            print(f"licences: {path.relative_to(ROOT)} is not what is shipped; run: python LICENSES/make.py")
        return 1 if stale or extra else 0
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
    for path in extra:
        path.unlink()
    print(f"licences: {len(wanted)} files, {len(stale)} written, {len(extra)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
