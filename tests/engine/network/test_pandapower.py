"""pandapower networks: flows as its own rundcpp gives them, both ways; refusals."""

import json
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

with warnings.catch_warnings():  # those of its imports
    warnings.simplefilter("ignore")
    import pandapower as pp
    import pandapower.networks as grids

from engine.errors import FileFormatError, NetworkDataError
from engine.network import library
from engine.network.factors import Factors
from engine.network.imported import Imported
from engine.network.model import Network
from engine.network.pandapower_json import read_pandapower
from engine.network.pandapower_writer import write_pandapower
from engine.network.tables import NetworkTables, table_of

pytestmark = pytest.mark.filterwarnings("ignore")  # pandapower's own


def flows(tables: NetworkTables) -> dict[str, float]:
    network = Network.from_tables(tables)
    made = Factors.of(network).flows(network.injection_mw)
    return dict(zip(network.branches.ids, made.tolist(), strict=True))


def imported(net: Any) -> Imported:
    return read_pandapower(pp.to_json(net).encode())


def told(found: Imported) -> str:
    return "; ".join(problem.message for problem in found.problems)


def pandapower_flows(net: Any) -> Iterator[tuple[str, float]]:
    """The flow into each branch at its first end, by the place of the branch in the file."""
    pp.rundcpp(net)
    for table, column in (("line", "p_from_mw"), ("trafo", "p_hv_mw"), ("impedance", "p_from_mw")):
        for at, flow in net[f"res_{table}"][column].items():
            yield f"{table} {at}", flow
    for at, row in net.res_trafo3w.iterrows():
        yield from (
            (f"trafo3w {at} {side}", row[f"p_{side}_mw"] * (1 if side == "hv" else -1)) for side in ("hv", "mv", "lv")
        )


def assert_same_flows(net: Any) -> Imported:
    for table in ("line", "trafo", "trafo3w", "impedance"):
        net[table]["name"] = None  # so that branches are called by their place
    found = imported(net)
    made = flows(found.tables)
    expected = dict(pandapower_flows(net))
    assert {name for name in made if not name.startswith("switch")} == expected.keys()
    for name, flow in expected.items():
        assert made[name] == pytest.approx(0.0 if np.isnan(flow) else flow, abs=1e-7), name
    return found


@pytest.mark.parametrize(
    "name",
    ["case9", "case14", "case30", "case118", "case39", "example_simple", "example_multivoltage", "case_illinois200",
     "create_cigre_network_mv"],
)  # fmt: skip
def test_flows_of_its_example_networks_are_those_of_rundcpp(name: str) -> None:
    assert_same_flows(getattr(grids, name)())


def ring() -> Any:
    """A ring of 110 kV with switches, a shifted transformer, DC line, wards, storage and shunts."""
    net = pp.create_empty_network(sn_mva=10.0, f_hz=60.0)
    b = [pp.create_bus(net, 110.0, name=f"B{at}") for at in range(6)] + [pp.create_bus(net, 20.0) for _ in range(3)]
    for a, c, x, parallel in (
        (0, 1, 0.4, 1),
        (1, 2, 0.3, 2),
        (2, 3, 0.35, 1),
        (3, 0, 0.2, 1),
        (1, 3, 0.5, 1),
        (4, 5, 0.4, 1),
    ):
        pp.create_line_from_parameters(net, b[a], b[c], 20.0, 0.1, x, 9.0, 0.5, parallel=parallel)
    pp.create_ext_grid(net, b[0])
    pp.create_gen(net, b[2], 30.0, scaling=0.5)
    pp.create_sgen(net, b[3], 8.0, scaling=1.5, type="WP")
    pp.create_load(net, b[1], 40.0, 10.0, scaling=0.8)
    pp.create_load(net, b[2], 99.0, in_service=False)
    pp.create_storage(net, b[3], 4.0, 10.0)
    pp.create_motor(net, b[1], 2.0, 0.9, efficiency_percent=90.0, loading_percent=80.0)
    pp.create_ward(net, b[7], 2.0, 1.0, 0.5, 0.1)
    pp.create_xward(net, b[2], 1.0, 1.0, 0.5, 0.1, 0.1, 5.0, 1.0)
    pp.create_shunt(net, b[3], q_mvar=-3.0, p_mw=0.25, vn_kv=115.0, step=2)
    pp.create_dcline(net, b[1], b[3], 6.0, 2.0, 0.1, 1.0, 1.0)
    pp.create_dcline(net, b[0], b[2], -3.0, 2.0, 0.1, 1.0, 1.0)
    pp.create_impedance(net, b[3], b[2], 0.01, 0.2, 50.0)
    pp.create_switch(net, b[3], b[4], "b")  # fuses 3 and 4
    pp.create_switch(net, b[0], b[5], "b", z_ohm=2.0)
    pp.create_switch(net, b[2], b[5], "b", closed=False)
    pp.create_switch(net, b[1], 4, "l", closed=False)
    for at in range(2):
        trafo = {
            "sn_mva": 40.0,
            "vn_hv_kv": 112.0,
            "vn_lv_kv": 20.5,
            "vkr_percent": 0.6,
            "vk_percent": 11.0,
            "pfe_kw": 30.0,
            "i0_percent": 0.4,
            "shift_degree": 30.0,
            "tap_neutral": 0,
            "tap_min": -9,
            "tap_max": 9,
        }
        pp.create_transformer_from_parameters(net, b[at + 1], b[6 + at], **trafo)
    pp.create_transformer3w_from_parameters(
        net, b[3], b[7], b[8], 110.0, 20.5, 20.0, 60.0, 40.0, 20.0, 10.0, 11.0, 12.0, 0.3, 0.3, 0.4, 10.0, 0.1, -30.0,
        -30.0, tap_side="mv", tap_neutral=0, tap_pos=2, tap_step_percent=1.5, tap_changer_type="Ratio")  # fmt: skip
    pp.create_line_from_parameters(net, b[6], b[7], 2.0, 0.1, 0.3, 9.0, 0.5)
    pp.create_load(net, b[6], 12.0)
    pp.create_load(net, b[8], 5.0)
    return net


def test_a_ring_with_every_element_has_the_flows_of_rundcpp() -> None:
    found = assert_same_flows(ring())
    said = told(found)
    for part in ("closed switches fuse with others: 1", "DC lines are fixed injections", "three-winding transformers",
                 "a switch at them is open", "is an external grid", "without output limits"):  # fmt: skip
        assert part in said
    assert found.tables.units.set_index("unit").loc["sgen 0", ["fuel", "p_mw"]].tolist() == ["wind", 12.0]


@pytest.mark.parametrize(
    ("changer", "side", "percent", "degree"),
    [
        ("Ratio", "hv", 1.5, 0.0), ("Ratio", "lv", 1.5, 60.0), ("Symmetrical", "hv", 1.5, 90.0),
        ("Ideal", "hv", 0.0, 2.0),
        ("Ideal", "lv", 1.5, 0.0), ("Ideal", "lv", 0.0, 2.0), ("Tabular", "hv", 1.5, 0.0), (None, "lv", 1.5, 60.0),
    ],
)  # fmt: skip
def test_tap_changers_move_the_flows_as_rundcpp_says(changer: Any, side: str, percent: float, degree: float) -> None:
    net = ring()
    columns = ["tap_side", "tap_pos", "tap_step_percent", "tap_step_degree", "tap_changer_type"]
    net.trafo[["tap_side", "tap_changer_type"]] = net.trafo[["tap_side", "tap_changer_type"]].astype(object)
    net.trafo.loc[0, columns] = [side, -3, percent, degree, changer]
    assert_same_flows(net)


@pytest.mark.parametrize(("side", "at_star"), [("hv", True), ("mv", False), ("lv", True)])
def test_taps_of_three_windings_move_the_flows_as_rundcpp_says(side: str, at_star: bool) -> None:
    net = ring()
    net.trafo3w[["tap_side", "tap_at_star_point", "tap_step_degree"]] = [side, at_star, 20.0]
    assert_same_flows(net)


def _out_of_service(net: Any) -> None:
    net.line.loc[4, "in_service"] = net.trafo.loc[1, "in_service"] = net.sgen.loc[0, "in_service"] = False
    net.dcline.loc[0, "in_service"] = net.storage.loc[0, "in_service"] = net.motor.loc[0, "in_service"] = False
    net.xward.loc[0, "in_service"] = net.shunt.loc[0, "in_service"] = net.impedance.loc[0, "in_service"] = False


def _a_bus_out_of_service(net: Any) -> None:
    net.bus.loc[8, "in_service"] = False


def _a_star_out_of_service(net: Any) -> None:
    net.trafo3w.loc[0, "in_service"] = False
    net.load.loc[net.load["bus"] == 8, "in_service"] = False
    pp.create_line_from_parameters(net, 7, 8, 2.0, 0.1, 0.3, 9.0, 0.5)


def _parallel(net: Any) -> None:
    net.trafo["parallel"] = [2, 3]
    net.line.loc[0, "parallel"] = 3
    pp.create_line_from_parameters(net, 0, 1, 20.0, 0.1, 0.9, 9.0, 0.5)  # beside line 0, the other way round below
    pp.create_line_from_parameters(net, 1, 0, 10.0, 0.1, 0.2, 9.0, 0.5)


def _open_switches(net: Any) -> None:
    pp.create_switch(net, 1, 0, "t", closed=False)
    pp.create_switch(net, 0, 3, "l", closed=True)
    pp.create_switch(net, 2, 2, "l", closed=False)
    pp.create_switch(net, 3, 2, "l", closed=False)  # both ends of one line


@pytest.mark.parametrize(
    "change",
    [_out_of_service, _a_bus_out_of_service, _a_star_out_of_service, _parallel, _open_switches],
)
def test_what_is_off_parallel_or_switched_has_the_flows_of_rundcpp(change: Callable[[Any], None]) -> None:
    net = ring()
    change(net)
    assert_same_flows(net)


def test_elements_without_a_place_are_named() -> None:
    net = ring()
    pp.create_tcsc(net, 3, 2, 1.0, -10.0, 5.0, 144.0)
    pp.create_svc(net, 3, 1.0, -10.0, 1.0, 144.0)
    said = told(imported(net))
    for part in ("elements that were left out: ", "tcsc (1)", "svc (1)"):
        assert part in said


def test_loads_by_phase_are_left_out_as_rundcpp_does_and_named() -> None:
    net = ring()
    pp.create_asymmetric_load(net, 1, p_a_mw=2.0, p_b_mw=3.0, p_c_mw=4.0)
    pp.create_asymmetric_sgen(net, 3, p_a_mw=1.0)
    said = told(assert_same_flows(net))
    assert "asymmetric_load (1)" in said
    assert "asymmetric_sgen (1)" in said


@pytest.mark.parametrize("bus", [3, 8])
def test_an_open_switch_at_three_windings_takes_one_leg_out(bus: int) -> None:
    net = ring()
    pp.create_switch(net, bus, 0, "t3", closed=False)
    assert_same_flows(net)


def test_costs_and_limits_come_along() -> None:
    net = grids.case9()
    units = imported(net).tables.units
    # The published costs of case9: 0.11 p^2 + 5 p + 150, 0.085 p^2 + 1.2 p + 600, 0.1225 p^2 + p + 335.
    assert units["cost_c2_per_mw2h"].tolist() == [0.11, 0.085, 0.1225]
    assert units["cost_c1_per_mwh"].tolist() == [5.0, 1.2, 1.0]
    assert units["p_max_mw"].tolist() == [250.0, 300.0, 270.0]
    ratings = imported(net).tables.branches["rating_a_mw"]
    assert sorted(set(ratings.round(6))) == [150.0, 250.0, 300.0]


def test_piecewise_costs_become_points() -> None:
    net = ring()
    pp.create_pwl_cost(net, 0, "gen", [[0, 10, 2.0], [10, 30, 3.0]])
    units = imported(net).tables.units.set_index("unit")
    assert units.loc["gen 0", "cost_points"] == "0:0 10:20 30:80"


def test_coordinates_are_a_map_only_where_lengths_agree() -> None:
    map_of = imported(grids.mv_oberrhein())
    assert "longitude and latitude" in told(map_of)
    assert map_of.tables.buses["latitude"].between(48, 49).any()
    drawing = imported(grids.case14())
    assert "places on the drawing" in told(drawing)
    assert drawing.tables.buses["longitude"].isna().all()
    assert drawing.tables.buses["x"].notna().all()


def test_an_old_file_with_tables_by_columns_and_bus_geodata_is_read() -> None:
    net = ring()
    content = json.loads(pp.to_json(net))
    old = content["_object"]
    for table in ("bus", "line"):
        frame = json.loads(old[table]["_object"])
        by_column = {
            name: {str(at): row[k] for at, row in zip(frame["index"], frame["data"], strict=True)}
            for k, name in enumerate(frame["columns"])
        }
        old[table] = {"_class": "DataFrame", "_object": json.dumps(by_column), "orient": "columns"}
    places = {"x": {str(at): 7.0 + at / 10 for at in range(9)}, "y": {str(at): 48.0 for at in range(9)}}
    old["bus_geodata"] = {"_class": "DataFrame", "_object": json.dumps(places)}
    found = read_pandapower(json.dumps(content).encode())
    assert flows(found.tables) == pytest.approx(flows(imported(net).tables))
    assert found.tables.buses["longitude"].tolist()[:2] == pytest.approx([7.0, 7.1])


@pytest.mark.parametrize("key", ["fourbus", "ieee118", "rts-gmlc", "texas-2016"])
def test_pandapower_loads_what_is_written_and_finds_the_same_flows(key: str) -> None:
    tables = library.load(key)
    content = write_pandapower(tables)
    net = pp.from_json_string(content.decode(), convert=True)
    pp.rundcpp(net)
    named = zip(
        [*net.line["name"], *net.trafo["name"]], [*net.res_line["p_from_mw"], *net.res_trafo["p_hv_mw"]], strict=True
    )
    expected = flows(tables)
    assert dict(named) == pytest.approx(expected, abs=1e-6)
    again = read_pandapower(content).tables
    assert flows(again) == pytest.approx(expected, abs=1e-6)
    for column in ("bus", "name", "area", "zone", "slack", "load_mw", "v_max_pu", "withdrawal_limit_mw"):
        assert again.buses[column].tolist() == tables.buses[column].tolist()
    for column in ("unit", "fuel", "p_max_mw", "cost_c1_per_mwh", "cost_c2_per_mw2h", "startup_cost"):
        assert again.units[column].tolist() == tables.units[column].tolist()
    order = again.branches.set_index("branch").loc[tables.branches["branch"]]
    for column in ("rating_b_mw", "circuit", "kind", "angle_max_deg"):
        np.testing.assert_array_equal(order[column], tables.branches[column])


def test_interfaces_and_contingencies_travel_along() -> None:
    tables = library.load("ieee14")
    first, second = tables.branches["branch"][:2]
    tables = tables.with_table(
        "interfaces",
        table_of("interfaces", [{"interface": "cut", "limit_mw": 5.0, "terms": f"{first}:1 {second}:-0.5"}]),
    )
    tables = tables.with_table("contingencies", table_of("contingencies", [{"contingency": "k", "branches": first}]))
    net = pp.from_json_string(write_pandapower(tables).decode(), convert=True)
    again = read_pandapower(pp.to_json(net).encode()).tables
    assert again.interfaces.equals(tables.interfaces)
    assert again.contingencies.equals(tables.contingencies)


def test_what_hangs_in_the_air_is_not_written() -> None:
    tables = NetworkTables(
        buses=table_of("buses", [{"bus": "1"}]),
        branches=table_of("branches", [{"branch": "b", "from_bus": "1", "to_bus": "9"}]),
    )
    with pytest.raises(NetworkDataError, match="to_bus '9' does not exist"):
        write_pandapower(tables)


def refused(content: bytes) -> str:
    with pytest.raises(FileFormatError) as refusal:
        read_pandapower(content)
    return "; ".join(problem.message for problem in refusal.value.problems)


def changed(table: str, old: str, new: str) -> bytes:
    content = json.loads(pp.to_json(ring()))
    assert old in content["_object"][table]["_object"]
    content["_object"][table]["_object"] = content["_object"][table]["_object"].replace(old, new, 1)
    return json.dumps(content).encode()


def test_every_problem_names_its_element() -> None:
    assert "not a pandapower network" in refused(b'{"_class": "pandapowerNet"}')
    assert "not JSON" in refused(b"{")
    assert "no buses" in refused(b'{"_class": "pandapowerNet", "_object": {}}')
    assert "sn_mva is 'x'" in refused(b'{"_class": "pandapowerNet", "_object": {"sn_mva": "x"}}')
    assert "load 0: there is no bus 77" in refused(changed("load", "[null,1,", "[null,77,"))
    assert "gen 0: p_mw is 'much', not a number" in refused(changed("gen", "30.0", '"much"'))
    assert "line 0: its bus has a voltage of -110 kV" in refused(changed("bus", "110.0", "-110.0"))
    assert "trafo 0: sn_mva -1" in refused(changed("trafo", "40.0", "-1"))
    assert "the table bus is not JSON" in refused(changed("bus", "{", "{,"))


def test_damaged_files_are_refused_or_read_but_never_crash() -> None:
    whole = pp.to_json(ring()).encode()
    chance = random.Random(8105)  # noqa: S311 - seeded mutations
    junk = [b"null", b"-", b"1e999", b"NaN", b"[", b"{}", b'"', b"\\", b"0", b"true", b"7" * 400, b'"x"']
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(content))
            content[at : at + chance.choice([0, 1, 5, 60])] = chance.choice(junk)
        try:
            read_pandapower(bytes(content)).tables.digest()
        except FileFormatError as error:
            assert error.problems  # noqa: PT017 - a refusal is one of two good outcomes
