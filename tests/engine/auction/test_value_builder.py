"""From a business to values: the arithmetic by hand, its limits, and the sheet that a bidder is given."""

import csv
import io
import math

import pytest

from engine.auction.rules import Configuration, Lot
from engine.auction.value_builder import Inputs, annuity, build, sheet_csv, value_sheet
from engine.auction.values import Campus, check, from_json
from engine.errors import QuestionError

LOTS = (
    Lot("firm", "10 MW firm at A", 10.0, 0.0, "A", 10),
    Lot("flex", "10 MW at 5 % at A", 10.0, 0.05, "A", 10),
    Lot("blocks", "5 MW firm at B", 5.0, 0.0, "B", 5, quantity=3),
)
MARKET = Configuration("Test", LOTS)


def test_a_years_value_by_hand() -> None:
    built = build(Inputs(revenue_per_mw_year=200_000.0, backup_cost_per_mwh=300.0), MARKET)
    # 5 % of 8760 h are 438 h; 300 $/MWh x 438 h are 131,400 $ a MW, which leaves 68,600 of 200,000.
    assert built.valuation == {"kind": "additive", "values": {"firm": 2000, "flex": 686, "blocks": 1000}}
    flexible = built.lots[1]
    assert (flexible.hours, flexible.earned_per_mw_year, flexible.exact) == (438.0, 68_600.0, 686.0)
    assert "10 MW x 1 years x (200000 - 300 x 438) = 686 k$" in flexible.words


def test_stated_hours_replace_those_of_the_risk() -> None:
    built = build(Inputs(200_000.0, 300.0, hours_interrupted={0.05: 100.0}), MARKET)
    assert built.valuation["values"]["flex"] == 1700  # 10 x (200,000 - 30,000) $


@pytest.mark.parametrize("rate", [0.0, 0.03, 0.08, 1.0])
def test_the_annuity_is_the_sum_of_discounted_years(rate: float) -> None:
    assert annuity(12, rate) == pytest.approx(math.fsum((1 + rate) ** -t for t in range(1, 13)))


def test_years_and_a_discount_rate_scale_every_value() -> None:
    built = build(Inputs(200_000.0, years=10, discount_rate=0.08), MARKET)
    assert built.valuation["values"]["firm"] == math.floor(
        2000 * 6.710081398941
    )  # present value of an annuity, 10 x 8 %
    assert next(step.value for step in built.steps if step.symbol == "a") == pytest.approx(6.710081398941)


def test_dear_backup_makes_a_flexible_lot_worthless_and_is_told() -> None:
    built = build(Inputs(100_000.0, 400.0), MARKET)
    assert built.valuation["values"]["flex"] == 0
    assert built.lots[1].exact == -752.0  # 10 x (100,000 - 400 x 438) $
    assert any("flex" in notice for notice in built.notices)


def test_a_minimum_size_gives_a_campus_whose_lots_are_complements() -> None:
    built = build(Inputs(200_000.0, 300.0, minimum_campus_mw=15.0, budget=900), MARKET)
    valuation = from_json(built.valuation, MARKET)
    assert isinstance(valuation, Campus)
    assert valuation.budget == 900
    assert valuation.value([0]) == 0.0  # 10 MW are too small
    assert valuation.value([0, 1]) == 2686.0
    assert any("complements" in notice for notice in built.notices)


def test_a_minimum_size_that_no_bus_offers_is_told() -> None:
    notices = build(Inputs(200_000.0, minimum_campus_mw=50.0), MARKET).notices
    assert any("every bundle is worth 0" in notice for notice in notices)


def test_every_wrong_input_is_named_at_once() -> None:
    wrong = Inputs(-1.0, math.nan, {0.05: 9000.0}, -2.0, years=0, discount_rate=2.0, budget=-1)
    with pytest.raises(QuestionError) as refused:
        build(wrong, MARKET)
    words = str(refused.value)
    for part in ("revenue", "backup", "minimum campus", "years", "discount", "hours", "budget"):
        assert part in words


def test_a_currency_of_unknown_size_is_refused() -> None:
    with pytest.raises(QuestionError, match="points"):
        build(Inputs(1.0), Configuration("Test", LOTS, currency="points"))


@pytest.mark.parametrize(
    ("valuation", "rows"),
    [
        ({"kind": "additive", "values": {"firm": 7}, "budget": 9}, [("firm", 7), ("flex", 0), ("blocks", 0), ("", 9)]),
        ({"kind": "unit demand", "values": {"flex": 3}}, [("firm", 0), ("flex", 3), ("blocks", 0)]),
        ({"kind": "symmetric", "totals": [0, 30, 50]}, [("", 30), ("", 50)]),
        (
            {"kind": "campus", "values": {"firm": 5}, "minimum_mw": 20},
            [("firm", 5), ("flex", 0), ("blocks", 0), ("", 0)],
        ),
        ({"kind": "bundles", "bundles": [{"lots": {"firm": 1, "blocks": 2}, "value": 40}]}, [("firm + blocks", 40)]),
    ],
)
def test_a_sheet_tells_every_kind_of_values(valuation: dict, rows: list[tuple[str, int]]) -> None:
    assert check(valuation, MARKET) == []
    sheet = value_sheet(valuation, MARKET)
    assert [(row["lot"], row["value"]) for row in sheet] == rows
    assert all(row["name"] and row["words"] for row in sheet)
    read = list(csv.DictReader(io.StringIO(sheet_csv(sheet))))
    assert [(row["lot"], int(row["value"])) for row in read] == rows
