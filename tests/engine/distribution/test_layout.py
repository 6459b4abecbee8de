"""Drawings of feeders: nothing crosses, nothing coincides, and what has places keeps them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.distribution import library
from engine.distribution.feeder import Feeder, FeederBus, Switch
from engine.distribution.layout import layout
from engine.errors import NetworkDataError


def edges(feeder: Feeder) -> list[tuple[int, int]]:
    place = {bus.name: at for at, bus in enumerate(feeder.buses)}
    tree = feeder.tree()
    return [(place[tree.buses[up]], place[bus]) for bus, up in zip(tree.buses, tree.parents, strict=True) if up >= 0]


def elbow(points: np.ndarray, edge: tuple[int, int]) -> list[tuple[float, float, float]]:
    """A link as drawn: up or down at its parent's x, then along the row of its child."""
    (x0, y0), (x1, y1) = points[edge[0]], points[edge[1]]
    return [(y1, x0, x1), (x0, min(y0, y1), max(y0, y1))]


@pytest.mark.parametrize("key", [named.key for named in library.NAMED])
def test_trees_are_drawn_without_crossings(key: str) -> None:
    """Drawn with right angles, no row of one link passes through another's: intervals on one row do not overlap."""
    feeder = library.load(key)
    points = layout(feeder).points
    assert len(np.unique(points.round(9), axis=0)) == len(feeder.buses)
    drawn = [elbow(points, edge) for edge in edges(feeder)]
    runs = sorted(run for run, _ in drawn)
    for (row, _, end), (other, start, _) in pairwise(runs):
        assert row != other or start >= end - 1e-9
    for at, (_, (x, low, high)) in enumerate(drawn):
        for other, ((row, start, end), _) in enumerate(drawn):
            assert other == at or not (start + 1e-9 < x < end - 1e-9 and low < row < high)


@pytest.mark.parametrize("key", [named.key for named in library.NAMED])
def test_the_distance_grows_from_the_source(key: str) -> None:
    feeder = library.load(key)
    points = layout(feeder).points
    assert all(points[low, 0] > points[up, 0] for up, low in edges(feeder))
    assert points[0].tolist() == [0.0, 0.0]


def test_the_main_line_is_straight_and_branches_balance() -> None:
    """From the source towards the most buses nothing turns; IEEE 34, with one branch at each bus, has both sides."""
    feeder = library.load("ieee34")
    rows = {bus.name: y for bus, (_, y) in zip(feeder.buses, layout(feeder).points.tolist(), strict=True)}
    assert {rows[name] for name in ("800", "808", "814", "816", "824", "854", "832", "858", "834")} == {0.0}
    assert abs(max(rows.values()) + min(rows.values())) <= 1.0


def test_own_places_are_kept_when_all_are_there() -> None:
    feeder = library.load("two-bus")
    placed = replace(feeder, buses=tuple(replace(bus, x=3.0 * at, y=-1.0) for at, bus in enumerate(feeder.buses)))
    assert layout(placed).own
    assert layout(placed).points.tolist() == [[0.0, -1.0], [3.0, -1.0]]
    half = replace(placed, buses=(placed.buses[0], feeder.buses[1]))
    assert not layout(half).own
    same = replace(placed, buses=tuple(replace(bus, x=0.0) for bus in placed.buses))
    assert not layout(same).own


def test_a_loop_has_no_drawing() -> None:
    feeder = library.load("two-bus")
    with pytest.raises(NetworkDataError, match="loop"):
        layout(replace(feeder, switches=(Switch("s", "source", "load", "a"),)))
    with pytest.raises(NetworkDataError, match="not joined"):
        layout(replace(feeder, buses=(*feeder.buses, FeederBus("x", 4.16))))
