"""Jumps of known size and place are found without knowing the cut-off; smooth laws with narrow features are not accused."""

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from sciml.materials.audit.continuity import continuity_rows, find_jump, path
from tests.materials.audit.planted import Spoiled, copper, few_neighbours, frames_of, truncated, wide_morse


def rows_of(calculator, structure):
    probe, frames = frames_of(calculator, structure)
    return {row.name: row for row in continuity_rows(probe, frames[0])}


@pytest.mark.parametrize("place", [0.1234, 0.5, 0.777, 0.9])
@pytest.mark.parametrize("size", [1e-3, 0.3])
def test_a_step_of_known_size_and_place_is_found(place, size):
    jump = find_jump(lambda t: np.array([[np.sin(5 * t) + size * (t > place), np.cos(3 * t)], [t**3, 1.0]]), 1e-5)
    assert jump.size == pytest.approx(size, rel=1e-2)
    assert jump.place == pytest.approx(place, abs=1e-3)


@pytest.mark.parametrize("law", [lambda t: 1 / (0.05 + t) ** 3, lambda t: np.tanh(40 * (t - 0.37)), lambda t: abs(t - 0.4321), np.cos])
def test_steep_functions_and_kinks_are_no_jumps(law):
    """The first falls by 8,000, the second rises within two points of the grid, the third has a kink."""
    scale = abs(law(0.0)) + 1
    assert find_jump(lambda t: np.array([[law(t) / scale]]), 1e-5).size < 1e-4


def test_many_jumps_in_each_interval_leave_one_to_be_found():
    places = np.random.default_rng(0).uniform(0, 1, 500)
    jump = find_jump(lambda t: np.stack([np.where(places < t, 1e-2, 0.0), np.zeros(500)], 1), 1e-5)
    assert jump.size == pytest.approx(1e-2, rel=1e-3)


def test_lennard_jones_fails_force_continuity_unless_it_is_smooth():
    argon = bulk("Ar", cubic=True, a=5.26)
    sharp = rows_of(LennardJones(sigma=3.4, epsilon=0.0104, rc=8.5, smooth=False), argon)
    assert sharp["force continuity"].verdict == "fail"
    assert sharp["energy continuity"].verdict == "pass"
    smooth = rows_of(LennardJones(sigma=3.4, epsilon=0.0104, rc=8.5, smooth=True), argon)
    assert [row.verdict for row in smooth.values()] == ["pass", "pass"]


def test_the_jump_of_lennard_jones_has_the_size_of_its_force_at_the_cut_off():
    """A dimer: |F(rc)| = 24 epsilon (2 (sigma/rc)^12 - (sigma/rc)^6) / rc, the one number there is."""
    sigma, epsilon, rc = 3.4, 0.0104, 8.5
    dimer = bulk("Ar", cubic=True, a=5.26)[:2]
    dimer.pbc, dimer.cell = False, None
    probe, frames = frames_of(LennardJones(sigma=sigma, epsilon=epsilon, rc=rc), dimer)
    figure = {row.name: row for row in continuity_rows(probe, frames[0])}["force continuity"].figure
    along = path(frames[0].work, probe.generator("path", 0))
    middle = np.median([probe.evaluate(along(t)).rms_force for t in np.linspace(0, 1, 49)])
    found = figure * max(min(frames[0].force_scale, middle), 1e-3 * frames[0].force_scale)
    expected = abs(24 * epsilon * (2 * (sigma / rc) ** 12 - (sigma / rc) ** 6) / rc)
    assert found == pytest.approx(expected, rel=1e-2)


def test_a_law_cut_off_before_zero_fails_the_energy():
    assert rows_of(truncated(), copper())["energy continuity"].verdict == "fail"


def test_a_capped_number_of_neighbours_fails_the_energy():
    assert rows_of(Spoiled(few_neighbours), copper())["energy continuity"].verdict == "fail"


@pytest.mark.parametrize("structure", [copper(), molecule("CO2")], ids=["crystal", "molecule"])
def test_right_calculators_pass(structure):
    assert {row.verdict for row in rows_of(EMT(), structure).values()} == {"pass"}
    if structure.pbc.all():
        assert {row.verdict for row in rows_of(wide_morse(), structure).values()} == {"pass"}


def test_paths_start_at_the_structure_and_sweep_every_distance():
    crystal = copper()
    along = path(crystal, np.random.default_rng(0))
    assert np.allclose(along(0.0).positions, crystal.positions)
    assert along(1.0).get_volume() == pytest.approx(crystal.get_volume() * 1.65**3)
    co2 = molecule("CO2")
    pulled = path(co2, np.random.default_rng(0))(1.0)
    assert pulled.get_all_distances().max() > 12


def test_single_atoms_have_no_rows():
    probe, _ = frames_of(EMT(), copper())
    assert {row.verdict for row in continuity_rows(probe, None)} == {"not applicable"}
