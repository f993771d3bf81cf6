"""`sciml cite`: complete references, and those that one model needs."""

from __future__ import annotations

import json
import re

import pytest

from sciml.cli.citation import REFERENCES, cited
from tests.cli.sample import sciml


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.key)
def test_references_are_complete(reference):
    assert reference.authors and reference.title and 1980 < reference.year <= 2026 and re.fullmatch(r"[a-z0-9]+", reference.key)
    assert not reference.doi or re.fullmatch(r"10\.\d{4,}/\S+", reference.doi)
    assert reference.title in reference.text() and str(reference.year) in reference.bibtex()
    assert reference.bibtex().count("{") == reference.bibtex().count("}")


def test_all_and_of_one_model(run):
    assert len(cited()) == len(REFERENCES) == len({reference.key for reference in REFERENCES})
    keys = {reference.key for reference in cited(str(run))}
    assert {"sciml", "ace", "mace", "zbl", "ase"} <= keys and not keys & {"nequip", "dimenet", "mlearn"}
    done = sciml("cite", run)
    assert done.exit_code == 0 and done.stdout.strip().endswith("and the data that this model was trained on.")
    assert sciml("cite", "--bibtex").stdout.count("@misc{") == len(REFERENCES)
    assert len(json.loads(sciml("cite", "--json").stdout)["references"]) == len(REFERENCES)


def test_unknown_model():
    done = sciml("cite", "none")
    assert done.exit_code == 3 and "none: no such model" in done.stderr
