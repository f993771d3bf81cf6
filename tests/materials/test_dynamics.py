"""Newton's equations: conservation, order of the error, reversibility, the trajectory on disk."""

import json
import re

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.io import read

from sciml.errors import ConfigError, ConvergenceError, DataError, SciMLError
from sciml.materials import dynamics
from sciml.materials.dynamics import MolecularDynamics, molecular_dynamics
from tests.data.cases.calculators import morse, springs


def copper():
    return bulk("Cu", cubic=True).repeat(2)


def dimer(momentum=0.0):
    atoms = Atoms("Ar2", [[0, 0, 0], [2.55, 0, 0]])
    atoms.set_momenta([[-momentum, 0, 0], [momentum, 0, 0]])
    return atoms


def test_a_spring_swings_with_its_frequency():
    """Two masses m on a spring k: omega = sqrt(2 k / m); after a whole period the momenta are those of the start."""
    mass, k = 39.95, 5.0
    atoms = dimer(5.0)
    atoms.set_masses([mass, mass])
    period_fs = 2 * np.pi / np.sqrt(2 * k / mass) / units.fs
    run = molecular_dynamics(atoms, springs([k], [2.55], [6.0]), timestep_fs=period_fs / 2000, steps=2000)
    assert run.atoms.get_momenta() == pytest.approx(atoms.get_momenta(), abs=1e-4)
    assert run.potential_energy_eV.max() == pytest.approx(run.kinetic_energy_eV[0], rel=1e-4)


def test_the_fluctuation_falls_as_the_square_of_the_step_and_the_drift_is_none():
    runs = [molecular_dynamics(copper(), EMT(), timestep_fs=dt, steps=round(200 / dt), temperature_K=600.0) for dt in (4.0, 2.0)]
    assert runs[0].fluctuation_eV_per_atom / runs[1].fluctuation_eV_per_atom == pytest.approx(4, rel=0.15)
    assert abs(runs[1].drift_eV_per_atom_per_ps) < 1e-4


def test_drift_and_fluctuation_of_a_known_line():
    """4 atoms, total energy -40 + 0.8 t (ps) +- 0.04 eV: 0.2 eV/atom/ps, 0.01 eV/atom."""
    times = np.arange(1001.0)
    total = -40 + 0.8e-3 * times + 0.04 * np.where(times % 2, 1, -1)
    run = MolecularDynamics(bulk("Cu", cubic=True), 1.0, times, total - 3.0, np.full(1001, 3.0), np.zeros(1001), 0)
    assert run.drift_eV_per_atom_per_ps == pytest.approx(0.2, rel=1e-3)
    assert run.fluctuation_eV_per_atom == pytest.approx(0.01, rel=1e-2)


def test_it_runs_backwards_to_where_it_came_from():
    start = copper()
    there = molecular_dynamics(start, EMT(), steps=50, timestep_fs=2.0, temperature_K=600.0).atoms
    there.set_momenta(-there.get_momenta())
    back = molecular_dynamics(there, EMT(), steps=50, timestep_fs=2.0).atoms
    assert np.abs(back.positions - start.positions).max() < 1e-8


def test_temperature_momenta_and_seed():
    big = bulk("Cu", cubic=True).repeat(6)
    run = molecular_dynamics(big, EMT(), steps=0, temperature_K=500.0, seed=1)
    assert run.temperature_K[0] == pytest.approx(500, abs=4 * 500 * (2 / (3 * len(big))) ** 0.5)
    assert np.abs(run.atoms.get_momenta().sum(0)).max() < 1e-10
    again, other = (molecular_dynamics(copper(), EMT(), steps=0, temperature_K=500.0, seed=seed) for seed in (1, 2))
    assert np.array_equal(
        again.atoms.get_momenta(), molecular_dynamics(copper(), EMT(), steps=0, temperature_K=500.0, seed=1).atoms.get_momenta()
    )
    assert not np.array_equal(again.atoms.get_momenta(), other.atoms.get_momenta())


@pytest.mark.parametrize("name", ["CO2", "H2O"])
def test_a_molecule_neither_drifts_nor_turns(name):
    run = molecular_dynamics(molecule(name), EMT(), steps=0, temperature_K=300.0)
    assert np.abs(run.atoms.get_momenta().sum(0)).max() < 1e-12
    assert np.abs(run.atoms.get_angular_momentum()).max() < 1e-10
    assert run.kinetic_energy_eV[0] > 0


@pytest.mark.parametrize("name", ["N2", "CH4"])
def test_the_mean_temperature_of_a_molecule_is_the_one_asked_for(name):
    """2 K / k T follows chi^2 of f degrees of freedom (N2 1, CH4 9): the mean of 300 seeds is off by less than 3 of its deviations."""
    atoms, asked, seeds = molecule(name), 300.0, 300
    freedom = {"N2": 1, "CH4": 9}[name]
    found = [molecular_dynamics(atoms, EMT(), steps=0, temperature_K=asked, seed=seed).temperature_K[0] for seed in range(seeds)]
    z = (np.mean(found) - asked) / (asked * (2 / freedom / seeds) ** 0.5)
    assert abs(z) < 3


def moving(atoms, momenta):
    atoms.set_momenta(momenta)
    return atoms


def fixed(atoms):
    atoms.set_constraint(FixAtoms([0]))
    return atoms


PAIR = [[0, 0, 0], [2.55, 0, 0]]
ALONG, ACROSS, OFF = [[-1, 0, 0], [1, 0, 0]], [[0, -1, 0], [0, 1, 0]], [[0, 0, 0], [1, 1, 1]]


@pytest.mark.parametrize(
    ("atoms", "freedom"),
    [
        (moving(Atoms("Ar2", PAIR), ALONG), 1),
        (moving(Atoms("Ar2", PAIR), ACROSS), 3),  # it turns
        (moving(Atoms("Ar2", PAIR), OFF), 6),  # it drifts
        (moving(Atoms("Ar2", PAIR, cell=[9, 9, 9], pbc=[False, False, True]), ALONG), 3),
        (fixed(moving(Atoms("Ar2", PAIR), ALONG)), 3),
        (moving(Atoms("Ar"), [[1, 0, 0]]), 3),
        (moving(molecule("CO2"), [[0, 0, 0], [0, 0, 1], [0, 0, -1]]), 4),
        (moving(molecule("H2O"), [[0, 0, 0], [0, 1, 0], [0, -1, 0]]), 3),
    ],
)
def test_degrees_of_freedom(atoms, freedom):
    """T = 2 K / (f k)."""
    run = molecular_dynamics(atoms, EMT() if atoms.numbers.max() < 18 else morse(), steps=0)
    assert 2 * run.kinetic_energy_eV[0] / (units.kB * run.temperature_K[0]) == pytest.approx(freedom)


def test_frames_carry_the_energy_that_the_forces_derive_from(tmp_path):
    smeared = morse(twist=lambda atoms, results: results | {"energy": results["energy"] + 0.5})
    run = molecular_dynamics(copper(), smeared, steps=20, temperature_K=300.0, out=tmp_path / "run.extxyz")
    for frame, energy in zip([*read(tmp_path / "run.extxyz", ":"), run.atoms], run.potential_energy_eV[[0, 10, 20, 20]], strict=True):
        assert frame.get_potential_energy() == pytest.approx(energy, abs=1e-7)
        assert frame.get_potential_energy(force_consistent=True) == pytest.approx(energy, abs=1e-7)


def test_without_a_temperature_the_momenta_of_the_input_are_kept():
    atoms = dimer(3.0)
    run = molecular_dynamics(atoms, springs([5.0], [2.55], [6.0]), steps=0)
    assert np.array_equal(run.atoms.get_momenta(), atoms.get_momenta())
    assert molecular_dynamics(copper(), EMT(), steps=1).kinetic_energy_eV[0] == 0


def test_the_input_is_not_changed_and_the_last_frame_has_its_figures():
    atoms = copper()
    atoms.rattle(0.05, seed=0)
    before = atoms.copy()
    run = molecular_dynamics(atoms, EMT(), steps=5, temperature_K=300.0)
    assert atoms == before
    assert atoms.calc is None
    assert not atoms.has("momenta")
    assert run.atoms.get_potential_energy() == run.potential_energy_eV[-1]
    assert isinstance(run.atoms.calc, SinglePointCalculator)
    assert len(run.times_fs) == 6
    json.dumps(run.to_dict(), allow_nan=False)


@pytest.mark.parametrize("steps", [0, 1])
def test_too_few_steps_have_no_drift(steps):
    run = molecular_dynamics(copper(), EMT(), steps=steps)
    assert run.drift_eV_per_atom_per_ps is None
    assert run.fluctuation_eV_per_atom is None


def test_the_trajectory_has_every_tenth_frame_and_the_last(tmp_path):
    out = tmp_path / "run.extxyz"
    atoms = copper()
    atoms.info["energy"] = 7.0
    atoms.set_array("forces", np.ones((32, 3)))
    run = molecular_dynamics(atoms, EMT(), steps=25, temperature_K=300.0, out=out)
    frames = read(out, ":")
    assert [frame.info["time_fs"] for frame in frames] == [0, 10, 20, 25]
    assert [frame.get_potential_energy() for frame in frames] == pytest.approx(run.potential_energy_eV[[0, 10, 20, 25]], abs=1e-7)
    assert frames[-1].get_momenta() == pytest.approx(run.atoms.get_momenta(), abs=1e-7)
    assert frames[-1].pbc.all()
    assert [path.name for path in tmp_path.iterdir()] == ["run.extxyz"]
    assert run.out == str(out)


class Breaking(EMT):
    """NaN, or an interrupt, from the twelfth evaluation on."""

    def __init__(self, error=None):
        super().__init__()
        self.count, self.error = 0, error

    def calculate(self, atoms=None, properties=("energy",), system_changes=("positions", "numbers", "cell", "pbc")):
        super().calculate(atoms, properties, system_changes)
        self.count += 1
        if self.count > 12:
            if self.error is not None:
                raise self.error
            self.results["forces"] = self.results["forces"] * np.nan


@pytest.mark.parametrize(("error", "raised"), [(None, ConvergenceError), (KeyboardInterrupt(), KeyboardInterrupt)])
def test_what_was_computed_is_kept_when_a_run_breaks(tmp_path, error, raised):
    out = tmp_path / "run.extxyz"
    with pytest.raises(raised):
        molecular_dynamics(copper(), Breaking(error), steps=50, temperature_K=300.0, out=out, every=5)
    assert [frame.info["time_fs"] for frame in read(out, ":")] == [0, 5, 10]
    assert [path.name for path in tmp_path.iterdir()] == ["run.extxyz"]


@pytest.mark.parametrize("start", ["long steps", "atoms inside each other"])
def test_a_run_that_blows_up_ends_there_and_says_so(tmp_path, start):
    """Copper in steps of 50 fs gains ten eV an atom in each; two argon atoms at a tenth of their distance fly apart at once."""
    out, atoms = tmp_path / "run.extxyz", copper()
    options = {"timestep_fs": 50.0, "temperature_K": 300.0}
    if start != "long steps":
        atoms, options = Atoms("Ar2", [[0, 0, 0], [0.25, 0, 0]]), {"timestep_fs": 20.0}
    calculator = EMT() if start == "long steps" else springs([500.0], [2.55], [6.0])
    with pytest.raises(ConvergenceError, match=r"step [1-9]\d*: .*(moved by|temperature is|not finite).*timestep_fs=.*run.extxyz has the"):
        molecular_dynamics(atoms, calculator, steps=100, out=out, every=1, **options)
    frames = read(out, ":")
    assert 1 <= len(frames) < 10 and all(np.isfinite(frame.positions).all() and np.isfinite(frame.get_forces()).all() for frame in frames)


@pytest.mark.parametrize(
    ("moves", "energy", "temperature", "first", "says"),
    [
        ([[0, 0, 0], [0, 1.9, 0]], 0.0, 9e5, 0.0, ""),
        ([[0, 0, 0], [0, 2.1, 0]], 0.0, 300.0, 0.0, "atom 1 moved by 2.1 A"),
        ([[0, 0, 0]], 0.0, 1.1e6, 300.0, r"temperature is 1.1e\+06 K, above 1e\+06"),
        ([[0, 0, 0]], 0.0, 1.1e6, 2e4, ""),  # a hot start: 100 times that is the bound
        ([[0, 0, 0]], np.nan, 300.0, 0.0, "not finite"),
        ([[0, 0, np.inf]], 0.0, 300.0, 0.0, "not finite"),
    ],
)
def test_what_shows_that_a_run_has_blown_up(moves, energy, temperature, first, says):
    moves = np.array(moves, dtype=float)
    fault = dynamics._fault(moves, (energy, moves), temperature, first)
    assert re.search(says, fault) if says else fault == ""


def test_a_foreign_calculator_that_raises_is_named_with_the_step(tmp_path):
    out = tmp_path / "run.extxyz"
    with pytest.raises(
        SciMLError, match=r"step 12: the calculator Breaking raised RuntimeError: no licence; .*run.extxyz has the frames up to step 10"
    ):
        molecular_dynamics(copper(), Breaking(RuntimeError("no licence")), steps=50, temperature_K=300.0, out=out, every=5)
    assert [frame.info["time_fs"] for frame in read(out, ":")] == [0, 5, 10]


def test_a_run_that_breaks_at_once_leaves_an_older_trajectory_alone(tmp_path):
    class Never(Calculator):
        implemented_properties = ("energy", "forces")

        def calculate(self, atoms=None, properties=("energy",), system_changes=()):
            self.results = {"energy": np.nan, "forces": np.zeros((len(atoms), 3))}

    out = tmp_path / "run.extxyz"
    out.write_text("old")
    with pytest.raises(ConvergenceError, match="step 0"):
        molecular_dynamics(copper(), Never(), steps=5, out=out)
    assert out.read_text() == "old"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ensemble": "nvt"}, "expected 'nve'"),
        ({"timestep_fs": 0.0}, "timestep_fs=0.0"),
        ({"timestep_fs": float("nan")}, "timestep_fs=nan"),
        ({"steps": -1}, "steps=-1"),
        ({"steps": 2.5}, "steps=2.5"),
        ({"steps": float("nan")}, "steps=nan"),
        ({"every": 0}, "every=0"),
        ({"temperature_K": -3.0}, "temperature_K=-3.0"),
    ],
)
def test_refusals(options, says):
    with pytest.raises(ConfigError, match=says):
        molecular_dynamics(copper(), EMT(), **options)


def test_no_atoms_are_refused():
    with pytest.raises(DataError, match="no atoms"):
        molecular_dynamics(Atoms(), EMT())
