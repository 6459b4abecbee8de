"""The debrief page: what it draws of an auction, held against the published examples and against the ledger."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash import html

from components import auction_debrief as view
from components import auction_debrief_more as more
from components import auction_debrief_paths as paths
from components import auction_debrief_proof as proof
from components.auction_debrief_money import surplus_figure
from components.auction_debrief_parts import MOST_ROWS, codes
from engine.auction.debrief import Debrief, debrief
from engine.auction.rules import Configuration, Increment, Lot, Rules
from engine.auction.simulate import play
from engine.auction.templates import TEMPLATES, Seat
from engine.auction.what_if import Change, rerun
from tests.callbacks.screen import ids_in, text

CASES = json.loads((Path(__file__).parents[1] / "cases" / "auction" / "saa_examples.json").read_text(encoding="utf-8"))
EXAMPLES = {"paper-1": CASES["example1_additive"], "paper-2": CASES["example2_symmetric_concave"]}


@lru_cache
def told(key: str) -> Debrief:
    template = TEMPLATES[key]
    return debrief(play(template.configuration, template.seats))


def story_of(found: Debrief, configuration: Configuration, **more_: Any) -> list[Any]:
    return view.story(view.Story(found, configuration, **more_))


@lru_cache
def page(key: str) -> list[Any]:
    return story_of(told(key), TEMPLATES[key].configuration)


def inside(part: Any) -> Iterator[Any]:
    """Give a component and all that is in it."""
    if isinstance(part, list | tuple):
        for child in part:
            yield from inside(child)
    elif part is not None and not isinstance(part, str | int | float):
        yield part
        yield from inside(getattr(part, "children", None))


def table(part: Any, name: str) -> list[list[str]]:
    """Return the cells of a table of the page as a CSV of it would hold them, without the head."""
    found = next(one for one in inside(part) if getattr(one, "id", None) == f"debrief-table-{name}")
    rows = [one for one in inside(found) if isinstance(one, html.Tr)][1:]
    return [[getattr(cell, "data-raw", None) or text(cell) for cell in row.children] for row in rows]


def numbers(bundle: str) -> tuple[int, ...]:
    return () if bundle == "nothing" else tuple(int(number) for number in bundle.split(", "))


@pytest.mark.parametrize("key", EXAMPLES)
@pytest.mark.parametrize("bidder", [0, 1])
def test_the_pages_tables_are_the_papers_vi_to_ix(key: str, bidder: int) -> None:
    case, name = EXAMPLES[key], f"bidder{bidder + 1}"
    published = {
        tuple(row["bundle"]): (row["value"], row["penalty"], row["price"], row["modified_surplus"])
        for row in case["modified_surplus_tables"][name]
    }
    shown = table(page(key), f"bundles-{bidder}")
    assert {numbers(row[0]): tuple(float(cell) for cell in row[1:]) for row in shown} == published
    rows = proof.rows_of(told(key).tables[bidder])
    lots = {str(lot["id"]): place for place, lot in enumerate(told(key).lots, 1)}
    marked = {
        mark: {tuple(lots[lot] for lot, _ in row["bundle"]) for row in rows if row[mark]} for mark in ("held", "best")
    }
    assert marked["held"] == {tuple(case["final"]["allocation"][name])}
    assert marked["best"] == {tuple(bundle) for bundle in case["argmax"][name]}
    stars = {numbers(row[0]) for row, drawn in zip(shown, _drawn(page(key), bidder), strict=True) if "★" in drawn}
    assert stars == marked["best"]


def _drawn(part: Any, bidder: int) -> list[str]:
    found = next(one for one in inside(part) if getattr(one, "id", None) == f"debrief-table-bundles-{bidder}")
    return [text(one) for one in inside(found) if isinstance(one, html.Tr)][1:]


@pytest.mark.parametrize("key", EXAMPLES)
def test_prices_and_holders_are_those_of_the_published_rounds(key: str) -> None:
    case, found = EXAMPLES[key], told(key)
    standing = [done["standing"] for done in case["rounds"]]
    standing += [standing[-1]] * (case["final"]["closing_round_with_no_bids"] - len(standing))
    published = [[item["price"] for item in held] for held in standing]
    figure = paths.price_figure(found, range(4))
    assert [list(prices) for prices in zip(*(trace.y for trace in figure.data), strict=True)] == published
    assert [[int(cell) for cell in row[1:5]] for row in table(page(key), "prices")] == published
    letters = [["AB"[item["holder"] - 1] for item in held] for held in standing]
    strip = table(page(key), "holders")
    assert [list(held) for held in zip(*(row[1:] for row in strip), strict=True)] == letters


def test_payments_are_the_published_ones_and_add_up() -> None:
    rows = {row[0]: float(row[-1]) for row in table(page("paper-1"), "payments")}
    final = EXAMPLES["paper-1"]["final"]["payment"]
    assert rows == {"Bidder 1": final["bidder1"], "Bidder 2": final["bidder2"], "All": 40}


def test_the_top_says_it_in_a_sentence() -> None:
    assert view.lead(told("paper-1")) == (
        "All 4 products, 31.9 MW, went to 2 bidders for 40 k$ in 5 rounds. They are with those who value them most."
    )


def test_lost_value_and_losses_are_told_at_the_top() -> None:
    found = told("paper-1")
    totals = replace(found.totals, welfare=80.0, efficiency=80 / 95, exposure_loss=4.0)
    losing = replace(found.bidders[0], loss=4.0)
    said = view.lead(replace(found, totals=totals, bidders=(losing, found.bidders[1])))
    assert "15 k$ of value is lost" in said
    assert "Bidder 1 paid 4 k$ more than what it won is worth to it." in said
    items = {item["label"]: item for item in view.headline(replace(found, totals=totals))}
    assert items["Exposure losses"]["sign"] == "binding"


def test_efficiency_is_never_rounded_up_to_all_of_it() -> None:
    found = told("paper-1")
    almost = replace(found, totals=replace(found.totals, welfare=94.99, efficiency=94.99 / 95))
    assert "99.9 %" in text(view.efficiency(almost))
    assert "100 %" in text(view.efficiency(found))


def test_the_hatched_zone_is_one_increment_for_each_block() -> None:
    zone = next(
        one for one in inside(view.efficiency(told("paper-1"))) if getattr(one, "className", "") == "hr-debrief-zone"
    )
    assert zone.style["left"] == f"{100 * (1 - 4 * 5 / 95):.2f}%"  # bound (9): 4 blocks, increment 5, optimum 95


def test_every_headline_number_says_why() -> None:
    known = ids_in(page("paper-1"))
    for key in ("revenue", "welfare", "efficiency", "optimum", "rounds", "exposure-loss", "gap", "dual_value", "bound"):
        assert f"debrief-why-{key}" in known, key
    assert len([one for one in inside(page("paper-1")) if getattr(one, "id", None) is not None]) == len(known)


def test_no_linear_prices_are_told_where_there_are_none() -> None:
    """The campus template: two lots at West are worth 60 together to one, 40 each to another; nothing clears."""
    said = text(page("campus"))
    assert "No linear-price equilibrium exists" in said
    assert "There are no equilibrium prices to compare with" in said
    premises = table(page("campus"), "premises")
    assert any(row[0] == "gross substitutes" and "complements" in row[1] for row in premises)


def test_surplus_bars_and_table_are_the_same_numbers() -> None:
    found = told("campus")
    figure = surplus_figure(found, list(found.bidders))
    rows = {row[0]: row for row in table(page("campus"), "surplus")}
    played = next(trace for trace in figure.data if trace.name == "as played")
    assert {name: float(rows[name][3]) for name in played.x} == dict(zip(played.x, played.y, strict=True))
    for row in found.bidders:
        assert row.value is not None
        assert float(rows[row.name][3]) == pytest.approx(row.value - row.pays)
    assert len({trace.marker.pattern.shape for trace in figure.data}) == len(figure.data)  # not told by colour alone


def test_unknown_values_show_bounds_and_no_bar() -> None:
    template = TEMPLATES["paper-1"]
    seats = [replace(template.seats[0], valuation=None), template.seats[1]]
    found = debrief(play(template.configuration, seats))
    drawn = story_of(found, template.configuration)
    assert view.efficiency(found) == []
    assert "cannot be told" in view.lead(found)
    assert "No verdict" in text(drawn)
    assert "Bidder 1 has no assigned values" in text(drawn)
    assert any(item["label"] == "Welfare, from bids alone" for item in view.headline(found))


def test_an_auction_without_a_bid_is_told() -> None:
    template = TEMPLATES["paper-1"]
    found = debrief(play(template.configuration, [replace(seat, valuation=None) for seat in template.seats]))
    assert view.lead(found).startswith("Nobody bid: none of 4 products was sold.")
    assert "nobody" in text(story_of(found, template.configuration))


@lru_cache
def large() -> tuple[Debrief, Configuration]:
    """FCC 97's number of lots, two bidders who each want every other lot."""
    lots = tuple(Lot(f"l{n}", f"Lot {n}", 10.0, 0.0, str(n), 10) for n in range(1614))
    configuration = Configuration("Large", lots, Rules(preset="Own", increment=Increment("fixed", 50)))
    worth = [{lot.id: 40 + 60 * ((n + place) % 2) + n % 7 for n, lot in enumerate(lots)} for place in (0, 1)]
    seats = [
        Seat(f"Bidder {n}", {"kind": "additive", "values": values}, "straightforward", 16_140)
        for n, values in enumerate(worth, 1)
    ]
    return debrief(play(configuration, seats)), configuration


def test_a_large_auction_is_shown_in_part_and_says_so() -> None:
    found, configuration = large()
    drawn = story_of(found, configuration)
    assert len(table(drawn, "allocation")) == MOST_ROWS
    assert len(table(drawn, "holders")) == paths.MOST_HELD
    said = text(drawn)
    assert f"{MOST_ROWS} of 1\u2009614 rows are shown" in said
    assert f"{paths.MOST_LINES} of 1\u2009614 products are shown" in said
    prices = [row or 0 for row in found.rounds[-1].prices]
    lots = paths.drawn_lots(found, paths.MOST_LINES)
    assert min(prices[lot] for lot in lots) >= np.sort(prices)[-paths.MOST_LINES]
    size = len(json.dumps([part.to_plotly_json() for part in drawn], default=lambda one: one.to_plotly_json()))
    assert size < 1_200_000
    bundles = [row[0] for row in table(drawn, "bundles-0")]
    assert "the 807 products held" in bundles
    assert any(row.startswith("what is held, with") for row in bundles)


def test_of_many_bidders_the_first_have_a_table_and_each_has_a_line_and_a_file() -> None:
    found = told("paper-1")
    many = [dict(found.tables[0], bidder=place, name=f"Bidder {place + 1}") for place in range(40)]
    drawn = proof.tables(replace(found, tables=tuple(many)))
    listed = {one for one in ids_in(drawn) if str(one).startswith("debrief-table-bundles-")}
    assert listed == {f"debrief-table-bundles-{place}" for place in range(proof.MOST_TABLES)}
    kept = [one.id["bidder"] for one in inside(drawn) if isinstance(getattr(one, "id", None), dict)]
    assert kept == list(range(proof.MOST_TABLES, 40))
    # The paper's table VI: bidder 1 won {3, 4} with 30, the largest surplus after the penalty.
    assert text(drawn).count("holds a best bundle, 30 k$") == 40


def test_bundles_are_ranked_where_there_are_many() -> None:
    rows = [{"modified_surplus": float(n % 100), "held": n == 3, "best": n % 100 == 99} for n in range(256)]
    kept = proof.telling(rows)
    assert len(kept) == proof.TELLING + 1
    assert kept[-1]["held"]  # 3 is far down, and kept all the same
    least = min(row["modified_surplus"] for row in kept[:-1])
    assert sum(row["modified_surplus"] > least for row in rows) <= proof.TELLING
    assert proof.telling(rows[:64]) == rows[:64]


def test_long_auctions_keep_the_first_and_last_rounds_in_the_strip() -> None:
    row = told("paper-1").rounds[0]
    rounds = [replace(row, round=number) for number in range(1, 342)]
    kept = [one.round for one in paths.drawn_rounds(rounds)]
    assert kept == [*range(1, 31), *range(312, 342)]
    assert paths.drawn_rounds(rounds[:60]) == rounds[:60]


def test_letters_of_bidders_go_on_after_z() -> None:
    found = codes(70)
    assert (found[0], found[25], found[26], found[51], found[52]) == ("A", "Z", "AA", "AZ", "BA")
    assert len(set(found)) == 70


def test_blocks_are_counted_by_holder() -> None:
    assert paths.held_words((0, 1, 0, None), ["A", "B"]) == "A2 B"
    assert paths.held_words((None, None), ["A", "B"]) == "·"


def test_another_rule_is_told_against_two_runs() -> None:
    template = TEMPLATES["paper-1"]
    found = rerun(play(template.configuration, template.seats), Change("increment 10 k$", {"increment.amount": 10}))
    rows = {row[0]: row[1:] for row in table(more.compared(found, "k$"), "change")}
    assert [float(cell) for cell in rows["Revenue, k$"]] == [
        found.played.revenue, found.before.revenue, found.after.revenue, found.after.revenue - found.before.revenue
    ]  # fmt: skip
    assert [int(float(cell)) for cell in rows["Rounds"]][:3] == [5, 5, found.after.rounds]


@pytest.mark.parametrize(
    ("state", "words"),
    [("impossible", "This cannot be checked"), ("failed", "The check failed"), ("not asked", "Not checked")],
)
def test_a_delivery_that_was_not_checked_says_why(state: str, words: str) -> None:
    said = text(more.delivery({"state": state, "words": "because of this"}))
    assert words in said
    assert "because of this" in said


def test_a_delivery_tells_the_tightest_limits() -> None:
    row = {"words": "line 1-2", "level": 0.0, "period": "", "margin_mw": 30.0, "used_mw": 25.5, "slack_mw": 4.5}
    drawn = more.delivery({"state": "done", "words": "Holds.", "holds": True, "witness": {"rows": [row]}})
    assert table(drawn, "delivery") == [["line 1-2", "0.0", "30.0", "25.5", "4.5"]]
    assert "can be delivered at once" in text(drawn)
