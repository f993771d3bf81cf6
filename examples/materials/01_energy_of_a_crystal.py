"""Energy, forces and stress of a crystal with a shipped potential, and what is known about its reference energies."""

from __future__ import annotations

from ase.build import bulk

from sciml import materials as mat

silicon = bulk("Si", cubic=True)
silicon.rattle(0.05, seed=0)
potential = mat.load_potential("si")

prediction = potential.predict(silicon, dtype="float64")[0]
print(f"energy           {prediction.energy:10.4f} eV")
print(f"largest force    {abs(prediction.forces).max():10.4f} eV/A")
print(f"pressure         {-prediction.stress.trace() / 3 * 160.21766:10.4f} GPa")

# The same as a calculator of ASE, for everything that ASE can do.
silicon.calc = potential.calculator()
print(f"by the calculator{silicon.get_potential_energy():10.4f} eV")
