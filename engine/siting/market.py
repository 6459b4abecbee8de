"""Stage 2: what a load does to the market: unit commitment and dispatch of stated days with it, against without it.

The days without a load are committed first (:mod:`engine.siting.market_days`). A task then is one day with a few
placements: a worker takes the base day's schedule and what its search has tried, and solves the day again with each
load. What comes back is small: the hourly figures that the metrics need, the mean price at every bus, and how the solve
ended. A site that one day cannot serve leaves the market's set; one whose day ran out of time is told apart. Many days,
such as a year, are given out a week at a time.
"""

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from engine.commitment.days import Day
from engine.commitment.instance import CommitmentOptions, InitialState, Instance
from engine.commitment.outcome import BASE, SITE, Effort, End
from engine.commitment.scuc import BaseCommitment, commit, solve_site
from engine.compute import HERE, Artifacts, Kept, Progress, Workers, run_map
from engine.errors import QuestionError
from engine.network.model import Flags, Matrix, Vector
from engine.siting.case import SitingCase
from engine.siting.envelopes import PEAK_HOURS, Envelope
from engine.siting.judging import judged
from engine.siting.market_days import (
    FORMAT,
    HOURLY,
    MOST_DAYS,
    BaseDay,
    DayMarket,
    Keyed,
    SolvedDay,
    base_tasks,
    commit_run,
    dump_base,
    dump_days,
    factors_of,
    load_base,
    load_days,
)
from engine.siting.metrics import METRICS, WINDOWS, HourlyMarket, five_metrics

Floors = npt.NDArray[np.float64]
_PER_TASK = 4  # placements of one day that a worker takes at a time
_TELL_S = 3.0  # between two reports of what is known so far


@dataclass(frozen=True, slots=True)
class Placement:
    """One load at one bus."""

    bus: int  # position
    envelope: Envelope
    nameplate_mw: float


@dataclass(frozen=True, slots=True, eq=False)
class SiteMarket:
    """One placement over all days, or none at all for the base."""

    placement: Placement | None
    days: tuple[DayMarket, ...]
    metrics: Matrix  # (3, 5), see engine.siting.metrics; nan unless every day has a schedule
    mean_lmp: Vector  # (B,), $/MWh, the mean price at every bus over the weighted days; nan likewise
    moved: Matrix | None = None  # (3, 5), by what its metrics moved between schedules as good; None: not measured

    @property
    def status(self) -> End:
        """Return the worst end of a day: refused by the judge, infeasible, then a time limit, then a wider gap."""
        order = (End.REFUSED, End.INFEASIBLE, End.TIME_LIMIT, End.WIDER_GAP)
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


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A day that was asked for and has no schedule even without a site: nothing can be told against it."""

    day: Day
    status: End
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class MarketBase:
    """The days without a further load: what tasks need, and the base's own figures."""

    case: SitingCase
    days: tuple[Day, ...]
    before: tuple[str, ...]  # where each day's initial state is from
    initial: tuple[InitialState | None, ...]
    on: tuple[Flags | None, ...]  # (T, N) each, the days' schedules
    tried: tuple[Flags | None, ...]  # (k, T, N) each, the choices that were dispatched on the way to them
    options: CommitmentOptions
    base: SiteMarket
    prices: Matrix  # (D, B), $/MWh, the mean price at every bus, day by day
    peak_hours: tuple[int, ...]
    effort: Effort
    floors: Floors | None = None  # (D, 3, 5), the noise floor of each metric and day; None when no sample was asked for
    accepted: tuple[int, ...] = ()  # samples that each day's floor is of
    left_out: tuple[LeftOut, ...] = ()  # days without a schedule

    @property
    def floor(self) -> Matrix | None:
        """Return (3, 5), the noise floor over the days that have one, by weight; nan where none has."""
        return None if self.floors is None else floor_of(self.days, self.floors)

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
    samples: int = 0,
    noise_gap: float = SITE.gap,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
) -> MarketBase:
    """Return the days of ``case`` committed without a further load, with a noise floor of ``samples`` schedules a day.

    ``noise_gap`` is the gap that sites will be solved to, which the floor is to judge. A day without a schedule is left
    out and told. With ``artifacts`` a killed run goes on where it was. Raises QuestionError if no day has a schedule.
    """
    used, peak = options or CommitmentOptions(), tuple(peak_hours)
    ordered = tuple(sorted(days, key=lambda day: day.number))
    tasks = base_tasks(case, ordered, used, effort, samples, noise_gap, peak)
    kept = None if artifacts is None else Kept(artifacts, [task.key for task in tasks], dump_base, load_base)
    names = [task.name for task in tasks]
    outcomes = run_map(commit_run, tasks, names=names, workers=workers, progress=progress, kept=kept)
    days_found = list(zip(ordered, (day for outcome in outcomes for day in outcome), strict=True))
    left_out = _left_out(days_found)
    kept_days = [(day, each) for day, each in days_found if each.on is not None]
    ordered, found = tuple(day for day, _ in kept_days), [each for _, each in kept_days]
    empty = MarketBase(
        case=case,
        days=ordered,
        before=tuple(each.before for each in found),
        initial=tuple(each.initial for each in found),
        on=tuple(each.on for each in found),
        tried=tuple(each.tried for each in found),
        options=used,
        base=SiteMarket(None, (), np.zeros((0, 0)), np.zeros(0)),
        prices=np.array([each.solved.mean_lmp for each in found]),
        peak_hours=peak,
        effort=effort,
        floors=np.array([each.spread for each in found]) if samples else None,
        accepted=tuple(each.accepted for each in found),
        left_out=left_out,
    )
    return _with_base(empty, tuple(each.solved.market for each in found))


def market_impact(  # noqa: PLR0913 (each of these is one choice, by name)
    base: MarketBase,
    placements: Sequence[Placement],
    *,
    effort: Effort = SITE,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
    partial: Callable[[MarketBase, list[SiteMarket]], None] | None = None,
    stood: Progress | None = None,
) -> list[SiteMarket]:
    """Return the market of each placement, in order; with ``artifacts`` a killed run goes on where it was.

    ``partial`` is told now and then what is known so far: the days that are done for every placement, or before there
    is one the first day that has some, and the sites that have all of these days. ``stood`` is told how many days of
    placements were kept by a run before, of how many, before the first of the others is solved.
    """
    chunks = _chunks(len(placements))
    known = _Known(base, placements)
    total = len(base.days) * len(chunks)
    told, before = -math.inf, 0
    for first in range(0, len(base.days), MOST_DAYS):
        week = range(first, min(first + MOST_DAYS, len(base.days)))
        cases = {day: base.day_case(base.days[day]) for day in week}
        parts = [(day, chunk) for day in week for chunk in chunks]
        tasks = [
            _Task(cases[day], base.initial[day], base.on[day], base.tried[day], base.options, base.effort, effort,
                  tuple(placements[slice(*chunk)]))
            for day, chunk in parts
        ]  # fmt: skip

        begun = False

        def each(place: int, outcome: list[SolvedDay], parts: list[tuple[int, tuple[int, int]]] = parts) -> None:
            nonlocal told, before
            if not begun:  # noqa: B023 (each week is over before the next): what was kept comes before the first report
                before += len(outcome)
            day, chunk = parts[place]
            known.take(day, chunk, outcome)
            if partial is not None and time.monotonic() - told > _TELL_S:
                partial(*known.so_far())
                told = time.monotonic()

        def report(done: int, of: int, earlier: int = first * len(chunks)) -> None:
            del of
            nonlocal begun
            if stood is not None and not begun:
                stood(before, len(base.days) * len(placements))
            begun = True
            if progress is not None:
                progress(earlier + done, total)

        kept = None if artifacts is None else Kept(artifacts, [_key(task) for task in tasks], dump_days, load_days)
        names = [f"{base.days[day].label}, part {chunks.index(chunk) + 1}" for day, chunk in parts]
        run_map(_solve, tasks, names=names, workers=workers, progress=report, kept=kept, each=each)
        known.close(week)
    return known.sites(base, range(len(base.days)), range(len(placements)))


class _Known:
    """What is known of placements, by day; of prices the weighted sum alone is kept once a week is over."""

    def __init__(self, base: MarketBase, placements: Sequence[Placement]) -> None:
        self.base, self.placements = base, placements
        self.days: list[list[DayMarket | None]] = [[None] * len(placements) for _ in base.days]
        self.prices: dict[int, Matrix] = {}  # (P, B), of the days of this week
        self.sum = np.zeros((len(placements), len(base.case.network.buses.ids)))  # of the days of the weeks before

    def take(self, day: int, chunk: tuple[int, int], outcome: Sequence[SolvedDay]) -> None:
        """Take what a task gave."""
        rows = self.prices.setdefault(day, np.full(self.sum.shape, np.nan))
        for number, found in zip(range(*chunk), outcome, strict=True):
            self.days[day][number] = found.market
            rows[number] = found.mean_lmp

    def close(self, week: range) -> None:
        """Sum the prices of days that are done."""
        for day in week:
            if day in self.prices:
                self.sum += self.base.days[day].weight * self.prices.pop(day)

    def sites(self, base: MarketBase, days: Sequence[int], numbers: Sequence[int]) -> list[SiteMarket]:
        """Return the sites of these placements over these days, of which ``base`` is the base."""
        total = sum(day.weight for day in base.days)
        found = []
        for number in numbers:
            prices = self.sum[number] + sum(
                self.base.days[day].weight * self.prices[day][number] for day in days if day in self.prices
            )
            own = tuple(one for day in days if (one := self.days[day][number]) is not None)
            found.append(_together(base, self.placements[number], own, prices / total))
        return found

    def so_far(self) -> tuple[MarketBase, list[SiteMarket]]:
        """Return the base of the days of which most is known, and the sites that have all of these days."""
        whole = [day for day, own in enumerate(self.days) if all(one is not None for one in own)]
        begun = [day for day, own in enumerate(self.days) if any(one is not None for one in own)]
        days = whole or begun[:1]
        numbers = [
            number for number in range(len(self.placements)) if all(self.days[day][number] is not None for day in days)
        ]
        base = self.base
        shown = replace(
            base,
            days=tuple(base.days[day] for day in days),
            before=tuple(base.before[day] for day in days),
            initial=tuple(base.initial[day] for day in days),
            on=tuple(base.on[day] for day in days),
            tried=tuple(base.tried[day] for day in days),
            prices=base.prices[days],
            floors=None if base.floors is None else base.floors[days],
            accepted=tuple(base.accepted[day] for day in days),
        )
        shown = _with_base(shown, tuple(base.base.days[day] for day in days))
        return shown, self.sites(shown, days, numbers)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    case: SitingCase
    initial: InitialState | None
    on: Flags | None  # (T, N), the day's schedule without a further load
    tried: Flags | None  # (k, T, N), what was dispatched on the way to it
    options: CommitmentOptions
    base_effort: Effort
    effort: Effort
    placements: tuple[Placement, ...]


@lru_cache(maxsize=2)
def _committed(day: Keyed) -> BaseCommitment:
    task: _Task = day.value
    factors = factors_of(task.case.network)
    instance = Instance.of(task.case, task.options, factors=factors, initial=task.initial)
    return commit(instance, task.base_effort, task.on, () if task.tried is None else tuple(task.tried))


def _solve(task: _Task) -> list[SolvedDay]:
    base = _committed(Keyed(_day_key(task), task))
    buses, case = len(task.case.network.buses.ids), task.case
    loads = [one.envelope.level_mw(one.nameplate_mw, case.hour_of_day, case.onsite_mw) for one in task.placements]
    found = []
    for place, (one, load) in enumerate(zip(task.placements, loads, strict=True)):
        solved = solve_site(base, one.bus, load, task.effort)
        # Limits after outages are judged at the first placement of a task alone, see engine.siting.judging.
        solved, how = judged(base.instance.with_load(one.bus, load), solved, outages=place == 0)
        found.append(SolvedDay.of(solved, buses, how))
    return found


def _chunks(count: int) -> list[tuple[int, int]]:
    return [(first, min(first + _PER_TASK, count)) for first in range(0, count, _PER_TASK)]


def _day_key(task: _Task) -> str:
    found = hashlib.sha256(f"{task.case.digest}{task.options!r}{task.base_effort!r}".encode())
    if task.on is not None:
        found.update(np.packbits(task.on).tobytes())
    if task.tried is not None:
        found.update(np.packbits(task.tried).tobytes())
    if task.initial is not None:
        for part in (task.initial.on, task.initial.hours, task.initial.output_mw):
            found.update(np.ascontiguousarray(part).tobytes())
    return found.hexdigest()


def _key(task: _Task) -> str:
    text = f"{FORMAT}{_day_key(task)}{task.effort!r}{task.placements!r}"
    return f"market-{hashlib.sha256(text.encode()).hexdigest()[:40]}.npz"


def _with_base(base: MarketBase, own: tuple[DayMarket, ...]) -> MarketBase:
    return replace(base, base=_together(base, None, own, _mean(base.days, base.prices)))


def _together(
    base: MarketBase, placement: Placement | None, days: tuple[DayMarket, ...], mean_lmp: Vector
) -> SiteMarket:
    parts = [day.hours for day in days]
    if any(part is None for part in parts):
        return SiteMarket(
            placement, days, np.full((len(WINDOWS), len(METRICS)), np.nan), np.full(len(mean_lmp), np.nan)
        )
    joined = HourlyMarket(*(np.concatenate([getattr(part, name) for part in parts]) for name in HOURLY))
    of_day = np.concatenate([base.case.hour_of_day[day.hours] for day in base.days])
    return SiteMarket(placement, days, five_metrics(joined, of_day, base.peak_hours, base.weight), mean_lmp)


def floor_of(days: Sequence[Day], floors: Floors) -> Matrix:
    """Return (3, 5), the mean of the days' noise floors (D, 3, 5) by their weights, over the days that have one.

    nan where no day has: not known, which is not zero.
    """
    weight = np.array([day.weight for day in days])[:, np.newaxis, np.newaxis] * np.isfinite(floors)
    total = weight.sum(axis=0)
    summed = (weight * np.where(np.isfinite(floors), floors, 0.0)).sum(axis=0)
    return np.where(total > 0.0, summed / np.where(total > 0.0, total, 1.0), np.nan)


def _mean(days: Sequence[Day], values: Sequence[Vector] | Matrix) -> Vector:
    """Return the mean of one array a day, by the days' weights."""
    weight = np.array([day.weight for day in days])
    return np.asarray(np.tensordot(weight, np.array(values), axes=1) / weight.sum(), dtype=np.float64)


def _left_out(found: Sequence[tuple[Day, BaseDay]]) -> tuple[LeftOut, ...]:
    """Return the days without a schedule. Raises QuestionError if that is all of them."""
    missing = tuple(
        LeftOut(day, each.solved.market.status, each.solved.market.reason) for day, each in found if each.on is None
    )
    if found and len(missing) == len(found):
        told = "; ".join(f"{one.day.label}: {one.status.value}: {one.reason}" for one in missing)
        raise QuestionError(f"no day has a schedule before any load is added: {told}")
    return missing
