"""A network written in Python or as text, looked at before it is simulated, and saved as SBML."""

from __future__ import annotations

from sciml import biology as bio

# Declared mass action: the rate is k [A]^m here, and k A (A - 1) ... where molecules are counted.
dimers = bio.Network(
    "dimers",
    species={"A": 60, "D": 0},
    parameters={"k_on": 0.005, "k_off": 0.1},
    reactions=[
        bio.Reaction.parse("bind", "2 A -> D", rate="k_on"),
        bio.Reaction.parse("split", "D -> 2 A", rate="k_off"),
    ],
)
print(dimers.summary())

# The same as Antimony text. Its laws are taken as they stand: A*(A - 1) is written out.
text = """
model dimers_as_text
  2 A -> D; k_on*A*(A - 1);  D -> 2 A; k_off*D
  A = 60; D = 0; k_on = 0.005; k_off = 0.1
end
"""
same = bio.load_antimony(text)
for net in (dimers, same):
    cells = bio.simulate_ssa(net, [30], n=500, seed=1)
    print(f"{net.id:16s} mean D {cells.mean[0, 1]:.2f}, sd {cells.std[0, 1]:.2f}")
print(len(dimers.to_sbml()), "characters of SBML")
