"""What a variational bottleneck found: bounds in the information plane, and the encoders to look at and to use."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from sciml.arguments import checked
from sciml.errors import ConfigError
from sciml.report.blocks import Block, Figure, Section, Table, Text

if TYPE_CHECKING:
    from sciml.biology.information.encoder_network import Encoder
    from sciml.biology.information.variational_rows import Scale

__all__ = ["VariationalCurve"]

_ONE_SIDED = 1.6448536269514722
_MOST_COLOURS, _PARTS = 12, 4


@dataclass(frozen=True)
class VariationalCurve:
    """One encoder for each `beta` [B] and, in bits, bounds on rows that training did not see.

    `i_x` [B] is right or too high on average for I(X;T), `i_y` [B] right or too low for I(T;Y), T the code of this encoder: the point lies
    on or below the bottleneck curve but for the error of the sample. `covariance` [B, 2, 2] of both estimates; `i_x_error`, `i_y_error`
    their standard errors; `i_x_high`, `i_y_low` hold with 95 % each. `estimator_x`, `estimator_y` name the bounds. `best_step` [B]: where
    the validation rows stopped it. `latent` [B, m, size]: codes of some held-out rows (points t, or p(t|x) of a categorical code) whose y
    are `latent_y` [m].
    """

    beta: np.ndarray
    i_x: np.ndarray
    i_y: np.ndarray
    covariance: np.ndarray
    code: str
    estimator_x: str
    estimator_y: str
    n_train: int
    n_held_out: int
    seed: int
    best_step: tuple[int, ...]
    latent: np.ndarray = field(repr=False)
    latent_y: np.ndarray = field(repr=False)
    notes: tuple[str, ...]
    scale: Scale = field(repr=False)
    encoders: tuple[Encoder, ...] = field(repr=False)

    @property
    def i_x_error(self) -> np.ndarray:
        """Standard errors [B] of `i_x`."""
        return self._errors(0)

    @property
    def i_y_error(self) -> np.ndarray:
        """Standard errors [B] of `i_y`."""
        return self._errors(1)

    @property
    def i_x_high(self) -> np.ndarray:
        """I(X;T) is below with 95 %, [B]."""
        return np.asarray(self.i_x + _ONE_SIDED * self.i_x_error)

    @property
    def i_y_low(self) -> np.ndarray:
        """I(T;Y) is above with 95 %, [B]."""
        return np.asarray(self.i_y - _ONE_SIDED * self.i_y_error)

    def _errors(self, which: int) -> np.ndarray:
        return np.sqrt(self.covariance[:, which, which])

    @checked
    def encode(self, x: Any, beta: float | None = None) -> np.ndarray:
        """p(t|x) of rows `x` [n] or [n, d]: means [n, size] of a Gaussian code of unit variance, probabilities of a categorical one.

        `beta`: which encoder, None: the one of the largest. Raises ConfigError for a beta that was not trained, DataError for rows of
        another shape or that are not finite (with the row).
        """
        import torch

        place = int(self.beta.argmax()) if beta is None else self._place(beta)
        with torch.no_grad():
            centres = self.encoders[place].centres(self.scale.numbers(x)).double().numpy()
        found: np.ndarray = np.exp(centres) if self.code == "categorical" else centres
        return found

    def _place(self, beta: float) -> int:
        found = np.flatnonzero(np.isclose(self.beta, beta, rtol=1e-9, atol=0.0))
        if not len(found):
            raise ConfigError(f"encode: beta: found {beta:g}, expected one of {', '.join(f'{b:g}' for b in self.beta)}")
        return int(found[0])

    def sentence(self) -> str:
        """One sentence that says how to read the numbers."""
        k = int(self.beta.argmax())
        bits = f"at most {self.i_x_high[k]:.3f} bit of x and at least {self.i_y_low[k]:.3f} bit of y"
        return f"The encoder for beta = {self.beta[k]:g} keeps {bits} (95 % each; {self.n_held_out:,} held-out rows)."

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: all but codes and encoders, errors and `sentence` included."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.repr}
        more = {name: getattr(self, name) for name in ("i_x_error", "i_y_error", "i_x_high", "i_y_low")}
        found = {k: v.tolist() if isinstance(v, np.ndarray) else list(v) if isinstance(v, tuple) else v for k, v in (plain | more).items()}
        return found | {"sentence": self.sentence()}

    def to_sections(self) -> list[Section]:
        """The points in the information plane, and the codes of held-out rows by their y."""
        columns: dict[str, Any] = {
            "beta": self.beta,
            "I(X;T) <=": self.i_x,
            "its error": self.i_x_error,
            "I(T;Y) >=": self.i_y,
            "error": self.i_y_error,
        }
        units = {heading: "bit" for heading in columns if heading != "beta"}
        blocks: list[Block] = [self._plane(), self._picture(), Table("encoders", columns, units)]
        said = [f"I(X;T): {self.estimator_x}. I(T;Y): {self.estimator_y}.", *self.notes]
        return [Section("Variational bottleneck", [*blocks, Text("\n\n".join(said))], self.sentence())]

    def _plane(self) -> Figure:
        order = np.argsort(self.i_x)
        bars = {axis: {"type": "data", "array": 2 * e[order]} for axis, e in (("error_x", self.i_x_error), ("error_y", self.i_y_error))}
        names = [f"beta = {beta:g}" for beta in self.beta[order]]
        points = {"mode": "lines+markers", "name": "encoders", "x": self.i_x[order], "y": self.i_y[order], "text": names, **bars}
        layout = _axes("I(X;T) at most (bit)", "I(T;Y) at least (bit)")
        return Figure("encoders in the information plane", [points], layout, "Bounds on held-out rows; bars are two standard errors.")

    def _picture(self) -> Figure:
        """Codes of the largest beta: a cloud in the plane of most spread, or how often each code is taken."""
        place, parts = int(self.beta.argmax()), _parts(self.latent_y)
        codes, title = self.latent[place], f"codes at beta = {self.beta[place]:g} by y"
        traces: list[dict[str, Any]] = []
        if self.code == "categorical":
            for name, rows in parts.items():
                shares = codes[rows].mean(axis=0)
                traces.append({"type": "bar", "name": name, "x": np.arange(len(shares)), "y": shares})
            return Figure(title, traces, _axes("code", "mean probability") | {"showlegend": True})
        flat = _plane_of_most_spread(codes)
        for name, rows in parts.items():
            dots = {"mode": "markers", "marker": {"size": 4, "opacity": 0.6}, "x": flat[rows, 0], "y": flat[rows, 1]}
            traces.append({"type": "scatter", "name": name, **dots})
        said = "Drawn codes of held-out rows; the noise has variance 1 in each direction."
        return Figure(title, traces, _axes("first direction", "second direction") | {"showlegend": True}, said)


def _axes(x: str, y: str) -> dict[str, Any]:
    return {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}}


def _parts(y: np.ndarray) -> dict[str, np.ndarray]:
    """Rows by level where there are few, else by quarters of the first column."""
    first = y if y.ndim == 1 else y[:, 0]
    levels = np.unique(first)
    if len(levels) <= _MOST_COLOURS:
        return {f"y = {level}": np.flatnonzero(first == level) for level in levels}
    order = np.argsort(first, kind="stable")
    return {f"y: {first[r[0]]:.3g} to {first[r[-1]]:.3g}": r for r in np.array_split(order, _PARTS)}


def _plane_of_most_spread(codes: np.ndarray) -> np.ndarray:
    """[m, 2]: the first two principal components, zeros for a second one that is not there."""
    off = codes - codes.mean(axis=0)
    flat = off @ np.linalg.svd(off, full_matrices=False)[2][:2].T
    return flat if flat.shape[1] == 2 else np.column_stack([flat, np.zeros(len(flat))])
