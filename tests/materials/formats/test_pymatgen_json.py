import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Molecule, Structure

from sciml.errors import DataError
from sciml.materials.formats.pymatgen_json import record_of
from sciml.materials.formats.tokens import Place
from tests.materials.formats.samples import parse

PLACE = Place("a.json", 2)
SALT = Structure(
    Lattice.from_parameters(4, 5, 6, 80, 90, 100),
    ["Na+", "Cl-"],
    [[0, 0, 0], [0.5, 0.4, 1.3]],
    site_properties={"magmom": [1.0, -1.0]},
    charge=0,
)


def test_as_from_dict_reads_it(tmp_path):
    (record,) = parse("json", tmp_path / "a.json", SALT.to_json())
    theirs = Structure.from_dict(json.loads(SALT.to_json()))
    assert record.numbers.tolist() == list(theirs.atomic_numbers)
    assert np.abs(record.positions - theirs.cart_coords).max() < 1e-12
    assert np.array_equal(record.cell, theirs.lattice.matrix)
    assert record.pbc.all()
    assert record.arrays["magmom"].tolist() == [1, -1]
    assert record.arrays["oxidation_state"].tolist() == [1, -1]


def test_a_molecule_and_a_list(tmp_path):
    water = Molecule("OHH", [[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]], charge=1)
    found = parse("json", tmp_path / "a.json", json.dumps([water.as_dict(), SALT.as_dict()]))
    assert not found[0].pbc.any()
    assert found[0].info["charge"] == 1
    assert [len(record.numbers) for record in found] == [3, 2]


def changed(change):
    entry = json.loads(SALT.to_json())
    change(entry)
    return entry


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.update(sites=[]), "sites: found"),
        (lambda e: e["lattice"].update(matrix=[[1, 2, 3]]), "lattice.matrix"),
        (lambda e: e["sites"][0].update(species=[{"element": "Na", "occu": 0.5}]), "disordered, 1 of 2 sites"),
        (lambda e: e["sites"][0].update(species=[{"element": "Na", "occu": 0.5}, {"element": "K", "occu": 0.5}]), "disordered"),
        (lambda e: e["sites"][0].update(species=[{"element": "Qq", "occu": 1}]), "'Qq' is no element"),
        (lambda e: e["sites"][0].update(species=[{"element": ["Na"], "occu": 1}]), "is no element"),
        (lambda e: e["sites"][0].update(abc=["x", 0, 0]), "site 0, abc"),
        (lambda e: e["sites"][0].update(xyz=[1, 0, 0]), "abc and xyz are different places"),
    ],
)
def test_faults(change, message):
    with pytest.raises(DataError, match=rf"a.json: record 2 .*{message}"):
        record_of(changed(change), PLACE)


def test_a_class_named_in_the_file_is_never_called(tmp_path):
    """monty's decoder would import and call it; here it is data."""
    evil = {"@module": "subprocess", "@class": "Popen", "args": ["touch", str(tmp_path / "touched")]}
    entry = changed(lambda e: (e["sites"][0].update(properties={"x": evil}), e.update(properties={"y": evil})))
    (record,) = parse("json", tmp_path / "a.json", json.dumps(entry))
    assert record.info["y"] == evil
    assert not (tmp_path / "touched").exists()
