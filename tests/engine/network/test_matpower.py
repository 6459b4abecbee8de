"""MATPOWER case files: every construct of the format, published cases, refusals."""

import numpy as np
import pytest

from engine.errors import FileFormatError, NetworkDataError
from engine.network import library
from engine.network.factors import Factors
from engine.network.matpower import read_matpower
from engine.network.matpower_writer import write_matpower
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from tests.engine.grids import matpower_case, parsed

SMALL = """function mpc = small
%SMALL  three buses
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [
    1 3 0   0  0 0 1 1 0 230 1 1.1 0.9;
    2 1 90 30  5 0 1 1 0 230 2 1.1 0.9;
    7 2 10  5  0 0 2 1 0 115 2 1.1 0.9;
];
mpc.gen = [
    1 60 0 50 -50 1 100 1 100 10;
    7 40 0 50 -50 1 100 0 80 0;
];
mpc.branch = [
    1 2 0.01 0.1 0.02 100 0   0   0    0 1 -360 360;
    2 7 0.01 0.2 0.02 0   0   0   0.98 5 1 0 0;
    1 7 0.01 0.3 0    80  100 120 0    0 0 -30 30;
    2 1 0.01 0.1 0.02 100 0   0   0    0 1 -400 30;
];
mpc.gencost = [
    2 10 5 3 0.01 20 100;
    1 0  0 2 0 0 80 1600;
];
"""


def small(old: str = "", new: str = "") -> str:
    assert old in SMALL
    return SMALL.replace(old, new, 1)


def messages(text: str) -> list[str]:
    with pytest.raises(FileFormatError) as refused:
        read_matpower(text)
    return [problem.message for problem in refused.value.problems]


def test_a_case_becomes_tables_in_our_words() -> None:
    tables = read_matpower(SMALL).tables
    assert tables.name == "small"
    assert tables.base_mva == 100
    assert tables.buses["bus"].tolist() == ["1", "2", "7"]
    assert tables.buses["slack"].tolist() == [True, False, False]
    assert tables.buses["load_mw"].tolist() == [0, 90, 10]
    assert tables.buses["shunt_mw"].tolist() == [0, 5, 0]
    assert tables.buses["zone"].tolist() == ["1", "2", "2"]
    assert tables.branches["branch"].tolist() == ["1-2", "2-7", "1-7", "2-1/2"]
    assert tables.branches["circuit"].tolist() == ["1", "1", "1", "2"]
    assert tables.branches["kind"].tolist() == ["line", "transformer", "transformer", "line"]
    assert tables.branches["tap_ratio"].tolist() == [1, 0.98, 1, 1]
    assert tables.branches["shift_deg"].tolist() == [0, 5, 0, 0]
    assert tables.branches["in_service"].tolist() == [True, True, False, True]
    assert tables.units["unit"].tolist() == ["1-1", "7-1"]
    assert tables.units["in_service"].tolist() == [True, False]
    assert tables.units["cost_c2_per_mw2h"].tolist() == [0.01, 0]
    assert tables.units["cost_c1_per_mwh"].tolist() == [20, 0]
    assert tables.units["cost_c0_per_h"].tolist() == [100, 0]
    assert tables.units["startup_cost"].tolist() == [10, 0]
    assert tables.units["cost_points"].tolist() == ["", "0:0 80:1600"]


def test_zeros_that_mean_none_are_none() -> None:
    branches = read_matpower(SMALL).tables.branches
    np.testing.assert_array_equal(branches["rating_a_mw"], [100, np.inf, 80, 100])
    np.testing.assert_array_equal(branches["rating_b_mw"], [np.nan, np.nan, 100, np.nan])
    np.testing.assert_array_equal(branches["angle_min_deg"], [-np.inf, -np.inf, -30, -np.inf])
    np.testing.assert_array_equal(branches["angle_max_deg"], [np.inf, np.inf, 30, 30])
    frozen = Network.from_tables(read_matpower(SMALL).tables).branches
    np.testing.assert_array_equal(frozen.rating_c_mw, [100, np.inf, 120, 100])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mpc.baseMVA = 100;", "mpc.baseMVA = 1e2 % MVA, not 1000;"),
        ("mpc.baseMVA = 100;", "mpc.baseMVA = 200/2;"),
        ("    1 3 0   0  0 0 1 1 0 230", "    1, 3, 0, 0, ... the rest follows\n  0 0 1 1 0 2.3E+2"),
        ("    2 1 90 30  5 0 1 1 0 230 2 1.1 0.9;\n", "    2 1 90 30  5 0 1 1 0 230 2 1.1 0.9 % no semicolon; 5\n"),
        ("mpc.version = '2';", "%{\nmpc.version = '1';\n%{\nnested\n%}\nmpc.baseMVA = 1;\n%}\nmpc.version = \"2\";"),
        ("mpc.version = '2';\nmpc.baseMVA = 100;", "mpc.version='2',mpc.baseMVA=100"),
        ("    7 2 10  5  0", "\n\n    7 2 10.0 5. .0"),
        ("function mpc = small\n", ""),
        ("\n", "\r\n"),
    ],
)
def test_the_same_case_in_other_clothes_is_the_same(old: str, new: str) -> None:
    text = SMALL.replace(old, new) if old == "\n" else small(old, new)
    plain, dressed = read_matpower(SMALL).tables, read_matpower(text, "small").tables
    for name in ("buses", "branches", "units"):
        assert plain.table(name).equals(dressed.table(name))
    assert dressed.base_mva == 100


def test_another_name_for_the_structure_is_read() -> None:
    assert len(read_matpower(SMALL.replace("mpc", "ppc")).tables.buses) == 3


def test_result_columns_are_ignored() -> None:
    wider = SMALL.replace("1.1 0.9;", "1.1 0.9 20.5 0 0 0;")
    assert read_matpower(wider).tables.buses.equals(read_matpower(SMALL).tables.buses)


def test_text_columns_keep_quotes_accents_and_percent_signs() -> None:
    names = "mpc.bus_name = {\n'O''Donnell 1'; \"50 % {x};\" % comment\n 'Орёл';\n};\nmpc.genfuel = {'wind'; 'ng'};\n"
    tables = read_matpower(SMALL + names).tables
    assert tables.buses["name"].tolist() == ["O'Donnell 1", "50 % {x};", "Орёл"]
    assert tables.units["fuel"].tolist() == ["wind", "ng"]


def test_a_text_column_of_another_length_is_left_out_with_a_warning() -> None:
    imported = read_matpower(SMALL + "mpc.bus_name = {'a'; 'b'};\n")
    assert imported.tables.buses["name"].tolist() == ["", "", ""]
    assert any("2 entries for 3 rows" in problem.message for problem in imported.problems)


def test_bus_type_4_is_out_of_service_and_a_second_slack_is_dropped_with_a_warning() -> None:
    imported = read_matpower(small("    2 1 90", "    2 3 90").replace("    7 2 10", "    7 4 10"))
    assert imported.tables.buses["in_service"].tolist() == [True, True, False]
    assert imported.tables.buses["slack"].tolist() == [True, False, False]
    assert [problem.code for problem in imported.problems] == ["slacks"]


def test_reactive_costs_are_dropped_with_a_note() -> None:
    doubled = small("    1 0  0 2 0 0 80 1600;\n", "    1 0 0 2 0 0 80 1600;\n" + "    2 0 0 3 9 9 9;\n" * 2)
    imported = read_matpower(doubled)
    assert imported.tables.units.equals(read_matpower(SMALL).tables.units)
    assert [problem.code for problem in imported.problems] == ["reactive-costs"]


def test_a_cubic_cost_becomes_straight_pieces_on_the_curve() -> None:
    imported = read_matpower(small("2 10 5 3 0.01 20 100;", "2 10 5 4 0.001 0.01 20 100;"))
    points = [pair.split(":") for pair in imported.tables.units["cost_points"][0].split()]
    power, cost = np.array(points, dtype=float).T
    assert (power[0], power[-1], len(power)) == (10, 100, 11)
    np.testing.assert_allclose(cost, 0.001 * power**3 + 0.01 * power**2 + 20 * power + 100)
    assert [problem.code for problem in imported.problems] == ["cost-degree"]


def test_leading_zero_terms_do_not_raise_the_degree() -> None:
    imported = read_matpower(small("2 10 5 3 0.01 20 100;", "2 10 5 5 0 0 0.01 20 100;"))
    assert imported.tables.units["cost_c2_per_mw2h"][0] == 0.01
    assert not imported.problems


def test_dc_lines_are_left_out_with_a_warning() -> None:
    imported = read_matpower(SMALL + "mpc.dcline = [1 7 1 12.5 12 0 0 1 1 -100 100 0 0 0 0 0 0];\n")
    [warning] = imported.problems
    assert warning.code == "dc-lines"
    assert "12.5 MW" in warning.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("function [baseMVA, bus, gen, branch] = old\nbaseMVA = 100;\n", "version 1"),
        (small("mpc.version = '2';\n"), "there is no version"),
        (small("'2'", "'1'"), "version '1' is not read"),
        (small("mpc.baseMVA = 100;\n"), "baseMVA is missing"),
        (small("0.02 100 0   0   0 ", "0.02 100 0   0   "), "line 15: row 1 of mpc.branch has 12 numbers, not 13"),
        (small("    1 2 0.01 0.1", "    1 2 0.01 x"), "line 15: 'x' in mpc.branch is not a number"),
        (small("    1 2 0.01 0.1", "    1 2 0.01 1_0"), "'1_0' in mpc.branch is not a number"),
        (small("    1 2 0.01 0.1", "    1 2 0.01 ٣"), "'٣' in mpc.branch is not a number"),
        (small("];\nmpc.gen = [", "mpc.gen = ["), "mpc.bus, opened on line 5, is not closed"),
        (SMALL[: SMALL.index("1600")], "mpc.gencost is not closed before the end of the file"),
        (small("];\nmpc.gen = [", "]';\nmpc.gen = ["), "after the value of mpc.bus is not understood"),
        (small("    7 2 10", "    2 2 10"), "bus number 2 is used by 2 rows"),
        (small("    7 2 10", "    7.5 2 10"), "7.5 is not a bus number"),
        (small("    7 2 10", "    NaN 2 10"), "nan is not a bus number"),
        (small("1 0  0 2 0 0", "3 0  0 2 0 0"), "cost model 3 is neither 1 nor 2"),
        (small("2 10 5 3 0.01", "2 10 5 9 0.01"), "9 cost terms do not fit"),
        (small("    1 0  0 2 0 0 80 1600;\n"), "mpc.gencost has 1 rows for 2 units"),
        (SMALL + "mpc.branch(9, 11) = 1;\n", "line 24: 'mpc.branch(9, 11) = 1' is program code"),
        (SMALL + "mpc.branch(2, :) = [];\n", "is not understood"),
        (SMALL + "mpc.bus(:, 3) = mpc.gen(:, 9);\n", "2 x 1 numbers do not fit into 3 x 1"),
        (SMALL + "mpc.bus(:, PD) = 0;\n", "'PD' is not known as a column"),
        (SMALL + "mpc.bus(3) = 0;\n", "a place needs a row and a column"),
        (SMALL + "mpc.bus(1:2:3, 3) = 0;\n", "a range with steps is not read"),
        (SMALL + "mpc.bus(:, 14) = 0;\n", "14 is not a column from 1 to 13"),
        (SMALL + "mpc.bus(:, mpc.bus(1, 1)) = 0;\n", "not known as a column"),
        (SMALL + "mpc.gen = 7;\n", "mpc.gen is missing"),
        (SMALL + "mpc.gencost = mpc.gen(:, 1:4);\n", "only a number can be assigned to a field as a whole"),
        (SMALL + "x = other.bus(1, 1);\n", "'other.bus' is not something that the file has given"),
        (SMALL + "x = mpc.areas(1, 1);\n", "'mpc.areas' is not something that the file has given"),
        (SMALL + "mpc.baseMVA = 1 00;\n", "program code"),
        (SMALL + "if mpc.baseMVA == 100\n mpc.bus(1, 3) = 9;\nend\n", "line 24"),
        (SMALL + "mpc = scale_load(2, mpc);\n", "program code"),
        (SMALL + "for k = 1:3\n mpc.bus(k, 3) = 0;\nend\n", "line 24: 'for k"),
        (SMALL + "mpc = 4;\n", "'mpc = 4' is program code"),
        (SMALL + "[PD, 3] = idx_bus;\n", "program code"),
        (SMALL + "[PD, QD] = idx_house;\n", "program code"),
        (SMALL + "function y = second(x)\n", "a second function"),
        (SMALL + "mpc.bus_name = {'a', 'b\n};\n", "text without its closing '"),
        (SMALL + "mpc.bus_name = {a};\n", "is not text in quotes"),
        (SMALL + "other.bus = [1];\n", "other.bus is not a field of mpc"),
        (SMALL + "x = 1" + " + 1" * 3000 + ";\n", "line 24: a statement of more than 5,000 characters"),
        (SMALL + "\n" * 2_000_001, "2,000,024 lines follow; 2,000,000 is the most"),
        (SMALL + "mpc.extra = [" + "1 " * 10_001 + "];\n", "has a row of more than 10,000 numbers"),
        (SMALL + "mpc.bus_name = {" + "'a' " * 10_001 + "};\n", "has a row of more than 10,000 numbers or texts"),
        (SMALL + "mpc.extra = [" + "1/3;\n" * 20_001 + "];\n", "more than 20,000 cells are no plain numbers"),
        (small("1 0  0 2 0 0 80 1600", "1 0  0"), "line 22: row 2 of mpc.gencost has 3 numbers; 4 is the least"),
        (small("1 0  0 2 0 0 80 1600", "2 0  0 3 1 2"), "3 cost terms do not fit its 2 numbers"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, expected: str) -> None:
    found = messages(text)
    assert any(expected in message for message in found), found


def test_all_problems_come_at_once() -> None:
    text = small("0.01 0.1", "0.01 x").replace("    7 2 10", "    7 2").replace("mpc.baseMVA = 100;\n", "")
    assert len(messages(text)) == 3


def test_ohms_and_kilowatts_are_converted_as_the_case_says() -> None:
    # case33bw: line 1-2 has 0.0922 + 0.0470j ohms at 12.66 kV and 10 MVA in Baran and Wu 1989; loads in kW.
    tables = read_matpower(library.case_text("case33bw")).tables
    base_mva = tables.base_mva
    assert tables.branches["resistance_pu"][0] == pytest.approx(0.0922 * base_mva / 12.66**2, rel=1e-12)
    assert tables.branches["reactance_pu"][0] == pytest.approx(0.0470 * base_mva / 12.66**2, rel=1e-12)
    assert tables.buses["load_mw"].sum() == pytest.approx(3.715)
    assert tables.buses["load_mvar"].sum() == pytest.approx(2.300)


ALL_OF_GEN = (
    "[GEN_BUS, PG, QG, QMAX, QMIN, VG, MBASE, GEN_STATUS, PMAX, PMIN, MU_PMAX, MU_PMIN, MU_QMAX, MU_QMIN, PC1, ...\n"
    "    PC2, QC1MIN, QC1MAX, QC2MIN, QC2MAX, RAMP_AGC, RAMP_10, RAMP_30, RAMP_Q, APF] = idx_gen;\n"
)  # the order in which MATPOWER's idx_gen returns them


# By hand: loads 0, 90, 10 MW; ratings 100, 0, 80, 100; largest outputs 100, 80.
@pytest.mark.parametrize(
    ("code", "table", "column", "expected"),
    [
        ("define_constants;\nmpc.bus(:, PD) = 1.5 * mpc.bus(:, PD);", "buses", "load_mw", [0, 135, 15]),
        ("mpc.bus(:, 3) = mpc.bus(:, 3) / 1e3;", "buses", "load_mw", [0, 0.09, 0.01]),
        ("mpc.bus(:,[3 4])=mpc.bus(:,[3,4])*2;", "buses", "load_mvar", [0, 60, 10]),
        ("mpc.bus(2, 3) = 7; mpc.bus(end, 3) = 8", "buses", "load_mw", [0, 7, 8]),
        ("mpc.bus(2:end, 3:4) = 1;", "buses", "load_mw", [0, 1, 1]),
        ("mpc.bus([1, 3], 3) = mpc.bus([3 1], 3) + 1;", "buses", "load_mw", [11, 90, 1]),
        ("mpc.bus([1:2, 3], 3) = 5;", "buses", "load_mw", [5, 5, 5]),
        ("k = 3;\nmpc.bus(k - 1, k) = k ^ 2;", "buses", "load_mw", [0, 9, 10]),
        ("loads = mpc.bus(:, 3) .* 2;\nmpc.bus(:, 3) = loads - 1;", "buses", "load_mw", [-1, 179, 19]),
        ("[PD, BUS_I] = idx_bus;\nmpc.bus(2, 3) = PD + BUS_I;", "buses", "load_mw", [0, 3, 10]),  # 1 and 2: by place
        (ALL_OF_GEN + "mpc.gen(:, PMAX) = mpc.gen(:, PMAX) + PC1;", "units", "p_max_mw", [111, 91]),
        ("[F_BUS, T_BUS, BR_R, BR_X, BR_B, RATE_A] = idx_brch;\nmpc.branch(:, RATE_A) = 10 * mpc.baseMVA;", "branches",
         "rating_a_mw", [1000] * 4),
        ("define_constants\nmpc.branch(:, [ANGMIN ANGMAX]) = 0;", "branches", "angle_max_deg", [np.inf] * 4),
        ("define_constants\nmpc.gencost(1, COST + 1) = 33;", "units", "cost_c1_per_mwh", [33, 0]),
        ("mpc.gen(:, 9) = mpc.gen(:, 9) ...\n  * 2;  % a comment", "units", "p_max_mw", [200, 160]),
    ],
)  # fmt: skip
def test_scaling_code_is_applied_and_said(code: str, table: str, column: str, expected: list[float]) -> None:
    imported = read_matpower(SMALL + code + "\n")
    np.testing.assert_allclose(imported.tables.table(table)[column], expected)
    assert {problem.code for problem in imported.problems} == {"code"}
    assert all(problem.message.startswith("line ") for problem in imported.problems)


@pytest.mark.parametrize(
    "code",
    [
        "mpc.userfcn = struct('stage', 'ext2int');",
        "mpc.notes.author = upper('somebody');",
        "mpc.extra = [1 2; 3 4];\nmpc.extra(1, :) = [];",
        "mpc.extra = mpc.bus';",
    ],
)
def test_a_field_that_no_network_is_made_of_is_left_out_and_said(code: str) -> None:
    imported = read_matpower(SMALL + code + "\n")
    assert imported.tables.digest() == read_matpower(SMALL).tables.digest()
    [note] = imported.problems
    assert note.code == "other-fields"
    assert note.message.removeprefix("fields that were not used: ") in {"userfcn", "notes.author", "extra"}


def test_a_field_that_was_left_out_cannot_be_computed_with() -> None:
    found = messages(SMALL + "mpc.extra = upper('x');\nmpc.bus(1, 3) = mpc.extra;\n")
    assert any("'mpc.extra' is not something that the file has given" in message for message in found)


def test_numbers_among_texts_are_read_as_text() -> None:
    tables = read_matpower(SMALL + "mpc.bus_name = {1; 'two'; -3.5e1};\n").tables
    assert tables.buses["name"].tolist() == ["1", "two", "-3.5e1"]


def test_a_field_may_be_computed_from_another() -> None:
    tables = read_matpower(SMALL + "Sbase = mpc.baseMVA * 1e6;\nmpc.baseMVA = Sbase / 2e6;\n").tables
    assert tables.base_mva == 50


def test_code_that_computes_without_end_is_stopped() -> None:
    rows = "".join(f"{number} 1 0 0 0 0 1 1 0 0 1 1 1;\n" for number in range(8, 5_000))
    text = small("    2 1 90", rows + "    2 1 90") + "x = mpc.bus(:, 1:13);\n" * 999
    assert any("computes too much" in message for message in messages(text))


def test_what_of_a_case_is_not_kept_is_said() -> None:
    wide = SMALL.replace("100 1 100 10;", "90 1 100 10 0 0 0 0 0 0 2 0 0 0 0.5;")
    wide = wide.replace("100 0 80 0;", "100 0 80 0 0 0 0 0 0 0 0 0 0 0 0;").replace("1 3 0   0", "1 1 0   0")
    notes = {problem.code: problem.message for problem in read_matpower(wide).problems}
    assert notes == {
        "columns": "columns of mpc.gen that have no place here: MBASE, RAMP_AGC, APF",
        "bus-types": "PQ buses where a unit runs: 1; here they count as PV",
    }


def test_apparent_loads_are_split_by_the_power_factor_that_the_case_says() -> None:
    tables = read_matpower(library.case_text("case141")).tables
    ratio = tables.buses["load_mvar"].sum() / tables.buses["load_mw"].sum()
    assert ratio == pytest.approx(np.tan(np.arccos(0.85)))


@pytest.mark.parametrize("case", ["case14", "case24_ieee_rts", "case118", "case300", "case_ACTIVSg500"])
def test_matrices_equal_those_of_an_independent_parser(case: str) -> None:
    ppc, tables = matpower_case(case), read_matpower(library.case_text(case)).tables
    np.testing.assert_array_equal(tables.buses["bus"].astype(int), ppc["bus"][:, 0])
    np.testing.assert_array_equal(tables.buses["load_mw"], ppc["bus"][:, 2])
    np.testing.assert_array_equal(tables.branches["reactance_pu"], ppc["branch"][:, 3])
    np.testing.assert_array_equal(tables.branches["shift_deg"], ppc["branch"][:, 9])
    np.testing.assert_array_equal(tables.units["p_max_mw"], ppc["gen"][:, 8])


@pytest.mark.parametrize("case", sorted({named.case for named in library.NAMED} - {""}))
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")  # inside pypower
def test_dc_flows_equal_those_of_pypower(case: str) -> None:
    from pypower.api import ppoption, rundcpf  # noqa: PLC0415 - a slow import

    tables = read_matpower(library.case_text(case)).tables
    ppc = matpower_case(case)
    if case == "case33bw":  # the parser runs no code: by hand from ohms at 12.66 kV and 10 MVA, and from kW
        ppc["branch"][:, 2:4] /= 12.66**2 / 10
        ppc["bus"][:, 2:4] /= 1000
    theirs, success = rundcpf(ppc, ppoption(VERBOSE=0, OUT_ALL=0))
    assert success
    network = Network.from_tables(tables)
    injection = network.injection_mw.copy()
    injection[network.slack] -= injection.sum()  # the slack balances
    flow = Factors.of(network).flows(injection)
    np.testing.assert_allclose(flow, theirs["branch"][:, 13], atol=1e-6 * np.abs(flow).max())


@pytest.mark.parametrize("key", [named.key for named in library.NAMED])
def test_a_written_case_reads_back_equal_to_the_last_bit(key: str) -> None:
    tables = library.load(key)
    assert read_matpower(write_matpower(tables)).tables.digest() == tables.digest()


def test_text_identifiers_and_odd_names_survive() -> None:
    tables = NetworkTables(
        name="42 %{ 'x'",
        buses=table_of("buses", [{"bus": "Süd", "slack": True, "name": "it's"}, {"bus": "%{", "in_service": False}]),
        branches=table_of("branches", [{"branch": "b]", "from_bus": "Süd", "to_bus": "%{", "rating_b_mw": 0.0}]),
        units=table_of("units", [{"unit": "};", "bus": "%{", "cost_points": "0:0  5:1e2", "cost_c0_per_h": 3.0}]),
    )
    assert read_matpower(write_matpower(tables)).tables.digest() == tables.digest()


def test_a_network_with_loose_ends_cannot_be_a_case() -> None:
    tables = NetworkTables(
        buses=table_of("buses", [{"bus": "1"}]),
        branches=table_of("branches", [{"branch": "b", "from_bus": "1", "to_bus": "9"}]),
    )
    with pytest.raises(NetworkDataError, match="to_bus '9' does not exist"):
        write_matpower(tables)


def test_a_cost_without_a_number_cannot_be_written_and_is_named() -> None:
    units = table_of("units", [{"unit": "u", "bus": "1", "cost_c1_per_mwh": np.inf}])
    tables = NetworkTables(buses=table_of("buses", [{"bus": "1"}]), units=units)
    with pytest.raises(NetworkDataError, match="units, row 1: a cost_c1_per_mwh of inf cannot be written"):
        write_matpower(tables)


@pytest.mark.parametrize("key", ["rts-gmlc", "ieee300", "texas-2020"])
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")  # inside pypower
def test_a_written_case_gives_pypower_the_same_flows(key: str) -> None:
    from pypower.api import ppoption, rundcpf  # noqa: PLC0415 - a slow import

    network = Network.from_tables(library.load(key))
    text = write_matpower(network.tables)
    assert text.startswith("function mpc = ")
    assert "mpc.version = '2';" in text
    theirs, success = rundcpf(parsed(text), ppoption(VERBOSE=0, OUT_ALL=0))
    assert success
    flow = Factors.of(network).flows(network.injection_mw)
    np.testing.assert_allclose(flow, theirs["branch"][:, 13], atol=1e-6 * np.abs(flow).max())
