"""The gate against linear programs in bus angles, one by one, on every triple of small networks."""

import numpy as np
import pytest

from engine.network import library
from engine.network.factors import Factors
from engine.network.model import Network
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.envelopes import envelope
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.screening import screen
from tests.engine.siting.angle_loads import load_interval

EDGE_MW = 0.01  # levels this near to the end of an interval are not asked


def _network(key: str, share: float) -> Network:
    """Return a network of the library with limits near its filed flows, so that outages matter."""
    network = Network.from_tables(library.load(key))
    flow = np.abs(Factors.of(network).flows(network.injection_mw))
    rating = np.maximum(share * flow, 0.15 * flow.max())
    branches = network.tables.branches.assign(rating_a_mw=rating)
    return Network.from_tables(network.tables.with_table("branches", branches))


def _case(network: Network, scales=(1.0,)) -> SitingCase:
    units = network.units
    least = np.tile(np.where(units.in_service, np.minimum(units.p_min_mw, units.p_max_mw), 0.0), (len(scales), 1))
    most = np.tile(np.where(units.in_service, units.p_max_mw, 0.0), (len(scales), 1))
    demand = np.array([scale * network.demand_mw for scale in scales])
    hours = np.arange(len(scales))
    return SitingCase(network, demand, least, most, hours % 24 + 1, tuple(f"hour {h}" for h in hours), "test")


def _compare(case: SitingCase, sizes, rule: Rule | None = None) -> tuple[int, set]:
    """Compare every triple with its own program; return how many there were, and the outcomes seen."""
    network = case.network
    contingencies = Contingencies.of(Factors.of(network), rule or Rule(least_kv=0.0), case)
    buses = np.flatnonzero(network.buses.in_service)
    question = GateQuestion(buses, (envelope("firm"),), tuple(size / 0.8 for size in sizes))
    result = screen(case, contingencies, question)
    assert result.undecided == 0
    count, seen = 0, set()
    for hour in range(len(case)):
        base = {k for t, k in result.base_infeasible() if t == hour}
        for k in range(len(contingencies)):
            branch = contingencies.branches(k)
            for place, bus in enumerate(buses.tolist()):
                least, most = load_interval(
                    network,
                    case.demand_mw[hour],
                    case.least_mw[hour],
                    case.largest_mw[hour],
                    bus,
                    branch=branch[0] if branch else -1,
                    unit=contingencies.unit(k),
                )
                assert (k in base) == (least > 1e-6), contingencies.ids[k]
                for level, size in enumerate(sizes):
                    if min(abs(size - least), abs(size - most)) < EDGE_MW:
                        continue
                    passes = least <= size <= most
                    assert result.verdict(place, hour, level, k) == int(passes), (bus, size, contingencies.ids[k])
                    seen.add((passes, least > 1e-6, contingencies.kind(k)))
                    count += 1
    return count, seen


@pytest.mark.parametrize(("key", "share"), [("ieee14", 1.3), ("rts24", 1.25)])
def test_every_triple_agrees_with_a_program_in_angles(key, share):
    count, seen = _compare(_case(_network(key, share)), (5.0, 40.0, 120.0))

    assert count > 500
    assert {(True, False, "branch"), (False, False, "branch"), (True, False, "unit"), (False, False, "unit")} <= seen


def test_two_hours_of_which_one_cannot_keep_its_limits():
    network = _network("ieee14", 1.05)

    count, seen = _compare(_case(network, (1.0, 1.3)), (5.0, 30.0))

    assert count > 500
    assert any(not passes and base for passes, base, _ in seen)
