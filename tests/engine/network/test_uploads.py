"""Uploads that nobody should trust: damaged, hostile, endless or foreign files are refused in words, soon."""

import gzip
import io
import pickle
import random
import time
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import FileFormatError
from engine.network import library
from engine.network.readers import FORMATS, MOST_BYTES, read_network, write_network
from tests.engine.network.reading import pair, refusal


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


@pytest.mark.parametrize("filename", ["case.m", "buses.csv", "net.json", "net.geojson", "net.zip", "", "x" * 5000])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n\t\n",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        pickle.dumps({"a": [1, 2, 3]}),
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"%PDF-1.7\n",
        b"\x1f\x8b\x08\x00garbage",
        b"PK\x03\x04garbage",
        b"\x00" * 1000,
        bytes(range(256)) * 40,
        b"\xff\xfe\x00",
        zipped(),
        zipped(readme_txt=b"hello"),
        zipped(a_m=b"x", b_m=b"y"),
        zipped(inner_m=zipped(a_m=b"x")),
    ],
)
def test_what_is_no_network_is_refused_whatever_its_name(filename: str, content: bytes) -> None:
    refusal(filename, content)


def test_a_file_over_the_limit_is_refused_unread() -> None:
    start = time.process_time()
    assert "50 MB; 40 MB is the most" in refusal("case.m", bytes(50_000_000))
    assert time.process_time() - start < 0.5


def test_bombs_do_not_unpack() -> None:
    start = time.process_time()
    zeros = bytes(2 * MOST_BYTES)
    assert "unpacks to more than" in refusal("net.zip", zipped(buses_csv=zeros))
    assert "unpacks to more than" in refusal("net.json.gz", gzip.compress(zeros, 1))
    many = zipped(**{f"f{number}_csv": b"bus\n1\n" for number in range(300)})
    assert "300 files; 200 is the most" in refusal("net.zip", many)
    assert time.process_time() - start < 10


def test_a_forged_size_in_a_zip_does_not_help() -> None:
    content = bytearray(zipped(buses_csv=bytes(30_000_000)))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.index(signature) + offset
        content[at : at + 4] = (10).to_bytes(4, "little")
    refusal("net.zip", bytes(content))


def test_a_case_or_a_geojson_may_come_in_a_zip() -> None:
    tables = library.load("ieee14")
    case, geojson = (write_network(tables, file_format)[1] for file_format in ("matpower", "geojson"))
    assert read_network("a.zip", zipped(case_m=case)).tables.digest() == tables.digest()
    assert read_network("a.zip", zipped(grid_geojson=geojson)).tables.digest() == tables.digest()


def survives(filename: str, content: bytes) -> None:
    """Read: the outcome is a network or a refusal with reasons, within seconds of computing."""
    start = time.process_time()
    try:
        read_network(filename, content).tables.digest()
    except FileFormatError as error:
        assert error.problems  # noqa: PT017 - a refusal is one of two good outcomes
    assert time.process_time() - start < 20


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("key", ["fourbus", "ieee14", "rts-gmlc"])
def test_damaged_files_are_refused_or_read_but_never_crash(key: str, file_format: Any) -> None:
    chance = random.Random(f"{key} {file_format}")  # noqa: S311 - seeded mutations
    filename, whole = write_network(library.load(key), file_format)
    junk = [b"\x00", b"\xff", b"'", b'"', b"[", b"]", b"{", b"}", b";", b",", b"\n", b"=", b"nan", b"1e999", b"-",
            b"...", b"%{\n", "Ж".encode(), "Ж".encode("utf-16"), b"null", b"true", b"\\u0000", b"9" * 400]  # fmt: skip
    for _ in range(10 if file_format == "pypsa_nc" else 120):  # netCDF is read by a process of its own each time
        content = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(content))
            match chance.randrange(5):
                case 0:
                    del content[at:]
                    content += b" "
                case 1:
                    del content[at : at + chance.randint(1, 200)]
                case 2:
                    content[at:at] = chance.choice(junk)
                case 3:
                    content[at] = chance.randrange(256)
                case 4:
                    other = chance.randrange(len(content))
                    content[at:at] = content[other : other + chance.randint(1, 400)]
            content = content or bytearray(b" ")
        survives(filename, bytes(content))


@settings(max_examples=200)
@given(
    content=st.binary(max_size=400),
    filename=st.sampled_from(["a.m", "a.csv", "a.json", "a.geojson", "a.zip", "a.gz", "a"]),
)
def test_random_bytes_never_crash(content: bytes, filename: str) -> None:
    survives(filename, content)


PIECES = st.sampled_from(
    ["mpc", ".bus", " = ", "[", "]", "{", "}", "'", '"', ";", "\n", "%", "%{", "%}", "...", "1", " 2", "-", "e5", "Inf",
     "function ", "mpc.version='2'", "mpc.baseMVA=100", "mpc.bus=[1 3 0 0 0 0 1 1 0 0 1 1 1]", ",", "(", ")", "end",
     "define_constants", "mpc.bus(", ":", "PD", "mpc.bus(:, 3)", "x", "*", ".^", "/", "+", "sqrt", "mpc.baseMVA"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_random_matlab_never_crashes(text: str) -> None:
    survives("case.m", text.encode())


@pytest.mark.parametrize(
    "unit",
    ["[", "(", "'", "{'", "mpc.a=[1];", "mpc.a='b';", "mpc.a={'b'};", "1 ", "%{\n", "...", "a", "=", "x=1;", "\n;"],
)
def test_long_repetitions_take_linear_time(unit: str) -> None:
    start = time.process_time()
    survives("case.m", ("mpc.x = 1;" + unit * (2_000_000 // len(unit))).encode())
    assert time.process_time() - start < 15


def test_sums_beyond_any_number_are_no_crash() -> None:
    most = "1.7e308"
    units = f"bus,pmin,pmax\n1,{most},{most}\n2,-{most},{most}\n"
    imported = pair(f"bus,slack,load_mw\n1,1,{most}\n2,0,{most}\n", units=units)
    assert len(imported.tables.units) == 2


def test_numbers_that_overflow_are_errors_of_the_network() -> None:
    imported = pair("bus,slack,load_mw\n1,1,1e999\n2,0,nan\n")
    assert {(p.code, p.row) for p in imported.problems if p.severity == "error"} == {
        ("not-finite", 0),
        ("not-finite", 1),
    }
