"""Trajectories on the disk: the bits of a run in memory, gone on with after a kill, opened again, other requests refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sciml import files
from sciml.biology import load_ensemble, simulate_ssa
from sciml.biology.distributions import LogNormal
from sciml.biology.network import Network, Reaction, Species, Unit, Units
from sciml.biology.simulation import blocks, records
from sciml.errors import ConfigError, DataError, SciMLError

ROOT = Path(__file__).resolve().parents[3]
TIMES = np.linspace(0, 3, 16)


def telegraph(**values: float) -> Network:
    """A gene that switches, and its product."""
    parse = Reaction.parse
    reactions = (
        parse("on", "G -> H", rate="k"),
        parse("off", "H -> G", rate="k"),
        parse("b", "H -> H + P", rate=9.0),
        parse("d", "P ->", rate=1.0),
    )
    return Network(
        "telegraph", species={"G": 1, "H": 0, "P": 0}, parameters={"k": 2.0} | values, reactions=reactions, units=Units(substance="item")
    )


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(records, "_BLOCK_BYTES", 64 * len(TIMES) * 3 * 8)


def test_the_bits_of_a_run_in_memory(tmp_path):
    kept = simulate_ssa(telegraph(), TIMES, n=300, seed=3)
    stored = simulate_ssa(telegraph(), TIMES, n=300, seed=3, store=tmp_path / "a", threads=2)
    opened = load_ensemble(tmp_path / "a")
    for found in (stored, opened):
        assert (found.counts == kept.counts).all() and found.kernel == kept.kernel and found.seed == 3 and found.notes == kept.notes
        assert isinstance(found.counts, np.memmap) and found.species == kept.species and (found.times == TIMES).all()
        assert np.allclose(found.mean, kept.mean, rtol=1e-12) and np.allclose(found.std, kept.std, rtol=1e-12)
        assert (found.select("P") == kept.select("P")).all()
    assert opened.system.network == telegraph()
    shuffled = [2.0, 0.5, 2.0]
    final = simulate_ssa(telegraph(), shuffled, n=70, seed=3, store=tmp_path / "b", record="final")
    assert (final.counts == simulate_ssa(telegraph(), shuffled, n=70, seed=3, record="final").counts).all()
    assert (
        simulate_ssa(telegraph(), shuffled, n=70, store=tmp_path / "c").counts == simulate_ssa(telegraph(), shuffled, n=70).counts
    ).all()


def test_cells_that_differ_and_amounts_in_moles(tmp_path):
    options = {"n": 130, "seed": 1, "extrinsic": {"k": LogNormal(cv=0.3)}}
    found, kept = (simulate_ssa(telegraph(), [1.0], **options, **more) for more in ({"store": tmp_path / "a"}, {}))
    assert (found.counts == kept.counts).all() and (found.select("k") == kept.select("k")).all() and found.select("k").std() > 0
    nano = Units(substance="nmol", extent="nmol", definitions=(("nmol", (Unit("mole", scale=-9),)),))
    net = Network(species=[Species("A", 20 / 6.02214076e14)], reactions=(Reaction.parse("d", "A ->", rate=1.0),), units=nano)
    found, kept = (simulate_ssa(net, TIMES, n=100, initial="round", **more) for more in ({"store": tmp_path / "b"}, {}))
    assert (found.amounts == kept.amounts).all() and (found.counts == kept.counts).all() and kept.counts.max() == 20


def test_a_stopped_run_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "_LOOK", 0.01)  # the first of ten blocks takes longer, all of them much longer

    def stop(done, total):
        if done >= 64:
            raise KeyboardInterrupt

    net = Network(species={"A": 10, "B": 0}, reactions=(Reaction.parse("f", "A -> B", rate=4e4), Reaction.parse("r", "B -> A", rate=4e4)))
    some = simulate_ssa(net, TIMES, n=640, store=tmp_path / "a", threads=1, progress=stop)
    assert 0 < len(some.counts) < 640 and len(some.counts) % 64 == 0
    assert f"holds the first {len(some.counts)} of 640" in some.notes[-2] and some.notes[-1].startswith("stopped by the user")
    assert files.read_manifest(tmp_path / "a")["complete"] is False
    whole = simulate_ssa(net, TIMES, n=640, store=tmp_path / "a")
    assert (whole.counts == simulate_ssa(net, TIMES, n=640).counts).all() and (some.counts == whole.counts[: len(some.counts)]).all()
    assert files.read_manifest(tmp_path / "a")["complete"] is True and whole.notes == load_ensemble(tmp_path / "a").notes
    before = (tmp_path / "a" / "states.npy").stat().st_mtime_ns
    simulate_ssa(net, TIMES, n=640, store=tmp_path / "a")
    assert (tmp_path / "a" / "states.npy").stat().st_mtime_ns == before


SLOW = """
import sys
from sciml.biology import simulate_ssa
from sciml.biology.network import Network, Reaction
from sciml.biology.simulation import blocks, records
records._BLOCK_BYTES = 1
net = Network(species={"A": 10, "B": 0}, reactions=(Reaction.parse("f", "A -> B", rate=2e4), Reaction.parse("r", "B -> A", rate=2e4)))
simulate_ssa(net, [0.5, 1.0], n=3200, seed=5, store=sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_a_killed_run_is_readable_and_goes_on(tmp_path, monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", SLOW, str(tmp_path / "a")], cwd=ROOT)
    lines, limit = tmp_path / "a" / "finished.txt", time.monotonic() + 120
    while not (lines.is_file() and lines.read_text().count("\n") >= 2) and child.poll() is None and time.monotonic() < limit:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    with lines.open("a") as torn:
        torn.write("640 6")
    some = load_ensemble(tmp_path / "a")
    assert 64 <= len(some.counts) < 3200 and "goes on" in some.notes[-1]
    monkeypatch.setattr(records, "_BLOCK_BYTES", 1)
    net = some.system.network
    whole = simulate_ssa(net, [0.5, 1.0], n=3200, seed=5, store=tmp_path / "a")
    assert (whole.counts == simulate_ssa(net, [0.5, 1.0], n=3200, seed=5).counts).all()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"seed": 4}, "seed is 3 there, 4 here"),
        ({"n": 101}, "n is 100 there, 101 here"),
        ({"initial": "round"}, "initial is None there, 'round' here"),
        ({"parameters": {"k": 1.0}}, "parameters is None there, {'k': 1.0} here"),
        ({"times": [1.0]}, "times is .* here"),
        ({"net": telegraph(k=3.0)}, "network is"),
    ],
)
def test_a_folder_of_another_request_is_refused(tmp_path, other, words):
    request = {"net": telegraph(), "times": TIMES, "n": 100, "seed": 3}
    simulate_ssa(**request, store=tmp_path / "a")
    with pytest.raises(ConfigError, match=f"another request: {words}"):
        simulate_ssa(**(request | other), store=tmp_path / "a")


def test_what_is_no_store(tmp_path):
    (tmp_path / "mine.txt").write_text("words")
    with pytest.raises(ConfigError, match="holds something else"):
        simulate_ssa(telegraph(), TIMES, n=10, store=tmp_path)
    with pytest.raises(ConfigError, match="record='moments', which keeps no trajectories"):
        simulate_ssa(telegraph(), TIMES, n=10, store=tmp_path / "a", record="moments")
    with pytest.raises(ConfigError, match="store: found 7"):
        simulate_ssa(telegraph(), TIMES, n=10, store=7)
    with pytest.raises(DataError, match="manifest.json"):
        load_ensemble(tmp_path / "none")
    files.write_manifest(tmp_path, kind="run")
    with pytest.raises(DataError, match="field kind: found 'run', expected 'trajectories'"):
        load_ensemble(tmp_path)
    with pytest.raises(ConfigError, match="holds 'run'"):
        simulate_ssa(telegraph(), TIMES, n=10, store=tmp_path)


def test_damage_is_seen(tmp_path):
    place = tmp_path / "a"
    simulate_ssa(telegraph(), TIMES, n=100, store=place)
    for name, text in (("finished.txt", "0 many lanes32\n"), ("network.json", "{}"), ("states.npy", "no array")):
        old = (place / name).read_bytes()
        (place / name).write_text(text)
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            load_ensemble(place)
        (place / name).write_bytes(old)
    with (place / "states.npy").open("r+b") as stream:
        stream.truncate(1000)
    with pytest.raises(DataError, match="no array of trajectories"):
        load_ensemble(place)


def test_two_at_once_and_a_full_disk(tmp_path, monkeypatch):
    with files.lock(tmp_path / "a"), pytest.raises(SciMLError, match="in use by process"):
        simulate_ssa(telegraph(), TIMES, n=100, store=tmp_path / "a")
    with pytest.raises(ConfigError, match=r"GiB are needed, .* GiB are free"):
        simulate_ssa(telegraph(), TIMES, n=10**12, store=tmp_path / "b", start="given", budget=None)


MANY = """
import json, sys
from pathlib import Path
import numpy as np
from sciml.biology import load_sbml, simulate_ssa
from sciml.biology.simulation import records, trajectories

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

model, folder, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
records._BLOCK_BYTES = trajectories._PART_BYTES = int(sys.argv[4])
net, times, most = load_sbml(model), np.linspace(0, 10, 101), 0.0
simulate_ssa(net, times, n=64, store=folder + "-few").mean
before = anonymous()

def watch(*_):
    global most
    most = max(most, anonymous())

blocks = records.run_blocks
def watched(n, work, **options):
    def each(first, count, signals):
        work(first, count, signals)
        watch()
    return blocks(n, each, **options)
records.run_blocks = watched
found = simulate_ssa(net, times, n=n, seed=1, store=folder, threads=1)
found.mean, found.std
watch()
distinct = len({hash(row.tobytes()) for row in found.counts})
print(json.dumps({"grown": most - before, "distinct": distinct, "array": found.counts.nbytes / 2**20}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says of a process")
@pytest.mark.parametrize(("n", "block"), [(10_000, 1 << 20), pytest.param(100_000, 1 << 24, marks=pytest.mark.long)])
def test_memory_is_flat_and_all_trajectories_are_distinct(tmp_path, n, block, measured):
    """Whole trajectories of the pathway at 101 times: memory of the process grows by a few blocks, not by the array."""
    command = [sys.executable, "-c", MANY, str(ROOT / "tests/data/sbml/pathway.xml"), str(tmp_path / "a"), str(n), str(block)]
    found = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    measured(f"{n:,} whole trajectories of the pathway at 101 times, on the disk", f"{found['distinct']:,} distinct", f"{n:,}")
    measured(f"... memory beside an array of {found['array']:.0f} MiB", f"+{found['grown']:.0f} MiB", "flat")
    assert found["distinct"] == n
    assert found["grown"] < 10 + 6 * block / 2**20 < found["array"] / 2
