"""The table of several feeders: one row for each case, and what its voltages are allowed."""

import re
from dataclasses import replace

from components.feeder_layers import At
from components.feeder_several import content, rows
from engine.distribution.question import Edit, FeederQuestion
from engine.distribution.several import FeederRow, SeveralRun
from tests.components.feeder_runs import made_up
from tests.components.test_feeder_panels import page_of

ROW = FeederRow(
    0, "IEEE 34", 24, True, 1901.0, 0.0, 253.0, 0.921, 1.091, 0.0072, 0.937, 2.576, 1.1e-5, 0, 0, "ok", 77.8
)


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
    other = FeederRow(1, "IEEE 13", 24, None, *(None,) * 11, "failed", 1.0, "no answer")
    columns, found = rows(SeveralRun(questions, (ROW, other), {}))
    assert len(found) == 1  # what failed is told apart
    low, high = (float(part) for part in found[0]["allowed"].split("\u2013"))
    # The limits of the worked day of IEEE 34: 0.921 is not beyond them, as it would be on IEEE 37.
    assert (low, high) == (0.90, 1.10)
    assert low <= found[0]["lowest"] <= found[0]["highest"] <= high
    assert found[0]["loading"] == 93.7
    assert [column.label for column in columns][5:8] == ["Lowest voltage, AC", "Highest", "Allowed"]
