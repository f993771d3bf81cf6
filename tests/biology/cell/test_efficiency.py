"""Efficiencies: the table of cells, what is refused, what is not defined, samples against enumeration."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from sciml.biology.cell import cell_efficiency, hill_readout
from sciml.biology.channel import Channel
from sciml.errors import ConfigError, DataError
from tests.biology.cell.cases import FEW, LIGAND, P_E, two_environments

TABLE = {(1, 1, 5): 0.877, (1, 1, 50): 0.920, (1, 2, 50): 0.975, (1, 4, 50): 0.982, (3, 2, 50): 0.957, (1, 2, 500): 0.997}


def exact(half_point=1.0, hill=1.0, copies=5.0, **options):
    return cell_efficiency(P_E, two_environments(), Channel.from_matrix(hill_readout(LIGAND, hill, half_point, copies)), **options)


def few(half_point=1.0, hill=1.0, copies=5.0, **options):
    return cell_efficiency(P_E, two_environments(FEW), Channel.from_matrix(hill_readout(FEW, hill, half_point, copies)), **options)


@pytest.mark.parametrize(("case", "wanted"), TABLE.items())
def test_the_table_of_cells(case, wanted):
    half_point, hill, copies = case
    cell = exact(half_point, hill, copies)
    assert cell.defined and cell.certified
    assert 0 <= cell.efficiency_high - cell.efficiency_low <= 1e-3
    assert cell.efficiency == pytest.approx(wanted, abs=1.5e-3)  # the table has three digits


def test_the_first_row_in_full():
    cell = exact()
    assert cell.i_ls.bits == pytest.approx(0.305, abs=1e-3) and cell.i_es.bits == pytest.approx(0.161, abs=1e-3)
    assert cell.i_le == pytest.approx(0.575, abs=1e-3)
    assert [s.step for s in cell.steps] == ["L -> S"] and cell.steps[0].lost == pytest.approx(cell.i_le - cell.i_es.bits)
    found = json.loads(json.dumps(cell.to_dict(), allow_nan=False))
    assert found["efficiency"] == cell.efficiency and found["curve"]["certified"]
    assert cell.to_sections()[0].title == "The cell against its bound"


def test_an_optimal_encoder_has_efficiency_one():
    best = few().curve
    middle = int(np.argmin(abs(best.i_x - 1.0)))
    cell = cell_efficiency(P_E, two_environments(FEW), Channel.from_matrix(best.encoders[middle]))
    assert cell.efficiency_low <= 1 <= cell.efficiency_high + 1e-6


def test_expression_and_cost():
    signal = hill_readout(FEW, 2.0, 1.0, 50.0)
    blur = np.array([np.exp(-0.5 * ((np.arange(40) - 0.4 * s) / 4) ** 2) for s in range(signal.shape[1])])
    gene = Channel.from_matrix(signal @ (blur / blur.sum(axis=1, keepdims=True)))
    cell = cell_efficiency(P_E, two_environments(FEW), Channel.from_matrix(signal), expression=gene, cost=FEW, cost_unit="ATP/s")
    assert cell.defined and cell.i_eg.bits < cell.i_es.bits and cell.i_lg.bits < cell.i_ls.bits
    assert [s.step for s in cell.steps] == ["L -> S", "S -> G"] and sum(s.lost for s in cell.steps) == pytest.approx(
        cell.i_le - cell.i_eg.bits
    )
    assert cell.cost == pytest.approx(two_environments(FEW).mean(axis=0) @ FEW) and cell.cost_unit == "ATP/s"
    assert 0 < cell.readout_efficiency < 1


def test_when_an_efficiency_is_not_defined():
    assert "near 0" in few(1e9, 4.0, 1.0).why_not[0]
    moving = few(hold_ligand=False)
    assert not moving.defined and "no Markov chain" in moving.why_not[0]
    assert few(hold_ligand=False, readout="trace").defined
    more = cell_efficiency(P_E, two_environments(FEW), Channel.from_matrix(hill_readout(FEW, 1.0, 1.0, 5.0)),
                           expression=Channel.from_matrix(hill_readout(FEW, 1.0, 1.0, 50.0)))  # fmt: skip
    assert not more.defined and "knows more of the ligand" in more.why_not[0]


def test_refused():
    with pytest.raises(DataError, match="found 23 columns, expected 24"):
        cell_efficiency(P_E, two_environments(FEW)[:, 1:] / two_environments(FEW)[:, 1:].sum(axis=1, keepdims=True),
                        Channel.from_matrix(hill_readout(FEW, 1.0, 1.0, 5.0)))  # fmt: skip
    with pytest.raises(ConfigError, match="the channel is a matrix"):
        few(expression="G")
    with pytest.raises(ConfigError, match="names of cells go with samples"):
        few(environment=[1, 2])
    with pytest.raises(DataError, match="cost"):
        few(cost=[1.0, 2.0])


def sampled(law, n, seed, **options):
    """The cell from `n` simulated cells at each dose."""
    rng = np.random.default_rng(seed)
    cells = {"dose": np.repeat(np.log(FEW), n), "response": np.concatenate([rng.choice(law.shape[1], size=n, p=row) for row in law])}
    return cell_efficiency(P_E, two_environments(FEW), Channel.from_table(pd.DataFrame(cells)), seed=seed, **options)


@pytest.mark.parametrize("seeds", [2, pytest.param(5, marks=pytest.mark.long)])
def test_samples_hold_the_enumerated_efficiency(seeds):
    law = hill_readout(FEW, 2.0, 1.0, 20.0)
    truth = cell_efficiency(P_E, two_environments(FEW), Channel.from_matrix(law))
    found = [sampled(law, 100, seed) for seed in range(seeds)]
    for cell in found:  # |z| < 3.5 in at most ten draws: one run in 200 fails by chance, the seeds are fixed
        assert abs(cell.efficiency - truth.efficiency) < 3.5 * cell.efficiency_error
        assert abs(cell.i_ls.bits - truth.i_ls.bits) < 3.5 * cell.i_ls.standard_error
    assert all(c.defined and c.n == 2400 and c.i_es.standard_error < 0.03 for c in found)
    assert found[0].to_dict() == sampled(law, 100, 0).to_dict()


def test_a_signal_that_knows_more_than_the_ligand_is_rejected():
    """The environment reaches S by another way than L: E - L - S does not hold."""
    rng = np.random.default_rng(0)
    given = two_environments(FEW)
    environment = np.repeat([0, 1], 1200)
    dose = np.concatenate([rng.choice(24, size=1200, p=row) for row in given])
    dose[:24], dose[1200:1224] = np.arange(24), np.arange(24)
    beside = rng.poisson(5 * FEW[dose] / (1 + FEW[dose]) + 4 * environment)
    honest = rng.poisson(5 * FEW[dose] / (1 + FEW[dose]) + 2)
    for response, holds in ((beside, False), (honest, True)):
        table = pd.DataFrame({"dose": np.log(FEW)[dose], "response": response})
        cell = cell_efficiency(P_E, given, Channel.from_table(table), environment=environment)
        assert any("E - L - S is rejected" in why for why in cell.why_not) != holds


def test_a_ligand_that_tells_nothing_of_the_environment():
    found = cell_efficiency(P_E, [[0.5, 0.5], [0.5, 0.5]], Channel.from_matrix(np.eye(2)))
    assert not found.defined and "independent" in found.why_not[0]
    with pytest.raises(DataError, match="cost: found 'a'"):
        cell_efficiency(P_E, [[0.8, 0.2], [0.2, 0.8]], Channel.from_matrix(np.eye(2)), cost="a")
