"""Options of reading reach the readers: symbols, format, smallest distance."""

from __future__ import annotations

import pytest

from sciml.cli import reading
from tests.cli.sample import sciml, write

POSCAR = "no element line\n1.0\n3 0 0\n0 3 0\n0 0 3\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"


def test_every_option_has_a_help_text():
    options = [getattr(reading, name).__metadata__[0] for name in reading.__all__]
    assert all(option.help for option in options)


def test_symbols_of_a_poscar(tmp_path):
    (tmp_path / "POSCAR").write_text(POSCAR)
    bare = sciml("materials", "check", tmp_path / "POSCAR")
    assert bare.exit_code == 3 and "--symbols, one for each group" in bare.stderr
    named = sciml("materials", "check", tmp_path / "POSCAR", "--symbols", "Cs,Cl")
    assert named.exit_code == 0 and "Cs" in named.stdout


@pytest.mark.parametrize(("words", "code"), [([], 3), (["--min-distance", 0.1], 0), (["--format", "word"], 2)])
def test_close_atoms_and_format(tmp_path, words, code):
    from ase import Atoms

    file = write(tmp_path / "close.extxyz", [Atoms("H2", [[0, 0, 0], [0, 0, 0.3]])])
    assert sciml("materials", "check", file, *words).exit_code == code
