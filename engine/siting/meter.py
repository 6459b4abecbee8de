"""A meter's samples on the clock of an agreement: its file, its days of 23, 24 or 25 hours, and each sample's place.

Hours of an envelope are hours of a clock. An agreement that names a time zone has them on the clock there: times with
an offset from UTC are brought to it, times without one are read on it. An agreement that names none takes the clock
as the meter writes it. Where that is set back in autumn an hour comes twice: offsets tell the two apart, else the
order of the file does. Where it is set forward a day has an hour less.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Vector

MINUTES_OF_DAY = 24 * 60
MOST_SAMPLES = 2_000_000
MOST_YEARS = 20
YEARS = (1970, 2200)
_HOUR = 60
_SET_BACK_TO = (0, 1, 2, 3, 23)  # o'clock: at other hours nobody sets clocks back, and a row is doubled
_MOST_PROBLEMS = 50
_MINUTE = timedelta(minutes=1)


def zone_of(name: str) -> ZoneInfo | None:
    """Return a time zone by its name in the IANA database, None for "". Raises QuestionError for one that is none."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise QuestionError(f"{name[:60]!r} is no time zone; one is, for example, America/Chicago") from None


@dataclass(frozen=True, slots=True)
class Change:
    """The clock of a day is set: what would be ``at`` minutes after midnight is ``shift`` minutes later at once."""

    at: int
    shift: int  # below 0 in autumn


@dataclass(frozen=True, slots=True, eq=False)
class ClockDay:
    """The slots of one day in the order of time, and those that were metered."""

    day: date
    minute: Integers  # (n,), of the clock, at which each slot begins
    again: Flags  # (n,), whether the clock was set back to it
    mw: Vector  # (n,), nan where no sample is

    def at(self, slot: int) -> datetime:
        """Return the clock time of a slot; ``fold`` is 1 in the hour that comes a second time."""
        start = datetime.combine(self.day, time()) + int(self.minute[slot]) * _MINUTE
        return start.replace(fold=int(self.again[slot]))


def read_meter(text: str, step_min: int = 0, zone_name: str = "") -> tuple[list[datetime], Vector]:
    """Return times, with their offsets from UTC where they have one, and MW of a CSV with the columns time and mw.

    Times are ISO 8601. With ``step_min``, the minutes between samples, each line is also held against the grid on the
    clock of ``zone_name``, see :func:`clock_days`, which finds what no line shows by itself. Raises QuestionError with
    the line and the value of every problem, fifty at most.
    """
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise QuestionError(f"the file is no CSV: {error}") from None
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "time" not in head or "mw" not in head:
        there = ", ".join(cell[:30] for cell in head[:8]) or "nothing"
        raise QuestionError(f"a meter's CSV needs the columns time and mw; its first line has {there}")
    when, what, zone = head.index("time"), head.index("mw"), zone_of(zone_name)
    times: list[datetime] = []
    values, problems = [], []
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            moment, value = datetime.fromisoformat(row[when].strip()), float(row[what])
        except (ValueError, IndexError):
            problems.append(f"line {line}: {','.join(row)[:60]!r} is not a time and a number")
            continue
        if not math.isfinite(value) or value < 0.0:
            problems.append(f"line {line}: {row[what].strip()} MW; a load is 0 or more")
        elif step_min and (wrong := _off(moment, times, step_min, zone)):
            problems.append(f"line {line}: {moment.isoformat()} {wrong}")
        times.append(moment)
        values.append(value)
    if problems:
        more = f"; and {len(problems) - _MOST_PROBLEMS} more" if len(problems) > _MOST_PROBLEMS else ""
        raise QuestionError("; ".join(problems[:_MOST_PROBLEMS]) + more)
    if not times:
        raise QuestionError("the meter's CSV has no samples below its first line")
    return times, np.array(values)


def _off(moment: datetime, before: Sequence[datetime], step_min: int, zone: ZoneInfo | None) -> str:
    """Return what is wrong with the time of a line after the lines ``before`` it, "" if nothing is."""
    if before and (moment.tzinfo is None) != (before[0].tzinfo is None):
        return f"and {before[0].isoformat()}: all times need an offset from UTC, or none"
    clock = moment.astimezone(zone) if zone is not None and moment.tzinfo is not None else moment
    if clock.second or clock.microsecond or clock.minute % step_min:
        return f"is not on the grid of {step_min} min"
    # By the hour without an offset, the second pass of autumn's hour follows the first: no mistake.
    doubled = before and moment == before[-1] and (moment.tzinfo is not None or step_min < _HOUR)
    return "comes twice" if doubled else ""


def clock_days(times: Sequence[datetime], metered_mw: Vector, step_min: int, zone_name: str = "") -> list[ClockDay]:
    """Return every day from the first to the last: ``times`` (n,) are the starts of samples, ``metered_mw`` (n,).

    Raises QuestionError for values that are negative or missing, and for times that are not on the grid of
    ``step_min``, that some have an offset from UTC and others not, that do not exist in the zone, or that come twice
    although no clock was set back.
    """
    mw = _checked(times, metered_mw)
    zone = zone_of(zone_name)
    aware = times[0].tzinfo is not None
    other = next((moment for moment in times if (moment.tzinfo is not None) != aware), None)
    if other is not None:
        raise QuestionError(
            f"{times[0].isoformat()} and {other.isoformat()}: all times need an offset from UTC, or none"
        )
    if zone is not None:
        clocks, late, changes = _in_zone(times, zone)
    elif aware:
        clocks, late, changes = _as_offset(times, step_min)
    else:
        clocks, late, changes = _as_written(times, step_min)
    _check_grid(clocks, changes, step_min)
    return _days(clocks, late, changes, mw, step_min)


def _checked(times: Sequence[datetime], metered_mw: Vector) -> Vector:
    mw = np.asarray(metered_mw, dtype=np.float64)
    if not len(times) or len(times) != len(mw) or len(mw) > MOST_SAMPLES:
        raise QuestionError(f"{len(times)} times and {len(mw)} values: as many of each, 1 to {MOST_SAMPLES:,}")
    bad = np.flatnonzero(~np.isfinite(mw) | (mw < 0.0))
    if bad.size:
        raise QuestionError(f"the meter says {mw[bad[0]]:g} MW at {times[bad[0]]}; a load is 0 or more")
    years = [moment.year for moment in times]
    first, last = min(years), max(years)
    if first < YEARS[0] or last > YEARS[1] or last - first > MOST_YEARS:
        raise QuestionError(f"the times are of {first} to {last}: {MOST_YEARS} years at most, from {YEARS[0]} on")
    return mw


def _check_grid(clocks: Sequence[datetime], changes: dict[date, Change], step_min: int) -> None:
    off = next((one for one in clocks if one.second or one.microsecond or one.minute % step_min), None)
    if off is not None:
        raise QuestionError(f"the sample at {off} is not on the grid of {step_min} min")
    for day, change in changes.items():
        if change.shift % step_min or change.at % step_min:
            raise QuestionError(f"on {day} the clock is set by {change.shift} min, off the grid of {step_min} min")
        if not 0 <= change.at <= MINUTES_OF_DAY or not 0 <= change.at + change.shift <= MINUTES_OF_DAY:
            raise QuestionError(f"on {day} the clock is set by {change.shift} min, to another day")


# Each returns the clock time of each sample, whether it lies after the change of its day, and the changes.

_Placed = tuple[list[datetime], list[bool], dict[date, Change]]


def _in_zone(times: Sequence[datetime], zone: ZoneInfo) -> _Placed:
    if times[0].tzinfo is None:
        local, seen = [], set()
        for moment in times:
            placed = moment.replace(tzinfo=zone, fold=int(moment in seen))
            if placed.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
                raise QuestionError(f"{moment} does not exist on the clock of {zone.key}, which is set forward then")
            seen.add(moment)
            local.append(placed)
    else:
        local = [moment.astimezone(zone) for moment in times]
    clocks = [moment.replace(tzinfo=None, fold=0) for moment in local]
    first, last = min(clocks).date(), max(clocks).date()
    every = [first + timedelta(days=ahead) for ahead in range((last - first).days + 2)]
    midnight = {day: datetime.combine(day, time(), zone) for day in every}
    changes = {
        day: _change_in(midnight[day], zone)
        for day, following in pairwise(every)
        if midnight[day].utcoffset() != midnight[following].utcoffset()
    }
    late = [
        clock.date() in changes and moment.utcoffset() != midnight[clock.date()].utcoffset()
        for clock, moment in zip(clocks, local, strict=True)
    ]
    return clocks, late, changes


def _change_in(midnight: datetime, zone: ZoneInfo) -> Change:
    """Return the change of the clock in the day that begins at ``midnight``."""
    start, before = midnight.astimezone(UTC), midnight.utcoffset() or timedelta()
    for passed in range(2 * MINUTES_OF_DAY):
        shift = ((start + passed * _MINUTE).astimezone(zone).utcoffset() or timedelta()) - before
        if shift:
            return Change(passed, shift // _MINUTE)
    raise QuestionError(f"the clock of {zone.key} on {midnight.date()} cannot be followed")


def _as_offset(times: Sequence[datetime], step_min: int) -> _Placed:
    """Take the clock as written with its offsets: it is set where the offset changes between two samples."""
    offsets = [moment.utcoffset() or timedelta() for moment in times]
    clocks = [moment.replace(tzinfo=None, fold=0) for moment in times]
    changes: dict[date, Change] = {}
    new: dict[date, timedelta] = {}
    order = sorted(range(len(times)), key=lambda place: times[place])
    for one, two in pairwise(order):
        shift = offsets[two] - offsets[one]
        day = clocks[two].date()
        if not shift or (clocks[one].date() != day and times[two] - times[one] > step_min * _MINUTE):
            continue  # the same clock, or set while nothing was metered: which day, nobody can say
        if day in changes:
            raise QuestionError(f"the offset from UTC changes more than once on {day}")
        at = (clocks[two] - datetime.combine(day, time()) - shift) // _MINUTE
        changes[day], new[day] = Change(min(at, MINUTES_OF_DAY), shift // _MINUTE), offsets[two]
    late = [new.get(clock.date()) == offset for clock, offset in zip(clocks, offsets, strict=True)]
    return clocks, late, changes


def _as_written(times: Sequence[datetime], step_min: int) -> _Placed:
    """Take the clock as written without offsets: an hour comes twice where a whole hour is followed by itself."""
    twice = sorted(moment for moment, count in _counted(times).items() if count > 1)
    changes: dict[date, Change] = {}
    late = [False] * len(times)
    for day in dict.fromkeys(moment.date() for moment in twice):
        own = [place for place, moment in enumerate(times) if moment.date() == day]
        steps = [step for step, (one, two) in enumerate(pairwise(own), start=1) if times[two] <= times[one]]
        to = times[own[steps[0]]]
        whole = len(steps) == 1 and times[own[steps[0] - 1]] - to == (_HOUR - step_min) * _MINUTE and not to.minute
        if not whole or to.hour not in _SET_BACK_TO or any(day.year == other.year for other in changes):
            again = next(moment for moment in twice if moment.date() == day)
            raise QuestionError(
                f"the time {again} comes twice, and not as an hour of the night that is followed by itself once a "
                "year; offsets from UTC would tell which is which"
            )
        changes[day] = Change(to.hour * _HOUR + _HOUR, -_HOUR)
        for place in own[steps[0] :]:
            late[place] = True
    return list(times), late, changes


def _counted(times: Sequence[datetime]) -> dict[datetime, int]:
    found: dict[datetime, int] = {}
    for moment in times:
        found[moment] = found.get(moment, 0) + 1
    return found


def _days(
    clocks: Sequence[datetime], late: Sequence[bool], changes: dict[date, Change], mw: Vector, step_min: int
) -> list[ClockDay]:
    """Return the days with each sample in its slot."""
    first = min(clocks).date()
    held: dict[date, ClockDay] = {}
    for ahead in range((max(clocks).date() - first).days + 1):
        day = first + timedelta(days=ahead)
        minute, again = _slots(changes.get(day), step_min)
        held[day] = ClockDay(day, minute, again, np.full(len(minute), np.nan))
    for clock, after, value in zip(clocks, late, mw.tolist(), strict=True):
        day = clock.date()
        passed = clock.hour * _HOUR + clock.minute - (changes[day].shift if after else 0)
        slots = held[day].mw
        if not math.isnan(slots[passed // step_min]):
            raise QuestionError(f"the time {clock} comes twice")
        slots[passed // step_min] = value
    return list(held.values())


def _slots(change: Change | None, step_min: int) -> tuple[Integers, Flags]:
    """Return the clock minutes (n,) of a day's slots in the order of time, and which the clock was set back to."""
    if change is None:
        plain = np.arange(0, MINUTES_OF_DAY, step_min)
        return plain, np.zeros(len(plain), dtype=np.bool_)
    before = np.arange(0, change.at, step_min)
    after = np.arange(change.at + change.shift, MINUTES_OF_DAY, step_min)
    again = np.concatenate([np.zeros(len(before), dtype=np.bool_), after < change.at])
    return np.concatenate([before, after]), again
