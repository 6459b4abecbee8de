"""The audit of a meter against an agreement: each rule broken once, by hand."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import QuestionError
from engine.siting.agreement import LADDER, Agreement, Rung, agreement_from_json
from engine.siting.audit import audit
from engine.siting.envelopes import envelope
from engine.siting.meter import read_meter

START = datetime(2027, 6, 1)
SHIFT = Agreement("bus 5120", envelope("shift"), 1000.0, response_min=0, tolerance_share=0.0)


def meter(days: int, minutes: int = 15) -> tuple[list[datetime], np.ndarray]:
    """Return what a load that draws exactly its shift envelope meters."""
    times = [START + timedelta(minutes=minutes * k) for k in range(days * 1440 // minutes)]
    return times, SHIFT.cap_mw[[time.hour for time in times]]


def test_a_load_at_its_cap_keeps_the_envelope() -> None:
    found = audit(SHIFT, *meter(2))
    assert found.kept
    assert [day.energy_mwh for day in found.days] == pytest.approx([19_200.0, 19_200.0])  # 24 x 800
    assert [day.peak_mw for day in found.days] == pytest.approx([640.0, 640.0])
    assert found.consequence == ("", "")


@given(sample=st.integers(0, 95), over=st.floats(0.01, 50.0))
@settings(max_examples=40)
def test_one_sample_above_the_cap_is_found_where_it_is(sample: int, over: float) -> None:
    times, mw = meter(1)
    mw = mw.copy()
    mw[sample] += over
    cap = [v for v in audit(SHIFT, times, mw).days[0].violations if v.rule == "cap"]
    assert [v.at for v in cap] == [times[sample]]
    assert cap[0].metered - cap[0].allowed == pytest.approx(over)


def test_the_larger_tolerance_counts_and_the_edge_is_allowed() -> None:
    terms = Agreement("s", envelope("firm"), 1000.0, tolerance_mw=5.0, tolerance_share=0.01, response_min=0)
    times = meter(1)[0]
    mw = np.full(96, 808.0)
    assert audit(terms, times, mw).kept  # 1 % of 800 is 8 MW
    mw[3] = 808.001
    assert not audit(terms, times, mw).kept


def test_in_the_response_time_the_cap_of_the_hour_before_holds() -> None:
    terms = Agreement("s", envelope("shift"), 1000.0, response_min=15, tolerance_share=0.0)
    times, mw = meter(1)
    mw = mw.copy()
    mw[60] = 832.0  # 15:00, the first sample of hour 16
    assert audit(terms, times, mw).kept
    mw[61] = 700.0
    (broken,) = audit(terms, times, mw).days[0].violations
    assert (broken.rule, broken.at, broken.allowed) == (
        "cap",
        START + timedelta(hours=15, minutes=15),
        pytest.approx(640.0),
    )


def test_a_ramp_beyond_the_bound_is_found_over_midnight_too() -> None:
    terms = Agreement("s", envelope("firm"), 1000.0, tolerance_share=0.0, energy_band=1.0)
    times = meter(2)[0]
    mw = np.full(192, 500.0)
    mw[96:] = 750.0  # 250 MW into the first hour of the second day; 200 allowed
    first, second = audit(terms, times, mw).days
    assert not first.violations
    assert [(v.rule, v.at, v.metered, v.allowed) for v in second.violations] == [
        ("ramp", START + timedelta(days=1), 250.0, 200.0)
    ]


def test_energy_above_the_band_breaks_and_below_it_only_for_shift() -> None:
    times, mw = meter(1)
    (broken,) = audit(SHIFT, times, mw * 0.9).days[0].violations
    assert (broken.rule, broken.metered, broken.allowed) == ("energy", pytest.approx(17_280.0), pytest.approx(18_240.0))
    firm = Agreement("s", envelope("firm"), 1000.0)
    assert audit(firm, times, np.full(96, 100.0)).kept


def test_a_day_with_too_few_samples_is_not_judged() -> None:
    times, mw = meter(2)
    mw = mw.copy()
    mw[5] = 2000.0
    found = audit(SHIFT, times[:50] + times[96:], np.concatenate([mw[:50], mw[96:]]))
    assert [day.judged for day in found.days] == [False, True]
    assert found.days[0].coverage == pytest.approx(50 / 96)
    assert found.kept


def test_the_ladder_counts_days_in_violation_of_the_last_thirty() -> None:
    times, mw = meter(40)
    mw = mw.copy()
    for day in (0, 1, 2, 35):
        mw[day * 96 + 40] = 900.0
    found = audit(SHIFT, times, mw)
    assert found.days_in_violation[:4] == (1, 2, 3, 3)
    assert found.days_in_violation[30:33] == (2, 1, 0)  # the first three have left the window
    assert found.consequence[0] == LADDER[0].consequence
    assert found.consequence[2] == LADDER[1].consequence
    assert found.consequence[32] == ""
    assert found.days_in_violation[35] == 1


def test_an_agreement_survives_its_json_and_names_all_problems() -> None:
    assert agreement_from_json(SHIFT.to_json()) == SHIFT
    bad = Agreement("s", envelope("firm"), -5.0, sampling_min=7, response_min=90, ladder=(Rung(3, "x"), Rung(2, "y")))
    with pytest.raises(QuestionError) as refused:
        bad.checked()
    for words in ("-5 MW", "every 7 min", "90 min", "[3, 2]"):
        assert words in str(refused.value)


def test_terms_and_audit_hold_the_ramp_to_the_same_bound() -> None:
    # Firm, 1,000 MW nameplate: a cap of 800 MW, 1 % of it is 8 MW, the ramp bound is 200 MW: 208 MW are allowed.
    terms = Agreement("s", envelope("firm"), 1000.0, energy_band=1.0)
    said = dict(terms.terms())
    assert "at most 200 MW, and the tolerance of the later hour" in said["Ramp"]
    assert "above the ramp bound" in said["Tolerance"]
    for ramp, kept in ((207.0, True), (209.0, False)):
        mw = np.full(96, 500.0)
        mw[48:] = 500.0 + ramp
        assert audit(terms, meter(1)[0], mw).kept == kept


def test_a_meter_without_a_judged_day_kept_nothing() -> None:
    times, mw = meter(1)
    found = audit(SHIFT, times[:50], mw[:50])
    assert (found.judged, found.kept) == (0, False)


def test_the_terms_of_a_firm_load_threaten_no_flexible_part() -> None:
    terms = Agreement("s", envelope("firm"), 1000.0).terms()
    assert "flexible" not in " ".join(words for _, words in terms)


def test_the_draft_names_every_term() -> None:
    terms = dict(SHIFT.terms())
    assert terms["Cap by hour"] == "hours 1-15, 20-24: 832 MW; hours 16-19: 640 MW"
    assert terms["Ramp"].startswith("at most 200 MW")
    assert "19,200 MWh" in terms["Energy"]


def test_a_meters_file_is_read_and_its_problems_told() -> None:
    times, mw = read_meter("time,mw\n2027-06-01T00:00,5\n2027-06-01 00:15,6.5\n")
    assert times == [START, START + timedelta(minutes=15)]
    assert mw.tolist() == [5.0, 6.5]
    with pytest.raises(QuestionError) as refused:
        read_meter("time,mw\nnoon,5\n2027-06-01,-1\n2027-06-01,nan\n")
    for words in ("line 2", "line 3: -1 MW", "line 4"):
        assert words in str(refused.value)
    with pytest.raises(QuestionError, match="columns time and mw; its first line has when, load"):
        read_meter("when,load\n")
    with pytest.raises(QuestionError, match="no samples below its first line"):
        read_meter("time,mw\n\n")


def test_every_line_that_is_wrong_is_told_at_once() -> None:
    """What no line shows by itself is found later: each line here is wrong in a way of its own, but those left out."""
    text = "\n".join(
        [
            "time,mw",
            "2027-06-01T00:00,5",  # 2, right
            "2027-06-01T00:15,NaN",
            "2027-06-01T00:30,-4",
            "2027-06-01T00:45",
            "2027-06-01T00:50,5",  # 6, between two samples
            "2027-06-01T01:00,5",  # 7, right
            "2027-06-01T01:00,6",  # 8, doubled
            "2027-06-01T01:15:00+01:00,5",  # 9, of another clock
            "2027-06-01T01:30,5",  # 10, right
        ]
    )
    with pytest.raises(QuestionError) as refused:
        read_meter(text, 15)
    said = [line.split(":")[0] for line in str(refused.value).split("; ") if line.startswith("line")]
    assert said == [f"line {line}" for line in (3, 4, 5, 6, 8, 9)]
    for words in ("00:50:00 is not on the grid of 15 min", "01:00:00 comes twice", "need an offset from UTC, or none"):
        assert words in str(refused.value)


def test_an_hourly_meter_reads_the_hour_that_comes_twice() -> None:
    """1 November 2026 has 25 hours in Chicago: by the hour the second pass follows the first, which is no double."""
    hours = [0, 1, 1, *range(2, 24)]
    times, _ = read_meter("\n".join(["time,mw", *(f"2026-11-01T{hour:02d}:00,5" for hour in hours)]), 60)
    assert len(times) == 25
    with pytest.raises(QuestionError, match=r"line 4: .* comes twice"):
        read_meter("time,mw\n2026-11-01T00:00Z,5\n2026-11-01T01:00Z,5\n2026-11-01T01:00Z,5\n", 60)
    times, _ = read_meter("time,mw\n2026-06-01T05:45+05:45,5\n2026-06-01T06:45+05:45,5\n", 60, "UTC")
    assert len(times) == 2  # 0 and 1 o'clock in UTC: the grid is that of the terms' clock


def test_times_off_the_grid_and_doubles_are_refused() -> None:
    with pytest.raises(QuestionError, match="not on the grid of 15 min"):
        audit(SHIFT, [START + timedelta(minutes=7)], np.array([1.0]))
    with pytest.raises(QuestionError, match="comes twice"):
        audit(SHIFT, [START, START], np.array([1.0, 1.0]))
    with pytest.raises(QuestionError, match="-3 MW"):
        audit(SHIFT, [START], np.array([-3.0]))
    assert audit(SHIFT, [START], np.array([3.0])).days[0].day == date(2027, 6, 1)
