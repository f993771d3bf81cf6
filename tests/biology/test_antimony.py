"""Antimony text: what it means, the lines in its errors, and that no text crashes or hangs the reader."""

from __future__ import annotations

import random

import pytest

from sciml import sandbox
from sciml.biology import antimony
from sciml.biology.antimony import load_antimony, read
from sciml.biology.formula import infix
from sciml.biology.sbml.read import network_from_record
from sciml.errors import DataError

MODEL = """
// receptor and ligand
model pathway
  compartment cell = 2
  species R in cell, $L in cell, RL in cell
  R = 10; L = 3; RL = 0
  bind: R + L -> RL; kon*R*L - koff*RL
  kon = 0.1; koff := kon/2   # an assignment rule
  RL -> ; kdeg*RL
  kdeg = 0.01
  at time > 5, priority=2: L = 0
  Pulse: at RL > 3: kon = kon/10
  J3: 2 R => ; f(R, kdeg)
end
"""
FUNCTION = "function f(x, y)\n  x*y\nend\n"


def test_what_a_text_means():
    net = load_antimony(FUNCTION + MODEL)
    assert [s.id for s in net.species] == ["R", "L", "RL"]
    assert (net.elements["cell"].size, net.elements["R"].initial, net.elements["L"].boundary) == (2, 10, True)
    bind, degrade, last = net.reactions
    assert infix(bind.law) == "kon * R * L - koff * RL"
    assert (bind.line, degrade.line, last.line) == (10, 12, 16)
    assert last.reactants[0].stoichiometry == 2
    assert [r.variable for r in net.rules] == ["koff"]
    assert [e.line for e in net.events] == [14, 15]
    assert net.functions[0].id == "f"
    assert net.source == "Antimony text"


def test_text_path_and_cache(tmp_path, monkeypatch):
    text = "A -> B; k*A\nk = 0.5; A = 7; B = 0"
    net = load_antimony(text)
    (tmp_path / "model with = and ;.ant").write_text(text)
    (tmp_path / "bom.txt").write_bytes(b"\xef\xbb\xbf" + text.encode())
    monkeypatch.setattr(sandbox, "run", lambda *a, **k: pytest.fail("a text that was read before needs no child"))
    for name in ("model with = and ;.ant", "bom.txt"):
        assert load_antimony(tmp_path / name).digest == net.digest
        assert load_antimony(str(tmp_path / name)).source == str(tmp_path / name)
    assert net.id == "network"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A -> B; k*A\nk = 1\nx = (3\n", r"Antimony text: line 3: .*expecting"),
        ("A -> B; k**A\n", "line 1: .*k\\*\\*A"),
        ("A -> B; k*A\nk = 1\n\nB -> ; g(B)\n", "line 4: 'g' was used as a function"),
        ('A -> B; k\n import "/etc/hostname"\n', "line 2: found an import, which is not followed"),
        ('A -> B; k /* two\nlines */; /* import */ import /* */ \\\n "/etc/hostname"\n', "line 2: found an import"),
        ("a := b\nb := a\n", "line 2: .*[Ll]oop"),
        ("# two\nmodel m\n x -> ; normal(3,1)*x; x=3\nend", r"line 3: the law of reaction '_J0'.*normal"),
        ("// nothing;\n", "holds no model"),
        ("A = 3\0;\n", "line 1: found a null character"),
        ("-> A; " + "(" * 10_000 + "1" + ")" * 10_000, "line 1"),
        ("-> A; " + "exp(" * 300 + "1" + ")" * 300, "nested more than 200 deep"),
    ],
)
def test_errors_name_the_line(text, message):
    with pytest.raises(DataError, match=message) as caught:
        load_antimony(text)
    assert str(caught.value).startswith("Antimony text: ")


def test_import_reads_nothing(tmp_path):
    """Not even a file that is a model."""
    (tmp_path / "other.txt").write_text("B -> ; 1\n")
    with pytest.raises(DataError, match="line 1: found an import"):
        load_antimony(f'import "{tmp_path / "other.txt"}"\nA -> ; 1\n')
    assert load_antimony('J0 is "nuclear import"\nJ0: A -> ; 1').reactions[0].id == "J0"


@pytest.mark.parametrize("name", ["absent.ant", "absent"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(DataError, match=f"{name}: cannot be read: No such file"):
        load_antimony(tmp_path / name)
    with pytest.raises(DataError, match="expected Antimony text"):
        (tmp_path / name).write_text("")
        load_antimony(tmp_path / name)


def test_a_chain_that_the_library_cannot_do_in_time_is_refused(monkeypatch):
    monkeypatch.setattr(antimony.sandbox, "run", lambda *a, cpu_seconds: sandbox_run(*a, cpu_seconds=0.1))
    with pytest.raises(DataError, match="longer than the limit of"):
        load_antimony("\n".join(f"x{i} := x{i - 1} + 1" if i else "x0 := time" for i in range(600)))


sandbox_run = sandbox.run


PIECES = ("(", ")", ";", "->", ":=", "^", "e9999", "model", "end", "-", '"', "/*")


def mutant(number: int) -> str:
    """The model with a few characters, tokens or lines changed, doubled, moved or cut."""
    rng = random.Random(number)
    text = FUNCTION + MODEL
    for _ in range(rng.randint(1, 6)):
        i, j = sorted(rng.choices(range(len(text) + 1), k=2))
        j = min(j, i + rng.choice((1, 3, 10, 60)))
        piece = rng.choice(("", text[i:j] * 2, text[i:j][::-1], chr(rng.randint(1, 0x2FF)), *PIECES))
        text = text[:i] + piece + text[j:]
    return text if rng.random() > 0.1 else text[: rng.randint(0, len(text))]


def outcomes(first: int, last: int):
    """For the sandbox: what each mutant gives in a child that goes on to the next."""
    for number in range(first, last):
        try:
            record, _ = read("mutant", mutant(number))
            network_from_record("mutant", record)
            found = "read"
        except DataError as error:
            found = "refused" if str(error).startswith("mutant: ") else f"a message without a name: {error}"
        yield {"found": found}, {}


def run_mutants(count: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    for number, (record, _) in enumerate(sandbox.iterate("tests.biology.test_antimony:outcomes", 0, count, cpu_seconds=10)):
        assert record["found"] in ("read", "refused"), (number, record)
        counts[record["found"]] = counts.get(record["found"], 0) + 1
    assert sum(counts.values()) == count
    return counts


def test_mutated_texts():
    assert set(run_mutants(500)) == {"read", "refused"}
