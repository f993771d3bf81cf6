"""The information bottleneck of jointly Gaussian variables, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np

from sciml.arguments import Bound, checked, shown
from sciml.biology.information.bottleneck_result import bottleneck_section, checked_betas
from sciml.errors import DataError
from sciml.report import Section

__all__ = ["GaussianBottleneck", "gaussian_bottleneck"]

_Count = Annotated[int, Bound("a whole number >= 1", lambda n: n >= 1)]
_Bits = Annotated[float, Bound("bits >= 0", lambda bits: bits >= 0)]
_POINTS, _NEAR = 60, 1e-3  # points placed where no betas are given, up to this distance from I(X;Y) in bits


@dataclass(frozen=True)
class GaussianBottleneck:
    """The exact curve of jointly Gaussian X and Y, in bits; one entry for each beta, in the order asked.

    `beta`, `i_x`, `i_y` [B] as in `BottleneckCurve`; `lower` = `upper` = `i_y` since nothing is estimated. `encoders`: for each beta the
    matrix A [n_t, n_x] of the best code T = A x + noise of unit variance, one row for each direction that is worth coding.
    `correlations`: the canonical correlations rho_i, descending; direction i is coded above beta = 1 / rho_i^2, `onset` is the first.
    `i_xy` = I(X;Y) is reached as i_x grows without end.
    """

    beta: np.ndarray
    i_x: np.ndarray
    i_y: np.ndarray
    encoders: tuple[np.ndarray, ...] = field(repr=False)
    correlations: np.ndarray
    i_xy: float
    onset: float
    certified: bool = True
    gap: float = 0.0

    @property
    def lower(self) -> np.ndarray:
        """`i_y`: the curve is exact."""
        return self.i_y

    @property
    def upper(self) -> np.ndarray:
        """`i_y`: the curve is exact."""
        return self.i_y

    @checked
    def bound(self, i_x: _Bits) -> tuple[float, float]:
        """(low, high), here equal: the largest I(T;Y) in bits of any T with I(T;X) = `i_x`."""
        i_y = float(_informations(self.correlations, np.array([_beta_at(self.correlations, float(i_x))]))[1][0])
        return i_y, i_y

    def sentence(self) -> str:
        """How to read the numbers."""
        first = f"the first direction is coded above beta = {self.onset:.5g}"
        return f"Closed form for Gaussian variables: {first}, and no code says more than I(X;Y) = {self.i_xy:.4f} bit about Y."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, `sentence` included."""
        made = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars(self).items()}
        return made | {"encoders": [e.tolist() for e in self.encoders], "sentence": self.sentence()}

    def to_sections(self, points: Sequence[tuple[str, float, float]] = ()) -> list[Section]:
        """The information plane; `points` (name, I(T;X), I(T;Y)) are drawn too."""
        finite = np.isfinite(self.i_x)
        at = np.linspace(0.0, max(self.i_x[finite].max(initial=1.0), *(x for _, x, _ in points), 1e-3), 200)
        exact = np.array([self.bound(float(x))[0] for x in at])
        order = np.argsort(self.beta, kind="stable")
        columns = {"beta": self.beta[order], "I(T;X)": self.i_x[order], "I(T;Y)": self.i_y[order],
                   "directions": np.array([self.encoders[i].shape[0] for i in order])}  # fmt: skip
        return [bottleneck_section((at, exact, exact), True, (self.i_x[finite], self.i_y[finite]), points, columns, self.sentence())]


@checked
def gaussian_bottleneck(cov: Any, n_x: _Count, betas: Any = None) -> GaussianBottleneck:
    """max I(T;Y) - I(T;X) / beta for Gaussian X (the first `n_x` variables) and Y (the others) of joint covariance `cov` [n, n].

    With canonical correlations rho_i (lambda_i = 1 - rho_i^2), over all i with beta rho_i^2 > 1:
    I(T;X) = sum 1/2 log2((beta - 1) rho_i^2 / (1 - rho_i^2)), I(T;Y) = I(T;X) - sum 1/2 log2(beta rho_i^2). `betas` [B] from 0 to inf; None
    places 60 at equal steps of I(T;X), from the onset to within 1e-3 bits of I(X;Y).

    Raises DataError for a covariance that is not square, symmetric and positive definite, or that leaves no Y after `n_x` variables;
    ConfigError for betas below 0. Source: Chechik, Globerson, Tishby and Weiss 2005.
    """
    joint = _covariance(cov)
    if n_x >= len(joint):
        raise DataError(f"n_x: found {n_x} for a covariance of {len(joint)} variables, expected at most {len(joint) - 1}: Y needs one")
    root_x, root_y = np.linalg.cholesky(joint[:n_x, :n_x]), np.linalg.cholesky(joint[n_x:, n_x:])
    whitened = np.linalg.solve(root_y, np.linalg.solve(root_x, joint[:n_x, n_x:]).T).T
    left, correlations, _ = np.linalg.svd(whitened, full_matrices=False)
    correlations = np.clip(correlations, 0.0, None)
    directions = np.linalg.solve(root_x.T, left).T  # rows v with v S_x v = 1
    i_xy = float(-0.5 * np.sum(np.log2(1.0 - correlations**2)))
    onset = float(correlations[0] ** -2) if correlations[0] > 1e-12 else float("inf")
    beta = _placed(correlations, i_xy) if betas is None else checked_betas(betas)
    i_x, i_y = _informations(correlations, beta)
    encoders = tuple(_encoder(correlations, directions, b) for b in beta.tolist())
    return GaussianBottleneck(beta, i_x, i_y, encoders, correlations, i_xy, onset)


def _informations(correlations: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(I(T;X), I(T;Y)) [B] in bits."""
    square = correlations**2
    with np.errstate(divide="ignore", invalid="ignore"):
        active = beta[:, None] * square > 1.0
        kept = np.where(active, 0.5 * np.log2((beta[:, None] - 1.0) * square / (1.0 - square)), 0.0).sum(axis=1)
        # I_Y = -1/2 log2(1 - rho^2 (1 - 2^(-2 I_X))) a direction, with 2^(-2 I_X) = (1 - rho^2) / ((beta - 1) rho^2)
        told = np.where(active, -0.5 * np.log2(1.0 - square + (1.0 - square) / (beta[:, None] - 1.0)), 0.0).sum(axis=1)
    return kept, told


def _beta_at(correlations: np.ndarray, i_x: float) -> float:
    """The beta at which I(T;X) = `i_x`: water filling over the directions."""
    square = correlations[correlations > 1e-12] ** 2
    if i_x == 0.0 or not len(square):
        return 1.0
    odds = np.log2(square / (1.0 - square))
    for count in range(1, len(square) + 1):
        beta = 1.0 + 2.0 ** min((2.0 * i_x - odds[:count].sum()) / count, 1000.0)
        if count == len(square) or beta * square[count] <= 1.0:
            break
    return float(beta)


def _placed(correlations: np.ndarray, i_xy: float) -> np.ndarray:
    if not i_xy > 1e-12:
        return np.geomspace(1.0, 100.0, _POINTS)
    far = 1.0
    while i_xy - _informations(correlations, np.array([_beta_at(correlations, far)]))[1][0] > _NEAR:
        far *= 1.25
    return np.array([correlations[0] ** -2, *(_beta_at(correlations, x) for x in np.linspace(0.0, far, _POINTS)[1:])])


def _encoder(correlations: np.ndarray, directions: np.ndarray, beta: float) -> np.ndarray:
    """Rows alpha_i v_i with alpha_i^2 = (beta rho_i^2 - 1) / (1 - rho_i^2) where v_i S_x v_i = 1 (Chechik et al., theorem 3.1)."""
    active = beta * correlations**2 > 1.0
    square = correlations[active] ** 2
    return np.asarray(np.sqrt((beta * square - 1.0) / (1.0 - square))[:, None] * directions[: len(correlations)][active])


def _covariance(cov: Any) -> np.ndarray:
    """The joint covariance as float64. Raises DataError that says what is wrong with it."""
    try:
        joint = np.asarray(cov, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"cov: found {shown(cov)}, expected numbers [n, n]") from error
    if joint.ndim != 2 or joint.shape[0] != joint.shape[1] or len(joint) < 2:
        raise DataError(f"cov: found an array of shape {joint.shape}, expected [n, n] with n >= 2: the covariance of X and Y together")
    if (wrong := np.argwhere(~np.isfinite(joint))).size:
        raise DataError(f"cov: row {wrong[0][0]}, column {wrong[0][1]}: found {joint[tuple(wrong[0])]}, expected a finite number")
    if (wrong := np.argwhere(np.abs(joint - joint.T) > 1e-9 * np.abs(joint).max())).size:
        i, j = wrong[0]
        raise DataError(
            f"cov: found {joint[i, j]:g} in row {i}, column {j} and {joint[j, i]:g} in row {j}, column {i}; expected them equal"
        )
    scale = np.sqrt(np.maximum(np.diag(joint), 1e-300))
    least = np.linalg.eigvalsh(joint / np.outer(scale, scale)).min()
    if not least > 1e-12:
        raise DataError(
            f"cov: found a smallest eigenvalue of {least:.3g} after scaling to correlations, expected above 0 (positive definite)"
        )
    return np.asarray((joint + joint.T) / 2.0)
