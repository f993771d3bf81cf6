"""What is settled before the first step: options, reference energies by their three origins, seeds, the network to begin with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator

from sciml.errors import ConfigError
from sciml.materials.potential import Potential
from sciml.materials.training import Recipe
from sciml.materials.training.preparation import Job, make_options, prepare, without_validation
from sciml.materials.training.sets import open_sets
from tests.materials.labels.planting import calculated, scaled


def job(structures: list[Atoms], tiny: dict, references: dict | None = None, seed: int = 0, **more) -> Job:
    rest = {"seed": seed, "members": 2, "references": references, "repulsion": True, "start": None, **more}
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


def test_references_of_elements_that_are_not_there_are_refused(copper, tiny) -> None:
    with pytest.raises(ConfigError, match=r"references: found Si, O, which is not in training set; the elements there are Cu"):
        job(copper(2), tiny, {"Cu": -1.0, "Si": -2.0, "O": -3.0})


def test_a_run_without_a_validation_set_says_so(copper, tiny, caplog) -> None:
    with caplog.at_level("WARNING"):
        few = job(copper(19), tiny)
    assert [each.message for each in caplog.records] == ["no validation set: 19 structures, 20 are needed; pass valid="]
    assert without_validation(few.sets) == caplog.records[0].message
    caplog.clear()
    with caplog.at_level("WARNING"):
        enough = job(copper(20), tiny)
    assert without_validation(enough.sets) == "" and not caplog.records


def strained(c: float) -> list[Atoms]:
    """Copper in small steps of volume, stresses of EMT with a Pulay stress c N / V (c in eV)."""
    frames = []
    for length in np.linspace(3.52, 3.68, 9):
        atoms = bulk("Cu", cubic=True, a=length)
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}
        results["stress"] = results["stress"] + 4 * c / atoms.get_volume() * np.array([1, 1, 1, 0, 0, 0])
        atoms.calc = SinglePointCalculator(atoms, **results)
        frames.append(atoms)
    return frames


def test_a_pulay_stress_is_taken_off_the_labels(tiny, caplog) -> None:
    frames, right = strained(0.2), strained(0.0)
    with caplog.at_level("WARNING"):
        found = job(frames, tiny)
    assert found.pulay_eV_per_atom["Cu"] == pytest.approx(0.2, abs=0.005)
    assert "pulay=False" in caplog.text
    for graph, atoms in zip(found.sets.train.load(range(9)), right, strict=True):
        assert graph.stress[0].numpy() == pytest.approx(atoms.get_stress(voigt=False), abs=5e-4)
    clean = job(right, tiny)
    assert clean.pulay_eV_per_atom == {}
    assert found.objective.spread.stress == pytest.approx(clean.objective.spread.stress, rel=0.02)  # the unit of what is trained on
    left = job(strained(0.2), tiny, pulay=False).sets.train.load([0])[0]
    assert left.stress[0].numpy() == pytest.approx(frames[0].get_stress(voigt=False), abs=1e-12)


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


def test_options_that_could_have_no_effect_are_refused(copper, tiny) -> None:
    rest = {"seed": 0, "members": 1}
    config = make_options(None, None, tiny, None, None, **rest).model
    assert (config.kind, config.cutoff_A, config.channels) == ("equivariant", 5.0, tiny["channels"])
    with pytest.raises(ConfigError, match="cutoff_A: found beside a ModelConfig"):
        make_options(config, 4.0, None, None, None, **rest)
    start = Potential([job(copper(3), tiny).new_model(0)], job(copper(3), tiny).references)
    assert make_options(None, None, None, None, None, start=start, **rest).model.cutoff_A == 4.0
    for given in ({"model": "invariant"}, {"cutoff_A": 5.0}, {"model_options": {"channels": 8}}, {"repulsion": False}):
        full = {"model": None, "cutoff_A": None, "model_options": None, "recipe": None, "weights": None} | given
        with pytest.raises(ConfigError, match=f"{next(iter(given))}: found beside start_from"):
            make_options(**full, start=start, **rest)


def test_labels_are_checked(tiny, caplog) -> None:
    """A unit that is wrong is said in the log and kept with the job; right labels are not accused."""
    frames = calculated(bulk("Cu", cubic=True), 40, 0.05, 0.05)
    assert [each.level for each in job(frames, tiny).examined.findings] == []
    assert "labels of" not in caplog.text
    found = job(scaled(frames, stress=1602.1766), tiny).examined
    assert [each.kind for each in found.findings] == ["stress-scale"] and found.examined == 40
    assert "labels of training set: stress-scale" in caplog.text and "kBar" in caplog.text


def test_few_or_odd_structures_are_trained_on_all_the_same(tiny) -> None:
    assert job([labelled(Atoms("Cu"), -1.0)], tiny).examined.findings == ()
    assert job([labelled(Atoms("Cu2", [[0, 0, 0], [0, 0, 2.0 + 0.01 * n]]), float(n)) for n in range(30)], tiny).examined is not None
