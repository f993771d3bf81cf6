"""How long a toggle switch keeps its state: the mean time to flip, from the master equation and from single cells."""

from __future__ import annotations

import math

from sciml import biology as bio

toggle = bio.load_antimony("""
model toggle  // two genes that repress each other; time in lifetimes of the proteins
  -> A; most*h^2/(h^2 + B^2);   A -> ; A
  -> B; most*h^2/(h^2 + A^2);   B -> ; B
  most = 12; h = 4; A = 12; B = 0
end
""")
flipped, late = "B >= A + 6", 2000.0

print("most proteins   mean time to flip   in 500 cells      flipped by t = 50, at least, at most")
for most in (12, 16, 20):
    cell = toggle.set(most=most, A=most)
    exact = bio.first_passage(cell, flipped, [50.0])  # on a set of states that grows until it loses nothing that matters
    cells = bio.first_passage(cell, flipped, [late], method="simulation", n=500, seed=most)
    low, high = exact.probability[0], exact.probability[0] + exact.lost[0]
    print(f"{most:13d} {exact.mean:19.1f} {cells.mean:10.1f} +- {cells.std / math.sqrt(500):<6.1f} {low:21.10f} {high:.10f}")
print("every four proteins more, and the cell remembers more than twice as long")
