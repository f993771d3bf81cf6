"""The audit takes any calculator of ASE: here EMT for copper, then the shipped model on the same crystal."""

from __future__ import annotations

from ase.build import bulk
from ase.calculators.emt import EMT

from sciml import materials as mat

copper = bulk("Cu", cubic=True)
for name, calculator in {"EMT": EMT(), "shipped model": mat.load_potential("cu").calculator()}.items():
    audit = mat.audit(calculator, [copper])
    print(f"== {name}: {'passed' if audit.passed else 'failed'}")
    print(audit.table)
