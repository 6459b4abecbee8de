"""Whether metered MW kept a signed envelope: day by day, every violation named, and what the ladder says follows.

The rules are the agreement's, in this order: a sample lies above the cap of its hour by more than the tolerance (in
the response time after a cap fell, the cap of the hour before holds); the mean of an hour differs from that of the
hour before by more than the ramp bound and the tolerance; the energy of a whole day lies beyond its band. A day with
too few samples is not judged, and said so: it neither breaks nor keeps the envelope.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Vector
from engine.siting.agreement import LADDER_DAYS, Agreement
from engine.siting.case import HOURS_OF_DAY

Rule = Literal["cap", "ramp", "energy"]
_MINUTES_OF_DAY = 24 * 60
_ROUNDING_MW = 1e-6
_MOST_PROBLEMS = 50
_MOST_SAMPLES = 2_000_000


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken: what was metered, and what was allowed."""

    rule: Rule
    at: datetime  # the sample, the hour or the day's start
    metered: float  # MW, MW per hour, MWh
    allowed: float


@dataclass(frozen=True, slots=True)
class AuditDay:
    """One day of the meter."""

    day: date
    coverage: float  # share of the samples that are there
    judged: bool
    peak_mw: float  # the largest sample in the peak hours, nan without one
    energy_mwh: float  # of the samples there are
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """All days, in order, and the rung that each day reached."""

    agreement: Agreement
    days: tuple[AuditDay, ...]
    days_in_violation: tuple[int, ...]  # of the last thirty, on each day
    consequence: tuple[str, ...]  # on each day, "" for none

    @property
    def kept(self) -> bool:
        """Return whether no judged day has a violation."""
        return not any(day.violations for day in self.days)


def audit(agreement: Agreement, times: Sequence[datetime], metered_mw: Vector) -> Audit:
    """Return what the meter says: ``times`` (n,) are the starts of the samples, ``metered_mw`` (n,) their means.

    Hour h of the day is from h - 1 to h o'clock, as in the envelopes. Raises QuestionError for a term outside its
    limits, for values that are negative or missing, and for times that are not on the sampling grid or come twice.
    """
    agreement.checked()
    mw = _checked(agreement, times, metered_mw)
    first, last = min(times).date(), max(times).date()
    count = (last - first).days + 1
    per_day = _MINUTES_OF_DAY // agreement.sampling_min
    origin = datetime.combine(first, datetime.min.time())
    grid = np.full(count * per_day, np.nan)
    place = [int((time - origin).total_seconds()) // 60 // agreement.sampling_min for time in times]
    grid[place] = mw
    table = grid.reshape(count, per_day)
    allowed = _allowed(agreement, per_day)
    hourly = _hourly(table)
    days = tuple(
        _day(
            agreement,
            first + timedelta(days=d),
            table[d],
            allowed,
            np.append(hourly[d - 1, -1] if d else np.nan, hourly[d]),
        )
        for d in range(count)
    )
    broken = np.array([bool(day.violations) for day in days])
    tally = [int(broken[max(0, d - LADDER_DAYS + 1) : d + 1].sum()) for d in range(count)]
    return Audit(agreement, days, tuple(tally), tuple(_consequence(agreement, n) for n in tally))


def read_meter(text: str) -> tuple[list[datetime], Vector]:
    """Return times and MW of a CSV with the columns ``time`` (ISO 8601, local) and ``mw``.

    Raises QuestionError with the line and the value of every problem, fifty at most.
    """
    rows = list(csv.reader(io.StringIO(text)))
    head = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "time" not in head or "mw" not in head:
        raise QuestionError("a meter's CSV needs the columns time and mw")
    when, what = head.index("time"), head.index("mw")
    times, values, problems = [], [], []
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            time = datetime.fromisoformat(row[when].strip()).replace(tzinfo=None)
            value = float(row[what])
        except (ValueError, IndexError):
            problems.append(f"line {line}: {','.join(row)[:60]!r} is not a time and a number")
            continue
        if not math.isfinite(value) or value < 0.0:
            problems.append(f"line {line}: {row[what].strip()} MW; a load is 0 or more")
            continue
        times.append(time)
        values.append(value)
    if problems:
        more = f"; and {len(problems) - _MOST_PROBLEMS} more" if len(problems) > _MOST_PROBLEMS else ""
        raise QuestionError("; ".join(problems[:_MOST_PROBLEMS]) + more)
    return times, np.array(values)


def _checked(agreement: Agreement, times: Sequence[datetime], metered_mw: Vector) -> Vector:
    mw = np.asarray(metered_mw, dtype=np.float64)
    if not len(times) or len(times) != len(mw) or len(mw) > _MOST_SAMPLES:
        raise QuestionError(f"{len(times)} times and {len(mw)} values: as many of each, 1 to {_MOST_SAMPLES:,}")
    bad = np.flatnonzero(~np.isfinite(mw) | (mw < 0.0))
    if bad.size:
        raise QuestionError(f"the meter says {mw[bad[0]]:g} MW at {times[bad[0]]}; a load is 0 or more")
    off = [time for time in times if time.second or time.microsecond or time.minute % agreement.sampling_min]
    if off:
        raise QuestionError(f"the sample at {off[0]} is not on the grid of {agreement.sampling_min} min")
    if len(set(times)) != len(times):
        twice = sorted(times)
        again = next(later for earlier, later in pairwise(twice) if earlier == later)
        raise QuestionError(f"the time {again} comes twice")
    return mw


def _allowed(agreement: Agreement, per_day: int) -> Vector:
    """Return the most MW (per_day,) of each sample: cap and tolerance, with the hour before's in the response time."""
    held = agreement.cap_mw + agreement.tolerance()
    before = np.maximum(held, np.roll(held, 1))
    minute = np.arange(per_day) * agreement.sampling_min
    hour = minute // 60
    return np.where(minute % 60 < agreement.response_min, before[hour], held[hour])


def _hourly(table: Vector) -> Vector:
    """Return the mean (D, 24) of each hour; nan for an hour with a gap."""
    return np.asarray(table.reshape(len(table), HOURS_OF_DAY, -1).mean(axis=2), dtype=np.float64)


def _day(agreement: Agreement, day: date, samples: Vector, allowed: Vector, hourly: Vector) -> AuditDay:
    """Judge one day; ``hourly`` (25,) are the means of the hour before it and of its own."""
    there = ~np.isnan(samples)
    coverage = float(there.mean())
    energy = float(np.nansum(samples)) * agreement.sampling_min / 60.0
    judged = coverage >= agreement.least_coverage
    start = datetime.combine(day, datetime.min.time())
    found = []
    if judged:
        found = [
            *_over_cap(agreement, start, samples, allowed),
            *_too_steep(agreement, start, hourly),
            *_energy(agreement, start, energy, whole=bool(there.all())),
        ]
    hours = np.arange(len(samples)) * agreement.sampling_min // 60 + 1
    peak = samples[there & np.isin(hours, agreement.envelope.peak_hours)]
    return AuditDay(day, coverage, judged, float(peak.max()) if peak.size else math.nan, energy, tuple(found))


def _over_cap(agreement: Agreement, start: datetime, samples: Vector, allowed: Vector) -> list[Violation]:
    step = timedelta(minutes=agreement.sampling_min)
    over = np.flatnonzero(np.nan_to_num(samples) > allowed + _ROUNDING_MW).tolist()
    return [Violation("cap", start + place * step, float(samples[place]), float(allowed[place])) for place in over]


def _too_steep(agreement: Agreement, start: datetime, hourly: Vector) -> list[Violation]:
    ramps = np.diff(hourly)
    bound = agreement.ramp_mw_per_h + agreement.tolerance()
    steep = np.flatnonzero(np.nan_to_num(np.abs(ramps)) > bound + _ROUNDING_MW).tolist()
    return [Violation("ramp", start + timedelta(hours=hour), float(ramps[hour]), float(bound[hour])) for hour in steep]


def _energy(agreement: Agreement, start: datetime, energy: float, *, whole: bool) -> list[Violation]:
    wanted = agreement.envelope.energy_mwh(agreement.nameplate_mw)
    most, least = wanted * (1.0 + agreement.energy_band), wanted * (1.0 - agreement.energy_band)
    if energy > most + _ROUNDING_MW:
        return [Violation("energy", start, energy, most)]
    if agreement.envelope.kind == "shift" and whole and energy < least - _ROUNDING_MW:
        return [Violation("energy", start, energy, least)]
    return []


def _consequence(agreement: Agreement, days: int) -> str:
    reached = [rung.consequence for rung in agreement.ladder if rung.days <= days]
    return reached[-1] if reached else ""


def invented_month(agreement: Agreement, first: date, days: int = 30) -> tuple[list[datetime], Vector]:
    """Return a made-up meter that shows the rules: each day 1 % below its caps, but the fifth and the ninth.

    The fifth day is 10 % above its cap through its first peak hour; of the ninth every tenth sample is missing.
    """
    per_day = _MINUTES_OF_DAY // agreement.sampling_min
    step = timedelta(minutes=agreement.sampling_min)
    hour = np.arange(per_day) * agreement.sampling_min // 60
    below = 0.99 * agreement.cap_mw[hour]
    above = np.where(hour + 1 == agreement.envelope.peak_hours[0], 1.1 * agreement.cap_mw[hour], below)
    times: list[datetime] = []
    values: list[float] = []
    for day in range(days):
        start = datetime.combine(first + timedelta(days=day), datetime.min.time())
        for sample, mw in enumerate((above if day == 4 else below).tolist()):
            if day != 8 or sample % 10:
                times.append(start + sample * step)
                values.append(mw)
    return times, np.array(values)
