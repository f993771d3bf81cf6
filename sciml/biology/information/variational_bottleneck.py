"""The variational bottleneck: a deep encoder T of X that says what it can of Y at a price for what it says of X, with bounds of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from sciml import devices
from sciml.arguments import Bound, Seed, check_fields, checked
from sciml.biology.information.samples import Kind, checked_pair
from sciml.biology.information.variational_result import VariationalCurve
from sciml.errors import ConfigError
from sciml.seeding import derive

if TYPE_CHECKING:
    from torch import Tensor

    from sciml.biology.information.variational_rows import Scale
    from sciml.biology.information.variational_training import Trained

__all__ = ["VariationalBottleneck"]

_Beta = Annotated[float, Bound("a finite number > 0", lambda beta: 0 < beta < float("inf"))]
_Some = Annotated[int, Bound("a whole number >= 1", lambda n: n >= 1)]
_Positive = Annotated[float, Bound("a finite number > 0", lambda value: 0 < value < float("inf"))]
_REFERENCE, _VALID, _DRAWN = 4096, 1024, 1000


@dataclass(frozen=True, kw_only=True)
class VariationalBottleneck:
    """min I(X;T) - beta I(T;Y) over encoders p(t|x) that are neural networks (Tishby et al. 1999; Alemi et al. 2017).

    `beta`: one, or several for a curve; raising it keeps more of X. `code`: "gaussian", t = f(x) + noise of unit variance in `size`
    dimensions (2), or "categorical", t one of `size` codes (32). `width`, `layers`: hidden layers of encoder and decoder; raising them
    bends more and wants more rows. `steps` for each beta and `batch` rows a step: I(X;T) is learned well some bits below log2(batch).
    `learning_rate`, `weight_decay`: of AdamW. `anneal`: training begins at this multiple of the (largest) beta; raising it finds encoders
    that appear by a jump.

    Raises ConfigError for a value that is out of range.
    """

    beta: _Beta | Sequence[_Beta]
    code: Literal["gaussian", "categorical"] = "gaussian"
    size: _Some | None = None
    width: _Some = 64
    layers: _Some = 2
    steps: Annotated[int, Bound("a whole number >= 10", lambda n: n >= 10)] = 600
    batch: Annotated[int, Bound("a whole number >= 16", lambda n: n >= 16)] = 256
    learning_rate: _Positive = 5e-3
    weight_decay: Annotated[float, Bound("a number >= 0", lambda value: 0 <= value < float("inf"))] = 0.01
    anneal: Annotated[float, Bound("a number >= 1", lambda value: 1 <= value < float("inf"))] = 10.0

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.betas:
            raise ConfigError("VariationalBottleneck: beta: found an empty list, expected a number or a list of numbers")

    @property
    def betas(self) -> tuple[float, ...]:
        """All of `beta`."""
        return tuple(map(float, self.beta)) if isinstance(self.beta, Iterable) else (float(self.beta),)

    @checked
    def fit(
        self,
        x: Any,
        y: Any,
        *,
        groups: Any = None,
        x_kind: Kind = "auto",
        y_kind: Kind = "auto",
        held_out: Annotated[float, Bound("a share in (0, 1)", lambda share: 0 < share < 1)] = 0.3,
        seed: Seed = 0,
        device: str = "auto",
    ) -> VariationalCurve:
        """Train on rows of `x` and `y` [n] or [n, d] and bound both informations on a share `held_out` of them that training never saw.

        A fifth of the others chooses when to stop. `groups` [n] (replicate, day, donor) are never divided between these parts. Texts, and
        numbers of `y` that come ten times each or more, are levels; `x_kind="discrete"` makes levels of numbers of `x` too.

        Raises DataError for rows that are not numbers (with the row), sides of different length and fewer than 40 rows, ConfigError for
        fewer than 3 groups, ConvergenceError where the loss is not finite.
        """
        from sciml.biology.information.variational_rows import Scale, array_source, split_rows

        pair = checked_pair(x, y, groups, x_kind=x_kind, y_kind=y_kind)
        split = split_rows(len(pair), pair.groups, held_out, seed)
        x_scale = Scale.of(x, "x", x_kind, rows=split.train)
        y_scale = Scale.of(y, "y", y_kind, rows=split.train, count_levels=True)
        rows, targets, raw = x_scale.numbers(x), y_scale.targets(y), np.asarray(y)
        source = array_source(rows[split.train], targets[split.train], self.batch, seed)
        valid, last = split.valid[:_VALID], split.held_out
        data = _Data(x_scale, y_scale, rows[split.train[:_REFERENCE]], (rows[valid], targets[valid]), (rows[last], targets[last]),
                     raw[last], None if pair.groups is None else pair.groups[last], len(split.train), pair.y.notes)  # fmt: skip
        return self._run(source, data, seed, device)

    @checked
    def fit_simulator(
        self,
        draw: Callable[..., Any],
        *,
        x_kind: Kind = "auto",
        y_kind: Kind = "auto",
        held_out: Annotated[int, Bound("a whole number >= 100", lambda n: n >= 100)] = 8192,
        seed: Seed = 0,
        device: str = "auto",
    ) -> VariationalCurve:
        """Train on batches that `draw(n, seed)` -> (x, y) makes anew in each step, and bound both informations on `held_out` more rows.

        Kinds and levels as in `fit`, by the first 4,096 rows. Raises as `fit`, and DataError where `draw` gives something else than n rows.
        """
        from sciml.biology.information.variational_rows import Scale, drawn_rows, simulator_source

        x, y = drawn_rows(draw, _REFERENCE, seed, "reference")
        checked_pair(x, y, x_kind=x_kind, y_kind=y_kind)
        x_scale, y_scale = Scale.of(x, "x", x_kind), Scale.of(y, "y", y_kind, count_levels=True)
        some, last = drawn_rows(draw, _VALID, seed, "validation"), drawn_rows(draw, held_out, seed, "held out")
        valid, end = ((x_scale.numbers(first), y_scale.targets(second)) for first, second in (some, last))
        data = _Data(x_scale, y_scale, x_scale.numbers(x), valid, end, np.asarray(last[1]), None, self.steps * self.batch)
        return self._run(simulator_source(draw, x_scale, y_scale, self.batch, seed), data, seed, device)

    def _run(self, source: Callable[[int], tuple[Tensor, Tensor]], data: _Data, seed: int, device: str) -> VariationalCurve:
        import torch

        from sciml.biology.information.encoder_network import make_networks
        from sciml.biology.information.variational_training import BottleneckModule, Schedule, train

        where = devices.resolve_device(device)
        if torch.get_num_threads() > devices.thread_limit():
            devices.set_threads()
        falling = tuple(sorted(set(self.betas), reverse=True))
        schedule = Schedule(falling, self.steps, self.learning_rate, self.weight_decay, self.anneal)
        size = self.size or (2 if self.code == "gaussian" else 32)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "weights"))
            encoder, decoder = make_networks(
                data.x_scale.width, data.y_scale.width, code=self.code, size=size, levels=data.y_scale.levels is not None,
                width=self.width, layers=self.layers,
            )  # fmt: skip
        stages = train(BottleneckModule(encoder, decoder, schedule, data.valid, seed), source, where)
        return self._evaluated({stage.beta: stage for stage in stages}, data, seed)

    def _evaluated(self, stages: dict[float, Trained], data: _Data, seed: int) -> VariationalCurve:
        """Bounds on the held-out rows, beta by beta as they were given."""
        import torch

        from sciml.biology.information.variational_bounds import BLOCK, held_out_bounds
        from sciml.seeding import torch_generator

        x, y = data.held_out
        chosen = [stages[beta] for beta in self.betas]
        bounds, latent = [], []
        with torch.no_grad():
            for stage in chosen:
                centres, noise = stage.encoder.centres(data.reference), torch_generator(seed, "evaluation")
                bounds.append(held_out_bounds(stage.encoder, stage.decoder, x, y, centres, noise, data.groups))
                code = stage.encoder(x[:_DRAWN], torch_generator(seed, "latent"))
                latent.append((code.points if code.weights is None else code.weights).double().numpy())
        below = "class probabilities" if data.y_scale.levels is not None else "learned features"
        return VariationalCurve(
            beta=np.array(self.betas), i_x=np.array([b.i_x for b in bounds]), i_y=np.array([b.i_y for b in bounds]),
            covariance=np.stack([b.covariance for b in bounds]), code=self.code,
            estimator_x=f"upper bound: against the mean encoder of {len(data.reference):,} training rows",
            estimator_y=f"lower bound: InfoNCE of {below}, at most {min(len(x), BLOCK):,} rows in a mean",
            n_train=data.n_train, n_held_out=len(x), seed=int(seed), best_step=tuple(stage.step for stage in chosen),
            latent=np.stack(latent), latent_y=data.raw[:_DRAWN], notes=data.notes(), scale=data.x_scale,
            encoders=tuple(stage.encoder for stage in chosen),
        )  # fmt: skip


@dataclass(frozen=True)
class _Data:
    """What a run needs beside its batches: scales, training rows that make r, validation rows, held-out rows with raw y and groups.

    `said`: notes on the rows.
    """

    x_scale: Scale
    y_scale: Scale
    reference: Tensor
    valid: tuple[Tensor, Tensor]
    held_out: tuple[Tensor, Tensor]
    raw: np.ndarray
    groups: np.ndarray | None
    n_train: int
    said: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """What the reader must know: of the rows, and of few groups."""
        count = 0 if self.groups is None else len(np.unique(self.groups))
        few = f"only {count} groups are held out: the standard errors are themselves uncertain"
        return (*self.said, few) if 0 < count < 6 else self.said
