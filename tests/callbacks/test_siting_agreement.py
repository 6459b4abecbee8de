"""A signed agreement read from its file, and a meter with a real clock held against it."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from callbacks.siting_agreement import audited, draft, read_signed
from components.siting_agreement import place, signed
from components.siting_site import SiteStudy
from engine.errors import QuestionError
from engine.siting.agreement import Agreement
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


def test_the_tab_offers_a_zone_and_a_signed_agreement() -> None:
    said = text(place())
    for words in ("Time zone of the hours", "Read a signed agreement", "held against the draft at the left"):
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
