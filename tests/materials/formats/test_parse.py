"""The child's entry, and mutated files: a record or a DataError, no crash, no hang."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sciml.errors import DataError
from sciml.materials.formats.parse import READERS, parse
from sciml.materials.formats.record import unpack
from tests.materials.formats import samples, test_outcar, test_vasprun
from tests.materials.formats.test_pymatgen_json import SALT

TEXTS = {
    "extxyz": samples.EXTXYZ * 3,
    "poscar": samples.POSCAR,
    "cif": (samples.DATA / "three-digits.cif").read_text(),
    "outcar": test_outcar.TEXT,
    "vasprun": test_vasprun.document(test_vasprun.calculation(-6.5)),
    "json": SALT.to_json(),
}
PIECES = [
    "\x00",
    "'",
    '"',
    ";",
    "#",
    "\n",
    "nan",
    "1e999",
    "-",
    "0",
    "99999999999",
    "[",
    "{",
    "}",
    "_",
    "data_",
    "loop_",
    "é",
    "\r",
    " ",
    "x",
    "/",
    "=",
]


def mutated(text, seed):
    """A text with one to five changes: characters or lines deleted, doubled, exchanged, replaced, cut off."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 5)):
        a, b = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        b = min(b, a + chance.choice([1, 2, 10, 100]))
        lines = text.split("\n")
        k = chance.randrange(len(lines))
        text = (
            chance.choice(
                [
                    text[:a] + text[b:],
                    text[:b] + text[a:],
                    text[:a] + chance.choice(PIECES) + text[b:],
                    text[:a] + chance.choice(PIECES) * chance.choice([1, 100, 10_000]) + text[a:],
                    text[:a],
                    "\n".join(lines[:k] + lines[k + 1 :]),
                    "\n".join([*lines[:k], lines[k], *lines[k:]]),
                    "\n".join([*lines[:k], chance.choice(lines), *lines[k + 1 :]]),
                ]
            )
            or "\n"
        )
    return text


def read_or_refuse(form, path, text):
    """Whether the text is read; anything but records and DataError fails. 5 CPU-seconds at most."""
    path.write_text(text, "utf-8")
    start = time.process_time()
    try:
        records = [record for piece in parse(str(path), form, {}) for record in unpack(*piece)]
    except DataError as error:
        assert str(path) in str(error)
        records = []
    assert time.process_time() - start < 5
    for record in records:
        count = len(record.numbers)
        assert count > 0
        assert record.positions.shape == (count, 3)
        assert record.cell.shape == (3, 3)
        assert record.pbc.shape == (3,)
        assert all(len(column) == count for column in record.arrays.values())
    return bool(records)


@pytest.mark.parametrize("form", TEXTS)
def test_mutated_files(tmp_path, form):
    assert read_or_refuse(form, tmp_path / "f", TEXTS[form])
    assert not all(read_or_refuse(form, tmp_path / "f", mutated(TEXTS[form], seed)) for seed in range(50))


@pytest.mark.long
@pytest.mark.parametrize("form", TEXTS)
def test_500_mutated_files(tmp_path, form):
    for seed in range(50, 550):
        read_or_refuse(form, tmp_path / "f", mutated(TEXTS[form], seed))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(sorted(TEXTS)), text=st.text(st.sampled_from("0123456789.-+eE \n\t'\"_#;datalop[]{}:,HSiNCx=<>/"), max_size=300)
)
def test_any_text(tmp_path, form, text):
    read_or_refuse(form, tmp_path / "f", text or "\n")


def test_unforeseen_errors_are_data_errors_that_name_the_file(tmp_path, monkeypatch):
    def broken(path, **options):
        raise IndexError("list index out of range")
        yield

    monkeypatch.setitem(READERS, "cif", broken)
    with pytest.raises(DataError, match=r"some\.cif: cif: cannot be read \(IndexError: list index out of range\)"):
        list(parse("some.cif", "cif", {}))


def test_a_refusal_keeps_what_was_read_before(tmp_path):
    path = tmp_path / "f.extxyz"
    path.write_text(samples.EXTXYZ * 5000 + "2\n")
    pieces = parse(str(path), "extxyz", {})
    assert len(next(pieces)[1]["cell"]) > 100
    with pytest.raises(DataError, match="record 5000"):
        list(pieces)


def test_mutations_change_the_text_and_repeat():
    assert mutated(samples.POSCAR, 1) == mutated(samples.POSCAR, 1)
    assert len({mutated(samples.POSCAR, seed) for seed in range(50)}) > 45
