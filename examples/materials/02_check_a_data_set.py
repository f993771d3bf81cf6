"""What is in a data set, before anything is trained on it: count the labels, look at their spread by group."""

from __future__ import annotations

import numpy as np

from sciml import materials as mat

train = mat.load_dataset("mlearn-si", part="train")
print(f"{len(train)} structures, {sum(map(len, train))} atoms")
for group in sorted({atoms.info["group"] for atoms in train}):
    members = [atoms for atoms in train if atoms.info["group"] == group]
    energies = [atoms.get_potential_energy() / len(atoms) for atoms in members]
    forces = np.concatenate([atoms.get_forces() for atoms in members])
    rms = np.sqrt((forces**2).mean())
    print(f"{group:12s} {len(members):4d}   {min(energies):.3f} .. {max(energies):.3f} eV/atom   force rms {rms:.3f} eV/A")
