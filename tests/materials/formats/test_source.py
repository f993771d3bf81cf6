import bz2
import gzip
import lzma

import pytest

from sciml.errors import DataError
from sciml.materials.formats import source
from tests.materials.formats.samples import EXTXYZ

PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("kind", PACKERS)
def test_text_is_the_same_whatever_the_compression_and_the_name(tmp_path, kind):
    path = tmp_path / "dätа №2 (1).txt"
    path.write_bytes(PACKERS[kind](b"\xef\xbb\xbf" + EXTXYZ.replace("\n", "\r\n").encode()))
    assert source.compression(path.read_bytes()) == kind
    assert source.read_text(path) == EXTXYZ
    assert source.head(path)[3:10] == EXTXYZ[:1].encode() + b"\r\nLatt"
    assert source.guess_size(path) == 30 * path.stat().st_size


@pytest.mark.parametrize("kind", PACKERS)
def test_a_damaged_stream_is_a_data_error(tmp_path, kind):
    data = PACKERS[kind](EXTXYZ.encode() * 50)
    for broken in (data[:-4], data[: len(data) // 2], data[:20] + b"\x00\xff\x00" + data[23:]):
        (tmp_path / "a").write_bytes(broken)
        with pytest.raises(DataError, match=rf"a: {kind}: damaged or cut off"):
            source.read_text(tmp_path / "a")


@pytest.mark.parametrize("kind", PACKERS)
def test_a_bomb_is_refused_before_it_is_large(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(source, "RATIO_FROM", 1 << 20)
    (tmp_path / "a").write_bytes(PACKERS[kind](b"\n" * (2 << 20)))
    with pytest.raises(DataError, match=r"grows more than 250 times"), source.open_text(tmp_path / "a") as handle:
        for _ in handle:
            pass


def test_an_endless_line_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * (40 << 20))
    with pytest.raises(DataError, match="a line longer than 32 MiB"), source.open_text(tmp_path / "a") as handle:
        next(handle)


def test_the_whole_text_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "WHOLE_LIMIT", 1 << 20)
    (tmp_path / "a").write_bytes(b"x\n" * (1 << 20))
    with pytest.raises(DataError, match="more than 1 MiB of text"):
        source.read_text(tmp_path / "a")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b" \r\n\n", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"\x80\x04\x95\x10", "a Python pickle, which is never read"),
        (gzip.compress(b"\x80\x05\x95\x10", mtime=0), "a Python pickle"),
        (b"PK\x03\x04....", "a zip archive: unpack it"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        ("data_x".encode("utf-16"), "UTF-16 text"),
        ("data_x\n".encode("utf-16-le"), "binary data"),
        (b"SQLite format 3\x00", "an SQLite file"),
    ],
)
def test_what_is_refused_by_its_first_bytes(tmp_path, data, message):
    (tmp_path / "f.cif").write_bytes(data)
    with pytest.raises(DataError, match=rf"f\.cif: .*{message}"):
        source.head(tmp_path / "f.cif")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        source.head(tmp_path / "nothing")
    with pytest.raises(DataError, match="a folder"):
        source.head(tmp_path)


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(DataError, match=r"a: file: cannot be read \(File name too long\)"):
        source.head("a" * 5000)
