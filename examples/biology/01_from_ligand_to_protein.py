"""How much protein a cell makes at a dose of ligand: the mean from rate equations, the spread between cells from exact simulation."""

from __future__ import annotations

from sciml import biology as bio

net = bio.load_pathway("signalling")  # receptor, kinase, promoter, mRNA, protein; amounts are molecules, time is in seconds
print(net)

print(" L (nM)   mean P (equations)   mean P (300 cells)   sd")
for dose in (0.1, 1.0, 10.0):
    cell = net.set(L=dose)
    rest = bio.simulate_ode(cell, [7200]).select("P")[0]
    cells = bio.simulate_ssa(cell, [7200], n=300, seed=0).select("P")[:, 0]
    print(f"{dose:7.1f} {rest:19.0f} {cells.mean():20.0f} {cells.std(ddof=1):6.0f}")
