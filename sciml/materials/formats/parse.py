"""What runs in the limited child: a path and options in, pieces of records out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sciml.errors import DataError
from sciml.materials.formats import ase_json, cif, extxyz, outcar, poscar, trajectory, vasprun
from sciml.materials.formats.record import Array, Record, pieces
from sciml.materials.formats.tokens import Place

__all__ = ["READERS", "parse"]

READERS: dict[str, Callable[..., Iterator[Record]]] = {
    "cif": cif.parse_cif,
    "extxyz": extxyz.parse_extxyz,
    "json": ase_json.parse_json,
    "outcar": outcar.parse_outcar,
    "poscar": poscar.parse_poscar,
    "traj": trajectory.parse_trajectory,
    "vasprun": vasprun.parse_vasprun,
}


def parse(path: str, form: str, options: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Array]]]:
    """Pieces (see `record.pieces`) of a file of the format `form`. Errors that no reader foresaw become DataErrors that name the file."""
    try:
        yield from pieces(READERS[form](path, **options))
    except (DataError, MemoryError, BrokenPipeError):
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, OSError, AttributeError) as error:
        raise Place(path).fault(form, f"cannot be read ({type(error).__name__}: {str(error)[:200]})", "a whole and regular file") from error
