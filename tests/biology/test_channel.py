from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sciml.biology import Channel, Measurement, load_antimony
from sciml.errors import ConfigError, DataError
from tests.biology.cell_tables.written import fcs, h5ad

DATA = Path(__file__).parents[1] / "data"
Z = 4.5


def test_case_14_a_decimal_comma_table():
    """Right value by hand: 120 rows, doses 0.1, 1, 10, mean of the second column 11.041333."""
    channel = Channel.from_table(DATA / "cases" / "14-decimal-comma-table.csv", dose="dose", readout="response")
    x, y = channel.samples
    assert channel.doses.tolist() == [0.1, 1, 10] and x.shape == (120,) and y.shape == (120, 1)
    assert y.mean() == pytest.approx(11.041333, abs=5e-7)


def test_tables_of_one_sample_are_equal(tmp_path):
    """The same cells as text in four writings, parquet, an h5ad (dense and sparse layers), a folder of FCS files and a DataFrame.

    FCS holds single precision: the values are multiples of 2^-10 below 2^10, which it holds exactly.
    """
    rng = np.random.default_rng(0)
    table = np.rint(1024 * np.column_stack([rng.normal(200, 40, 60), rng.gamma(2.0, 30.0, 60)])) / 1024
    frame = pd.DataFrame({"dose": np.repeat([0.0, 0.1, 10.0], 20), "a": table[:, 0], "b": table[:, 1]})
    sources = [(frame, {})]
    for k, (mark, decimal) in enumerate([(",", "."), (";", ","), ("\t", "."), (";", ".")]):
        sources.append((tmp_path / f"{k}.csv.gz", {}))
        frame.to_csv(sources[-1][0], sep=mark, decimal=decimal, index=False)
    frame.to_parquet(tmp_path / "cells.parquet")
    sources.append((tmp_path / "cells.parquet", {}))
    for kind in (None, "csr", "csc"):
        path = h5ad(tmp_path / f"{kind}.h5ad", {"dose": frame.dose.tolist()}, 0 * table, ["a", "b"], {"intensity": table}, kind)
        sources.append((path, {"layer": "intensity"}))
    (tmp_path / "plate").mkdir()
    for dose in ("0", "0.1", "10"):
        (tmp_path / "plate" / f"TNF_{dose}ng.fcs").write_bytes(fcs(table[frame.dose == float(dose)], ["a", "b"]))
    sources += [(tmp_path / "plate", {}), ({path: float(path.stem[4:-2]) for path in (tmp_path / "plate").iterdir()}, {})]
    for source, options in sources[:-1]:
        x, y = Channel.from_table(source, readout=["a", "b"], **options).samples
        assert x.tolist() == frame.dose.tolist() and (y == table).all(), source
    x, y = Channel.from_table(sources[-1][0], readout=["a", "b"]).samples  # the order of a mapping is its own
    order = np.argsort(x, kind="stable")
    assert x[order].tolist() == frame.dose.tolist() and (y[order] == table).all()


def test_a_well_is_a_group(tmp_path):
    for name, value in (("a", 1.0), ("b", 2.0)):
        (tmp_path / f"{name}.fcs").write_bytes(fcs(np.full((3, 1), value), ["GFP"], P1G="2"))
    channel = Channel.from_table(tmp_path, readout="GFP", groups="file", doses={"a": "0 nM", "b": "50 nM"})
    assert channel.groups.tolist() == ["a.fcs"] * 3 + ["b.fcs"] * 3 and channel.doses.tolist() == [0, 50]
    assert channel.units == {"dose": "nM"} and channel.notes == ("channel 'GFP': divided by its gain 2",)


def test_snapshot_and_trajectory_are_said():
    frame = pd.DataFrame({"dose": [0, 0, 1.0], "early": [1, 2, 3.0], "late": [4, 5, 6.0], "day": ["a", "b", "a"]})
    channel = Channel.from_table(frame, readout=["early", "late"], groups="day", times=[3, 21])
    assert channel.readout == "trajectory" and channel.times.tolist() == [3, 21] and channel.groups.tolist() == ["a", "b", "a"]
    late = channel.with_readout("late")
    assert late.readout == "snapshot" and late.times.tolist() == [21] and late.samples[1].tolist() == [[4], [5], [6]]
    assert Channel.from_table(frame, readout=["early", "late"]).readout == "snapshot"
    said = json.loads(json.dumps(channel.to_dict()))
    assert said["cells"] == [2, 1] and said["readout"] == "trajectory" and "3 cells" in repr(channel)
    with pytest.raises(ConfigError, match="'lat' was not read; did you mean 'late'"):
        channel.with_readout("lat")


def test_doses_as_names():
    frame = pd.DataFrame({"dose": ["wild", "mutant", "wild"], "response": [1.0, 2, 3]})
    channel = Channel.from_table(frame, categories=True)
    assert channel.doses.tolist() == ["mutant", "wild"] and channel.samples[0].tolist() == ["wild", "mutant", "wild"]
    with pytest.raises(DataError, match="row 0, column 'dose': found 'wild', no number"):
        Channel.from_table(frame)


def test_what_was_dropped_is_in_the_notes():
    frame = pd.DataFrame({"dose": ["0 ng", "1 ng", "1 ng"], "response": [1.0, np.nan, 3]})
    channel = Channel.from_table(frame, missing="drop")
    assert channel.units == {"dose": "ng"} and channel.notes == ("column 'response': 1 of 3 rows dropped, for their field is empty or NaN",)
    with pytest.raises(DataError, match="row 1, column 'response'"):
        Channel.from_table(frame)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"readout": []}, "readout: found no name"),
        ({"readout": ["a", "a"]}, "readout: 'a' is named twice"),
        ({"readout": "a", "times": [1, 2]}, "times: .*expected 1 finite numbers"),
        ({"readout": "a", "missing": "zero"}, "missing: found 'zero'"),
        ({"readout": 3}, "readout: found 3"),
    ],
)
def test_arguments_that_cannot_be_meant(options, said):
    with pytest.raises(ConfigError, match=said):
        Channel.from_table(pd.DataFrame({"dose": [1.0], "a": [1.0]}), **options)


def test_matrix():
    law = [[0.9, 0.1, 0.0], [0.25, 0.25, 0.5]]
    channel = Channel.from_matrix(law, doses=[0.0, 3.0])
    assert channel.readout == "matrix" and channel.samples is None and channel.doses.tolist() == [0, 3]
    assert (channel.p_y_given_x == np.array(law)).all() and Channel.from_matrix(law).doses.tolist() == [0, 1]
    x, y = channel.sample(20_000, seed=3)
    assert x.shape == (40_000,) and y.shape == (40_000, 1)
    for dose, row in zip([0.0, 3.0], law, strict=True):
        shares = np.array([(y[x == dose] == k).mean() for k in range(3)])
        sd = np.sqrt(np.array(row) * (1 - np.array(row)) / 20_000)
        assert (np.abs(shares - row) <= Z * sd).all()  # where p = 0 nothing is drawn
    assert (channel.sample(10, 1)[1] == channel.sample(10, 1)[1]).all()
    assert json.loads(json.dumps(channel.to_dict()))["p_y_given_x"] == law


@pytest.mark.parametrize(
    ("law", "doses", "said"),
    [
        ([[0.5, 0.4]], None, "row 0 sums to 0.9, expected 1"),
        ([[0.9, 0.5], [0.1, 0.5]], None, "row 0 sums to 1.4, expected 1; its columns sum to 1"),
        ([[0.5, 0.5], [1.5, -0.5]], None, "row 1, column 1: found -0.5"),
        ([[np.nan, 1.0]], None, "row 0, column 0: found nan"),
        ([0.5, 0.5], None, r"found an array of shape \(2,\)"),
        ([[]], None, "found an array of shape"),
        ("law", None, "expected probabilities"),
        ([[1.0], [1.0]], [1.0], "doses: found 1, expected 2"),
        ([[1.0], [1.0]], [1.0, 1.0], "doses: found 1 2 times"),
        ([[1.0], [1.0]], [1.0, np.inf], "doses: .*expected finite numbers"),
    ],
)
def test_matrices_that_are_no_law(law, doses, said):
    with pytest.raises(DataError, match=said):
        Channel.from_matrix(law, doses)


def network_channel(**options):
    net = load_antimony("model birth\n species X, Y; -> X; k; X -> ; X; X -> X + Y; X; k = 5; X = 0; Y = 0;\n end")
    return Channel.from_network(net, "k", ["X", "Y"], [2.0, 20.0], [1.0, 6.0], n=40, seed=2, **options)


def test_a_model_is_a_channel():
    channel = network_channel()
    assert channel.readout == "trajectory" and channel.doses.tolist() == [2, 20] and channel.held and channel.groups is None
    assert "samples" not in channel.__dict__ and channel.forecast().n == 80
    x, y = channel.samples
    assert x.tolist() == [2] * 40 + [20] * 40 and y.shape == (80, 4)
    assert (y[:, 3] >= y[:, 2]).all()  # Y only grows: its columns stand together
    x_only, late = channel.with_readout("X"), channel.at(6.0)
    assert x_only.simulation is channel.simulation and (x_only.samples[1] == y[:, :2]).all()
    assert late.readout == "snapshot" and (late.samples[1] == y[:, [1, 3]]).all()
    assert (channel.with_readout("Y").at([6.0]).samples[1] == y[:, 3:]).all()
    said = json.loads(json.dumps(channel.to_dict()))
    assert said["simulation"]["n"] == 40 and said["cells"] == [40, 40]
    with pytest.raises(ConfigError, match="readout: 'Z' is no symbol"):
        channel.with_readout("Z")
    with pytest.raises(ConfigError, match="at: nothing was read at 5; times are 1, 6"):
        channel.at(5.0)


@pytest.mark.parametrize(
    ("doses", "said"),
    [
        ([1.0, 1.0], "found 1 2 times"),
        ([], "finite numbers"),
        ("low", "expected numbers"),
        ([2.0, 1.0], "found 1 after 2, expected rising"),
    ],
)
def test_doses_of_a_model(doses, said):
    net = load_antimony("model birth\n species X; -> X; k; X -> ; X; k = 5; X = 0;\n end")
    with pytest.raises(DataError, match=f"doses: .*{said}"):
        Channel.from_network(net, "k", "X", doses, 1.0)


def test_a_table_by_its_times():
    frame = pd.DataFrame({"dose": [0, 0, 1.0], "early": [1, 2, 3.0], "late": [4, 5, 6.0]})
    channel = Channel.from_table(frame, readout=["early", "late"], times=[3, 21])
    assert channel.at(21).names == ("late",) and channel.at(21).readout == "snapshot"
    with pytest.raises(ConfigError, match="at: nothing was read at 1; times are not known"):
        Channel.from_table(frame, readout=["early", "late"]).at(1)
    with pytest.raises(ConfigError, match="forecast: this channel is a table"):
        channel.forecast()
    with pytest.raises(ConfigError, match="sample: this channel is a trajectory"):
        channel.sample(3)


@pytest.mark.parametrize(
    "channel",
    [
        network_channel(),
        network_channel(measurement=Measurement(saturation=3.0)).at(6.0),
        Channel.from_matrix([[0.5, 0.5], [0.1, 0.9]]),
        Channel.from_table(pd.DataFrame({"dose": ["a", "b", "a"], "response": [1.0, 2, 3]}), categories=True),
        Channel.from_table(pd.DataFrame({"dose": [0, 1.0], "e": [1, 2.0], "l": [4, 5.0]}), readout=["e", "l"], times=[1, 2]),
    ],
)
def test_sections_of_a_report(channel):
    (section,) = channel.to_sections()
    assert section.title == "Responses" and len(section.blocks) >= 2


def test_shipped_cells_are_a_channel():
    channel = Channel.from_dataset("lac-cells", "O2-RBS1027")
    assert channel.readout == "snapshot" and channel.units["IPTG_uM"] == "uM" and channel.published_bits == pytest.approx(1.8068, abs=1e-4)
    assert channel.samples[1].shape == (6591, 1) and json.loads(json.dumps(channel.to_dict()))["published_bits"] == channel.published_bits


NFKB = DATA / "lgpl" / "nfkb" / "cells.csv"
MINUTES = [0, 3, 21, 90, 120]


def by_hand():
    """The rows of the file as texts, in its order."""
    with NFKB.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_nfkb_doses_are_texts_with_a_unit():
    channel = Channel.from_table(NFKB, dose="signal", readout="response_21", missing="drop")
    rows = [row for row in by_hand() if row["response_21"]]
    x, y = channel.samples
    assert channel.doses.tolist() == [0, 0.01, 0.03, 0.1, 0.2, 0.5, 1, 2, 4, 8, 100] and channel.units == {"signal": "ng"}
    assert x.tolist() == [float(row["signal"].removesuffix("ng")) for row in rows]
    assert y[:, 0].tolist() == [float(row["response_21"]) for row in rows]


def test_nfkb_traces_are_cells_seen_at_every_time():
    names = [f"response_{t}" for t in MINUTES]
    channel = Channel.from_table(NFKB, dose="signal", readout=names, times=MINUTES, missing="drop")
    rows = [[float(row[name]) for name in names] for row in by_hand() if all(row[name] for name in names)]
    assert channel.readout == "trajectory" and channel.samples[1].tolist() == rows
    for name, note in zip([n for n in names if any(not row[n] for row in by_hand())], channel.notes, strict=True):
        gone = sum(not row[name] for row in by_hand())
        assert note == f"column {name!r}: {gone} of 275 rows dropped, for their field is empty or NaN"
    assert channel.at(21).samples[1][:, 0].tolist() == [row[2] for row in rows]
    with pytest.raises(DataError, match=r"cells.csv: line \d+ \(row \d+\), column 'response_\d+': the field is empty"):
        Channel.from_table(NFKB, dose="signal", readout=names)


def test_doses_apart_by_rounding_alone_are_said():
    frame = pd.DataFrame({"dose": [0.3, 0.1 + 0.2, 1.0], "response": [1.0, 2, 3]})
    assert Channel.from_table(frame).notes == ("doses 0.3 and 0.30000000000000004 differ by rounding alone and count as two",)
