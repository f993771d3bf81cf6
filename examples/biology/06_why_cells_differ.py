"""Why cells of one clone differ: a gene that bursts makes one part of the spread, ribosomes that differ from cell to cell the other."""

from __future__ import annotations

from sciml import biology as bio

gene = bio.load("telegraph")  # promoter off and on, mRNA, protein; amounts are molecules, time is in minutes
ribosomes = {"k_p": bio.LogNormal(cv=0.3)}  # translation differs by 30 % between cells, about the model's own rate
grown = [500.0]  # five lifetimes of the protein

cells = bio.simulate_ssa(gene, grown, n=1000, seed=0, extrinsic=ribosomes)
print(f"1000 cells: {cells.select('P').mean():.0f} proteins, {cells.select('P').std(ddof=1):.0f} more or less")

print("promoter opens   proteins   variance   of it by the ribosomes       by the bursts")
for opening in (0.03, 0.3, 3.0):  # per minute: from rare bursts to a gene that is nearly always on
    parts = bio.noise_parts(bio.simulate_ssa, gene.set(k_on=opening), grown, ribosomes, n=1000, seed=1)
    protein = parts.species.index("P")
    between, within = parts.extrinsic[-1, protein], parts.intrinsic[-1, protein]
    print(
        f"{opening:10.2f} /min {parts.mean[-1, protein]:10.0f} {parts.total[-1, protein]:10.0f} "
        f"{between:13.0f} +- {parts.extrinsic_error[-1, protein]:<6.0f} {within:13.0f} +- {parts.intrinsic_error[-1, protein]:.0f}"
    )
print("bursts dominate where the promoter opens rarely; a gene that is always on shows what differs between the cells")
