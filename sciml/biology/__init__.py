"""Biology: reaction networks read from SBML or text, simulated, fitted. Each name is loaded at its first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sciml.biology.network import Compartment, Event, Function, Network, Parameter, Participant, Reaction, Rule, Species
from sciml.door import open_door

if TYPE_CHECKING:
    from sciml.biology.antimony import load_antimony
    from sciml.biology.audit import audit
    from sciml.biology.bionetgen import load_net
    from sciml.biology.datasets import list_pathways, load_pathway
    from sciml.biology.distributions import Gamma, LogNormal, Normal
    from sciml.biology.fitting import fit, load_petab
    from sciml.biology.sbml import load_sbml
    from sciml.biology.simulation.first_passage import first_passage
    from sciml.biology.simulation.hybrid import simulate_hybrid
    from sciml.biology.simulation.langevin import simulate_langevin
    from sciml.biology.simulation.linear_noise import linear_noise, stationary_noise
    from sciml.biology.simulation.noise_parts import noise_parts
    from sciml.biology.simulation.ode import simulate_ode
    from sciml.biology.simulation.scan import scan
    from sciml.biology.simulation.sensitivities import sensitivities
    from sciml.biology.simulation.ssa import simulate_ssa
    from sciml.biology.simulation.state_projection import finite_state_projection, transition_matrix
    from sciml.biology.simulation.stationary_law import stationary_law
    from sciml.biology.simulation.steady_state import steady_state
    from sciml.biology.simulation.tau_leaping import simulate_tau
    from sciml.biology.simulation.trajectory_store import load_ensemble

_MODULES = {
    "sbml": ("load_sbml",),
    "antimony": ("load_antimony",),
    "bionetgen": ("load_net",),
    "datasets": ("list_pathways", "load_pathway"),
    "simulation.ode": ("simulate_ode",),
    "simulation.ssa": ("simulate_ssa",),
    "simulation.trajectory_store": ("load_ensemble",),
    "simulation.tau_leaping": ("simulate_tau",),
    "simulation.langevin": ("simulate_langevin",),
    "simulation.hybrid": ("simulate_hybrid",),
    "simulation.linear_noise": ("linear_noise", "stationary_noise"),
    "simulation.state_projection": ("finite_state_projection", "transition_matrix"),
    "simulation.stationary_law": ("stationary_law",),
    "simulation.noise_parts": ("noise_parts",),
    "simulation.first_passage": ("first_passage",),
    "simulation.steady_state": ("steady_state",),
    "simulation.sensitivities": ("sensitivities",),
    "simulation.scan": ("scan",),
    "fitting": ("fit", "load_petab"),
    "audit": ("audit",),
    "distributions": ("LogNormal", "Gamma", "Normal"),
}
__all__ = [
    "Network",
    "Species",
    "Compartment",
    "Parameter",
    "Reaction",
    "Participant",
    "Rule",
    "Event",
    "Function",
    "load_sbml",
    "load_antimony",
    "load_net",
    "list_pathways",
    "load_pathway",
    "simulate_ode",
    "simulate_ssa",
    "load_ensemble",
    "simulate_tau",
    "simulate_langevin",
    "simulate_hybrid",
    "linear_noise",
    "stationary_noise",
    "finite_state_projection",
    "stationary_law",
    "transition_matrix",
    "noise_parts",
    "first_passage",
    "steady_state",
    "sensitivities",
    "scan",
    "fit",
    "load_petab",
    "audit",
    "LogNormal",
    "Gamma",
    "Normal",
]
# Methods of Network whose work lies further down the row of imports: loaded here, at their first use.
_METHODS = {"to_sbml": "sbml", "summary": "summary", "_repr_html_": "summary", "forecast": "simulation.forecast"}


def _method(name: str, module: str) -> Any:
    def method(self: Network, *args: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(f"sciml.biology.{module}"), name)(self, *args, **options)

    method.__name__ = name
    return method


for _name, _module in _METHODS.items():
    setattr(Network, _name, _method(_name, _module))

open_door(__name__, _MODULES)
