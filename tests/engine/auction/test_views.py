"""What the room is told of an auction: what is sold at its end."""

from engine.auction.live import words
from engine.auction.results import payments
from engine.auction.rules import Activity, Increment, Jump, Rules, Withdrawals
from engine.auction.views import host_bidders, mine, public
from tests.engine.auction.room import Room, configured, lots


def test_a_block_below_its_reserve_is_held_while_the_auction_runs_and_not_sold_at_its_end() -> None:
    rules = Rules(increment=Increment(kind="fixed", amount=5), jump=Jump(kind="any"))
    room = Room(configured((*lots(1), *lots(1, 1, reserve=20)[1:]), rules), "a", "b")
    room.bid("a", ["1", 30], ["2", 10])
    room.close()
    assert {one["lot"] for one in mine(room.state, 0)["holdings"]} == {"1", "2"}
    assert mine(room.state, 0)["pay"] == 40
    while room.state.phase == "open":
        room.close()
    seat = mine(room.state, 0)
    assert [one["lot"] for one in seat["holdings"]] == ["1"]
    assert seat["pay"] == host_bidders(room.state)[0]["pay"] == payments(room.state)[0].bids == 30
    assert public(room.state, {})["outcome"][0] == {"name": "A", "won": [{"lot": "1", "amount": 30}], "pay": 30}


def test_the_host_sees_what_keeps_the_auction_open() -> None:
    rules = Rules(
        increment=Increment(kind="fixed", amount=5),
        activity=Activity(enforced=True, stages=(1.0,), waivers=2),
        withdrawals=Withdrawals(rounds=1),
    )
    room = Room(configured(lots(1, 1), rules), "a", "b")
    assert [one["keeps_open"] for one in host_bidders(room.state)] == [False, False]
    room.bid("a", ["1", 5])
    room.bid("b")  # a pass
    assert [one["keeps_open"] for one in host_bidders(room.state)] == [True, False]
    room.close()
    room.act("withdrawn", "a", lots=["1"])
    room.act("waiver used", "b")
    assert [one["keeps_open"] for one in host_bidders(room.state)] == [True, True]
    room.close()
    assert room.state.phase == "open"


def test_the_hosts_log_tells_a_set_without_bids_as_a_pass() -> None:
    room = Room(configured(lots(1)), "a", "b")
    room.bid("a", ["1", 5])
    assert words(room.entries()[-1].event, room.state) == "A bids on 1 product"
    room.bid("a")
    assert words(room.entries()[-1].event, room.state) == "A passes"
