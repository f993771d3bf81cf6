import ase.io
import numpy as np
import pytest
from ase.build import bulk
from ase.geometry import get_distances
from pymatgen.core import Lattice, Structure

from sciml.errors import DataError
from tests.materials.formats.samples import DATA, cif, parse

P1 = "_symmetry_space_group_name_H-M 'P 1'"


def read(tmp_path, text, **options):
    (record,) = parse("cif", tmp_path / "f.cif", text, **options)
    return record


def shortest(record):
    images = np.array(np.meshgrid([-1, 0, 1], [-1, 0, 1], [-1, 0, 1])).reshape(3, -1).T @ record.cell
    between = record.positions[:, None, None] + images - record.positions[None, :, None]
    lengths = np.linalg.norm(between, axis=-1)
    return lengths[lengths > 1e-9].min()


@pytest.mark.parametrize("name", ["four-digits.cif", "three-digits.cif"])
def test_case_rounded_thirds(name):
    """2H-MoS2, 2c + 4f of P6_3/mmc; d^2 = a^2/3 + (0.129 c)^2 = (2.418 A)^2."""
    (record,) = parse("cif", DATA / name)
    assert np.bincount(record.numbers)[[42, 16]].tolist() == [2, 4]
    assert len(record.numbers) == 6
    assert shortest(record) == pytest.approx(np.sqrt(3.16**2 / 3 + (0.129 * 12.3) ** 2), abs=0.003)


@pytest.mark.parametrize("name", ["salt.cif", "cod_9007640.cif", "cod_9007661.cif", "odac_LUFQUZ.cif", "gvd.cif"])
def test_as_ase_and_pymatgen_read_it(name):
    """Same atoms at the same places, in any order, cells alike."""
    (record,) = parse("cif", DATA / name)
    theirs = ase.io.read(DATA / name)
    others = Structure.from_file(DATA / name)
    assert np.abs(record.cell - theirs.cell.array).max() < 1e-6
    for numbers, positions in ((theirs.numbers, theirs.positions), (np.array(others.atomic_numbers), others.cart_coords)):
        assert sorted(record.numbers) == sorted(numbers)
        if positions is theirs.positions:
            _, lengths = get_distances(record.positions, positions, cell=record.cell, pbc=True)
            assert lengths.min(axis=1).max() < 2e-6
            assert (numbers[lengths.argmin(axis=1)] == record.numbers).all()


@pytest.mark.parametrize(("setting", "z", "count"), [(":2", "0.125", 8), (":1", "0.0", 8), (":2", "0.0", 16), (":1", "0.125", 16)])
def test_diamond_with_a_stated_setting_and_no_operations(tmp_path, setting, z, count):
    """8a lies at 1/8 1/8 1/8 in origin choice 2, at 0 0 0 in choice 1; the other is 16 atoms (16c, 16c)."""
    record = read(tmp_path, cif(3.567, 3.567, 3.567, 90, 90, 90, f"_space_group_name_H-M_alt 'F d -3 m {setting}'", [f"C1 {z} {z} {z}"]))
    assert len(record.numbers) == count


def test_an_unstated_origin_is_decided_by_the_formula_or_refused(tmp_path):
    text = cif(3.567, 3.567, 3.567, 90, 90, 90, "_space_group_name_H-M_alt 'F d -3 m'", ["C1 0.125 0.125 0.125"])
    with pytest.raises(DataError, match="its setting is not stated .*1: 16 atoms.*2: 8 atoms"):
        read(tmp_path, text)
    formula = "_chemical_formula_sum C\n_cell_formula_units_Z 8\n"
    assert len(read(tmp_path, text.replace("loop_", formula + "loop_")).numbers) == 8


def test_the_count_is_compared_with_the_formula(tmp_path):
    sites = ["Na1 0 0 0", "Cl1 0.5 0.5 0.5"]
    for formula, units in (("'Na Cl'", 1), ("'Na1 Cl1'", 4), ("'Cl Na'", 1)):
        extra = f"_chemical_formula_sum {formula}\n_cell_formula_units_Z {units}\n"
        assert len(read(tmp_path, cif(4, 4, 4, 90, 90, 90, P1, sites, extra)).numbers) == 2
    extra = "_chemical_formula_sum 'Na2 Cl'\n_cell_formula_units_Z 2\n"
    with pytest.raises(DataError, match="_cell_formula_units_Z: the cell has Cl1, Na1, the formula says Cl2 Na4 or Cl1 Na2"):
        read(tmp_path, cif(4, 4, 4, 90, 90, 90, P1, sites, extra))
    assert len(read(tmp_path, cif(4, 4, 4, 90, 90, 90, P1, sites, extra), check_formula=False).numbers) == 2


def test_images_within_their_rounding_are_one_atom_at_their_mean(tmp_path):
    """Diamond's hexagonal relative: 2c of P6_3/mmc with 2 to 8 digits is 2 atoms at exactly 1/3 2/3."""
    for digits in (2, 3, 4, 5, 8):
        site = f"Mg1 {1 / 3:.{digits}f} {2 / 3:.{digits}f} 0.25"
        record = read(tmp_path, cif(3.21, 3.21, 5.21, 90, 90, 120, "_space_group_name_H-M_alt 'P 63/m m c'", [site]))
        fractions = record.positions @ np.linalg.inv(record.cell)
        assert len(fractions) == 2
        assert np.sort(fractions[:, 0]) == pytest.approx([1 / 3, 2 / 3], abs=1e-9)


def test_near_positions_with_many_digits_stay_apart(tmp_path):
    """A split of 0.02 A that the digits do show is no rounding (the gate refuses it later)."""
    record = read(tmp_path, cif(10, 10, 10, 90, 90, 90, "_space_group_name_H-M_alt 'P -1'", ["O1 0.00100 0.00000 0.00000"]))
    assert len(record.numbers) == 2


def test_a_site_listed_twice_and_all_atoms_with_all_operations(tmp_path):
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    sites = [
        f"{s}{k} {x:.4f} {y:.4f} {z:.4f}" for k, (s, (x, y, z)) in enumerate(zip(atoms.symbols, atoms.get_scaled_positions(), strict=True))
    ]
    assert len(read(tmp_path, cif(5.64, 5.64, 5.64, 90, 90, 90, "_space_group_name_H-M_alt 'F m -3 m'", sites)).numbers) == 8


@pytest.mark.parametrize("axes", ["b", "c"])
def test_expansion_against_pymatgen(tmp_path, axes):
    """A general position of P21/c and of its c-axis relative, with operations from the symbol."""
    symbol, angles = ("P 1 21/c 1", (90, 97, 90)) if axes == "b" else ("P 1 1 21/b", (90, 90, 97))
    sites = ["Si1 0.1234 0.2345 0.3456", "O1 0.61 0.37 0.0456"]
    record = read(tmp_path, cif(5.1, 6.2, 7.3, *angles, f"_space_group_name_H-M_alt '{symbol}'", sites))
    lattice = Lattice.from_parameters(5.1, 6.2, 7.3, *angles)
    found = Structure(lattice, record.numbers.tolist(), record.positions @ np.linalg.inv(record.cell))
    if axes == "b":
        theirs = Structure.from_spacegroup("P2_1/c", lattice, ["Si", "O"], [[0.1234, 0.2345, 0.3456], [0.61, 0.37, 0.0456]])
        _, lengths = get_distances(found.cart_coords, theirs.cart_coords, cell=lattice.matrix, pbc=True)
        assert lengths.min(axis=1).max() < 1e-6
    assert len(found) == 8
    assert found.get_space_group_info()[1] == 14


@pytest.mark.parametrize(
    ("label", "number"),
    [("Mo1", 42), ("S2A", 16), ("CL1", 17), ("C1", 6), ("H12", 1), ("D1", 1), ("Fe3+", 26), ("ca2", 20), ("O", 8)],
)
def test_elements_by_label(tmp_path, label, number):
    extra = "_chemical_formula_sum 'Cl'" if label == "CL1" else ""
    assert read(tmp_path, cif(4, 4, 4, 90, 90, 90, P1, [f"{label} 0 0 0"], extra)).numbers.tolist() == [number]


def test_the_formula_decides_between_calcium_and_carbon(tmp_path):
    for formula, number in (("Ca", 20), ("'C2 O'", 6), ("'C2 N'", 6)):
        text = cif(4, 4, 4, 90, 90, 90, P1, ["CA 0 0 0"], f"_chemical_formula_sum {formula}")
        assert read(tmp_path, text).numbers.tolist() == [number]


def test_uncertainties_tabs_question_marks_and_line_ends(tmp_path):
    text = cif("4.00(1)", "4.0", "4", "90.00(2)", "90.", "9.0e1", P1, ["Na1\t0.333(2)\t0.5(10) -.25"], "_cell_volume ?\n_x .\n")
    plain = read(tmp_path, text)
    assert plain.positions[0] == pytest.approx([4 * 0.333, 2, 3])
    (tmp_path / "g.cif").write_bytes(text.replace("\n", "\r\n").encode())
    (other,) = parse("cif", tmp_path / "g.cif")
    assert np.array_equal(other.positions, plain.positions)
    assert other.info == plain.info


def test_blocks_without_atoms_are_skipped_and_records_counted(tmp_path):
    one = cif(4, 4, 4, 90, 90, 90, P1, ["Na1 0 0 0"])
    found = parse("cif", tmp_path / "f.cif", "data_global\n_title 'x'\n" + one + one.replace("Na1", "K1"))
    assert [record.numbers.tolist() for record in found] == [[11], [19]]
    with pytest.raises(DataError, match="record 1 .*no element"):
        parse("cif", tmp_path / "f.cif", "data_global\n_title 'x'\n" + one + one.replace("Na1", "Qq1"))


def test_disorder_is_refused_with_its_count():
    with pytest.raises(DataError, match=r"elz.cif: record 0 .*disordered, 6 of 8 sites are not fully occupied \(Li0, .*OrderDisordered"):
        parse("cif", DATA / "elz.cif")


SITE = ["Na1 0 0 0"]
FAULTS = {
    "data_x\n_a 1\n": "no data block has atoms",
    cif(4, 4, 4, 90, 90, 90, P1, SITE).replace("_cell_length_b 4", ""): "_cell_length_b: missing",
    cif("?", 4, 4, 90, 90, 90, P1, SITE): "_cell_length_a: missing",
    cif("nan", 4, 4, 90, 90, 90, P1, SITE): "positive lengths",
    cif(-4, 4, 4, 90, 90, 90, P1, SITE): "positive lengths",
    cif(4, 4, 4, 90, 90, 180, P1, SITE): "positive lengths",
    cif(4, 4, 4, 30, 30, 90, P1, SITE): "span no volume",
    cif("4.0x", 4, 4, 90, 90, 90, P1, SITE): "_cell_length_a: found '4.0x'",
    cif(4, 4, 4, 90, 90, 90, P1, ["Na1 0 ? 0"]): "_atom_site_fract of Na1: found",
    cif(4, 4, 4, 90, 90, 90, P1, ["Na1 0 nan 0"]): "not finite",
    cif(4, 4, 4, 90, 90, 90, P1, ["X1 0 0 0"]): "begins with no element",
    cif(4, 4, 4, 90, 90, 90, P1, SITE).replace("_fract_z", "_fract_q"): "fractional coordinates are missing",
    cif(4, 4, 4, 90, 90, 90, "_x 1", SITE): "neither operations nor a space group",
    cif(4, 4, 4, 90, 90, 90, P1, SITE)
    .replace("_atom_site_label", "_atom_site_type_symbol")
    .replace("Na1", "Qq"): "'Qq' of site 'Qq' is no element",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items())
def test_faults(tmp_path, text, message):
    with pytest.raises(DataError, match=rf"f\.cif: .*{message}"):
        read(tmp_path, text)


def test_900_sites_under_many_operations_are_quick(tmp_path):
    import time

    sites = [f"C{k} {(k * 0.7548) % 1:.5f} {(k * 0.5698) % 1:.5f} {(k * 0.1234) % 1:.5f}" for k in range(900)]
    start = time.process_time()
    with pytest.raises(DataError, match="max_sites"):
        read(tmp_path, cif(30, 30, 30, 90, 90, 90, "_space_group_name_H-M_alt 'F m -3 m'", sites))
    assert time.process_time() - start < 5
