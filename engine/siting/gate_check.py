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

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Protocol, Self

import numpy as np

from engine.capacity.question import OutageRating
from engine.compute import HERE, Progress, Workers, run_map
from engine.errors import QuestionError, VerdictError
from engine.network.model import Integers
from engine.siting.case import SitingCase
from engine.siting.contingencies import Contingencies
from engine.siting.gate_angles import NOISE_MW, AngleProblem, Grid, least_overload_mw

EDGE_MW = 0.01  # an overload, or room, up to this decides nothing
INTACT = -1  # in place of a contingency: nothing is lost
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
    case: str  # digest
    contingencies: str  # digest
    rating: str  # that holds after the loss of a branch
    solver: str
    time_s: float

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

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        content = asdict(self)
        for found in content["found"]:
            found["overload_mw"] = found["overload_mw"] if np.isfinite(found["overload_mw"]) else None
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the report that :meth:`to_json` wrote."""
        found = tuple(
            Found(
                **{
                    **one,
                    "triple": Triple(**one["triple"]),
                    "overload_mw": np.inf if one["overload_mw"] is None else one["overload_mw"],
                }
            )
            for one in content["found"]
        )
        return cls(**{**content, "found": found})


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    grid: Grid
    triples: tuple[Triple, ...]
    problems: tuple[AngleProblem, ...]


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
    return report_of(
        case, contingencies, triples, seed=seed, undecided=undecided, rating=rating, workers=workers, progress=progress
    )


def report_of(  # noqa: PLR0913 (what is judged, then by name how)
    case: SitingCase,
    contingencies: Contingencies,
    triples: Sequence[Triple],
    *,
    seed: int,
    undecided: int = 0,
    rating: OutageRating = "a",
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> CheckReport:
    """Return the report on verdicts that were drawn. Raises as :func:`check`."""
    start = time.perf_counter()
    found = judge(case, contingencies, triples, rating=rating, workers=workers, progress=progress)
    report = CheckReport(
        found=found,
        seed=seed,
        undecided=undecided,
        case=case.digest,
        contingencies=contingencies.digest,
        rating=rating,
        solver=f"HiGHS in scipy {version('scipy')}",
        time_s=time.perf_counter() - start,
    )
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
    parts = [triples[at : at + _AT_ONCE] for at in range(0, len(triples), _AT_ONCE)]
    tasks = [_Task(grid, tuple(part), tuple(_problem(case, contingencies, one) for one in part)) for part in parts]
    names = [f"verdicts {at * _AT_ONCE + 1} and on" for at in range(len(tasks))]
    done = run_map(_judged, tasks, names=names, workers=workers, progress=progress)
    return tuple(found for part in done for found in part)


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


def _judged(task: _Task) -> list[Found]:
    return [_found(task.grid, *pair) for pair in zip(task.triples, task.problems, strict=True)]


def _found(grid: Grid, triple: Triple, problem: AngleProblem) -> Found:
    over = least_overload_mw(grid, problem)
    keeps = over <= NOISE_MW
    if keeps == triple.passes:
        return Found(triple, over, on_edge=False, agrees=True)
    if np.isinf(over):
        edge = problem.imbalance_mw <= EDGE_MW
    elif keeps:
        edge = least_overload_mw(grid, problem, free=True) >= -EDGE_MW
    else:
        edge = over <= EDGE_MW
    return Found(triple, over, on_edge=edge, agrees=edge)


def _problem(case: SitingCase, contingencies: Contingencies, triple: Triple) -> AngleProblem:
    demand = case.demand_mw[triple.hour].copy()
    demand[triple.bus] += triple.load_mw
    least, largest = case.least_mw[triple.hour].copy(), case.largest_mw[triple.hour].copy()
    lost: tuple[int, ...] = ()
    if triple.contingency != INTACT:
        lost, unit = contingencies.branches(triple.contingency), contingencies.unit(triple.contingency)
        if unit >= 0:
            least[unit] = largest[unit] = 0.0
    return AngleProblem(demand, least, largest, lost)


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
