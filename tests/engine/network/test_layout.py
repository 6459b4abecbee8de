"""Layouts: given places are kept, computed ones are readable and always the same."""

import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from engine.network import library
from engine.network.layout import EDGE, crossings, positions
from engine.network.tables import NetworkTables, table_of


def path(count: int, **more: object) -> NetworkTables:
    names = [str(number) for number in range(count)]
    rows = [{"bus": name, "slack": name == "0", **more} for name in names]
    branches = [{"branch": f"{a}-{b}", "from_bus": a, "to_bus": b} for a, b in pairwise(names)]
    return NetworkTables(buses=table_of("buses", rows), branches=table_of("branches", branches))


def edges_of(tables: NetworkTables) -> np.ndarray:
    place = {bus: row for row, bus in enumerate(tables.buses["bus"])}
    pairs = zip(tables.branches["from_bus"], tables.branches["to_bus"], strict=True)
    return np.unique([sorted((place[a], place[b])) for a, b in pairs], axis=0)


def test_given_places_are_kept_and_a_bus_without_one_stands_beside_its_neighbour() -> None:
    tables = library.load("fourbus")
    given = tables.buses[["x", "y"]].to_numpy()
    np.testing.assert_array_equal(positions(tables), given)
    without = replace(tables, buses=tables.buses.assign(x=[0.0, 200.0, 340.0, np.nan], y=[0.0, 0.0, -120.0, np.nan]))
    found = positions(without)
    np.testing.assert_array_equal(found[:3], given[:3])
    assert 0 < np.linalg.norm(found[3] - given[1]) <= EDGE


def test_a_map_keeps_its_shape_with_north_up() -> None:
    tables = library.load("texas-2016")
    found = positions(tables)
    lengths = np.linalg.norm(np.diff(found[edges_of(tables)], axis=1)[:, 0], axis=1)
    assert np.median(lengths[lengths > 0]) == pytest.approx(EDGE)
    assert np.corrcoef(found[:, 0], tables.buses["longitude"])[0, 1] > 0.999
    assert np.corrcoef(found[:, 1], tables.buses["latitude"])[0, 1] < -0.999


@pytest.mark.parametrize(
    ("key", "most_crossings"),
    # Counts seen when the drawings were judged by eye, and a little more: a guard against a worse method.
    [("ieee14", 1), ("rts24", 8), ("ieee30", 6), ("ieee57", 20), ("rts-gmlc", 35), ("ieee118", 65), ("ieee300", 120)],
)
def test_a_computed_layout_is_readable(key: str, most_crossings: int) -> None:
    tables = library.load(key)
    found = positions(tables)
    assert np.isfinite(found).all()
    assert pdist(found).min() > 0.3 * EDGE
    assert crossings(found, edges_of(tables)) <= most_crossings
    assert np.ptp(found[:, 0]) >= 0.9 * np.ptp(found[:, 1])  # as wide as high, or wider


def test_the_same_grid_gets_the_same_layout() -> None:
    positions.__globals__["_computed"].cache_clear()
    first = positions(library.load("ieee57"))
    positions.__globals__["_computed"].cache_clear()
    np.testing.assert_array_equal(first, positions(library.load("ieee57")))


def test_a_path_is_drawn_as_a_line_without_crossings() -> None:
    found = positions(path(20))
    assert crossings(found, edges_of(path(20))) == 0
    lengths = np.linalg.norm(np.diff(found, axis=0), axis=1)
    np.testing.assert_allclose(lengths, EDGE, rtol=0.15)


def test_crossings_are_counted_where_lines_cross_and_not_where_they_meet() -> None:
    square = np.array([[0.0, 0], [1, 1], [0, 1], [1, 0]])
    assert crossings(square, np.array([[0, 1], [2, 3]])) == 1
    assert crossings(square, np.array([[0, 1], [1, 2], [2, 3], [3, 0]])) == 1
    assert crossings(square, np.array([[0, 2], [2, 1], [1, 3], [3, 0]])) == 0


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_tiny_networks_have_a_layout(count: int) -> None:
    found = positions(path(count))
    assert found.shape == (count, 2)
    assert np.isfinite(found).all()


def test_islands_stand_apart_and_loose_ends_do_no_harm() -> None:
    buses = table_of("buses", [{"bus": name} for name in "ABCDEFG"])
    pairs = [("A", "B"), ("B", "C"), ("D", "E"), ("E", "missing"), ("F", "F")]
    branches = table_of("branches", [{"branch": a + b, "from_bus": a, "to_bus": b} for a, b in pairs])
    found = positions(NetworkTables(buses=buses, branches=branches))
    assert np.isfinite(found).all()
    assert pdist(found).min() > 0.3 * EDGE


def test_impossible_coordinates_count_as_missing() -> None:
    tables = path(3, longitude=10.0, latitude=50.0)
    buses = tables.buses.assign(longitude=[10.0, 999.0, 10.5])
    assert np.isfinite(positions(replace(tables, buses=buses))).all()


def test_buses_on_one_spot_of_the_map_are_placed() -> None:
    assert np.isfinite(positions(path(3, longitude=10.0, latitude=50.0))).all()


@pytest.mark.parametrize(("key", "seconds"), [("activsg500", 10), ("activsg2000", 5), ("activsg10k", 10)])
def test_large_grids_are_laid_out_in_seconds(key: str, seconds: float) -> None:
    positions.__globals__["_computed"].cache_clear()
    tables = library.load(key)
    start = time.process_time()  # of this process: what else the machine does is not counted
    found = positions(tables)
    assert time.process_time() - start < seconds  # 0.6 to 1.9 s on the machine it was written on
    assert np.isfinite(found).all()
