"""A meter's clock: days of 23, 24 and 25 hours, with offsets and without, against the time zone database itself."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import QuestionError
from engine.siting.agreement import Agreement, agreement_from_json
from engine.siting.audit import audit
from engine.siting.envelopes import envelope
from engine.siting.meter import clock_days, read_meter

CHICAGO = ZoneInfo("America/Chicago")
AUTUMN, SPRING = date(2026, 11, 1), date(2026, 3, 8)  # the first Sunday of November, the second of March: US law
SHIFT = Agreement("s", envelope("shift"), 1000.0, response_min=0, tolerance_share=0.0, energy_band=0.0)


def elapsed(zone: ZoneInfo, day: date, days: int, step: int) -> list[datetime]:
    """Return every moment of some days in a zone, by what passes in UTC."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    last = day + timedelta(days=days)
    end = datetime(last.year, last.month, last.day, tzinfo=zone).astimezone(UTC)
    count = int((end - start) / timedelta(minutes=step))
    return [(start + timedelta(minutes=step * k)).astimezone(zone) for k in range(count)]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/Chicago", AUTUMN, 25.0),
        ("America/Chicago", SPRING, 23.0),
        ("America/Chicago", date(2026, 6, 1), 24.0),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),  # is set back by half an hour
        ("America/Havana", date(2026, 3, 8), 23.0),  # is set forward at midnight: the day begins at 1 o'clock
        ("Asia/Kathmandu", date(2026, 6, 1), 24.0),  # 5 h 45 min ahead of UTC
    ],
)
@pytest.mark.parametrize("form", ["utc", "offsets", "offsets without a zone", "clock"])
def test_each_moment_of_a_day_has_a_slot_in_the_order_of_time(zone: str, day: date, hours: float, form: str) -> None:
    # Origin: the moments are counted in UTC; a day has as many as pass between its midnights.
    moments = elapsed(ZoneInfo(zone), day, 1, 15)
    assert len(moments) == 4 * hours
    given_times = {
        "utc": [moment.astimezone(UTC) for moment in moments],
        "offsets": moments,
        "offsets without a zone": [datetime.fromisoformat(moment.isoformat()) for moment in moments],
        "clock": [moment.replace(tzinfo=None, fold=0) for moment in moments],
    }[form]
    if form == "offsets without a zone":  # the day before it too, else nobody can tell that midnight was skipped
        early = elapsed(ZoneInfo(zone), day - timedelta(days=1), 1, 15)
        given_times = [datetime.fromisoformat(moment.isoformat()) for moment in early] + given_times
    values = np.arange(len(given_times), dtype=float)
    found = clock_days(given_times, values, 15, "" if form == "offsets without a zone" else zone)[-1]
    assert found.day == day
    assert found.mw.tolist() == values[-len(moments) :].tolist()
    assert [found.at(slot) for slot in range(len(moments))] == [moment.replace(tzinfo=None) for moment in moments]
    assert [found.at(slot).fold for slot in range(len(moments))] == [moment.fold for moment in moments]


@given(
    place=st.integers(0, 99),
    over=st.floats(0.01, 100.0),
    day=st.sampled_from([AUTUMN, SPRING]),
    form=st.sampled_from(["utc", "offset", "clock"]),
)
@settings(max_examples=60, deadline=None)
def test_one_sample_above_its_cap_is_found_at_its_moment_whatever_the_clock(
    place: int, over: float, day: date, form: str
) -> None:
    moments = elapsed(CHICAGO, day, 1, 15)
    place = min(place, len(moments) - 1)
    terms = Agreement("s", envelope("shift"), 1000.0, response_min=0, tolerance_share=0.0, time_zone="America/Chicago")
    mw = terms.cap_mw[[moment.hour for moment in moments]].copy()
    mw[place] += over
    times = {
        "utc": [moment.astimezone(UTC) for moment in moments],
        "offset": moments,
        "clock": [moment.replace(tzinfo=None, fold=0) for moment in moments],
    }[form]
    (judged,) = audit(terms, times, mw).days
    (broken,) = [one for one in judged.violations if one.rule == "cap"]
    assert (broken.at, broken.at.fold) == (moments[place].replace(tzinfo=None), moments[place].fold)
    assert broken.metered - broken.allowed == pytest.approx(over)


def test_a_day_of_25_hours_may_draw_the_energy_of_its_25_hours() -> None:
    # 20 hours of 832 MW and 4 of 640 are 19,200 MWh; the hour that comes twice, and the one left out, draw 832.
    written = [moment.replace(tzinfo=None, fold=0) for moment in elapsed(CHICAGO, AUTUMN, 1, 15)]
    found = audit(SHIFT, written, SHIFT.cap_mw[[moment.hour for moment in written]])
    assert found.kept
    assert (found.days[0].hours, found.days[0].energy_mwh) == (25.0, pytest.approx(19_200.0 + 832.0))
    spring = Agreement(
        "s", envelope("shift"), 1000.0, tolerance_share=0.0, energy_band=0.0, time_zone="America/Chicago"
    )
    moments = elapsed(CHICAGO, SPRING, 1, 15)
    short = audit(spring, moments, spring.cap_mw[[moment.hour for moment in moments]])
    assert short.kept
    assert (short.days[0].hours, short.days[0].coverage) == (23.0, 1.0)
    assert short.days[0].energy_mwh == pytest.approx(19_200.0 - 832.0)


def test_utc_in_the_file_is_brought_to_the_clock_of_the_zone() -> None:
    # 16 o'clock in Chicago in June is 21 o'clock UTC: 700 MW there are above the 640 of hour 17.
    terms = Agreement("s", envelope("shift"), 1000.0, response_min=0, tolerance_share=0.0, time_zone="America/Chicago")
    times, mw = read_meter("time,mw\n2026-06-01T21:00:00Z,700\n")
    terms = agreement_from_json(terms.to_json() | {"least_coverage": 0.0})
    (broken,) = audit(terms, times, mw).days[0].violations
    assert (broken.rule, broken.at, broken.allowed) == ("cap", datetime(2026, 6, 1, 16), pytest.approx(640.0))
    as_written = agreement_from_json(terms.to_json() | {"time_zone": ""})
    assert audit(as_written, times, mw).kept  # hour 22 of the clock that the meter writes


def test_a_ramp_is_judged_over_the_hour_that_comes_twice() -> None:
    firm = Agreement("s", envelope("firm"), 1000.0, sampling_min=60, tolerance_share=0.0, energy_band=1.0)
    times = [moment.replace(tzinfo=None, fold=0) for moment in elapsed(CHICAGO, AUTUMN, 1, 60)]
    mw = np.full(25, 500.0)
    mw[2] = 750.0  # the second hour from 1 o'clock: 250 MW up and down again, 200 allowed
    (day,) = audit(firm, times, mw).days
    up, down = day.violations
    assert [(one.rule, one.at, one.at.fold, one.metered) for one in (up, down)] == [
        ("ramp", datetime(2026, 11, 1, 1), 1, 250.0),
        ("ramp", datetime(2026, 11, 1, 2), 0, -250.0),
    ]


BASE, QUARTER = datetime(2026, 6, 1), timedelta(minutes=15)
NOON = [BASE + timedelta(hours=12) + k * QUARTER for k in range(4)]
TWO_NIGHTS = [BASE + timedelta(days=day) + k * QUARTER for day in (0, 1) for k in (*range(4), *range(8))]
OFFSETS = [datetime.fromisoformat(f"2026-06-01T0{hour}:00+0{offset}:00") for hour, offset in ((1, 0), (2, 1), (5, 0))]


@pytest.mark.parametrize(
    ("times", "zone", "words"),
    [
        ([BASE, (BASE + QUARTER).replace(tzinfo=UTC)], "", "all times need an offset from UTC, or none"),
        ([datetime(2026, 3, 8, 2, 30)], "America/Chicago", "02:30:00 does not exist on the clock of America/Chicago"),
        ([*NOON, *NOON], "America/Chicago", "12:00:00 comes twice"),  # no clock was set back then
        ([*NOON, *NOON], "", "12:00:00 comes twice, and not as an hour of the night"),
        ([BASE, BASE + QUARTER, BASE + QUARTER], "", "00:15:00 comes twice, and not as an hour"),  # a doubled row
        (TWO_NIGHTS, "", "2026-06-02 00:00:00 comes twice, and not as an hour"),  # a second time in one year
        ([datetime(1000, 1, 1), BASE], "", "1000 to 2026"),
        (OFFSETS, "", "more than once on 2026-06-01"),
        ([datetime(2010, 11, 7)], "America/St_Johns", "off the grid of 15 min"),  # set back at 0:01 in that year
        ([BASE], "Texas/../Paris", "is no time zone"),
        ([BASE + timedelta(minutes=7)], "", "not on the grid of 15 min"),
    ],
)
def test_times_that_cannot_be_placed_are_refused_in_words(times: list[datetime], zone: str, words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        clock_days(times, np.ones(len(times)), 15, zone)


def test_an_agreement_keeps_its_zone_and_one_without_is_read_as_before() -> None:
    zoned = agreement_from_json(SHIFT.to_json() | {"time_zone": "America/Chicago"})
    assert agreement_from_json(zoned.to_json()) == zoned
    assert dict(zoned.terms())["Clock"].startswith("hours of the clock in America/Chicago")
    older = SHIFT.to_json()
    del older["time_zone"]
    assert agreement_from_json(older) == SHIFT


@pytest.mark.parametrize(
    "wrong", [{"tolerance_mw": float("nan")}, {"site": "x" * 400}, {"sampling_min": float("inf")}, {"ladder": [3]}]
)
def test_a_signed_file_that_holds_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(QuestionError):
        agreement_from_json(SHIFT.to_json() | wrong)
