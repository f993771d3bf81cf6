"""Which validation errors belong to the weights that were kept."""

from __future__ import annotations

from sciml.materials.training.results import validation_of


def test_validation_errors_are_those_of_the_kept_step() -> None:
    curve = [
        {"member": 0, "step": 5, "best_step": 5, "valid": {"loss": 1.0}},
        {"member": 0, "step": 10, "best_step": 5, "valid": {"loss": 2.0}},
        {"member": 1, "step": 5, "best_step": 0},
    ]
    assert validation_of(curve, 3) == [{"loss": 1.0, "step": 5}, None, None]
