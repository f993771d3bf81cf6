import ase.io
import numpy as np
import pytest

from sciml.errors import DataError
from sciml.units import KBAR_IN_EV_PER_A3
from tests.materials.formats.samples import parse


def varray(name, rows):
    return f'<varray name="{name}">' + "".join(f"<v> {' '.join(map(str, row))} </v>" for row in rows) + "</varray>"


CELL = [[4, 0, 0], [0, 4, 0], [0, 0.5, 4]]
PLACES = [[0, 0, 0], [0.5, 0.5, 0.5]]
STRUCTURE = f"<structure{{}}><crystal>{varray('basis', CELL)}</crystal>{varray('positions', PLACES)}</structure>"


def calculation(free):
    energies = f'<i name="e_fr_energy"> {free} </i><i name="e_wo_entrp"> -6.4 </i><i name="e_0_energy"> -6.45 </i>'
    forces, stress = varray("forces", [[0.1, 0.2, 0.3], [-0.1, -0.2, -0.3]]), varray("stress", [[1, 4, 6], [4, 2, 5], [6, 5, 3]])
    scf = f"<scstep><energy>{energies}</energy></scstep>"
    return f"<calculation>{scf}{STRUCTURE.format('')}{forces}{stress}<energy>{energies}</energy></calculation>"


def document(*steps, pressure=0.0, symbols=("Na", "Cl")):
    atoms = "".join(f"<rc><c>{symbol}</c><c>1</c></rc>" for symbol in symbols)
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?><modeling>'
        '<kpoints><varray name="kpointlist"><v> 0 0 0 </v></varray><varray name="weights"><v> 1 </v></varray></kpoints>'
        f'<parameters><separator name="x"><i name="PSTRESS"> {pressure} </i></separator></parameters>'
        f'<atominfo><atoms> 2 </atoms><array name="atoms"><set>{atoms}</set></array></atominfo>'
        f"{STRUCTURE.format(chr(32) + 'name=' + chr(34) + 'initialpos' + chr(34))}{''.join(steps)}</modeling>"
    )


def read(tmp_path, text):
    return parse("vasprun", tmp_path / "vasprun.xml", text)


@pytest.mark.parametrize("pressure", [0.0, 50.0])
def test_each_step_with_the_free_energy(tmp_path, pressure):
    """e_fr_energy of vasprun.xml is an enthalpy: the work of the external pressure is taken out, as ASE does."""
    found = read(tmp_path, document(calculation(-6.5), calculation(-6.6), pressure=pressure))
    for record, free in zip(found, (-6.5, -6.6), strict=True):
        assert record.results["free_energy"] == pytest.approx(free - 64 * pressure * KBAR_IN_EV_PER_A3, abs=1e-9)
        assert record.results["stress"] == pytest.approx(-KBAR_IN_EV_PER_A3 * np.array([1, 2, 3, 5, 6, 4]))
        assert record.positions[1] == pytest.approx([2, 2.25, 2])
        assert record.info == {"e_wo_entrp": -6.4, "e_0_energy": -6.45}
    for one, two in zip(found, ase.io.read(tmp_path / "vasprun.xml", ":"), strict=True):
        assert np.abs(one.positions - two.positions).max() < 1e-12
        assert one.results["free_energy"] == pytest.approx(two.calc.results["free_energy"], abs=1e-6)
        assert one.results["stress"] == pytest.approx(two.calc.results["stress"], rel=1e-6)
        assert np.array_equal(one.results["forces"], two.calc.results["forces"])


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><modeling>&b;</modeling>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "a DOCTYPE"),
        (" " * 10_000 + "\n" + BOMB.partition("?>")[2], "a DOCTYPE"),
        (document(), "calculation: none"),
        (document(calculation(-6.5))[:-40], "cut off"),
        (document(calculation("****")), r"record 0 .*e_fr_energy: found '\*+'"),
        (document(calculation(-6.5)).replace("0.2", "0.2.1", 1), "record 0 .*forces"),
        (document(calculation(-6.5), symbols=("Na",)), "record 0 .*positions: 2 rows"),
        (document(calculation(-6.5), symbols=("Na", "Xx")), "'Xx' is no element"),
        ("<modeling>" + "<a>" * 1000 + "</a>" * 1000 + "</modeling>", "more than 60 elements inside each other"),
        (document(calculation(-6.5)).replace('name="e_fr_energy"', 'name="e"'), "e_fr_energy: missing"),
    ],
)
def test_faults(tmp_path, text, message):
    with pytest.raises(DataError, match=rf"vasprun\.xml: .*{message}"):
        read(tmp_path, text)
