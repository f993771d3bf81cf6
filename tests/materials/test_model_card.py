"""The card: its first line names the pairs that were never seen; references say where they come from."""

from __future__ import annotations

from sciml.materials.model_card import model_card

CONTENT = {
    "convention": "sciml-o3-1",
    "cutoff_A": 5.0,
    "format": 1,
    "members": [{}],
    "network": {"model": {"kind": "equivariant"}},
    "references": {
        "elements": {"Cu": {"energy": -3.7, "origin": "fitted"}, "Si": {"energy": -0.8, "origin": "isolated"}},
        "rank": 1,
        "fitted": 1,
    },
    "sciml": "0.1.0",
    "species": ["Si", "Cu"],
    "units": {"energy": "eV"},
}


def first_line(pairs):
    return model_card(CONTENT | {"pairs_seen": pairs}).splitlines()[0]


def test_the_first_line_names_unseen_pairs():
    assert first_line([["Si", "Si"], ["Cu", "Cu"]]) == (
        "This model knows nothing of Si beside Cu: such pairs never occurred within the cut-off in training."
    )
    assert "Cu beside Cu" in first_line([["Si", "Si"], ["Cu", "Si"]])
    assert first_line([["Si", "Si"], ["Si", "Cu"], ["Cu", "Cu"]]).startswith("All pairs")
    assert "not recorded" in first_line(None)


def test_fitted_references_are_explained():
    card = model_card(CONTENT | {"pairs_seen": None})
    assert "| Cu | -3.700000 | fitted |" in card and "| Si | -0.800000 | isolated |" in card
    assert "Fitted, rank 1 of 1" in card
    isolated = {"elements": {"Si": {"energy": -0.8, "origin": "isolated"}}, "rank": 0, "fitted": 0}
    assert "lone atoms" not in model_card(CONTENT | {"pairs_seen": None, "references": isolated})


def test_training_and_errors_are_told():
    training = {"train_structures": 193, "valid_structures": 21, "seed": 0, "steps": 3000, "train_digest": "ab12"}
    card = model_card(CONTENT | {"pairs_seen": None, "training": training, "metrics": {"test": {"all": 1}}, "origin": "mlearn"})
    assert "193 structures (21 for validation)" in card and "`ab12`" in card and '"test"' in card and "mlearn" in card
