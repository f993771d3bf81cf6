"""What is settled before the first step: options, reference energies by their three origins, seeds, the network to begin with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from sciml.errors import ConfigError
from sciml.materials.training import Recipe
from sciml.materials.training.preparation import Job, make_options, prepare
from sciml.materials.training.sets import open_sets


def job(structures: list[Atoms], tiny: dict, references: dict | None = None, seed: int = 0) -> Job:
    rest = {"seed": seed, "members": 2, "references": references, "repulsion": True, "start": None}
    options = make_options("equivariant", 4.0, tiny, None, None, **rest)
    return prepare(open_sets(structures, None, None, 4.0, Recipe(), seed), options)


def labelled(atoms: Atoms, energy: float) -> Atoms:
    atoms.calc = SinglePointCalculator(atoms, energy=energy)
    return atoms


def test_reference_energies_by_origin(tiny) -> None:
    """Na alone in the data, Cl given, O fitted to what these leave: exact where the energies are sums."""
    e0 = {"Na": -1.5, "Cl": -2.5, "O": -4.0}
    rows = [Atoms("Na"), *(Atoms(symbols, np.eye(len(Atoms(symbols)), 3) * 2.0) for symbols in ("NaCl", "NaO", "ClO", "NaClO"))]
    structures = [labelled(atoms, sum(e0[s] for s in atoms.get_chemical_symbols())) for atoms in rows]
    found = job(structures, tiny, {"Cl": -2.5})
    references = found.references
    assert dict(zip(references.species, references.origin, strict=True)) == {8: "fitted", 11: "isolated", 17: "given"}
    assert [references[s] for s in e0] == pytest.approx(list(e0.values()))
    for graph in found.sets.train.load(range(5)):
        assert float(graph.energy) == pytest.approx(0, abs=1e-9)


def test_unknown_reference_element_is_refused(copper, tiny) -> None:
    with pytest.raises(ConfigError, match="references: found 'Xx', expected a chemical symbol"):
        job(copper(2), tiny, {"Xx": 1.0})


def test_networks_follow_from_the_seed_of_the_member(copper, tiny) -> None:
    state = torch.get_rng_state()
    first, second = job(copper(4), tiny), job(copper(4), tiny)
    weights = [torch.cat([p.flatten() for p in own.new_model(k).parameters()]) for own, k in ((first, 0), (second, 0), (first, 1))]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), state)  # torch's own generator is left alone
    assert first.options.member_seed(0) == 0 != first.options.member_seed(1)


def test_options_name_what_is_wrong(tiny) -> None:
    rest = {"seed": 0, "members": 1, "references": None, "repulsion": True, "start": None}
    with pytest.raises(ConfigError, match=r"model\.chanels"):
        make_options("equivariant", 4.0, {"chanels": 3}, None, None, **rest)
    with pytest.raises(ConfigError, match=r"model\.cutoff_A"):
        make_options("equivariant", -4.0, {}, None, None, **rest)
