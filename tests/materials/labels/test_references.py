"""Offsets of elements: in lone atoms, in one of many elements, in a test set."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import bulk

from sciml.materials.datasets import load_dataset
from sciml.materials.labels import check
from tests.materials.labels.planting import shifted


def with_energy(atoms, energy):
    atoms.info["energy"] = energy
    return atoms


def oxides(offset):
    """Lone atoms and molecules bound by 3 eV an atom; the lone carbon is off."""
    lone = {"C": -150.0, "O": -430.0}
    frames = [with_energy(Atoms(symbol), energy + (offset if symbol == "C" else 0)) for symbol, energy in lone.items()]
    for formula in ("CO", "CO2", "C2O", "C3O2", "O2", "O3"):
        count = len(Atoms(formula))
        atoms = Atoms(formula, positions=[[1.2 * place, 0.1 * place**2, 0] for place in range(count)])
        frames.append(with_energy(atoms, sum(lone[symbol] for symbol in atoms.symbols) - 3.0 * count))
    return frames


def test_lone_atoms():
    assert check(oxides(0.0)).passed
    (finding,) = check(oxides(500.0)).findings
    assert finding.kind == "element-offset" and "atom of C" in finding.message


def test_one_of_many_elements():
    generator = np.random.default_rng(0)
    symbols = ["Li", "Na", "K", "Mg", "Ca", "Al", "Ti", "Fe", "Cu", "Zn", "O", "S"]
    own = dict(zip(symbols, generator.normal(-4, 1, len(symbols)), strict=True))

    def frames(offset):
        result = []
        for _ in range(150):
            pair = generator.choice(symbols, 2, replace=False)
            atoms = bulk("NaCl", "rocksalt", a=float(generator.uniform(4, 6)))
            atoms.symbols = list(pair)
            energy = sum(own[symbol] + (offset if symbol == "Fe" else 0.0) for symbol in pair)
            result.append(with_energy(atoms, energy + float(generator.normal(0, 0.2))))
        return result

    assert check(frames(0.0)).passed
    findings = [finding for finding in check(frames(40.0)).findings if finding.level != "note"]
    assert [finding.kind for finding in findings] == ["element-offset"] and findings[0].message.startswith("Fe")


def test_shifted_test_set():
    train, test = load_dataset("mlearn-si", "train")[::2], load_dataset("mlearn-si", "test")
    assert check(train, test=test).passed
    (finding,) = [each for each in check(train, test=shifted(test, range(len(test)), "Si", 1.0)).findings if each.level != "note"]
    assert finding.kind == "element-offset" and "+1.0" in finding.message and "Si" in finding.message
