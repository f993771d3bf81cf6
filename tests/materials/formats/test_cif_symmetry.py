import numpy as np
import pytest
import spglib

from sciml.errors import DataError
from sciml.materials.formats.cif_symmetry import operations
from sciml.materials.formats.cif_text import parse_blocks
from sciml.materials.formats.tokens import Place

PLACE = Place("a.cif", 0)
CUBIC = 6 * np.eye(3)
HEXAGONAL = np.array([[5, 0, 0], [-2.5, 5 * np.sqrt(0.75), 0], [0, 0, 7]])
RHOMBOHEDRAL = 4 * (np.eye(3) + 0.1)


def found(lines, cell=CUBIC):
    return operations(parse_blocks("data_x\n" + lines + "\n", PLACE)[0], np.array(cell), PLACE)


def cell_for(number, choice):
    if number < 3:
        return [[5, 0, 0], [1, 6, 0], [0.5, 0.3, 7]]
    if number < 16:
        return {"a": [[5, 0, 0], [0, 6, 0], [0, 1, 7]], "b": [[5, 0, 0], [0, 6, 0], [1, 0, 7]], "c": [[5, 0, 0], [1, 6, 0], [0, 0, 7]]}[
            choice.strip("-")[0]
        ]
    if number < 75:
        return np.diag([5.0, 6, 7])
    if number < 143:
        return np.diag([5.0, 5, 7])
    return CUBIC if number > 194 else RHOMBOHEDRAL if choice == "R" else HEXAGONAL


@pytest.mark.parametrize("index", range(1, 531))
def test_all_settings_by_hall_symbol_and_by_full_symbol(index):
    """Each of the 530 settings, named by its Hall symbol and by symbol and setting, is that of spglib; e-glides alone share symbols."""
    kind, tables = spglib.get_spacegroup_type(index), spglib.get_symmetry_from_database(index)
    expected = {
        tuple(np.rint(24 * (r @ [0.1, 0.2, 0.3] + t)).tolist())
        for r, t in zip(tables["rotations"], tables["translations"] % 1, strict=True)
    }
    quote = "'" if '"' in kind.hall_symbol else '"'
    lines = [f"_space_group_name_Hall {quote}{kind.hall_symbol}{quote}"]
    if index not in (317, 319, 321):
        setting = f":{kind.choice}" if kind.choice in ("H", "R") or kind.choice[:1] in ("1", "2") else ""
        lines.append(f"_symmetry_space_group_name_H-M '{kind.international_full.replace('_', '')}{setting}'")
    for line in lines:
        (group,) = found(line, cell_for(kind.number, kind.choice))
        assert len(group.rotations) == len(tables["rotations"])
        ours = {tuple(np.rint(24 * (r @ [0.1, 0.2, 0.3] + t)).tolist()) for r, t in zip(group.rotations, group.translations, strict=True)}
        assert ours == expected, line


@pytest.mark.parametrize(
    ("symbol", "index"),
    [
        ("F d -3 m :2", 526),
        ("F d -3 m:1", 525),
        ("Fd-3m Z", 526),
        ("F d -3 m S", 525),
        ("F d 3 m :2", 526),
        ("P 21/n", 82),
        ("P n m a", 292),
    ],
)
def test_symbols_as_they_are_written(symbol, index):
    cell = [[6, 0, 0], [0, 6, 0], [1, 0, 6]] if symbol == "P 21/n" else CUBIC
    (group,) = found(f"_space_group_name_H-M_alt '{symbol}'", cell)
    tables = spglib.get_symmetry_from_database(index)
    assert len(group.rotations) == len(tables["rotations"])
    inversion = [t for r, t in zip(group.rotations, group.translations, strict=True) if (r == -np.eye(3)).all()]
    theirs = [t % 1 for r, t in zip(tables["rotations"], tables["translations"], strict=True) if (r == -np.eye(3)).all()]
    assert np.allclose(np.sort(inversion, axis=0), np.sort(theirs, axis=0))


@pytest.mark.parametrize(
    ("symbol", "axes"), [("C m c a", "C c m b"), ("C m c e", "A b m a"), ("A b a 2", "B b a 2"), ("C c c a :2", "A b a a :2")]
)
def test_symbols_before_the_e_glide(symbol, axes):
    cell = np.diag([5.0, 6, 7])
    first, second = found(f"_space_group_name_H-M_alt '{symbol}'", cell), found(f"_space_group_name_H-M_alt '{axes}'", cell)
    assert len(first) == len(second) == 1
    assert first[0].key() != second[0].key()


def test_rhombohedral_setting_is_decided_by_the_cell_and_obeyed_where_stated():
    assert len(found("_space_group_name_H-M_alt 'R -3 m'", HEXAGONAL)[0].rotations) == 36
    assert len(found("_space_group_name_H-M_alt 'R -3 m'", RHOMBOHEDRAL)[0].rotations) == 12
    assert len(found("_space_group_name_H-M_alt 'R -3 m :R'", RHOMBOHEDRAL)[0].rotations) == 12
    assert len(found("_space_group_name_H-M_alt 'R -3 m H'", HEXAGONAL)[0].rotations) == 36
    for symbol, cell in (("R -3 m :R", HEXAGONAL), ("R -3 m :H", RHOMBOHEDRAL)):
        with pytest.raises(DataError, match="it does not have the symmetry of the operations"):
            found(f"_space_group_name_H-M_alt '{symbol}'", cell)


def test_an_open_choice_of_origin_gives_both():
    assert [group.origin[-1] for group in found("_space_group_name_H-M_alt 'F d -3 m'")] == ["1", "2"]
    assert [group.origin[-1] for group in found("_space_group_IT_number 227")] == ["1", "2"]


@pytest.mark.parametrize("text", ["-x,-y+1/2,z-x", "-X, 1/2 - Y, Z-X", "-x,1/2-y,-x+z", "'-x, -y+.5, +z-x'", "-x,-y+0.5000,z-x"])
def test_ways_to_write_an_operation(text):
    """A two-fold axis along c in a cell with a.c = -c^2/2."""
    (group,) = found(f"_space_group_symop_operation_xyz\n;{text}\n;", [[3, 0, -1], [0, 4, 0], [0, 0, 2]])
    assert group.rotations.tolist()[1] == [[-1, 0, 0], [0, -1, 0], [-1, 0, 1]]
    assert group.translations.tolist()[1] == [0, 0.5, 0]


def test_thirds_with_few_digits_are_thirds():
    lines = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n'x+.333,y+.667,z+.667'\n'x+0.6667, y+0.3333, z+1/3'"
    (group,) = found(lines, HEXAGONAL)
    assert sorted(group.translations[:, 0].tolist()) == [0, 1 / 3, 2 / 3]


FAULTS = {
    "": "neither operations nor a space group",
    "_space_group_name_H-M_alt 'P 7 m'": "is in no table",
    "_space_group_name_H-M_alt 'F d -3 m :3'": "is in no table",
    "_space_group_name_H-M_alt 'P 1'\n_space_group_IT_number 2": "is number 1, and the file states 2",
    "_space_group_IT_number 231": "is in no table",
    "loop_\n_symmetry_equiv_pos_as_xyz\n x, y, z\n": "in quotes",
    "_symmetry_equiv_pos_as_xyz 'x,y'": "in quotes",
    "_symmetry_equiv_pos_as_xyz 'x,y,q'": "a text like",
    "_symmetry_equiv_pos_as_xyz 'x,y,x'": "no rotation of a lattice",
    "_symmetry_equiv_pos_as_xyz 'x,y,z+1/0'": "a text like",
    "_symmetry_equiv_pos_as_xyz '__import__(1),y,z'": "a text like",
    "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-y,x,z\n": "do not form a group",
    "loop_\n_symmetry_equiv_pos_as_xyz\n" + "x,y,z\n" * 1001: "1001 are listed",
}


@pytest.mark.parametrize(("lines", "message"), FAULTS.items())
def test_faults(lines, message):
    with pytest.raises(DataError, match=rf"a.cif: record 0 .*{message}"):
        found(lines)


def test_operations_that_do_not_suit_the_cell():
    with pytest.raises(DataError, match="cell: it does not have the symmetry"):
        found("_space_group_name_H-M_alt 'P 4/m m m'", np.diag([4.0, 5, 6]))
