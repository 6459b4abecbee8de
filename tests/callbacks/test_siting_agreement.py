"""A signed agreement read from its file, and a meter with a real clock held against it."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from callbacks.siting_agreement import audited, draft, read_signed
from components import siting_agreement as view
from components.siting_agreement import place, refused, signed
from components.siting_site import SiteStudy
from engine.errors import QuestionError
from engine.siting.agreement import Agreement
from engine.siting.audit import audit
from engine.siting.envelopes import envelope
from tests.callbacks.screen import text
from tests.siting_study import gate_run

SIGNED = Agreement("Alder", envelope("firm"), 100.0, sampling_min=60, time_zone="America/Chicago")


def sent(content: str) -> str:
    return "data:application/json;base64," + base64.b64encode(content.encode()).decode()


def test_what_was_kept_as_json_is_read_back() -> None:
    assert read_signed(sent(json.dumps(SIGNED.to_json(), indent=1))) == SIGNED


@pytest.mark.parametrize("wrong", ["no JSON", "[1]", "{}", "[" * 100_000, json.dumps(SIGNED.to_json() | {"ladder": 3})])
def test_a_file_that_is_no_agreement_is_refused(wrong: str) -> None:
    with pytest.raises(QuestionError):
        read_signed(sent(wrong))


def test_a_meter_in_utc_is_held_against_the_signed_terms_on_their_clock() -> None:
    # 1 November 2026 has 25 hours in Chicago. Its second hour from 1 to 2 o'clock begins at 7 o'clock UTC: 81 MW there
    # are above the 80 MW and 1 % of a firm load of 100 MW.
    start = int(datetime(2026, 11, 1, 5, tzinfo=UTC).timestamp())
    times = [datetime.fromtimestamp(start + 3600 * hour, UTC).isoformat() for hour in range(25)]
    meter = "\n".join(["time,mw", *(f"{time},{81.0 if 'T07:' in time else 79.0}" for time in times)])
    held = {"name": "signed.json", "agreement": json.loads(json.dumps(SIGNED.to_json()))}
    said = text(audited(None, sent(meter), "meter.csv", held))
    assert "cap at 01:00 the second time: 81.0 MW, allowed 80.8 MW" in said
    assert "2026-11-01, 25 h" in said
    assert "the signed agreement signed.json" in said
    assert "the clock in America/Chicago" in said


def test_a_meter_without_a_judged_day_is_not_told_to_have_kept_its_envelope() -> None:
    held = json.loads(json.dumps(SIGNED.to_json()))
    day = [f"2026-06-{day:02d}T{hour:02d}:00,{79.0}" for day, hours in ((1, 12), (2, 24)) for hour in range(hours)]
    said = text(audited(held, sent("\n".join(["time,mw", *day[:12]])), "meter.csv"))
    assert "Not judged" in said
    assert "None of 1 day has 95 % of its samples" in said
    said = text(audited(held, sent("\n".join(["time,mw", *day])), "meter.csv"))
    assert "Kept on the days judged" in said
    assert "1 judged day, none with a violation. 1 of 2 days not judged" in said


def test_a_meter_by_the_hour_is_told_why_terms_by_the_quarter_do_not_judge_it() -> None:
    held = json.loads(json.dumps(replace(SIGNED, sampling_min=15).to_json()))
    hours = [f"2026-06-01T{hour:02d}:00,79.0" for hour in range(24)]
    said = text(audited(held, sent("\n".join(["time,mw", *hours])), "meter.csv"))
    assert "Not judged" in said
    assert "a sample every 60 min, and the terms ask one every 15 min" in said


def test_all_lines_that_are_wrong_are_a_list() -> None:
    held = json.loads(json.dumps(SIGNED.to_json()))
    wrong = ["time,mw", "2026-06-01T00:00,79.0", "2026-06-01T01:00,NaN", "2026-06-01T02:20,79.0", "noon,79.0"]
    with pytest.raises(QuestionError) as told:
        audited(held, sent("\n".join(wrong)), "meter.csv")
    said = text(refused(str(told.value), "meter.csv cannot be judged"))
    for words in (
        "meter.csv cannot be judged",
        "3 lines cannot be read",
        "Line 3: NaN MW; a load is 0 or more",
        "Line 4: 2026-06-01T02:20:00 is not on the grid of 60 min",
        "Line 5: 'noon,79.0' is not a time and a number",
    ):
        assert words in said


def test_a_peak_above_its_cap_in_the_response_time_says_why_it_is_kept() -> None:
    """80 MW hold for 15 min after the cap of a shift envelope falls: the largest sample is above the lower cap."""
    shift = Agreement("Alder", envelope("shift"), 100.0, sampling_min=15, response_min=15)
    first = shift.envelope.peak_hours[0] - 1
    caps = np.repeat(shift.cap_mw, 4)
    caps[4 * first] = caps[4 * first - 1]
    found = audit(shift, [datetime(2026, 6, 1, slot // 4, 15 * (slot % 4)) for slot in range(96)], caps)
    assert found.kept
    assert found.days[0].peak_mw > shift.cap_mw[first] + shift.tolerance()[first]
    said = str(view.audited(found, "meter.csv", "the draft"))
    assert "in the response time the cap of the hour before still holds" in said
    assert "cap + tolerance" not in said  # the peak is a largest value, not a rule that it keeps


def test_the_tab_offers_a_zone_and_a_signed_agreement() -> None:
    said = text(place())
    for words in ("Time zone of the hours", "Read a signed agreement", "held against the draft, as it stands"):
        assert words in said
    assert "Back to the draft" in text(signed(SIGNED, "signed.json"))


def test_no_terms_are_drafted_by_hours_of_the_day_where_on_site_resources_give_each_hour_its_own_load() -> None:
    """The gate saw 50 and 75 MW net in two hours: a cap of 80 MW would allow more than it certified."""
    terms = {"sampling_min": "60", "response_min": 15, "tolerance_mw": 0, "tolerance_share": 1, "energy_band": 5,
             "least_coverage": 95}  # fmt: skip
    run = gate_run()
    for onsite in (None, np.array([30.0, 5.0])):
        study = SiteStudy(replace(run, gate=replace(run.gate, onsite_mw=onsite)), None, None, "firm", 100.0, 0.5)
        seat = SimpleNamespace(read=lambda _, study=study: study)
        if onsite is None:
            assert draft(seat, {}, "bus:A", terms, "") is not None  # type: ignore[arg-type]
            continue
        with pytest.raises(QuestionError, match="terms have one cap for each hour of the day"):
            draft(seat, {}, "bus:A", terms, "")  # type: ignore[arg-type]
