"""Stage II written again, from its specification alone: a recursion down the tree, every row, in cvxpy.

v_j = v_i - 2 (r P + x Q) in p.u., flows of a link are what is drawn behind it, capacitors give b v.
"""

from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from engine.resilience.case import PlacementCase
from tests.engine.resilience import small

SIDES = 12


@dataclass
class Oracle:
    """One shock; ``plan`` (M, I) is a parameter, or the variables of a larger program."""

    cost: cp.Expression
    rows: list
    used: dict[str, cp.Expression]  # what the laws are about, each (T,)


def oracle(  # noqa: C901, PLR0912, PLR0915 (one program, in the order of the specification)
    case: PlacementCase, at: int, plan: cp.Expression, *, one_way: bool = False
) -> Oracle:
    steps, step, money, given = case.steps, case.step_h, case.penalties, case.scenarios
    start, end = int(given.start[at]), int(given.end[at])
    rows, cost = [], 0
    p_at = {name: np.zeros(steps) for name, *_ in small.BUSES}  # what is drawn, net
    q_at = {name: np.zeros(steps) for name, *_ in small.BUSES}
    used = {}
    demand_at = {name: np.zeros(steps) for name, *_ in small.BUSES}
    shed_at = {name: 0 for name, *_ in small.BUSES}
    told = [(name, mw * case.load_share, mvar / mw if mw else 0.0) for name, mw, mvar, _ in small.BUSES if mw]
    told += [
        (campus.bus, given.draw_mw[at, :, place], np.tan(np.arccos(campus.power_factor)))
        for place, campus in enumerate(case.campuses)
    ]
    all_shed, all_need = 0, np.zeros(steps)
    for name, mw, per_mw in told:
        shed = cp.Variable(steps, nonneg=True)
        rows.append(shed <= mw)
        p_at[name] = p_at[name] + mw - shed
        q_at[name] = q_at[name] + per_mw * (mw - shed)
        demand_at[name] = demand_at[name] + mw
        shed_at[name] = shed_at[name] + shed
        all_shed, all_need = all_shed + shed, all_need + mw
    cost += money.shed_per_mwh * step * cp.sum(all_shed)
    for place, site in enumerate(case.sites):
        reach, put_off_here = 0, None
        for row, kind in enumerate(case.types):
            count = plan[row, place]
            reach = reach + kind.reactive * kind.power_mw * count
            if kind.kind == "storage":
                charge, discharge, energy = (cp.Variable(steps, nonneg=True) for _ in range(3))
                before = kind.start_share * kind.energy_mwh * count
                lacking = cp.Variable(nonneg=True)
                for t in range(steps):
                    last = before if t == 0 else energy[t - 1]
                    rows.append(
                        energy[t]
                        == (1 - kind.loss_per_h * step) * last
                        + step * (kind.charge_efficiency * charge[t] - discharge[t] / kind.discharge_efficiency)
                    )
                rows += [energy <= kind.energy_mwh * count, charge <= kind.power_mw * count,
                         discharge <= kind.power_mw * count, lacking >= before - energy[-1]]  # fmt: skip
                if one_way:
                    way, most = cp.Variable(steps, boolean=True), kind.power_mw * kind.most_at_site
                    rows += [charge <= most * way, discharge <= most * (1 - way)]
                else:  # the convex hull of both ways
                    rows.append(charge + discharge <= kind.power_mw * count)
                cost += kind.cost_per_mwh * step * cp.sum(charge + discharge) + money.restore_per_mwh * lacking
                p_at[site] = p_at[site] + charge - discharge
                used["lacking"] = used.get("lacking", 0) + lacking
            elif kind.kind == "generation":
                output = cp.Variable(steps, nonneg=True)
                most = kind.ramp_mw_per_min * 60 * step * count
                rows += [output <= kind.power_mw * count, output[0] <= most, cp.abs(output[1:] - output[:-1]) <= most]
                for t in range(steps):
                    if t * step * 60 < start * step * 60 + kind.delay_min - 1e-9:
                        rows.append(output[t] == 0)
                cost += kind.cost_per_mwh * step * cp.sum(output)
                p_at[site] = p_at[site] - output
                used["output"] = used.get("output", 0) + output
            elif site in {name for name, *_ in told}:
                put_off, back = cp.Variable(steps, nonneg=True), cp.Variable(steps, nonneg=True)
                rows += [put_off <= kind.power_mw * count, back <= kind.power_mw * count]
                rows += [step * cp.sum(put_off) <= kind.energy_mwh * count]
                window = max(1, round(kind.window_h / step))
                for t in range(steps):
                    returned = cp.sum(back[: t + 1])
                    rows.append(returned <= kind.payback * cp.sum(put_off[: t + 1]))
                    # What was put off by the end of a step is drawn within the window.
                    if t - window >= 0:
                        rows.append(returned >= kind.payback * cp.sum(put_off[: t - window + 1]))
                rows.append(cp.sum(back) == kind.payback * cp.sum(put_off))
                cost += kind.cost_per_mwh * step * cp.sum(put_off)
                p_at[site] = p_at[site] - put_off + back
                put_off_here = put_off if put_off_here is None else put_off_here + put_off
                used["put off"] = used.get("put off", 0) + put_off
        if put_off_here is not None:
            rows.append(put_off_here + shed_at[site] <= demand_at[site])
        q = cp.Variable(steps)
        rows.append(cp.abs(q) <= reach)
        q_at[site] = q_at[site] - q
        used["reactive"] = used.get("reactive", 0) + cp.abs(q)
    v = {name: cp.Variable(steps) for name, *_ in small.BUSES}
    slack = cp.Variable(steps, nonneg=True)
    rows.append(v["S"] == small.SOURCE_PU**2)
    capacitor = {name: mvar for name, *_, mvar in small.BUSES}
    below = {name: [link for link in small.LINKS if link[1] == name] for name, *_ in small.BUSES}
    out = given.outage[at]
    flow_p, flow_q = {}, {}
    for number, (link, upper, lower, r, x, rating) in reversed(list(enumerate(small.LINKS))):
        p = p_at[lower] + sum(flow_p[each[0]] for each in below[lower])
        q = q_at[lower] - capacitor[lower] * v[lower] + sum(flow_q[each[0]] for each in below[lower])
        flow_p[link], flow_q[link] = p, q
        rows.append(v[lower] == v[upper] - 2 * (r * p + x * q) / small.BASE_MVA)
        rows.append(v[lower] >= (small.LOWEST_PU + case.margin_pu) ** 2 - slack)
        rows.append(v[lower] <= (small.HIGHEST_PU - case.margin_pu) ** 2 + slack)
        if rating:
            rows += polygon(p, q, rating)
        if number == out:
            gone = slice(start, int(given.restored[at]))
            rows += [p[gone] == 0, q[gone] == 0]
    p = p_at["S"] + sum(flow_p[each[0]] for each in below["S"])
    q = q_at["S"] + sum(flow_q[each[0]] for each in below["S"])
    rows += polygon(p, q, case.substation_mva)
    planned = sum(mw * case.load_share for _, mw, *_ in small.BUSES)
    planned = planned + sum(campus.size_mw * campus.schedule_share for campus in case.campuses)
    imbalance = cp.Variable(steps, nonneg=True)
    ramp = case.ramp_mw_per_min * 60 * step
    rows += [imbalance >= cp.abs(p - planned) - case.dead_band_mw, imbalance[1:] >= cp.abs(p[1:] - p[:-1]) - ramp]
    cost += money.imbalance_per_mwh * step * cp.sum(imbalance) + money.voltage_per_pu2h * step * cp.sum(slack)
    if end < steps:
        cost += money.restore_per_mwh * step * cp.sum(all_shed[end:])
        used["late"] = cp.sum(all_shed[end:])
    used |= {"shed": all_shed, "slack": slack, "imbalance": imbalance}
    used["rating"] = cp.maximum(*(cp.abs(flow_p[name]) / rating for name, *_, rating in small.LINKS if rating))
    return Oracle(cost, rows, used)


def polygon(p: cp.Expression, q: cp.Expression, rating: float) -> list:
    """Inside of the circle: the sides of a regular polygon whose corners are on it."""
    middle = (np.arange(SIDES) + 0.5) * 2 * np.pi / SIDES
    return [np.cos(each) * p + np.sin(each) * q <= rating * np.cos(np.pi / SIDES) for each in middle]


def cost_of(case: PlacementCase, at: int, plan: np.ndarray, *, one_way: bool = False) -> tuple[float, Oracle]:
    """Return the least cost of a shock under a plan (K,); ``one_way``: no store charges while it discharges."""
    found = oracle(case, at, plan.reshape(len(case.types), len(case.sites)), one_way=one_way)
    problem = cp.Problem(cp.Minimize(found.cost), found.rows)
    problem.solve(solver=cp.HIGHS)
    assert problem.status == cp.OPTIMAL
    return float(problem.value), found
