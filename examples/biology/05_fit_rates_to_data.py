"""Rate constants from noisy measurements: the best fit of several starts, and how far the data pin each one down."""

from __future__ import annotations

import numpy as np

from sciml import biology as bio

net = bio.Network(
    "turnover",
    species={"M": 0.0},
    parameters={"make": 1.0, "decay": 1.0},
    reactions=[bio.Reaction.parse("r1", "-> M", rate="make"), bio.Reaction.parse("r2", "M ->", rate="decay")],
)
times = np.linspace(0.5, 12, 24)
truth = bio.simulate_ode(net.set(make=20.0, decay=0.4), times).select("M")
measured = truth + np.random.default_rng(0).normal(0, 2.0, len(times))

fit = bio.fit(net, {"M": (times, measured, 2.0)}, parameters={"make": (1, 100), "decay": (0.01, 10)}, starts=5, seed=0)
print(fit.summary())
print("true: make = 20, decay = 0.4")
