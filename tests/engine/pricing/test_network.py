"""What hubs' withdrawals do to lines: against power flows solved by other means."""

import numpy as np
import pytest

from engine.distribution.cases import furnished
from engine.distribution.feeder import walk
from engine.errors import NetworkDataError
from engine.network.library import load
from engine.network.model import Network
from engine.pricing.cases import on_network
from engine.pricing.files import to_json
from engine.pricing.hubs import Battery, Generator, Hub, Work
from engine.pricing.network import HubNetwork
from engine.pricing.question import HubQuestion
from engine.pricing.run import run_hubs


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


def _by_angles(network: Network, injected_mw: np.ndarray) -> np.ndarray:
    """Flows (L,) of injections (B,): angles from the susceptance matrix by a dense solve."""
    rows, size = network.branches, len(network.buses.ids)
    matrix = np.zeros((size, size))
    b = np.where(rows.in_service, network.base_mva / (rows.reactance_pu * rows.tap_ratio), 0.0)
    for f, t, each in zip(rows.from_bus, rows.to_bus, b, strict=True):
        matrix[[f, t], [f, t]] += each
        matrix[f, t] -= each
        matrix[t, f] -= each
    keep = np.arange(size) != network.slack
    angle = np.zeros(size)
    angle[keep] = np.linalg.solve(matrix[np.ix_(keep, keep)], injected_mw[keep])
    return np.asarray(b * (angle[rows.from_bus] - angle[rows.to_bus]))


def _injected(network: Network, buses: tuple[str, ...], drawn_mw: np.ndarray, share: float) -> np.ndarray:
    injected = network.generation_mw - network.demand_mw * share
    for bus, mw in zip(buses, drawn_mw, strict=True):
        injected[network.bus(bus)] -= mw
    return np.asarray(injected)


def test_a_meshed_network_flows_as_its_angles_say() -> None:
    """Independent: angles from the susceptance matrix by a dense solve."""
    network = Network.from_tables(load("rts24"))
    buses = tuple(network.buses.ids[at] for at in (3, 7))
    share = np.array([1.0, 0.8])
    hubs = HubNetwork.of_network(network, buses, share)
    drawn = np.array([[40.0, 10.0], [0.0, 60.0]])
    keep = np.arange(len(network.buses.ids)) != network.slack
    for period in range(2):
        injected = _injected(network, buses, drawn[:, period], float(share[period]))
        limited = [network.branches.ids.index(name) for name in hubs.lines]
        assert hubs.flows(drawn)[:, period] == pytest.approx(_by_angles(network, injected)[limited], abs=1e-6)
        assert hubs.substation(drawn)[period] == pytest.approx(-injected[keep].sum())


def test_hubs_on_a_meshed_network_are_studied_whole_and_its_angles_confirm_every_overload() -> None:
    """Independent: of every model's withdrawals, flows by angles and what of them is above the ratings, hour by hour.

    The chain is that of the theory; the network has loops (38 branches, 24 buses), so shares are no paths.
    """
    network, hours = Network.from_tables(load("rts24")), 6
    clock = np.arange(hours)

    def row(values: np.ndarray) -> tuple[float, ...]:
        return tuple(np.round(values, 3).tolist())

    campus = Hub("campus", "6", row(60.0 + 20.0 * np.sin(clock)), 400.0, battery=Battery(60.0, 180.0, start_mwh=90.0),
                 work=Work((60.0,) * hours, 150.0, 4))  # fmt: skip
    works = Hub("works", "8", (50.0,) * hours, 300.0, generator=Generator(60.0, 78.0, 30.0))
    quarter = Hub("quarter", "3", row(40.0 + 10.0 * np.cos(clock)), 300.0, 50.0, (20.0,) * hours,
                  battery=Battery(30.0, 100.0, start_mwh=50.0))  # fmt: skip
    share = np.array([0.85, 0.9, 0.95, 1.0, 0.95, 0.9])
    case = on_network(network, (campus, works, quarter), hours=hours, load_share=share)
    question = HubQuestion(dataset="mesh", exact=True, exact_gap=1e-2, exact_time_s=5.0, ladder=False)
    run = run_hubs(question, lambda _: ("mesh.json", to_json(case)))
    assert np.linalg.matrix_rank(run.case.network.share) == 3
    assert ((np.abs(run.case.network.share) > 1e-6) & (np.abs(run.case.network.share) < 1.0 - 1e-6)).any()
    branches = network.branches
    limited = [branches.ids.index(name) for name in run.case.network.lines]
    for each in run.outcomes:
        over = 0.0
        for t in range(hours):
            injected = _injected(network, ("6", "8", "3"), each.withdrawal_mw[:, t], float(share[t]))
            flow = _by_angles(network, injected)
            assert each.overloads.flow_mw[:, t] == pytest.approx(flow[limited], abs=1e-5)
            over += float(np.maximum(np.abs(flow) - branches.rating_a_mw, 0.0)[branches.in_service].sum())
        assert each.overload_cost == pytest.approx(100.0 * over, abs=1e-2)
    none, quick, exact = (
        run.of(*each) for each in (("none", "quadratic"), ("quick", "quadratic"), ("exact", "linear"))
    )
    assert none is not None
    assert quick is not None
    assert exact is not None
    assert none.overload_cost > 1000.0  # before prices a line carries 10 MWh too much
    assert run.floor <= quick.objective + 1e-6 < 0.01 * none.objective
    assert exact.bound <= exact.objective < 0.01 * none.objective


def test_buses_that_are_not_there_are_all_named() -> None:
    with pytest.raises(NetworkDataError, match=r"no bus nowhere.*; there is no bus neither"):
        HubNetwork.of_feeder(furnished("ieee37"), ("nowhere", "740", "neither"), (1.0,))
    network = Network.from_tables(load("rts24"))
    with pytest.raises(NetworkDataError, match=r"no bus nowhere"):
        on_network(network, (Hub("one", "nowhere", (1.0,), 2.0),), hours=1)
