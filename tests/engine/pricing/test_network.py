"""What hubs' withdrawals do to lines: against power flows solved by other means."""

import numpy as np
import pytest

from engine.distribution.cases import furnished
from engine.distribution.feeder import walk
from engine.errors import NetworkDataError
from engine.network.library import load
from engine.network.model import Network
from engine.pricing.network import HubNetwork


def test_lines_of_a_feeder_carry_all_that_is_below_them() -> None:
    """By counting: what each line serves, found by going from each load up to the source."""
    feeder, share = furnished("ieee37"), np.array([1.0, 0.5])
    buses = ("740", "724", "740")
    network = HubNetwork.of_feeder(feeder, buses, share)
    tree, _ = walk(feeder)
    carried = dict.fromkeys(network.lines, 0.0)
    drawn = np.array([[0.3, 0.0], [0.2, 0.1], [0.0, 0.4]])
    loads = [(row.bus, row.kw / 1000.0) for row in feeder.loads] + list(zip(buses, drawn[:, 0].tolist(), strict=True))
    for bus, mw in loads:
        at = tree.buses.index(bus)
        while tree.parents[at] >= 0:
            link = tree.links[at]
            if link is not None and link.name in carried:
                carried[link.name] -= mw
            at = tree.parents[at]
    assert network.flows(drawn)[:, 0] == pytest.approx(list(carried.values()))
    total = sum(row.kw for row in feeder.loads) / 1000.0
    assert network.substation(drawn) == pytest.approx(total * share + drawn.sum(axis=0))


def test_a_rating_of_three_phases_is_its_apparent_power_at_the_power_factor() -> None:
    """Closed form: sqrt(3) U I cos(phi)."""
    feeder = furnished("ieee37")
    network = HubNetwork.of_feeder(feeder, ("740",), (1.0,), power_factor=0.9)
    line = next(row for row in feeder.lines if row.name == "703-730")
    assert line.rating_a is not None
    kv = next(bus.kv for bus in feeder.buses if bus.name == "703")
    limit = network.limit_mw[network.lines.index("703-730")]
    assert limit == pytest.approx(np.sqrt(3.0) * kv * line.rating_a * 0.9 / 1000.0)


def test_a_meshed_network_flows_as_its_angles_say() -> None:
    """Independent: angles from the susceptance matrix by a dense solve."""
    network = Network.from_tables(load("rts24"))
    buses = tuple(network.buses.ids[at] for at in (3, 7))
    share = np.array([1.0, 0.8])
    hubs = HubNetwork.of_network(network, buses, share)
    drawn = np.array([[40.0, 10.0], [0.0, 60.0]])
    rows, on = network.branches, network.branches.in_service
    size = len(network.buses.ids)
    matrix = np.zeros((size, size))
    b = np.where(on, network.base_mva / (rows.reactance_pu * rows.tap_ratio), 0.0)
    for f, t, each in zip(rows.from_bus, rows.to_bus, b, strict=True):
        matrix[[f, t], [f, t]] += each
        matrix[f, t] -= each
        matrix[t, f] -= each
    keep = np.arange(size) != network.slack
    for period in range(2):
        injected = network.generation_mw - network.demand_mw * share[period]
        for bus, mw in zip(buses, drawn[:, period], strict=True):
            injected[network.bus(bus)] -= mw
        angle = np.zeros(size)
        angle[keep] = np.linalg.solve(matrix[np.ix_(keep, keep)], injected[keep])
        flow = b * (angle[rows.from_bus] - angle[rows.to_bus])
        limited = [rows.ids.index(name) for name in hubs.lines]
        assert hubs.flows(drawn)[:, period] == pytest.approx(flow[limited], abs=1e-6)
        assert hubs.substation(drawn)[period] == pytest.approx(-injected[keep].sum())


def test_buses_that_are_not_there_are_all_named() -> None:
    with pytest.raises(NetworkDataError, match=r"no bus nowhere.*; there is no bus neither"):
        HubNetwork.of_feeder(furnished("ieee37"), ("nowhere", "740", "neither"), (1.0,))
