"""What a curve says of itself: errors, one-sided bounds, plain values, sections that can be drawn, encoders by their beta."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from sciml.biology.information.encoder_network import CategoricalEncoder, GaussianEncoder
from sciml.biology.information.variational_result import VariationalCurve, _parts, _plane_of_most_spread
from sciml.biology.information.variational_rows import Scale
from sciml.errors import ConfigError, DataError
from tests.biology.information.test_encoder_network import make_linear

ROWS = np.random.default_rng(0).normal(3.0, 2.0, size=(50, 2))


def curve(code: str = "gaussian", size: int = 3, y: np.ndarray = ROWS[:, 0]) -> VariationalCurve:
    kind = GaussianEncoder if code == "gaussian" else CategoricalEncoder
    encoders = []
    for gain in (1.0, 2.0):
        encoders.append(kind(2, size, 4, 1))
        make_linear(encoders[-1].network, gain * torch.arange(2.0 * size).reshape(size, 2))
    return VariationalCurve(
        beta=np.array([2.0, 5.0]), i_x=np.array([0.5, 1.5]), i_y=np.array([0.3, 0.6]), covariance=np.array([np.diag([4e-4, 1e-4])] * 2),
        code=code, estimator_x="upper", estimator_y="lower", n_train=100, n_held_out=50, seed=0, best_step=(3, 4),
        latent=np.random.default_rng(1).random((2, 50, size)), latent_y=y, notes=("a note",), scale=Scale.of(ROWS, "x", "auto"),
        encoders=tuple(encoders),
    )  # fmt: skip


def test_errors_and_one_sided_bounds() -> None:
    found = curve()
    assert found.i_x_error == pytest.approx([0.02, 0.02])
    assert found.i_x_high == pytest.approx([0.5 + 0.0329, 1.5 + 0.0329], abs=1e-4)
    assert found.i_y_low == pytest.approx([0.3 - 0.01645, 0.6 - 0.01645], abs=1e-4)


def test_codes_by_beta() -> None:
    found, scaled = curve(), (ROWS - ROWS.mean(0)) / ROWS.std(0)
    weight = np.arange(6.0).reshape(3, 2)
    assert found.encode(ROWS) == pytest.approx(2 * scaled @ weight.T, abs=1e-4)  # the largest beta
    assert found.encode(ROWS[:1], beta=2.0) == pytest.approx(scaled[:1] @ weight.T, abs=1e-4)
    assert curve("categorical").encode(ROWS).sum(axis=1) == pytest.approx(1, abs=1e-6)
    with pytest.raises(ConfigError, match="encode: beta: found 3, expected one of 2, 5"):
        found.encode(ROWS, beta=3.0)
    with pytest.raises(DataError, match="x: row 1, column 0: found inf"):
        found.encode([[0.0, 0.0], [np.inf, 0.0]])


def test_plain_values() -> None:
    found = curve().to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["i_y_low"][1] == pytest.approx(0.6 - 0.01645, abs=1e-4)
    assert found["sentence"].startswith("The encoder for beta = 5 keeps at most 1.533 bit of x and at least 0.584 bit of y")


@pytest.mark.parametrize("code", ["gaussian", "categorical"])
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("y", [ROWS, np.array(["a", "b"] * 25)], ids=["numbers", "texts"])
def test_sections(code, size, y) -> None:
    section = curve(code, size, y).to_sections()[0]
    plane, picture, table, text = section.blocks
    assert list(plane.traces[0]["x"]) == [0.5, 1.5]
    assert sum(len(t["x"]) for t in picture.traces) == (50 if code == "gaussian" else size * len(picture.traces))
    assert len(picture.traces) == (2 if y.ndim == 1 else 4)
    assert table.rows == 2
    assert "a note" in text.text


def test_parts_hold_every_row_once() -> None:
    for y in (ROWS, ROWS[:, 0], np.repeat([1, 2, 3], 10)):
        assert sorted(np.concatenate(list(_parts(y).values()))) == list(range(len(y)))


def test_the_plane_keeps_the_spread() -> None:
    codes = np.column_stack([np.zeros(50), ROWS])
    assert _plane_of_most_spread(codes).var(axis=0).sum() == pytest.approx(ROWS.var(axis=0).sum())
