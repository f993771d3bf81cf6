"""Derivatives against closed forms, and one planted fault for each row of behaviour."""

import re

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from sciml.materials.audit import physics
from sciml.materials.audit.probe import Probe
from tests.materials.audit.planted import (
    Single,
    Spoiled,
    collapsing,
    copper,
    frames_of,
    hollow,
    not_a_number,
    on_forces,
    on_stress,
    rebounding,
    wide_morse,
)


def nonconservative(forces, results, atoms):
    """Forces scaled by the atom's own energy: equivariant, translation-invariant, and the gradient of nothing."""
    return forces * (1 + 0.05 * results["energies"][:, None])


def friction(forces, results, atoms):
    return forces - 1e-3 * atoms.get_momenta()


CHECKS = {
    "forces": lambda probe, frames: physics.force_row(probe, frames),
    "stress": lambda probe, frames: physics.stress_row(probe, frames),
    "loops": lambda probe, frames: physics.loop_row(probe, frames[0]),
    "drift": lambda probe, frames: physics.drift_row(probe, frames[0]),
    "close": lambda probe, frames: physics.close_approach_row(probe, frames),
    "compression": lambda probe, frames: physics.compression_row(probe, frames),
}
TWINS = {
    "forces": lambda: Spoiled(on_forces(lambda forces, results, atoms: forces * (1 + 1e-5))),
    "stress": lambda: Spoiled(on_stress(lambda stress: stress * (1 + 1e-3))),
    "loops": lambda: Spoiled(on_forces(nonconservative)),
    "drift": lambda: Spoiled(on_forces(friction)),
    "close": hollow,
    "compression": collapsing,
}


@pytest.mark.parametrize("order", [1, 3, 4])
def test_differences_are_exact_for_polynomials_of_fourth_degree(order):
    assert physics.difference(lambda x: 2.0 * (1 + x) ** order, 0.1) == pytest.approx(2.0 * order, rel=1e-12)


def test_the_error_of_differences_falls_as_the_fourth_power():
    errors = [abs(physics.difference(lambda x: np.exp(3 * x), h) - 3) for h in (0.1, 0.05)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("check", CHECKS)
def test_a_right_calculator_passes(check):
    assert CHECKS[check](*frames_of(wide_morse(), copper())).verdict == "pass"
    assert CHECKS[check](*frames_of(EMT(), copper())).verdict == "pass"


@pytest.mark.parametrize("check", CHECKS)
def test_the_planted_fault_of_each_row_is_seen(check):
    assert CHECKS[check](*frames_of(TWINS[check](), copper())).verdict == "fail"


@pytest.mark.parametrize("check", CHECKS)
def test_nan_beyond_the_base_evaluation_fails_with_the_reason(check):
    """The calculator breaks down after the frames were made."""

    def later(atoms, results, call):
        if call > 3:
            not_a_number("energy")(atoms, results, call)
            not_a_number("forces")(atoms, results, call)

    row = CHECKS[check](*frames_of(Spoiled(later), copper()))
    assert row.verdict == "fail"
    assert "finite" in row.reason


def test_friction_is_seen_by_the_drift_alone():
    """It depends on velocities, which every other check leaves at zero."""
    frames = frames_of(TWINS["drift"](), copper())
    assert {name for name, check in CHECKS.items() if check(*frames).verdict == "fail"} == {"drift"}


def test_the_drift_is_the_work_of_the_friction():
    """dE/dt = -1e-3 sum p^2 / m: the loss of a free run over the same time, from its own kinetic energies."""
    probe, frames = frames_of(TWINS["drift"](), copper())
    figure = physics.drift_row(probe, frames[0]).figure
    run = physics.molecular_dynamics(frames[0].work, wide_morse(), timestep_fs=0.5, steps=48, temperature_K=300.0, seed=0)
    from ase import units

    loss = 2e-3 * run.kinetic_energy_eV.mean() / len(frames[0].work) * units.fs * 1e3  # eV/atom/ps
    assert figure == pytest.approx(loss, rel=0.1)


def argon():
    return bulk("Ar", cubic=True, a=5.26)


def lennard_jones(smooth):
    return LennardJones(sigma=3.4, epsilon=0.0104, rc=8.5, smooth=smooth)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("calculator", "atoms"),
    [(EMT(), bulk("Cu", cubic=True)), (lennard_jones(True), argon()), (wide_morse(), copper()), (EMT(), molecule("CO2"))],
    ids=["emt", "lj", "morse", "co2"],
)
def test_a_loop_that_passes_is_known_to_its_limit(calculator, atoms, seed):
    probe = Probe(calculator, seed)
    row = physics.loop_row(probe, probe.frame(atoms, 0))
    assert row.verdict == "pass" and float(re.search(r"known to (\S+)$", row.reason)[1]) <= row.tolerance == 1e-6


@pytest.mark.parametrize("radius", [0.02, 0.004])
def test_the_figure_of_a_loop_does_not_depend_on_its_radius(radius, monkeypatch):
    """Circulation over area: the smaller loop must not hide the fault."""
    monkeypatch.setattr(physics, "LOOPS", ((0.02, 16), (radius, 128)))
    probe, frames = frames_of(TWINS["loops"](), copper())
    row = physics.loop_row(probe, frames[0])
    assert row.verdict == "fail" and row.figure == pytest.approx(3e-4, rel=0.2)


def test_a_loop_over_jumps_of_the_forces_has_no_verdict():
    """Lennard-Jones cut off hard: its forces jump where a pair crosses the cut-off, so that the sum converges with 1 / points only."""
    probe, frames = frames_of(lennard_jones(False), argon())
    row = physics.loop_row(probe, frames[0])
    assert row.verdict == "not applicable" and "forces too rough" in row.reason and "512 points" in row.reason


@pytest.mark.parametrize("component", range(6))
def test_every_component_of_the_stress_is_looked_at(component):
    def off(stress):
        stress[component] += 1e-4
        return stress

    row = physics.stress_row(*frames_of(Spoiled(on_stress(off)), copper()))
    assert row.verdict == "fail"
    assert ("xx", "yy", "zz", "yz", "xz", "xy")[component] in row.reason


def test_float32_is_told_and_judged_by_its_own_limits():
    probe, frames = frames_of(Single(), copper())
    assert probe.precision == "float32"
    assert [check(probe, frames).verdict for check in CHECKS.values()] == ["pass"] * 6


def test_single_atoms_and_molecules():
    lone = frames_of(EMT(), Atoms("Cu"))
    assert physics.force_row(*lone).verdict == "not applicable"
    assert physics.stress_row(*lone).verdict == "not applicable"
    assert physics.close_approach_row(*lone).verdict == "not applicable"
    co2 = frames_of(EMT(), molecule("CO2"))
    assert [CHECKS[name](*co2).verdict for name in ("forces", "loops", "drift", "close")] == ["pass"] * 4


def test_a_stretched_crystal_may_contract_before_it_resists():
    stretched = copper()
    stretched.set_cell(stretched.cell.array * 1.1, scale_atoms=True)
    assert physics.compression_row(*frames_of(EMT(), stretched)).verdict == "pass"
    assert physics.compression_row(*frames_of(EMT(), molecule("CO2"))).verdict == "not applicable"
    gas = Atoms("Ar", cell=[8.0] * 3, pbc=True)
    dilute = physics.compression_row(*frames_of(LennardJones(sigma=3.4, epsilon=0.01, rc=12.0, smooth=True), gas))
    assert dilute.verdict == "pass" and "down to 0.4" in dilute.reason


def test_the_compression_names_where_matter_collapses():
    for twin in (collapsing, rebounding):
        row = physics.compression_row(*frames_of(twin(), copper()))
        assert row.verdict == "fail" and "collapses at 0." in row.reason and row.figure > 0
    assert physics.close_approach_row(*frames_of(collapsing(), copper())).verdict == "pass"  # no pair alone shows it


def test_the_close_approach_names_the_pair():
    row = physics.close_approach_row(*frames_of(hollow(), copper()))
    assert "Cu-Cu attract" in row.reason
    assert row.figure > 0
