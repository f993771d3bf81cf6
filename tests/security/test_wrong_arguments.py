"""Every public call of biology, and every method of what it returns, with wrong values in each argument: a typed error or an answer.

A new call is walked through by itself where its arguments have names that `VALUES` knows; the test names those that it does not.
"""

from __future__ import annotations

import inspect
import math
import re
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from sciml import biology as bio
from sciml.biology import sbml, summary
from sciml.biology.expressions import symbol
from sciml.biology.simulation import forecast
from sciml.errors import SciMLError

WRONG = [None, 5, -1, 2.5, math.nan, math.inf, "x", "", b"x", True, [], {}, [3], ["x", 5], {"x": 1}, {"k": "a"}, {3: object()}, object()]
NET = bio.Network(
    species={"A": 12, "B": 0},
    parameters={"k": 0.1},
    reactions=[bio.Reaction.parse("r", "A -> B", rate="k"), bio.Reaction.parse("s", "B -> A", rate="k")],
)
PARSE = bio.Reaction.parse
SIGNAL = bio.Network(
    species={"S": 3, "X": 0},
    reactions=[PARSE("in", "-> S", rate=3.0), PARSE("out", "S ->", rate=1.0), PARSE("make", "S -> S + X", rate=1.0),
               PARSE("decay", "X ->", rate=1.0)],
)  # fmt: skip
SERIES = {"B": ([0.0, 1.0, 2.0], [0.0, 2.0, 4.0], 1.0)}
VALUES = {  # what an argument of this name may be
    "net": NET, "model": "telegraph", "problem_or_net": NET, "times": [0.0, 1.0], "wrt": ["k"], "name": "A", "species": "A",
    "parameter": "k", "id": "a", "equation": "A -> B", "rate": "k", "math": symbol("A"), "kind": "assignment", "variable": "B",
    "trigger": symbol("A"), "arguments": ["x"], "body": symbol("x"), "cv": 0.3, "sd": 0.3, "u": 0.5, "t": 1.0, "frequencies": 1.0,
    "condition": "B > 3", "time": 1.0, "extrinsic": {"k": bio.LogNormal(0.3)}, "dose": "k", "doses": [0.1, 0.2], "readout": "B",
    "simulate": bio.simulate_ssa,
}  # fmt: skip
OWN = {  # where the same name means something else, or a call needs more to be quick
    "load_pathway": {"name": "telegraph"},
    "load_antimony": {"text_or_path": "A -> B; k*A\nk = 1; A = 1; B = 0"},
    "scan": {"values": {"k": [0.1, 0.2]}},
    "fit": {"data": SERIES, "parameters": {"k": (0.01, 1.0)}, "starts": 1, "profiles": False},
    "audit": {"n": 100, "end": 1.0},
    "to_sbml": {"network": NET}, "summary": {"network": NET},
    "Function": {"arguments": ("x",)},
    "parse": {"rate": "k"},
    "from_dict": {"data": NET.to_dict()},
    "row": {"name": "same seed, same bits"},
    "apply": {"values": [1.0, 2.0], "seed": 1}, "censored": {"measured": [1.0, 2.0]},
    "trajectory_rate": {"net": SIGNAL, "dose": "S", "readout": "X", "times": [0.5, 1.0], "transient": 0.5, "n": 10, "particles": 2},
    "capacity_of_model": {"n": 4, "times": [1.0]},
    "cell_efficiency": {"p_environment": [0.5, 0.5], "p_ligand_given_environment": [[0.8, 0.2], [0.3, 0.7]],
                        "channel": bio.Channel.from_matrix([[0.9, 0.1], [0.2, 0.8]])},
    "simulate_ssa": {"n": 4}, "simulate_tau": {"n": 4}, "simulate_langevin": {"n": 4}, "noise_parts": {"n": 4},
}  # fmt: skip
METHODS = {"to_sbml": sbml.to_sbml, "summary": summary.summary, "forecast": forecast.forecast}  # of Network, attached at the door
BUILT = {  # classes that a user fills in; all others are results
    "Network", "Species", "Compartment", "Parameter", "Reaction", "Participant", "Rule", "Event", "Function", "Unit", "Units", "LogNormal",
    "Gamma", "Normal", "FitParameter", "Measurement",
}  # fmt: skip
CALLS = [name for name in bio.__all__ if name in BUILT or not inspect.isclass(getattr(bio, name))]
UNTYPED = {"row": KeyError}  # as of a mapping; its text lists the names


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """{call: arguments} of the calls that read a file."""
    folder = tmp_path_factory.mktemp("files")
    NET.to_sbml(folder / "m.xml")
    (folder / "m.net").write_text(
        "begin parameters\n1 k 1\nend parameters\nbegin species\n1 A() 10\n2 B() 0\nend species\nbegin reactions\n1 1 2 k\nend reactions\n"
    )
    bio.simulate_ssa(NET, [0.0, 1.0], n=4, store=folder / "store")
    petab = sorted((Path(__file__).parents[1] / "data" / "petab").glob("0001/_0001.yaml"))
    return {"load_sbml": {"path": folder / "m.xml"}, "load_net": {"path": folder / "m.net"}, "load_petab": {"path": petab[0]},
            "load_ensemble": {"folder": folder / "store"}}  # fmt: skip


def arguments(function, own):
    """A good value for each argument that has no default."""
    found = dict(own)
    for p in inspect.signature(function).parameters.values():
        if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in found:
            assert p.name in VALUES, f"{function.__name__}: give VALUES a good value for {p.name!r}"
            found[p.name] = VALUES[p.name]
    return found


def wrong_calls(function, good):
    """(argument, value, call) for each wrong value of each argument that is not its default."""
    for p in inspect.signature(function).parameters.values():
        if p.kind is p.VAR_POSITIONAL:
            continue
        name = p.name if p.kind is not p.VAR_KEYWORD else "k"
        for value in WRONG:
            if value is p.default or (value == p.default and type(value) is type(p.default)):
                continue
            others = {n: v for n, v in good.items() if n != name}
            if p.kind is p.POSITIONAL_ONLY:
                yield name, value, lambda value=value, others=others: function(value, **others)
            else:
                yield name, value, lambda name=name, value=value, others=others: function(**others, **{name: value})


def faults(label, function, good):
    """What is wrong with how a call takes wrong values: errors of other types, messages that do not help, nonsense that is taken."""
    found = []
    for name, value, call in wrong_calls(function, good):
        where = f"{label}({name}={value!r})"
        try:
            call()
        except SciMLError as error:
            if not str(error) or len(str(error)) > 600 or re.search(r"np\.\w+\d*\(| object at 0x", str(error)):
                found.append(f"{where}: {error}")
        except TypeError as error:
            if "unexpected keyword argument" not in str(error):
                found.append(f"{where}: TypeError: {error}")
        except Exception as error:
            if not isinstance(error, UNTYPED.get(label.rpartition(".")[2], ())):
                found.append(f"{where}: {type(error).__name__}: {error}")
        else:
            if type(value) is object or isinstance(value, bytes):
                found.append(f"{where}: was taken")
    return found


def methods(result):
    """The public methods of a result, by name."""
    own = {n for kind in type(result).__mro__ if kind.__module__.startswith("sciml") for n in vars(kind)}
    own -= METHODS.keys() | ({"to_xarray"} if find_spec("xarray") is None else set())
    return {n: getattr(result, n) for n in sorted(own) if not n.startswith("_") and callable(getattr(type(result), n, None))}


@pytest.mark.parametrize("name", [*CALLS, *METHODS])
def test_wrong_values_end_in_a_typed_error(name, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call = METHODS.get(name) or getattr(bio, name)
    good = arguments(call, {**files, **OWN}.get(name, {}))
    result = call(**good)
    found = faults(name, call, good)
    for method, bound in methods(result).items():
        own = arguments(bound, OWN.get(method, {"t": result.times[-1]} if "t" in inspect.signature(bound).parameters else {}))
        bound(**own)
        found += faults(f"{name}.{method}", bound, own)
    assert found == []


def test_a_call_without_checks_is_found():
    def careless(net, times: float = 1.0) -> float:
        return net.species[0].initial + times

    found = faults("careless", careless, {"net": NET})
    assert "careless(net=None): AttributeError: 'NoneType' object has no attribute 'species'" in found
    assert any(line.startswith("careless(times='x'): TypeError") for line in found)
    assert any(line.endswith("was taken") for line in faults("open", lambda net: net, {"net": NET}))


CHANNELS = {
    "from_matrix": {"p_y_given_x": [[0.5, 0.5], [0.1, 0.9]]},
    "from_table": {"source": pd.DataFrame({"dose": [0.0, 1.0, 1.0], "response": [1.0, 2.0, 3.0]})},
    "from_network": {"net": NET, "dose": "k", "readout": "B", "doses": [0.1, 0.2], "times": [0.0, 1.0], "n": 4},
    "from_dataset": {"name": "lac-cells", "strain": "O1-HG104"},
}


@pytest.mark.parametrize("name", CHANNELS)
def test_channels_of_wrong_values_end_in_a_typed_error(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make = getattr(bio.Channel, name)
    channel = make(**CHANNELS[name])
    found = faults(name, make, CHANNELS[name])
    for method, good in {"with_readout": {"readout": channel.names[0]}, "at": {"times": 1.0}, "sample": {"n": 3}}.items():
        found += faults(f"{name}.{method}", getattr(channel, method), good)
    assert found == []
