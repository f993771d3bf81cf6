"""Hybrid runs of a network, ready to be started, and a gene whose molecules live on two scales."""

from __future__ import annotations

import numpy as np

from sciml.biology.kernels.hybrid_lanes import hybrid_program
from sciml.biology.network import Network
from sciml.biology.simulation.hybrid_run import HybridRun, single_coefficients
from sciml.biology.simulation.jump_model import JumpModel
from sciml.biology.simulation.molecules import in_molecules
from tests.biology.simulation.small_networks import parse


def prepared(net: Network, times: list[float], *, final: bool = False, seed: int = 0) -> HybridRun:
    """A run with the usual options."""
    model = JumpModel(in_molecules(net, 1, seed))
    program = hybrid_program(model.jumps)
    assert program is not None
    single = single_coefficients(model, program)
    assert single is not None
    options = {"program": program, "single": single, "abundant": 1000.0}
    return HybridRun(model, np.array(times), 0.03, seed, "simulate_hybrid", final=final, **options)


def bursting_gene(proteins: float = 1e5, *, feedback: bool = False, start: bool = True) -> Network:
    """A promoter that switches, mRNA of half-life 5 min and mean 20, proteins of half-life 1 h; with feedback they keep the promoter off.

    Times are seconds.
    """
    on, off, m, g, d = 0.001, 0.01, 20.0, np.log(2) / 300, np.log(2) / 3600
    values = {"on": on, "off": off, "k": m * g * (on + off) / on, "g": g, "make": proteins * d / m, "d": d, "K": proteins}
    opens = parse("open", "Off -> On", law="2 * on * Off / (1 + (P / K)^2)") if feedback else parse("open", "Off -> On", rate="on")
    reactions = [
        opens, parse("close", "On -> Off", rate="off"), parse("transcribe", "On -> On + M", rate="k"), parse("degrade", "M ->", rate="g"),
        parse("translate", "M -> M + P", rate="make"), parse("dilute", "P ->", rate="d"),
    ]  # fmt: skip
    species = {"Off": 1, "On": 0, "M": 20 if start else 0, "P": round(proteins) if start else 0}
    return Network("bursting", species=species, parameters=values, reactions=reactions)
