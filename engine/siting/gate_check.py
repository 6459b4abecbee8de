"""The independent check of the gate: verdicts drawn at random, each decided anew, cold, in bus angles.

Nothing is shared with the gate but the question. The network is read from its tables again; a flow is a susceptance
times the difference of two angles; outputs, angles and one number z are the unknowns of one linear program a verdict,
solved from nothing by scipy's HiGHS: the least z >= 0 by which flows exceed their limits, in MW, the same z for all.
A dispatch that it finds is judged in plain arithmetic before it counts.

A verdict is right when "passes" meets z = 0 and "fails" meets z > 0, or no balance. The edge: where z is not above
0.01 MW, or where a program with z free finds no more than 0.01 MW of room on every limit, both verdicts are right;
such cases are counted. Limits are those of the gate: ratings (after the loss of a branch those of the outage), the
interfaces' limits, and withdrawal limits of buses.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, diags_array, hstack, vstack

from engine.capacity.question import OutageRating
from engine.compute import HERE, Progress, Workers, run_map
from engine.errors import QuestionError, SolverError, VerdictError
from engine.network.model import Flags, Integers, Matrix, Vector
from engine.network.tables import NetworkTables
from engine.network.terms import read_terms
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies

EDGE_MW = 0.01  # an overload, or room, up to this decides nothing
INTACT = -1  # in place of a contingency: nothing is lost
_NOISE_MW = 1e-5  # of a linear program
_LOOSE_MW = 1e-3  # what a dispatch may miss its own constraints by
_WAYS = (("highs-ds", True), ("highs-ipm", True), ("highs-ds", False), ("highs", False))
_OPTIMAL = 0  # as scipy counts
_AT_ONCE = 20  # triples of one task
_ENUMERATED = 200_000  # questions up to this many are drawn without any draw twice
_DRAWS = 60  # per triple asked for, before half-and-half is given up


class Verdicts(Protocol):
    """What the gate says: C candidates, H hours of the case, V levels of load, K contingencies."""

    @property
    def buses(self) -> Integers:
        """Positions (C,) of the candidates."""

    @property
    def hours(self) -> Integers:
        """Positions (H,) in the case."""

    @property
    def levels(self) -> int:
        """The number V."""

    def load_mw(self, hour: int, level: int) -> float:
        """Return the load of a level in an hour (place in ``hours``)."""

    def verdict(self, candidate: int, hour: int, level: int, contingency: int) -> int:
        """Return 1 for passed, 0 for failed, -1 for undecided; all by place."""


@dataclass(frozen=True, slots=True)
class Triple:
    """A load at a bus in an hour after a contingency, and whether it is said to pass."""

    bus: int  # position
    load_mw: float
    hour: int  # position in the case
    contingency: int  # position, or INTACT
    passes: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What the check says of a triple."""

    triple: Triple
    overload_mw: float  # z, inf where units cannot balance the load
    on_edge: bool
    agrees: bool


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Every verdict that was drawn, decided again."""

    found: tuple[Found, ...]
    seed: int
    undecided: int  # drawn, and skipped because the gate had not decided

    @property
    def mismatches(self) -> tuple[Found, ...]:
        """Return the verdicts that are wrong."""
        return tuple(found for found in self.found if not found.agrees)

    def words(self) -> str:
        """Return the outcome in a sentence."""
        passed = sum(found.triple.passes for found in self.found)
        edge = sum(found.on_edge for found in self.found)
        text = f"{len(self.found):,} verdicts ({passed:,} passed, {len(self.found) - passed:,} failed) decided again"
        text += f" from nothing (seed {self.seed}): {len(self.mismatches)} differ"
        return text + (f", {edge} within {EDGE_MW:g} MW of a limit" if edge else "")


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A network in angles, from its tables: B buses, L branches, G units, I interfaces."""

    on: Flags  # (B,)
    slack: int
    live: Flags  # (L,)
    first: Integers  # (L,), position of from_bus
    last: Integers  # (L,)
    mw_per_rad: Vector  # (L,)
    shift_mw: Vector  # (L,), taken off the flow
    rating_mw: Vector  # (L,), inf for none
    after_mw: Vector  # (L,), after the loss of a branch
    unit_bus: Integers  # (G,)
    withdrawal_mw: Vector  # (B,), inf for none
    sums: csr_array  # (I, L)
    sum_lower_mw: Vector  # (I,)
    sum_upper_mw: Vector  # (I,)

    @classmethod
    def of(cls, tables: NetworkTables, rating: OutageRating = "a") -> Self:
        """Return the grid; ``rating`` holds after the loss of a branch, where it is given and not 0, else A."""
        buses, branches, units = tables.buses, tables.branches, tables.units
        place = {bus: at for at, bus in enumerate(buses["bus"].tolist())}
        first = np.array([place[bus] for bus in branches["from_bus"].tolist()], dtype=np.intp)
        last = np.array([place[bus] for bus in branches["to_bus"].tolist()], dtype=np.intp)
        on = buses["in_service"].to_numpy(dtype=np.bool_)
        live = branches["in_service"].to_numpy(dtype=np.bool_) & on[first] & on[last]
        series = (branches["reactance_pu"] * branches["tap_ratio"]).to_numpy(dtype=np.float64)
        mw_per_rad = np.zeros(len(live))
        mw_per_rad[live] = tables.base_mva / series[live]
        normal = _given(branches["rating_a_mw"].to_numpy(dtype=np.float64), np.full(len(live), np.inf))
        after = _given(branches[f"rating_{rating}_mw"].to_numpy(dtype=np.float64), normal)
        sums, lower, upper = _interfaces(tables)
        return cls(
            on=on,
            slack=int(np.flatnonzero(buses["slack"].to_numpy(dtype=np.bool_))[0]),
            live=live,
            first=first,
            last=last,
            mw_per_rad=mw_per_rad,
            shift_mw=mw_per_rad * np.deg2rad(branches["shift_deg"].to_numpy(dtype=np.float64)),
            rating_mw=normal,
            after_mw=after,
            unit_bus=np.array([place[bus] for bus in units["bus"].tolist()], dtype=np.intp),
            withdrawal_mw=buses["withdrawal_limit_mw"].to_numpy(dtype=np.float64),
            sums=sums,
            sum_lower_mw=lower,
            sum_upper_mw=upper,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """One triple with all that its program needs besides the grid."""

    triple: Triple
    demand_mw: Vector  # (B,), with the load
    least_mw: Vector  # (G,), without the unit lost
    largest_mw: Vector  # (G,)
    lost: tuple[int, ...]  # branches


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    grid: Grid
    problems: tuple[_Problem, ...]


def check(  # noqa: PLR0913 (what is checked, then by name how)
    case: SitingCase,
    contingencies: Contingencies,
    verdicts: Verdicts,
    *,
    count: int = 1000,
    seed: int = 0,
    rating: OutageRating = "a",
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> CheckReport:
    """Return the report on ``count`` random verdicts, half of them passed and half failed as far as there are such.

    Raises VerdictError naming the first verdicts that are wrong; SolverError when a program ends without an answer.
    """
    triples, undecided = draw(contingencies, verdicts, count, seed)
    found = judge(case, contingencies, triples, rating=rating, workers=workers, progress=progress)
    report = CheckReport(found, seed, undecided)
    if report.mismatches:
        named = "; ".join(words(case, contingencies, wrong) for wrong in report.mismatches[:3])
        raise VerdictError(f"{len(report.mismatches)} of {len(found)} verdicts of the gate are wrong: {named}")
    return report


def draw(contingencies: Contingencies, verdicts: Verdicts, count: int, seed: int) -> tuple[list[Triple], int]:
    """Return ``count`` different triples that the gate has decided, and how many undecided ones were drawn.

    Each is uniform among those of its verdict; where one verdict is too rare, the other fills up.
    """
    if count < 1:
        raise QuestionError(f"a check needs one verdict or more, found {count}")
    shape = (len(verdicts.buses), len(verdicts.hours), verdicts.levels, len(contingencies))
    kept: dict[bool, list[Triple]] = {True: [], False: []}
    undecided, half = 0, (count + 1) // 2
    for at in _places(int(np.prod(shape)), _DRAWS * count, np.random.default_rng(seed)):
        candidate, hour, level, contingency = (int(axis) for axis in np.unravel_index(at, shape))
        verdict = verdicts.verdict(candidate, hour, level, contingency)
        if verdict < 0:
            undecided += 1
            continue
        bus, when = int(verdicts.buses[candidate]), int(verdicts.hours[hour])
        triple = Triple(bus, float(verdicts.load_mw(hour, level)), when, contingency, bool(verdict))
        if len(kept[triple.passes]) < count:
            kept[triple.passes].append(triple)
        if min(map(len, kept.values())) >= half:
            break
    passed = min(len(kept[True]), max(half, count - len(kept[False])))
    return kept[True][:passed] + kept[False][: count - passed], undecided


def judge(  # noqa: PLR0913 (what is judged, then by name how)
    case: SitingCase,
    contingencies: Contingencies,
    triples: Sequence[Triple],
    *,
    rating: OutageRating = "a",
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> tuple[Found, ...]:
    """Return what the check says of each triple, in order; ``rating`` holds after the loss of a branch."""
    grid = Grid.of(case.network.tables, rating)
    problems = [_problem(case, contingencies, triple) for triple in triples]
    tasks = [_Task(grid, tuple(problems[at : at + _AT_ONCE])) for at in range(0, len(problems), _AT_ONCE)]
    names = [f"verdicts {at * _AT_ONCE + 1} and on" for at in range(len(tasks))]
    parts = run_map(_judged, tasks, names=names, workers=workers, progress=progress)
    return tuple(found for part in parts for found in part)


def words(case: SitingCase, contingencies: Contingencies, found: Found) -> str:
    """Return a verdict and what was found in its stead."""
    triple = found.triple
    after = "without an outage" if triple.contingency == INTACT else f"after {contingencies.words(triple.contingency)}"
    said = "passes" if triple.passes else "fails"
    seen = (
        "no dispatch balances it"
        if np.isinf(found.overload_mw)
        else f"the least overload is {found.overload_mw:.4f} MW"
    )
    bus = case.network.buses.ids[triple.bus]
    return f"{triple.load_mw:g} MW at bus {bus} in {case.labels[triple.hour]} {after}: the gate says {said}, {seen}"


def least_overload_mw(grid: Grid, problem: _Problem, *, free: bool = False) -> float:
    """Return the least z by which limits are exceeded, MW; with ``free``, below 0 where there is room on all of them.

    inf where units cannot balance the load. Raises SolverError when no way of solving it ends.
    """
    if _imbalance_mw(problem) > _NOISE_MW:
        return np.inf
    program = _Program.of(grid, problem)
    for method, presolve in _WAYS:
        found = program.solve(method, presolve=presolve, free=free)
        if found is not None:
            return found
    raise SolverError(f"the check of bus {problem.triple.bus} ended without an answer")


def _judged(task: _Task) -> list[Found]:
    return [_found(task.grid, problem) for problem in task.problems]


def _found(grid: Grid, problem: _Problem) -> Found:
    triple = problem.triple
    over = least_overload_mw(grid, problem)
    keeps = over <= _NOISE_MW
    if keeps == triple.passes:
        return Found(triple, over, on_edge=False, agrees=True)
    if np.isinf(over):
        edge = _imbalance_mw(problem) <= EDGE_MW
    elif keeps:
        edge = least_overload_mw(grid, problem, free=True) >= -EDGE_MW
    else:
        edge = over <= EDGE_MW
    return Found(triple, over, on_edge=edge, agrees=edge)


def _problem(case: SitingCase, contingencies: Contingencies, triple: Triple) -> _Problem:
    demand = case.demand_mw[triple.hour].copy()
    demand[triple.bus] += triple.load_mw
    least, largest = case.least_mw[triple.hour].copy(), case.largest_mw[triple.hour].copy()
    lost: tuple[int, ...] = ()
    if triple.contingency != INTACT:
        lost, unit = contingencies.branches(triple.contingency), contingencies.unit(triple.contingency)
        if unit >= 0:
            least[unit] = largest[unit] = 0.0
    return _Problem(triple, demand, least, largest, lost)


def _imbalance_mw(problem: _Problem) -> float:
    """Return how far units are from balancing the load, whatever the flows: 0 or less where they can."""
    total = problem.demand_mw.sum()
    return float(max(total - problem.largest_mw.sum(), problem.least_mw.sum() - total))


@dataclass(frozen=True, slots=True, eq=False)
class _Program:
    """The least z over outputs (G,), angles (B,) and z: ``limits x <= limit``, ``balance x = drawn``, bounds."""

    grid: Grid
    flow: csr_array  # (L, B)
    limits: csr_array  # (k, G + B + 1)
    limit_mw: Vector  # (k,)
    balance: csr_array  # (B, G + B + 1)
    drawn_mw: Vector  # (B,)
    bounds: Matrix  # (G + B, 2)

    @classmethod
    def of(cls, grid: Grid, problem: _Problem) -> Self:
        live = grid.live.copy()
        live[list(problem.lost)] = False
        count, size, place = len(grid.unit_bus), len(grid.on), np.flatnonzero(live)
        sign = np.repeat([1.0, -1.0], len(place))
        ends = np.concatenate([grid.first[place], grid.last[place]])
        meets = csr_array(coo_array((sign, (np.tile(place, 2), ends)), shape=(len(live), size)))
        flow = csr_array(diags_array(grid.mw_per_rad) @ meets)
        produced = csr_array(coo_array((np.ones(count), (grid.unit_bus, np.arange(count))), shape=(size, count)))
        shift = np.where(live, grid.shift_mw, 0.0)
        rating = grid.after_mw if problem.lost else grid.rating_mw
        rated = np.flatnonzero(live & np.isfinite(rating))
        held = np.flatnonzero(grid.on & np.isfinite(grid.withdrawal_mw))
        sums, nothing = csr_array(grid.sums @ flow), csr_array((size, 1))
        rows = [
            (csr_array((len(rated), count)), flow[rated], rating[rated] + shift[rated]),
            (csr_array((len(rated), count)), -flow[rated], rating[rated] - shift[rated]),
            (csr_array((sums.shape[0], count)), sums, grid.sum_upper_mw + grid.sums @ shift),
            (csr_array((sums.shape[0], count)), -sums, -grid.sum_lower_mw - grid.sums @ shift),
            (-produced[held], csr_array((len(held), size)), grid.withdrawal_mw[held] - problem.demand_mw[held]),
        ]
        limit = np.concatenate([most for _, _, most in rows])
        kept = np.flatnonzero(np.isfinite(limit))
        table = vstack([hstack([outputs, angles]) for outputs, angles, _ in rows], format="csr")[kept]
        angle = np.where(grid.on & (np.arange(size) != grid.slack), np.inf, 0.0)
        low = np.concatenate([problem.least_mw, -angle])
        high = np.concatenate([problem.largest_mw, angle])
        return cls(
            grid=grid,
            flow=flow,
            limits=csr_array(hstack([table, -csr_array(np.ones((len(kept), 1)))])),
            limit_mw=limit[kept],
            balance=csr_array(hstack([produced, -(meets.T @ flow), nothing]))[np.flatnonzero(grid.on)],
            drawn_mw=(problem.demand_mw - meets.T @ shift)[grid.on],
            bounds=np.column_stack([low, high]),
        )

    def solve(self, method: str, *, presolve: bool, free: bool) -> float | None:
        """Return the least z, or None where the solver gives no dispatch that keeps what it should."""
        cost = np.zeros(self.balance.shape[1])
        cost[-1] = 1.0
        solver: Any = linprog  # whose types know no sparse tables
        found = solver(
            cost,
            A_ub=self.limits,
            b_ub=self.limit_mw,
            A_eq=self.balance,
            b_eq=self.drawn_mw,
            bounds=np.vstack([self.bounds, [-np.inf if free else 0.0, np.inf]]),
            method=method,
            options={"presolve": presolve},
        )
        if found.status != _OPTIMAL:
            return None
        missed = max(
            float(np.abs(self.balance @ found.x - self.drawn_mw).max(initial=0.0)),
            float((self.limits @ found.x - self.limit_mw).max(initial=0.0)),
            float((self.bounds[:, 0] - found.x[:-1]).max(initial=0.0)),
            float((found.x[:-1] - self.bounds[:, 1]).max(initial=0.0)),
        )
        return float(found.fun) if missed <= _LOOSE_MW else None


def _places(total: int, most: int, generator: np.random.Generator) -> Iterator[int]:
    """Yield different places below ``total`` in random order: all of them where they are few, else up to ``most``."""
    if total <= _ENUMERATED:
        yield from generator.permutation(total).tolist()
        return
    seen: set[int] = set()
    for place in generator.integers(total, size=most).tolist():
        if place not in seen:
            seen.add(place)
            yield place


def _given(column: Vector, otherwise: Vector) -> Vector:
    return np.where(np.isnan(column) | (column == 0.0), otherwise, column)


def _interfaces(tables: NetworkTables) -> tuple[csr_array, Vector, Vector]:
    table = tables.interfaces[tables.interfaces["in_service"].to_numpy(dtype=np.bool_)]
    place = {branch: at for at, branch in enumerate(tables.branches["branch"].tolist())}
    weights = np.zeros((len(table), len(place)))
    for row, cell in enumerate(table["terms"].tolist()):
        for branch, weight in read_terms(cell):
            weights[row, place[branch]] += weight
    upper = table["limit_mw"].to_numpy(dtype=np.float64)
    backward = table["limit_backward_mw"].to_numpy(dtype=np.float64)
    return csr_array(weights), -np.where(np.isnan(backward), upper, backward), upper
