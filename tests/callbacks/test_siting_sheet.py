"""The sheet of a site and its draft agreement, on a study that is worked out by hand."""

import base64
import json
from datetime import UTC, datetime

import pytest

from callbacks import siting_agreement, siting_sheet
from callbacks.siting_report import sheet_page
from callbacks.siting_site import SiteSeat, packed_drawn, unpacked_drawn
from engine.errors import NotFoundError, QuestionError
from engine.siting.sheet import gate_sheet, row_of, score_reasons
from tests.callbacks.screen import BEN, text
from tests.callbacks.siting_seats import DRAWN, ORDER, TERMS, desk_of, seat_fixture
from tests.siting_study import gate_run

FIXTURES = (seat_fixture,)  # found by their names here


def test_the_sheet_says_what_the_engine_says_of_the_bus(seat: SiteSeat) -> None:
    said = text(list(siting_sheet.sheet(seat, DRAWN, "bus:A")))
    sheet = gate_sheet(gate_run().gate, 0, "firm", 100.0)
    assert f"{100 * sheet.low:.1f} %" in said
    order = ORDER
    row = row_of(order, 0, "firm", 100.0)
    assert row is not None
    assert f"Why place {score_reasons(order, row).place} of 2" in said
    assert "The loss of unit b at bus B" in said
    assert "What the load does to prices" in said
    broken = sum(hour.outages - hour.without_load for hour in sheet.hours)
    assert f"{broken} pair" in said  # the card of what the load breaks
    assert "The largest size asked that qualifies under firm" in said


def test_the_sheet_without_answer_selection_candidate_or_market_says_so(seat: SiteSeat) -> None:
    assert "once it is computed" in text(list(siting_sheet.sheet(seat, None, "bus:A")))
    assert siting_sheet.sheet(seat, DRAWN, None) == (None, None)
    assert siting_sheet.sheet(seat, DRAWN, "bus:nowhere") == (None, None)
    desk_of(seat).market_there = False
    assert "The market of this site was not run" in text(list(siting_sheet.sheet(seat, DRAWN, "bus:A")))


def test_nobody_else_sees_it(seat: SiteSeat) -> None:
    other = SiteSeat(seat.desk, BEN, seat.study)
    for look in (siting_sheet.sheet, siting_sheet.ac_panel):
        with pytest.raises(NotFoundError):
            look(other, DRAWN, "bus:A", **({"pressed": False} if look is siting_sheet.ac_panel else {}))
    with pytest.raises(NotFoundError):
        sheet_page(other, {"study": seat.study, "bus": "A", "drawn": packed_drawn(DRAWN)}, datetime.now(UTC))


def test_an_outage_is_told_with_the_limits_of_its_certificate_and_marked_on_the_map(seat: SiteSeat) -> None:
    # The loss of a circuit with 80 MW more at B: what A must produce, 150 MW at least, has 80 MW of room.
    told, (branches, buses) = siting_sheet.outage(seat, DRAWN, "bus:B", {"value": "0:0"})
    said = text(told)
    assert "No dispatch keeps these limits" in said
    assert "A-B/2" in said
    assert (branches, buses) == ([0, 1], [])
    unit, marks = siting_sheet.outage(seat, DRAWN, "bus:B", {"value": "3:0"})
    assert marks[1] == [1]
    assert "unit b" in text(unit)
    for nothing in (None, {"value": ""}, {"value": "x:y"}):
        assert siting_sheet.outage(seat, DRAWN, "bus:B", nothing) == (None, ([], []))
    with pytest.raises(QuestionError, match="not drawn any more"):
        siting_sheet.outage(seat, DRAWN, "bus:B", {"value": "99:0"})


def test_ac_flows_are_offered_for_the_worst_hour_and_begun_by_a_press(seat: SiteSeat) -> None:
    asked = siting_sheet.ac_panel(seat, DRAWN, "bus:B", pressed=False)
    assert "80.0 MW at Birch (bus B)" in text(asked.children)
    begun = siting_sheet.ac_panel(seat, DRAWN, "bus:B", pressed=True)
    assert begun.job is not None
    assert siting_sheet.ac_panel(seat, DRAWN, "bus:B", pressed=False).job == begun.job
    assert siting_sheet.ac_panel(seat, DRAWN, None, pressed=False).hidden


def test_the_printed_sheet_holds_the_same_and_an_address_packs_what_is_drawn(seat: SiteSeat) -> None:
    assert unpacked_drawn(packed_drawn(DRAWN)) == DRAWN
    query = {"study": seat.study, "bus": "A", "drawn": packed_drawn(DRAWN)}
    page = sheet_page(seat, query, datetime(2026, 11, 22, tzinfo=UTC))
    sheet = gate_sheet(gate_run().gate, 0, "firm", 100.0)
    assert f"{100 * sheet.low:.1f} %" in page
    assert "Draft agreement" in page
    assert "No AC power flow was computed" in page
    for change, words in (({"bus": "Z"}, "not a candidate"), ({"drawn": "junk"}, "does not say which study")):
        assert words in sheet_page(seat, {**query, **change}, datetime.now(UTC))


# The agreement


def test_a_draft_has_the_terms_of_the_controls_and_refuses_what_is_out_of_bounds(seat: SiteSeat) -> None:
    found = siting_agreement.draft(seat, DRAWN, "bus:A", TERMS, "2: notice\n5: suspension")
    assert found is not None
    assert (found.nameplate_mw, found.tolerance_share, len(found.ladder)) == (100.0, 0.01, 2)
    assert siting_agreement.draft(seat, DRAWN, None, TERMS, "") is None
    for terms, ladder, words in (
        ({**TERMS, "tolerance_share": 200}, "", "0 to 100"),
        ({**TERMS, "response_min": None}, "", "not a number"),
        (TERMS, "soon: notice", "not a number of days"),
        (TERMS, "5: a\n2: b", "must rise"),
    ):
        with pytest.raises(QuestionError, match=words):
            siting_agreement.draft(seat, DRAWN, "bus:A", terms, ladder)


def test_a_meter_is_held_against_exactly_these_terms(seat: SiteSeat) -> None:
    found = siting_agreement.draft(seat, DRAWN, "bus:A", {**TERMS, "sampling_min": "60"}, "1: written notice")
    assert found is not None
    held = json.loads(json.dumps(found.to_json()))

    def sent(mw: float) -> str:
        lines = [f"2026-06-01T{hour:02d}:00,{mw if hour == 15 else 79.0}" for hour in range(24)]
        return "data:text/csv;base64," + base64.b64encode("\n".join(["time,mw", *lines]).encode()).decode()

    # firm: 80 MW all day, 1 % of tolerance: 80.8 MW are allowed.
    assert "Kept" in text(siting_agreement.audited(held, sent(80.8), "meter.csv"))
    broken = text(siting_agreement.audited(held, sent(80.9), "meter.csv"))
    assert "cap at 15:00: 80.9 MW, allowed 80.8 MW" in broken
    assert "written notice" in broken
    invented = text(siting_agreement.audited(held, None, ""))
    assert "1 day of 29 judged days with a violation. 1 of 30 days not judged" in invented
    assert "too few samples to judge" in invented
    for contents in ("data:,???", "data:text/csv;base64," + base64.b64encode(b"a,b\n1,2").decode()):
        with pytest.raises(QuestionError):
            siting_agreement.audited(held, contents, "x")
    with pytest.raises(QuestionError, match="select a candidate"):
        siting_agreement.audited(None, None, "")
