"""The joint allocation as one program with a dispatch for every scenario and every part: the tests' oracle."""

import cvxpy as cp
import numpy as np

from engine.capacity.question import CapacityQuestion
from engine.network.factors import Factors
from engine.network.model import Network
from engine.redispatch.states import Scenarios


def extensive(
    network: Network,
    question: CapacityQuestion,
    scenarios: Scenarios,
    epsilon: float,
    floor: np.ndarray | None = None,
) -> np.ndarray:
    """The (K,) of least unserved shares, ties not broken: all scenarios, all limits, nothing lazy, no cuts."""
    factor = Factors.of(network).dense()
    sites = [network.bus(bus) for bus in question.candidates]
    demand = np.array(question.demand_mw)
    c = cp.Variable(len(sites))
    at_bus = np.zeros((len(network.buses.ids), len(sites)))
    at_bus[sites, np.arange(len(sites))] = 1.0
    outputs = np.zeros((len(network.buses.ids), len(network.units.ids)))
    outputs[network.units.bus, np.arange(len(network.units.ids))] = 1.0
    rules = [c >= (np.zeros(len(sites)) if floor is None else floor), c <= demand]
    losses = []
    rated = np.isfinite(network.branches.rating_a_mw)
    limit = network.branches.rating_a_mw[rated]
    for place in range(len(scenarios)):
        state = scenarios.state(place)
        p, loss = cp.Variable(len(outputs[0])), cp.Variable()
        injection = outputs @ p - state.demand_mw - at_bus @ c
        flow = factor[rated] @ injection
        rules += [
            cp.sum(injection) == 0,
            p >= state.least_mw,
            p <= state.largest_mw + loss * np.abs(state.largest_mw),
            flow <= limit * (1 + loss),
            -flow <= limit * (1 + loss),
            loss >= -1,
        ]
        losses.append(loss)
    every = cp.hstack(losses)
    if epsilon == 0.0:
        rules.append(every <= 0)
    else:
        eta, excess = cp.Variable(), cp.Variable(len(scenarios), nonneg=True)
        rules += [excess >= every - eta, eta + scenarios.weight @ excess / epsilon <= 0]
    problem = cp.Problem(cp.Minimize(cp.sum(cp.multiply(1 / demand, demand - c))), rules)
    problem.solve(solver=cp.HIGHS)
    assert problem.status == "optimal"
    return np.asarray(c.value)
