"""Models by file and by name, values set on them, and the folder of a run."""

from __future__ import annotations

import gzip
import os
import threading

import numpy as np
import pytest

from sciml import files
from sciml.biology.antimony import load_antimony
from sciml.biology.sbml import to_sbml
from sciml.cli.networks import check_out, open_experiment, time_grid, variant, write_run
from sciml.errors import ConfigError, DataError
from sciml.report import Section, Text

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
        network = open_experiment(str(tmp_path / name)).network
        assert (len(network.reactions), network.elements["k"].value) == (1, 0.5), name


def test_content_decides_before_the_suffix(tmp_path):
    for name, text in (("sbml.txt", to_sbml(load_antimony(TEXT))), ("net.txt", NET), ("text.xml", TEXT)):
        (tmp_path / name).write_text(text)
        assert open_experiment(str(tmp_path / name)).network.elements["k"].value == 0.5, name


@pytest.mark.parametrize("text", [TEXT, NET, "<nonsense/>"])
def test_a_pipe_is_read_once(tmp_path, text):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    if text == "<nonsense/>":
        with pytest.raises(DataError, match=f"^{pipe}: line 1: found <nonsense>, expected <sbml>"):
            open_experiment(str(pipe))
    else:
        assert open_experiment(str(pipe)).network.elements["k"].value == 0.5
    writer.join()


def test_out_is_looked_at_before_any_work(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    check_out(None)
    check_out(tmp_path / "new")
    for out, message in ((tmp_path, "exists"), (tmp_path / "file" / "x", "is no folder"), (tmp_path / "no" / "x", "is not there")):
        with pytest.raises(ConfigError, match=message):
            check_out(out)
    monkeypatch.setattr(os, "access", lambda *a: False)
    with pytest.raises(ConfigError, match="may not be written to"):
        check_out(tmp_path / "new")


def test_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_experiment("telegraph").network.id == "telegraph"
    (tmp_path / "telegraph").write_text(TEXT)
    with pytest.raises(ConfigError, match=r"telegraph is a shipped pathway and a file here; say ./telegraph"):
        open_experiment("telegraph")
    with pytest.raises(DataError, match="telegraf: no such file, and no shipped pathway; there are chemotaxis"):
        open_experiment("telegraf")
    with pytest.raises(DataError, match=r"absent.xml: cannot be read"):
        open_experiment("absent.xml")
    with pytest.raises(ConfigError, match="empty name"):
        open_experiment("")


def test_values_and_times():
    network = load_antimony(TEXT)
    assert variant(network, ["k=2,A=3"]).elements["k"].value == 2
    assert variant(network, None) is network
    for word in ("k=fast", "k=true", "k", "q=1"):
        with pytest.raises(ConfigError, match="set"):
            variant(network, [word])
    assert time_grid(4, 3).tolist() == [0, 2, 4]
    assert time_grid(4, 1).tolist() == [4]
    for end in (None, -1.0, float("nan")):
        with pytest.raises(ConfigError, match="--end"):
            time_grid(end, 3)


def test_a_run_folder(tmp_path):
    out = tmp_path / "run"
    table = {"time": np.array([0.0, 0.1]), "A": [1, 2]}
    write_run(out, [Section("Text", [Text("x")])], "title", {"seed": 1}, {"amounts": table})
    assert (out / "amounts.csv").read_text() == "time,A\n0.0,1\n0.1,2\n"
    assert {"report.html", "amounts.csv"} <= set(files.verify_folder(out)["files"])
    with pytest.raises(ConfigError, match="exists"):
        write_run(out, [], "title", {}, {})
    with pytest.raises(ConfigError, match="is not there"):
        write_run(tmp_path / "no" / "run", [], "title", {}, {})
