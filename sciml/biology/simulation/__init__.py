"""Networks over time: deterministic, exact stochastic, leaping, Langevin, linear noise, state projection."""
