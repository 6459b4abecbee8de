"""Stage 2: what a load does to the market: unit commitment and dispatch of stated days with it, against without it.

A task is one day with a few placements: a worker commits the base day once, keeps it, and solves the day again with
each load. What comes back is small: the hourly figures that the metrics need, the mean price at every bus, and how the
solve ended. A site that one day cannot serve leaves the market's set; one whose day ran out of time is told apart.
"""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from engine.capacity.archive import pack, unpack
from engine.commitment.days import CommittedDay, Day, commit_days
from engine.commitment.instance import CommitmentOptions, InitialState, Instance
from engine.commitment.sced import Dispatch
from engine.commitment.scuc import BASE, SITE, BaseCommitment, Commitment, Effort, End, commit, solve_site
from engine.compute import HERE, Artifacts, Kept, Progress, Workers, run_map
from engine.errors import QuestionError, UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Flags, Matrix, Vector
from engine.siting.case import SitingCase
from engine.siting.envelopes import PEAK_HOURS, Envelope
from engine.siting.metrics import HourlyMarket, five_metrics

FORMAT = "headroom-market-1"
_PER_TASK = 4  # placements of one day that a worker takes at a time
_TELL_S = 3.0  # between two reports of what is known so far
_HOURLY = ("mean_lmp", "p95_p5", "std", "largest_limit_price", "rent_per_h")


@dataclass(frozen=True, slots=True)
class Placement:
    """One load at one bus."""

    bus: int  # position
    envelope: Envelope
    nameplate_mw: float


@dataclass(frozen=True, slots=True, eq=False)
class DayMarket:
    """One day with one load, or without any."""

    status: End
    reason: str
    hours: HourlyMarket | None  # None without a schedule
    mean_lmp: Vector  # (B,), over the hours of the day, nan without a schedule
    cost: float  # $, inf without a schedule
    bound: float  # $
    gap: float
    time_s: float

    @classmethod
    def of(cls, found: Commitment, buses: int) -> Self:
        """Return what is kept of a commitment."""
        dispatch = found.dispatch
        return cls(
            status=found.status,
            reason=found.reason,
            hours=None if dispatch is None else hourly(dispatch),
            mean_lmp=np.full(buses, np.nan) if dispatch is None else dispatch.lmp.mean(axis=0),
            cost=float(found.cost),
            bound=float(found.bound),
            gap=float(found.gap),
            time_s=found.time_s,
        )


def hourly(dispatch: Dispatch) -> HourlyMarket:
    """Return the hourly figures of a dispatch."""
    return HourlyMarket.of(dispatch.lmp, *dispatch.priced_limits())


@dataclass(frozen=True, slots=True, eq=False)
class SiteMarket:
    """One placement over all days, or none at all for the base."""

    placement: Placement | None
    days: tuple[DayMarket, ...]
    metrics: Matrix  # (3, 5), see engine.siting.metrics; nan unless every day has a schedule

    @property
    def status(self) -> End:
        """Return the worst end of a day: infeasible, then a time limit, then a wider gap."""
        order = (End.INFEASIBLE, End.TIME_LIMIT, End.WIDER_GAP)
        return next((end for end in order if any(day.status is end for day in self.days)), End.WITHIN_GAP)

    @property
    def served(self) -> bool:
        """Return whether every day has a schedule with a proof of its gap."""
        return all(day.status in {End.WITHIN_GAP, End.WIDER_GAP} for day in self.days)

    @property
    def gap(self) -> float:
        """Return the widest gap of a day."""
        return max(day.gap for day in self.days)

    def reason(self) -> str:
        """Return why it is not served, "" if it is."""
        return next((day.reason for day in self.days if day.hours is None), "")


@dataclass(frozen=True, slots=True, eq=False)
class MarketBase:
    """The days without a further load: what tasks need, and the base's own figures."""

    case: SitingCase
    days: tuple[Day, ...]
    before: tuple[str, ...]  # where each day's initial state is from
    initial: tuple[InitialState | None, ...]
    options: CommitmentOptions
    base: SiteMarket
    peak_hours: tuple[int, ...]
    effort: Effort
    committed: tuple[BaseCommitment, ...] = ()  # of each day; for this process only

    def day_case(self, day: Day) -> SitingCase:
        """Return the hours of one day."""
        return self.case.at(day.hours)

    @property
    def weight(self) -> Vector:
        """Return what each hour (T,) of the days counts."""
        return np.repeat([day.weight for day in self.days], [len(day.hours) for day in self.days])


def market_base(  # noqa: PLR0913 (each of these is one choice, by name)
    case: SitingCase,
    days: Sequence[Day],
    options: CommitmentOptions | None = None,
    *,
    effort: Effort = BASE,
    peak_hours: Sequence[int] = PEAK_HOURS,
    factors: Factors | None = None,
    progress: Progress | None = None,
) -> MarketBase:
    """Return the days of ``case`` committed without a further load. Raises QuestionError if a day has no schedule."""
    used = options or CommitmentOptions()
    found = commit_days(case, days, used, effort=effort, factors=factors, progress=progress)
    _must_have_schedules(found)
    ordered = tuple(each.day for each in found)
    buses = len(case.network.buses.ids)
    parts = tuple(DayMarket.of(each.base.commitment, buses) for each in found)
    empty = MarketBase(
        case=case,
        days=ordered,
        before=tuple(each.before for each in found),
        initial=tuple(each.base.instance.initial for each in found),
        options=used,
        base=SiteMarket(None, parts, np.zeros((0, 0))),
        peak_hours=tuple(peak_hours),
        effort=effort,
        committed=tuple(each.base for each in found),
    )
    return replace(empty, base=_together(empty, None, parts))


def market_impact(  # noqa: PLR0913 (each of these is one choice, by name)
    base: MarketBase,
    placements: Sequence[Placement],
    *,
    effort: Effort = SITE,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
    partial: Callable[[MarketBase, list[SiteMarket]], None] | None = None,
) -> list[SiteMarket]:
    """Return the market of each placement, in order; with ``artifacts`` a killed run goes on where it was.

    ``partial`` is told now and then what is known so far: the days that are done for every placement, or before there
    is one the first day that has some, and the sites that have all of these days.
    """
    tasks = [
        _Task(
            base.day_case(day),
            base.initial[place],
            base.committed[place].commitment.on,
            base.options,
            base.effort,
            effort,
            tuple(placements[first:last]),
        )
        for place, day in enumerate(base.days)
        for first, last in _chunks(len(placements))
    ]
    kept = None if artifacts is None else Kept(artifacts, [_key(task) for task in tasks], _dump, _load)
    by_day = len(_chunks(len(placements)))
    names = [f"{day.label}, part {part + 1}" for day in base.days for part in range(by_day)]
    known: list[list[DayMarket] | None] = [None] * len(tasks)
    told = [-math.inf]

    def each(place: int, outcome: list[DayMarket]) -> None:
        known[place] = outcome
        if partial is not None and time.monotonic() - told[0] > _TELL_S:
            partial(*_so_far(base, placements, known))
            told[0] = time.monotonic()

    outcomes = run_map(_solve, tasks, names=names, workers=workers, progress=progress, kept=kept, each=each)
    table = [
        [one for outcome in outcomes[place * by_day : (place + 1) * by_day] for one in outcome]
        for place in range(len(base.days))
    ]
    return [
        _together(base, placement, tuple(day[number] for day in table)) for number, placement in enumerate(placements)
    ]


def _so_far(
    base: MarketBase, placements: Sequence[Placement], known: Sequence[list[DayMarket] | None]
) -> tuple[MarketBase, list[SiteMarket]]:
    """Return the base of the days of which most is known, and the sites that have all of these days."""
    chunks = _chunks(len(placements))
    parts = [known[place * len(chunks) : (place + 1) * len(chunks)] for place in range(len(base.days))]
    whole = [place for place, day in enumerate(parts) if all(part is not None for part in day)]
    begun = [place for place, day in enumerate(parts) if any(part is not None for part in day)]
    days = whole or begun[:1]
    labels = tuple(base.before[place] for place in days)
    shown = replace(base, days=tuple(base.days[place] for place in days), before=labels)
    shown = replace(shown, base=_together(shown, None, tuple(base.base.days[place] for place in days)))
    sites = []
    for number, (first, last) in enumerate(chunks):
        found = [parts[place][number] for place in days]
        own = [day for day in found if day is not None]
        if len(own) == len(days):
            sites += [
                _together(shown, placements[first + at], tuple(day[at] for day in own)) for at in range(last - first)
            ]
    return shown, sites


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    case: SitingCase
    initial: InitialState | None
    on: Flags | None  # (T, N), the day's schedule without a further load
    options: CommitmentOptions
    base_effort: Effort
    effort: Effort
    placements: tuple[Placement, ...]


class _Keyed:
    """What a cache is asked for by its key alone, with what the answer is made of."""

    def __init__(self, key: str, value: Any) -> None:
        self.key, self.value = key, value

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.key == self.key


@lru_cache(maxsize=2)
def _committed(day: _Keyed) -> BaseCommitment:
    task: _Task = day.value
    network = task.case.network
    factors = _factors(_Keyed(network.digest, network))
    instance = Instance.of(task.case, task.options, factors=factors, initial=task.initial)
    return commit(instance, task.base_effort, task.on)


@lru_cache(maxsize=1)
def _factors(network: _Keyed) -> Factors:
    return Factors.of(network.value)


def _solve(task: _Task) -> list[DayMarket]:
    base = _committed(_Keyed(_day_key(task), task))
    buses = len(task.case.network.buses.ids)
    return [
        DayMarket.of(
            solve_site(base, one.bus, one.envelope.level_mw(one.nameplate_mw, task.case.hour_of_day), task.effort),
            buses,
        )
        for one in task.placements
    ]


def _chunks(count: int) -> list[tuple[int, int]]:
    return [(first, min(first + _PER_TASK, count)) for first in range(0, count, _PER_TASK)]


def _day_key(task: _Task) -> str:
    found = hashlib.sha256(f"{task.case.digest}{task.options!r}{task.base_effort!r}".encode())
    if task.on is not None:
        found.update(np.packbits(task.on).tobytes())
    if task.initial is not None:
        for part in (task.initial.on, task.initial.hours, task.initial.output_mw):
            found.update(np.ascontiguousarray(part).tobytes())
    return found.hexdigest()


def _key(task: _Task) -> str:
    text = f"{FORMAT}{_day_key(task)}{task.effort!r}{task.placements!r}"
    return f"market-{hashlib.sha256(text.encode()).hexdigest()[:40]}.npz"


def _together(base: MarketBase, placement: Placement | None, days: tuple[DayMarket, ...]) -> SiteMarket:
    parts = [day.hours for day in days]
    if any(part is None for part in parts):
        return SiteMarket(placement, days, np.full((3, 5), np.nan))
    joined = HourlyMarket(*(np.concatenate([getattr(part, name) for part in parts]) for name in _HOURLY))
    of_day = np.concatenate([base.case.hour_of_day[day.hours] for day in base.days])
    return SiteMarket(placement, days, five_metrics(joined, of_day, base.peak_hours, base.weight))


def _must_have_schedules(found: Sequence[CommittedDay]) -> None:
    missing = [f"{each.day.label}: {each.base.commitment.reason}" for each in found if each.base.commitment.on is None]
    if missing:
        raise QuestionError(f"days without a schedule before any load is added: {'; '.join(missing)}")


def _dump(days: list[DayMarket]) -> bytes:
    size = max((len(day.hours.mean_lmp) for day in days if day.hours is not None), default=24)
    nothing = np.full(size, np.nan)
    arrays: dict[str, Any] = {
        name: np.array([nothing if day.hours is None else getattr(day.hours, name) for day in days]) for name in _HOURLY
    }
    arrays["mean_lmp_bus"] = np.array([day.mean_lmp for day in days])
    arrays["numbers"] = np.array([[day.cost, day.bound, day.gap, day.time_s] for day in days])
    meta = {"format": FORMAT, "status": [day.status.value for day in days], "reason": [day.reason for day in days]}
    return pack(arrays, meta)


def _load(content: bytes | Path) -> list[DayMarket]:
    arrays, meta = unpack(content)
    if meta.get("format") != FORMAT:
        raise UncertaintyDataError("not a file of market days of this version")
    found = []
    for place, (status, reason) in enumerate(zip(meta["status"], meta["reason"], strict=True)):
        numbers = arrays["numbers"][place]
        hours = HourlyMarket(*(arrays[name][place] for name in _HOURLY))
        lmp = arrays["mean_lmp_bus"][place]
        found.append(
            DayMarket(
                End(status), reason, None if np.isnan(hours.mean_lmp).any() else hours, lmp,
                *(float(number) for number in numbers),
            )
        )  # fmt: skip
    return found
