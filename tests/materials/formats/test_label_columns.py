import numpy as np
import pytest

from sciml.errors import ConfigError, DataError
from sciml.materials.formats.label_columns import LabelReader
from sciml.materials.formats.record import Record
from sciml.materials.formats.tokens import Place
from sciml.units import BOHR_IN_A, HARTREE_IN_EV, KBAR_IN_EV_PER_A3

PLACE = Place("a.extxyz", 2)
STRESS = np.array([0.010, -0.020, 0.030, 0.004, -0.005, 0.006])
MATRIX = STRESS[[0, 5, 4, 5, 1, 3, 4, 3, 2]]
VOLUME = 3.6**3


def record(info=None, arrays=None, results=None, pbc=True, cell=None):
    cell = 3.6 * np.eye(3) if cell is None else cell
    return Record(
        np.array([29, 29]), np.array([[0.0, 0, 0], [1.8, 1.8, 0]]), cell, np.full(3, pbc), info or {}, arrays or {}, results or {}
    )


def read(entry, keys=None, units=None):
    return LabelReader("a.extxyz", keys, units).read(entry, PLACE)


@pytest.mark.parametrize("place", ["info", "results"])
def test_labels_are_found_in_info_arrays_and_results(place):
    forces = np.arange(6.0).reshape(2, 3)
    entry = record(**{place: {"energy": -3, "stress": STRESS}}, arrays={"forces": forces})
    found = read(entry)
    assert found["energy"] == found["free_energy"] == -3.0
    assert np.array_equal(found["forces"], forces)
    assert np.array_equal(found["stress"], STRESS)
    assert entry.info == {}
    assert entry.arrays == {}


def test_the_free_energy_is_the_label():
    entry = record({"energy": -3.0, "free_energy": -3.1})
    assert read(entry)["energy"] == -3.1
    assert entry.info == {"unused_energy": -3.0}


@pytest.mark.parametrize("given", [{"stress": STRESS}, {"stress": MATRIX}, {"stress": MATRIX.reshape(3, 3)}, {"virial": -VOLUME * MATRIX}])
def test_stress_and_virial_of_six_and_nine_components(given):
    assert read(record(given))["stress"] == pytest.approx(STRESS, abs=1e-12)


def test_stress_and_virial_together():
    assert read(record({"stress": STRESS, "virial": -VOLUME * MATRIX}))["stress"] == pytest.approx(STRESS)
    with pytest.raises(DataError, match=r"record 2 .*virial: -virial/V and stress differ by 0.06 .*the sign.*expected virial = -V stress"):
        read(record({"stress": STRESS, "virial": VOLUME * MATRIX}))
    nearly = -VOLUME * MATRIX * (1 + 3e-5)
    assert read(record({"stress": STRESS, "virial": nearly}))["stress"] == pytest.approx(STRESS)
    with pytest.raises(DataError, match="differ by"):
        read(record({"stress": STRESS, "virial": -VOLUME * MATRIX * 1.001}))


@pytest.mark.parametrize("change", [[1, 0, 2, 3, 4, 5], [0, 1, 2, 5, 4, 3], [0, 1, 2, 3, 5, 4]])
def test_every_exchange_of_components_shows(change):
    with pytest.raises(DataError, match="differ by"):
        read(record({"stress": STRESS[change], "virial": -VOLUME * MATRIX}))


def test_units():
    entry = record({"energy": 1.0, "stress": STRESS}, {"forces": np.ones((2, 3))})
    found = read(entry, units={"energy": "Ha", "forces": "Ha/bohr", "stress": "-kBar"})
    assert found["energy"] == HARTREE_IN_EV
    assert found["forces"] == pytest.approx(HARTREE_IN_EV / BOHR_IN_A)
    assert found["stress"] == pytest.approx(-KBAR_IN_EV_PER_A3 * STRESS)
    entry = record({"virial": -VOLUME * MATRIX})
    assert read(entry, units={"energy": "Ry", "length": "bohr"})["stress"] == pytest.approx(STRESS * HARTREE_IN_EV / 2 / BOHR_IN_A**3)
    assert entry.cell[0, 0] == 3.6 * BOHR_IN_A
    assert entry.positions[1, 0] == 1.8 * BOHR_IN_A
    with pytest.raises(ConfigError, match="unknown unit"):
        LabelReader("a", units={"energy": "furlong"})
    with pytest.raises(ConfigError, match="states its own units"):
        LabelReader("OUTCAR", units={"energy": "eV"}, fixed_units=True)


def test_keys():
    entry = record(
        {"REF_energy": -5.0, "energy": -1.0, "dft_energy": -2.0, "E": 7}, {"REF_forces": np.ones((2, 3)), "force": np.zeros((2, 3))}
    )
    reader = LabelReader("a.extxyz", {"energy": "REF_energy", "forces": "REF_forces", "gap": "E"})
    found = reader.read(entry, PLACE)
    reader.finish(1)
    assert found["energy"] == -5.0
    assert found["forces"].tolist() == [[1, 1, 1]] * 2
    assert entry.info == {"dft_energy": -2.0, "unused_energy": -1.0, "gap": 7}
    assert entry.arrays.keys() == {"unused_force"}


def test_a_key_that_no_record_has():
    reader = LabelReader("a.extxyz", {"energy": "ref_energy"})
    reader.read(record({"REF_energy": -5.0, "spin": 1}), PLACE)
    with pytest.raises(DataError, match=r"a\.extxyz: energy: none of 1 records has the column 'ref_energy'.*did you mean 'REF_energy'"):
        reader.finish(1)
    reader = LabelReader("a.extxyz", {"energy": "zzz"})
    reader.read(record({"spin": 1}), PLACE)
    with pytest.raises(DataError, match="columns found: spin"):
        reader.finish(1)
    with pytest.raises(ConfigError, match="name of a column"):
        LabelReader("a", {"energy": 1})


def test_absent_labels_and_other_columns():
    entry = record({"charge": 1, "spin": 2, "config_type": "bulk", "energy": None})
    assert read(entry) == {}
    assert entry.info == {"charge": 1, "spin": 2, "config_type": "bulk"}


def test_redundant_labels_are_compared():
    assert read(record({"energy": -1.0}, results={"energy": -1.0}))["energy"] == -1.0
    with pytest.raises(DataError, match="energy: given twice"):
        read(record({"energy": -1.0}, results={"energy": -2.0}))


def test_open_directions_have_no_stress():
    entry = record({"stress": STRESS, "virial": MATRIX}, pbc=False, cell=np.zeros((3, 3)))
    assert read(entry) == {}
    assert set(entry.info) == {"unused_stress", "unused_virial"}


@pytest.mark.parametrize(
    ("info", "arrays", "message"),
    [
        ({"energy": float("nan")}, {}, "energy: a component is NaN or infinite"),
        ({"energy": "-27.2x"}, {}, "energy: found '-27.2x'; expected energy as a number"),
        ({"energy": True}, {}, "energy: found 'True'"),
        ({"energy": np.array([1.0, 2.0])}, {}, r"energy: shape \[2\]"),
        ({}, {"forces": np.full((2, 3), np.nan)}, "forces: a component is NaN"),
        ({}, {"forces": np.zeros((2, 2))}, r"forces: shape \[2, 2\]; expected shape \[2, 3\]"),
        ({"stress": np.where(np.arange(6) == 3, np.inf, STRESS)}, {}, "stress: a component is NaN or infinite"),
        ({"stress": STRESS[:5]}, {}, "stress: 5 components; expected six"),
        ({"stress": np.arange(9.0)}, {}, "stress: the tensor is not symmetric"),
        ({"stress": "high"}, {}, "stress: 1 components"),
        ({"virial": MATRIX.reshape(3, 3) * np.nan}, {}, "virial: a component is NaN"),
    ],
)
def test_faults(info, arrays, message):
    with pytest.raises(DataError, match=rf"a\.extxyz: record 2 \(from 0\): {message}"):
        read(record(info, arrays))
