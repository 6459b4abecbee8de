"""What may happen when: phases, seats, the clock, practice, annulled rounds, repeated and hostile events."""

import json
from dataclasses import replace

import numpy as np
import pytest

from engine.auction.acting import request_done
from engine.auction.checking import check_bids
from engine.auction.events import Event
from engine.auction.results import state_digest
from engine.auction.rules import Activity, Rules, Withdrawals
from engine.auction.transitions import apply
from engine.errors import AuctionRuleError
from tests.engine.auction.room import STEP, Room, configured, lots

KEEN = Rules(
    increment=STEP,
    activity=Activity(enforced=True, stages=(0.5, 1.0), waivers=2, quiet_rounds=0),
    withdrawals=Withdrawals(rounds=2),
)


def kept(room: Room) -> tuple[object, ...]:
    """What an annulment must bring back."""
    state = room.state
    seats = [(b.eligibility, b.waivers_left, b.withdrawal_rounds_left) for b in state.bidders]
    arrays = (state.price, state.holder, state.minimum, state.runner_up, state.activity_index)
    return (state.round, state.stage, state.pointer, seats, [array.tolist() for array in arrays], len(state.rounds))


def test_an_auction_begins_with_its_configuration_and_only_once() -> None:
    event = Event("opened", 1.0, "host", {"deadline": None})
    with pytest.raises(AuctionRuleError, match="begins with its configuration"):
        apply(None, event)
    room = Room(configured(lots(1)), "a")
    assert room.refusal("configured", configuration={}) == {"event"}
    assert Room(configured(lots(1)), opened=False).refusal("opened", deadline=None) == {"bidders"}


def test_the_state_is_never_changed_in_place() -> None:
    room = Room(configured(lots(1, 2)), "a", "b")
    for array in (room.state.price, room.state.holder, room.state.minimum, room.state.runner_up):
        assert not array.flags.writeable
    before, digest = room.state, state_digest(room.state)
    room.round(a=[["1", 5], ["2", 5, 2]], b=[["1", 5], ["2", 5, 2]])
    assert state_digest(before) == digest
    assert state_digest(room.state) != digest


def test_seats_have_different_ids_and_names_and_none_is_called_host() -> None:
    room = Room(configured(lots(1)), "a")
    seat = {"bidder": "b", "name": "B", "eligibility": 1}
    assert room.refusal("admitted", **seat | {"bidder": "a"}) == {"bidder"}
    assert room.refusal("admitted", **seat | {"bidder": "host"}) == {"bidder"}
    assert room.refusal("admitted", **seat | {"name": "A"}) == {"name"}
    assert room.refusal("admitted", **seat | {"name": "\ud800"}) == {"name"}
    assert room.refusal("admitted", **seat | {"name": "a\x00b"}) == {"name"}
    assert room.refusal("admitted", **seat | {"eligibility": -1}) == {"eligibility"}
    assert room.refusal("admitted", **seat | {"valuation": {"v": float("nan")}}) == {"valuation"}
    assert room.refusal("admitted", **seat | {"valuation": [1]}) == {"valuation"}
    assert room.refusal("admitted", "a", **seat) == {"actor"}


def test_a_late_comer_gets_a_seat_and_bids_in_the_open_round() -> None:
    room = Room(configured(lots(1), KEEN), "a")
    room.round(a=[["1", 5]])
    room.do("admitted", bidder="late", name="Late", eligibility=3)
    room.bid("late", ["1", 10])
    room.close()
    assert room.standing() == [("late", 10)]
    assert [len(result.eligibility) for result in room.state.rounds] == [1, 2]


def test_bids_at_the_deadline_count_and_later_ones_do_not() -> None:
    room = Room(configured(lots(1)), "a", opened=False)
    room.do("opened", deadline=2000.0)
    bids = {"bidder": "a", "round": 1, "bids": [["1", 5, 1]]}
    room.do("bids submitted", "a", at=2000.0, **bids)
    assert room.refusal("bids submitted", "a", at=2000.001, **bids) == {"deadline"}
    room.do("bids submitted", "a", at=1999.0, **bids)  # received earlier, entered later: the time of receipt counts
    assert room.state.at == 2000.0
    room.do("extended", at=2001.0, deadline=2060.0)
    room.do("bids submitted", "a", at=2030.0, **bids)
    assert room.refusal("extended", at=2040.0, deadline=2050.0) == {"deadline"}
    for wrong in (1.0, float("nan"), float("inf"), "2100", True):
        assert room.refusal("extended", at=2040.0, deadline=wrong) == {"deadline"}


def test_a_pause_keeps_the_bids_and_takes_no_new_ones() -> None:
    room = Room(configured(lots(1)), "a", "b", opened=False)
    room.do("opened", deadline=2000.0)
    room.bid("a", ["1", 5])
    room.do("paused", remaining_s=12.5)
    assert (room.state.phase, room.state.remaining_s, room.state.deadline) == ("paused", 12.5, None)
    for kind in ("paused", "round closed", "extended", "opened"):
        assert room.refusal(kind) == {"phase"}
    assert room.refusal("bids submitted", "b", bidder="b", round=1, bids=[]) == {"phase"}
    room.do("resumed", deadline=3000.0)
    assert room.refusal("resumed", deadline=3000.0) == {"phase"}
    room.close()
    assert room.standing() == [("a", 5)]


def test_a_later_set_replaces_the_earlier_one_of_the_round() -> None:
    room = Room(configured(lots(1, 1)), "a")
    room.bid("a", ["1", 5])
    room.bid("a", ["2", 5])
    room.close()
    assert room.standing() == [("", 0), ("a", 5)]


def test_a_repeated_request_is_refused_in_its_round_and_the_next_and_told_where_it_was_done() -> None:
    room = Room(configured(lots(1)), "a", "b")
    room.bid("a", ["1", 5], request="r1")
    number = room.state.events
    assert request_done(room.state, "a", "r1") == number == len(room.events)
    assert request_done(room.state, "b", "r1") is None
    again = {"bidder": "a", "bids": [["1", 5, 1]], "request": "r1"}
    assert room.refusal("bids submitted", "a", round=1, **again) == {"repeated-request"}
    room.bid("b", ["1", 5], request="r1")
    room.close()
    assert request_done(room.state, "a", "r1") == number
    for wrong in ("x" * 65, 7, "a\nb"):
        assert room.refusal("bids submitted", "a", **again | {"round": 2, "request": wrong}) == {"request"}


def test_bids_are_for_the_open_round_and_by_the_seats_own_person_or_the_server() -> None:
    room = Room(configured(lots(1)), "a", "b")
    bids = {"bidder": "a", "bids": [["1", 5, 1]]}
    assert room.refusal("bids submitted", "a", round=2, **bids) == {"round"}
    assert room.refusal("bids submitted", "a", **bids) == {"round"}
    assert room.refusal("bids submitted", "b", round=1, **bids) == {"actor"}
    assert room.refusal("bids submitted", "host", round=1, **bids) == {"actor"}
    assert room.refusal("bids submitted", "z", round=1, bidder="z", bids=[]) == {"bidder"}
    room.do("bids submitted", "server", round=1, **bids)


def test_a_muted_bidder_is_refused_until_he_is_heard_again() -> None:
    room = Room(configured(lots(1)), "a")
    room.do("muted", bidder="a", muted=True)
    assert room.refusal("bids submitted", "a", bidder="a", round=1, bids=[]) == {"muted"}
    assert room.refusal("muted", bidder="a", muted=1) == {"muted"}
    room.do("muted", bidder="a", muted=False)
    room.bid("a")


def test_a_bot_takes_a_seat_over_and_hands_it_back() -> None:
    room = Room(configured(lots(1)), "a")
    room.do("seat given", bidder="a", bot="straightforward")
    assert room.state.bidders[0].bot == "straightforward"
    room.do("seat given", bidder="a", bot="")
    assert room.state.bidders[0].bot == ""
    assert room.refusal("seat given", bidder="z", bot="") == {"bidder"}


def test_a_seat_takes_the_name_of_who_sits_there_and_keeps_it_through_practice_and_annulment() -> None:
    room = Room(configured(lots(1)), "a", "b", opened=False)
    room.do("practice begun", deadline=None)
    room.do("renamed", bidder="a", name="Ana")
    room.do("practice ended")
    room.do("opened", deadline=None)
    room.round(a=[["1", 5]])
    room.do("paused", remaining_s=None)
    room.do("renamed", bidder="b", name="Bo")
    room.do("resumed", deadline=None)
    room.do("round annulled", round=1, reason="", deadline=None)
    assert [(one.id, one.name, one.seat) for one in room.state.bidders] == [("a", "Ana", "A"), ("b", "Bo", "B")]
    assert room.do("renamed", bidder="a", name="Ana") is not None  # its own name is not somebody else's


def test_a_name_is_one_bidders_and_can_be_shown() -> None:
    room = Room(configured(lots(1)), "a", "b")
    assert room.refusal("renamed", bidder="a", name="B") == {"name"}
    for name in ("", "x" * 81, "two\nlines", "turned\u202earound", 5):
        assert room.refusal("renamed", bidder="a", name=name) == {"name"}
    assert room.refusal("renamed", bidder="c", name="C") == {"bidder"}
    assert room.refusal("renamed", "a", bidder="a", name="C") == {"actor"}
    assert room.refusal("renamed", bidder="a", name="C", round=1) == {"field"}
    room.close()
    assert room.state.phase == "closed"
    assert room.refusal("renamed", bidder="a", name="C") == {"phase"}


def test_a_practice_counts_for_nothing_and_keeps_everybody_who_came() -> None:
    room = Room(configured(lots(1, 1, units=10), KEEN), "a", "b", opened=False)
    before = kept(room)
    room.do("practice begun", deadline=None)
    assert (room.state.phase, room.state.practice, room.state.round) == ("open", True, 1)
    assert room.refusal("closed") == {"practice"}
    room.act("reduction chosen", "b")
    room.round(a=[["1", 5]])
    assert [bidder.eligibility for bidder in room.state.bidders] == [100, 0]
    room.do("admitted", bidder="late", name="Late", eligibility=30)
    room.do("announced", text="Well done")
    room.do("practice ended")
    assert (room.state.phase, room.state.practice) == ("set up", False)
    assert kept(room)[:3] == before[:3]
    assert [bidder.waivers_left for bidder in room.state.bidders] == [2, 2, 2]
    assert [bidder.eligibility for bidder in room.state.bidders] == [100, 100, 30]
    assert room.standing() == [("", 0), ("", 0)]
    assert [text for _, text in room.state.announcements] == ["Well done"]
    assert room.refusal("practice ended") == {"practice"}


def test_a_quiet_round_ends_a_practice_and_its_ties_are_not_those_of_the_auction() -> None:
    room = Room(configured(lots(1)), "a", "b", opened=False)
    numbers = []
    for kind in ("practice begun", "opened"):
        room.do(kind, deadline=None)
        room.round(a=[["1", 5]], b=[["1", 5]])
        numbers.append(room.state.rounds[0].tie_numbers["1"])
        if kind == "practice begun":
            room.close()
            assert room.events[-1].kind == "practice ended"
    assert numbers[0] != numbers[1]


def test_an_annulled_round_leaves_everything_as_it_began_and_ties_are_drawn_anew() -> None:
    room = Room(configured(lots(1, 1, 2, units=10), KEEN), "a", "b")
    room.round(a=[["1", 5], ["3", 5, 2]], b=[["2", 5]])
    before = kept(room)
    room.act("withdrawn", "a", lots=["1"])
    room.bid("b", ["3", 10, 1], request="r")
    room.close()
    numbers = room.state.rounds[-1].tie_numbers
    room.do("muted", bidder="a", muted=True)
    room.do("announced", text="The projector failed")
    assert kept(room) != before
    room.do("round annulled", round=2, reason="projector", deadline=None)
    assert kept(room) == before
    assert room.state.annulled == 1
    assert room.state.withdrawals == ()
    assert not room.state.acted
    assert room.state.bidders[0].muted  # what was done to seats stays
    assert len(room.state.announcements) == 1
    assert request_done(room.state, "b", "r") is not None
    assert room.refusal("round annulled", round=1, reason="", deadline=None) == {"annulment"}
    room.do("muted", bidder="a", muted=False)
    room.act("withdrawn", "a", lots=["1"])
    room.round(b=[["3", 10, 1]])
    assert room.state.rounds[-1].round == 2
    assert room.state.rounds[-1].tie_numbers == numbers == {}  # one bidder's equal blocks are no tie


def test_an_annulled_tie_gets_other_numbers() -> None:
    room = Room(configured(lots(1)), "a", "b")
    room.round(a=[["1", 5]], b=[["1", 5]])
    first = room.state.rounds[0].tie_numbers
    room.do("round annulled", round=1, reason="", deadline=None)
    room.round(a=[["1", 5]], b=[["1", 5]])
    assert room.state.rounds[0].tie_numbers != first


def test_a_round_that_nobody_came_to_does_not_end_an_auction_for_good() -> None:
    room = Room(configured(lots(1)), "a")
    assert room.close().phase == "closed"
    room.do("round annulled", round=1, reason="all were late", deadline=None)
    assert (room.state.phase, room.state.round, room.state.ended_because) == ("open", 1, "")
    room.round(a=[["1", 5]])
    room.close()
    room.do("defaulted", bidder="a", lots=["1"])
    assert room.refusal("round annulled", round=2, reason="", deadline=None) == {"annulment"}


def test_annulling_names_the_last_round() -> None:
    room = Room(configured(lots(1)), "a", "b")
    assert room.refusal("round annulled", round=0, reason="", deadline=None) == {"annulment"}
    room.round(a=[["1", 5]])
    assert room.refusal("round annulled", round=2, reason="", deadline=None) == {"round"}
    assert room.refusal("round annulled", "a", round=1, reason="", deadline=None) == {"actor"}


def test_the_state_before_does_not_carry_a_chain_of_all_rounds() -> None:
    room = Room(configured(lots(1)), "a", "b")
    for k in range(5):
        room.round(**{"ab"[k % 2]: [["1", 5 * (k + 1)]]})
    assert room.state.before is not None
    assert room.state.before.before is None


def test_a_cancelled_auction_takes_nothing_more() -> None:
    room = Room(configured(lots(1)), "a")
    room.do("cancelled", reason="fire alarm")
    assert (room.state.phase, room.state.ended_because) == ("cancelled", "cancelled by the host: fire alarm")
    for kind in ("opened", "cancelled", "closed", "round annulled", "paused", "muted"):
        assert room.refusal(kind) == {"phase"}


def test_a_practice_that_was_cancelled_cannot_be_ended_into_life_again() -> None:
    room = Room(configured(lots(1)), "a", opened=False)
    room.do("practice begun", deadline=None)
    room.do("cancelled", reason="fire alarm")
    assert room.refusal("practice ended") == {"phase"}


# What may come from outside

HOSTILE = [float("nan"), 1e308, -5, 0, "5", 5.0, True, None, [5], {"amount": 5}, 10**13, 10**5000, -(10**5000)]


@pytest.mark.parametrize("place", [1, 2])
@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_amounts_and_blocks_are_whole_numbers_in_range_and_anything_else_is_named(value: object, place: int) -> None:
    room = Room(configured(lots(2)), "a")
    row: list[object] = ["1", 5, 1]
    row[place] = value
    rules = room.refusal("bids submitted", "a", bidder="a", round=1, bids=[row])
    named = {1: {"amount", "minimum-bid", "jump-bid", "largest-amount"}, 2: {"blocks", "largest-blocks"}}
    assert len(rules) == 1
    assert rules <= named[place]


@pytest.mark.parametrize(
    "bids",
    [None, 7, "15", {"1": 5}, [7], [[]], [["1"]], [["1", 5, 1, 1]], [[1, 5]], [["9", 5]], [[None, 5]], [["1", 5]] * 9],
    ids=str,
)
def test_a_set_of_another_form_is_refused(bids: object) -> None:
    room = Room(configured(lots(1)), "a")
    assert room.refusal("bids submitted", "a", bidder="a", round=1, bids=bids) <= {"form", "lot"}


def test_all_broken_rules_of_a_set_are_named_at_once_with_their_lots() -> None:
    room = Room(configured(lots(1, 1, 1, units=60), KEEN), "a")
    found = check_bids(room.state, "a", [["1", 4, 1], ["2", 6, 1], ["3", 5, 2]])
    assert [(problem.lot, problem.rule) for problem in found] == [
        ("1", "minimum-bid"),
        ("2", "jump-bid"),
        ("3", "quantity"),
        ("", "eligibility"),
    ]
    assert "4 k$ is below the minimum 5 k$" in found[0].message
    doubled = check_bids(room.state, "a", [["1", 5, 1], ["1", 5, 1]])
    assert ("1", "duplicate") in [(problem.lot, problem.rule) for problem in doubled]


def test_an_event_at_no_time_is_refused() -> None:
    room = Room(configured(lots(1)), "a")
    for at in (float("nan"), float("inf"), -1.0):
        assert room.refusal("announced", at=at, text="x") == {"time"}


def test_texts_can_be_shown_and_have_a_limit() -> None:
    room = Room(configured(lots(1)), "a")
    for text in ("", "x" * 1001, "a\x00", "\ud800", 5, None):
        assert room.refusal("announced", text=text) == {"text"}
    room.do("announced", text="Two\nlines")


def test_unknown_events_are_refused() -> None:
    room = Room(configured(lots(1)), "a")
    assert room.refusal("won everything") == {"event"}  # type: ignore[arg-type]
    assert room.refusal("announced", text="x", volume=11) == {"field"}
    assert room.refusal("closed", note="x") == {"field"}


def test_a_round_is_a_whole_number_and_nothing_that_equals_one() -> None:
    room = Room(configured(lots(1)), "a")
    for odd in (True, 1.0, "1"):
        assert room.refusal("bids submitted", "a", bidder="a", round=odd, bids=[]) == {"round"}
        assert room.refusal("round closed", round=odd, tie_numbers={}) == {"round"}


def test_every_event_of_a_full_auction_is_plain_json() -> None:
    room = Room(configured(lots(1, 2), KEEN), "a", "b")
    room.round(a=[["1", 5], ["2", 5, 2]], b=[["1", 5], ["2", 5, 2]])
    for event in room.events:
        assert json.loads(json.dumps(event.data, allow_nan=False)) == event.data


def test_the_same_events_give_the_same_state() -> None:
    room = Room(configured(lots(1, 2), KEEN), "a", "b")
    room.round(a=[["1", 5], ["2", 5, 2]], b=[["1", 5], ["2", 5, 2]])
    state = None
    for event in room.events:
        state = apply(state, Event(event.kind, event.at, event.actor, json.loads(json.dumps(event.data))))
    assert state is not None
    assert state_digest(state) == state_digest(room.state)
    other = replace(room.state, price=np.array(room.state.price) + 1)
    assert state_digest(other) != state_digest(state)
