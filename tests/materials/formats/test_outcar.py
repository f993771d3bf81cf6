import ase.io
import numpy as np
import pytest

from sciml.errors import DataError
from sciml.units import KBAR_IN_EV_PER_A3
from tests.materials.formats.samples import parse

STEP = """
  FORCE on cell =-STRESS in cart. coord.  units (eV):
  Direction    XX          YY          ZZ          XY          YZ          ZX
  --------------------------------------------------------------------------------------
  in kB      {s[0]:.5f} {s[1]:.5f} {s[2]:.5f} {s[3]:.5f} {s[4]:.5f} {s[5]:.5f}
  external pressure =        0.00 kB  Pullay stress =        0.00 kB

 VOLUME and BASIS-vectors are now :
 -----------------------------------------------------------------------------
  energy-cutoff  :      300.00
  volume of cell :       64.00
      direct lattice vectors                 reciprocal lattice vectors
     4.000000000  0.000000000  0.000000000     0.250000000  0.000000000  0.000000000
     0.000000000  4.000000000  0.000000000     0.000000000  0.250000000  0.000000000
     0.000000000  0.500000000  4.000000000     0.000000000 -0.031250000  0.250000000

 POSITION                                       TOTAL-FORCE (eV/Angst)
 -----------------------------------------------------------------------------------
      0.00000      0.00000      0.00000         0.100000     -0.200000      0.300000
      2.00000      2.10000      2.00000        -0.100000      0.200000     -0.300000
 -----------------------------------------------------------------------------------
    total drift:                                0.000000      0.000000      0.000000

  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)
  ---------------------------------------------------
  free  energy   TOTEN  =       {free:.8f} eV

  energy  without entropy=       {without:.8f}  energy(sigma->0) =       {zero:.8f}
"""
HEAD = """ vasp.5.4.4.18Apr17-6-g9f103f2a35 (build Apr 01 2018) complex

   POTCAR:    PAW_PBE Na_pv 19Sep2006
   POTCAR:    PAW_PBE Cl 06Sep2000
   VRHFIN =Na: p6s1
   TITEL  = PAW_PBE Na_pv 19Sep2006
   VRHFIN =Cl: s2p5
   TITEL  = PAW_PBE Cl 06Sep2000
   POTCAR:    PAW_PBE Na_pv 19Sep2006
   POTCAR:    PAW_PBE Cl 06Sep2000
   ions per type =               1   1
   number of dos      NEDOS =    301   number of ions     NIONS =      2
   ISPIN  =      1    spin polarized calculation?
--------------------------------------- Iteration      1(   1)  ---------------------------------------
"""
TEXT = (
    HEAD
    + STEP.format(s=[1, 2, 3, 4, 5, 6], free=-6.5, without=-6.4, zero=-6.45)
    + STEP.format(s=[0, 0, 0, 0.1, 0.2, 0.3], free=-6.6, without=-6.5, zero=-6.55)
)


def read(tmp_path, text):
    return parse("outcar", tmp_path / "OUTCAR", text)


def test_each_step_with_the_free_energy(tmp_path):
    """VASP: kB, pressure positive, xx yy zz xy yz zx; ours: eV/A^3, tension positive, xx yy zz yz xz xy."""
    first, second = read(tmp_path, TEXT)
    assert first.numbers.tolist() == [11, 17]
    assert (first.results["free_energy"], second.results["free_energy"]) == (-6.5, -6.6)
    assert first.results["stress"] == pytest.approx(-KBAR_IN_EV_PER_A3 * np.array([1, 2, 3, 5, 6, 4]))
    assert first.results["forces"].tolist() == [[0.1, -0.2, 0.3], [-0.1, 0.2, -0.3]]
    assert first.cell[2].tolist() == [0, 0.5, 4]
    assert first.info == {"energy_without_entropy": -6.4, "energy_sigma_0": -6.45}


def test_as_ase_reads_it(tmp_path):
    ours = read(tmp_path, TEXT)
    theirs = ase.io.read(tmp_path / "OUTCAR", ":", format="vasp-out")
    for one, two in zip(ours, theirs, strict=True):
        assert np.array_equal(one.positions, two.positions)
        assert np.array_equal(one.numbers, two.numbers)
        assert one.results["free_energy"] == two.calc.results["free_energy"]
        assert np.array_equal(one.results["forces"], two.calc.results["forces"])
        assert one.results["stress"] == pytest.approx(two.calc.results["stress"], rel=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "the file ends before a step is whole"),
        (TEXT[: TEXT.rindex("POSITION") + 300], "record 1 .*POSITION, TOTAL-FORCE of atom"),
        (TEXT[: TEXT.rindex("energy  without")], "record 1 .*the file ends before a step is whole"),
        (TEXT.replace("-0.200000", "*********", 1), r"record 0 .*found '\*+'"),
        (TEXT.replace("-6.60000000", "*********", 1), r"record 1 .*TOTEN: found"),
        (TEXT.replace("VRHFIN =Cl", "VRHFIN =Qq"), "'Qq' is no element"),
        (TEXT.replace("1   1", "1   1   1"), "TOTAL-FORCE of atom 2|elements"),
        (TEXT.replace("   ions per type =               1   1\n", ""), "missing before the first forces"),
    ],
)
def test_faults(tmp_path, text, message):
    with pytest.raises(DataError, match=rf"OUTCAR: .*({message})"):
        read(tmp_path, text)
