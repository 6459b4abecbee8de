"""What tables made from the market say below them: the days with their weights, and the noise floor."""

from dataclasses import replace

from components.siting_basis import days_and_floor, days_words
from tests.siting_study import market_run


def test_the_one_day_and_the_floor_of_a_quarter_are_told() -> None:
    told = days_and_floor(market_run())
    assert told.startswith("Day: 2020-08-12 (highest load), one of the typical days: alone it does not stand for")
    assert "mean LMP 0.250 $/MWh" in told
    assert "congestion rent 0.2500 M$/day" in told
    assert days_and_floor(None) == ""


def test_days_count_by_their_share_of_the_weights_and_no_floor_is_said() -> None:
    run = market_run()
    days = [{"label": "a", "reason": "highest load, 200 MW", "weight": 3.0}, {"label": "b", "reason": "c", "weight": 1}]
    two = replace(run, question=replace(run.question, days="typical"), facts={**run.facts, "days": days}, floor=None)
    assert days_words(two) == "Days: a (highest load, counts 75 %), b (c, counts 25 %)."  # 3 and 1 of 4
    assert "No noise floor was asked for" in days_and_floor(two)
