"""Small grids and days for the tests of commitment, and what is known of them by other means."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from scipy.optimize import linprog

from engine.commitment.instance import CommitmentOptions, Fleet, InitialState, Instance, ReserveRule, limits_of
from engine.commitment.outcome import Commitment
from engine.commitment.verify import Schedule, Verdict, verify
from engine.network.factors import Factors
from engine.network.model import Network
from engine.network.tables import NetworkTables, table_of
from engine.opf.costs import CostColumns
from engine.siting.case import SitingCase

Lines = Sequence[tuple[str, str, float, float]]
TRIANGLE: Lines = (("1", "2", 0.1, 60.0), ("2", "3", 0.1, 60.0), ("1", "3", 0.1, 60.0))
NO_RESERVE = CommitmentOptions(reserve=ReserveRule("none"), least_hours="none")


def unit(name: str, bus: str, least: float, most: float, **more: Any) -> dict[str, Any]:
    return {"unit": name, "bus": bus, "fuel": "ng", "p_min_mw": least, "p_max_mw": most, **more}


def random_units(
    rng: np.random.Generator, count: int, buses: int = 3, *, quadratic: float = 0.0
) -> list[dict[str, Any]]:
    return [
        unit(
            f"g{place}",
            str(1 + place % buses),
            float(rng.uniform(5, 20)),
            float(rng.uniform(40, 110)),
            cost_c0_per_h=float(rng.uniform(50, 300)),
            cost_c1_per_mwh=float(rng.uniform(10, 40)),
            cost_c2_per_mw2h=quadratic * float(rng.uniform(0.5, 1.5)),
            startup_cost=float(rng.uniform(0, 800)),
            shutdown_cost=float(rng.uniform(0, 80)),
            ramp_30_min_mw=float(rng.uniform(8, 30)),
        )
        for place in range(count)
    ]


def grid(units: list[dict[str, Any]], lines: Lines = TRIANGLE) -> Network:
    buses = sorted({end for line in lines for end in line[:2]})
    return Network.from_tables(
        NetworkTables(
            name="small",
            buses=table_of("buses", [{"bus": bus, "slack": bus == buses[0]} for bus in buses]),
            branches=table_of(
                "branches",
                [
                    {"branch": f"{a}-{b}", "from_bus": a, "to_bus": b, "reactance_pu": x, "rating_a_mw": most}
                    for a, b, x, most in lines
                ],
            ),
            units=table_of("units", units),
        )
    )


def case_of(network: Network, demand_mw: np.ndarray, largest_mw: np.ndarray | None = None) -> SitingCase:
    hours, units = len(demand_mw), network.units
    labels = tuple(f"2020-01-{1 + t // 24:02d} {t % 24:02d}:00" for t in range(hours))
    most = np.tile(units.p_max_mw, (hours, 1)) if largest_mw is None else largest_mw
    least = np.minimum(np.tile(units.p_min_mw, (hours, 1)), most)
    return SitingCase(network, np.asarray(demand_mw, float), least, most, np.arange(hours) % 24 + 1, labels, "a test")


def day_load(level: float, swing: float, share: Sequence[float] = (0.0, 0.6, 0.4)) -> np.ndarray:
    total = level + swing * np.sin((np.arange(24) - 9) / 24 * 2 * np.pi)
    return total[:, np.newaxis] * np.array(share)


def short_instance(case: SitingCase, options: CommitmentOptions, initial: InitialState | None = None) -> Instance:
    """An instance of a few hours: every choice can be tried. The product asks for whole days."""
    factors = Factors.of(case.network)
    return Instance(
        case=case,
        factors=factors,
        options=options,
        fleet=Fleet.of(case, options),
        curves=CostColumns.of(case.network),
        limits=limits_of(factors, options),
        reserve_mw=options.reserve.required_mw(case),
        initial=initial,
    )


def judged(instance: Instance, found: Commitment) -> Verdict:
    """The validator's verdict on a commitment."""
    assert found.dispatch is not None
    schedule = Schedule(found.running(instance), found.dispatch.output_mw, found.dispatch.reserve_mw, found.cost)
    return verify(instance.case, instance.options, schedule, instance.initial)


def least_cost_of_all(instance: Instance) -> float:
    """The least cost over all choices of units that run, each dispatched in bus angles by scipy; inf if there is none.

    Costs of units are linear. Ramps as the specification has them; no reserve.
    """
    case, fleet, initial = instance.case, instance.fleet, instance.initial
    hours, count = case.least_mw.shape
    c0, c1 = case.network.units.cost_c0_per_h, case.network.units.cost_c1_per_mwh
    total = case.demand_mw.sum(axis=1)
    on = np.array(list(product((False, True), repeat=hours * count))).reshape(-1, hours, count)
    supplied = ((on * case.largest_mw).sum(axis=2) >= total) & ((on * case.least_mw).sum(axis=2) <= total)
    on = on[supplied.all(axis=1)]
    before = on[:, :1] if initial is None else np.broadcast_to(initial.on, on[:, :1].shape)
    was = np.concatenate([before, on[:, :-1]], axis=1)
    fixed = (on * c0).sum(axis=(1, 2))
    fixed += (on & ~was).sum(axis=1) @ fleet.startup_cost + (was & ~on).sum(axis=1) @ fleet.shutdown_cost
    least = on * case.least_mw
    no_less = fixed + (least * c1).sum(axis=(1, 2)) + (total.sum() - least.sum(axis=(1, 2))) * c1.min()
    best = np.inf
    for place in np.argsort(no_less):
        if no_less[place] >= best:
            break
        if long_enough(instance, on[place]):
            best = min(best, fixed[place] + dispatched(instance, on[place], c1))
    return float(best)


def long_enough(instance: Instance, on: np.ndarray) -> bool:
    """Whether all runs that begin and end inside the hours are as long as they must be."""
    hours, initial = len(on), instance.initial
    for place in range(on.shape[1]):
        state, first = on[:, place], 0
        for t in range(1, hours + 1):
            if t < hours and state[t] == state[first]:
                continue
            length = t - first
            if first == 0 and initial is None:
                length = 99
            if first == 0 and initial is not None:
                same = initial.on[place] == state[0]
                length += initial.hours[place] if same else 0
                least_before = instance.fleet.least_up_h if initial.on[place] else instance.fleet.least_down_h
                if not same and initial.hours[place] < least_before[place]:
                    return False
            least = instance.fleet.least_up_h if state[first] else instance.fleet.least_down_h
            if t < hours and length < least[place]:
                return False
            first = t
    return True


def dispatched(instance: Instance, on: np.ndarray, c1: np.ndarray) -> float:
    """The least energy cost of given units, by scipy: outputs and bus angles of all hours; inf if infeasible."""
    case, network, initial = instance.case, instance.network, instance.initial
    hours, count = on.shape
    buses, ends = len(network.buses.ids), network.branches
    width = count + buses
    equal, right, at_most, most = [], [], [], []
    weight = network.base_mva / ends.reactance_pu
    for t in range(hours):
        base = t * width
        for bus in range(buses):
            row = np.zeros(hours * width)
            row[base : base + count] = network.units.bus == bus
            for branch, (a, b) in enumerate(zip(ends.from_bus, ends.to_bus, strict=True)):
                sign = float(a == bus) - float(b == bus)
                row[base + count + a] -= sign * weight[branch]
                row[base + count + b] += sign * weight[branch]
            equal.append(row)
            right.append(case.demand_mw[t, bus])
        for branch, (a, b) in enumerate(zip(ends.from_bus, ends.to_bus, strict=True)):
            row = np.zeros(hours * width)
            row[base + count + a], row[base + count + b] = weight[branch], -weight[branch]
            at_most += [row, -row]
            most += [ends.rating_a_mw[branch]] * 2
        if t == 0 and initial is None:
            continue
        for g in range(count):
            row = np.zeros(hours * width)
            row[base + g] = 1.0
            earlier, was = 0.0, bool(initial.on[g]) if initial is not None else False
            if t:
                row[base - width + g], was = -1.0, bool(on[t - 1, g])
            else:
                assert initial is not None
                earlier = float(initial.output_mw[g])
            up = instance.fleet.ramp_mw[g] if was else instance.fleet.edge_mw[g]
            down = instance.fleet.ramp_mw[g] if on[t, g] else instance.fleet.edge_mw[g]
            at_most += [row, -row]
            most += [up + earlier, down - earlier]
    bounds = []
    for t in range(hours):
        bounds += [
            (low * o, high * o) for low, high, o in zip(case.least_mw[t], case.largest_mw[t], on[t], strict=True)
        ]
        bounds += [(0.0, 0.0) if bus == network.slack else (None, None) for bus in range(buses)]
    cost = np.tile(np.concatenate([c1, np.zeros(buses)]), hours)
    found = linprog(cost, A_ub=np.array(at_most), b_ub=most, A_eq=np.array(equal), b_eq=right, bounds=bounds)
    return float(found.fun) if found.status == 0 else np.inf
