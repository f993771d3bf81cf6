"""The door of materials: every name opens, at its first use only."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from sciml import materials


@pytest.mark.parametrize("name", materials.__all__)
def test_every_name_opens(name):
    assert callable(getattr(materials, name)) and name in dir(materials)


def test_audit_stays_the_call_whatever_was_imported():
    package = importlib.import_module("sciml.materials.audit")
    assert materials.audit is package.audit
    from sciml.materials.audit import Audit

    assert materials.Audit is Audit


def test_the_door_itself_is_light():
    heavy = "{'torch', 'ase', 'numba', 'pymatgen', 'lightning'}"
    code = f"import sys, sciml.materials; raise SystemExit(sorted({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'phonon'; it has read_structures, "):
        materials.phonon  # noqa: B018
