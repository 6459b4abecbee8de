"""The map's files, classes and layers."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import grid_map
from engine.network.tables import NetworkTables, table_of


def drawn(places: list[tuple[float, float]] | None = None) -> NetworkTables:
    where = places or [(float("nan"), float("nan"))] * 3
    buses = [
        {"bus": bus, "name": name, "base_kv": 115.0, "longitude": x, "latitude": y}
        for (bus, name), (x, y) in zip((("1", "ALPHA"), ("2", "<b>"), ("3", "ГАММА")), where, strict=True)
    ]
    branches = [
        {"branch": "1-2", "from_bus": "1", "to_bus": "2", "rating_a_mw": 100.0},
        {"branch": "2-3", "from_bus": "2", "to_bus": "3", "kind": "transformer", "in_service": False},
        {"branch": "2-9", "from_bus": "2", "to_bus": "9"},
    ]
    return NetworkTables("T", 100.0, table_of("buses", buses), table_of("branches", branches))


def test_map_files_hold_every_element_that_has_a_place_in_table_order() -> None:
    buses, branches = (json.loads(text) for text in grid_map.map_files(drawn([(-97, 30), (-98, 31), (-99, 32)])))
    assert [f["properties"]["id"] for f in buses["features"]] == ["1", "2", "3"]
    assert buses["features"][0]["geometry"] == {"type": "Point", "coordinates": [-97, 30]}
    assert buses["features"][2]["properties"]["n"] == "ГАММА"
    first, second = branches["features"]  # the third has an end that is not there
    assert first["properties"] == {"i": 0, "id": "1-2", "f": "1", "t": "2", "r": 100.0}
    assert second["properties"] == {"i": 1, "id": "2-3", "f": "2", "t": "3", "r": None, "x": 1, "o": 1}
    assert second["geometry"]["coordinates"] == [[-98, 31], [-99, 32]]


def test_buses_of_one_place_are_drawn_side_by_side_and_others_stay() -> None:
    points = grid_map.map_points(drawn([(-97, 30), (-97, 30), (-99, 32)]))
    away = np.hypot(*(points - np.array([[-97, 30], [-97, 30], [-99, 32]])).T)
    assert away == pytest.approx([grid_map.FAN_DEG, grid_map.FAN_DEG, 0])
    assert np.hypot(*(points[0] - points[1])) == pytest.approx(2 * grid_map.FAN_DEG)


def test_a_network_without_places_is_drawn_upright_from_its_canvas() -> None:
    tables = drawn()
    assert not grid_map.is_geographic(tables)
    canvas = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 40.0]])  # y downward, as on a screen
    assert grid_map.map_points(tables, canvas).tolist() == [[0, 0], [10, 0], [10, -40]]
    with pytest.raises(ValueError, match="'T'"):
        grid_map.map_points(tables)


def test_bounds_hold_every_point_and_an_empty_network_has_some() -> None:
    (south, west), (north, east) = grid_map.map_bounds(np.array([[1.0, 5.0], [3.0, 6.0]]))
    assert west < 1
    assert east > 3
    assert south < 5
    assert north > 6
    assert grid_map.map_bounds(np.zeros((0, 2))) == ((-1.0, -1.0), (1.0, 1.0))


def test_a_value_on_a_break_belongs_to_the_class_above() -> None:
    assert grid_map.classes([float("nan"), 9.9, 10, 20, 1e9], [10, 20]) == [0, 1, 2, 3, 3]
    assert grid_map.break_labels([10, 2000]) == ("below 10", "10\u20132\u2009000", "2\u2009000 and more")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_round_breaks_rise_and_no_class_lies_outside_the_legend(values: list[float]) -> None:
    breaks = grid_map.nice_breaks(values)
    assert breaks == sorted(set(breaks))
    assert len(breaks) <= 5
    labels = grid_map.break_labels(breaks)
    assert all(1 <= number <= len(labels) for number in grid_map.classes(values, breaks))


def test_layers_are_plain_json() -> None:
    layer = grid_map.magnitude("firm", "Firm", "MW", np.array([1.0, np.nan, 30.0]))
    data = grid_map.layers_data([layer], candidates=np.array([2]), binding_branches=[1])
    assert json.loads(json.dumps(data)) == data
    assert data["layers"]["firm"]["buses"][1] == 0
    assert data["candidates"] == [2]
