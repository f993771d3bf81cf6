"""The same cells with the same inducer, uninduced or induced by their past: the lac operon has two states."""

from __future__ import annotations

from sciml import biology as bio

net = bio.load_pathway("lac")  # Y: permease molecules, T: inducer inside, time in minutes
print("inducer taken up by a permease   permeases: from none   from many")
for uptake in (5, 15, 25, 60):
    here = net.set(uptake=uptake)
    low = bio.simulate_ode(here, [5000]).select("Y")[0]
    high = bio.simulate_ode(here.set(Y=1000, T=50_000), [5000]).select("Y")[0]
    print(f"{uptake:28d} {low:23.1f} {high:11.1f}{'   two states' if high > 1.5 * low else ''}")

# By chance some cells switch where the low state is barely stable.
cells = bio.simulate_ssa(net.set(uptake=38), [1000], n=40, seed=3).select("Y")[:, 0]
print(f"of 40 cells {int((cells > 300).sum())} are induced after 1000 minutes at an uptake of 38")
