"""Eligibility, the activity rule with its stages, and waivers."""

import pytest

from engine.auction.eligibility import activity_of, required_activity
from engine.auction.presets import PRESETS
from engine.auction.rules import Activity, Rules
from engine.auction.state import Acted
from tests.engine.auction.room import STEP, Room, configured, lots


def room_with(activity: Activity, *bidders: str, units: int = 100, number: int = 10) -> Room:
    """Lots of 10 units each."""
    return Room(
        configured(lots(*[1] * number, units=10), Rules(increment=STEP, activity=activity)), *bidders, units=units
    )


def on(*numbers: int, at: int = 5) -> list[list[object]]:
    return [[f"{number}", at] for number in numbers]


HALF = Activity(enforced=True, stages=(0.5, 1.0), waivers=0, quiet_rounds=0)


def test_bids_beyond_the_eligibility_are_refused_as_a_whole() -> None:
    room = room_with(HALF, "a", "b", units=30)
    room.round(a=on(1, 2))
    # 20 units held: one more lot of 10 is as much as 30 units allow.
    refused = room.refusal("bids submitted", "a", bidder="a", round=2, bids=[["3", 5, 1], ["4", 5, 1]])
    assert refused == {"eligibility"}
    room.bid("a", ["3", 5])


def test_short_activity_reduces_eligibility_to_activity_over_share_rounded_down() -> None:
    room = room_with(Activity(enforced=True, stages=(0.8, 0.95), waivers=0), "a", "b")
    room.round(a=on(1, 2, 3, 4, 5, 6, 7), b=on(1, 2, 3, 4, 5, 6, 7, 8))
    # 70 of the 80 required: floor(70 / 0.8) = 87; b is active on 80 and keeps all.
    assert [bidder.eligibility for bidder in room.state.bidders] == [87, 100]
    assert room.state.rounds[0].eligibility.tolist() == [87, 100]
    assert room.state.rounds[0].activity.tolist() == [70, 80]


def test_shares_are_exact_so_that_no_unit_is_lost_to_rounding() -> None:
    # 0.95 * 20 = 19 exactly; in floating point 19 / 0.95 is 20.000000000000004 and 0.7 * 10 is 7.000000000000001.
    for share, units, active in ((0.95, 200, 19), (0.7, 100, 7), (0.55, 200, 11)):
        room = room_with(Activity(enforced=True, stages=(share,), waivers=0), "a", units=units, number=20)
        assert required_activity(room.state, room.state.bidders[0]) == active * 10
        room.round(a=on(*range(1, active + 1)))
        assert room.state.bidders[0].eligibility == units


def test_standing_bids_of_the_round_before_count_as_activity() -> None:
    room = room_with(HALF, "a", "b")
    room.round(a=on(1, 2, 3, 4, 5), b=on(6, 7, 8, 9, 10))
    room.bid("b", ["1", 10])
    assert activity_of(room.state, 0, Acted()) == 50
    room.close()
    assert [bidder.eligibility for bidder in room.state.bidders] == [100, 100]
    assert room.state.rounds[1].activity.tolist() == [50, 60]


def test_a_waiver_is_used_by_itself_and_then_eligibility_falls() -> None:
    room = room_with(Activity(enforced=True, stages=(0.5,), waivers=1), "a", "b")
    room.round(a=on(1), b=on(2, 3, 4, 5, 6))
    assert room.state.rounds[0].automatic_waivers == (0,)
    assert (room.state.bidders[0].eligibility, room.state.bidders[0].waivers_left) == (100, 0)
    room.round(b=on(1, at=10))
    assert room.state.rounds[1].automatic_waivers == ()
    assert room.state.bidders[0].eligibility == 20  # active on the 10 units held as the round began: 10 / 0.5
    assert (room.state.bidders[1].eligibility, room.state.bidders[1].waivers_left) == (100, 1)


def test_a_bidder_may_choose_the_reduction_and_keep_his_waiver() -> None:
    room = room_with(Activity(enforced=True, stages=(0.5,), waivers=2), "a", "b")
    room.bid("a", *on(1))
    room.act("reduction chosen", "a")
    room.round(b=on(2, 3, 4, 5, 6))
    assert (room.state.bidders[0].eligibility, room.state.bidders[0].waivers_left) == (20, 2)
    assert room.state.rounds[0].automatic_waivers == ()


def test_who_is_late_twice_is_not_out_of_a_class() -> None:
    room = room_with(PRESETS["Classroom"].activity, "late", "busy")
    room.round(busy=on(1, 2, 3, 4, 5))
    room.round(busy=on(6, 7, 8, 9, 10))
    assert [one.eligibility for one in room.state.bidders] == [100, 100]
    room.bid("late", *on(1, at=10))


def test_without_automatic_waivers_eligibility_falls_at_once() -> None:
    room = room_with(Activity(enforced=True, stages=(0.5,), waivers=2, automatic_waivers=False), "a", "b")
    room.round(a=on(1))
    assert [(bidder.eligibility, bidder.waivers_left) for bidder in room.state.bidders] == [(20, 2), (0, 2)]


def test_a_proactive_waiver_keeps_the_auction_open_and_an_automatic_one_does_not() -> None:
    room = room_with(Activity(enforced=True, stages=(0.5,), waivers=1), "a", "b")
    room.act("waiver used", "a")
    room.close()
    assert room.state.phase == "open"
    assert [bidder.waivers_left for bidder in room.state.bidders] == [0, 0]  # b's went by itself
    assert room.state.rounds[0].automatic_waivers == (1,)
    room.close()
    assert room.state.phase == "closed"


def test_when_a_waiver_is_refused_every_reason_is_named() -> None:
    room = room_with(Activity(enforced=True, stages=(0.5,), waivers=1), "a", "b", "c")
    room.bid("a", *on(1))
    assert room.refusal("waiver used", "a", bidder="a", round=1) == {"waiver-with-bids"}
    room.act("waiver used", "b")
    assert room.refusal("waiver used", "b", bidder="b", round=1) == {"waiver-used"}
    assert room.refusal("bids submitted", "b", bidder="b", round=1, bids=[["2", 5, 1]]) == {"waiver-used"}
    assert room.refusal("reduction chosen", "b", bidder="b", round=1) == {"waiver-used"}
    room.act("reduction chosen", "c")
    assert room.refusal("waiver used", "c", bidder="c", round=1) == {"waiver-with-reduction"}
    room.bid("a", *on(1, 2, 3, 4, 5))
    room.close()
    assert room.refusal("waiver used", "a", bidder="a", round=2) == {"waiver-not-needed"}
    assert room.refusal("waiver used", "b", bidder="b", round=2) == {"waivers-left"}
    plain = Room(configured(lots(1)), "a")
    assert plain.refusal("waiver used", "a", bidder="a", round=1) == {"waiver"}
    assert plain.refusal("reduction chosen", "a", bidder="a", round=1) == {"reduction"}


def test_without_the_rule_eligibility_binds_nobody() -> None:
    room = Room(configured(lots(1, 1, 1, units=10)), "a", units=5)
    room.round(a=on(1, 2, 3))
    assert room.state.bidders[0].eligibility == 5
    assert required_activity(room.state, room.state.bidders[0]) == 0


def test_the_stage_rises_after_so_many_rounds_with_few_new_bids() -> None:
    # 10 lots of 10 units: one new bid covers 10 % of them, so "less than 20 %" is one lot.
    rule = Activity(enforced=True, stages=(0.1, 0.2, 0.3), waivers=9, quiet_share=0.2, quiet_rounds=2)
    room = room_with(rule, "a", "b", units=1000)
    room.round(a=on(1, 2))
    room.round(b=on(3))
    assert room.state.stage == 0
    room.round(b=on(4))
    assert room.state.stage == 1
    assert room.events[-1].kind == "stage changed"
    room.round(b=on(5))
    assert room.state.stage == 1  # rounds of the stage before do not count
    room.round(b=on(6))
    assert room.state.stage == 2
    room.round(b=on(7))
    room.round(b=on(8))
    assert room.state.stage == 2  # the last


def test_exactly_the_quiet_share_is_not_quiet() -> None:
    # One of ten lots of 3 units is 10 % of them; in floating point 0.1 * 30 is 3.0000000000000004.
    rule = Activity(enforced=True, stages=(0.1, 0.2), waivers=9, quiet_share=0.1, quiet_rounds=1)
    room = Room(configured(lots(*[1] * 10, units=3), Rules(increment=STEP, activity=rule)), "a", "b")
    room.round(a=on(1))
    assert room.state.stage == 0


def test_a_stage_announced_while_bids_are_in_begins_with_the_next_round() -> None:
    room = room_with(HALF, "a", "b")
    room.bid("a", *on(1, 2, 3, 4, 5))
    room.do("stage changed", stage=1)
    assert (room.state.stage, room.state.next_stage) == (0, 1)
    room.close()
    assert room.state.bidders[0].eligibility == 100  # half was enough in this round
    assert room.state.stage == 1
    assert room.refusal("stage changed", stage=1) == {"stage"}
    fresh = room_with(HALF, "a")
    assert fresh.do("stage changed", stage=1).stage == 1
    for stage in (0, 2, -1, "1", True, None):
        assert room_with(HALF, "a").refusal("stage changed", stage=stage) == {"stage"}
    assert Room(configured(lots(1)), "a").refusal("stage changed", stage=1) == {"stage"}


@pytest.mark.parametrize("units", [0, 7])
def test_a_seat_has_as_much_eligibility_as_its_deposit_buys(units: int) -> None:
    room = Room(configured(lots(1, units=1), Rules(increment=STEP, deposit_per_unit=3)), opened=False)
    if units:
        assert room.refusal("admitted", bidder="a", name="A", eligibility=units, deposit=3 * units - 1) == {"deposit"}
    room.do("admitted", bidder="a", name="A", eligibility=units, deposit=3 * units)
    assert room.state.bidders[0].deposit == 3 * units
