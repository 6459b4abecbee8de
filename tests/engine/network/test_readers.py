"""Network files of every format: round trips and other dialects."""

import gzip
import io
import json
import math
import string
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.errors import FileFormatError
from engine.network import library
from engine.network.intake import read_value
from engine.network.readers import EXACT, FORMATS, Imported, not_carried, read_network, write_network
from engine.network.tables import BUS_COLUMNS, COLUMNS, NetworkTables, table_of
from tests.engine.network.reading import BRANCHES, BUSES, UNITS, pair, refusal


def codes(imported: Imported) -> set[str]:
    return {problem.code for problem in imported.problems}


# Round trips


@pytest.mark.parametrize("file_format", EXACT)
@pytest.mark.parametrize("key", [named.key for named in library.NAMED if named.buses <= 2000])
def test_every_grid_of_the_library_survives_every_format(key: str, file_format: Any) -> None:
    tables = library.load(key)
    imported = read_network(*write_network(tables, file_format))
    assert imported.tables.digest() == tables.digest()
    assert not [problem for problem in imported.problems if problem.severity == "error"]


LETTERS = st.sampled_from(string.ascii_letters + string.digits + "äöЖ中 '\"%;,{}[]=+-@._\\/<>&#")
TEXT = st.text(LETTERS, max_size=12).map(str.strip)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)


def cell(column: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one line per kind of column
    if column.name == "cost_points":
        return st.sampled_from(["", "0:0 10:150.5", "-5:1 7:2 1e3:9"])
    if column.name == "circuit":
        return TEXT.filter(bool)
    if column.name == "kind":
        return st.sampled_from(["line", "transformer"])
    if column.kind == "text":
        return TEXT
    if column.kind == "flag":
        return st.booleans()
    if column.name == "longitude":
        return st.one_of(st.just(math.nan), st.floats(-180, 180))
    if column.name == "latitude":
        return st.one_of(st.just(math.nan), st.floats(-90, 90))
    if column.name == "base_kv":
        return st.floats(0, 1e6)
    return st.one_of(NUMBER, st.sampled_from([math.inf, -math.inf, math.nan])) if "rating" in column.name else NUMBER


def rows(name: Any, key: str, ids: list[str], buses: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    fixed = {key: None, "from_bus": buses, "to_bus": buses, **({"bus": buses} if key != "bus" else {})}
    cells = {
        column.name: st.sampled_from(fixed[column.name]) if fixed.get(column.name) else cell(column)
        for column in COLUMNS[name]
        if column.name != key
    }
    return st.tuples(*(st.fixed_dictionaries(cells).map(lambda row, own=own: {key: own} | row) for own in ids)).map(
        list
    )


@st.composite
def networks(draw: st.DrawFn) -> NetworkTables:
    ids = st.lists(TEXT.filter(bool), min_size=1, max_size=4, unique=True)
    buses = draw(ids)
    branches, units = draw(ids), draw(ids)
    return NetworkTables(
        name=draw(TEXT | st.just(" x ")),
        base_mva=draw(st.floats(1e-3, 1e5)),
        buses=table_of("buses", draw(rows("buses", "bus", buses, buses))),
        branches=table_of("branches", draw(rows("branches", "branch", branches, buses))),
        units=table_of("units", draw(rows("units", "unit", units, buses))),
        source=draw(TEXT),
    )


@pytest.mark.parametrize("file_format", EXACT)
@settings(max_examples=40, phases=[Phase.explicit, Phase.generate])  # shrinking a network takes minutes
@given(tables=networks())
def test_any_network_survives_every_format(file_format: Any, tables: NetworkTables) -> None:
    again = read_network(*write_network(tables, file_format)).tables
    for name in COLUMNS:
        pd.testing.assert_frame_equal(tables.table(name), again.table(name), check_exact=True)
    assert again.digest() == tables.digest()


def test_formulas_are_disarmed_in_csv_and_come_back() -> None:
    names = ["=HYPERLINK(1)", "+49", "-x", "@home", "'quoted", "'=both"]
    buses = table_of("buses", [{"bus": str(row), "name": name, "slack": row == 0} for row, name in enumerate(names)])
    tables = NetworkTables(name="=1+1", buses=buses)
    filename, content = write_network(tables, "csv")
    text = zipfile.ZipFile(io.BytesIO(content)).read("buses.csv").decode("utf-8-sig")
    cells = [line.split(",")[1] for line in text.splitlines()[1:]]
    assert all(name.startswith("'") for name in cells)
    assert read_network(filename, content).tables.digest() == tables.digest()


def test_what_a_format_cannot_carry_is_said() -> None:
    tables = NetworkTables(buses=table_of("buses", [{"bus": "1", "name": " x ", "slack": True}]))
    for file_format in EXACT:
        notes = not_carried(tables, file_format)
        again = read_network(*write_network(tables, file_format)).tables
        assert (notes == ()) == (again.digest() == tables.digest())
        assert [(note.table, note.row, note.column) for note in notes] in ([], [("buses", 0, "name")])


def test_equal_networks_give_equal_files() -> None:
    tables = library.load("ieee14")
    for file_format in FORMATS:
        assert write_network(tables, file_format) == write_network(tables, file_format)


def test_a_file_name_is_safe_and_matlab_can_call_a_case() -> None:
    tables = replace(library.load("ieee14"), name="../../14: Süd/../x")
    assert write_network(tables, "csv")[0] == "14_Süd_x.zip"
    assert write_network(tables, "matpower")[0] == "case_14_S_d_x.m"
    assert len({write_network(tables, file_format)[0] for file_format in FORMATS}) == len(FORMATS)  # none hides another
    assert write_network(tables, "psse34")[0] == "14_Süd_x-34.raw"
    assert write_network(replace(tables, name="///"), "json")[0] == "network.json"


# Dialects of CSV


def test_a_csv_pair_with_other_header_names_is_read() -> None:
    imported = pair(units=UNITS)
    tables = imported.tables
    assert tables.buses["name"].tolist() == ["Nord", "Süd"]
    assert tables.buses["load_mw"].tolist() == [0.0, 40.5]
    assert tables.buses["longitude"].tolist() == [10.0, 10.5]
    assert tables.branches["branch"].tolist() == ["1-2", "1-2/2"]
    assert tables.branches["circuit"].tolist() == ["1", "2"]
    np.testing.assert_array_equal(tables.branches["rating_a_mw"], [100.0, math.inf])
    np.testing.assert_array_equal(tables.branches["rating_b_mw"], [math.nan, 80.0])
    assert tables.units[["unit", "p_max_mw", "cost_c1_per_mwh"]].to_numpy().tolist() == [["1-1", 90.0, 20.0]]
    assert "base-mva" in codes(imported)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize(
    ("old", "new"), [(",", ","), (",", ";"), (",", "\t"), ("\n", "\r\n"), ("\n", "\r"), ("\n", "\n\n")]
)
def test_encodings_separators_and_line_ends_do_not_matter(encoding: str, old: str, new: str) -> None:
    dressed = pair(BUSES.replace(old, new).encode(encoding), BRANCHES.replace(old, new).encode(encoding))
    assert dressed.tables.digest() == pair(BUSES, BRANCHES).tables.digest()
    assert ("encoding" in codes(dressed)) == (encoding == "latin-1")


def test_decimal_commas_are_read_where_semicolons_part_the_cells() -> None:
    german = [text.replace(",", ";").replace(".", ",") for text in (BUSES, BRANCHES)]
    assert pair(*german).tables.digest() == pair().tables.digest()


@pytest.mark.parametrize("number", ["1,234", "1.234,5"])
def test_a_thousands_separator_is_never_guessed_away(number: str) -> None:
    buses = f"bus;slack;load_mw;base_kv\n1;1;{number};0.5\n2;0;0.25;0.5\n"
    with pytest.raises(FileFormatError, match="this file's decimal sign is"):
        pair(buses, BRANCHES.replace(",", ";"))


def test_cyrillic_names_are_fine() -> None:
    tables = pair("bus,name,slack\n1,Орёл,1\n2,Київ,0\n").tables
    assert tables.buses["name"].tolist() == ["Орёл", "Київ"]


def test_a_missing_slack_is_chosen_at_the_largest_unit_and_said() -> None:
    imported = pair("bus,load_mw\n1,0\n2,9\n", units="bus,pmax\n2,50\n1,10\n")
    assert imported.tables.buses["slack"].tolist() == [False, True]
    assert any("bus 2 was chosen" in problem.message for problem in imported.problems)


def test_a_slack_is_never_chosen_out_of_service() -> None:
    buses = "bus,status\n1,off\n2,on\n"
    assert pair(buses).tables.buses["slack"].tolist() == [False, True]
    assert pair(buses, units="bus,pmax\n1,50\n2,10\n").tables.buses["slack"].tolist() == [False, True]


def test_columns_that_are_not_used_are_named() -> None:
    notes = [
        p.message for p in pair("bus,slack,colour,mood\n1,1,red,ok\n2,0,,\n").problems if p.code == "unused-columns"
    ]
    assert notes == ["buses: columns not used: colour, mood"]


def test_every_fault_of_a_pair_is_told_with_its_file_and_line() -> None:
    buses = "bus,slack,load_mw,lat\n1,1,=SUM(A1),1\n1,perhaps,4x,2\n,0,1,3\n"
    found = refusal("buses.csv", buses.encode(), branches=b"from,to\n1,2,3\n")
    for part in (
        "buses.csv line 2, load_mw: '=SUM(A1)' is a formula",
        "buses.csv line 3, slack: 'perhaps' is neither true nor false",
        "buses.csv line 3, load_mw: '4x' is not a number",
        "buses.csv line 4: bus is empty",
        "branches.csv line 2: 3 cells under 2 column names",
    ):
        assert part in found


def test_duplicate_identifiers_are_refused_with_their_rows() -> None:
    found = refusal("buses.csv", b"bus\n7\n8\n7\n8\n", branches=b"from,to\n7,8\n")
    assert "row 3: bus '7' is the identifier of row 1 already" in found
    assert "row 4: bus '8' is the identifier of row 2 already" in found


def test_dangling_ends_are_imported_and_reported_so_that_they_can_be_mended() -> None:
    imported = pair(branches="from,to,x\n1,2,0.1\n1,99,0.1\n")
    assert len(imported.tables.branches) == 2
    [problem] = [problem for problem in imported.problems if problem.code == "dangling-bus"]
    assert (problem.row, problem.column) == (1, "to_bus")


@pytest.mark.parametrize(
    ("buses", "branches", "expected"),
    [
        ("name,load\nx,1\n", BRANCHES, "there is no column bus"),
        (BUSES, "from,x\n1,2\n", "there is no column to_bus"),
        ("bus,bus\n1,2\n", BRANCHES, "columns that appear twice: bus"),
        ("bus,Bus\n1,2\n", BRANCHES, "two columns are bus"),
        ('bus\n"1\n2\n3' + "x" * 200_000, BRANCHES, "field larger than field limit"),
        ("\n\n", BRANCHES, "buses.csv is empty"),
        ("a," * 100_000, BRANCHES, "100,001 columns; 1,000 is the most"),
        ("bus\n" + "1\n" * 260_000, BRANCHES, "more than 250,000 rows"),
        ("bus,load_mw\n1,1e400x\n", BRANCHES, "'1e400x' is not a number"),
        ("bus,load_mw\n1," + "1" * 100_000 + "x\n", BRANCHES, "1' is not a number"),  # not in quadratic time
        ("bus,name\n1,a\x07b\n", BRANCHES, "characters that cannot be shown"),
        ("bus,name\n1," + "n" * 300 + "\n", BRANCHES, "300 characters; 200 is the most"),
    ],
)
def test_a_bad_table_is_refused(buses: str, branches: str, expected: str) -> None:
    assert expected in refusal("buses.csv", buses.encode(), branches=branches.encode())


@pytest.mark.parametrize("base", ["inf", "nan", "1e999", "hundred"])
def test_a_base_that_is_no_number_is_refused(base: str) -> None:
    about = f"key,value\nbase_mva,{base}\n".encode()
    assert "base" in refusal("buses.csv", BUSES.encode(), branches=BRANCHES.encode(), network=about)


def test_one_csv_file_is_not_a_network() -> None:
    assert "no file of branches" in refusal("buses.csv", BUSES.encode())


def test_a_cell_that_is_not_text_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="too large"):
        read_value(BUS_COLUMNS[7], 10**400)


# GeoJSON


def collection(*features: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}).encode()


def point(bus: str, place: tuple[float, float], **properties: Any) -> dict[str, Any]:
    geometry = {"type": "Point", "coordinates": place}
    return {"type": "Feature", "geometry": geometry, "properties": {"bus": bus, **properties}}


def line(*places: tuple[float, float], kind: str = "LineString", **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": places}, "properties": properties}


def shape(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": {}}


def test_lines_snap_to_the_nearest_bus_unless_they_name_their_ends() -> None:
    content = collection(
        point("A", (10.0, 50.0), slack=True),
        point("B", (11.0, 50.0), demand=30),
        point("C", (12.0, 51.0)),
        line((10.001, 50.001), (10.5, 50.5), (11.001, 50.0), x_pu=0.2),
        line((0.0, 0.0), (0.0, 0.0), **{"from": "B", "to": "C", "x_pu": 0.3}),
    )
    imported = read_network("grid.geojson", content)
    branches = imported.tables.branches
    assert branches[["from_bus", "to_bus"]].to_numpy().tolist() == [["A", "B"], ["B", "C"]]
    assert branches["reactance_pu"].tolist() == [0.2, 0.3]
    assert imported.tables.buses["load_mw"].tolist() == [0, 30, 0]
    [note] = [problem for problem in imported.problems if problem.code == "snapped"]
    assert (note.severity, "1 branches" in note.message) == ("note", True)


def test_a_line_with_bends_is_straightened_and_said() -> None:
    content = collection(
        point("A", (10.0, 50.0)), point("B", (11.0, 50.0)), line((10.0, 50.0), (10.5, 51.0), (11.0, 50.0)),
        line(((11.0, 50.0), (10.5, 50.0)), ((10.5, 50.0), (10.0, 50.0)), kind="MultiLineString"),
        line((10.0, 50.0), (11.0, 50.0)),
    )  # fmt: skip
    imported = read_network("g.json", content)
    assert imported.tables.branches[["from_bus", "to_bus"]].to_numpy().tolist() == [["A", "B"], ["B", "A"], ["A", "B"]]
    [note] = [problem for problem in imported.problems if problem.code == "routes"]
    assert note.message.startswith("2 lines have points between their ends")


def test_a_line_that_ends_far_from_any_bus_is_a_warning() -> None:
    content = collection(point("A", (10.0, 50.0)), point("B", (11.0, 50.0)), line((10.0, 50.0), (13.0, 50.0)))
    [note] = [problem for problem in read_network("g.json", content).problems if problem.code == "snapped"]
    assert note.severity == "warning"


def test_another_coordinate_system_is_converted() -> None:
    # 1,113,194.9 m east is 10 degrees of longitude in EPSG:3857, by that projection's definition.
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    content = collection(point("A", (1_113_194.9079327357, 0.0)), point("B", (0.0, 0.0)), crs=crs)
    buses = read_network("g.geojson", content).tables.buses
    assert buses["longitude"].tolist() == pytest.approx([10.0, 0.0])
    assert buses["latitude"].tolist() == pytest.approx([0.0, 0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"type": "FeatureCollection", "features": []}', "no features"),
        (b'{"type": "FeatureCollection", "features": [1, {"geometry": 3}]}', "not GeoJSON features: number 1, 2"),
        (b'{"type": "FeatureCollection"', "not JSON"),
        (collection(line((0, 0), (1, 1))), "no points"),
        (collection(shape("Polygon", [[[0, 0], [1, 1], [0, 1], [0, 0]]])), "is a Polygon"),
        (collection(shape("Point", ["a"])), "feature 1: the coordinates of its Point cannot be read"),
        (collection(shape("Blob", [0, 0])), "feature 1 is a Blob"),
        (collection(point("A", (0, 0)), shape("LineString", [[0, 0]])), "feature 2: the coordinates of its LineString"),
        (collection(shape("Polygon", eval("[" * 90 + "]" * 90))), "is a Polygon"),  # noqa: S307 - our own brackets
        (collection(shape("LineString", eval("[" * 90 + "]" * 90))), "no points"),  # noqa: S307
        (collection({"type": "Feature", "geometry": None, "properties": {"bus": "A"}}), "1 is without geometry"),
        (collection(point(10**400, (0, 0))), "a number of that size is not text"),
        (collection(*(point("A", (0, 0), **{f"k{at}": 1}) for at in range(5000))), "5,001 different properties"),
        (collection(point("A", (0, 0), load_mw="much")), "feature 1, load_mw: 'much' is not a number"),
        (collection(point("A", (0, 0), load_mw={"a": 1})), "is not a number"),
        (collection(point("A", (0, 0)), crs={"properties": {"name": "EPSG:banana"}}), "EPSG:banana"),
        (collection(point("A", (0, 0)), headroom={"base_mva": "x"}), "base_mva"),
        (collection(point("A", (0, 0)), headroom={"base_mva": math.nan}), "the base power is nan MVA"),
    ],
)  # fmt: skip
def test_bad_geojson_is_refused(content: bytes, expected: str) -> None:
    assert expected in refusal("grid.geojson", content)


# Our own JSON


def test_gzipped_json_is_read() -> None:
    tables = library.load("ieee14")
    name, content = write_network(tables, "json")
    assert read_network(name + ".gz", gzip.compress(content)).tables.digest() == tables.digest()


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b'{"format": "headroom-network"}',
        b'{"format": "headroom-network", "version": 2}',
        b'{"format": "headroom-network", "version": 1, "buses": {"bus": "x"}}',
        b'{"format": "headroom-network", "version": 1, "buses": {"bus": ["a", "b"], "load_mw": [1]}}',
        b'{"format": "headroom-network", "version": 1, "buses": {"bus": ["a"], "load_mw": ["x"]}}',
        b'{"format": "headroom-network", "version": 1, "buses": {"bus": ["a"], "load_mw": [1' + b"0" * 400 + b"]}}",
        b'{"format": "headroom-network", "version": 1, "buses": {"bus": ["a", "a"]}}',
        b'{"format": "headroom-network", "version": 1, "buses": {"bus": ["\\ud800"]}}',
        b'{"format": "headroom-network", "version": 1, "buses": {"bus": ["\\u0000"]}}',
        b'{"format": "headroom-network", "version": 1, "base_mva": "x"}',
        b'{"format": "headroom-network", "version": 1, "base_mva": 1e999, "buses": {"bus": ["a"]}}',
        b'{"format": ' + b"[" * 100_000,
        b"{" + b"1" * 5000,
        "{'format'}".encode("utf-16"),
    ],
)
def test_json_that_is_not_ours_is_refused(content: bytes) -> None:
    refusal("network.json", content)
    refusal("network.json.gz", gzip.compress(content))
