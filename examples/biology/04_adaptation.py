"""A step of ligand: bacteria answer and come back to exactly where they were; what remembers the step is the methylation."""

from __future__ import annotations

from sciml import biology as bio

net = bio.load_pathway("chemotaxis")  # L in uM; the activity drives the motor through CheYp
step = bio.Event("step", "time > 50", {"L": 20})
stepped = net.with_(events=[step])

run = bio.simulate_ode(stepped, [0, 49, 51, 60, 100, 200, 400])
print("time (s)   ligand   activity   CheYp   methylated")
for row in zip(run.times, *(run.select(id) for id in ("L", "Active", "CheYp", "Em")), strict=True):
    print("{:8.0f} {:8.0f} {:10.1f} {:7.0f} {:12.0f}".format(*row))

cells = bio.simulate_ssa(stepped, [49, 400], n=20, seed=0)
before, after = cells.select("CheYp").mean(axis=0)
print(f"mean CheYp of 20 cells before the step {before:.0f}, long after it {after:.0f}")
