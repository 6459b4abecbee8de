"""The judge of schedules: every constraint and the cost, recomputed from the network's tables and bus angles.

It shares no code with the model that made the schedule: no distribution factors, no columns, no rows. Flows are
differences of bus angles from one linear system per hour (and per outage, where limits hold after outages); least
hours on and off are lengths of runs; costs are the tables' own. What is wrong is a list of sentences, each with the
element, the hour, the value and the limit.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csc_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from engine.commitment.instance import CommitmentOptions, InitialState
from engine.network.model import Flags, Matrix, Vector
from engine.network.tables import NetworkTables
from engine.network.terms import read_branches, read_terms
from engine.network.texas import commitment_rule
from engine.siting.case import SitingCase

_MW = 1e-4  # that a schedule may be off by
_FLOW_SHARE = 1e-5  # of a limit on a flow
_COST_SHARE = 1e-7
_MOST_NAMED = 50


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """What is judged: what runs, what it produces, the reserve that it gives, and what that is said to cost."""

    on: Flags  # (T, G)
    output_mw: Matrix  # (T, G)
    reserve_mw: Matrix  # (T, G)
    cost: float  # $


@dataclass(slots=True)
class Verdict:
    """What was found: no problem means that the schedule keeps everything."""

    cost: float = 0.0  # $, recomputed
    problems: list[str] = field(default_factory=list)
    worst_mw: float = 0.0  # the largest excess over any limit that was looked at

    @property
    def holds(self) -> bool:
        """Return whether nothing is broken."""
        return not self.problems

    def say(self, words: str, excess_mw: float = 0.0) -> None:
        """Note one thing that is broken."""
        self.worst_mw = max(self.worst_mw, excess_mw)
        if len(self.problems) < _MOST_NAMED:
            self.problems.append(words)


def verify(
    case: SitingCase, options: CommitmentOptions, schedule: Schedule, initial: InitialState | None = None
) -> Verdict:
    """Return the verdict on a schedule of the hours of ``case``, with its loads as they are there."""
    found = Verdict()
    units = case.network.tables.units
    _outputs(case, schedule, found)
    _balance(case, schedule, found)
    _reserve(case, options, schedule, found)
    _least_hours(case, options, schedule, initial, found)
    _ramps(case, schedule, initial, found)
    for unit in options.must_run:
        place = units["unit"].tolist().index(unit)
        if not schedule.on[:, place].all():
            found.say(f"unit {unit!r} must run and does not in all hours")
    _flows(case, options, schedule, found)
    found.cost = _cost(case, options, schedule, initial)
    if abs(found.cost - schedule.cost) > _COST_SHARE * (1.0 + abs(found.cost)):
        found.say(f"the schedule costs {found.cost:,.2f} $, not {schedule.cost:,.2f} $")
    return found


def _in_service(tables: NetworkTables) -> tuple[Flags, Flags]:
    """Return which buses and which units are there."""
    buses = tables.buses["in_service"].to_numpy(dtype=bool)
    up = dict(zip(tables.buses["bus"], buses, strict=True))
    there = np.array(
        [bool(on) and up[bus] for on, bus in zip(tables.units["in_service"], tables.units["bus"], strict=True)]
    )
    return buses, there


def _outputs(case: SitingCase, schedule: Schedule, found: Verdict) -> None:
    _, there = _in_service(case.network.tables)
    names = case.network.tables.units["unit"].tolist()
    on = schedule.on & there
    for words, over in (
        ("is off and produces", np.where(on, 0.0, np.abs(schedule.output_mw))),
        ("produces less than its least output, by", np.where(on, case.least_mw - schedule.output_mw, 0.0)),
        (
            "produces and reserves more than it can, by",
            np.where(on, schedule.output_mw + schedule.reserve_mw - case.largest_mw, np.abs(schedule.reserve_mw)),
        ),
        ("gives a negative reserve of", -schedule.reserve_mw),
    ):
        for hour, unit in np.argwhere(over > _MW)[:_MOST_NAMED]:
            mw = float(over[hour, unit])
            found.say(f"unit {names[unit]!r} in hour {case.labels[hour]} {words} {mw:.3f} MW", mw)


def _balance(case: SitingCase, schedule: Schedule, found: Verdict) -> None:
    off = schedule.output_mw.sum(axis=1) - case.demand_mw.sum(axis=1)
    for hour in np.flatnonzero(np.abs(off) > 10 * _MW):
        words = f"in hour {case.labels[hour]} generation exceeds demand by {off[hour]:.3f} MW"
        found.say(words, float(abs(off[hour])))


def _reserve(case: SitingCase, options: CommitmentOptions, schedule: Schedule, found: Verdict) -> None:
    units, rule = case.network.tables.units, options.reserve
    weather = units["fuel"].isin(["wind", "solar"]).to_numpy()
    wanted = np.zeros(len(case))
    if rule.kind == "share":
        wanted = rule.of_load * case.demand_mw.sum(axis=1) + rule.of_weather * case.largest_mw[:, weather].sum(axis=1)
    elif rule.kind == "largest unit":
        wanted = case.largest_mw[:, ~weather].max(axis=1)
    most = np.where(weather, 0.0, units["ramp_30_min_mw"].to_numpy() / 3.0)
    for hour, unit in np.argwhere(schedule.reserve_mw > most + _MW)[:_MOST_NAMED]:
        over = float(schedule.reserve_mw[hour, unit] - most[unit])
        name = units["unit"].iloc[unit]
        found.say(
            f"unit {name!r} in hour {case.labels[hour]} reserves {over:.3f} MW more than it can in ten minutes", over
        )
    lacking = wanted - schedule.reserve_mw.sum(axis=1)
    for hour in np.flatnonzero(lacking > 10 * _MW):
        found.say(f"in hour {case.labels[hour]} {lacking[hour]:.3f} MW of reserve are lacking", float(lacking[hour]))


def _switched(case: SitingCase, options: CommitmentOptions) -> Flags:
    """Return which units have an on and off: those with a least output, a no-load cost or a start-up cost."""
    units = case.network.tables.units
    _, there = _in_service(case.network.tables)
    start, _ = _start_costs(case, options)
    no_load = (units["cost_points"].to_numpy() == "") & (units["cost_c0_per_h"].to_numpy() != 0.0)
    costs = (case.least_mw.max(axis=0) > 0.0) | no_load | (start > 0.0)
    can = (case.largest_mw.max(axis=0) > 0.0) & (case.least_mw.min(axis=0) >= 0.0)
    return np.asarray(there & costs & can)


def _start_costs(case: SitingCase, options: CommitmentOptions) -> tuple[Vector, Vector]:
    units = case.network.tables.units
    if options.start_costs == "tables":
        return units["startup_cost"].to_numpy(), units["shutdown_cost"].to_numpy()
    size = units["p_max_mw"].to_numpy()
    rules = [commitment_rule(fuel, mw) for fuel, mw in zip(units["fuel"], size, strict=True)]
    start = np.array([rule.startup_per_mw for rule in rules]) * size
    return start, np.array([rule.shutdown_per_mw for rule in rules]) * size


def _least_hours(
    case: SitingCase, options: CommitmentOptions, schedule: Schedule, initial: InitialState | None, found: Verdict
) -> None:
    units = case.network.tables.units
    hours = len(case)
    for unit in np.flatnonzero(_switched(case, options)).tolist():
        fuel, size, name = units["fuel"].iloc[unit], units["p_max_mw"].iloc[unit], units["unit"].iloc[unit]
        rule = commitment_rule(str(fuel), float(size))
        least = {True: rule.min_up_h, False: rule.min_down_h}
        if options.least_hours == "none":
            least = {True: 1, False: 1}
        state = schedule.on[:, unit]
        edges = [0, *(np.flatnonzero(state[1:] != state[:-1]) + 1).tolist(), hours]
        for first, last in pairwise(edges):
            running, length = bool(state[first]), last - first
            if first == 0:
                if initial is None:
                    continue
                if bool(initial.on[unit]) == running:
                    length += int(initial.hours[unit])
            if length < least[running] and last < hours:
                what = "on" if running else "off"
                words = f"{what} for {length} hours from {case.labels[first]}, the least is {least[running]}"
                found.say(f"unit {name!r} is {words}")
        if initial is not None and bool(initial.on[unit]) != bool(state[0]):
            was = bool(initial.on[unit])
            if int(initial.hours[unit]) < least[was]:
                what = "on" if was else "off"
                found.say(f"unit {name!r} was {what} for {initial.hours[unit]} hours before, the least is {least[was]}")


def _ramps(case: SitingCase, schedule: Schedule, initial: InitialState | None, found: Verdict) -> None:
    units = case.network.tables.units
    _, there = _in_service(case.network.tables)
    ramp = 2.0 * units["ramp_30_min_mw"].to_numpy()
    edge = np.maximum(ramp, case.least_mw.max(axis=0))
    on, output = schedule.on & there, schedule.output_mw
    labels = list(case.labels)
    if initial is not None:
        on, output = np.vstack([initial.on, on]), np.vstack([initial.output_mw, output])
        labels = ["the hour before", *labels]
    _ends(case, schedule, initial, edge, found)
    for hour in range(1, len(on)):
        change = output[hour] - output[hour - 1]
        up = np.where(on[hour - 1], ramp, edge)
        down = np.where(on[hour], ramp, edge)
        for words, over in (("rises", change - up), ("falls", -change - down)):
            for unit in np.flatnonzero(over > _MW):
                name, mw = units["unit"].iloc[unit], float(abs(change[unit]))
                allowed = mw - float(over[unit])
                found.say(
                    f"unit {name!r} {words} by {mw:.3f} MW into hour {labels[hour]}, {allowed:.3f} MW are allowed",
                    float(over[unit]),
                )


def _ends(case: SitingCase, schedule: Schedule, initial: InitialState | None, edge: Vector, found: Verdict) -> None:
    """Judge output and reserve in the first and the last hour of every stay on."""
    used = schedule.output_mw + schedule.reserve_mw
    names = case.network.tables.units["unit"].tolist()
    for unit in range(len(names)):
        state = schedule.on[:, unit]
        for hour in np.flatnonzero(state).tolist():
            before = state[hour - 1] if hour else (True if initial is None else bool(initial.on[unit]))
            after = state[hour + 1] if hour + 1 < len(state) else True
            over = float(used[hour, unit] - edge[unit])
            if not (before and after) and over > _MW:
                what = "first" if not before else "last"
                words = f"in its {what} hour on, {case.labels[hour]}, {over:.3f} MW more than it may then"
                found.say(f"unit {names[unit]!r} produces and reserves {words}", over)


def _cost(case: SitingCase, options: CommitmentOptions, schedule: Schedule, initial: InitialState | None) -> float:
    units = case.network.tables.units
    _, there = _in_service(case.network.tables)
    start, stop = _start_costs(case, options)
    switched = _switched(case, options)
    total = 0.0
    for unit in np.flatnonzero(there).tolist():
        on = schedule.on[:, unit]
        total += float(_curve(units.iloc[unit], schedule.output_mw[on, unit]).sum())
        if switched[unit]:
            before = on[:1] if initial is None else initial.on[unit : unit + 1]
            was = np.concatenate([before, on[:-1]])
            total += float(start[unit] * (on & ~was).sum() + stop[unit] * (was & ~on).sum())
    return total


def _curve(unit: pd.Series, output_mw: Vector) -> Vector:
    """Return the cost in $/h of outputs (n,): of points, beyond the last ones along the last pieces."""
    if not unit["cost_points"]:
        c0, c1, c2 = (float(unit[name]) for name in ("cost_c0_per_h", "cost_c1_per_mwh", "cost_c2_per_mw2h"))
        return c0 + c1 * output_mw + c2 * output_mw**2
    points = [[float(number) for number in pair.split(":")] for pair in str(unit["cost_points"]).split()]
    mw, cost = np.array(points).T
    piece = np.clip(np.searchsorted(mw, output_mw, side="right") - 1, 0, len(mw) - 2)
    slope = np.diff(cost) / np.diff(mw)
    return np.asarray(cost[piece] + slope[piece] * (output_mw - mw[piece]))


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Branches and buses as the tables have them, some branches lost."""

    live: Flags  # (L,)
    ends: Matrix  # (L, 2), positions of buses
    susceptance: Vector  # (L,), MW per radian
    shift: Vector  # (L,), radians
    buses: Flags  # (B,), in service
    slack: int

    def angles(self, injection_mw: Matrix) -> Matrix | None:
        """Return the angles (B, T) of injections (B, T); None where the buses are no longer one network."""
        live, count = np.flatnonzero(self.live), len(self.buses)
        start, end = self.ends[live, 0].astype(int), self.ends[live, 1].astype(int)
        joined = coo_array((np.ones(len(live)), (start, end)), shape=(count, count))
        part = connected_components(joined, directed=False)[1]
        if (part[self.buses] != part[self.slack]).any():
            return None
        own = self.susceptance[live]
        row, column = np.concatenate([start, end, start, end]), np.concatenate([start, end, end, start])
        matrix = csc_array(coo_array((np.concatenate([own, own, -own, -own]), (row, column)), shape=(count, count)))
        right = injection_mw.copy()
        moved = (own * self.shift[live])[:, np.newaxis]
        np.add.at(right, start, np.broadcast_to(moved, (len(live), right.shape[1])))
        np.add.at(right, end, np.broadcast_to(-moved, (len(live), right.shape[1])))
        kept = np.flatnonzero(self.buses & (np.arange(count) != self.slack))
        angle = np.zeros(right.shape)
        angle[kept] = splu(csc_array(matrix[kept][:, kept])).solve(right[kept])
        return angle

    def flow_mw(self, angle: Matrix) -> Matrix:
        """Return the flows (L, T) of angles (B, T)."""
        across = angle[self.ends[:, 0].astype(int)] - angle[self.ends[:, 1].astype(int)] - self.shift[:, np.newaxis]
        return np.where(self.live[:, np.newaxis], self.susceptance[:, np.newaxis] * across, 0.0)


def _grid(tables: NetworkTables) -> _Grid:
    buses, _ = _in_service(tables)
    place = {bus: at for at, bus in enumerate(tables.buses["bus"])}
    table = tables.branches
    ends = np.array([[place[start], place[end]] for start, end in zip(table["from_bus"], table["to_bus"], strict=True)])
    live = table["in_service"].to_numpy(dtype=bool) & buses[ends].all(axis=1)
    susceptance = tables.base_mva / (table["reactance_pu"].to_numpy() * table["tap_ratio"].to_numpy())
    shift = np.deg2rad(table["shift_deg"].to_numpy())
    slack = int(np.flatnonzero(tables.buses["slack"].to_numpy(dtype=bool))[0])
    return _Grid(live, ends, susceptance, shift, buses, slack)


def _flows(case: SitingCase, options: CommitmentOptions, schedule: Schedule, found: Verdict) -> None:
    tables = case.network.tables
    grid = _grid(tables)
    place = {bus: at for at, bus in enumerate(tables.buses["bus"])}
    at_bus = np.array([place[bus] for bus in tables.units["bus"]], dtype=int)
    injection = -case.demand_mw.T
    np.add.at(injection, at_bus, schedule.output_mw.T)
    angle = grid.angles(injection)
    if angle is None:
        found.say("the buses are not one network")
        return
    _judge_flows(case, options, grid, angle, "", options.rating, found)
    turned = np.rad2deg(angle[grid.ends[:, 0].astype(int)] - angle[grid.ends[:, 1].astype(int)])
    table = tables.branches
    low, high = table["angle_min_deg"].to_numpy(), table["angle_max_deg"].to_numpy()
    free = (low == 0) & (high == 0)
    for over in (
        np.where((free | (low <= -360))[:, np.newaxis], 0.0, low[:, np.newaxis] - turned),
        np.where((free | (high >= 360))[:, np.newaxis], 0.0, turned - high[:, np.newaxis]),
    ):
        for branch, hour in np.argwhere((over > 1e-4) & grid.live[:, np.newaxis])[:_MOST_NAMED]:
            name = table["branch"].iloc[branch]
            found.say(f"branch {name!r} in hour {case.labels[hour]} is {over[branch, hour]:.4f} degrees over its limit")
    if options.security == "n-1":
        _after_outages(case, options, grid, injection, found)


def _after_outages(
    case: SitingCase, options: CommitmentOptions, grid: _Grid, injection_mw: Matrix, found: Verdict
) -> None:
    """Solve every outage again, from nothing; those that split the network are not asked for."""
    tables = case.network.tables
    names = tables.branches["branch"].tolist()
    lost = [(name, [at]) for at, name in enumerate(names) if grid.live[at]]
    if options.outages == "listed":
        place = {name: at for at, name in enumerate(names)}
        used = tables.contingencies[tables.contingencies["in_service"].to_numpy(dtype=bool)]
        every = zip(used["contingency"], used["branches"], strict=True)
        lost = [(str(key), [place[name] for name in read_branches(cell)]) for key, cell in every]
    for name, branches in lost:
        live = grid.live.copy()
        live[branches] = False
        if (live == grid.live).all():
            continue
        left = _Grid(live, grid.ends, grid.susceptance, grid.shift, grid.buses, grid.slack)
        angle = left.angles(injection_mw)
        if angle is not None:
            _judge_flows(case, options, left, angle, f" after the loss of {name}", options.outage_rating, found)


def _judge_flows(  # noqa: PLR0913, PLR0917 (a state of the grid is described by all of these)
    case: SitingCase, options: CommitmentOptions, grid: _Grid, angle: Matrix, when: str, rating: str, found: Verdict
) -> None:
    tables = case.network.tables
    table, flow = tables.branches, grid.flow_mw(angle)
    normal = table["rating_a_mw"].to_numpy()
    normal = np.where((normal == 0) | np.isnan(normal), np.inf, normal)
    own = table[f"rating_{rating}_mw"].to_numpy()
    limit = np.where((own == 0) | np.isnan(own), normal, own) * options.limit_scale
    over = np.where(grid.live[:, np.newaxis], np.abs(flow) - limit[:, np.newaxis], 0.0)
    for branch, hour in np.argwhere(
        over > _FLOW_SHARE * (1.0 + np.where(np.isfinite(limit), limit, 0.0))[:, np.newaxis]
    ):
        name = table["branch"].iloc[branch]
        words = f"branch {name!r} in hour {case.labels[hour]}{when} carries {abs(flow[branch, hour]):.3f} MW"
        found.say(f"{words}, its limit is {limit[branch]:.3f} MW", float(over[branch, hour]))
    place = {name: at for at, name in enumerate(table["branch"])}
    lists = tables.interfaces[tables.interfaces["in_service"].to_numpy(dtype=bool)]
    for _, row in lists.iterrows():
        total = sum(weight * flow[place[name]] for name, weight in read_terms(row["terms"]))
        ahead = float(row["limit_mw"]) * options.limit_scale
        back = float(row["limit_backward_mw"]) * options.limit_scale
        back = ahead if np.isnan(back) else back
        excess = np.maximum(total - ahead, -np.asarray(total) - back)
        for hour in np.flatnonzero(excess > _FLOW_SHARE * (1.0 + min(ahead, back))):
            words = f"interface {row['interface']!r} in hour {case.labels[hour]}{when} is over its limit"
            found.say(f"{words} by {excess[hour]:.3f} MW", float(excess[hour]))
