"""Both of the paper's auctions from values and rules alone: every bid, tie and standing price of every round.

The numbers are those of arXiv 2604.08854, section VI, as kept in tests/cases/auction.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.auction.debrief import debrief
from engine.auction.simulate import run
from engine.auction.state import AuctionState
from engine.auction.templates import TEMPLATES, Seat

PAPER = json.loads((Path(__file__).parents[2] / "cases" / "auction" / "saa_examples.json").read_text())
EXAMPLES = {"paper-1": "example1_additive", "paper-2": "example2_symmetric_concave"}


def _played(key: str, seats: Sequence[Seat] | None = None) -> AuctionState:
    template = TEMPLATES[key]
    return run(template.configuration, template.seats if seats is None else seats).state


def _place(state: AuctionState, number: int) -> int:
    return next(place for place, bidder in enumerate(state.bidders) if bidder.name == f"Bidder {number}")


def _rounds_that_differ(state: AuctionState, of: dict[int, int], example: dict[str, Any]) -> list[str]:
    found = []
    for played, wanted in zip(state.rounds, example["rounds"], strict=False):
        for place, number in of.items():
            acted = played.acted.get(place)
            bids = [[bid.lot + 1, bid.amount] for bid in acted.bids] if acted else []
            if bids != wanted["bids"][f"bidder{number}"]:
                found.append(f"round {played.round}: bids of bidder {number} are {bids}")
        if [lot + 1 for lot in played.tied] != wanted["ties_resolved_on_items"]:
            found.append(f"round {played.round}: ties on {played.tied}")
        standing = [
            {"item": lot + 1, "holder": of.get(int(holder)), "price": int(price)}
            for lot, (holder, price) in enumerate(zip(played.holder, played.price, strict=True))
        ]
        if standing != wanted["standing"]:
            found.append(f"round {played.round}: standing {standing}")
    return found


def _differences(state: AuctionState, example: dict[str, Any]) -> list[str]:
    """Name everything in which a played auction differs from the published one."""
    of, final = {_place(state, number): number for number in (1, 2)}, example["final"]
    found = _rounds_that_differ(state, of, example)
    if len(state.rounds) != final["closing_round_with_no_bids"]:
        found.append(f"{len(state.rounds)} rounds")
    if state.rounds[-1].bids_per_lot.any():
        found.append("bids in the last round")
    if state.price.tolist() != final["prices"]:
        found.append(f"final prices {state.price}")
    for place, number in of.items():
        won = [lot + 1 for lot, holder in enumerate(state.holder) if holder == place]
        paid = int(state.price[state.holder == place].sum())
        if (won, paid) != (final["allocation"][f"bidder{number}"], final["payment"][f"bidder{number}"]):
            found.append(f"bidder {number} has {won} for {paid}")
    return found


@pytest.mark.parametrize("key", EXAMPLES)
def test_the_templates_have_the_papers_values(key: str) -> None:
    template, example = TEMPLATES[key], PAPER[EXAMPLES[key]]
    ids = [lot.id for lot in template.configuration.lots]
    for seat, values in zip(template.seats, example["valuations"], strict=True):
        assert seat.valuation is not None
        if key == "paper-1":
            assert [seat.valuation["values"][lot] for lot in ids] == values
        else:
            assert seat.valuation["totals"] == values
    assert template.configuration.rules.increment.amount == example["increment"]
    assert [(lot.capacity_mw, lot.risk, lot.bus) for lot in template.configuration.lots] == [
        (10.0, 0.0, "3"),
        (6.3, 0.05, "3"),
        (10.0, 0.0, "4"),
        (5.6, 0.05, "4"),
    ]


@pytest.mark.parametrize("key", EXAMPLES)
def test_bots_play_the_papers_auctions_round_by_round(key: str) -> None:
    assert _differences(_played(key), PAPER[EXAMPLES[key]]) == []


@pytest.mark.parametrize("key", EXAMPLES)
def test_swapped_names_do_not_pass(key: str) -> None:
    first, second = TEMPLATES[key].seats
    renamed = [replace(first, name=second.name), replace(second, name=first.name)]
    assert _differences(_played(key, renamed), PAPER[EXAMPLES[key]])


@pytest.mark.parametrize("key", EXAMPLES)
def test_swapped_values_do_not_pass(key: str) -> None:
    first, second = TEMPLATES[key].seats
    swapped = [replace(first, valuation=second.valuation), replace(second, valuation=first.valuation)]
    assert _differences(_played(key, swapped), PAPER[EXAMPLES[key]])


def test_swapped_seats_do_not_pass() -> None:
    for key, name in EXAMPLES.items():
        assert _differences(_played(key, TEMPLATES[key].seats[::-1]), PAPER[name])


@pytest.mark.parametrize("kind", ["paper-lowest", "straightforward"])
def test_other_tie_rules_of_demand_do_not_pass_in_example_2(kind: str) -> None:
    seats = [replace(seat, bot=kind) for seat in TEMPLATES["paper-2"].seats]
    state = _played("paper-2", seats)
    assert _differences(state, PAPER[EXAMPLES["paper-2"]])
    assert int(state.price.sum()) == 40  # the specification: final prices are the same either way


@pytest.mark.parametrize("key", EXAMPLES)
def test_the_debrief_has_tables_vi_to_ix_and_the_published_welfare(key: str) -> None:
    template, example = TEMPLATES[key], PAPER[EXAMPLES[key]]
    told = debrief(run(template.configuration, template.seats).entries)
    number = {lot.id: place + 1 for place, lot in enumerate(template.configuration.lots)}
    for table in told.tables:
        name = f"bidder{table['bidder'] + 1}"
        rows = [
            {
                "bundle": [number[lot] for lot, _ in row["bundle"]],
                **{column: row[column] for column in ("value", "penalty", "price", "modified_surplus")},
            }
            for row in table["rows"]
        ]
        assert rows == example["modified_surplus_tables"][name]
        best = [[number[lot] for lot, _ in row["bundle"]] for row in table["rows"] if row["best"]]
        assert best == example["argmax"][name]
        held = [[number[lot] for lot, _ in row["bundle"]] for row in table["rows"] if row["held"]]
        assert held == [example["final"]["allocation"][name]]
    assert len(told.tables) == 2
    assert told.certificate["badge"] == "equilibrium"
    assert (told.totals.welfare, told.totals.optimum) == (example["welfare"], example["max_welfare"])
    assert [row.pays for row in told.bidders] == list(example["final"]["payment"].values())
    for row, wanted in zip(told.rounds, example["rounds"], strict=False):
        assert [place + 1 for (place,) in row.holders] == [one["holder"] for one in wanted["standing"]]
        assert list(row.prices) == [one["price"] for one in wanted["standing"]]
