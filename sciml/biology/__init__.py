"""Biology: reaction networks read from SBML or text, simulated, fitted. Each name is loaded at its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciml.biology.network import Compartment, Event, Function, Network, Parameter, Participant, Reaction, Rule, Species, Unit, Units
from sciml.door import open_door

if TYPE_CHECKING:
    from sciml.biology.antimony import load_antimony
    from sciml.biology.audit import Audit, audit
    from sciml.biology.bionetgen import load_net
    from sciml.biology.cell.efficiency import cell_efficiency
    from sciml.biology.cell.result import CellEfficiency
    from sciml.biology.channel import Channel
    from sciml.biology.datasets import list_pathways, load_pathway
    from sciml.biology.distributions import Gamma, Law, LogNormal, Normal
    from sciml.biology.fitting import Fit, FitParameter, Problem, fit, load_petab
    from sciml.biology.fitting.result import Profile
    from sciml.biology.measurement import Measurement
    from sciml.biology.model_file import load, load_experiment
    from sciml.biology.sbml import load_sbml
    from sciml.biology.sedml import Experiment, Task
    from sciml.biology.simulation.first_passage import FirstPassage, first_passage
    from sciml.biology.simulation.forecast import Forecast
    from sciml.biology.simulation.hybrid import simulate_hybrid
    from sciml.biology.simulation.langevin import LangevinEnsemble, simulate_langevin
    from sciml.biology.simulation.linear_noise import LinearNoise, StationaryNoise, linear_noise, stationary_noise
    from sciml.biology.simulation.noise_parts import NoiseParts, noise_parts
    from sciml.biology.simulation.ode import simulate_ode
    from sciml.biology.simulation.scan import Scan, scan
    from sciml.biology.simulation.sensitivities import Sensitivities, sensitivities
    from sciml.biology.simulation.ssa import simulate_ssa
    from sciml.biology.simulation.state_projection import StateProjection, TransitionMatrix, finite_state_projection, transition_matrix
    from sciml.biology.simulation.stationary_law import StationaryLaw, stationary_law
    from sciml.biology.simulation.steady_state import SteadyState, steady_state
    from sciml.biology.simulation.tau_leaping import simulate_tau
    from sciml.biology.simulation.trajectories import Ensemble, Moments, Solution
    from sciml.biology.simulation.trajectory_store import load_ensemble
    from sciml.biology.summary import ReactionRow, SpeciesRow, Summary
    from sciml.biology.transmission.model_capacity import ModelCapacity, capacity_of_model
    from sciml.biology.transmission.reactions import ReactionBits, bits_per_reaction
    from sciml.biology.transmission.trajectory_rate import TrajectoryRate, trajectory_rate

_MODULES = {
    "model_file": ("load", "load_experiment"),
    "sbml": ("load_sbml",),
    "antimony": ("load_antimony",),
    "bionetgen": ("load_net",),
    "sedml": ("Experiment", "Task"),
    "datasets": ("list_pathways", "load_pathway"),
    "summary": ("Summary", "SpeciesRow", "ReactionRow"),
    "distributions": ("Law", "LogNormal", "Gamma", "Normal"),
    "simulation.forecast": ("Forecast",),
    "simulation.trajectories": ("Solution", "Ensemble", "Moments"),
    "simulation.ode": ("simulate_ode",),
    "simulation.ssa": ("simulate_ssa",),
    "simulation.trajectory_store": ("load_ensemble",),
    "simulation.tau_leaping": ("simulate_tau",),
    "simulation.langevin": ("LangevinEnsemble", "simulate_langevin"),
    "simulation.hybrid": ("simulate_hybrid",),
    "simulation.linear_noise": ("LinearNoise", "StationaryNoise", "linear_noise", "stationary_noise"),
    "simulation.state_projection": ("StateProjection", "TransitionMatrix", "finite_state_projection", "transition_matrix"),
    "simulation.stationary_law": ("StationaryLaw", "stationary_law"),
    "simulation.noise_parts": ("NoiseParts", "noise_parts"),
    "simulation.first_passage": ("FirstPassage", "first_passage"),
    "simulation.steady_state": ("SteadyState", "steady_state"),
    "simulation.sensitivities": ("Sensitivities", "sensitivities"),
    "simulation.scan": ("Scan", "scan"),
    "fitting": ("Fit", "FitParameter", "Problem", "fit", "load_petab"),
    "fitting.result": ("Profile",),
    "channel": ("Channel",),
    "measurement": ("Measurement",),
    "transmission.model_capacity": ("ModelCapacity", "capacity_of_model"),
    "transmission.reactions": ("ReactionBits", "bits_per_reaction"),
    "transmission.trajectory_rate": ("TrajectoryRate", "trajectory_rate"),
    "cell.efficiency": ("cell_efficiency",),
    "cell.result": ("CellEfficiency",),
    "audit": ("Audit", "audit"),
}
__all__ = [
    "Network", "Species", "Compartment", "Parameter", "Reaction", "Participant", "Rule", "Event", "Function", "Unit", "Units",
    "load", "load_experiment",
    "load_sbml",
    "load_antimony",
    "load_net",
    "Experiment", "Task",
    "list_pathways", "load_pathway",
    "Summary", "SpeciesRow", "ReactionRow",
    "Law", "LogNormal", "Gamma", "Normal",
    "Forecast",
    "Solution", "Ensemble", "Moments",
    "simulate_ode",
    "simulate_ssa",
    "load_ensemble",
    "simulate_tau",
    "simulate_langevin", "LangevinEnsemble",
    "simulate_hybrid",
    "linear_noise", "stationary_noise", "LinearNoise", "StationaryNoise",
    "finite_state_projection", "transition_matrix", "StateProjection", "TransitionMatrix",
    "stationary_law", "StationaryLaw",
    "noise_parts", "NoiseParts",
    "first_passage", "FirstPassage",
    "steady_state", "SteadyState",
    "sensitivities", "Sensitivities",
    "scan", "Scan",
    "fit", "load_petab", "Fit", "FitParameter", "Problem",
    "Profile",
    "Channel", "Measurement",
    "trajectory_rate", "TrajectoryRate",
    "capacity_of_model", "ModelCapacity",
    "bits_per_reaction", "ReactionBits",
    "cell_efficiency", "CellEfficiency",
    "audit", "Audit",
]  # fmt: skip

open_door(__name__, _MODULES)
