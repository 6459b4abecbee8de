"""The loads that a bus can take after a loss, from bus angles: the tests' own linear programs, one by one."""

import numpy as np
from scipy.optimize import linprog

from engine.network.model import Network

NONE = (np.inf, -np.inf)


def load_interval(network: Network, demand_mw, least_mw, largest_mw, bus, *, branch=-1, unit=-1, cap_mw=1e5):
    """Return the least and the largest load, MW, that some dispatch serves with every limit kept; NONE if none.

    Unknowns: outputs, angles, the load. One equation a bus, one inequality a rated branch, interface and limited bus.
    """
    branches, buses = network.branches, network.buses
    count, units = len(buses.ids), len(network.units.ids)
    size = units + count + 1
    live = branches.in_service.copy()
    if branch >= 0:
        live[branch] = False
    gain = np.where(live, network.base_mva / (branches.reactance_pu * branches.tap_ratio), 0.0)
    own = -gain * np.deg2rad(branches.shift_deg)
    flow = np.zeros((len(branches.ids), size))
    rows = np.arange(len(branches.ids))
    np.add.at(flow, (rows, units + branches.from_bus), gain)
    np.add.at(flow, (rows, units + branches.to_bus), -gain)
    out = np.zeros((count, size))
    np.add.at(out, branches.from_bus, flow)
    np.add.at(out, branches.to_bus, -flow)
    shifted = np.zeros(count)
    np.add.at(shifted, branches.from_bus, own)
    np.add.at(shifted, branches.to_bus, -own)
    balance = -out
    balance[network.units.bus, np.arange(units)] += 1.0
    balance[bus, -1] -= 1.0
    rated = live & np.isfinite(branches.rating_a_mw)
    limits, most = (
        [flow[rated], -flow[rated]],
        [
            branches.rating_a_mw[rated] - own[rated],
            branches.rating_a_mw[rated] + own[rated],
        ],
    )
    weights = network.interfaces.weights.toarray()
    for sign, limit in ((1.0, network.interfaces.upper_mw), (-1.0, -network.interfaces.lower_mw)):
        limits.append(sign * weights @ flow)
        most.append(limit - sign * weights @ own)
    held = np.isfinite(buses.withdrawal_limit_mw)
    limits.append(-out[held])
    most.append(buses.withdrawal_limit_mw[held] + shifted[held])
    bounds = [
        (low, high) if g != unit else (0.0, 0.0) for g, (low, high) in enumerate(zip(least_mw, largest_mw, strict=True))
    ]
    bounds += [(0.0, 0.0) if b == network.slack else (None, None) for b in range(count)] + [(0.0, cap_mw)]
    found = []
    for sign in (1.0, -1.0):
        cost = np.zeros(size)
        cost[-1] = sign
        answer = linprog(cost, np.vstack(limits), np.concatenate(most), balance, demand_mw + shifted, bounds)
        if answer.status == 2:
            return NONE
        assert answer.status == 0, answer.message
        found.append(answer.x[-1])
    return tuple(found)
