"""Whether metered MW kept a signed envelope: day by day, every violation named, and what the ladder says follows.

The rules are the agreement's, in this order: a sample lies above the cap of its hour by more than the tolerance (in
the response time after a cap fell, the cap of the hour before holds); the mean of an hour differs from that of the
hour before by more than the ramp bound and the tolerance; the energy of a whole day lies beyond its band. A day with
too few samples is not judged, and said so: it neither breaks nor keeps the envelope. Which hour a sample is of, and
that a day may have 23 or 25 of them, is :mod:`engine.siting.meter`'s; such a day may draw the energy of its own hours.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

import numpy as np

from engine.network.model import Integers, Vector
from engine.siting.agreement import LADDER_DAYS, Agreement
from engine.siting.meter import MINUTES_OF_DAY, ClockDay, clock_days

Rule = Literal["cap", "ramp", "energy"]
_HOUR = 60
_ROUNDING_MW = 1e-6


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken: what was metered, and what was allowed."""

    rule: Rule
    at: datetime  # the sample, the hour or the day's start, on the agreement's clock; fold 1 in an hour's second pass
    metered: float  # MW, MW per hour, MWh
    allowed: float


@dataclass(frozen=True, slots=True)
class AuditDay:
    """One day of the meter."""

    day: date
    hours: float  # 24, or more or less on a day on which the clock is set
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
    def judged(self) -> int:
        """Return how many days have enough samples to be judged."""
        return sum(day.judged for day in self.days)

    @property
    def kept(self) -> bool:
        """Return whether some day is judged, and no judged day has a violation."""
        return self.judged > 0 and not any(day.violations for day in self.days)


def audit(agreement: Agreement, times: Sequence[datetime], metered_mw: Vector) -> Audit:
    """Return what the meter says: ``times`` (n,) are the starts of the samples, ``metered_mw`` (n,) their means.

    Hour h of the day is from h - 1 to h o'clock, as in the envelopes. Raises QuestionError for a term outside its
    limits, and as :func:`engine.siting.meter.clock_days` for times and values.
    """
    agreement.checked()
    days: list[AuditDay] = []
    before = math.nan  # the mean of the hour before
    for day in clock_days(times, metered_mw, agreement.sampling_min, agreement.time_zone):
        starts = _hours(day)
        means = np.add.reduceat(day.mw, starts) / np.diff(np.append(starts, len(day.mw)))
        days.append(_day(agreement, day, starts, np.append(before, means)))
        before = float(means[-1])
    broken = np.array([bool(day.violations) for day in days])
    tally = [int(broken[max(0, d - LADDER_DAYS + 1) : d + 1].sum()) for d in range(len(days))]
    return Audit(agreement, tuple(days), tuple(tally), tuple(_consequence(agreement, n) for n in tally))


def _hours(day: ClockDay) -> Integers:
    """Return the slots (h,) with which the hours of a day begin; what the clock was set back to is an hour of its own.

    An hour with a gap has no mean (nan).
    """
    of_day = day.minute // _HOUR
    new = (np.diff(of_day) != 0) | (np.diff(day.again.astype(np.intp)) != 0)
    return np.flatnonzero(np.append(True, new))


def _allowed(agreement: Agreement, day: ClockDay, starts: Integers) -> Vector:
    """Return the most MW (n,) of each slot: cap and tolerance, with the hour before's in the response time."""
    held = agreement.cap_mw + agreement.tolerance()
    hour = day.minute // _HOUR
    before = np.repeat(np.append(held[-1], held[hour[starts[1:] - 1]]), np.diff(np.append(starts, len(hour))))
    own = held[hour]
    late = np.arange(len(hour)) - np.repeat(starts, np.diff(np.append(starts, len(hour))))
    return np.where(late * agreement.sampling_min < agreement.response_min, np.maximum(own, before), own)


def _day(agreement: Agreement, day: ClockDay, starts: Integers, means: Vector) -> AuditDay:
    """Judge one day; ``means`` (1 + h,) are those of the hour before it and of its own."""
    there = ~np.isnan(day.mw)
    coverage = float(there.mean())
    energy = float(np.nansum(day.mw)) * agreement.sampling_min / _HOUR
    judged = coverage >= agreement.least_coverage
    hour = day.minute // _HOUR
    found = []
    if judged:
        found = [
            *_over_cap(day, _allowed(agreement, day, starts)),
            *_too_steep(agreement, day, starts, means),
            *_energy(agreement, day, energy, whole=bool(there.all())),
        ]
    peak = day.mw[there & np.isin(hour + 1, agreement.envelope.peak_hours)]
    most = float(peak.max()) if peak.size else math.nan
    hours = len(hour) * agreement.sampling_min / _HOUR
    return AuditDay(day.day, hours, coverage, judged, most, energy, tuple(found))


def _over_cap(day: ClockDay, allowed: Vector) -> list[Violation]:
    over = np.flatnonzero(np.nan_to_num(day.mw) > allowed + _ROUNDING_MW).tolist()
    return [Violation("cap", day.at(slot), float(day.mw[slot]), float(allowed[slot])) for slot in over]


def _too_steep(agreement: Agreement, day: ClockDay, starts: Integers, means: Vector) -> list[Violation]:
    ramps = np.diff(means)
    bound = (agreement.ramp_mw_per_h + agreement.tolerance())[day.minute[starts] // _HOUR]
    steep = np.flatnonzero(np.nan_to_num(np.abs(ramps)) > bound + _ROUNDING_MW).tolist()
    return [Violation("ramp", day.at(int(starts[one])), float(ramps[one]), float(bound[one])) for one in steep]


def _energy(agreement: Agreement, day: ClockDay, energy: float, *, whole: bool) -> list[Violation]:
    wanted = float(agreement.cap_mw[day.minute // _HOUR].sum()) * agreement.sampling_min / _HOUR
    most, least = wanted * (1.0 + agreement.energy_band), wanted * (1.0 - agreement.energy_band)
    start = datetime.combine(day.day, time())
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
    per_day = MINUTES_OF_DAY // agreement.sampling_min
    step = timedelta(minutes=agreement.sampling_min)
    hour = np.arange(per_day) * agreement.sampling_min // _HOUR
    below = 0.99 * agreement.cap_mw[hour]
    above = np.where(hour + 1 == agreement.envelope.peak_hours[0], 1.1 * agreement.cap_mw[hour], below)
    times: list[datetime] = []
    values: list[float] = []
    for day in range(days):
        start = datetime.combine(first + timedelta(days=day), time())
        for sample, mw in enumerate((above if day == 4 else below).tolist()):
            if day != 8 or sample % 10:
                times.append(start + sample * step)
                values.append(mw)
    return times, np.array(values)
