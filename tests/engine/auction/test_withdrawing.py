"""Withdrawn bids, winners who do not pay, and what both cost."""

from engine.auction.results import payments, winners
from engine.auction.rules import Activity, Jump, Rules, Withdrawals
from engine.auction.withdrawing import default_payment, due_of, interim_payment
from tests.engine.auction.room import STEP, Room, configured, lots

RULES = Rules(increment=STEP, jump=Jump(kind="any"), withdrawals=Withdrawals(rounds=2, interim_share=0.03))


def room_of(*quantities: int, rules: Rules = RULES) -> Room:
    return Room(configured(lots(*quantities), rules), "a", "b", "c")


def dues(room: Room) -> list[int | None]:
    return [withdrawal.due for withdrawal in room.state.withdrawals]


def owed(room: Room) -> list[int]:
    return [due_of(room.state, withdrawal) for withdrawal in room.state.withdrawals]


def test_a_withdrawn_lot_has_no_holder_and_starts_again_at_the_second_highest_bid() -> None:
    room = room_of(1)
    room.round(a=[["1", 50]], b=[["1", 80]])
    room.round(c=[["1", 100]])
    assert room.state.runner_up.tolist() == [80]
    room.act("withdrawn", "c", lots=["1"])
    assert room.standing() == [("c", 100)]  # nothing changes before the round closes
    room.close()
    assert room.standing() == [("", 0)]
    assert room.state.minimum.tolist() == [80]
    assert room.state.phase == "open"  # a withdrawal keeps the auction open
    room.round(b=[["1", 80]])
    assert room.close().phase == "closed"
    assert dues(room) == [20]
    assert [payment.total for payment in payments(room.state)] == [0, 80, 20]


def test_a_lot_that_nobody_else_wanted_starts_again_at_its_opening() -> None:
    room = room_of(1)
    room.round(a=[["1", 50]])
    room.act("withdrawn", "a", lots=["1"])
    assert room.close().minimum.tolist() == [5]
    room.close()
    # Not sold again: 3 % of 50, rounded up, are held in the interim.
    assert dues(room) == [None]
    assert owed(room) == [2]
    assert payments(room.state)[0].interim == 2


def test_nothing_is_due_once_a_later_bid_reaches_the_withdrawn_one() -> None:
    room = room_of(1)
    room.round(a=[["1", 50]])
    room.act("withdrawn", "a", lots=["1"])
    room.close()
    room.round(b=[["1", 50]])
    assert dues(room) == [0]  # reached is enough, and for good
    room.act("withdrawn", "b", lots=["1"])
    room.round(c=[["1", 55]])  # the minimum of the round stays as it was announced; the lot is sold again at once
    room.close()
    assert dues(room) == [0, 0]
    assert owed(room) == [0, 0]


def test_each_of_several_withdrawals_pays_against_the_highest_later_bid() -> None:
    # a withdraws 100, b then withdraws 90, c gets the lot at 80: a owes 100 - 90, b owes 90 - 80.
    room = room_of(1)
    room.round(a=[["1", 100]])
    room.act("withdrawn", "a", lots=["1"])
    room.close()
    room.round(b=[["1", 90]])
    room.act("withdrawn", "b", lots=["1"])
    room.close()
    room.round(c=[["1", 80]])
    room.close()
    assert room.state.phase == "closed"
    assert dues(room) == [10, 10]
    assert [payment.total for payment in payments(room.state)] == [10, 10, 80]


def test_a_bidder_who_buys_his_withdrawn_lot_back_for_less_pays_the_difference() -> None:
    room = room_of(1)
    room.round(a=[["1", 100]])
    room.act("withdrawn", "a", lots=["1"])
    room.close()
    room.round(a=[["1", 60]])
    room.close()
    assert dues(room) == [40]
    assert payments(room.state)[0].total == 100


def test_blocks_are_withdrawn_together_and_each_is_followed_on_its_own() -> None:
    room = room_of(3)
    room.round(a=[["1", 20, 2]], b=[["1", 10, 1]])
    room.act("withdrawn", "a", lots=["1"])
    room.close()
    assert room.standing() == [("", 0), ("", 0), ("b", 10)]
    assert len(room.state.withdrawals) == 2
    room.round(c=[["1", 15, 1]])
    room.close()
    assert room.standing() == [("c", 15), ("", 0), ("b", 10)]
    assert dues(room) == [5, None]
    assert owed(room) == [5, 1]


def test_only_in_so_many_rounds_may_a_bidder_withdraw() -> None:
    room = room_of(1, 1, 1)
    room.round(a=[["1", 5], ["2", 5], ["3", 5]])
    room.act("withdrawn", "a", lots=["1"])
    room.act("withdrawn", "a", lots=["1", "2"])  # the later list counts
    room.close()
    assert room.state.bidders[0].withdrawal_rounds_left == 1
    room.act("withdrawn", "a", lots=["3"])
    room.act("withdrawn", "a", lots=[])  # taken back: the round does not count
    room.round(b=[["1", 5]])
    assert room.state.bidders[0].withdrawal_rounds_left == 1
    room.act("withdrawn", "a", lots=["3"])
    room.round(a=[["2", 5]])
    refused = room.refusal("withdrawn", "a", bidder="a", round=5, lots=["2"])
    assert refused == {"withdrawal-rounds"}
    assert room_of(1, rules=Rules()).refusal("withdrawn", "a", bidder="a", round=1, lots=[]) == {"withdrawal"}


def test_a_withdrawal_names_lots_that_are_held_and_not_bid_on() -> None:
    room = room_of(1, 1, 3)
    room.round(a=[["1", 5], ["3", 5, 1]], b=[["2", 5]])
    for named, rules in (
        (["2"], {"holder"}),
        (["9"], {"lot"}),
        ([["1"]], {"lot"}),
        (["1", "1"], {"duplicate"}),
        ("1", {"form"}),
        (["1"] * 99, {"form"}),
    ):
        assert room.refusal("withdrawn", "a", bidder="a", round=2, lots=named) == rules
    room.bid("a", ["3", 5, 1])
    assert room.refusal("withdrawn", "a", bidder="a", round=2, lots=["3"]) == {"withdrawn"}
    room.act("withdrawn", "a", lots=["1"])
    assert room.refusal("bids submitted", "a", bidder="a", round=2, bids=[["1", 10, 1]]) == {"withdrawn"}


def test_a_withdrawn_lot_is_no_activity_and_taking_it_back_must_fit_the_eligibility() -> None:
    activity = Activity(enforced=True, stages=(1.0,), waivers=0)
    rules = Rules(increment=STEP, activity=activity, withdrawals=Withdrawals(rounds=5))
    room = Room(configured(lots(1, 1, 1, units=10), rules), "a", "b", units=20)
    room.round(a=[["1", 5], ["2", 5]], b=[["3", 5]])
    room.act("withdrawn", "a", lots=["1"])
    room.bid("a", ["3", 10])  # 10 held, 10 new
    assert room.refusal("withdrawn", "a", bidder="a", round=2, lots=[]) == {"eligibility"}
    room.bid("a")
    room.close()
    assert [bidder.eligibility for bidder in room.state.bidders] == [10, 10]


def test_below_its_reserve_a_block_is_not_awarded_nor_counts_as_sold_again() -> None:
    room = Room(configured(lots(1, reserve=70), RULES), "a", "b")
    room.round(a=[["1", 100]])
    room.act("withdrawn", "a", lots=["1"])
    room.close()
    room.round(b=[["1", 60]])
    room.close()
    assert winners(room.state).tolist() == [-1]
    assert dues(room) == [None]
    assert [payment.total for payment in payments(room.state)] == [3, 0]


def test_who_does_not_pay_loses_the_block_and_owes_a_share() -> None:
    room = room_of(1, 1)
    room.round(a=[["1", 1000], ["2", 500]])
    assert room.refusal("defaulted", bidder="a", lots=["1"]) == {"phase"}
    room.close()
    room.do("defaulted", bidder="a", lots=["1"])
    assert winners(room.state).tolist() == [-1, 0]
    assert payments(room.state)[0].total == 500 + 30  # 3 % of 1,000
    assert room.refusal("defaulted", bidder="a", lots=["1"]) == {"holder"}
    assert room.refusal("defaulted", bidder="b", lots=["2"]) == {"holder"}
    assert room.refusal("defaulted", bidder="z", lots=["2"]) == {"bidder"}
    assert room.refusal("defaulted", bidder="a", lots=[]) == {"form"}


def test_payments_of_withdrawals_and_defaults_follow_their_formulas() -> None:
    # 47 CFR 1.2104(g): deficiency, and a share of the lesser bid. 0.07 * 100 is 7.000000000000001 in floating point.
    assert interim_payment(100, 0.07) == 7
    assert interim_payment(101, 0.03) == 4
    assert default_payment(1000, 0.03) == 30
    assert default_payment(1000, 0.03, 600) == 400 + 18
    assert default_payment(1000, 0.03, 1200) == 30
