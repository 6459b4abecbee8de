"""The table of several feeders: one row for each case, and what its voltages are allowed."""

import re
from dataclasses import replace

from components.feeder_cards_several import row_card
from components.feeder_layers import At
from components.feeder_several import content, rows
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.several import FeederRow, SeveralRun
from tests.callbacks.screen import text
from tests.components.feeder_runs import made_up
from tests.components.test_feeder_panels import page_of

ROW = FeederRow(
    0, "IEEE 34", 24, True, "ok", 77.8, cost=1901.0, bought=1880.0, penalty=0.0, bill=253.0, bill_reactive=-3.0,
    lowest_pu=0.921, highest_pu=1.091, centres_pu=0.98, vuf=0.0072, vuf_mean=0.004, loading=0.937, loss_mwh=2.576,
    error_pu=1.1e-5, apart_phase=1.25, apart_place=7.5, flags=1, violations=2,
    where={"lowest_pu": "bus 890 on a, 19:00", "loading": "line 7, 20:00"},
)  # fmt: skip


def test_the_readers_own_feeder_is_named_and_has_no_limits_of_another() -> None:
    edited = FeederQuestion(feeder="ieee34", edits=(Edit("scale load", value=1.1),))
    file = FeederQuestion(feeder="ieee34", dataset="d" * 64)
    own = [replace(ROW, question=at, feeder=name) for at, name in enumerate(("IEEE 34", "IEEE 34", "Mine"))]
    several = SeveralRun((FeederQuestion(feeder="ieee34"), edited, file), tuple(own), {})
    _, found = rows(several)
    assert [row["feeder"] for row in found] == ["IEEE 34", "IEEE 34, as asked here", "Mine, as asked here"]
    assert [row["allowed"] for row in found] == ["0.90\u20131.10", "0.90\u20131.10", ""]
    shown = re.sub(r"<[^>]*>", " ", page_of(content(made_up("two-bus"), At(), several)))
    assert "Ieee34" not in shown
    assert "tan \u03c6" in shown or "tan φ" in shown  # the formula of what is paid
    assert "Mine" in shown[shown.index("From") :]


def test_voltages_stand_beside_what_their_feeder_allows() -> None:
    questions = (FeederQuestion(feeder="ieee34"), FeederQuestion(feeder="ieee13"))
    other = FeederRow(1, "IEEE 13", 24, None, "failed", 1.0, failure="no answer")
    columns, found = rows(SeveralRun(questions, (ROW, other), {}))
    assert len(found) == 1  # what failed is told apart
    low, high = (float(part) for part in found[0]["allowed"].split("\u2013"))
    # The limits of the worked day of IEEE 34: 0.921 is not beyond them, as it would be on IEEE 37.
    assert (low, high) == (0.90, 1.10)
    assert low <= found[0]["lowest"] <= found[0]["highest"] <= high
    assert found[0]["loading"] == 93.7
    assert [column.label for column in columns][5:8] == ["Lowest voltage, AC", "Highest", "Allowed"]


def test_each_row_has_a_card_with_its_sums_its_places_and_its_own_question() -> None:
    """By hand from the row: 256 - 3 = 253 $ of active and reactive power, 1 + 2 limits, 1880 + 21 = 1901 $."""
    question = FeederQuestion(feeder="ieee34")
    several = SeveralRun((question,), (ROW,), {"date": "2026-01-02T03:04:05+00:00"})
    page = page_of(content(made_up("two-bus"), At(), several))
    assert page.count('id="feeder-why-several-0-on"') == 1
    assert '<th scope="row" class="hr-feeder-text" data-raw="IEEE 34">' in page  # its file has no card in it
    said = text(row_card(several, ROW, "IEEE 34", "0.90\u20131.10")).replace("\u2009", "")
    for words in (
        "256.00 \u2212 3.00 = 253.00 $", "1880.00 + 21.00 = 1901.00 $", "1 + 2 = 3", "0.9210 p.u., bus 890 on a, 19:00",
        "93.7 %, line 7, 20:00", "1.25 $/MWh", "7.50 $/MWh", question.digest[:8], "2026-01-02",
    ):  # fmt: skip
        assert words in said, words
    assert said.count("bus 890") == 1  # no place is made up for an extreme that tells none
