"""Each check finds its fault, names element, value and limit, and finds nothing where there is none."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.errors import NetworkDataError, Problem
from engine.network import library
from engine.network.checks import check
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of

BUSES: list[dict[str, Any]] = [
    {"bus": "A", "slack": True, "base_kv": 230.0},
    {"bus": "B", "load_mw": 50.0, "base_kv": 230.0},
    {"bus": "C", "load_mw": 30.0, "base_kv": 230.0},
]
BRANCHES: list[dict[str, Any]] = [
    {"branch": "A-B", "from_bus": "A", "to_bus": "B", "rating_a_mw": 100.0, "rating_b_mw": 120.0, "rating_c_mw": 130.0},
    {"branch": "B-C", "from_bus": "B", "to_bus": "C", "rating_a_mw": 100.0, "rating_b_mw": 120.0, "rating_c_mw": 130.0},
]
UNITS: list[dict[str, Any]] = [{"unit": "A-1", "bus": "A", "p_mw": 80.0, "p_max_mw": 200.0}]


def tables(**changes: Any) -> NetworkTables:
    """The sound network with some cells changed: ``buses={1: {"load_mw": -5}}``; a row past the end is added."""
    rows = {"buses": BUSES, "branches": BRANCHES, "units": UNITS}
    built = {}
    for name, records in rows.items():
        changed = [dict(record) for record in records]
        for row, cells in changes.get(name, {}).items():
            if row >= len(changed):
                changed.append({})
            changed[row] |= cells
        built[name] = table_of(name, changed)
    return NetworkTables(**built)


def found(code: str, **changes: Any) -> Problem:
    problems = [problem for problem in check(tables(**changes)) if problem.code == code]
    assert len(problems) == 1, problems
    return problems[0]


def test_a_sound_network_has_no_problem() -> None:
    assert check(tables()) == []


@pytest.mark.parametrize(
    ("code", "severity", "place", "said", "changes"),
    [
        ("duplicate-bus", "error", ("buses", 3, "bus", "B"), "row 2", {"buses": {3: {"bus": "B"}}}),
        ("missing-bus-id", "error", ("buses", 3, "bus", ""), "row 4",
         {"buses": {3: {"bus": "", "in_service": False}}}),
        ("two-slacks", "error", ("buses", 2, "slack", "C"), "bus A", {"buses": {2: {"slack": True}}}),
        ("no-slack", "error", ("buses", None, "slack", ""), "no bus", {"buses": {0: {"slack": False}}}),
        ("base-kv", "error", ("buses", 1, "base_kv", "B"), "-5 kV", {"buses": {1: {"base_kv": -5.0}}}),
        ("not-finite", "error", ("buses", 1, "load_mw", "B"), "nan", {"buses": {1: {"load_mw": np.nan}}}),
        ("withdrawal-limit", "error", ("buses", 1, "withdrawal_limit_mw", "B"), "-1 MW",
         {"buses": {1: {"withdrawal_limit_mw": -1.0}}}),
        ("voltage-limits", "warning", ("buses", 1, "v_min_pu", "B"), "1.2 pu", {"buses": {1: {"v_min_pu": 1.2}}}),
        ("coordinates", "warning", ("buses", 1, "latitude", "B"), "91",
         {"buses": {1: {"latitude": 91.0, "longitude": 5.0}}}),
        ("half-coordinates", "warning", ("buses", 1, "longitude", "B"), "only one", {"buses": {1: {"latitude": 9.0}}}),
        ("island", "error", ("buses", 3, "bus", "D"), "stands alone", {"buses": {3: {"bus": "D"}}}),
        ("dangling-bus", "error", ("branches", 2, "to_bus", "x"), "'Z'",
         {"branches": {2: {"branch": "x", "from_bus": "A", "to_bus": "Z", "rating_a_mw": 9.0, "rating_b_mw": 9.0}}}),
        ("duplicate-branch", "error", ("branches", 1, "branch", "A-B"), "row 1", {"branches": {1: {"branch": "A-B"}}}),
        ("self-loop", "error", ("branches", 2, "to_bus", "x"), "bus A",
         {"branches": {2: {"branch": "x", "from_bus": "A", "to_bus": "A", "rating_a_mw": 9.0}}}),
        ("zero-reactance", "error", ("branches", 0, "reactance_pu", "A-B"), "0 pu",
         {"branches": {0: {"reactance_pu": 0.0}}}),
        ("tiny-reactance", "error", ("branches", 0, "reactance_pu", "A-B"), "1e-10 pu of reactance; 1e-09 is the least",
         {"branches": {0: {"reactance_pu": 1e-10}}}),
        ("too-large", "error", ("buses", 1, "load_mw", "B"), "1e+13 as its load; 1e+12 is the most",
         {"buses": {1: {"load_mw": 1e13}}, "units": {0: {"p_max_mw": 1e12}},
          "branches": {0: {"rating_a_mw": np.inf, "rating_b_mw": np.inf, "rating_c_mw": np.inf}}}),
        ("negative-reactance", "warning", ("branches", 0, "reactance_pu", "A-B"), "-0.3 pu",
         {"branches": {0: {"reactance_pu": -0.3}}}),
        ("tap-ratio", "error", ("branches", 0, "tap_ratio", "A-B"), "-1", {"branches": {0: {"tap_ratio": -1.0}}}),
        ("kind", "warning", ("branches", 0, "kind", "A-B"), "'rope'", {"branches": {0: {"kind": "rope"}}}),
        ("angle-limits", "error", ("branches", 0, "angle_min_deg", "A-B"), "30 deg above its largest of 20 deg",
         {"branches": {0: {"angle_min_deg": 30.0, "angle_max_deg": 20.0}}}),
        ("no-angle-limits", "note", ("branches", None, "angle_min_deg", ""), "1 of 2",
         {"branches": {0: {"angle_min_deg": 0.0, "angle_max_deg": 0.0}}}),
        ("negative-rating", "error", ("branches", 0, "rating_b_mw", "A-B"), "B of -1 MW",
         {"branches": {0: {"rating_b_mw": -1.0}}}),
        ("unlimited", "warning", ("branches", 0, "rating_a_mw", "A-B"), "0 MW",
         {"branches": {0: {"rating_a_mw": 0.0}}}),
        ("unlimited-count", "note", ("branches", None, "rating_a_mw", ""), "1 of 2",
         {"branches": {0: {"rating_a_mw": np.inf}}}),
        ("rating-c-from-a", "note", ("branches", None, "rating_c_mw", ""), "1 of 2",
         {"branches": {0: {"rating_c_mw": np.nan}}}),
        ("rating-order", "warning", ("branches", 0, "rating_b_mw", "A-B"), "90 MW below rating A of 100 MW",
         {"branches": {0: {"rating_b_mw": 90.0}}}),
        ("unit-limits", "error", ("units", 0, "p_min_mw", "A-1"), "300 MW above its largest of 200 MW",
         {"units": {0: {"p_min_mw": 300.0}}}),
        ("unit-output", "warning", ("units", 0, "p_mw", "A-1"), "201 MW, outside 0 to 200 MW",
         {"units": {0: {"p_mw": 201.0}}}),
        ("reactive-limits", "warning", ("units", 0, "q_min_mvar", "A-1"), "9 Mvar",
         {"units": {0: {"q_min_mvar": 9.0}}}),
        ("ramp", "error", ("units", 0, "ramp_30_min_mw", "A-1"), "-4 MW", {"units": {0: {"ramp_30_min_mw": -4.0}}}),
        ("cost-points", "error", ("units", 0, "cost_points", "A-1"), "must rise",
         {"units": {0: {"cost_points": "5:1 5:2"}}}),
        ("cost-points", "error", ("units", 0, "cost_points", "A-1"), "cannot be used",
         {"units": {0: {"cost_points": "five"}}}),
        ("cost-not-convex", "warning", ("units", 0, "cost_points", "A-1"), "falling slopes",
         {"units": {0: {"cost_points": "0:0 10:100 20:150"}}}),
        ("cost-not-convex", "warning", ("units", 0, "cost_c2_per_mw2h", "A-1"), "-1 $/MW2h",
         {"units": {0: {"cost_c2_per_mw2h": -1.0}}}),
        ("dangling-bus", "error", ("units", 0, "bus", "A-1"), "'Q'",
         {"units": {0: {"bus": "Q"}}}),
        ("supply", "warning", ("units", None, "", ""), "10.0 MW cannot be supplied",
         {"units": {0: {"p_max_mw": 70.0, "p_mw": 70.0}}}),
        ("unreachable-load", "warning", ("buses", 2, "load_mw", "C"), "25.0 MW: 5.0 MW cannot be supplied",
         {"branches": {1: {"rating_a_mw": 25.0}}}),
        ("least-output", "warning", ("units", None, "", ""), "90.0 MW",
         {"units": {0: {"p_min_mw": 90.0, "p_mw": 0.0}}}),
    ],
)  # fmt: skip
def test_each_fault_is_found_with_its_place_and_value(
    code: str, severity: str, place: tuple[str, int | None, str, str], said: str, changes: dict[str, Any]
) -> None:
    problem = found(code, **changes)
    assert problem.severity == severity
    assert (problem.table, problem.row, problem.column, problem.element) == place
    assert said in problem.message


def test_errors_block_a_network_and_warnings_do_not() -> None:
    with pytest.raises(NetworkDataError, match="0 pu"):
        Network.from_tables(tables(branches={0: {"reactance_pu": 0.0}}))
    Network.from_tables(tables(branches={0: {"reactance_pu": -0.3}}))


def test_all_faults_come_at_once_errors_first() -> None:
    broken = tables(
        buses={1: {"load_mw": np.nan, "v_min_pu": 2.0}},
        branches={0: {"reactance_pu": 0.0, "rating_a_mw": 0.0}},
        units={0: {"bus": "Q"}},
    )
    severities = [problem.severity for problem in check(broken)]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert severities.count("error") == 3


def test_islands_are_named_with_their_size_and_the_slack_island_is_the_main_one() -> None:
    rows = [{"bus": name, "slack": name == "A"} for name in "ABCDE"]
    branches = [{"branch": pair, "from_bus": pair[0], "to_bus": pair[1]} for pair in ("AB", "CD", "DE")]
    problems = check(NetworkTables(buses=table_of("buses", rows), branches=table_of("branches", branches)))
    [island] = [problem for problem in problems if problem.code == "island"]
    assert (island.element, island.row) == ("C", 2)
    assert "bus C and 2 more form an island of 3 buses" in island.message
    assert "main network of 2 buses" in island.message


def test_a_branch_or_bus_out_of_service_joins_nothing() -> None:
    assert found("island", branches={1: {"in_service": False}}).element == "C"
    assert check(tables(buses={2: {"in_service": False}}, units={0: {"p_mw": 50.0}})) == []


def test_a_zero_reactance_out_of_service_is_no_error() -> None:
    spare = {
        "branch": "s",
        "from_bus": "A",
        "to_bus": "C",
        "reactance_pu": 0.0,
        "in_service": False,
        "rating_a_mw": 1.0,
    }
    assert check(tables(branches={2: {**spare, "rating_b_mw": 1.0, "rating_c_mw": 1.0}})) == []


def test_a_unit_filed_at_zero_is_off_and_not_below_its_least_output() -> None:
    assert check(tables(units={0: {"p_mw": 0.0, "p_min_mw": 20.0}})) == []


def test_an_empty_network_and_a_bad_base_are_errors() -> None:
    codes = [problem.code for problem in check(NetworkTables(base_mva=0.0))]
    assert codes == ["base-mva", "empty"]


@pytest.mark.parametrize("key", [named.key for named in library.NAMED])
def test_every_grid_of_the_library_is_without_errors(key: str) -> None:
    assert not [problem for problem in check(library.load(key)) if problem.severity == "error"]
    assert len(Network.from_tables(library.load(key)).buses.ids) == library.named(key).buses


def test_library_facts_are_found() -> None:
    # case300 has one negative reactance, branch 1201-120 (University of Washington archive); IEEE 118 no ratings.
    negative = [problem.element for problem in check(library.load("ieee300")) if problem.code == "negative-reactance"]
    assert negative == ["1201-120"]
    assert "186 of 186" in next(p.message for p in check(library.load("ieee118")) if p.code == "unlimited-count")
    # Texas: none of 3,206 branches lacks rating A, all lack B and C (counted in the data's README).
    codes = {problem.code for problem in check(library.load("texas-2016"))}
    assert codes == {"rating-b-from-a", "rating-c-from-a"}


def test_ratings_and_angles_of_zero_are_none_in_a_network() -> None:
    changed = tables(branches={0: {"rating_a_mw": 0.0, "rating_b_mw": 0.0, "angle_min_deg": 0.0, "angle_max_deg": 0.0}})
    branches = Network.from_tables(changed).branches
    assert branches.rating_a_mw[0] == branches.rating_b_mw[0] == np.inf
    assert (branches.angle_min_deg[0], branches.angle_max_deg[0]) == (-np.inf, np.inf)
    turned = Network.from_tables(tables(branches={0: {"angle_min_deg": -360.0, "angle_max_deg": 30.0}})).branches
    assert (turned.angle_min_deg[0], turned.angle_max_deg[0]) == (-np.inf, 30.0)


def test_a_load_is_within_reach_of_its_own_units_and_all_its_branches() -> None:
    assert check(tables(branches={1: {"rating_a_mw": 30.0}})) == []
    assert (
        check(tables(branches={1: {"rating_a_mw": 25.0}}, units={1: {"unit": "C-1", "bus": "C", "p_max_mw": 5.0}}))
        == []
    )
    parallel = {"branch": "c", "from_bus": "C", "to_bus": "B", "rating_a_mw": 5.0}
    twice = tables(branches={1: {"rating_a_mw": 25.0}, 2: {**parallel, "rating_b_mw": 5.0, "rating_c_mw": 5.0}})
    assert check(twice) == []
    alone = [problem for problem in check(tables(branches={1: {"in_service": False}})) if problem.table == "buses"]
    assert [(problem.code, problem.element) for problem in alone] == [("island", "C"), ("unreachable-load", "C")]


def test_a_network_with_every_fault_gets_every_problem_at_once() -> None:
    spoilt = tables(
        buses={
            0: {"slack": False}, 1: {"base_kv": -1.0, "load_mw": 500.0}, 2: {"withdrawal_limit_mw": -1.0},
            3: {"bus": "B", "latitude": 91.0}, 4: {"bus": "D", "v_min_pu": 2.0}, 5: {"bus": ""},
        },
        branches={
            0: {"reactance_pu": 0.0, "rating_a_mw": 0.0}, 1: {"reactance_pu": -0.1, "rating_b_mw": 50.0},
            2: {"branch": "A-B", "from_bus": "A", "to_bus": "Z", "rating_a_mw": -1.0},
            3: {"branch": "loop", "from_bus": "A", "to_bus": "A", "tap_ratio": 0.0, "kind": "rope"},
            4: {"branch": "angles", "from_bus": "A", "to_bus": "C", "angle_min_deg": 5.0, "angle_max_deg": -5.0},
            5: {"branch": "free", "from_bus": "A", "to_bus": "C", "angle_min_deg": 0.0, "angle_max_deg": 0.0},
        },
        units={
            0: {"p_mw": 300.0}, 1: {"unit": "A-1", "bus": "Q", "p_min_mw": 9.0, "ramp_30_min_mw": -1.0},
            2: {"unit": "u", "bus": "A", "cost_points": "x", "q_min_mvar": 1.0, "cost_c2_per_mw2h": -1.0},
        },
    )  # fmt: skip
    assert {problem.code for problem in check(spoilt)} == {
        "no-slack", "base-kv", "withdrawal-limit", "duplicate-bus", "coordinates", "half-coordinates", "voltage-limits",
        "missing-bus-id", "island", "zero-reactance", "unlimited", "unlimited-count", "negative-reactance",
        "rating-order", "duplicate-branch", "dangling-bus", "negative-rating", "self-loop", "tap-ratio", "kind",
        "angle-limits", "no-angle-limits", "rating-b-from-a", "rating-c-from-a", "unit-output", "duplicate-unit",
        "unit-limits", "ramp", "cost-points", "reactive-limits", "cost-not-convex", "supply",
    }  # fmt: skip


def test_a_network_without_units_may_be_drawn() -> None:
    bare = replace(tables(), units=table_of("units"))
    assert [problem.code for problem in check(bare)] == ["supply"]
