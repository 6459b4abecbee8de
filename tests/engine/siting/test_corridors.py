"""Corridors and substations, by hand and on Texas."""

import numpy as np
import pytest

from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.siting.corridors import Corridor, corridor_of, corridors, corridors_of_buses, headroom_changes, substations
from tests.siting_study import network as two_buses

TEXAS = Network.from_tables(load("texas-2016"))


def test_a_corridor_adds_what_lies_between_two_zones_whichever_way_a_line_is_drawn() -> None:
    tables = load("rts24")
    buses = tables.buses.assign(zone=["south"] * 10 + ["north"] * 14)
    network = Network.from_tables(tables.with_table("buses", buses))
    ends = network.branches
    between = (ends.from_bus < 10) != (ends.to_bus < 10)
    sign = np.where(ends.from_bus[between] >= 10, 1.0, -1.0)  # "north" comes first in the pair
    flow = np.random.default_rng(0).normal(0.0, 50.0, (3, len(ends.ids)))
    (found,) = corridors(network, flow, ("a", "b", "c"))
    net = flow[:, between] @ sign
    hour = int(np.abs(net).argmax())
    assert found.zones == ("north", "south")
    assert found.branches == between.sum()
    assert (found.flow_mw, found.hour) == (pytest.approx(net[hour]), "abc"[hour])
    assert found.headroom_mw == pytest.approx(ends.rating_a_mw[between].sum() - abs(net[hour]))
    loading = np.abs(flow[:, between]) / ends.rating_a_mw[between]
    assert found.loading == pytest.approx(loading.max())
    assert found.fullest == ends.ids[np.flatnonzero(between)[loading.max(axis=0).argmax()]]


def test_every_branch_between_zones_of_texas_is_in_one_corridor() -> None:
    pairs, place = corridor_of(TEXAS)
    zones = np.array(TEXAS.buses.zones)
    between = zones[TEXAS.branches.from_bus] != zones[TEXAS.branches.to_bus]
    assert ((place >= 0) == (between & TEXAS.branches.in_service)).all()
    assert len(set(pairs)) == len(pairs)


def test_flows_of_other_hours_are_refused() -> None:
    with pytest.raises(QuestionError, match="do not fit 2 hours"):
        corridors(TEXAS, np.zeros((1, len(TEXAS.branches.ids))), ("a", "b"))


def test_substations_hold_every_bus_once_and_the_best_of_their_buses() -> None:
    transformer = int(np.flatnonzero(np.array(TEXAS.branches.kinds) == "transformer")[0])
    one, other = (TEXAS.buses.ids[end[transformer]] for end in (TEXAS.branches.from_bus, TEXAS.branches.to_bus))
    found = substations(TEXAS, {"firm": {one: 300.0, other: 500.0}, "shift": {one: 400.0}})
    assert sorted(bus for station in found for bus in station.buses) == sorted(TEXAS.buses.ids)
    (station,) = [station for station in found if one in station.buses]
    assert other in station.buses
    assert station.largest_mw == {"firm": 500.0, "shift": 400.0}
    assert sum(1 for station in found if station.largest_mw) == 1


def test_a_site_belongs_to_the_corridor_that_a_load_there_moves_most() -> None:
    # Two buses, a unit of 200 MW at each: half of a load at either crosses the only corridor.
    pair = two_buses()
    assert corridors_of_buses(pair, Factors.of(pair)) == ["North - South", "North - South"]
    # All capacity at A: a load there crosses nothing, one at B all of it.
    units = pair.tables.units.assign(p_max_mw=[200.0, 0.0])
    alone = Network.from_tables(pair.tables.with_table("units", units))
    assert corridors_of_buses(alone, Factors.of(alone)) == ["", "North - South"]
    # Without zones there is no corridor.
    buses = pair.tables.buses.assign(zone="", area="")
    plain = Network.from_tables(pair.tables.with_table("buses", buses))
    assert corridors_of_buses(plain, Factors.of(plain)) == ["", ""]


def test_what_a_corridor_lost_is_told_the_largest_loss_first() -> None:
    def room(name: str, mw: float) -> Corridor:
        return Corridor((name, "Z"), 1, 100.0, 100.0 - mw, "h", mw, "l", 0.5, "h")

    before = [room("A", 50.0), room("B", 40.0), room("C", 30.0), room("D", np.inf)]
    after = [room("B", 10.0), room("A", 60.0), room("D", 5.0), room("E", 1.0)]
    found = headroom_changes(before, after)
    assert [(one.name, one.before_mw, one.after_mw) for one in found] == [
        ("B - Z", 40.0, 10.0), ("A - Z", 50.0, 60.0), ("C - Z", 30.0, None),
        ("D - Z", np.inf, 5.0), ("E - Z", None, 1.0),
    ]  # fmt: skip
    assert [one.change_mw for one in found[:2]] == [-30.0, 10.0]
    assert all(np.isnan(one.change_mw) for one in found[2:])
