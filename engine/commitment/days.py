"""Which days stand for a year, why, and with what weight; and their commitments, one after the other.

The default is seven days: the one with the highest load, the windiest and the least windy one for its load, and of
each season the day whose net load (load less what wind and solar could give) is nearest to the season's median, hour by
hour. An extreme day stands for itself, the day of a season for all its other days. That is a stated choice, not a
theorem: every table made from these days prints them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from engine.commitment.instance import CommitmentOptions, InitialState, Instance, check_whole_days
from engine.commitment.outcome import BASE, Effort
from engine.commitment.scuc import BaseCommitment, commit
from engine.compute import Progress
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network
from engine.siting.case import HOURS_OF_DAY, SitingCase

PEAK = "highest load"  # the reason of the day of the highest load begins so
_WARM_UP_GAP = 1e-3  # of a day that is committed for its last state alone
_WIND, _WEATHER = ("wind",), ("wind", "solar")
_SEASONS = {"winter": (12, 1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a case of whole days."""

    number: int  # of the day in the case, counted from 0
    label: str  # its date
    reason: str
    weight: float  # how many days of the case it stands for

    @property
    def hours(self) -> Integers:
        """Return the positions (24,) of its hours in the case."""
        return np.arange(self.number * HOURS_OF_DAY, (self.number + 1) * HOURS_OF_DAY)


@dataclass(frozen=True, slots=True, eq=False)
class CommittedDay:
    """A day, its commitment, and where its initial state is from."""

    day: Day
    base: BaseCommitment
    before: str  # in words


def typical_days(case: SitingCase) -> tuple[Day, ...]:
    """Return the default days of a case, by date; fewer than seven where it has no wind or not all seasons.

    Raises QuestionError for hours that are not whole days or labels that do not begin with a date.
    """
    check_whole_days(case.hour_of_day)
    load = case.demand_mw.sum(axis=1).reshape(-1, HOURS_OF_DAY)
    wind, weather = (_of(case, fuels).reshape(-1, HOURS_OF_DAY) for fuels in (_WIND, _WEATHER))
    chosen: dict[int, str] = {}
    peak = int(np.argmax(load.max(axis=1)))
    chosen[peak] = f"{PEAK}, {load[peak].max():,.0f} MW"
    if wind.any():
        share = wind.sum(axis=1) / load.sum(axis=1)
        for words, order in (("most wind for its load", -share), ("least wind for its load", share)):
            day = next(int(at) for at in np.argsort(order, kind="stable") if int(at) not in chosen or len(load) < 3)
            chosen.setdefault(day, f"{words}, {share[day]:.0%}")
    months = np.array([_date(case, day).month for day in range(len(load))])
    weights = dict.fromkeys(chosen, 1.0)
    net = load - weather
    for season, own in _SEASONS.items():
        days = np.array([day for day in np.flatnonzero(np.isin(months, own)).tolist() if day not in chosen], dtype=int)
        if not days.size:
            continue
        every = np.isin(months, own)
        far = np.abs(net[days] - np.median(net[every], axis=0)).sum(axis=1)
        middle = int(days[np.argmin(far)])
        chosen[middle] = f"nearest to the median net load of {season}"
        weights[middle] = float(len(days))
    return tuple(Day(day, str(_date(case, day)), chosen[day], weights[day]) for day in sorted(chosen))


def commit_days(  # noqa: PLR0913 (each of these is one choice, by name)
    case: SitingCase,
    days: Sequence[Day],
    options: CommitmentOptions | None = None,
    *,
    effort: Effort = BASE,
    warm_up: bool = True,
    factors: Factors | None = None,
    progress: Progress | None = None,
) -> tuple[CommittedDay, ...]:
    """Return the commitments of days of a case, in the order of time.

    A day that follows the one before takes over its state. Any other starts, with ``warm_up``, from the last hour of
    the day before it in the case, which is committed for that alone, within 1e-3; else, and on the first day of the
    case, from a free state: what is on in its first hour was on before. A day without a schedule hands over a free
    state.
    """
    own = factors or Factors.of(case.network)
    found: list[CommittedDay] = []
    for place, day in enumerate(sorted(days, key=lambda each: each.number)):
        initial, words = None, "free"
        if found and found[-1].day.number == day.number - 1:
            initial, words = _state_after(found[-1].base), f"taken over from {found[-1].day.label}"
        elif warm_up and day.number > 0:
            before = SitingCase.at(case, day.hours - HOURS_OF_DAY)
            rough = replace(effort, gap=max(effort.gap, _WARM_UP_GAP))
            initial = _state_after(commit(Instance.of(before, options, factors=own), rough))
            words = f"after {before.labels[0]} as a warm-up day"
        base = commit(Instance.of(case.at(day.hours), options, factors=own, initial=initial), effort)
        found.append(CommittedDay(day, base, words if initial is not None else "free"))
        if progress is not None:
            progress(place + 1, len(days))
    return tuple(found)


def _state_after(base: BaseCommitment) -> InitialState | None:
    return None if base.commitment.on is None else base.commitment.last_state(base.instance)


def most_typical(network: Network) -> int:
    """Return how many typical days a year of a network has: the peak, a median of each season, two of its wind."""
    return 1 + len(_SEASONS) + (2 if windy(network) else 0)


def windy(network: Network) -> bool:
    """Return whether a unit that runs on wind is in service."""
    return bool((np.isin(network.units.fuels, _WIND) & network.units.in_service).any())


def _of(case: SitingCase, fuels: tuple[str, ...]) -> Matrix:
    """Return (T,) what units of these fuels could give."""
    own = np.isin(case.network.units.fuels, fuels) & case.network.units.in_service
    return np.asarray(case.largest_mw[:, own].sum(axis=1), dtype=np.float64)


def _date(case: SitingCase, day: int) -> date:
    label = case.labels[day * HOURS_OF_DAY]
    try:
        return date.fromisoformat(label[:10])
    except ValueError:
        raise QuestionError(f"the label {label!r} of an hour does not begin with a date, such as 2020-08-13") from None
