"""SED-ML documents and COMBINE archives: what they ask for, and what is refused by name and line."""

from __future__ import annotations

import random
import zipfile

import numpy as np
import pytest

from sciml.biology.antimony import load_antimony
from sciml.biology.sbml import to_sbml
from sciml.biology.sedml import load_archive, load_sedml
from sciml.errors import DataError

TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<sedML xmlns="http://sed-ml.org/sed-ml/level1/version4" xmlns:sbml="http://www.sbml.org/sbml/level3/version1/core" level="1" version="4">
  <listOfModels>
    <model id="m" language="urn:sedml:language:sbml" source="model.xml"/>
    <model id="fast" language="urn:sedml:language:sbml" source="#m">
      <listOfChanges>
        <changeAttribute target="/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='k']/@value" newValue="2.5"/>
      </listOfChanges>
    </model>
  </listOfModels>
  <listOfSimulations>
    <uniformTimeCourse id="s" initialTime="0" outputStartTime="1" outputEndTime="5" numberOfSteps="8">
      <algorithm kisaoID="KISAO:0000019"/>
    </uniformTimeCourse>
    <uniformTimeCourse id="g" initialTime="0" outputStartTime="0" outputEndTime="2" numberOfPoints="4">
      <algorithm kisaoID="KISAO:0000029"/>
    </uniformTimeCourse>
  </listOfSimulations>
  <listOfTasks>
    <task id="one" modelReference="fast" simulationReference="s"/>
    <task id="two" modelReference="m" simulationReference="g"/>
    <repeatedTask id="many" range="r" resetModel="true">
      <listOfRanges>
        <uniformRange id="r" start="0.1" end="10" numberOfSteps="2" type="log"/>
        <vectorRange id="v"><value>1</value><value>2</value><value>4</value></vectorRange>
      </listOfRanges>
      <listOfChanges>
        <setValue modelReference="m" range="r" target="/sbml:sbml/sbml:model/sbml:listOfParameters/sbml:parameter[@id='k']">
          <math xmlns="http://www.w3.org/1998/Math/MathML"><ci>r</ci></math>
        </setValue>
        <setValue modelReference="m" range="v" target="/sbml:sbml/sbml:model/sbml:listOfSpecies/sbml:species[@id='A']">
          <math xmlns="http://www.w3.org/1998/Math/MathML"><ci> v </ci></math>
        </setValue>
      </listOfChanges>
      <listOfSubTasks><subTask task="two" order="1"/></listOfSubTasks>
    </repeatedTask>
  </listOfTasks>
  <listOfDataGenerators>
    <dataGenerator id="d"><listOfVariables>
      <variable id="x" taskReference="one" target="/sbml:sbml/sbml:model/sbml:listOfSpecies/sbml:species[@id='B']"/>
      <variable id="t" taskReference="one" symbol="urn:sedml:symbol:time"/>
    </listOfVariables></dataGenerator>
  </listOfDataGenerators>
</sedML>
"""
MANIFEST = """<omexManifest xmlns="http://identifiers.org/combine.specifications/omex-manifest">
<content location="." format="http://identifiers.org/combine.specifications/omex"/>
<content location="./manifest.xml" format="http://identifiers.org/combine.specifications/omex-manifest"/>
<content location="./runs/first.sedml" format="http://identifiers.org/combine.specifications/sed-ml.level-1.version-4" master="true"/>
<content location="./runs/model.xml" format="http://identifiers.org/combine.specifications/sbml.level-3.version-2"/>
</omexManifest>
"""


@pytest.fixture(scope="module")
def model() -> str:
    return to_sbml(load_antimony("model little\nA -> B; k*A\nk = 0.5; A = 7; B = 0\nend"))


@pytest.fixture
def folder(tmp_path, model):
    (tmp_path / "model.xml").write_text(model)
    (tmp_path / "first.sedml").write_text(TEXT)
    return tmp_path


def test_a_document(folder):
    found = load_sedml(folder / "first.sedml")
    one, many = found.tasks
    assert (one.id, one.method, one.network.elements["k"].value, one.shown) == ("one", "ode", 2.5, ("B",))
    assert one.times.tolist() == np.linspace(1, 5, 9).tolist()
    assert (many.id, many.method, many.network.elements["k"].value, len(many.times)) == ("many", "ssa", 0.5, 5)
    assert {id: v.tolist() for id, v in many.scan.items()} == {"k": pytest.approx([0.1, 1, 10]), "A": [1, 2, 4]}
    assert found.network is one.network
    assert [t["id"] for t in found.to_dict()["tasks"]] == ["one", "many"]


def archive(path, model, text=TEXT, manifest=MANIFEST, **more):
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in {"manifest.xml": manifest, "runs/first.sedml": text, "runs/model.xml": model, **more}.items():
            packed.writestr(name, content)
    return path


def test_an_archive(tmp_path, model):
    found = load_archive(archive(tmp_path / "all.omex", model))
    assert [t.id for t in found.tasks] == ["one", "many"]
    assert (found.source, found.networks["m"].source) == (str(tmp_path / "all.omex"), f"{tmp_path / 'all.omex'}: model.xml")
    lonely = MANIFEST.replace("sed-ml", "text")
    alone = load_archive(archive(tmp_path / "model.omex", model, manifest=lonely))
    assert (alone.tasks, alone.network.id) == ((), "little")


FAULTS = {
    "steady state": ('<uniformTimeCourse id="g"', '<steadyState id="g"', "not well-formed"),
    "start": ('initialTime="0" outputStartTime="1"', 'initialTime="3" outputStartTime="1"', "line 12: initialTime: found 3"),
    "backwards": ('outputStartTime="1"', 'outputStartTime="9"', "line 12: output from 9 to 5"),
    "count": ('numberOfSteps="8"', 'numberOfSteps="0.5"', "line 12: numberOfSteps: found 0.5"),
    "no count": ('numberOfSteps="8"', "", "line 12: numberOfPoints: found None"),
    "method": ("KISAO:0000019", "KISAO:0000437", "line 12: the algorithm KISAO:0000437 is not known"),
    "change": ("changeAttribute", "changeXML", "not well-formed|line 7: found <changeXML>"),
    "target": ("parameter[@id='k']/@value", "parameter[@id='q']/@value", "line 7: found the target .*@id='q'"),
    "reference": ('simulationReference="s"', 'simulationReference="z"', "line 20: task 'one' names model 'fast' and simulation 'z'"),
    "elsewhere": ("model.xml", "http://example.org/model.xml", "line 4: model 'm' comes from 'http://example.org/model.xml'"),
    "above": ("model.xml", "../model.xml", "line 4: model 'm' comes from '../model.xml'"),
    "absent": ("model.xml", "other.xml", "other.xml: cannot be read"),
    "reset": ('resetModel="true"', 'resetModel="false"', "line 22: resetModel: found false"),
    "formula": ("<ci>r</ci>", "<apply><exp/><ci>r</ci></apply>", "line 28: only values that are those of a range"),
    "lengths": ("<value>1</value>", "", "line 22: repeated task 'many': expected values of equal number"),
    "range": ("uniformRange", "dataRange", "line 24: found the range <dataRange>|not well-formed"),
    "no number": ("<value>1</value>", "<value>one</value>", "line 25: range 'v'"),
    "amount": (
        "listOfParameters/sbml:parameter[@id='k']/@value",
        "listOfSpecies/sbml:species[@id='A']/@initialAmount",
        "line 7: the model states a concentration of 'A', and this sets an amount",
    ),
    "doctype": ("<sedML", "<!DOCTYPE x><sedML", "line 2: found a document type"),
    "root": ("sedML", "note", "expected <sedML>"),
}


@pytest.mark.parametrize(("old", "new", "message"), FAULTS.values(), ids=FAULTS)
def test_what_is_refused(folder, old, new, message):
    assert old in TEXT
    (folder / "first.sedml").write_text(TEXT.replace(old, new) if old in ("changeAttribute", "sedML") else TEXT.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        load_sedml(folder / "first.sedml")


def test_what_is_no_archive(tmp_path, model):
    path = tmp_path / "bad.omex"
    path.write_text("hello")
    with pytest.raises(DataError, match="bad.omex: no COMBINE archive"):
        load_archive(path)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("model.xml", model)
    with pytest.raises(DataError, match="has no manifest.xml"):
        load_archive(path)
    with pytest.raises(DataError, match="holds neither SED-ML nor SBML"):
        load_archive(archive(path, model, manifest="<omexManifest/>"))
    with pytest.raises(DataError, match="absent.omex: cannot be read"):
        load_archive(tmp_path / "absent.omex")
    twins = MANIFEST.replace(' master="true"', "").replace("runs/model.xml", "runs/b.sedml").replace("sbml.", "sed-ml.")
    with pytest.raises(DataError, match="holds 2 sed-ml files and says of none that it is the master"):
        load_archive(archive(path, model, manifest=twins, **{"runs/b.sedml": TEXT}))
    outside = MANIFEST.replace("./runs/first.sedml", "../first.sedml")
    with pytest.raises(DataError, match="lies outside of it"):
        load_archive(archive(path, model, manifest=outside, **{"../first.sedml": TEXT}))
    assert not (tmp_path.parent / "first.sedml").exists()


def test_errors_inside_an_archive_name_it(tmp_path, model):
    with pytest.raises(DataError, match=r"all.omex: runs/first.sedml: line 12: initialTime") as caught:
        load_archive(archive(tmp_path / "all.omex", model, text=TEXT.replace('initialTime="0"', 'initialTime="3"', 1)))
    assert "/tmp/tmp" not in str(caught.value)


def test_damaged_archives(tmp_path, model):
    """150 archives with changed bytes: read, or a typed error that names the file."""
    whole = archive(tmp_path / "all.omex", model).read_bytes()
    counts = [0, 0]
    for number in range(150):
        rng = random.Random(number)
        data = bytearray(whole)
        for _ in range(rng.randint(1, 2)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = tmp_path / "damaged.omex"
        path.write_bytes(data if rng.random() > 0.2 else data[: rng.randrange(len(data))])
        try:
            load_archive(path)
            counts[0] += 1
        except DataError as error:
            assert "damaged.omex" in str(error)
            counts[1] += 1
    assert min(counts) > 2
