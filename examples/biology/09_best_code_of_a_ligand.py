"""How well could a cell tell its environment from a ligand? A deep encoder learns codes of ln L, each for its price in bits."""

from __future__ import annotations

import numpy as np

from sciml.biology import information as info


def cells(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """ln L of n cells, poor or rich environment equally likely."""
    generator = np.random.default_rng(seed)
    rich = generator.integers(2, size=n)
    return generator.normal(np.where(rich, 0.8, -0.8), 0.7), np.where(rich, "rich", "poor")


found = info.VariationalBottleneck(beta=[2.0, 4.0, 10.0], steps=200).fit_simulator(cells, held_out=4096, seed=0)
print("bits that the code has of ln L (at most), of the environment (at least), on cells that training did not see:")
for k, beta in enumerate(found.beta):
    ligand = f"{found.i_x[k]:.3f} +- {found.i_x_error[k]:.3f}"
    print(f"  beta {beta:4g}: {ligand} of ln L, {found.i_y[k]:.3f} +- {found.i_y_error[k]:.3f} of the environment")
print(found.sentence())

print("the mean of the code along ln L: resolution is spent where the environments meet")
codes = found.encode(np.linspace(-2, 2, 9), beta=4.0)
steps = np.linalg.norm(np.diff(codes, axis=0), axis=1)
for low, step in zip(np.linspace(-2, 1.5, 8), steps, strict=True):
    print(f"  ln L {low:+.1f} to {low + 0.5:+.1f}: {step:.2f} standard deviations of the noise")
