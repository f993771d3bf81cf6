"""Which of the formats of the allow-list a file has: told by its content, then by its name."""

from __future__ import annotations

import re
from pathlib import Path

from sciml.materials.formats import source
from sciml.materials.formats.tokens import Place, is_number, shorten

__all__ = ["FORMATS", "detect"]

FORMATS = ("cif", "extxyz", "poscar", "outcar", "vasprun", "traj", "json")
"""The allow-list. `json` covers ASE's and pymatgen's; `extxyz` plain xyz too; `poscar` CONTCAR."""

_SUFFIXES = {
    ".cif": "cif",
    ".extxyz": "extxyz",
    ".xyz": "extxyz",
    ".vasp": "poscar",
    ".poscar": "poscar",
    ".contcar": "poscar",
    ".traj": "traj",
    ".json": "json",
}
_STEMS = {"POSCAR": "poscar", "CONTCAR": "poscar", "OUTCAR": "outcar"}


def detect(path: str | Path) -> str:
    """Name of the format (one of `FORMATS`). Content decides where it can; else the name. DataError where neither tells."""
    first = source.head(path)
    found = by_content(first) or by_name(path)
    if found is None:
        start = first.decode("utf-8", "replace").strip().split("\n")[0]
        right = "CIF, extxyz, xyz, POSCAR, OUTCAR, vasprun.xml, .traj or JSON (or state format=)"
        raise Place(path).fault("format", f"not recognised, it starts with {shorten(start)}", right)
    return found


def by_name(path: str | Path) -> str | None:
    """Format by the name, compression suffixes left out."""
    name = Path(path).name
    while Path(name).suffix.lower() in {".gz", ".bz2", ".xz"}:
        name = Path(name).stem
    if Path(name).suffix.lower() in _SUFFIXES:
        return _SUFFIXES[Path(name).suffix.lower()]
    if name.lower().startswith("vasprun") and name.lower().endswith(".xml"):
        return "vasprun"
    return next((form for stem, form in _STEMS.items() if stem in name.upper()), None)


def by_content(first: bytes) -> str | None:
    """Format by the first bytes after decompression."""
    if first.startswith(b"- of Ulm"):
        return "traj"
    text = first.decode("utf-8", "replace").lstrip("\ufeff")
    lines = text.splitlines()
    stripped = text.lstrip()
    if stripped.startswith(("<?xml", "<modeling")):
        return "vasprun"
    if stripped[:1] in "{[" and re.match(r'\{\s*["}]|\[\s*[\[{\]"0-9-]', stripped):
        return "json"
    if is_xyz(lines):
        return "extxyz"
    if is_cif(lines):
        return "cif"
    if re.match(r"\s*vasp\.\d", text) or "POTCAR:" in text:
        return "outcar"
    return "poscar" if is_poscar(lines) else None


def is_xyz(lines: list[str]) -> bool:
    """A count, a comment, then a species and three numbers (or, in a file of broken numbers, at least a count and `Properties=`)."""
    lines = lines[next((k for k, line in enumerate(lines) if line.strip()), 0) :]
    if len(lines) < 2 or not re.fullmatch(r"\d{1,9}", lines[0].strip()):
        return False
    if "properties=" in lines[1].lower() or "lattice=" in lines[1].lower():
        return True
    words = lines[2].split() if len(lines) > 2 else []
    return len(words) >= 4 and not is_number(words[0]) and sum(map(is_number, words[1:4])) >= 2


def is_cif(lines: list[str]) -> bool:
    """The first word that is no comment is `data_...`, `loop_` or a `_tag`."""
    words = [line.strip().lower() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return bool(words) and words[0].startswith(("data_", "loop_", "_cell_", "_symmetry", "_audit", "_atom_site"))


def is_poscar(lines: list[str]) -> bool:
    """Second line a scale (one number or three), then three lattice vectors."""
    if len(lines) < 6 or not lines[1].split() or not is_number(lines[1].split()[0]):
        return False
    return all(len(line.split()) >= 3 and all(map(is_number, line.split()[:3])) for line in lines[2:5])
