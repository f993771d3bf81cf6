"""Results as sections of a report: the numbers drawn are those of the result, and all stand in tables beside."""

from __future__ import annotations

import numpy as np
import pytest

from sciml.biology.datasets import load_pathway
from sciml.biology.network import Network, Reaction, Units
from sciml.biology.result_figures import distribution_section, dose_section, network_section, trace_section
from sciml.biology.simulation.ode import simulate_ode
from sciml.biology.simulation.ssa import simulate_ssa
from sciml.errors import ConfigError
from sciml.report import Figure, Table, Text, load_report, write_report

NET = Network(
    species={"A": 1000.0, "B": 0, "rare": 2, "still": 3},
    units=Units(substance="item"),
    reactions=[Reaction.parse("r", "A -> B", rate=0.5), Reaction.parse("q", "rare ->", rate=0.5)],
)
TIMES = [0, 1, 2]


def of(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def test_deterministic_traces():
    run = simulate_ode(NET, TIMES)
    section = trace_section(run, unit="molecules", time_unit="s")
    assert [f.name for f in of(section, Figure)] == ["A, B", "rare"]
    (table,) = of(section, Table)
    assert list(table.columns) == ["time", "A", "B", "rare"]
    assert table.columns["A"] == run.select("A").tolist()
    first = of(section, Figure)[0].traces[0]
    assert (first["x"], first["y"]) == (TIMES, run.select("A").tolist())


def test_stochastic_traces_have_their_spread():
    runs = simulate_ssa(NET, TIMES, n=50, seed=3)
    (table,) = of(trace_section(runs, ["B"]), Table)
    assert table.columns["B"] == pytest.approx(runs.counts[..., 1].mean(axis=0))
    assert table.columns["B (sd)"] == pytest.approx(runs.counts[..., 1].std(axis=0, ddof=1))
    figure = of(trace_section(runs, ["B"]), Figure)[0]
    assert len(figure.traces) == 2  # band and line
    with pytest.raises(ConfigError, match="species: 'Bb' is none of the model; did you mean 'B'"):
        trace_section(runs, ["Bb"])
    with pytest.raises(ConfigError, match="a batch"):
        trace_section(simulate_ode(NET, TIMES, {"A": np.array([1.0, 2.0])}))


def test_distributions():
    runs = simulate_ssa(NET, TIMES, n=50, seed=3)
    section = distribution_section(runs)
    assert [f.name for f in of(section, Figure)] == ["A at the end", "B at the end", "rare at the end"]
    assert sum(of(section, Figure)[1].traces[0]["y"]) == 50
    assert of(section, Table)[0].columns["B"] == runs.counts[:, -1, 1].tolist()


def test_dose_and_response_are_sorted():
    section = dose_section("L", [10, 0.1, 1], {"P": ([3, 1, 2], [0.3, 0.1, 0.2]), "Q": ([6, 4, 5], None)})
    (table,) = of(section, Table)
    assert table.columns == {"L": [0.1, 1, 10], "P": [1, 2, 3], "P (sd)": [0.1, 0.2, 0.3], "Q": [4, 5, 6]}
    assert of(section, Figure)[0].layout["xaxis"]["type"] == "log"


def test_networks_and_a_page_of_all(tmp_path):
    net = load_pathway("telegraph")
    section = network_section(net)
    assert [t.name for t in of(section, Table)] == ["species", "reactions"]
    assert "Off + On = 1" in of(section, Text)[0].text
    large = Network(species={f"s{i}": 1 for i in range(300)})
    assert "300 species" in of(network_section(large), Text)[0].text
    path = write_report([section, trace_section(simulate_ode(net, TIMES))], tmp_path / "report.html", title="telegraph")
    assert path.stat().st_size > 10_000
    assert len(load_report(tmp_path / "report-data").sections) == 2
