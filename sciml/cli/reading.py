"""Options of commands that read files of structures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Format", "Keys", "MinDistance", "StructureFile", "Symbols", "Units"]

StructureFile = Annotated[
    Path, typer.Argument(help="Structures: extxyz, CIF, POSCAR, OUTCAR, vasprun.xml, traj or JSON, packed or not.", metavar="FILE")
]
Units = Annotated[
    list[str] | None,
    typer.Option("--units", help="Units of the file, QUANTITY=UNIT: energy=Ry, forces=Ry/bohr, stress=-kBar, length=bohr."),
]
Keys = Annotated[list[str] | None, typer.Option("--keys", help="Columns to read as labels, QUANTITY=NAME: energy=REF_energy.")]
Symbols = Annotated[str | None, typer.Option("--symbols", help="Elements of a POSCAR that does not name them, as in Si,O.")]
MinDistance = Annotated[float, typer.Option("--min-distance", help="Atoms closer than this (A) are an error.")]
Format = Annotated[str | None, typer.Option("--format", help="Format of the file, where it should not be guessed.")]
