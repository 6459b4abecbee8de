"""Small cases of hubs that several tests solve, and the hub written again from the specification, with cvxpy."""

from dataclasses import replace

import cvxpy as cp
import numpy as np

from engine.pricing.case import HubCase, PriceRange, Terms
from engine.pricing.evaluation import Fleet
from engine.pricing.hubs import Battery, Generator, Hub, Hydrogen, Work
from engine.pricing.network import HubNetwork


def one_line(periods: int, hubs: int, limit_mw: float, background_mw: float = 0.0) -> HubNetwork:
    """One line from the substation to all hubs, pointed at the substation; its limit is the only one."""
    share, row = np.ones((1, hubs)), np.full((1, periods), -background_mw)
    return HubNetwork(("line",), share, row, np.array([limit_mw]), np.full(periods, background_mw))


def two_hubs(limit_mw: float = 2.5, **prices: float) -> HubCase:
    """At 30 $/MWh in four hours, 3 MW flow in the third, more than the limit unless the first hub's battery helps."""
    battery = Battery(1.0, 2.0, 0.95, 0.95, wear_per_mwh=5.0)
    hubs = (Hub("one", "a", (1.0,) * 4, 3.0, battery=battery), Hub("two", "a", (1.0, 1.0, 2.0, 1.0), 3.0))
    terms = Terms(level=0.01, smooth=0.0, fair=0.0)
    return HubCase(hubs, one_line(4, 2, limit_mw), (30.0,) * 4, (0.0,) * 4, terms=terms,
                   prices=PriceRange(**{"least": 0.0, "most": 40.0} | prices))  # fmt: skip


def export_only() -> HubCase:
    """The sun of one hub exceeds the line's limit outwards; its imports are none, so a price on them is nothing."""
    hub = Hub("sun", "a", (0.0,) * 3, 1.0, 3.0, (1.0, 2.0, 1.0))
    return HubCase((hub,), one_line(3, 1, 1.5), (30.0,) * 3, (20.0,) * 3)


def rigid() -> HubCase:
    """Hubs without any choice, and a limit that they exceed."""
    hubs = tuple(Hub(name, "a", demand, 3.0) for name, demand in (("one", (1.0, 2.0)), ("two", (1.0, 1.5))))
    return HubCase(hubs, one_line(2, 2, 3.0), (30.0, 40.0), (0.0, 0.0))


def random_case(seed: int, periods: int = 6, hubs: int = 2) -> HubCase:
    """Hubs with everything, at random, on two lines in a row."""
    rng = np.random.default_rng(seed)

    def row(low: float, high: float) -> tuple[float, ...]:
        return tuple(rng.uniform(low, high, periods).round(3).tolist())

    made = tuple(
        Hub(
            f"hub {at + 1}", "a", row(0.5, 1.5), 5.0, 1.0, row(0.0, 1.0), round(float(rng.uniform(0, 3)), 2), 0.5,
            Battery(0.8, 2.0, 0.93, 0.96, 0.7, 0.1, round(float(rng.uniform(2, 6)), 2)),
            Hydrogen(0.6, 0.3, 1.5, 0.7, 0.55, 0.4, 2.0),
            Generator(0.6, round(float(rng.uniform(50, 80)), 2), 0.4),
            Work(row(0.1, 0.6), 1.5, 3, 0.2),
        )
        for at in range(hubs)
    )  # fmt: skip
    buy = row(20.0, 60.0)
    share = np.tril(np.ones((2, hubs)))
    network = HubNetwork(("far", "near"), share, -rng.uniform(0.0, 0.5, (2, periods)), np.array([1.5, 2.0]),
                         rng.uniform(0.0, 0.5, periods), import_mw=2.5)  # fmt: skip
    return HubCase(made, network, buy, tuple(0.5 * price for price in buy))


def fleet_of(case: HubCase, share: float = 1.0) -> Fleet:
    """The fleet of a case with so much of its curvature."""
    return Fleet.of(replace(case, curvature=replace(case.curvature, share=share)))


def as_specified(  # noqa: C901, PLR0912, PLR0915 (the specification, equation by equation)
    case: HubCase, hub: Hub, price: np.ndarray, *, curved: bool
) -> tuple[float, np.ndarray]:
    """The hub's optimum and withdrawal by equations of the specification, deadlines as cumulative work."""
    count, step, c = case.periods, case.step_h, case.curvature
    v = {name: cp.Variable(count, nonneg=True) for name in (
        "in", "out", "u", "ch", "dis", "e", "a", "cut", "g", "el", "fc", "h")}  # fmt: skip
    sun = np.array(hub.sun_mw or (0.0,) * count)
    rows = [v["in"] <= hub.import_mw, v["out"] <= hub.export_mw, v["cut"] <= sun]
    buys = np.array(case.buy_per_mwh) + hub.base_per_mwh + price
    cost = buys @ v["in"] - np.array(case.sell_per_mwh) @ v["out"] + hub.curtailment_per_mwh * cp.sum(v["cut"])
    reach = {"in": (hub.import_mw, c.exchange), "out": (hub.export_mw, c.exchange), "cut": (max(sun), c.own)}
    battery, hydrogen, work, generator = hub.battery, hub.hydrogen, hub.work, hub.generator
    if battery is None:
        rows += [v["ch"] == 0, v["dis"] == 0, v["e"] == 0]
    else:
        for t in range(count):
            before = battery.start_mwh if t == 0 else v["e"][t - 1]
            moved = battery.charge_efficiency * v["ch"][t] - v["dis"][t] / battery.discharge_efficiency
            rows.append(v["e"][t] == before + step * moved)
        rows += [v["ch"] <= battery.power_mw, v["dis"] <= battery.power_mw, v["e"] <= battery.energy_mwh,
                 v["e"] >= battery.least_mwh, v["e"][count - 1] >= battery.start_mwh]  # fmt: skip
        cost += battery.wear_per_mwh * cp.sum(v["ch"] + v["dis"])
        reach |= {"ch": (battery.power_mw, c.battery), "dis": (battery.power_mw, c.battery),
                  "e": (battery.energy_mwh - battery.least_mwh, c.held)}  # fmt: skip
    if hydrogen is None:
        rows += [v["el"] == 0, v["fc"] == 0, v["h"] == 0]
    else:
        for t in range(count):
            before = hydrogen.start_mwh if t == 0 else v["h"][t - 1]
            rows.append(v["h"][t] == before + step * (hydrogen.electrolyser_efficiency * v["el"][t] - v["fc"][t]))
        most = hydrogen.fuel_cell_mw / hydrogen.fuel_cell_efficiency
        rows += [v["el"] <= hydrogen.electrolyser_mw, v["fc"] <= most, v["h"] <= hydrogen.store_mwh,
                 v["h"][count - 1] >= hydrogen.start_mwh]  # fmt: skip
        cost += hydrogen.cost_per_mwh * cp.sum(v["fc"])
        reach |= {"el": (hydrogen.electrolyser_mw, c.own), "fc": (most, c.own), "h": (hydrogen.store_mwh, c.held)}
    if work is None:
        rows += [v["u"] == 0, v["a"] == 0]
    else:
        arrived = np.cumsum(work.arrivals_mw) * step
        for t in range(count):
            rows.append(v["a"][t] == arrived[t] - step * cp.sum(v["u"][: t + 1]))
            if t - work.deadline + 1 >= 0:
                rows.append(step * cp.sum(v["u"][: t + 1]) >= arrived[t - work.deadline + 1])
        rows += [v["u"] <= work.most_mw, v["a"][count - 1] == 0]
        cost += work.waiting_per_mwh * cp.sum(v["a"])
        waits = [arrived[t] - (arrived[t - work.deadline + 1] if t >= work.deadline - 1 else 0.0)
                 for t in range(count - 1)]  # fmt: skip
        reach |= {"u": (work.most_mw, c.work), "a": (max(waits), c.held)}
    ramps = None
    if generator is None:
        rows.append(v["g"] == 0)
    else:
        rows.append(v["g"] <= generator.power_mw)
        cost += generator.cost_per_mwh * cp.sum(v["g"])
        reach["g"] = (generator.power_mw, c.own)
        if generator.ramp_mw is not None:
            ramps = cp.hstack([v["g"][0], cp.diff(v["g"])])
            rows.append(cp.abs(cp.diff(v["g"])) <= generator.ramp_mw)
    served = v["in"] - v["out"] + v["dis"] - v["ch"] + v["g"] - v["el"] - v["u"] - v["cut"]
    if hydrogen is not None:
        served = served + hydrogen.fuel_cell_efficiency * v["fc"]
    rows.append(served == np.array(hub.demand_mw) - sun)
    total = step * cost
    if curved:
        for name, (span, rise) in reach.items():
            if span > 0.0:
                total += 0.5 * step * c.share * rise / max(span, 1e-3) * cp.sum_squares(v[name])
        if ramps is not None and generator is not None and generator.ramp_mw is not None:
            widest = 2.0 * max(generator.ramp_mw, generator.power_mw)
            total += 0.5 * step * c.share * c.ramp / widest * cp.sum_squares(ramps)
    problem = cp.Problem(cp.Minimize(total), rows)
    problem.solve(solver=cp.CLARABEL)
    assert problem.status == "optimal"
    return float(problem.value), np.asarray(v["in"].value - v["out"].value)
