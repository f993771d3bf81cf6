"""The schedule: warm-up, half a cosine to zero, late energy weight, memory of the averages; refusals name their field."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from sciml.errors import ConfigError
from sciml.materials.training import Recipe


def test_learning_rate_rises_linearly_then_follows_half_a_cosine_to_zero() -> None:
    recipe = Recipe(peak_lr=0.02, warmup_steps=10)
    rates = [recipe.learning_rate(step, 1000) for step in range(1001)]
    assert rates[0] == pytest.approx(0.02 / 11)
    assert rates[1] - rates[0] == pytest.approx(rates[9] - rates[8])
    assert rates[10] == 0.02 == max(rates)
    assert rates[505] == pytest.approx(0.01)  # half-way between 10 and 1000
    assert rates[257] == pytest.approx(0.02 * 0.5 * (1 + math.cos(math.pi * 247 / 990)))
    assert rates[1000] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 3, 9, 11])
def test_tiny_budgets_have_positive_finite_rates(steps: int) -> None:
    rates = [Recipe().learning_rate(step, steps) for step in range(steps)]
    assert all(0 < rate <= 1e-2 for rate in rates)


def test_the_recipe_as_it_was_run_has_the_steps_and_the_warm_up_of_the_run() -> None:
    recipe = Recipe(steps=5000, warmup_steps=100, peak_lr=0.02)
    assert recipe.as_run(60) == recipe.model_dump() | {"steps": 60, "warmup_steps": 6}
    assert recipe.as_run(2000)["warmup_steps"] == 100
    rates = [recipe.learning_rate(step, 60) for step in range(60)]
    assert rates.index(max(rates)) == recipe.warmup(60)


def test_energy_weight_rises_steadily_until_the_last_three_tenths() -> None:
    recipe = Recipe(energy_weight=10, energy_weight_late=40, late_fraction=0.3)
    weights = [recipe.energy_weight_at(step, 100) for step in range(100)]
    assert weights[:70] == pytest.approx([10 * 4 ** (step / 70) for step in range(70)]) and weights[70:] == pytest.approx([40] * 30)
    assert max(b / a for a, b in pairwise(weights)) < 1.03  # no jump
    from_nothing = Recipe(energy_weight=0, energy_weight_late=1)
    assert [from_nothing.energy_weight_at(step, 100) for step in (0, 35, 99)] == pytest.approx([0, 0.5, 1])
    assert Recipe(energy_weight=0, energy_weight_late=0).energy_weight_at(50, 100) == 0


def test_a_step_has_about_three_hundred_atoms() -> None:
    assert [Recipe().structures_in_step(mean) for mean in (9, 64, 108, 1000)] == [5, 5, 3, 1]
    assert Recipe().structures_in_step(1000, processes=2) == 2
    assert Recipe(batch_structures=7).structures_in_step(1000) == 7


def test_averages_forget_fast_at_first() -> None:
    recipe = Recipe(ema_decay=0.99)
    assert recipe.ema_decay_at(0) == pytest.approx(0.1)
    assert recipe.ema_decay_at(10_000) == 0.99


def test_weights_of_the_caller_replace_those_of_the_recipe() -> None:
    recipe = Recipe().with_weights({"energy": 1.0, "forces": 2.0})
    assert (recipe.energy_weight, recipe.energy_weight_late, recipe.forces_weight, recipe.stress_weight) == pytest.approx((0.2, 1, 2, 0))
    assert Recipe().with_weights(None) == Recipe()


def test_refusals_name_field_and_value() -> None:
    with pytest.raises(ConfigError, match=r"recipe\.peak_lr: .*greater than 0, found -1"):
        Recipe.parse({"peak_lr": -1})
    with pytest.raises(ConfigError, match=r"recipe\.peek_lr"):
        Recipe.parse({"peek_lr": 1})


def test_every_field_has_a_sentence() -> None:
    for name, field in Recipe.model_fields.items():
        assert field.description and field.description.endswith("."), name
