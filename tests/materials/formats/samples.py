"""Texts that several test files read, and a way to read them without a child process."""

from __future__ import annotations

from pathlib import Path

from sciml.materials.formats.parse import READERS

DATA = Path(__file__).parents[2] / "data" / "formats"

EXTXYZ = """2
Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:forces:R:3 energy=-1.5 name="two words" pbc="T T T"
Na 0.0 0.0 0.0 0.1 0.2 0.3
Cl 2.0 2.0 2.0 -0.1 -0.2 -0.3
"""
POSCAR = """salt
1.0
4.0 0.0 0.0
0.0 4.0 0.0
0.0 0.0 4.0
Na Cl
1 1
Direct
0.0 0.0 0.0
0.5 0.5 0.5
"""


def cif(a, b, c, alpha, beta, gamma, symmetry, sites, extra=""):
    """A CIF text: cell, symmetry lines, rows `label x y z`."""
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    cell = "\n".join(f"_cell_{name} {value}" for name, value in zip(names, (a, b, c, alpha, beta, gamma), strict=True))
    loop = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    return f"data_test\n{cell}\n{symmetry}\n{extra}\n{loop}" + "\n".join(sites) + "\n"


def parse(form, path, text=None, **options):
    """Records of a file, in this process; `text` is written to it first."""
    if text is not None:
        Path(path).write_text(text, "utf-8")
    return list(READERS[form](path, **options))
