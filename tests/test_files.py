"""Whole or absent: every write, rename and flush fails once, processes are killed, bits are flipped."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciml import files
from sciml.errors import ConfigError, DataError, SciMLError
from tests.faulty_system import FaultyOs

ROOT = Path(__file__).resolve().parent.parent
OLD, NEW = b"old content\n", bytes(range(256)) * 40
FAULTS = [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, errno.EDQUOT, "short"]


def left_over(folder):
    return [p.name for p in folder.iterdir() if "sciml-tmp" in p.name]


# --- what is written comes back -------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=2000))
def test_bytes_come_back(data):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a")
        files.write_bytes(path, data)
        assert path.read_bytes() == data
        assert files.digest(path) == files.digest(data) == hashlib.sha256(data).hexdigest()
        assert os.listdir(folder) == ["a"]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_json_comes_back(value):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        files.write_json(Path(folder, "a.json"), value)
        assert files.read_json(Path(folder, "a.json")) == value


def test_json_is_sorted_and_indented(tmp_path):
    files.write_json(tmp_path / "a", {"b": 1, "a": [2]})
    assert (tmp_path / "a").read_text() == '{\n "a": [\n  2\n ],\n "b": 1\n}\n'


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": object()}, {1: 2, "1": {3}}])
def test_what_is_no_json_is_refused_and_the_old_stays(tmp_path, value):
    files.write_json(tmp_path / "a.json", 1)
    with pytest.raises(DataError, match=r"a.json: not written, this cannot be JSON: "):
        files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == 1


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"a": Infinity}', "[" * 100_000, "1 2", b"\xff\xfe", '"\\ud800'])
def test_json_that_is_none(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=r"a.json: not a JSON file: "):
        files.read_json(tmp_path / "a.json")


def test_text_keeps_its_line_ends(tmp_path):
    files.write_text(tmp_path / "a", "ä\r\nb\n")
    assert (tmp_path / "a").read_bytes() == "ä\r\nb\n".encode()


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_mode_follows_the_users_mask(tmp_path):
    before = os.umask(0o027)
    try:
        files.write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_part_is_put_in_its_place(tmp_path):
    path = tmp_path / "a"
    files.write_bytes(path, b"0123456789")
    files.write_part(path, 3, memoryview(b"abc"))
    files.write_part(path, 9, b"xyz")
    assert path.read_bytes() == b"012abc678xyz"
    with pytest.raises(SciMLError, match=r"none: a part of it could not be written: No such file"):
        files.write_part(tmp_path / "none", 0, b"a")


@pytest.mark.parametrize("call", ["open", "write", "fsync"])
def test_a_part_that_cannot_be_written_is_said(tmp_path, monkeypatch, call):
    files.write_bytes(tmp_path / "a", b"0123456789")
    layer = FaultyOs(("open", "write", "fsync").index(call), errno.ENOSPC)
    monkeypatch.setattr(files, "os", layer)
    with pytest.raises(SciMLError, match="a: a part of it could not be written: No space left"):
        files.write_part(tmp_path / "a", 2, b"abcdef")
    assert layer.calls[-1][0] == call


# --- every fault at every point -------------------------------------------------------------------------------------------------------


def write_file(folder):
    files.write_bytes(folder / "a", NEW)


def write_stream(folder):
    with files.write_stream(folder / "a") as stream:
        for start in range(0, len(NEW), 1000):
            stream.write(NEW[start : start + 1000])


def write_folder(folder):
    with files.write_folder(folder / "a") as place:
        (place / "sub").mkdir()
        files.write_bytes(place / "x", NEW)
        (place / "sub" / "y").write_bytes(NEW)


def old_file(folder):
    (folder / "a").write_bytes(OLD)


def old_folder(folder):
    (folder / "a" / "sub").mkdir(parents=True)
    (folder / "a" / "x").write_bytes(OLD)
    (folder / "a" / "sub" / "y").write_bytes(OLD)


def content(folder):
    """Everything below `folder`, as name -> bytes."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


WRITERS = {"file": (write_file, old_file), "stream": (write_stream, old_file), "folder": (write_folder, old_folder)}
SETTINGS = [
    (kind, older, exchange) for kind in WRITERS for older in (False, True) for exchange in ((True, False) if kind == "folder" else (True,))
]


@pytest.mark.parametrize(("kind", "older", "exchange"), SETTINGS)
def test_every_fault_leaves_the_old_or_the_new(tmp_path, monkeypatch, kind, older, exchange):
    """Each write, flush and rename in turn, each fault: a clear error or the whole result; the next try succeeds."""
    write, make_old = WRITERS[kind]
    if not exchange:
        monkeypatch.setattr(files, "_exchange", lambda first, second: False)

    def trial(folder, at, fault):
        folder.mkdir()
        if older:
            make_old(folder)
        before, layer, error = content(folder), FaultyOs(at, fault), None
        with monkeypatch.context() as patch:
            patch.setattr(files, "os", layer)
            try:
                write(folder)
            except SciMLError as caught:
                error = str(caught)
        return before, content(folder), error, layer.calls

    _, new, error, calls = trial(tmp_path / "whole", None, None)
    assert error is None
    assert len(calls) >= 3
    for number in range(len(calls)):
        for fault in FAULTS:
            folder = tmp_path / f"{number}-{fault}"
            before, after, error, made = trial(folder, number, fault)
            assert after in (before, new), (made[number], fault)
            assert not left_over(folder), (made[number], fault)
            if error is None:
                assert after == new
            else:
                assert str(folder) in error
                assert "could not be written" in error or "could not be flushed" in error
                assert ("unchanged" in error) == (after == before)
            write(folder)
            assert content(folder) == new


def test_a_short_write_is_finished(tmp_path, monkeypatch):
    class Slow(FaultyOs):
        def _call(self, name, real, args, kwargs):
            return real(args[0], bytes(args[1])[:7]) if name == "write" else real(*args, **kwargs)

    monkeypatch.setattr(files, "os", Slow())
    files.write_bytes(tmp_path / "a", NEW)
    files.append_line(tmp_path / "b", "x" * 50)
    assert (tmp_path / "a").read_bytes() == NEW
    assert files.read_lines(tmp_path / "b") == ["x" * 50]


@pytest.mark.parametrize("kind", WRITERS)
def test_flush_before_rename_and_the_folder_after(tmp_path, monkeypatch, kind):
    """Power-cut order: every file written is flushed before the rename that shows it, its folder after."""
    layer = FaultyOs()
    with monkeypatch.context() as patch:
        patch.setattr(files, "os", layer)
        WRITERS[kind][0](tmp_path)
    names = [name for name, _ in layer.calls]
    last = max(i for i, name in enumerate(names) if name in ("replace", "rename"))
    assert layer.calls[last][1][1] == str(tmp_path / "a")
    assert "fsync" in names[:last]
    assert [c for c in layer.calls[last + 1 :] if c[0] == "fsync"] == [("fsync", str(tmp_path))]
    if kind == "folder":
        flushed = {Path(str(subject)).name for name, subject in layer.calls[:last] if name == "fsync"}
        assert {"x", "y", "sub"} <= flushed
        assert any(name.startswith(".a.") for name in flushed)


@pytest.mark.parametrize("kind", WRITERS)
def test_an_error_of_the_caller_leaves_the_old(tmp_path, monkeypatch, kind):
    if kind == "file":
        return
    WRITERS[kind][1](tmp_path)
    before = content(tmp_path)
    with pytest.raises(KeyError), (files.write_folder if kind == "folder" else files.write_stream)(tmp_path / "a") as target:
        (target / "new").write_bytes(b"") if kind == "folder" else target.write(b"new")
        raise KeyError
    assert content(tmp_path) == before
    assert not left_over(tmp_path)


@pytest.mark.parametrize("error", [KeyError(), KeyboardInterrupt(), SystemExit(143)])
def test_records_written_before_an_error_are_kept(tmp_path, error):
    old_file(tmp_path)
    with pytest.raises(type(error)), files.write_records(tmp_path / "a") as stream:
        stream.write(b"first\n")
        assert content(tmp_path)["a"] == OLD
        raise error
    assert content(tmp_path) == {"a": b"first\n"}


@pytest.mark.parametrize("withdrawn", [b"", b"first\n"])
def test_without_records_an_error_leaves_the_old(tmp_path, withdrawn):
    old_file(tmp_path)
    with pytest.raises(KeyError), files.write_records(tmp_path / "a") as stream:
        stream.write(withdrawn)
        stream.truncate(stream.seek(0))
        raise KeyError
    assert content(tmp_path) == {"a": OLD}


def test_records_without_an_error(tmp_path):
    with files.write_records(tmp_path / "a") as stream:
        stream.write(b"first\n")
        stream.write(b"second\n")
    assert content(tmp_path) == {"a": b"first\nsecond\n"}


def test_an_os_error_about_another_file_passes(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(FileNotFoundError), files.write_folder(tmp_path / "out" / "a"):
        (ROOT / "no-such-file").read_bytes()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(SciMLError, match="could not be written: Permission denied"):
        files.write_bytes(tmp_path / "a", b"")


def test_missing_folder(tmp_path):
    for write in (write_file, write_folder, write_stream, lambda folder: files.append_line(folder / "a", "x")):
        with pytest.raises(SciMLError, match="could not be written: No such file or directory"):
            write(tmp_path / "nowhere")


# --- kills ----------------------------------------------------------------------------------------------------------------------------

KILLED = """
import itertools, os, sys
from pathlib import Path
from sciml import files
folder = Path(sys.argv[1])
for n in itertools.count():
    with files.write_folder(folder / "state") as place:
        for part in range(4):
            (place / f"{part}").write_text(f"{n}\\n" * 2000)
    files.write_json(folder / "last.json", {"n": n, "filling": "x" * 20000})
    files.append_line(folder / "log", f"{n} " + "y" * 5000)
"""


def kill_and_look(folder, kills, seed):
    """Kill a writer at random times; after each, whatever is there is whole and no older than the last line says."""
    chance, newest = random.Random(seed), -1
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], cwd=ROOT)
        while not (folder / "last.json").exists() or not (folder / "log").exists():
            time.sleep(0.01)
        time.sleep(chance.uniform(0.15, 0.5))
        process.kill()
        process.wait()
        states = {(folder / "state" / str(part)).read_text() for part in range(4)}
        assert len(states) == 1
        (text,) = states
        assert text.count("\n") == 2000
        assert len(set(text.split())) == 1
        lines = files.read_lines(folder / "log")
        assert all(line.endswith(" " + "y" * 5000) for line in lines)
        newest = int(text.split()[0])
        assert files.read_json(folder / "last.json")["n"] in (newest, newest - 1)
    return newest


def test_killed_writers_leave_whole_results(tmp_path):
    assert kill_and_look(tmp_path, 3, 0) >= 0
    write_folder(tmp_path)
    files.sweep(tmp_path)
    assert not left_over(tmp_path)


@pytest.mark.long
def test_killed_writers_leave_whole_results_long(tmp_path, measured):
    kill_and_look(tmp_path, 200, 1)
    measured("kill -9 of a writer, unreadable results of 200", 0, "0")


def test_left_overs_of_the_living_stay(tmp_path):
    mine = files._temporary(tmp_path / "a")
    other = Path(str(mine).replace(f"-{os.getpid()}-", "-4194303999-"))
    far = Path(str(mine).replace(files._host(), "00000000"))
    for path in (mine, other, far):
        path.touch()
    assert files.sweep(tmp_path) == 0 or not other.exists()
    assert mine.exists()
    assert far.exists()
    os.utime(far, (0, 0))
    assert files.sweep(tmp_path) == 1
    assert not far.exists()


# --- lines ----------------------------------------------------------------------------------------------------------------------------

lines = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=30), max_size=6)


@given(lines, st.data())
def test_torn_last_line_is_dropped_and_cut_off(texts, data):
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        for text in texts:
            files.append_line(path, text)
        assert (files.read_lines(path) if texts else []) == texts
        whole = path.read_bytes() if texts else b""
        torn = whole[: data.draw(st.integers(0, len(whole)))]
        path.write_bytes(torn)
        kept = texts[: torn.count(b"\n")]
        assert files.read_lines(path) == kept
        files.append_line(path, "next", durable=True)
        assert files.read_lines(path) == [*kept, "next"]


def test_torn_line_longer_than_a_block(tmp_path):
    files.append_line(tmp_path / "log", "first")
    with (tmp_path / "log").open("ab") as file:
        file.write(b"z" * 10_000)
    files.append_line(tmp_path / "log", "second")
    assert (tmp_path / "log").read_bytes() == b"first\nsecond\n"


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_while_a_line_is_appended(tmp_path, monkeypatch, fault):
    files.append_line(tmp_path / "log", "first")
    for number in range(3):
        layer = FaultyOs(number, fault)
        with monkeypatch.context() as patch:
            patch.setattr(files, "os", layer)
            with (
                pytest.raises(SciMLError, match="log: could not be written") if layer_fails(number, fault) else pytest.MonkeyPatch.context()
            ):
                files.append_line(tmp_path / "log", "second", durable=True)
        assert files.read_lines(tmp_path / "log")[0] == "first"
        assert (tmp_path / "log").read_bytes().endswith(b"\n")
        (tmp_path / "log").write_bytes(b"first\n")


def layer_fails(number, fault):
    """Calls of append_line: open, write, fsync; a short write can only happen at the write."""
    return fault != "short" or number == 1


@pytest.mark.parametrize("text", ["a\nb", "a\n", "\r"])
def test_a_line_is_one_line(tmp_path, text):
    with pytest.raises(ConfigError, match="a line to append holds a line break"):
        files.append_line(tmp_path / "log", text)


def test_lines_that_are_no_text(tmp_path):
    (tmp_path / "log").write_bytes(b"good\n\xff\xfe\nmore\n")
    with pytest.raises(DataError, match=r"log: line 1 \(from 0\) is not UTF-8 text"):
        files.read_lines(tmp_path / "log")
    with pytest.raises(DataError, match="none: cannot be read: No such file"):
        files.read_lines(tmp_path / "none")


# --- locks ----------------------------------------------------------------------------------------------------------------------------

RACER = """
import sys, time
from pathlib import Path
from sciml import errors, files
folder = Path(sys.argv[1])
Path(sys.argv[2]).touch()
while not (folder.parent / "go").exists():
    time.sleep(0.001)
try:
    with files.lock(folder):
        files.append_line(folder / "winners", sys.argv[2])
        while not (folder.parent / "stop").exists():
            time.sleep(0.01)
except errors.ConfigError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def test_eight_race_and_one_wins(tmp_path):
    folder = tmp_path / "run"
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, str(folder), str(tmp_path / f"r{i}")], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for i in range(8)
    ]
    while len(list(tmp_path.glob("r[0-9]"))) < 8:
        time.sleep(0.01)
    (tmp_path / "go").touch()
    while sum(racer.poll() is not None for racer in racers) < 7:
        time.sleep(0.01)
    (tmp_path / "stop").touch()
    told = [racer.communicate()[0] for racer in racers]
    assert sorted(racer.returncode for racer in racers) == [0] + [2] * 7
    winner = next(racer for racer in racers if racer.returncode == 0)
    assert len(files.read_lines(folder / "winners")) == 1
    for text in filter(None, told):
        assert f"{folder}: in use by process {winner.pid} on " in text
        assert "choose another folder" in text
    assert not (folder / ".lock-holder.json").exists()
    with files.lock(folder):
        pass


def test_a_killed_holder_frees_the_lock(tmp_path):
    (tmp_path / "go").touch()
    process = subprocess.Popen([sys.executable, "-c", RACER, str(tmp_path / "run"), str(tmp_path / "r")], cwd=ROOT)
    while not (tmp_path / "run" / "winners").exists():
        time.sleep(0.01)
    with pytest.raises(ConfigError, match=f"in use by process {process.pid} on"), files.lock(tmp_path / "run"):
        pass
    process.kill()
    process.wait()
    left = Path(str(files._temporary(tmp_path / "run" / "x")).replace(f"-{os.getpid()}-", f"-{process.pid}-"))
    left.touch()
    with files.lock(tmp_path / "run"):
        assert not left.exists()
        assert files.read_json(tmp_path / "run" / ".lock-holder.json")["pid"] == os.getpid()
        with pytest.raises(ConfigError, match=f"in use by process {os.getpid()}"), files.lock(tmp_path / "run"):
            pass


def test_lock_where_no_folder_can_be(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SciMLError, match="could not be written"), files.lock(tmp_path / "file"):
        pass


# --- digests and the manifest ---------------------------------------------------------------------------------------------------------


def test_digest_of_a_folder_sees_names_and_contents(tmp_path):
    seen = set()
    for name, data in (("a", b"1"), ("a", b"2"), ("b", b"1"), ("sub/a", b"1")):
        folder = tmp_path / f"{name}-{data.decode()}".replace("/", "_")
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(data)
        seen.add(files.digest(folder))
    assert len(seen) == 4
    with pytest.raises(DataError, match="nowhere: cannot be read"):
        files.digest(tmp_path / "nowhere")


@pytest.fixture
def run_folder(tmp_path):
    files.write_bytes(tmp_path / "weights", NEW)
    files.write_text(tmp_path / "table", "a,b\n1,2\n")
    files.write_manifest(tmp_path, kind="run", seed=3, config={"steps": 5}, data={"train": files.digest(NEW)}, files=("weights", "table"))
    return tmp_path


def test_manifest_says_what_was_made(run_folder):
    manifest = files.verify_folder(run_folder)
    assert (manifest["kind"], manifest["seed"], manifest["config"], manifest["format"]) == ("run", 3, {"steps": 5}, 1)
    assert manifest["versions"]["python"] == sys.version.split()[0]
    assert manifest["versions"]["torch"]
    assert manifest["files"]["weights"] == hashlib.sha256(NEW).hexdigest()
    assert manifest["date"].endswith("+00:00")


def damaged(folder, flips, cuts, seed):
    """How many flipped bits and cuts, spread over the files of the folder, go unseen."""
    chance, unseen = random.Random(seed), 0
    names = ["weights", "table", "manifest.json"]
    for trial in range(flips + cuts):
        path = folder / names[trial % 3]
        whole = path.read_bytes()
        broken = bytearray(whole)
        if trial < flips:
            broken[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        else:
            del broken[chance.randrange(len(whole)) :]
        path.write_bytes(broken)
        try:
            unseen += files.verify_folder(folder) is not None and bytes(broken).split() != whole.split()
        except DataError as error:
            assert str(folder) in str(error)
        path.write_bytes(whole)
    files.verify_folder(folder)
    return unseen


def test_flipped_bits_and_cuts_are_seen(run_folder):
    assert damaged(run_folder, 300, 60, 0) == 0


@pytest.mark.long
def test_flipped_bits_and_cuts_are_seen_long(run_folder, measured):
    unseen = damaged(run_folder, 1000, 100, 1)
    measured("damage unseen, 1,000 flipped bits and 100 cuts of a result folder", unseen, "0")
    assert unseen == 0


def test_newer_and_foreign_manifests_are_refused(run_folder):
    path = run_folder / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(DataError, match="field format: found 99, this sciml reads up to 1; install a newer sciml"):
        files.read_manifest(run_folder)
    path.write_text("[1]")
    with pytest.raises(DataError, match="this is no manifest of sciml"):
        files.read_manifest(run_folder)
    path.write_text(json.dumps({**manifest, "seed": 4}))
    with pytest.raises(DataError, match="the file was damaged or edited"):
        files.read_manifest(run_folder)
    path.unlink()
    with pytest.raises(DataError, match=r"manifest.json: cannot be read: No such file"):
        files.read_manifest(run_folder)


def test_a_named_file_that_is_gone(run_folder):
    (run_folder / "table").unlink()
    with pytest.raises(DataError, match="table: cannot be read"):
        files.verify_folder(run_folder)


def test_manifests_hold_no_environment(run_folder, monkeypatch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("secret")
    monkeypatch.setenv("A_TOKEN", "secret-81723")
    files.write_manifest(folder, kind="run")
    with files.lock(folder):
        assert all(b"secret-81723" not in p.read_bytes() for p in folder.rglob("*") if p.is_file())
