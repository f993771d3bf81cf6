from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from sciml.biology.cell_tables.flow_cytometry import read_flow
from sciml.errors import DataError, SciMLError
from tests.biology.cell_tables.written import fcs

VALUES = np.array([[1.5, 200.25], [2.5, -3.0], [1e6, 0.0]])


def read(tmp_path, data, channels=("FL1-A", "FL2-A")):
    path = tmp_path / "well.fcs"
    path.write_bytes(data)
    return read_flow(path, channels)


@pytest.mark.parametrize("kind", ["F", "D"])
@pytest.mark.parametrize("order", ["1,2,3,4", "4,3,2,1"])
@pytest.mark.parametrize("exclusive_end", [False, True])
@pytest.mark.parametrize("mark", ["/", "|", "\x0c"])
def test_floats(tmp_path, kind, order, exclusive_end, mark):
    found = read(tmp_path, fcs(VALUES, ["FL1-A", "FL2-A"], kind=kind, order=order, exclusive_end=exclusive_end, mark=mark))
    assert (found.values == VALUES).all() and found.notes == ()


@pytest.mark.parametrize("bits", [[8, 16], [32, 32], [16, 64]])
@pytest.mark.parametrize("order", ["1,2,3,4", "4,3,2,1"])
def test_whole_numbers(tmp_path, bits, order):
    values = np.array([[1, 1000], [200, 7]])
    found = read(tmp_path, fcs(values, ["FL1-A", "FL2-A"], kind="I", order=order, bits=bits))
    assert (found.values == values).all()


def test_bits_above_the_range_are_no_part_of_the_number(tmp_path):
    values = np.array([[0b1100_0000_0001, 5], [0b0000_0000_0011, 6]])
    found = read(tmp_path, fcs(values, ["FL1-A", "FL2-A"], kind="I", P1R=1024))
    assert found.values[:, 0].tolist() == [1, 3]


def test_amplifiers_and_gain(tmp_path):
    """Four decades over 1,024 channels: channel c reads 10^(4 c / 1024); a gain of 2 halves."""
    found = read(tmp_path, fcs(np.array([[0, 10], [256, 20], [512, 30]]), ["FL1-A", "FL2-A"], kind="I", P1E="4,0", P1R=1024, P2G="2"))
    assert found.values == pytest.approx(np.array([[1, 5], [10, 10], [100, 15]]))
    assert found.notes == ("channel 'FL1-A': 4 decades of a logarithmic amplifier made linear", "channel 'FL2-A': divided by its gain 2")


def test_long_names_and_a_separator_in_a_name(tmp_path):
    data = fcs(VALUES, ["FL1/A", "FL2-A"], labels=["GFP", "RFP"], SPILLOVER="2,FL1,FL2,1,0,0,1")
    assert read(tmp_path, data, ["GFP", "FL2-A"]).values.tolist() == VALUES.tolist()
    found = read(tmp_path, data, ["FL1/A"])
    assert found.values.tolist() == VALUES[:, :1].tolist() and found.notes == ("a spillover matrix is in the file and was not applied",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"TOT": 2**40}, "claims 1099511627776 events of 8 bytes, but its data are bytes 4154 to 4177 of 4178"),
        ({"TOT": 2}, "claims 2 events"),
        ({"PAR": 2**40}, "found 1099511627776 channels"),
        ({"PAR": 3}, r"\$P3B: found None"),
        ({"MODE": "C"}, r"\$MODE: found 'C'"),
        ({"DATATYPE": "A"}, r"\$DATATYPE: found 'A'"),
        ({"BYTEORD": "3,4,1,2"}, r"\$BYTEORD: found '3,4,1,2'"),
        ({"P1B": 16}, r"\$P1B: found 16 bits, expected 32 for F"),
        ({"BEGINDATA": 4000}, r"begin at 4154 by the header and at 4000 by \$BEGINDATA"),
        ({"NEXTDATA": 100}, "several data sets"),
        ({"P1E": "4"}, r"\$P1E: found '4'"),
        ({"P1E": "99,1"}, "found 99 decades"),
        ({"P1G": "-1"}, r"\$P1G: found '-1'"),
        ({"P2N": "FL1-A"}, "channel 'FL1-A' is there 2 times"),
        ({"P2N": "FL2-H"}, "has no channel 'FL2-A'; did you mean 'FL2-H'"),
        ({"P2DATATYPE": "D"}, r"\$P2DATATYPE: found 'D', expected all channels to be 'F'"),
        ({"TOT": "-3"}, r"\$TOT: found '-3'"),
    ],
)
def test_what_a_file_claims_is_held_against_it(tmp_path, change, said):
    tracemalloc.start()
    with pytest.raises(DataError, match=f"well.fcs: .*{said}"):
        read(tmp_path, fcs(VALUES, ["FL1-A", "FL2-A"], **change))
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_no_events_and_no_file(tmp_path):
    with pytest.raises(DataError, match="holds no events|claims 0 events"):
        read(tmp_path, fcs(np.zeros((0, 2)), ["FL1-A", "FL2-A"]))
    for data in (b"", b"FCS", b"FCS3.1    ", b"<html>" * 20):
        with pytest.raises(DataError, match="well.fcs"):
            read(tmp_path, data)
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_flow(tmp_path / "none.fcs", ["a"])


def mutants(data, n, seed):
    """Files with a cut end, or with one to a few bytes changed, most of them in the header and the text."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        if rng.random() < 0.25:
            yield data[: rng.integers(len(data))]
        else:
            copy = bytearray(data)
            for _ in range(rng.integers(1, 4)):
                copy[rng.integers(700 if rng.random() < 0.8 else len(data))] = rng.integers(256)
            yield bytes(copy)


@pytest.mark.parametrize("n", [60, pytest.param(5000, marks=pytest.mark.long)])
def test_damaged_files_are_refused_or_read(tmp_path, n):
    data = fcs(np.random.default_rng(0).normal(100, 9, (50, 2)), ["FL1-A", "FL2-A"])
    refused = 0
    for mutant in mutants(data, n, 1):
        try:
            assert read(tmp_path, mutant).values.shape == (50, 2)  # what was hit says nothing of the numbers
        except SciMLError as error:
            assert isinstance(error, DataError) and "well.fcs" in str(error)
            refused += 1
    assert refused > n / 4


@pytest.mark.peers
def test_flowio_reads_the_same(tmp_path):
    flowio = pytest.importorskip("flowio")
    for data in (fcs(VALUES, ["FL1-A", "FL2-A"]), fcs(np.array([[3, 900], [700, 4]]), ["FL1-A", "FL2-A"], kind="I", P1E="4,1", P1R=1024)):
        ours = read(tmp_path, data).values
        assert ours == pytest.approx(flowio.FlowData(str(tmp_path / "well.fcs")).as_array())
