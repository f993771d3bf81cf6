"""Networks over time: deterministic, exact stochastic, leaping, Langevin, linear noise, state projection."""

__all__: list[str] = []
