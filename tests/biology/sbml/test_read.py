"""`load_sbml` on files: right or a typed error that names the file, in a child with limits, once per content."""

from __future__ import annotations

import gzip
import math
import random
import resource
import shutil
import time

import pytest

from sciml import resources
from sciml.biology.expressions import number, operation, symbol
from sciml.biology.sbml import load_sbml, molecules_per_unit, read, to_sbml
from sciml.biology.sbml.semantics import AVOGADRO
from sciml.errors import ConfigError, DataError, SciMLError
from tests.biology.sbml import texts
from tests.biology.sbml.texts import DATA

CASES = DATA / "sbml"
BROKEN = CASES / "15-encodings-and-broken-files"


def child_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_pathway_and_its_second_use_without_a_child():
    network = load_sbml(CASES / "pathway.xml")
    assert [len(part) for part in (network.species, network.reactions, network.parameters)] == [8, 12, 12]
    assert network.source.endswith("pathway.xml")
    began, children = time.process_time(), child_seconds()
    assert load_sbml(CASES / "pathway.xml") == network
    assert time.process_time() - began < 0.1
    assert child_seconds() == children


def test_defaults_of_mathml():
    """Case 02: each by definition."""
    rules = {r.variable: r.math for r in load_sbml(CASES / "02-mathml-defaults.xml").rules}
    assert rules["y01"] == operation("log", 10, "x")
    assert rules["y02"] == operation("ln", "x")
    assert rules["y03"] == operation("log", 2, "x")
    assert rules["y04"] == operation("root", 2, "x")
    assert rules["y05"] == operation("root", 3, "x")
    assert rules["y06"] == operation("piecewise", 7, operation("lt", 1, 2, 2), 5)
    assert rules["y07"] == number(0.0065)
    assert rules["y08"] == number(1 / 3)
    assert rules["y09"] == operation("minus", operation("power", 3, 2))
    assert rules["y10"] == operation("plus", 4, operation("times"), operation("plus"))
    assert rules["y11"] == operation("rem", -7, 3)
    assert rules["y19"] == operation("rateOf", symbol("z"))


def test_initial_assignments_in_any_order():
    """Case 05: kept as formulas, so that they follow when D changes."""
    network = load_sbml(CASES / "05-initial-assignments-follow.xml")
    assert dict(network.initial_assignments) == {
        "A": operation("plus", "p", 1),
        "k": operation("divide", "p", 20),
        "p": operation("times", 3, "D"),
    }
    assert network.set(D=4.0).initial_assignments == network.initial_assignments
    assert "p" not in dict(network.set(p=1.0).initial_assignments)


def test_moles_and_litres():
    """Case 08: mole is Avogadro's number of molecules."""
    network = load_sbml(CASES / "08-moles-and-litres.xml")
    counting = molecules_per_unit(network)
    assert (counting.per_substance, counting.per_extent, counting.notes) == (AVOGADRO, AVOGADRO, ())
    assert network.units.volume == "litre"
    amount = network.species[0].initial * network.compartments[0].size * counting.per_substance
    assert math.isclose(amount, 602.214076, rel_tol=1e-12)


@pytest.mark.parametrize("name", ["bom.xml", "model.xml.gz", "plain.xml.gz"])
def test_marks_and_packing(name, tmp_path):
    """Case 15: the same model by every route, its name whole."""
    odd = tmp_path / "a b ü" / f"ω {name}"
    odd.parent.mkdir()
    shutil.copyfile(BROKEN / name, odd)
    for path in (BROKEN / name, odd, str(odd)):
        network = load_sbml(path)
        assert "β-caténine → µM" in to_sbml(network)
        assert network == load_sbml(BROKEN / "bom.xml")


@pytest.mark.parametrize("name", ["latin1.xml", "empty.xml", "page.xml", "truncated.xml", "absent.xml"])
def test_what_is_no_model_is_a_typed_error_with_its_name(name):
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        load_sbml(BROKEN / name)


def test_everything_unsupported_comes_at_once_and_can_be_left_out(tmp_path):
    file = tmp_path / "m.xml"
    body = f"<listOfConstraints><constraint>{texts.math('<true/>')}</constraint></listOfConstraints>"
    package = ' xmlns:qual="http://www.sbml.org/sbml/level3/version1/qual/version1" qual:required="true"'
    file.write_text(texts.document(f"{body}<listOfWidgets/>", (3, 1), root=package))
    with pytest.raises(DataError, match=r"m\.xml: \d+ things in it are wrong or not supported") as error:
        load_sbml(file)
    assert "line 2: the package 'qual'" in str(error.value)
    assert "line 4: found <listOfWidgets>" in str(error.value)
    network = load_sbml(file, strict=False)
    assert any("qual" in warning for warning in network.warnings)
    assert any("constraint" in warning for warning in network.warnings)
    with pytest.raises(DataError):  # the same from the cache
        load_sbml(file)


@pytest.mark.parametrize("path", [None, 5, b"model.xml", texts.document("")])
def test_a_path_is_expected(path):
    with pytest.raises(ConfigError, match="expected (a text or a path|the path of a file)"):
        load_sbml(path)


def cached():
    folder = resources.cache_folder() / "sbml"
    return set(folder.glob("*.json")) if folder.is_dir() else set()


def fresh(tmp_path, number: int):
    """A file that no test has read before."""
    file = tmp_path / "fresh.xml"
    file.write_text(texts.document(texts.parameters("a"), attributes=f' name="{tmp_path} {number}"'))
    return file


def test_a_damaged_cache_entry_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("SCIML_CACHE", str(tmp_path / "cache"))  # other tests of this run write into the common one
    file, before = fresh(tmp_path, 1), cached()
    network = load_sbml(file)
    (entry,) = cached() - before
    good = entry.read_bytes()
    for damage in (b"", good[:-5], good.replace(b'"a"', b'"b"'), b"\xff" * 50):
        entry.write_bytes(damage)
        assert load_sbml(file) == network
        assert entry.read_bytes() == good


def test_without_a_place_for_the_cache_reading_goes_on(tmp_path, monkeypatch):
    def full(*_):
        raise SciMLError("disk full")

    monkeypatch.setattr(read.files, "write_bytes", full)
    assert load_sbml(fresh(tmp_path, 2)).parameters[0].id == "a"


COMP = ' xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true"'
SUB = '<comp:listOfSubmodels><comp:submodel comp:id="A" comp:modelRef="e"/></comp:listOfSubmodels>'


def test_external_models_lie_beside_the_file_or_are_refused(tmp_path):
    def compose(source):
        external = f'<comp:externalModelDefinition comp:id="e" comp:source="{source}"/>'
        external = f"<comp:listOfExternalModelDefinitions>{external}</comp:listOfExternalModelDefinitions>"
        file = tmp_path / "main.xml"
        file.write_text(texts.document(SUB, (3, 1), root=COMP).replace("</model>", f"</model>{external}"))
        return file

    other = tmp_path / "other.xml"
    other.write_text(texts.document(texts.parameters("q"), (3, 1)))
    file = compose("other.xml")
    assert [p.id for p in load_sbml(file).parameters] == ["A__q"]
    assert load_sbml(compose("./other.xml")) == load_sbml(compose("file:other.xml")) == load_sbml(file)
    other.write_text(texts.document(texts.parameters("w"), (3, 1)))
    assert [p.id for p in load_sbml(file).parameters] == ["A__w"]  # the cache looks at what lies beside, too
    for source in ("../other.xml", "/etc/passwd", "http://example.org/m.xml", "file:///etc/passwd", "sub/other.xml", "..", "C:\\m.xml"):
        with pytest.raises(DataError, match=r"main\.xml: names the external model .*; only files beside it are read"):
            load_sbml(compose(source))
    with pytest.raises(DataError, match=r"main\.xml: names an external model: .*absent\.xml"):
        load_sbml(compose("absent.xml"))


def chain(length: int) -> str:
    rules = (
        f'<assignmentRule variable="p{i}">{texts.math(f"<apply><plus/><ci>p{i - 1}</ci><cn>1</cn></apply>")}</assignmentRule>\n'
        for i in range(1, length)
    )
    return texts.document(texts.parameters(*(f"p{i}" for i in range(length))) + f"<listOfRules>{''.join(rules)}</listOfRules>")


def reactions(count: int) -> str:
    cell = '<listOfCompartments><compartment id="c" size="1" constant="true"/></listOfCompartments>'
    more = '" compartment="c" initialAmount="1" hasOnlySubstanceUnits="true" boundaryCondition="false" constant="false"/>'
    species = "".join(f'<species id="S{i}{more}\n' for i in range(count + 1))
    reference = '<speciesReference stoichiometry="1" constant="true" species="S{}"/>'
    law = "<apply><times/><cn>0.5</cn><ci>S{}</ci></apply>"
    listed = "".join(
        f'<reaction id="R{i}" reversible="false"><listOfReactants>{reference.format(i)}</listOfReactants><listOfProducts>'
        f"{reference.format(i + 1)}</listOfProducts><kineticLaw>{texts.math(law.format(i))}</kineticLaw></reaction>\n"
        for i in range(count)
    )
    return texts.document(f"{cell}<listOfSpecies>{species}</listOfSpecies><listOfReactions>{listed}</listOfReactions>")


def test_a_chain_of_2000_rules_loads_in_seconds(tmp_path):
    file = tmp_path / "chain.xml"
    file.write_text(chain(2000))
    began, children = time.process_time(), child_seconds()
    assert len(load_sbml(file).rules) == 1999
    assert time.process_time() - began + child_seconds() - children < 5


def test_import_is_linear(tmp_path):
    spent = []
    for count in (500, 2000):
        file = tmp_path / f"{count}.xml"
        file.write_text(reactions(count))
        children = child_seconds()
        assert len(load_sbml(file).reactions) == count
        spent.append(child_seconds() - children)
    assert spent[1] < 6 * spent[0]  # starting the child is part of both


@pytest.mark.long
def test_10000_reactions_load_in_10_seconds(tmp_path, measured):
    file = tmp_path / "large.xml"
    file.write_text(reactions(10_000))
    began, children = time.process_time(), child_seconds()
    assert len(load_sbml(file).reactions) == 10_000
    seconds = time.process_time() - began + child_seconds() - children
    measured("an SBML file of 10,000 reactions is loaded", f"{seconds:.1f} s of CPU", "<= 10 s")
    assert seconds < 10


def mutated(text: bytes, generator: random.Random) -> bytes:
    """A file with a few faults: bytes changed, pieces cut, doubled or exchanged, numbers and words replaced."""
    data = bytearray(text)
    for _ in range(generator.randint(1, 4)):
        at, length = generator.randrange(len(data)), generator.randint(1, 60)
        kind = generator.randrange(7)
        if kind == 0:
            data[at] = generator.randrange(256)
        elif kind == 1:
            del data[at : at + length]
        elif kind == 2:
            data[at:at] = data[at : at + length]
        elif kind == 3:
            del data[at:]
            data += b" "
        else:
            old, new = generator.choice(_WORDS)
            places = [i for i in range(len(data) - len(old)) if data[i : i + len(old)] == old] if kind == 4 else [data.find(old, at)]
            if places and (place := generator.choice(places)) >= 0:
                data[place : place + len(old)] = new
    return bytes(data)


_WORDS = [
    (b'id="', b'ib="'), (b"<ci>", b"<cn>"), (b"</ci>", b"</cn>"), (b"<times/>", b"<divide/>"), (b"<apply>", b"<piecewise>"),
    (b'="1"', b'="NaN"'), (b'="1"', b'="1e999"'), (b"species", b"parameter"), (b'constant="false"', b'constant="true"'),
    (b"true", b"maybe"), (b"level=", b"levle="), (b'version="1"', b'version="7"'), (b'level="3"', b'level="2"'),
    (b"<cn>", b"<cn type='rational'>"), (b"reaction", b"event"), (b'"c', b'"'),
]  # fmt: skip


def survive(tmp_path, files, count: int, seed: int) -> tuple[int, int]:
    """(read, refused) of mutated files; anything but a network or a typed error that names the file fails."""
    generator = random.Random(seed)
    sources = [gzip.decompress(d) if d[:2] == b"\x1f\x8b" else d for d in (f.read_bytes() for f in files)]
    good = bad = 0
    for index in range(count):
        file = tmp_path / f"mutant{index}.xml"
        file.write_bytes(mutated(generator.choice(sources), generator))
        began = time.monotonic()
        try:
            to_sbml(load_sbml(file, strict=generator.random() < 0.7))
            good += 1
        except DataError as error:
            assert f"mutant{index}" in str(error) or "is none that SBML knows" in str(error)
            bad += 1
        assert time.monotonic() - began < 60
    return good, bad


FUZZED = [CASES / "pathway.xml", CASES / "02-mathml-defaults.xml", CASES / "BIOMD0000000003.xml.gz", DATA / "lgpl/sbml/00975-sbml-l3v2.xml"]


def test_mutated_files_are_read_or_refused(tmp_path):
    good, bad = survive(tmp_path, FUZZED, 50, 1)
    assert bad > 10
    assert good + bad == 50


@pytest.mark.long
def test_500_mutated_files_are_read_or_refused(tmp_path, measured):
    good, bad = survive(tmp_path, [*FUZZED, *(DATA / "lgpl/sbml").glob("*.xml")], 500, 2)
    measured("500 mutated SBML files", f"{good} read, {bad} refused by a typed error", "no crash")
