"""What a result says."""

from __future__ import annotations

import json
import math

from sciml.biology.information.result import MutualInformation


def made(bits=0.4, low=0.3, high=0.5, bound=1.0):
    return MutualInformation(
        bits, low, high, 0.05, "ksg", "halves", "none", 0.001, "2 levels of x, equally likely", "snapshot", bound, 100, 0
    )


def test_clipped_lies_between_zero_and_the_entropy():
    assert [made(bits).clipped for bits in (-0.1, 0.4, 1.2)] == [0.0, 0.4, 1.0]


def test_sentences():
    assert "between 0.300 and 0.500" in made().sentence() and "No information" not in made().sentence()
    assert "No information is also compatible" in made(low=-0.1).sentence()
    assert made(high=math.inf).sentence().startswith("At least 0.300 bit")
    assert "no interval was asked for" in made(low=math.nan, high=math.nan).sentence()


def test_dict_is_json_and_sections_hold_the_figures():
    found = json.loads(json.dumps(made(high=math.inf).to_dict(), allow_nan=False))
    assert found["high"] is None and found["bits"] == 0.4 and found["clipped"] == 0.4
    section = made().to_sections()[0]
    assert section.blocks[0].figures[0].value == 0.4
