"""Each thing that breaks a premise of the theorem is named, with the ledger's number of the event that did it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.auction.certificate import market_of, read
from engine.auction.premises import Broken, broken_premises, regrets
from engine.auction.rules import Activity, Closing, Increment, Jump, Rules, Withdrawals
from engine.auction.simulate import run
from engine.auction.templates import Seat
from engine.auction.values import KINDS
from tests.engine.auction.markets import configuration, draw
from tests.engine.auction.room import STEP, Room, configured, lots

FREE = Rules(increment=STEP, jump=Jump(kind="any"), withdrawals=Withdrawals(rounds=2))
KNOWN = {"kind": "additive", "values": {"1": 1000, "2": 1000}}


def _room(rules: Rules = FREE, values: Any = KNOWN, **changes: Any) -> Room:
    room = Room(configured(lots(1, 1, **changes), rules), opened=False)
    for bidder in ("a", "b"):
        room.do("admitted", bidder=bidder, name=bidder.upper(), eligibility=2, valuation=values)
    room.do("opened", deadline=None)
    return room


def _broken(room: Room) -> tuple[Broken, ...]:
    valuations = read(room.state)
    verdicts = market_of(room.state.configuration, valuations).verdicts
    return broken_premises(room.state, valuations, verdicts, room.events)


def _kinds(room: Room, found: Broken) -> str | None:
    return None if found.event is None else room.events[found.event - 1].kind


def _the_one(room: Room, premise: str, words: str) -> Broken:
    found = [b for b in _broken(room) if b.premise == premise and words in b.words]
    assert len(found) == 1
    return found[0]


def test_an_auction_by_the_book_breaks_nothing() -> None:
    values = {"kind": "additive", "values": {"1": 9, "2": 4}}
    room = _room(values=values)
    room.round(a=[["1", 5]], b=[["1", 5]])
    room.close()
    assert room.state.phase == "closed"
    assert _broken(room) == ()


def test_a_jump_bid() -> None:
    room = _room()
    room.round(a=[["1", 5], ["2", 5]])
    room.round(b=[["1", 10], ["2", 75]])
    found = _the_one(room, "one fixed increment", "B jumped in round 2: 75 on Lot 2, where 10 was enough")
    assert (found.round, found.bidder, _kinds(room, found)) == (2, 1, "bids submitted")
    assert room.events[found.event - 1].actor == "b"


def test_a_withdrawal() -> None:
    room = _room()
    room.round(a=[["1", 5]])
    room.act("withdrawn", "a", lots=["1"])
    room.close()
    found = _the_one(room, "bids stand", "A withdrew in round 2: Lot 1")
    assert (found.round, _kinds(room, found)) == (2, "withdrawn")


def test_waivers_and_cut_eligibility() -> None:
    activity = Activity(enforced=True, stages=(1.0,), waivers=2)
    room = _room(Rules(increment=STEP, activity=activity))
    room.act("waiver used", "a")
    room.bid("b", ["1", 5], ["2", 5])
    room.close()
    found = _the_one(room, "straightforward bidding", "A used a waiver in round 1")
    assert (found.round, _kinds(room, found)) == (1, "waiver used")
    room.round(b=[])
    found = _the_one(room, "straightforward bidding", "a waiver was used for A in round 2")
    assert (found.bidder, _kinds(room, found)) == (0, "round closed")
    assert not any(b.premise == "eligibility does not bind" for b in _broken(room))
    room = _room(Rules(increment=STEP, activity=replace(activity, waivers=0)))
    room.round(a=[["1", 5]], b=[["1", 5], ["2", 5]])
    found = _the_one(room, "eligibility does not bind", "A's eligibility fell from 2 to 1 in round 1")
    assert (found.round, _kinds(room, found)) == (1, "round closed")


def test_an_annulled_round_counts_as_that_alone() -> None:
    room = _room()
    room.round(a=[["1", 500]])
    room.do("round annulled", round=1, reason="projector failed", deadline=None)
    room.round(a=[["1", 5], ["2", 5]])
    broken = _broken(room)
    found = _the_one(room, "bids stand", "round 1 was annulled")
    assert (found.round, _kinds(room, found)) == (1, "round annulled")
    assert not any(b.premise == "one fixed increment" for b in broken)


def test_what_a_practice_held_is_forgotten() -> None:
    room = Room(configured(lots(1), FREE), opened=False)
    room.do("admitted", bidder="a", name="A", eligibility=2, valuation={"kind": "additive", "values": {"1": 100}})
    room.do("practice begun", deadline=None)
    room.round(a=[["1", 50]])
    room.do("round annulled", round=1, reason="again", deadline=None)
    room.do("muted", bidder="a", muted=True)
    room.do("muted", bidder="a", muted=False)
    room.do("practice ended")
    room.do("opened", deadline=None)
    assert _broken(room) == ()
    room.round(a=[["1", 60]])
    found = _the_one(room, "one fixed increment", "60 on Lot 1")
    assert room.events[found.event - 1].data["bids"][0][1] == 60


def test_who_is_muted_as_a_practice_ends_still_is() -> None:
    room = Room(configured(lots(1), FREE), "a", opened=False)
    room.do("practice begun", deadline=None)
    room.do("muted", bidder="a", muted=True)
    room.do("practice ended")
    room.do("opened", deadline=None)
    assert _kinds(room, _the_one(room, "straightforward bidding", "A was muted")) == "muted"


def test_eligibility_that_nobody_needs_may_fall() -> None:
    """A wants lot 1 only and bids for it: half of his two units go, and nothing is broken by that."""
    rules = Rules(increment=STEP, activity=Activity(enforced=True, stages=(1.0,), waivers=0))
    room = _room(rules, {"kind": "additive", "values": {"1": 9, "2": 4}})
    room.round(a=[["1", 5]], b=[["1", 5]])
    assert min(bidder.eligibility for bidder in room.state.bidders) == 1
    assert _broken(room) == ()


def test_eligibility_in_one_round_does_not_excuse_the_next() -> None:
    """In round 1 three lots are best and two units are all he has; in round 2 two are, and he lets lot 1 go."""
    rules = Rules(increment=STEP, activity=Activity(enforced=True, stages=(0.5,)))
    room = Room(configured(lots(1, 1, 1), rules), opened=False)
    for bidder, units, values in (("a", 2, (40, 40, 7)), ("b", 3, (50, 10, 100))):
        worth = {"kind": "additive", "values": {str(lot): value for lot, value in enumerate(values, 1)}}
        room.do("admitted", bidder=bidder, name=bidder.upper(), eligibility=units, valuation=worth)
    room.do("opened", deadline=None)
    room.round(a=[["2", 5]], b=[["1", 5], ["3", 5]])
    room.round()
    bound = _the_one(room, "eligibility does not bind", "A's best bundle in round 1 has 3 units")
    assert _kinds(room, bound) == "admitted"
    _the_one(room, "straightforward bidding", "A did not bid for the best bundle")


def test_a_muted_bidder_a_default_and_an_unmet_reserve() -> None:
    room = _room(reserve=30)
    room.do("muted", bidder="b", muted=True)
    found = _the_one(room, "straightforward bidding", "B was muted")
    assert (found.bidder, _kinds(room, found)) == (1, "muted")
    room.round(a=[["1", 5], ["2", 45]])
    room.close()
    found = _the_one(room, "reserves are in the prices", "Lot 1 ended at 5, below its reserve of 30")
    assert _kinds(room, found) == "closed"
    room.do("defaulted", bidder="a", lots=["2"])
    found = _the_one(room, "winners pay", "A did not pay for Lot 2")
    assert (found.bidder, _kinds(room, found)) == (0, "defaulted")


def test_a_last_round_with_bids_and_a_cancelled_auction() -> None:
    room = _room(Rules(increment=STEP, closing=Closing(max_rounds=1)))
    room.round(a=[["1", 5], ["2", 5]])
    found = _the_one(room, "it ends when nobody bids", "there were still bids in it")
    assert (found.round, _kinds(room, found)) == (1, "closed")
    room = _room()
    room.do("cancelled", reason="fire alarm")
    assert _kinds(room, _the_one(room, "it ends when nobody bids", "fire alarm")) == "cancelled"


def test_increments_that_follow_the_bids_and_bidders_outside_the_theory() -> None:
    room = _room(Rules(increment=Increment(kind="smoothed")), values=None)
    assert _kinds(room, _the_one(room, "one fixed increment", "increments follow the bids")) == "configured"
    found = _the_one(room, "values are known", "B has no assigned values")
    assert (room.events[found.event - 1].kind, found.bidder) == ("admitted", 1)
    room = _room(values=KNOWN | {"budget": 70})
    assert _the_one(room, "no budget", "A can pay 70 in all").bidder == 0
    room = _room(values={"kind": "bundles", "bundles": [{"lots": {"1": 1, "2": 1}, "value": 30}]})
    found = _the_one(room, "gross substitutes", "B: Lot 1 alone adds 0 and Lot 2 alone 0, but both together add 30")
    assert room.events[found.event - 1].data["bidder"] == "b"


def test_a_bid_that_is_not_for_the_best_bundle_and_a_round_slept_through() -> None:
    room = _room(values={"kind": "additive", "values": {"1": 20, "2": 17}})
    room.round(a=[["2", 5]], b=[["1", 5], ["2", 5]])
    found = _the_one(room, "straightforward bidding", "A did not bid for the best bundle in round 1")
    assert "worth 15 more" in found.words  # lot 1 is worth 20 and could be had for 5
    assert _kinds(room, found) == "bids submitted"
    room = _room(values={"kind": "additive", "values": {"1": 20, "2": 17}})
    room.round(b=[["1", 5], ["2", 5]])
    found = _the_one(room, "straightforward bidding", "A did not bid for the best bundle")
    assert "worth 27 more" in found.words  # 15 and 12
    assert _kinds(room, found) == "round closed"


def test_eligibility_that_is_less_than_the_best_bundle_is_what_is_named() -> None:
    room = Room(configured(lots(1, 1), Rules(increment=STEP, activity=Activity(enforced=True))), opened=False)
    values = {"kind": "additive", "values": {"1": 20, "2": 17}}
    room.do("admitted", bidder="a", name="A", eligibility=1, valuation=values)
    room.do("opened", deadline=None)
    room.round(a=[["1", 5]])
    found = _the_one(room, "eligibility does not bind", "A's best bundle in round 1 has 2 units; the eligibility of 1")
    assert (found.round, _kinds(room, found)) == (1, "admitted")
    assert len(_broken(room)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_straightforward_bots_give_nothing_up_and_random_ones_do(kind: str) -> None:
    rng = np.random.default_rng(16)
    given_up = 0.0
    for case in range(6):
        market = configuration([1] * 4 if case % 2 else [2, 1, 2])
        market = replace(market, rules=Rules(preset="Own", increment=Increment(amount=3)), seed=case)
        seats = [Seat(f"B{k}", draw(kind, market.lots, rng), "", 10**6, 0) for k in range(3)]
        played = run(market, seats).state
        assert np.abs(regrets(played, read(played))).max() <= 1e-9
        played = run(market, seats, bot="random").state
        regret = regrets(played, read(played))
        assert np.nanmin(regret) >= -1e-9
        given_up += float(np.nansum(regret))
    assert given_up > 0
