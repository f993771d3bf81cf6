"""Models by file, whatever its format, and by name."""

from __future__ import annotations

import gzip
import os
import threading

import pytest

from sciml.biology import load, load_experiment
from sciml.biology.antimony import load_antimony
from sciml.biology.sbml import to_sbml
from sciml.errors import ConfigError, DataError

TEXT = "A -> B; k*A\nk = 0.5; A = 7; B = 0"
NET = """begin parameters
 k 0.5
end parameters
begin species
 A() 7
 B() 0
end species
begin reactions
 1 1 2 k
end reactions
"""


def test_every_kind_of_file(tmp_path):
    sbml = to_sbml(load_antimony(TEXT))
    contents = {"a.ant": TEXT, "b.txt": TEXT, "c.net": NET, "d.xml": sbml, "e": sbml, "f.sbml": sbml}
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "g.net.gz").write_bytes(gzip.compress(NET.encode()))
    (tmp_path / "h.xml.gz").write_bytes(gzip.compress(sbml.encode()))
    for name in (*contents, "g.net.gz", "h.xml.gz"):
        network = load(tmp_path / name)
        assert (len(network.reactions), network.elements["k"].value) == (1, 0.5), name


def test_content_decides_before_the_suffix(tmp_path):
    for name, text in (("sbml.txt", to_sbml(load_antimony(TEXT))), ("net.txt", NET), ("text.xml", TEXT)):
        (tmp_path / name).write_text(text)
        assert load(tmp_path / name).elements["k"].value == 0.5, name


@pytest.mark.parametrize("text", [TEXT, NET, "<nonsense/>"])
def test_a_pipe_is_read_once(tmp_path, text):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    if text == "<nonsense/>":
        with pytest.raises(DataError, match=f"^{pipe}: line 1: found <nonsense>, expected <sbml>"):
            load(pipe)
    else:
        assert load(pipe).elements["k"].value == 0.5
    writer.join()


def test_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load("telegraph").id == "telegraph"
    (tmp_path / "telegraph").write_text(TEXT)
    with pytest.raises(ConfigError, match=r"telegraph is a shipped pathway and a file here; say ./telegraph"):
        load("telegraph")
    with pytest.raises(DataError, match="telegraf: no such file, and no shipped pathway; there are chemotaxis"):
        load("telegraf")
    with pytest.raises(DataError, match=r"absent.xml: cannot be read"):
        load("absent.xml")
    with pytest.raises(ConfigError, match="found an empty text, expected a file or the name of a shipped pathway"):
        load("")

    with pytest.raises(ConfigError, match="expected a file or the name of a shipped pathway; load_antimony takes text"):
        load(TEXT)


SEDML = """<sedML xmlns="http://sed-ml.org/sed-ml/level1/version4" level="1" version="4">
<listOfModels><model id="m" language="urn:sedml:language:sbml" source="model.xml"/></listOfModels>
<listOfSimulations><uniformTimeCourse id="s" initialTime="0" outputStartTime="0" outputEndTime="5" numberOfSteps="5"/></listOfSimulations>
<listOfTasks><task id="one" modelReference="m" simulationReference="s"/></listOfTasks>
</sedML>
"""


def test_an_experiment_has_its_tasks(tmp_path):
    (tmp_path / "model.xml").write_text(to_sbml(load_antimony(TEXT)))
    (tmp_path / "first.sedml").write_text(SEDML)
    (task,) = load_experiment(tmp_path / "first.sedml").tasks
    assert (task.id, task.times.tolist()) == ("one", [0, 1, 2, 3, 4, 5])
    assert load(tmp_path / "first.sedml") == task.network == load_experiment(tmp_path / "model.xml").network
    assert load_experiment(tmp_path / "model.xml").tasks == ()
