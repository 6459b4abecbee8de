"""Small networks and questions for the capacity tests, and the full scenario program as their oracle."""

from itertools import pairwise
from typing import Any

import cvxpy as cp
import numpy as np

from engine.capacity.margins import Prepared, prepare
from engine.capacity.question import CapacityQuestion, UncertaintySpec
from engine.capacity.supply import supply_share
from engine.capacity.uncertainty import Box, Sample, States
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of


def network(
    lines: list[tuple[int, int]],
    rating: list[float],
    *,
    buses: int,
    limit: list[float] | None = None,
    reactance: list[float] | None = None,
    units: list[dict[str, Any]] | None = None,
) -> Network:
    """Buses "1" to "n", the first as slack; lines between positions counted from 1."""
    rows = [{"bus": str(b + 1), "slack": b == 0} for b in range(buses)]
    for bus, size in zip(rows, limit or [], strict=False):
        bus["withdrawal_limit_mw"] = size
    return Network.from_tables(
        NetworkTables(
            name="small",
            buses=table_of("buses", rows),
            branches=table_of(
                "branches",
                [
                    {
                        "branch": f"{a}-{b}",
                        "from_bus": str(a),
                        "to_bus": str(b),
                        "rating_a_mw": rating[i],
                        "reactance_pu": 0.1 if reactance is None else reactance[i],
                    }
                    for i, (a, b) in enumerate(lines)
                ],
            ),
            units=table_of("units", units or [{"unit": "g", "bus": "1", "p_mw": 0.0, "p_max_mw": 1e4}]),
        )
    )


TRIANGLE = [(1, 2), (1, 3), (2, 3)]


def triangle() -> Network:
    """The specification's triangle: equal reactances, F = (10, 30, 4)."""
    return network(TRIANGLE, [10.0, 30.0, 4.0], buses=3)


def random_network(generator: np.random.Generator, *, meshed: bool) -> Network:
    buses = int(generator.integers(4, 9))
    lines = [(int(generator.integers(1, b)), b) for b in range(2, buses + 1)]
    if meshed:
        for _ in range(int(generator.integers(1, 4))):
            a, b = sorted(generator.choice(np.arange(1, buses + 1), 2, replace=False).tolist())
            if (a, b) not in lines:
                lines.append((a, b))
    rating = generator.uniform(20, 80, len(lines)).tolist()
    limit = np.where(generator.random(buses) < 0.5, generator.uniform(15, 60, buses), np.inf).tolist()
    return network(lines, rating, buses=buses, limit=limit, reactance=generator.uniform(0.05, 0.3, len(lines)).tolist())


def random_sample(generator: np.random.Generator, buses: int, scenarios: int, *, weighted: bool = False) -> Sample:
    """Correlated, skewed net demand of a few MW."""
    mixing = generator.normal(0, 1, (buses, buses)) / np.sqrt(buses)
    states = 2.0 + generator.gamma(1.5, 1.0, (scenarios, buses)) @ mixing
    weights = generator.uniform(0.2, 3.0, scenarios) if weighted else None
    return sample(states, None if weights is None else weights / weights.sum())


def sample(states: np.ndarray, weights: np.ndarray | None = None) -> Sample:
    labels = tuple(f"scenario {s}" for s in range(len(states)))
    return Sample(np.asarray(states, dtype=float), weights, labels, "a test's own states", 0)


def still(network: Network) -> Sample:
    """One state without any load."""
    return sample(np.zeros((1, len(network.buses.ids))))


def asked(network: Network, demand: dict[str, float], **changes: Any) -> CapacityQuestion:
    return CapacityQuestion(
        candidates=tuple(demand),
        demand_mw=tuple(demand.values()),
        uncertainty=UncertaintySpec("file", {}, 0),
        **changes,
    )


def prepared(network: Network, question: CapacityQuestion, known: Sample | Box | States) -> Prepared:
    states = known if isinstance(known, States) else States(known) if isinstance(known, Sample) else States(box=known)
    return prepare(network, question, states)


def radial(lines: list[tuple[int, int]], buses: int) -> bool:
    return len(lines) == buses - 1


def scenario_program(network: Network, question: CapacityQuestion, known: Sample, epsilon: float) -> np.ndarray:
    """The optimum (K,) of the full program (17): an eta and a slack per scenario for every limit, nothing reduced."""
    factors = Factors.of(network).with_slack(supply_share(network, question.supply, question.supply_shares))
    withdrawal = -factors.dense()
    sites = [network.bus(bus) for bus in question.candidates]
    states, weight = known.net_demand_mw, known.weight
    demand = np.array(question.demand_mw)
    c = cp.Variable(len(sites), nonneg=True)
    rules = [c <= demand]

    def keep(existing: np.ndarray, row: np.ndarray, limit: float) -> None:
        if question.downward_closed:
            row = np.maximum(row, 0.0)
        eta, excess = cp.Variable(), cp.Variable(len(states), nonneg=True)
        rules.append(eta + weight @ excess / epsilon <= limit)
        rules.append(excess >= existing + row @ c - eta)

    for branch in np.flatnonzero(np.isfinite(network.branches.rating_a_mw)):
        flow, row = states @ withdrawal[branch], withdrawal[branch, sites]
        keep(flow, row, network.branches.rating_a_mw[branch])
        keep(-flow, -row, network.branches.rating_a_mw[branch])
    for bus in np.flatnonzero(np.isfinite(network.buses.withdrawal_limit_mw)):
        keep(states[:, bus], np.array([1.0 * (bus == site) for site in sites]), network.buses.withdrawal_limit_mw[bus])
    unserved = cp.sum(cp.multiply(1 / demand, demand - c))
    problem = cp.Problem(cp.Minimize(unserved), rules)
    problem.solve(solver=cp.HIGHS)
    assert problem.status == "optimal"
    return np.asarray(c.value)


def steps(values: tuple[float, ...]) -> list[float]:
    return [after - before for before, after in pairwise(values)]
