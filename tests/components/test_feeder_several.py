"""The table of several feeders: one row for each case, and what its voltages are allowed."""

from components.feeder_several import rows
from engine.distribution.question import FeederQuestion
from engine.distribution.several import FeederRow, SeveralRun

ROW = FeederRow(
    0, "IEEE 34", 24, True, 1901.0, 0.0, 253.0, 0.921, 1.091, 0.0072, 0.937, 2.576, 1.1e-5, 0, 0, "ok", 77.8
)


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
