"""What is kept of one day of the market, and the days without a further load as tasks that any worker can run.

A task is a run of at most seven days that follow each other: the first starts from a warm-up day, each other takes over
the state of the day before (:func:`engine.commitment.days.commit_days`). So a whole year is 53 tasks, and what a day
starts from does not depend on who computes it. The noise floor of a day is measured, and its schedule judged
(:mod:`engine.siting.judging`), where its commitment is at hand.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from engine.capacity.archive import AnyArray, pack, unpack
from engine.commitment.days import CommittedDay, Day, commit_days
from engine.commitment.instance import CommitmentOptions, InitialState
from engine.commitment.noise import noise
from engine.commitment.outcome import Commitment, Effort, End
from engine.commitment.sced import Dispatch
from engine.commitment.scuc import BaseCommitment
from engine.errors import UncertaintyDataError
from engine.network.factors import Factors
from engine.network.model import Flags, Integers, Matrix, Network, Vector
from engine.siting.case import HOURS_OF_DAY, SitingCase
from engine.siting.judging import Judged, judged
from engine.siting.metrics import METRICS, WINDOWS, HourlyMarket, five_metrics

FORMAT = "headroom-market-4"
MOST_DAYS = 7  # of a task
_SAMPLE_S = 60.0  # of the noise floor, where its day took as long
NUMBERS = ("energy", "cost", "bound", "gap", "time_s")
HOURLY = ("mean_lmp", "p95_p5", "std", "largest_limit_price", "rent_per_h")


@dataclass(frozen=True, slots=True, eq=False)
class DayMarket:
    """One day with one load, or without any."""

    status: End
    reason: str
    hours: HourlyMarket | None  # None without a schedule
    energy: float  # $/MWh, the energy part of prices (that at the slack), mean of the day; nan without a schedule
    cost: float  # $, inf without a schedule
    bound: float  # $
    gap: float
    time_s: float
    judged: Judged = ""  # by the judge of schedules; "" where there was none to judge

    @classmethod
    def of(cls, found: Commitment, how: Judged = "") -> Self:
        """Return what is kept of a commitment that was judged so."""
        dispatch = found.dispatch
        return cls(
            status=found.status,
            reason=found.reason,
            hours=None if dispatch is None else hourly(dispatch),
            energy=np.nan if dispatch is None else float(dispatch.energy.mean()),
            cost=float(found.cost),
            bound=float(found.bound),
            gap=float(found.gap),
            time_s=found.time_s,
            judged=how,
        )


@dataclass(frozen=True, slots=True, eq=False)
class SolvedDay:
    """A day, and its mean price at every bus, which is not kept day by day."""

    market: DayMarket
    mean_lmp: Vector  # (B,), $/MWh, over the hours of the day, nan without a schedule

    @classmethod
    def of(cls, found: Commitment, buses: int, how: Judged = "") -> Self:
        """Return what is kept of a commitment that was judged so."""
        dispatch = found.dispatch
        return cls(DayMarket.of(found, how), np.full(buses, np.nan) if dispatch is None else dispatch.lmp.mean(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class BaseDay:
    """A day without a further load: what it gives, and what the same day with a load starts from."""

    solved: SolvedDay
    on: Flags | None  # (T, N), its schedule
    initial: InitialState | None
    before: str  # where its initial state is from
    spread: Matrix  # (3, 5), the noise floor of the metrics; nan where it is not known or no sample was asked for
    accepted: int  # samples that the noise floor is of
    tried: Flags | None = None  # (k, T, N), the choices that the search dispatched; None: not kept


@dataclass(frozen=True, slots=True, eq=False)
class BaseTask:
    """Days that follow each other; the case begins with the warm-up day where there is one."""

    case: SitingCase
    days: tuple[Day, ...]  # numbered in this case
    options: CommitmentOptions
    effort: Effort
    samples: int
    noise_gap: float  # that sites are solved to: the floor is of schedules within it
    peak_hours: tuple[int, ...]

    @property
    def key(self) -> str:
        """Return the key that the result is kept under."""
        asked = (self.days, self.options, self.effort, self.samples, self.noise_gap, self.peak_hours)
        return f"market-base-{hashlib.sha256(f'{FORMAT}{self.case.digest}{asked!r}'.encode()).hexdigest()[:40]}.npz"

    @property
    def name(self) -> str:
        """Return the days in words."""
        first, last = self.days[0].label, self.days[-1].label
        return first if first == last else f"{first} to {last}"


def base_tasks(  # noqa: PLR0913, PLR0917 (each of these is one choice)
    case: SitingCase,
    days: Sequence[Day],
    options: CommitmentOptions,
    effort: Effort,
    samples: int,
    noise_gap: float,
    peak_hours: tuple[int, ...],
) -> list[BaseTask]:
    """Return the tasks of days in the order of time."""
    runs: list[list[Day]] = []
    for day in days:
        if runs and day.number == runs[-1][-1].number + 1 and len(runs[-1]) < MOST_DAYS:
            runs[-1].append(day)
        else:
            runs.append([day])
    tasks = []
    for run in runs:
        first = max(0, run[0].number - 1)  # the warm-up day
        hours = np.arange(first * HOURS_OF_DAY, (run[-1].number + 1) * HOURS_OF_DAY)
        own = tuple(replace(day, number=day.number - first) for day in run)
        tasks.append(BaseTask(case.at(hours), own, options, effort, samples, noise_gap, peak_hours))
    return tasks


def commit_run(task: BaseTask) -> list[BaseDay]:
    """Return the days of a task, committed one after the other, with their noise floors."""
    found = commit_days(task.case, task.days, task.options, effort=task.effort, factors=factors_of(task.case.network))
    return [_base_day(task, each) for each in found]


def factors_of(network: Network) -> Factors:
    """Return the factors of a network; those of the last one are kept."""
    return _factors(Keyed(network.digest, network))


class Keyed:
    """What a cache is asked for by its key alone, with what the answer is made of."""

    def __init__(self, key: str, value: Any) -> None:
        self.key, self.value = key, value

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyed) and other.key == self.key


@lru_cache(maxsize=1)
def _factors(network: Keyed) -> Factors:
    return Factors.of(network.value)


def hourly(dispatch: Dispatch) -> HourlyMarket:
    """Return the hourly figures of a dispatch."""
    return HourlyMarket.of(dispatch.lmp, *dispatch.priced_limits())


def hourly_rows(day: DayMarket) -> Matrix:
    """Return (5, 24), nan without a schedule."""
    if day.hours is None:
        return np.full((len(HOURLY), HOURS_OF_DAY), np.nan)
    return np.array([getattr(day.hours, name) for name in HOURLY])


def day_of(status: str, reason: str, how: Judged, rows: Matrix, numbers: Vector) -> DayMarket:
    """Return a day from what is kept of it; :data:`NUMBERS` says which numbers."""
    hours = None if np.isnan(rows).any() else HourlyMarket(*rows)
    energy, cost, bound, gap, time_s = (float(number) for number in numbers)
    return DayMarket(End(status), reason, hours, energy, cost, bound, gap, time_s, how)


def dump_days(days: Sequence[SolvedDay]) -> bytes:
    """Return the file of some days."""
    return pack(*_content(days))


def load_days(content: bytes | Path) -> list[SolvedDay]:
    """Return what :func:`dump_days` wrote. Raises UncertaintyDataError for anything else."""
    return _days(*unpack(content))


def dump_base(days: Sequence[BaseDay]) -> bytes:
    """Return the file of the days of a task."""
    arrays, meta = _content([day.solved for day in days])
    arrays["spread"] = np.array([day.spread for day in days])
    arrays["accepted"] = np.array([day.accepted for day in days])
    for place, day in enumerate(days):
        if day.on is not None:
            arrays[f"on_{place}"] = day.on
        if day.tried is not None:
            arrays[f"tried_{place}"] = day.tried
        if day.initial is not None:
            for name in ("on", "hours", "output_mw"):
                arrays[f"initial_{name}_{place}"] = getattr(day.initial, name)
    return pack(arrays, meta | {"before": [day.before for day in days]})


def load_base(content: bytes | Path) -> list[BaseDay]:
    """Return what :func:`dump_base` wrote. Raises UncertaintyDataError for anything else."""
    arrays, meta = unpack(content)
    found = []
    for place, solved in enumerate(_days(arrays, meta)):
        state = [arrays.get(f"initial_{name}_{place}") for name in ("on", "hours", "output_mw")]
        initial = None if state[0] is None else InitialState(*state)  # type: ignore[arg-type]
        measured = arrays["spread"][place], int(arrays["accepted"][place])
        on, tried = arrays.get(f"on_{place}"), arrays.get(f"tried_{place}")
        found.append(BaseDay(solved, on, initial, meta["before"][place], *measured, tried))
    return found


def _content(days: Sequence[SolvedDay]) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    own = [day.market for day in days]
    arrays: dict[str, AnyArray] = {
        "hours": np.array([hourly_rows(day) for day in own]),
        "numbers": np.array([[getattr(day, name) for name in NUMBERS] for day in own]),
        "mean_lmp_bus": np.array([day.mean_lmp for day in days]),
    }
    return arrays, {
        "format": FORMAT,
        "status": [day.status.value for day in own],
        "reason": [day.reason for day in own],
        "judged": [day.judged for day in own],
    }


def _days(arrays: Mapping[str, AnyArray], meta: Mapping[str, Any]) -> list[SolvedDay]:
    if meta.get("format") != FORMAT:
        raise UncertaintyDataError("not a file of market days of this version")
    words = zip(meta["status"], meta["reason"], meta["judged"], strict=True)
    parts = zip(words, arrays["hours"], arrays["numbers"], arrays["mean_lmp_bus"], strict=True)
    return [SolvedDay(day_of(*said, rows, numbers), lmp) for said, rows, numbers, lmp in parts]


def _base_day(task: BaseTask, each: CommittedDay) -> BaseDay:
    base = each.base
    commitment, how = judged(base.instance, base.commitment)
    spread, accepted = spread_of(
        replace(base, commitment=commitment), task.case.hour_of_day[each.day.hours],
        samples=task.samples, gap=task.noise_gap, seed=task.effort.seed, peak_hours=task.peak_hours,
    )  # fmt: skip
    return BaseDay(
        solved=SolvedDay.of(commitment, len(task.case.network.buses.ids), how),
        on=commitment.on,
        initial=base.instance.initial,
        before=each.before,
        spread=spread,
        accepted=accepted,
        tried=np.array(base.tried) if base.tried else None,
    )


def spread_of(  # noqa: PLR0913 (the day, then by name how its schedules are drawn)
    base: BaseCommitment,
    hour_of_day: Integers,
    *,
    samples: int,
    gap: float,
    seed: int,
    peak_hours: tuple[int, ...],
) -> tuple[Matrix, int]:
    """Return (3, 5), the spread of every metric over schedules as good as the day's, and over how many samples.

    ``hour_of_day`` (T,) is 1 to 24. A sample takes no more time than its day did, and of a day that took long no more
    than a quarter of that. nan where no sample was asked for, or the day has no schedule.
    """
    shape = (len(WINDOWS), len(METRICS))
    if not samples or base.commitment.on is None:
        return np.full(shape, np.nan), 0

    def figures(found: Dispatch) -> Mapping[str, float]:
        table = five_metrics(hourly(found), hour_of_day, peak_hours)
        return {str(number): float(value) for number, value in enumerate(table.ravel())}

    took = base.commitment.time_s
    found = noise(
        base,
        gap=gap,
        samples=samples,
        metrics=figures,
        seed=seed,
        time_limit_s=max(min(max(took, 1.0), _SAMPLE_S), took / 4.0),
    )
    return np.array([found.floor(str(number)) for number in range(shape[0] * shape[1])]).reshape(shape), found.accepted
