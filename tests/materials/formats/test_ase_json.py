import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.io.jsonio import encode

from sciml.errors import DataError
from sciml.materials.formats.ase_json import value_of
from tests.materials.formats.samples import parse


def frames():
    found = []
    for k in range(2):
        atoms = bulk("NaCl", "rocksalt", a=5.6)
        atoms.rattle(0.05, seed=k)
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0 * k, forces=np.full((2, 3), 0.1 * k), stress=np.arange(6.0))
        atoms.set_constraint(FixAtoms([1]))
        found.append(atoms)
    return found


def test_a_database_in_json(tmp_path):
    path = tmp_path / "a.json"
    ase.io.write(path, frames())
    for one, two in zip(parse("json", path), frames(), strict=True):
        assert np.array_equal(one.positions, two.positions)
        assert np.array_equal(one.cell, two.cell.array)
        assert one.pbc.all()
        assert one.results["energy"] == two.calc.results["energy"]
        assert np.array_equal(one.results["forces"], two.calc.results["forces"])
        assert one.fixed[:, 0].tolist() == [False, True]


def test_encoded_atoms_and_lists_of_them(tmp_path):
    one, two = frames()
    assert len(parse("json", tmp_path / "a.json", encode(one))) == 1
    assert [len(r.numbers) for r in parse("json", tmp_path / "a.json", f"[{encode(one)}, {encode(two)}]")] == [2, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "no structure"),
        ("[]", "no structure"),
        ("[1]", "record 0 .*a int"),
        ('{"a": 1', "cut off"),
        ("[" * 100_000, "JSON"),
        ('{"numbers": [1], "positions": "x"}', "missing"),
        ('{"numbers": [1, 2], "positions": [[0, 0, 0]]}', "do not belong together"),
        ('{"numbers": ["H"], "positions": [[0, 0, 0]]}', "missing|do not belong"),
        ('{"numbers": [1], "positions": [[0, 0, 0]], "cell": [1, 2]}', "do not belong together"),
    ],
)
def test_faults(tmp_path, text, message):
    with pytest.raises(DataError, match=rf"(?s)a\.json: .*({message})"):
        parse("json", tmp_path / "a.json", text)


def test_marks_are_data():
    """No class is looked up: an unknown mark stays a mapping."""
    assert value_of({"__ase_objtype__": "bandpath", "x": 1}) == {"__ase_objtype__": "bandpath", "x": 1}
    assert value_of({"__ndarray__": [[2], "object", ["a", "b"]]}) == "{'__ndarray__': [[2], 'object', ['a', 'b']]}"
    assert value_of({"__ndarray__": [[2, 1], "int64", [1, 2]]}).tolist() == [[1], [2]]
