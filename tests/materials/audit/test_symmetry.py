"""Each symmetry passes for a right calculator and fails for the one with that fault planted."""

import numpy as np
import pytest
from ase.build import fcc111, molecule
from ase.calculators.emt import EMT

from sciml.materials.audit.symmetry import SYMMETRIES, images, symmetry_rows
from tests.materials.audit.planted import SYMMETRY_TWINS, Spoiled, copper, energy, frames_of, wide_morse

NAMES = (*SYMMETRIES, "force equivariance", "stress equivariance", "sum of forces")


def rows_of(calculator, *structures):
    return {row.name: row for row in symmetry_rows(*frames_of(calculator, *structures))}


def test_a_right_calculator_passes_every_row():
    rows = rows_of(wide_morse(), copper(), copper((1, 1, 1)))
    assert tuple(rows) == NAMES
    assert {row.verdict for row in rows.values()} == {"pass"}
    assert max(row.figure for row in rows.values()) < 1e-11


@pytest.mark.parametrize("name", NAMES)
def test_the_planted_fault_of_each_row_is_seen(name):
    assert rows_of(Spoiled(SYMMETRY_TWINS[name]), copper())[name].verdict == "fail"


@pytest.mark.parametrize("name", ["reflection", "inversion"])
def test_a_handed_energy_fails_mirrors_and_not_rotations(name):
    rows = rows_of(Spoiled(SYMMETRY_TWINS[name]), copper())
    assert rows["rotation"].verdict == rows["translation"].verdict == "pass"
    assert rows["reflection"].verdict == rows["inversion"].verdict == "fail"


def test_a_figure_is_the_size_of_the_fault():
    """The sum of forces of F + 1e-3 eV/A is N x 1e-3; over the rms force it is the figure."""
    probe, frames = frames_of(Spoiled(SYMMETRY_TWINS["sum of forces"]), copper())
    rows = {row.name: row for row in symmetry_rows(probe, frames)}
    assert rows["sum of forces"].figure == pytest.approx(8e-3 / frames[0].base.rms_force, rel=1e-6)


def test_images_of_one_atom_meet_themselves_in_the_small_cell():
    probe, frames = frames_of(EMT(), copper((1, 1, 1)).copy()[:1])
    assert len(frames[0].small) == 1
    assert len(frames[0].work) == 4
    super_cell = [image for image in images(frames[0], probe.generator("x")) if image.symmetry == "supercell"]
    assert [len(image.atoms) for image in super_cell] == [4]


def test_reflected_cells_stay_right_handed_and_one_other_basis_is_left_handed():
    probe, frames = frames_of(wide_morse(), copper())
    hands = [(image.symmetry, np.sign(np.linalg.det(image.atoms.cell.array))) for image in images(frames[0], probe.generator("x"))]
    assert [hand for name, hand in hands if name in ("rotation", "reflection", "inversion")] == [1, 1, 1]
    assert sorted(hand for name, hand in hands if name == "change of cell") == [-1, 1]


def test_molecules_and_slabs_have_the_rows_that_apply():
    rows = rows_of(EMT(), molecule("CO2"))
    assert {name for name, row in rows.items() if row.verdict == "not applicable"} == {
        "wrapping", "change of cell", "supercell", "stress equivariance",
    }  # fmt: skip
    assert "periodic" in rows["wrapping"].reason
    rows = rows_of(EMT(), fcc111("Cu", (1, 1, 3), vacuum=5.0))
    assert {name for name, row in rows.items() if row.verdict != "pass"} == {"stress equivariance"}


def test_images_that_are_too_few_fail_the_wrapping():
    """Neighbours searched in the 27 cells around only, from positions as given: right near the origin, wrong two cells away."""

    def missing(atoms):
        whole = wide_morse()
        away = np.abs(np.floor(atoms.cell.scaled_positions(atoms.positions))).max() > 1
        return -0.5 * whole.get_potential_energy(atoms) if away else 0.0

    rows = rows_of(Spoiled(energy(missing)), copper())
    assert rows["wrapping"].verdict == "fail"
    assert rows["rotation"].verdict == "pass"


def test_a_calculator_that_breaks_on_a_copy_fails_that_row_with_the_reason():
    def refuse(atoms, results, call):
        if len(atoms) > 8:
            raise MemoryError("too many atoms")

    rows = rows_of(Spoiled(refuse), copper())
    assert rows["supercell"].verdict == "fail"
    assert "MemoryError: too many atoms" in rows["supercell"].reason
    assert rows["rotation"].verdict == "pass"
