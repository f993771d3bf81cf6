"""Published models from reading to trajectories: libRoadRunner's answers, writing and reading again, the same bits afterwards.

The reference is made by benchmarks/biology/biomodels_reference.py.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sciml import biology as bio
from sciml.biology.formula import parse
from sciml.biology.kernels.compiled import system_of
from sciml.biology.kernels.source import function_source
from sciml.biology.sbml import molecules_per_unit
from sciml.biology.simulation.molecules import in_molecules
from sciml.errors import DataError

FOLDER = Path(__file__).parents[1] / "data" / "biomodels"
REFERENCE = np.load(FOLDER / "reference.npz")
ENDS = {int(name.removesuffix(".end")): float(REFERENCE[name]) for name in REFERENCE.files if name.endswith(".end")}
ANSWERED = sorted(ENDS)
ENDS[122] = 600.0
GATE = (3, 59, 122, 140, 156, 270)


def selected(numbers):
    """Models as parameters; those outside the gate are long."""
    return [pytest.param(n, marks=() if n in GATE else pytest.mark.long) for n in numbers]


COUNTED_UP_TO = 1e7


@cache
def model(number: int) -> bio.Network:
    return bio.load_sbml(FOLDER / f"BIOMD{number:010d}.xml.gz")


@cache
def again(number: int, folder: Path) -> bio.Network:
    path = folder / f"{number}.xml"
    model(number).to_sbml(path)
    return bio.load_sbml(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("written")


@pytest.mark.parametrize("number", selected(ANSWERED))
def test_as_roadrunner_answers(number, measured):
    """|a - b| <= 1e-5 |b| + 1e-9 max |b| at 101 times."""
    names, wanted = list(REFERENCE[f"{number}.names"]), REFERENCE[f"{number}.amounts"]
    run = bio.simulate_ode(model(number), np.linspace(0, ENDS[number], 101))
    found = np.stack([run.amounts[:, run.species.index(name)] for name in names], axis=1)
    allowed = 1e-5 * np.abs(wanted) + 1e-9 * np.abs(wanted).max(axis=0)
    worst = float((np.abs(found - wanted) / np.where(allowed > 0, allowed, 1e-300)).max())
    measured(f"BIOMD{number}: largest error in units of what is allowed", worst, 1)
    assert worst <= 1


def test_pulses_by_events_are_those_of_a_rule():
    """BIOMD122 pulses calcium for 10 s in each 100 s by two events that wait for each other; written as a rule of time it is the same."""
    net = model(122)
    pulse = bio.Rule("assignment", parse("piecewise(1, rem(time, 100) < 10, 0.1)"), "Ca_Cyt")
    rules = [pulse, bio.Rule("assignment", pulse.math, "Ca_Nuc")]
    ruled = net.with_(without=[e.id for e in net.events], rules=rules)
    times = np.linspace(0, 595, 101)
    a, b = (bio.simulate_ode(n, times) for n in (net, ruled))
    moving = [s for s in a.species if s.startswith(("NFAT", "Act"))]
    assert len(moving) > 5
    for name in moving:
        np.testing.assert_allclose(a.select(name), b.select(name), rtol=1e-5, atol=1e-8 * np.abs(b.select(name)).max())


@pytest.mark.parametrize("number", selected(sorted(ENDS)))
def test_written_and_read_again(number, folder):
    import libsbml

    net, other = model(number), again(number, folder)
    assert net.digest == other.digest and len(net.annotations) == len(other.annotations)
    document = libsbml.readSBMLFromFile(str(folder / f"{number}.xml"))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.checkConsistency()
    assert document.getNumErrors(libsbml.LIBSBML_SEV_ERROR) + document.getNumErrors(libsbml.LIBSBML_SEV_FATAL) == 0
    times = np.linspace(0, ENDS[number] / 10, 5)
    a, b = (bio.simulate_ode(n, times).amounts for n in (net, other))
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * np.abs(a).max())


@pytest.mark.parametrize("number", selected(sorted(ENDS)))
def test_the_same_bits_after_writing(number, folder, measured):
    """Equal trajectories where there are fewer than 1e7 molecules, else equal source and equal propensities at the start."""
    net, other = model(number), again(number, folder)
    options = {"initial": "round"} | ({"substance": "item"} if molecules_per_unit(net, None).per_substance is None else {})
    try:
        runs = [in_molecules(n, 1, 0, **options) for n in (net, other)]
    except DataError as error:
        measured(f"BIOMD{number}: refused by stochastic calls", str(error)[:80])
        systems = [system_of(n) for n in (net, other)]
        assert same([(s.graph, s.rates, len(s.parameters), *s.begin()) for s in systems])
        return
    sources = [(m.jumps.graph, [c.node for c in m.jumps.channels], m.parameters.shape[1], m.start[0], m.parameters[0]) for m in runs]
    assert same(sources)
    if runs[0].start.max(initial=0) < COUNTED_UP_TO:
        rate = float(sum(propensities(sources[0])))
        end = ENDS[number] / 1000
        times = [min(end, 1e4 / rate) if rate > 0 else end]
        a, b = (bio.simulate_ssa(n, times, n=2, seed=3, **options) for n in (net, other))
        assert (np.asarray(a.counts) == np.asarray(b.counts)).all()
        measured(f"BIOMD{number}: equal trajectories over about 1e4 events", a.kernel)
    else:
        measured(f"BIOMD{number}: equal source and propensities", f"{runs[0].start.max():.3g} molecules")


def propensities(source) -> list[float]:
    graph, nodes, _, y, p = source
    return [float(v) for v in graph.evaluate(nodes, states=list(y), params=list(p))]


def same(sources) -> bool:
    """Equal text and equal values at the start, to the last bit."""
    texts = [function_source(graph, nodes, count) for graph, nodes, count, _, _ in sources]
    a, b = (np.array(propensities(source)) for source in sources)
    return texts[0] == texts[1] and a.tobytes() == b.tobytes()
