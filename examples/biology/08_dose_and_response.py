"""A dose-response curve at rest, the spread of single cells around it, and which rates move it."""

from __future__ import annotations

import numpy as np

from sciml import biology as bio

net = bio.load("signalling")  # L: ligand in nM; P: protein molecules; time in seconds
doses = np.geomspace(0.01, 100, 9)

rest = bio.scan(net, {"L": doses}, [], method="steady_state").select("P")[:, 0]
cells = bio.scan(net, {"L": doses}, [7200], method="ssa", n=200, seed=0)
spread = cells.std[:, 0, cells.species.index("P")]
print(" L (nM)   P at rest   200 cells       sd")
for dose, mean, single, sd in zip(doses, rest, cells.select("P")[:, 0], spread, strict=True):
    print(f"{dose:7.2f} {mean:11.1f} {single:11.1f} {sd:8.1f}")

half = 0.5 * (rest[0] + rest[-1])
print(f"half of the response at {np.exp(np.interp(half, rest, np.log(doses))):.2f} nM; the receptor's own K_d is 1 nM")

rates = ["k_on", "k_kinase", "k_open", "k_mRNA", "k_translation"]
found = bio.sensitivities(net.set(L=0.3), [7200], rates)
protein = found.solution.select("P")[-1]
for id in rates:
    print(f"1 % more {id:14s} {found.select('P', id)[-1] * net.elements[id].value / protein:+.2f} % protein")
