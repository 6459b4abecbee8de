"""Planners' formats through the one door: told by name or content, packed or plain, and what they do not carry."""

import gzip
import io
import zipfile
from dataclasses import replace
from typing import Any

import h5py
import numpy as np
import pytest

from engine.errors import FileFormatError
from engine.network import library
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.readers import EXACT, FORMATS, not_carried, read_network, write_network
from engine.network.tables import NetworkTables, table_of
from tests.engine.network.raw_cases import raw_case
from tests.engine.network.reading import refusal

OTHERS = [name for name in FORMATS if name not in EXACT]


def flows(tables: NetworkTables) -> dict[str, float]:
    network = Network.from_tables(tables)
    made = Factors.of(network).flows(network.injection_mw)
    return dict(zip(network.branches.ids, made.tolist(), strict=True))


@pytest.mark.parametrize("file_format", OTHERS)
@pytest.mark.parametrize("key", ["fourbus", "ieee14", "ieee300", "rts-gmlc"])
def test_flows_survive_every_format(key: str, file_format: Any) -> None:
    tables = library.load(key)
    imported = read_network(*write_network(tables, file_format))
    assert flows(imported.tables) == pytest.approx(flows(tables), abs=1e-7)
    assert not [problem for problem in imported.problems if problem.severity == "error"]
    assert imported.tables.name == tables.name


@pytest.mark.parametrize("version", [33, 34, 35])
def test_a_raw_file_is_told_by_its_first_line_and_may_come_packed(version: int) -> None:
    text = raw_case(version).encode()
    expected = read_network("case.raw", text).tables.digest()
    assert read_network("case", text).tables.digest() == expected
    assert read_network("CASE.RAW.gz", gzip.compress(text)).tables.digest() == expected
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("folder/case.raw", text)
    assert read_network("case.zip", packed.getvalue()).tables.digest() == expected


def test_a_raw_file_in_another_encoding_is_read_with_a_warning() -> None:
    imported = read_network("case.raw", raw_case(33).replace("NORTH", "N\u00d6RTH").encode("latin-1"))
    assert imported.tables.buses["name"][0] == "N\u00d6RTH"
    assert "encoding" in {problem.code for problem in imported.problems}


def test_a_pypsa_folder_may_be_inside_the_zip_and_a_csv_pair_stays_a_csv_pair() -> None:
    tables = library.load("ieee14")
    name, content = write_network(tables, "pypsa")
    inside = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(inside, "w") as archive:
        for member in given.namelist():
            archive.writestr(f"net/{member}", given.read(member))
    first, second = (read_network(name, data).tables for data in (content, inside.getvalue()))
    assert first.digest() == second.digest()
    assert first.source == "PyPSA network"
    assert read_network(*write_network(tables, "csv")).tables.source == tables.source


def test_netcdf_that_is_no_network_is_refused_whatever_its_name() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["x"] = np.arange(3)
    for name in ("net.nc", "net.m", "net.json", "net"):
        assert "not a PyPSA network" in refusal(name, buffer.getvalue())


def test_what_a_format_does_not_carry_is_said_and_nothing_else() -> None:
    tables = library.load("ieee14")
    tables = tables.with_table("buses", tables.buses.assign(withdrawal_limit_mw=80.0))
    tables = tables.with_table("contingencies", table_of("contingencies", [{"contingency": "k", "branches": "1-2"}]))
    notes = {name: [note.message for note in not_carried(tables, name)] for name in OTHERS}
    assert "buses, withdrawal limit: 14 of 14 cells are not carried" in notes["psse33"]
    assert "the 1 contingencies are not carried" in notes["psse35"]
    assert any(message.startswith("units, cost c1") for message in notes["psse34"])
    for name in ("pandapower", "pypsa"):
        assert not any("withdrawal" in message or "contingencies" in message for message in notes[name])
    for name in OTHERS:
        again = read_network(*write_network(tables, name)).tables
        said = " ".join(notes[name])
        lost = not np.array_equal(again.buses["withdrawal_limit_mw"], tables.buses["withdrawal_limit_mw"])
        assert ("withdrawal limit" in said) == lost
        assert ("load" in said) == (again.buses["load_mw"].tolist() != tables.buses["load_mw"].tolist())


def test_identifiers_of_any_kind_keep_the_flows_or_are_said_to_change() -> None:
    tables = library.load("ieee14")
    name = {bus: f"Bus {bus} \u00e4" for bus in tables.buses["bus"]}
    branches = tables.branches.assign(**{end: tables.branches[end].map(name) for end in ("from_bus", "to_bus")})
    tables = replace(
        tables,
        buses=tables.buses.assign(bus=tables.buses["bus"].map(name)),
        branches=branches,
        units=tables.units.assign(bus=tables.units["bus"].map(name)),
    )
    expected = sorted(flows(tables).values())
    for file_format in OTHERS:
        again = read_network(*write_network(tables, file_format)).tables
        assert sorted(flows(again).values()) == pytest.approx(expected, abs=1e-7)
        said = any(note.column == "bus" for note in not_carried(tables, file_format))
        assert said == (again.buses["bus"].tolist() != tables.buses["bus"].tolist())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.raw", b"hello"),
        ("a.nc", b"CDF\x01"),
        ("a.json", b'{"_class": "pandapowerNet", "_object": ' + b"[" * 3_000_001),
        ("a.json", b'{"_class": "pandapowerNet", "_object": {"bus": {"_class": "DataFrame", "_object": "[[[["}}}'),
        ("a.json", b'{"_class": "pandapowerNet"'),
    ],
)
def test_what_only_looks_like_a_format_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(FileFormatError):
        read_network(name, content)
