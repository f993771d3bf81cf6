"""A child gives its answer or a DataError that says what ended it; nothing reaches the parent another way."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml import sandbox
from sciml.errors import ConfigError, DataError, ModelFileError

ROOT = Path(__file__).resolve().parent.parent
limited = pytest.mark.skipif(not sandbox.limits()["memory"], reason="this platform does not limit memory")


def name(function):
    return f"tests.sandbox_functions:{function}"


def test_answer_comes_back_whole():
    record, arrays = sandbox.run(name("double"), [1, 2.5, -3], "y")
    assert record["name"] == "y"
    assert math.isnan(record["nan"])
    np.testing.assert_array_equal(arrays["twice"], [2, 5, -6])
    assert arrays["twice"].dtype == np.float64
    assert arrays["flags"].dtype == np.bool_


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=8)
@given(st.lists(json_values, max_size=3))
def test_arguments_pass_unchanged(args):
    assert sandbox.run(name("echo"), *args)[0]["args"] == args


def test_paths_pass_as_text(tmp_path):
    assert sandbox.run(name("echo"), tmp_path)[0]["args"] == [str(tmp_path)]


def test_arguments_that_are_no_json():
    with pytest.raises(ConfigError, match="arguments must be JSON or paths"):
        sandbox.run(name("echo"), object())


def test_what_a_parser_prints_does_not_mix_with_the_answer():
    assert sandbox.run(name("chatter"))[0] == {"done": True}


def test_environment_of_the_parent_stays_there(monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "secret-7351")
    environment = sandbox.run(name("environment"))[0]
    assert "secret-7351" not in environment.values()
    assert environment["OMP_NUM_THREADS"] == "1"


def test_child_starts_light():
    modules = sandbox.run("tests.sandbox_functions:loaded")[0]["modules"]
    assert not {"torch", "ase", "pymatgen", "scipy", "multiprocessing"} & set(modules)


def test_child_finds_the_package_from_another_folder(tmp_path):
    (tmp_path / "own.py").write_text("def f():\n    return {'from': 'own'}, {}\n")
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}, '']\nfrom sciml import sandbox; print(sandbox.run('own:f')[0]['from'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "own\n", done.stderr


ENDS = {
    "stumble": "the.cif: cannot be read: KeyError: 'lattice'",
    "deep": "the.cif: cannot be read: RecursionError",
    "crash": r"the.cif: the reading process crashed \(SIGSEGV\)",
    "abort": r"the.cif: the reading process crashed \(SIGABRT\)",
    "killed": r"the.cif: the reading process was killed \(SIGKILL\)",
    "leave": "the.cif: the reading process ended early with code 7",
    "objects": "Object arrays cannot be saved",
    "not_a_pair": "the.cif: cannot be read: TypeError",
    "not_json": "the.cif: cannot be read: TypeError",
    "half_answer": "the reading process ended early with code 0",
    "false_answer": "an answer that cannot be read",
    "connect": "a reader may not do this: socket.getaddrinfo",
    "start_process": "a reader may not do this: subprocess.Popen",
    "fork": "a reader may not do this: os.fork",
    "unpickle": "a reader may not do this: pickle.find_class",
}


@pytest.mark.parametrize("function", ENDS)
@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_every_end_is_told(function):
    with pytest.raises(DataError, match=ENDS[function]):
        sandbox.run(name(function), "the.cif")


@pytest.mark.parametrize(("function", "error"), [("refuse", DataError), ("refuse_model", ModelFileError)])
def test_own_errors_pass_as_they_are(function, error):
    with pytest.raises(error, match=r"^train.xyz: ") as caught:
        sandbox.run(name(function), "train.xyz")
    assert type(caught.value) is error


def test_long_messages_are_cut():
    with pytest.raises(DataError) as caught:
        sandbox.run(name("long_message"), "a")
    assert len(str(caught.value)) < 11_000


@pytest.mark.parametrize("function", ["nowhere", "tests.none:f", "tests.sandbox_functions:none", "", ":f"])
def test_functions_that_are_none(function):
    with pytest.raises(ConfigError, match=r"no function .* \(module:name\)"):
        sandbox.run(function)


@limited
@pytest.mark.parametrize("gib", [0.5, 1])
def test_memory_limit(gib):
    limit = int(gib * 2**30)
    assert sandbox.run(name("allocate"), limit // 8, memory_bytes=limit)[1]["a"].nbytes == limit // 8
    with pytest.raises(DataError, match=rf"needs more than the memory limit of {gib:.2f} GiB"):
        sandbox.run(name("allocate"), limit, memory_bytes=limit)


@pytest.mark.skipif(not sandbox.limits()["cpu"], reason="this platform does not limit CPU time")
def test_cpu_limit():
    with pytest.raises(DataError, match=r"a.cif: reading it took longer than the limit of 1 s of CPU time"):
        sandbox.run(name("spin"), "a.cif", cpu_seconds=1)


@pytest.mark.parametrize("function", ["sleep", "spin"])
def test_wall_clock(function):
    start = time.monotonic()
    with pytest.raises(DataError, match=r"a.cif: reading it took longer than the limit of 0.5 s \(wall clock\)"):
        sandbox.run(name(function), "a.cif", wall_seconds=0.5)
    assert time.monotonic() - start < 10


def test_an_answer_beyond_reason_is_not_waited_for():
    with pytest.raises(DataError, match=r"announced \d+ bytes at once, at most \d+ are taken"):
        sandbox.run(name("huge_answer"), "a.cif")


@limited
def test_files_written_are_limited(tmp_path):
    with pytest.raises(DataError, match="File too large"):
        sandbox.run(name("endless_file"), tmp_path / "big")
    assert (tmp_path / "big").stat().st_size <= 64 << 20


def test_pieces_come_in_order_from_one_child():
    pieces = list(sandbox.iterate(name("count"), 300))
    assert [record["i"] for record, _ in pieces] == list(range(300))
    assert all((arrays["a"] == record["i"]).all() for record, arrays in pieces)
    assert list(sandbox.iterate(name("count"), 0)) == []


@pytest.mark.parametrize(("what", "message"), [("crash", "crashed"), ("stumble", "KeyError"), ("refuse", "record 3")])
def test_pieces_before_a_failure_arrive(what, message):
    seen = []
    with pytest.raises(DataError, match=message):
        for record, _ in sandbox.iterate(name("count_then"), 5, what):
            seen.append(record["i"])
    assert seen == [0, 1, 2, 3, 4]


def test_a_child_waits_until_its_pieces_are_taken(tmp_path):
    """A full pipe stops it: a reader that is slow holds a few pieces, never the file."""
    pieces = sandbox.iterate(name("note"), tmp_path / "made", 200)
    for _ in range(3):
        next(pieces)
    time.sleep(0.5)
    assert int((tmp_path / "made").read_text()) <= 4
    pieces.close()


def test_a_slow_caller_is_not_the_childs_fault():
    pieces = sandbox.iterate(name("count"), 3, wall_seconds=60)
    next(pieces)
    clock = pieces.gi_frame.f_locals["clock"]
    assert clock.deadline == math.inf  # stopped while the caller works
    assert [record["i"] for record, _ in pieces] == [1, 2]
    assert clock.done.is_set()


@pytest.mark.skipif(not sandbox.limits()["cpu"], reason="this platform does not limit CPU time")
def test_cpu_limit_holds_for_each_piece():
    assert len(list(sandbox.iterate(name("busy"), 4, 0.8, cpu_seconds=1))) == 4
    with pytest.raises(DataError, match="CPU time"):
        list(sandbox.iterate(name("busy"), 2, 4, cpu_seconds=1))


@limited
def test_limits_grow_with_the_record_in_hand():
    """3 times 500 MB do not fit 1 GiB; after `renew` (1 GiB + 20 times the record) they do, before and after small ones."""
    sizes = [1000, 500_000_000, 1000]
    assert [record["bytes"] for record, _ in sandbox.iterate(name("grow"), sizes)] == [3 * size // 8 * 8 for size in sizes]
    with pytest.raises(DataError, match="memory limit"):
        sandbox.run(name("allocate"), 1_500_000_000)


def test_renew_outside_a_child_does_nothing():
    sandbox.renew(10**9)


@pytest.mark.skipif(not Path("/proc").exists(), reason="children are looked for in /proc")
def test_no_child_is_left_behind():
    pieces = sandbox.iterate(name("count"), 1000, 100_000)
    next(pieces)
    assert len(_children()) == 1
    pieces.close()
    assert _children() == []


def _children():
    return [task for part in Path("/proc/self/task").glob("*/children") for task in part.read_text().split()]
