"""State projection against closed forms and scipy's matrix exponential; with it count_law and projection_flow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm

from sciml.biology.expressions import symbol
from sciml.biology.network import Network, Rule
from sciml.biology.simulation.state_projection import finite_state_projection, transition_matrix
from sciml.errors import ConfigError, DataError
from tests.biology.simulation.small_networks import SMALL, birth_death, parse, telegraph, telegraph_law


def test_birth_and_death_give_poissons_law() -> None:
    law = finite_state_projection(birth_death(50.0), [0.5, 0.0, 10.0], tolerance=1e-10)
    for t in (0.5, 10.0):
        p = law.marginal("X", t)
        true = stats.poisson(50 * (1 - np.exp(-t))).pmf(np.arange(len(p)))
        assert (p <= true + law.integrator_bound(t)).all()  # a lower bound in every state
        assert (true - p).sum() <= law.lost_mass(t) + law.integrator_bound(t)
        assert law.lost_mass(t) <= 1e-10
    assert law.marginal("X", 0.0)[0] == 1.0
    assert law.stopped == "tolerance"
    assert law.integrator_bound(10.0) < 1e-10


def test_the_telegraph_gene_has_its_law() -> None:
    rates = (0.3, 0.5, 60.0, 1.0)
    law = finite_state_projection(telegraph(*rates), [80.0], tolerance=1e-9)
    p = law.marginal("P", 80.0)
    np.testing.assert_allclose(p, telegraph_law(np.arange(len(p)), *rates), atol=1e-9)
    on, off, k, g = rates
    mean, fano = k * on / (on + off) / g, 1 + off / (on + off) * k / (on + off + g)
    assert law.mean[0, 2] == pytest.approx(mean, rel=1e-6)
    assert law.std[0, 2] ** 2 / law.mean[0, 2] == pytest.approx(fano, rel=1e-6)


@pytest.mark.parametrize("name", sorted(SMALL))
def test_small_networks_agree_with_the_matrix_exponential(name: str) -> None:
    law = finite_state_projection(SMALL[name](), [0.7], tolerance=1e-10, max_states=400)
    network, states = SMALL[name](), law.states
    index = {tuple(s): i for i, s in enumerate(states.tolist())}
    generator = np.zeros((len(states), len(states)))
    for j, state in enumerate(states.tolist()):
        counts = dict(zip(law.system.states, state, strict=True))
        for r in network.reactions:
            rate = float(r.law.constant) if r.law.constant is not None else network.elements[r.law.value].value
            after = dict(counts)
            for part in r.reactants:
                for _ in range(int(part.stoichiometry)):
                    rate *= max(after[part.species], 0)
                    after[part.species] -= 1
            for part in r.products:
                after[part.species] += int(part.stoichiometry)
            generator[j, j] -= rate
            if rate and tuple(after.values()) in index:
                generator[index[tuple(after.values())], j] += rate
    start = np.zeros(len(states))
    start[0] = 1.0
    np.testing.assert_allclose(law.p[0], expm(0.7 * generator) @ start, atol=1e-12)
    assert law.lost_mass(0.7) == pytest.approx(0.0, abs=1e-10)


def test_a_set_that_may_not_grow_says_what_it_lost() -> None:
    law = finite_state_projection(birth_death(50.0), [5.0], max_states=40)
    true = stats.poisson(50 * (1 - np.exp(-5.0))).pmf(np.arange(40))
    assert law.stopped == "max_states"
    assert law.lost_mass(5.0) >= 1 - true.sum()  # what comes back is lost too
    assert (law.marginal("X", 5.0) <= true[: len(law.marginal("X", 5.0))]).all()
    assert law.p.sum() == pytest.approx(1 - law.lost_mass(5.0))


def test_transition_matrices_hold_the_exact_rows() -> None:
    found = transition_matrix(birth_death(), "k", [2.0, 20.0], "X", 30.0)
    for dose, row, lost in zip(found.doses, found.p, found.lost, strict=True):
        assert 0 <= (stats.poisson(dose).pmf(found.values) - row).sum() + 1e-12
        assert abs(stats.poisson(dose).pmf(found.values) - row).sum() <= lost + 1e-12
    assert found.to_dict()["readout"] == "X"


def test_conserved_and_constant_species_have_marginals() -> None:
    law = finite_state_projection(telegraph(), [1.0])
    assert law.species == ("Off", "On", "P")
    assert law.marginal("On", 1.0)[1] == pytest.approx(1 - law.marginal("Off", 1.0)[1], abs=1e-6)
    np.testing.assert_array_equal(law.select("On"), law.states[:, law.system.states.index("On")])


def test_what_cannot_be_projected_is_refused() -> None:
    network = birth_death()
    with pytest.raises(ConfigError, match="tolerance"):
        finite_state_projection(network, [1.0], tolerance=0.0)
    with pytest.raises(ConfigError, match="none of the times"):
        finite_state_projection(network, [1.0]).lost_mass(2.0)
    with pytest.raises(ConfigError, match="'stochastic'"):
        finite_state_projection(network, [1.0], initial="stochastic")
    moving = Network("moving", species={"X": 1}, parameters={"k": 1.0}, reactions=[parse("d", "X ->", rate="k")],
                     rules=[Rule("rate", symbol("k"), "k")])  # fmt: skip
    with pytest.raises(ConfigError, match="rate rule of 'k'"):
        finite_state_projection(moving, [1.0])
    hungry = Network("hungry", species={"X": 1}, reactions=[parse("take", "X ->", law=1.0)])
    with pytest.raises(DataError, match=r"'take' is 1 at X = 0"):
        finite_state_projection(hungry, [1.0])


@pytest.mark.parametrize(
    "wrong", [{"tolerance": "a"}, {"max_states": 2.5}, {"parameters": "k"}, {"initial": 3}, {"discrete_mass_action": "x"}]
)
def test_wrong_kinds_of_arguments_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        finite_state_projection(birth_death(), [1.0], **wrong)  # type: ignore[arg-type]
