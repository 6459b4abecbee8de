"""PyPSA networks: flows as its own lpf gives them, from CSV folders and netCDF, and back; refusals."""

import io
import json
import logging
import random
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.io import netcdf_file

with warnings.catch_warnings():  # those of its imports
    warnings.simplefilter("ignore")
    import pypsa as pypsa_itself

from engine.errors import FileFormatError, NetworkDataError
from engine.network import library
from engine.network.imported import Imported
from engine.network.pypsa import read_pypsa_folder, read_pypsa_netcdf
from engine.network.pypsa_types import line_types, transformer_types
from engine.network.pypsa_writer import write_pypsa
from engine.network.readers import read_network, write_network
from engine.network.tables import table_of
from tests.engine.network.pypsa_nets import day, europe, flows, folder, lpf, odd, told

pytestmark = pytest.mark.filterwarnings("ignore")  # PyPSA's own


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("snapshot", [0, 1])
def test_flows_of_a_csv_folder_are_those_of_lpf(tmp_path: Path, snapshot: int) -> None:
    net = europe()
    found = read_pypsa_folder(folder(net, tmp_path), snapshot=snapshot)
    expected = lpf(net, snapshot)
    made = flows(found.tables)
    assert made.keys() == expected.keys()
    for name, flow in expected.items():
        assert made[name] == pytest.approx(0.0 if name in {"off", "far"} else flow, abs=1e-8), name


@pytest.mark.parametrize("classic", [False, True])
def test_netcdf_reads_as_the_csv_folder_does(tmp_path: Path, classic: bool) -> None:
    net = europe()
    expected = read_pypsa_folder(folder(net, tmp_path), snapshot=1).tables
    (tmp_path / "nc").mkdir()
    path = tmp_path / "nc" / "net.nc"
    if classic:
        net.export_to_netcdf().to_netcdf(path, engine="scipy", format="NETCDF3_64BIT")
    else:
        net.export_to_netcdf(path)
    found = read_pypsa_netcdf(path.read_bytes(), snapshot=1).tables
    assert found.name == "Small Europe"
    for table in ("buses", "branches", "units"):
        assert found.table(table).equals(expected.table(table))


@pytest.mark.parametrize("snapshot", [0, 1, 2])
def test_flows_of_an_odd_network_are_those_of_lpf(tmp_path: Path, snapshot: int) -> None:
    net = odd()
    found = read_pypsa_folder(folder(net, tmp_path), snapshot=snapshot)
    assert "links out of service, which carry nothing here (lpf counts what is set for them): idle (30 MW)" in told(
        found
    )
    made = flows(found.tables)
    net.links.loc["idle", "p_set"] = 0.0
    for name, flow in lpf(net, snapshot).items():
        assert made[name] == pytest.approx(0.0 if name == "off" else flow, abs=1e-8), name


@pytest.mark.parametrize("netcdf", [False, True])
def test_without_a_choice_the_snapshot_of_the_largest_load_is_read(tmp_path: Path, netcdf: bool) -> None:
    net = day()
    if netcdf:
        net.export_to_netcdf(tmp_path / "net.nc")
        content = (tmp_path / "net.nc").read_bytes()
    files = {} if netcdf else folder(net, tmp_path)

    def read(snapshot: int | None) -> Imported:
        return read_pypsa_netcdf(content, "", snapshot) if netcdf else read_pypsa_folder(files, "", snapshot)

    given = net.get_switchable_as_dense("Load", "p_set")
    expected = (given["evening"] + given["steady"] - given["sun"]).to_numpy()
    found = read(None)
    assert found.snapshots is not None
    np.testing.assert_allclose(found.snapshots.load_mw, expected, atol=1e-9)
    assert found.snapshots.at == expected.argmax() == 19
    assert found.snapshots.names[:2] == ("2013-03-30 00:00", "2013-03-30 01:00")
    assert found.tables.buses["load_mw"].sum() == pytest.approx(expected.max())
    assert "20 of 24: 2013-03-30 19:00, which has the largest load, 97.0 MW" in told(found)
    assert flows(found.tables) == pytest.approx(lpf(net, 19), abs=1e-8)
    other = read(11)
    assert flows(other.tables) == pytest.approx(lpf(net, 11), abs=1e-8)
    assert f"with a load of {expected[11]:.1f} MW; the largest is 97.0 MW, in 2013-03-30 19:00" in told(other)
    for beyond in (-1, 24):
        with pytest.raises(FileFormatError, match=rf"there is no snapshot {beyond + 1}: the network has 24"):
            read(beyond)


def test_snapshots_of_investment_periods_are_named_by_both(tmp_path: Path) -> None:
    net = day()
    net.set_snapshots(pd.MultiIndex.from_product([[2030, 2040], net.snapshots[:2]], names=["period", "timestep"]))
    net.add("Load", "growth", bus="b", p_set=[5.0, 6.0, 9.0, 8.0])
    from_csv = read_pypsa_folder(folder(net, tmp_path))
    (tmp_path / "nc").mkdir()
    net.export_to_netcdf(tmp_path / "nc" / "net.nc")
    from_netcdf = read_pypsa_netcdf((tmp_path / "nc" / "net.nc").read_bytes())
    assert from_csv.snapshots == from_netcdf.snapshots
    assert from_csv.snapshots is not None
    assert from_csv.snapshots.names[2] == "2040 2013-03-30 00:00"
    assert from_csv.snapshots.at == 2
    assert from_csv.tables.buses.equals(from_netcdf.tables.buses)


def test_a_folder_in_another_encoding_is_read_with_a_warning() -> None:
    files = {"buses.csv": "name,v_nom\nK\u00f6ln,100\n".encode("latin-1"), "snapshots.csv": b",snapshot\n0,now\n"}
    found = read_pypsa_folder(files)
    assert found.tables.buses["bus"].tolist() == ["K\u00f6ln"]
    assert "buses.csv is not UTF-8; read as Latin-1" in told(found)


def test_a_file_of_one_snapshot_offers_no_choice(tmp_path: Path) -> None:
    net = day()
    net.set_snapshots(net.snapshots[:1])
    found = read_pypsa_folder(folder(net, tmp_path))
    assert found.snapshots is None
    assert "snapshot" not in told(found)


def test_the_tables_say_what_the_file_says(tmp_path: Path) -> None:
    found = read_pypsa_folder(folder(europe(), tmp_path))
    tables = found.tables
    buses, branches, units = (
        tables.table(name).set_index(key) for name, key in (("buses", "bus"), ("branches", "branch"), ("units", "unit"))
    )
    assert buses.index[buses["slack"]].tolist() == ["Bus 3"]
    assert buses.index[~buses["in_service"]].tolist() == ["Island", "Coast"]
    assert buses.loc["Bus 1", ["load_mw", "longitude", "latitude", "v_min_pu"]].tolist() == [120.0, 10.0, 50.5, 0.95]
    assert branches.loc[["1-4", "typed"], "circuit"].tolist() == ["1", "2"]
    assert branches.loc[["0-1", "0-2", "3-4"], "rating_a_mw"].tolist() == [350.0, np.inf, 250.0]
    assert units.loc["wind", ["fuel", "technology", "p_max_mw", "p_mw"]].tolist() == ["wind", "onwind", 100.0, 90.0]
    assert units.loc["gas", ["p_min_mw", "cost_c1_per_mwh", "cost_c2_per_mw2h", "startup_cost"]].tolist() == [
        60.0, 60.0, 0.02, 900.0
    ]  # fmt: skip
    assert units.loc["lake", ["p_mw", "p_min_mw", "p_max_mw"]].tolist() == [-20.0, -50.0, 50.0]
    said = told(found)
    for part in (
        "one snapshot is read, 1 of 2: 2013-01-01 00:00, which has the largest load, 240.0 MW; the smallest is 210.0",
        "links, which are fixed injections at their ends: cable (30 MW)",
        "buses of carrier DC, left out: 1",
        "buses of carrier H2, left out: 1",
        "storage units",
        "stores, which are",
        "areas of their own, out of service here: Island, Coast",
    ):
        assert part in said


def test_a_solved_network_is_filed_at_its_dispatch(tmp_path: Path) -> None:
    net = pypsa_itself.Network()
    for bus in "ab":
        net.add("Bus", bus, v_nom=100.0)
    net.add("Line", "l", bus0="a", bus1="b", x=10.0, s_nom=100)
    net.add("Generator", "g", bus="a", p_nom=50)
    net.add("Load", "d", bus="b", p_set=30.0)
    net.generators_t.p["g"] = 30.0
    found = read_pypsa_folder(folder(net, tmp_path))
    assert found.tables.units["p_mw"].tolist() == [30.0]
    assert "filed at the solved dispatch" in told(found)


def test_standard_types_are_those_of_pypsa() -> None:
    net = pypsa_itself.Network()
    for kind, own in ((net.line_types, line_types([])), (net.transformer_types, transformer_types([]))):
        assert set(own) == set(kind.index)
        for name, entry in own.items():
            for column in entry.__slots__:
                assert getattr(entry, column) == kind.loc[name, column]


@pytest.mark.parametrize("key", ["fourbus", "ieee118", "rts-gmlc", "texas-2016"])
def test_pypsa_loads_what_is_written_and_finds_the_same_flows(key: str, tmp_path: Path) -> None:
    tables = library.load(key)
    with zipfile.ZipFile(io.BytesIO(write_pypsa(tables))) as archive:
        archive.extractall(tmp_path)
    net = pypsa_itself.Network(tmp_path)
    expected = flows(tables)
    assert lpf(net) == pytest.approx(expected, abs=1e-6)
    again = read_pypsa_folder({path.name: path.read_bytes() for path in tmp_path.iterdir()}).tables
    assert flows(again) == pytest.approx(expected, abs=1e-6)
    for column in ("bus", "name", "area", "zone", "slack", "load_mw", "v_max_pu", "withdrawal_limit_mw"):
        assert again.buses[column].tolist() == tables.buses[column].tolist()
    for column in ("unit", "fuel", "p_max_mw", "cost_c1_per_mwh", "cost_points", "startup_cost"):
        assert again.units[column].tolist() == tables.units[column].tolist()


@pytest.mark.parametrize("key", ["fourbus", "rts-gmlc"])
def test_the_netcdf_written_is_for_pypsa_the_network_of_the_folder(key: str, tmp_path: Path) -> None:
    tables = library.load(key)
    name, content = write_network(tables, "pypsa_nc")
    (tmp_path / name).write_bytes(content)
    with zipfile.ZipFile(io.BytesIO(write_pypsa(tables))) as archive:
        archive.extractall(tmp_path / "folder")
    net, other = pypsa_itself.Network(tmp_path / name), pypsa_itself.Network(tmp_path / "folder")
    for kind in ("buses", "lines", "transformers", "generators", "loads", "shunt_impedances", "carriers"):
        ours, theirs = net.components[kind].static, other.components[kind].static
        assert len(ours) == len(theirs)
        for column in set(ours) | set(theirs):
            if column.startswith("headroom_"):
                continue  # the folder's program guesses their types; what they hold is compared below
            if ours[column].dtype.kind == "f":
                np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-12)  # it reads text not exactly
            else:
                assert ours[column].tolist() == theirs[column].tolist(), (kind, column)
    assert lpf(net) == pytest.approx(flows(tables), abs=1e-6)
    again = read_pypsa_netcdf(content).tables
    assert again.digest() == read_network(*write_network(tables, "pypsa")).tables.digest()
    assert write_network(tables, "pypsa_nc")[1] == content


def test_interfaces_travel_along_and_a_slack_bus_without_units_is_kept() -> None:
    tables = library.load("ieee14")
    first = tables.branches["branch"][0]
    slack = tables.buses["bus"] == "14"  # where no unit is
    tables = tables.with_table("buses", tables.buses.assign(slack=slack))
    tables = tables.with_table("interfaces", table_of("interfaces", [{"interface": "cut", "terms": f"{first}:1"}]))
    for file_format in ("pypsa", "pypsa_nc"):
        again = read_network(*write_network(tables, file_format)).tables
        assert again.interfaces.equals(tables.interfaces)
        assert again.buses["slack"].tolist() == slack.tolist()
        assert again.units["unit"].tolist() == tables.units["unit"].tolist()
    broken = tables.with_table("branches", tables.branches.assign(to_bus="gone"))
    with pytest.raises(NetworkDataError, match="to_bus 'gone' does not exist"):
        write_pypsa(broken)


BUSES, LINES = b"name,v_nom\na,100\nb,100\n", b"name,bus0,bus1,x,s_nom\nl,a,b,1,9\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"buses.csv": b"name,v_nom\n"}, "no buses of carrier AC"),
        ({"buses.csv": b"name,v_nom\na,1x\n"}, "buses a: v_nom is '1x', not a number"),
        ({"buses.csv": b"name,scenario\na,1\n"}, "networks with scenarios are not read"),
        ({"buses.csv": b"name\na,1\n"}, "2 cells under 1 column names"),
        ({"buses.csv": BUSES, "lines.csv": b"name,bus0,bus1\nl,a,c\n"}, "lines l: there is no bus 'c'"),
        ({"buses.csv": BUSES, "lines.csv": b"name,bus0,bus1,type\nl,a,b,rope\n"}, "its type 'rope' is neither"),
        ({"buses.csv": BUSES, "transformers.csv": b"name,bus0,bus1,x\nt,a,b,0.1\n"}, "transformers t: s_nom is 0 MVA"),
        ({"buses.csv": BUSES, "loads.csv": b"name,bus\nd,a\n", "loads-p_set.csv": b",d\n"}, "no snapshot 1"),
        ({"network.csv": b"name,pypsa_version\nn,1\n"}, "has no buses.csv"),
        ({"buses.csv": BUSES, "lines.csv": b"name,bus0,bus1,x\nl,a,b,1e400\n"}, "x is 1e400, which is infinite"),
        (
            {"buses.csv": BUSES, "snapshots.csv": b",snapshot\n0,1\n1,2\n", "loads.csv": b"name,bus\nd,a\n",
             "loads-p_set.csv": b",d\n0,5\n"},
            "loads-p_set.csv: 1 rows for 2 snapshots",
        ),
        ({"buses.csv": b"name\na\na\n", "lines.csv": LINES}, "'a' is there twice"),
        ({"buses.csv": b"name\na\x00\n"}, "zero bytes"),
    ],
)  # fmt: skip
def test_a_bad_folder_is_refused_in_words(files: dict[str, bytes], expected: str) -> None:
    with pytest.raises(FileFormatError) as refusal:
        read_pypsa_folder(files)
    assert expected in "; ".join(problem.message for problem in refusal.value.problems)


def hdf5(**variables: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, values in variables.items():
            if isinstance(values, tuple):
                file.create_dataset(name, shape=values, dtype="f8", chunks=True, compression="gzip")
            else:
                file[name] = values
    return buffer.getvalue()


def classic(**variables: Any) -> bytes:
    buffer = io.BytesIO()
    file = netcdf_file(buffer, "w")
    for name, values in variables.items():
        file.createDimension(f"n{name}", len(values))
        file.createVariable(name, "f8", (f"n{name}",))[:] = values
    file.flush()
    return buffer.getvalue()


def netcdf_refusal(content: bytes) -> str:
    with pytest.raises(FileFormatError) as refusal:
        read_pypsa_netcdf(content)
    return "; ".join(problem.message for problem in refusal.value.problems)


def test_bad_netcdf_is_refused_in_words_and_bombs_do_not_unpack() -> None:
    assert "not a PyPSA network" in netcdf_refusal(hdf5(x=[1.0]))
    assert "not a PyPSA network" in netcdf_refusal(classic(x=[1.0]))
    assert "cannot be read" in netcdf_refusal(b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert "cannot be read" in netcdf_refusal(b"CDF\x01" + b"\xff" * 100)
    whole = hdf5(buses_i=[1.0], buses_v_nom=list(range(999)))
    assert "it is cut off before its end" in netcdf_refusal(whole[: len(whole) // 2])
    names = np.array(["a"], dtype=object)
    assert "2 cells for 1 components" in netcdf_refusal(hdf5(buses_i=names, buses_v_nom=[1.0, 2.0]))
    assert "10,000,000,000 items" in netcdf_refusal(hdf5(buses_i=names, buses_v_nom=(10_000_000_000,)))
    wide = hdf5(buses_i=names, loads_i=names, loads_t_p_set_i=names, loads_t_p_set=(10, 1_000_000_000))
    assert "without a snapshot 1" in netcdf_refusal(wide)


def test_damaged_netcdf_is_refused_or_read_but_never_takes_the_server_along(tmp_path: Path) -> None:
    europe().export_to_netcdf(tmp_path / "net.nc")
    whole = (tmp_path / "net.nc").read_bytes()
    chance = random.Random(8105)  # noqa: S311 - seeded mutations
    for _ in range(6):
        content = bytearray(whole)
        for _ in range(60):
            at = chance.randrange(100, len(content))
            content[at : at + 4] = chance.randbytes(4)
        try:
            read_pypsa_netcdf(bytes(content)).tables.digest()
        except FileFormatError as error:
            assert error.problems  # noqa: PT017 - a refusal is one of two good outcomes


def test_damaged_folders_are_refused_or_read_but_never_crash(tmp_path: Path) -> None:
    whole = folder(europe(), tmp_path)
    assert json.loads(whole["meta.json"]) == {}
    chance = random.Random(8106)  # noqa: S311 - seeded mutations
    junk = [b",", b"\n", b'"', b"nan", b"inf", b"-", b"1e999", b"\xff", b"\x00", b"Bus 9", b"7" * 400]
    for _ in range(200):
        files = dict(whole)
        for _ in range(chance.randint(1, 4)):
            name = chance.choice(list(files))
            content = bytearray(files[name] or b" ")
            at = chance.randrange(len(content))
            content[at : at + chance.choice([0, 1, 5, 40])] = chance.choice(junk)
            files[name] = bytes(content)
        try:
            read_pypsa_folder(files).tables.digest()
        except FileFormatError as error:
            assert error.problems  # noqa: PT017 - a refusal is one of two good outcomes
