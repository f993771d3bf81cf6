import pytest
from ase.data import chemical_symbols

from sciml.errors import DataError
from sciml.materials.formats.tokens import ELEMENTS, Place, element, elements, floats, is_number, whole

PLACE = Place("file.xyz", 3)


def test_elements_are_those_of_ase():
    assert ["X", *ELEMENTS] == chemical_symbols
    assert elements(["Si", "si", "SI", "14", "Uuo"[:1]], PLACE, "species") == [14, 14, 14, 14, 92]


@pytest.mark.parametrize("text", ["1", "-1.5", "+.5", "2.", "1e-3", "1E+30", "nan", "-inf"])
def test_numbers(text):
    assert is_number(text)
    assert repr(floats([text], PLACE, "x")[0]) == repr(float(text))


@pytest.mark.parametrize("text", ["1.0x", "1_0", "1.0D+01", "****", "", "1.2.3", "--1", "1e", "0x10", "１"])
def test_numbers_not_read_to_their_last_character(text):
    with pytest.raises(DataError, match=r"file.xyz: record 3 \(from 0\): energy: found .*; expected a number"):
        floats([text], PLACE, "energy")


@pytest.mark.parametrize("text", ["1.0", "1x", "", "1e3", "9" * 30])
def test_whole_numbers(text):
    assert whole("-12", PLACE, "n") == -12
    with pytest.raises(DataError, match="a whole number"):
        whole(text, PLACE, "n")


@pytest.mark.parametrize("text", ["X", "Qq", "Si_pv", "", "0", "119", "M"])
def test_unknown_elements(text):
    with pytest.raises(DataError, match="is no element; expected a symbol from H to Og"):
        element(text, PLACE, "species")
