"""Splits keep equivalent structures together, every stratum on both sides, and follow the seed."""

from __future__ import annotations

from collections import Counter

import pytest
from ase.build import bulk

from sciml.errors import ConfigError
from sciml.materials.datasets import load_dataset
from sciml.materials.labels import equivalent_groups, group_split


def test_split_of_silicon():
    structures = load_dataset("mlearn-si", "train")
    split = group_split(structures, 0.1, seed=0)
    assert sorted(split.train + split.valid) == list(range(214)) and abs(len(split.valid) - 21) <= 2
    groups = equivalent_groups(structures)
    assert not {groups[index] for index in split.train} & {groups[index] for index in split.valid}
    kinds = Counter(structures[index].info["group"] for index in split.valid)
    assert set(kinds) == {"AIMD-NVT", "Elastic", "Surface", "Vacancy"}
    assert group_split(structures, 0.1, seed=0) == split != group_split(structures, 0.1, seed=1)


def test_neither_side_is_empty():
    different = [bulk("Cu", a=a) for a in (3.5, 3.6)]
    for fraction in (0.01, 0.5, 0.99):
        split = group_split(different, fraction, seed=0)
        assert len(split.train) == len(split.valid) == 1
    assert group_split(different, 0.0, seed=0).valid == ()
    assert group_split([different[0]] * 3, 0.5, seed=0).valid in ((), (0, 1, 2))
    with pytest.raises(ConfigError, match="fraction"):
        group_split(different, 1.0, seed=0)
