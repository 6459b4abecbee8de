"""Standing bids, ties, equal blocks, increments, and the end of an auction."""

import hashlib

import pytest

from engine.auction.closing import everyone_acted, following, round_closed, tie_number
from engine.auction.increments import allowed_amounts, highest_amount
from engine.auction.rules import MAX_AMOUNT, Closing, Increment, Jump, Lot, Rules, Timing
from tests.engine.auction.room import STEP, Room, configured, lots

ALTERNATING = Rules(increment=STEP, ties="alternating")


# The published rounds (item, bids, standing after) of the two examples in arXiv 2604.08854, section III.
EXAMPLE_1 = [
    ({"a": "1 3 4 @5", "b": "1 2 3 4 @5"}, "a5 b5 b5 a5", (0, 2, 3)),
    ({"a": "3 @10", "b": "1 @10"}, "b10 b5 a10 a5", ()),
    ({"a": "1 @15"}, "a15 b5 a10 a5", ()),
    ({"b": "1 @20"}, "b20 b5 a10 a5", ()),
]
EXAMPLE_2 = [
    ({"a": "1 2 3 4 @5", "b": "1 2 3 4 @5"}, "a5 b5 a5 b5", (0, 1, 2, 3)),
    ({"b": "1 @10"}, "b10 b5 a5 b5", ()),
    ({"a": "4 @10"}, "b10 b5 a5 a10", ()),
    ({"b": "3 @10"}, "b10 b5 b10 a10", ()),
    ({"a": "2 @10"}, "b10 a10 b10 a10", ()),
]


def rows(text: str) -> list[list[object]]:
    items, amount = text.split("@")
    return [[item, int(amount)] for item in items.split()]


@pytest.mark.parametrize(("rounds", "pays"), [(EXAMPLE_1, [15, 25]), (EXAMPLE_2, [20, 20])])
def test_the_papers_bids_give_the_papers_standing_bids_in_each_round(rounds: list, pays: list[int]) -> None:
    room = Room(configured(lots(1, 1, 1, 1), ALTERNATING), "a", "b")
    for bids, standing, tied in rounds:
        room.round(**{bidder: rows(text) for bidder, text in bids.items()})
        assert room.standing() == [(cell[0], int(cell[1:])) for cell in standing.split()]
        assert room.state.rounds[-1].tied == tied
    assert room.state.phase == "open"
    assert room.close().phase == "closed"
    assert room.state.standing_totals().tolist() == pays


def test_with_three_bidders_the_turn_goes_to_the_next_in_order_among_those_tied() -> None:
    room = Room(configured(lots(1, 1, 1, 1, 1), ALTERNATING), "a", "b", "c")
    room.round(a=rows("1 3 4 5 @5"), b=rows("1 2 4 5 @5"), c=rows("1 2 3 5 @5"))
    # Turn of a: 1 to a; turn of b: 2 to b; turn of c: 3 to c; turn of a: 4 to a; turn of b: 5 to b.
    assert [holder for holder, _ in room.standing()] == ["a", "b", "c", "a", "b"]


def test_the_highest_recorded_number_wins_a_tie_and_anybody_can_work_it_out() -> None:
    room = Room(configured(lots(1, 1, 1), seed=42), "a", "b", "c")
    for bidder in "abc":
        room.bid(bidder, ["1", 5], ["2", 5], ["3", 5])
    event = round_closed(room.state, room.now, "host")
    numbers = event.data["tie_numbers"]
    for lot in "123":
        for bidder in "abc":  # the formula of closing.tie_number's docstring, written out
            text = f"42\nauction\n0\n1\n{lot}\n{bidder}\n"
            assert numbers[lot][bidder] == int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)
    room.close()
    assert [holder for holder, _ in room.standing()] == [max("abc", key=numbers[lot].__getitem__) for lot in "123"]


def test_tie_numbers_are_fair_and_change_with_everything_they_depend_on() -> None:
    room = Room(configured(lots(1)), "a", "b")
    first = tie_number(room.state, "1", "a")
    others = [tie_number(room.state, "1", "b"), tie_number(room.state, "2", "a")]
    others.append(tie_number(room.close(), "1", "a"))  # next round
    others.append(tie_number(Room(configured(lots(1), seed=2), "a").state, "1", "a"))
    assert len({first, *others}) == 5
    wins = sum(tie_number(room.state, f"{k}", "a") > tie_number(room.state, f"{k}", "b") for k in range(2000))
    assert abs(wins - 1000) < 112  # five standard deviations of 2,000 fair coins: 5 sqrt(2000) / 2


def test_other_tie_numbers_than_the_seeds_are_refused() -> None:
    room = Room(configured(lots(1)), "a", "b")
    room.bid("a", ["1", 5])
    room.bid("b", ["1", 5])
    right = round_closed(room.state, room.now, "host").data
    swapped = {"1": {"a": right["tie_numbers"]["1"]["b"], "b": right["tie_numbers"]["1"]["a"]}}
    assert room.refusal("round closed", **{**right, "tie_numbers": swapped}) == {"tie-numbers"}
    assert room.refusal("round closed", **{**right, "tie_numbers": {}}) == {"tie-numbers"}
    assert room.refusal("round closed", **{**right, "tie_numbers": {**right["tie_numbers"], "2": {}}}) == {
        "tie-numbers"
    }
    room.do("round closed", **right)


# Equal blocks of one class


def test_blocks_cost_the_opening_until_more_are_asked_for_than_there_are() -> None:
    room = Room(configured(lots(3, opening=20), ALTERNATING), "a", "b")
    room.round(a=[["1", 20, 1]])
    assert room.state.minimum.tolist() == [20]
    room.round(b=[["1", 20, 1]])
    assert room.state.minimum.tolist() == [20]
    room.round(a=[["1", 20, 1]])
    assert room.standing() == [("a", 20), ("b", 20), ("a", 20)]
    assert room.state.minimum.tolist() == [25]  # all three are held: an increment above the lowest


def test_a_new_bid_takes_the_lowest_blocks_and_leaves_the_others_where_they_are() -> None:
    room = Room(configured(lots(3), ALTERNATING, jump=Jump(kind="any")), "a", "b", "c")
    room.round(a=[["1", 10, 1]], b=[["1", 30, 1]], c=[["1", 20, 1]])
    assert room.standing() == [("b", 30), ("c", 20), ("a", 10)]
    assert room.state.minimum.tolist() == [15]
    room.round(a=[["1", 20, 2]])  # one of the two: 20 beats 10, and the standing 20 keeps its place
    assert room.standing() == [("b", 30), ("c", 20), ("a", 20)]
    assert room.state.runner_up.tolist() == [20]


def test_of_equal_standing_blocks_the_tie_rule_says_who_gives_way() -> None:
    room = Room(configured(lots(3), ALTERNATING), "a", "b", "c")
    room.round(a=[["1", 5, 2]], b=[["1", 5, 1]])
    assert room.standing() == [("a", 5), ("a", 5), ("b", 5)]
    room.round(c=[["1", 10, 1]])  # two of three blocks stay: turn of a, then of b
    assert sorted(room.standing()) == [("a", 5), ("b", 5), ("c", 10)]
    assert room.state.rounds[-1].tied == (0,)


def test_with_random_ties_a_bid_keeps_its_blocks_together() -> None:
    room = Room(configured(lots(3)), "a", "b")
    room.bid("a", ["1", 5, 2])
    room.bid("b", ["1", 5, 2])
    numbers = round_closed(room.state, room.now, "host").data["tie_numbers"]["1"]
    winner, other = sorted("ab", key=numbers.__getitem__, reverse=True)
    room.close()
    assert room.standing() == sorted([(winner, 5), (winner, 5), (other, 5)])


def test_bids_cover_no_more_blocks_than_there_are() -> None:
    room = Room(configured(lots(3, 2, units=10)), "a", "b")
    room.round(a=[["1", 5, 2], ["2", 5, 1]], b=[["1", 5, 2]])
    assert room.state.rounds[0].covered_units == 10 * (3 + 1)  # four blocks are asked for where three are


def test_nobody_asks_for_more_blocks_than_there_are() -> None:
    room = Room(configured(lots(3)), "a")
    room.round(a=[["1", 5, 2]])
    refused = room.refusal("bids submitted", "a", bidder="a", round=2, bids=[["1", 5, 2]])
    assert refused == {"quantity"}
    room.bid("a", ["1", 5, 1])


# Increments and the amounts of bids


@pytest.mark.parametrize(
    ("rounds", "minimums"),
    [
        # Examples of the FCC's Public Notice DA 06-238, Attachment C: bidders in the round, standing bid -> minimum.
        ([(2, 1_000_000), (3, 2_000_000), (1, 2_400_000)], [1_200_000, 2_400_000, 2_880_000]),
        # Examples of DA 08-767, Attachment C.
        ([(1, 1_000_000), (3, 2_000_000), (1, 2_400_000)], [1_150_000, 2_400_000, 2_880_000]),
    ],
)
def test_the_smoothing_formula_gives_the_fccs_own_examples(rounds: list, minimums: list[int]) -> None:
    rule = Increment(kind="smoothed", weight=0.5, floor=0.1, ceiling=0.2)
    room = Room(configured(lots(1, 1), Rules(increment=rule, jump=Jump(kind="any"))), "a", "b", "c", "d", units=9)
    for (number, standing), minimum in zip(rounds, minimums, strict=True):
        holder = room.standing()[0][0]
        free = [bidder for bidder in "abcd" if bidder != holder]
        room.round(**{bidder: [["1", standing]] for bidder in free[:number]})
        assert room.state.minimum[0] == minimum


def test_the_weight_says_how_much_of_the_index_is_new() -> None:
    rule = Increment(kind="smoothed", weight=0.3, floor=0.1, ceiling=0.2)
    room = Room(configured(lots(1), Rules(increment=rule, jump=Jump(kind="any"))), "a", "b", "c")
    room.round(a=[["1", 1000]], b=[["1", 2000]])
    assert room.state.minimum.tolist() == [2320]  # A = 0.3 * 2 = 0.6; I = 0.1 (1 + 0.6)
    room.round(c=[["1", 10_000]])
    assert room.state.minimum.tolist() == [11_720]  # A = 0.3 * 1 + 0.7 * 0.6 = 0.72


def test_however_small_the_increment_the_minimum_is_above_the_standing_bid() -> None:
    rule = Increment(kind="smoothed", floor=1e-7, ceiling=1e-7, rounding=10)
    room = Room(configured(lots(1), Rules(increment=rule, jump=Jump(kind="any"))), "a")
    room.round(a=[["1", 100]])
    assert room.state.minimum.tolist() == [110]


def test_without_bids_the_smoothed_increment_falls_back_to_its_floor() -> None:
    rule = Increment(kind="smoothed", weight=0.5, floor=0.1, ceiling=0.2)
    room = Room(configured(lots(1, 1), Rules(increment=rule, jump=Jump(kind="any"))), "a", "b")
    room.round(a=[["1", 1000]], b=[["1", 1000]])
    expected = []
    for k in range(1, 12):  # A halves in each round without a bid on the lot: I = 0.1 (1 + 2^-k)
        room.round(a=[["2", int(room.state.minimum[1])]] if room.standing()[1][0] != "a" else [],
                   b=[["2", int(room.state.minimum[1])]] if room.standing()[1][0] == "a" else [])  # fmt: skip
        expected.append(-(-1000 * (1_000_000 + round(1e5 * (1 + 2**-k))) // 1_000_000))
        assert room.state.minimum[0] == expected[-1]
    assert expected[-1] == 1101


def test_a_minimum_is_rounded_up_and_always_above_the_standing_bid() -> None:
    rule = Increment(kind="smoothed", floor=0.01, ceiling=0.01, rounding=10)
    room = Room(configured(lots(1, 1), Rules(increment=rule, jump=Jump(kind="any"))), "a")
    assert room.state.minimum.tolist() == [10, 10]
    room.round(a=[["1", 100], ["2", 1001]])
    assert room.state.minimum.tolist() == [110, 1020]  # 101 and 1011.01


def test_the_click_box_has_the_minimum_and_its_steps_and_nothing_else_is_taken() -> None:
    rules = Rules(increment=STEP, jump=Jump(kind="click box", steps=9, step_share=0.1))
    room = Room(configured(lots(1, opening=100), rules), "a")
    assert allowed_amounts(room.state, 0) == (100, 110, 120, 130, 140, 150, 160, 170, 180)
    for amount, rule in ((105, "click-box"), (190, "highest-bid"), (99, "minimum-bid")):
        assert room.refusal("bids submitted", "a", bidder="a", round=1, bids=[["1", amount, 1]]) == {rule}
    room.round(a=[["1", 180]])
    assert room.state.minimum.tolist() == [185]


def test_the_steps_of_the_click_box_are_equal_and_rounded_once() -> None:
    # 86 FR 12146, paragraph 86: the increment is rounded, then taken once, twice, ...: 10 % of 1,005 is 101.
    rules = Rules(increment=STEP, jump=Jump(kind="click box", steps=4, step_share=0.1))
    assert allowed_amounts(Room(configured(lots(1, opening=1005), rules), "a").state, 0) == (1005, 1106, 1207, 1308)
    assert allowed_amounts(Room(configured(lots(1), rules), "a").state, 0) == (5, 6, 7, 8)


def test_jump_bids_end_at_their_cap() -> None:
    room = Room(configured(lots(1), Rules(increment=STEP, jump=Jump(kind="any", cap_increments=3))), "a", "b")
    assert highest_amount(room.state, 0) == 20
    assert room.refusal("bids submitted", "a", bidder="a", round=1, bids=[["1", 21, 1]]) == {"highest-bid"}
    room.round(a=[["1", 20]])
    assert highest_amount(room.state, 0) == 40
    boxed = Room(configured(lots(1, opening=10), Rules(increment=STEP, jump=Jump("click box", 9, 0.4, 2))), "a")
    assert allowed_amounts(boxed.state, 0) == (10, 14, 18)  # the next would be 22, and two increments above is 20


def test_without_jump_bids_exactly_the_minimum_is_taken() -> None:
    room = Room(configured(lots(1)), "a")
    assert allowed_amounts(room.state, 0) == (5,)
    assert room.refusal("bids submitted", "a", bidder="a", round=1, bids=[["1", 6, 1]]) == {"jump-bid"}


def test_at_the_largest_amount_a_lot_takes_no_more_bids() -> None:
    room = Room(configured(lots(1), Rules(increment=STEP, jump=Jump(kind="any"))), "a", "b")
    room.round(a=[["1", MAX_AMOUNT]])
    assert allowed_amounts(room.state, 0) == ()
    refused = room.refusal("bids submitted", "b", bidder="b", round=2, bids=[["1", MAX_AMOUNT + 1, 1]])
    assert refused == {"largest-amount"}


def test_opening_and_increment_the_higher_is_the_first_bid() -> None:
    products = (Lot("1", "One", 1, 0, "", 1, 3), Lot("2", "Two", 1, 0, "", 1, 50))
    assert Room(configured(products), "a").state.minimum.tolist() == [5, 50]


# The end


def test_the_last_round_that_the_rules_allow_ends_the_auction() -> None:
    room = Room(configured(lots(1), closing=Closing(max_rounds=2)), "a", "b")
    room.round(a=[["1", 5]])
    assert room.state.phase == "open"
    room.round(b=[["1", 10]])
    assert room.state.phase == "closed"
    assert "round 2 was the last" in room.state.ended_because
    assert room.refusal("bids submitted", "a", bidder="a", round=3, bids=[["1", 15, 1]]) == {"phase"}


def test_between_the_last_round_and_the_close_nothing_can_be_done() -> None:
    room = Room(configured(lots(1)), "a")
    room.do("round closed", **round_closed(room.state, room.now, "host").data)
    assert room.state.phase == "open"
    assert room.refusal("bids submitted", "a", bidder="a", round=2, bids=[["1", 5, 1]]) == {"closing"}
    assert room.refusal("paused", remaining_s=None) == {"closing"}
    assert room.refusal("round closed", round=2, tie_numbers={}) == {"closing"}
    event = following(room.state, room.now)
    assert event is not None
    assert room.do(event.kind, event.actor).phase == "closed"
    assert following(room.state, room.now) is None


def test_an_auction_is_not_closed_while_bids_come() -> None:
    room = Room(configured(lots(1)), "a")
    assert room.refusal("closed") == {"closing"}
    room.round(a=[["1", 5]])
    assert room.refusal("closed", "server") == {"closing"}


def test_everyone_has_acted_when_each_person_who_can_has() -> None:
    room = Room(configured(lots(1)), "a", "b", "c", "d")
    assert not everyone_acted(room.state)
    room.bid("a")  # an empty set is an answer
    room.do("muted", bidder="b", muted=True)
    room.do("seat given", bidder="c", bot="straightforward")
    assert not everyone_acted(room.state)
    room.bid("d", ["1", 5])
    assert everyone_acted(room.state)
    for bidder in "abd":
        room.do("seat given", bidder=bidder, bot="random")
    assert not everyone_acted(room.state)  # nobody is there who could have


def test_the_server_closes_a_round_at_its_deadline_or_when_all_have_acted_and_the_host_at_any_time() -> None:
    for pace in ("clock", "all acted"):
        room = Room(configured(lots(1), timing=Timing(pace=pace, round_s=30)), "a", opened=False)
        room.do("opened", deadline=2000.0)
        data = round_closed(room.state, 1990.0).data
        assert data["deadline"] == 2020.0
        assert room.refusal("round closed", "server", at=1999.9, **data) == {"deadline"}
        room.bid("a", ["1", 5], at=1995.0)
        if pace == "all acted":
            room.do("round closed", "server", at=1999.9, **data)
        else:
            assert room.refusal("round closed", "server", at=1999.9, **data) == {"deadline"}
            room.do("round closed", "host", at=1999.9, **data)
        assert room.state.deadline == 2020.0
    by_hand = Room(configured(lots(1), timing=Timing(pace="by hand")), "a")
    assert round_closed(by_hand.state, 1990.0).data["deadline"] is None
