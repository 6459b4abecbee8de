"""Certificates: gap, envy and badge against sums by hand, what complements do, and what bids alone tell."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.auction.amounts import told
from engine.auction.certificate import Certificate, certificate, market_of, read
from engine.auction.equilibrium import table
from engine.auction.revealed import revealed
from engine.auction.rules import Closing, Increment, Jump, Rules, Withdrawals
from engine.auction.simulate import run
from engine.auction.templates import TEMPLATES, Seat
from tests.engine.auction.room import STEP, Room, configured, lots

PAPER = json.loads((Path(__file__).parents[2] / "cases" / "auction" / "saa_examples.json").read_text())
FIRST = {"kind": "additive", "values": {"1": 20, "2": 0, "3": 30, "4": 15}}
SECOND = {"kind": "additive", "values": {"1": 30, "2": 20, "3": 10, "4": 10}}


def _room(*values: Any, sold: Any = None, rules: Rules | None = None) -> Room:
    room = Room(configured(sold or lots(1, 1, 1, 1), rules), opened=False)
    for number, content in enumerate(values, 1):
        room.do("admitted", bidder=f"b{number}", name=f"Bidder {number}", eligibility=100, valuation=content)
    room.do("opened", deadline=None)
    return room


def _certified(room: Room) -> Certificate:
    return certificate(room.state, events=room.events)


def test_the_papers_example_1_round_by_round() -> None:
    """L(p) by hand: prices, and for each bidder what his lots are worth above them."""
    room = _room(FIRST, SECOND)
    found = _certified(room)
    assert (found.round, found.gap, found.badge) == (0, 40, "no equilibrium")  # 65 + 70 at no prices, optimum 95
    room.round(b1=[["1", 5], ["4", 5]], b2=[["1", 5], ["2", 5], ["3", 5], ["4", 5]])
    found = _certified(room)
    # All prices 5: 20 + (15 + 25 + 10) + (25 + 15 + 5 + 5).
    assert (found.dual_value, found.gap) == (120, 25)
    room = _room(FIRST, SECOND)
    for bids in (
        {"b1": [["1", 5], ["3", 5], ["4", 5]], "b2": [["2", 5]]},
        {"b2": [["1", 10]]},
        {"b1": [["1", 15]]},
        {"b2": [["1", 20]]},
        {},
    ):
        room.round(**bids)
    assert room.state.phase == "closed"
    found = _certified(room)
    # Prices 20, 5, 5, 5: 35 + (0 + 25 + 10) + (10 + 15 + 5 + 5) = 105.
    assert (found.final, found.dual_value, found.gap) == (True, 105, 10)
    assert found.badge == "equilibrium"
    assert found.equilibrium.loss == 0
    assert found.market.prices_exist is True
    assert found.words[0] == (
        "The outcome is a competitive equilibrium: at these prices nobody would rather hold anything else, up to one "
        "increment for each product."
    )
    assert found.words[1] == (
        "These prices promise 105 k$ in all, if the seller and every bidder got the best at them; the best possible "
        "welfare is 95: the gap is 10."
    )
    # In round 1 bidder 2 bid for one lot only: told, although the outcome is an equilibrium all the same.
    assert [p.premise for p in found.premises] == ["straightforward bidding"]


def test_envy_names_who_wants_what() -> None:
    room = _room(FIRST, SECOND)
    room.round(b1=[["1", 5], ["2", 5]], b2=[["3", 5], ["4", 5]])
    found = _certified(room)
    assert found.badge == "no equilibrium"
    # Bidder 1 holds 1 and 2 for 10, worth 20; best for him are 1, 3 and 4 with two increments: 65 - 15 - 10.
    assert [check.envy for check in found.checks] == [30, 30]
    assert "Bidder 1 would rather hold Lot 1, Lot 3 and Lot 4: 30 k$ more." in found.words
    told = found.to_json()
    assert told["bidders"][0]["best"] == [["1", 1], ["3", 1], ["4", 1]]
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_no_linear_prices_support_these_complements() -> None:
    """One wants both lots for 30, one any lot for 20: the optimum is 30, half of each wish bounds it by 35."""
    both = {"kind": "bundles", "bundles": [{"lots": {"1": 1, "2": 1}, "value": 30}]}
    either = {"kind": "unit demand", "values": {"1": 20, "2": 20}}
    played = run(
        configured(lots(1, 1), Rules(increment=Increment(amount=1))),
        [Seat("Both", both, "", 100, 0), Seat("Either", either, "", 100, 0)],
    )
    found = certificate(played.state, events=[entry.event for entry in played.entries])
    assert found.market.prices_exist is False
    assert found.market.bound.value == pytest.approx(35)
    assert found.badge == "no equilibrium"
    assert (
        "No prices of single products would content everybody: any of them promise 35 k$ or more, 5 above the best "
        "possible welfare. No linear-price equilibrium exists." in found.words
    )
    witness = [p for p in found.premises if p.premise == "gross substitutes"]
    assert [p.bidder for p in witness] == [0]
    assert "Lot 1 alone adds 0 and Lot 2 alone 0, but both together add 30" in witness[0].words
    assert played.entries[witness[0].event - 1].event.data["name"] == "Both"
    assert found.gap >= 5 - 1e-6
    assert found.loss_at_most is not None
    assert found.equilibrium.loss <= found.loss_at_most


def test_a_budget_takes_the_badge_away() -> None:
    room = _room({"kind": "additive", "values": {"3": 30, "4": 15}, "budget": 10}, SECOND)
    room.round(b1=[["3", 5], ["4", 5]], b2=[["1", 5], ["2", 5]])
    room.close()
    found = _certified(room)
    assert found.badge == "none"
    assert found.equilibrium.holds  # the conditions themselves are computed all the same
    assert found.words[0] == "No badge: Bidder 1 bid within a budget, which the theory does not know."
    assert found.to_json()["bidders"][0]["budgeted"] is True


def test_people_without_values_are_bounded_by_their_bids() -> None:
    room = _room(None, SECOND)
    room.round(b1=[["1", 5], ["3", 5]], b2=[["2", 5], ["4", 5]])
    room.round(b2=[["1", 10]])
    room.round(b1=[["1", 15]])
    assert _certified(room).loss_at_most is None  # who bids may want more: he could be worth anything to him
    room.round()
    found = _certified(room)
    assert (found.badge, found.equilibrium, found.gap) == ("none", None, None)
    assert "1 of 2 bidders has no assigned values" in found.words[0]
    told = found.revealed[0]
    assert (told.held_at_least, told.pays) == (20, 20)  # lots 1 and 3 for 15 + 5
    assert told.offers.value({0}) == 0  # never offered alone
    # His 20 and bidder 2's 30 for lots 2 and 4.
    assert found.welfare_at_least == 50
    # Bidder 2 wants lot 1 at 15 + 5 still: envy 10. One increment for each of four lots: 20.
    assert found.loss_at_most == 30
    assert found.to_json()["optimum"] is None
    assert any("worth 20 or more to the bidder" in words for words in found.words)


def test_silence_tells_nothing_where_a_withdrawal_lowers_prices_after_it() -> None:
    """A jumps to 50, B is outbid at 5 and rightly silent; then A withdraws, and B's 30 are lost, not one increment."""
    rules = Rules(increment=STEP, jump=Jump(kind="any"), withdrawals=Withdrawals(rounds=1), closing=Closing(2))
    room = Room(configured(lots(1), rules), opened=False)
    room.do("admitted", bidder="a", name="A", eligibility=1, valuation={"kind": "additive", "values": {"1": 4}})
    room.do("admitted", bidder="b", name="B", eligibility=1)
    room.do("opened", deadline=None)
    room.round(a=[["1", 50]], b=[["1", 5]])
    room.act("withdrawn", "a", lots=["1"])
    assert room.close().phase == "closed"
    assert _certified(room).loss_at_most is None


def test_who_came_late_or_was_muted_has_not_let_the_round_pass() -> None:
    room = _room(None, SECOND)
    room.round(b2=[["1", 5]])
    assert _certified(room).loss_at_most is not None
    room.do("admitted", bidder="late", name="Late", eligibility=4)
    assert _certified(room).loss_at_most is None
    room.round(b2=[["2", 5]])
    assert _certified(room).loss_at_most is not None
    room.do("muted", bidder="late", muted=True)
    assert _certified(room).loss_at_most is None


def test_an_offer_once_made_for_what_is_held_now_counts() -> None:
    rules = Rules(increment=STEP, jump=Jump(kind="any"))
    room = _room(None, None, sold=lots(1, 1), rules=rules)
    room.round(b1=[["1", 5], ["2", 90]])
    room.round(b2=[["1", 70], ["2", 95]])
    room.round(b1=[["1", 75]])
    room.round(b2=[["1", 80]])
    room.round(b1=[["2", 100]])
    told = revealed(room.state, 0)
    assert {tuple(b): w for b, w in zip(told.offers.listed.tolist(), told.offers.worth.tolist(), strict=True)} == {
        (1, 1): 95,
        (1, 0): 75,
        (0, 1): 100,
    }
    assert (told.held_at_least, told.pays) == (100, 100)


def test_an_unmet_reserve_is_the_sellers() -> None:
    values = {"kind": "additive", "values": {"1": 12, "2": 50}}
    room = _room(values, sold=lots(1, 1, reserve=20), rules=Rules(increment=STEP, jump=Jump(kind="any")))
    room.round(b1=[["1", 5], ["2", 25]])
    found = _certified(room)
    assert found.outcome.below_reserve == 15  # lot 1 stands at 5, below 20
    assert found.badge == "no equilibrium"
    room.close()
    found = _certified(room)
    # The seller keeps lot 1 at 20, where it is worth 12 to the bidder; both conditions hold, and the optimum is 70.
    assert found.outcome.holder.tolist() == [-1, 0]
    assert found.outcome.price.tolist() == [20, 25]
    assert (found.equilibrium.welfare, found.market.optimum.welfare, found.equilibrium.loss) == (70, 70, 0)
    assert found.badge == "equilibrium"
    assert any(p.premise == "reserves are in the prices" for p in found.premises)


def test_the_market_is_the_same_for_all_rounds() -> None:
    room = _room(FIRST, SECOND)
    market = market_of(room.state.configuration, read(room.state))
    room.round(b1=[["1", 5]])
    once = certificate(room.state, events=room.events, market=market)
    assert once.market is market
    assert once.to_json() == _certified(room).to_json()
    assert np.isfinite(once.gap)


def test_an_auction_without_bidders_known_or_not_has_a_certificate() -> None:
    room = Room(configured(lots(1)), opened=False)
    found = _certified(room)
    assert (found.checks, found.gap, found.badge) == ((), 0, "equilibrium")


@pytest.mark.parametrize(
    ("key", "example"), [("paper-1", "example1_additive"), ("paper-2", "example2_symmetric_concave")]
)
def test_the_papers_auctions_end_with_its_tables_and_a_badge(key: str, example: str) -> None:
    """Tables VI to IX of arXiv 2604.08854 from the auction that bots play, not from numbers put in."""
    template, paper = TEMPLATES[key], PAPER[example]
    played = run(template.configuration, template.seats)
    found = certificate(played.state, events=[entry.event for entry in played.entries])
    assert found.badge == "equilibrium"
    assert (found.round, found.equilibrium.loss) == (paper["final"]["closing_round_with_no_bids"], 0)
    assert found.market.optimum.welfare == paper["max_welfare"]
    for place, valuation in enumerate(found.market.known):
        name = f"bidder{place + 1}"
        rows = {
            tuple(k + 1 for k, n in enumerate(row.bundle) if n): (
                row.value,
                row.penalty,
                row.price,
                row.modified_surplus,
            )
            for row in table(valuation, found.outcome, place)
        }
        assert rows == {
            tuple(row["bundle"]): (row["value"], row["penalty"], row["price"], row["modified_surplus"])
            for row in paper["modified_surplus_tables"][name]
        }
        assert found.checks[place].surplus == paper["max_modified_surplus"][name]


def test_what_was_not_looked_for_is_not_found() -> None:
    room = _room(FIRST, SECOND)
    room.round(b1=[["2", 5]])
    every = certificate(room.state, events=room.events)
    assert [p.premise for p in every.premises] == ["straightforward bidding"] * 2
    assert certificate(room.state, events=room.events, departures=False).premises == ()


def test_amounts_are_written_out() -> None:
    amounts = (0.0, -0.001, 5.0, 12.5, 1234567.891, 1e9)
    assert [told(amount) for amount in amounts] == [
        "0",
        "0",
        "5",
        "12.5",
        "1\u2009234\u2009567.89",
        "1\u2009000\u2009000\u2009000",
    ]
    assert told(1 / 3, 4) == "0.3333"
    assert told(1200, 0) == "1\u2009200"


def test_many_bidders_are_summed_up() -> None:
    values = [{"kind": "additive", "values": {"1": 10 * k}} for k in range(1, 6)]
    found = _certified(_room(*values, sold=lots(1)))
    # Nobody holds anything; at 0 and an increment of 5 each wants the lot: 5, 15, 25, 35 and 45 more.
    assert found.words[1:5] == (
        "Bidder 5 would rather hold Lot 1: 45 k$ more.",
        "Bidder 4 would rather hold Lot 1: 35 k$ more.",
        "Bidder 3 would rather hold Lot 1: 25 k$ more.",
        "So would 2 others rather hold something else: 20 k$ more.",
    )
    room = _room(*[None] * 5, sold=lots(1, 1, 1, 1, 1))
    room.round(**{f"b{k}": [[f"{k}", 5]] for k in range(1, 6)})
    told_of = _certified(room).words
    assert told_of[-1] == "What 2 others without assigned values hold is worth 10 k$ or more likewise."
    assert sum("has no assigned values" in words for words in told_of) == 3
