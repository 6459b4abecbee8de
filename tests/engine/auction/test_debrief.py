"""The debrief against sums by hand, laws of money, and auctions in which something is missing."""

import json
from dataclasses import replace
from typing import Any

import pytest

from engine.auction.debrief import Debrief, debrief
from engine.auction.ledger import chain
from engine.auction.presets import PRESETS
from engine.auction.rules import Increment, Rules, Withdrawals
from engine.auction.simulate import run
from engine.auction.templates import TEMPLATES, Seat
from engine.errors import LedgerError
from tests.engine.auction.room import Room, configured, lots


def _of(key: str, bot: str = "straightforward") -> Debrief:
    template = TEMPLATES[key]
    return debrief(run(template.configuration, template.seats, bot=bot).entries)


def test_example_1_against_vickrey_and_equilibrium_by_hand() -> None:
    """Values (20, 0, 30, 15) and (30, 20, 10, 10): each lot to the higher value at the lower one."""
    told = _of("paper-1")
    assert told.totals.equilibrium_prices == (20.0, 0.0, 10.0, 10.0)
    assert told.totals.equilibrium_revenue == told.totals.vcg_revenue == 40.0
    assert [row.vcg_surplus for row in told.bidders] == [45.0 - 20.0, 50.0 - 20.0]
    assert [row.equilibrium_surplus for row in told.bidders] == [25.0, 30.0]
    assert [row.surplus for row in told.bidders] == [45.0 - 15.0, 50.0 - 25.0]
    assert [row.optimum_won for row in told.bidders] == [row.won for row in told.bidders]
    assert (told.totals.efficiency, told.totals.revenue, told.totals.rounds) == (1.0, 40, 5)
    # L(p) at (20, 5, 10, 5): prices 40, bidder 1 gains 20 + 10, bidder 2 gains 10 + 15 + 5; the optimum is 95.
    assert (told.rounds[-1].dual_value, told.rounds[-1].gap) == (100.0, 5.0)
    assert all(given == 0.0 for row in told.rounds for given in row.given_up)


def test_the_campus_shows_its_loss_and_that_no_equilibrium_exists() -> None:
    told = _of("campus")
    first = told.bidders[0]
    assert first.value is not None
    assert first.loss == first.pays - first.value == told.totals.exposure_loss
    assert first.loss > 0
    assert (told.totals.equilibrium_exists, told.totals.equilibrium_prices) == (False, None)
    assert told.certificate["badge"] == "no equilibrium"
    assert any(one["premise"] == "gross substitutes" for one in told.certificate["premises"])
    assert "loss" in told.why[f"surplus {first.id}"].note
    assert _of("campus", "exposure-averse").totals.exposure_loss == 0.0


@pytest.mark.parametrize("key", TEMPLATES)
@pytest.mark.parametrize("bot", ["straightforward", "random"])
def test_money_and_values_add_up(key: str, bot: str) -> None:
    told = _of(key, bot)
    totals = told.totals
    assert totals.welfare is not None
    assert totals.optimum is not None
    values = sum(row.value or 0.0 for row in told.bidders)
    assert totals.surplus == pytest.approx(values - totals.payments)
    assert totals.payments == sum(row.bids_paid + row.other_payments for row in told.bidders)
    assert totals.welfare <= totals.optimum + 1e-9
    assert totals.linear_bound is not None
    assert totals.linear_bound >= totals.optimum - 1e-6
    last = told.rounds[-1]
    if bot == "straightforward":
        assert last.standing_total == totals.revenue
        assert all(row.gap is not None and row.gap >= -1e-6 for row in told.rounds)
    for row in told.bidders:
        assert row.vcg_surplus is not None
        assert row.vcg_surplus >= -1e-9  # truthful bidders never lose in a Vickrey auction
    welfare = told.why["welfare"].values
    assert sum(float(value) for _, value, _ in welfare) == pytest.approx(totals.welfare)
    assert json.loads(json.dumps(told.to_json(), allow_nan=False))["totals"]["revenue"] == totals.revenue


def test_paths_tell_blocks_withdrawals_and_waivers() -> None:
    rules = Rules(increment=Increment(amount=5), withdrawals=Withdrawals(1))
    room = Room(configured(lots(2, 1), rules), "a", "b")
    room.bid("a", ["1", 5, 2])
    room.do("round closed", round=1, tie_numbers={}, deadline=None)
    room.bid("b", ["2", 5])
    room.do("withdrawn", "a", bidder="a", round=2, lots=["1"])
    room.do("round closed", round=2, tie_numbers={}, deadline=None)
    told = debrief(chain(room.events))
    first, second = told.rounds
    assert (first.holders, first.prices) == (((0, 0), (None,)), (5, None))
    assert (second.holders, second.prices) == (((None, None), (1,)), (None, 5))
    assert second.withdrawn == ((0, 0),)
    assert (first.standing_total, second.standing_total, first.new_bids) == (10, 5, 1)


def _unknown() -> Debrief:
    sale = configured(lots(1, 1))
    room = Room(sale, opened=False)
    values = {"kind": "additive", "values": {"1": 50, "2": 50}}
    room.do("admitted", bidder="a", name="A", eligibility=2, valuation=values)
    room.do("admitted", bidder="b", name="B", eligibility=2)
    room.do("opened", deadline=None)
    room.bid("a", ["1", 5])
    room.bid("b", ["2", 5])
    room.do("round closed", round=1, tie_numbers={}, deadline=None)
    return debrief(chain(room.events))


def test_without_somebodys_values_nothing_is_made_up() -> None:
    told = _unknown()
    assert (told.totals.welfare, told.totals.optimum, told.totals.efficiency, told.totals.vcg_revenue) == (None,) * 4
    assert [row.surplus for row in told.bidders] == [45.0, None]
    assert "1 of 2 bidders has no assigned values" in told.notices[0]
    assert told.certificate["badge"] == "none"
    assert [table["bidder"] for table in told.tables] == [0]
    assert "efficiency" not in told.why


def test_an_auction_that_still_runs_is_told_as_it_stands() -> None:
    told = _unknown()
    assert (told.phase, told.totals.revenue, told.totals.rounds) == ("open", 10, 1)


def test_a_practice_and_an_annulled_round_leave_no_trace_in_the_paths() -> None:
    room = Room(configured(lots(1)), "a", "b", opened=False)
    room.do("practice begun", deadline=None)
    room.bid("a", ["1", 5])
    room.do("round closed", round=1, tie_numbers={}, deadline=None)
    room.do("practice ended")
    room.do("opened", deadline=None)
    room.bid("a", ["1", 5])
    room.do("round closed", round=1, tie_numbers={}, deadline=None)
    room.do("round annulled", round=1, reason="a wrong clock", deadline=None)
    room.bid("b", ["1", 5])
    room.do("round closed", round=1, tie_numbers={}, deadline=None)
    told = debrief(chain(room.events))
    assert [row.holders for row in told.rounds] == [((1,),)]
    assert told.annulled == 1


def test_nothing_is_told_before_a_round_is_closed() -> None:
    with pytest.raises(LedgerError, match="no round"):
        debrief(chain(Room(configured(lots(1)), "a").events))


def test_tables_hold_the_telling_bundles_where_there_are_too_many() -> None:
    told = _of("spectrum")  # 5^4 x 3^4 bundles
    for one, bidder in zip(told.tables, told.bidders, strict=True):
        assert not one["whole"]
        rows = {row["bundle"]: row for row in one["rows"]}
        assert rows[()]["modified_surplus"] == 0.0
        held = rows[bidder.won]
        assert held["held"]
        assert held["value"] == bidder.value
        # Nobody has withdrawn or defaulted. Equal blocks of others may be cheaper than his own even with the penalty.
        assert held["price"] + held["penalty"] <= bidder.pays
        best = max(row["modified_surplus"] for row in rows.values())
        assert bidder.surplus is not None
        assert bidder.envy is not None
        assert best == pytest.approx(bidder.surplus + bidder.envy)  # (7a): no other bundle is better still
        assert rows[max(rows, key=lambda bundle: rows[bundle]["modified_surplus"])]["best"]
    assert any("50625 bundles" in notice for notice in told.notices)


def test_reserves_are_the_sellers_values() -> None:
    """One lot with a reserve of 50 that nobody reaches: the seller keeps it, and that is efficient."""
    sale = configured(lots(1, reserve=50), PRESETS["Paper"])
    values: dict[str, Any] = {"kind": "additive", "values": {"1": 30}}
    told = debrief(run(sale, [Seat("A", values, "", 1), Seat("B", values, "", 1)]).entries)
    assert (told.totals.revenue, told.totals.welfare, told.totals.optimum) == (0, 50.0, 50.0)
    assert [row.won for row in told.bidders] == [(), ()]
    assert told.why["welfare"].values[-1] == ("the seller keeps", 50.0, "k$")


def test_budgets_and_bots_are_told_with_the_bidders() -> None:
    template = TEMPLATES["classroom"]
    first = template.seats[0]
    seats = [replace(first, valuation={**(first.valuation or {}), "budget": 200}, bot="budgeted"), *template.seats[1:]]
    told = debrief(run(template.configuration, seats).entries)
    assert (told.bidders[0].budget, told.bidders[0].bot) == (200.0, "budgeted")
    assert told.certificate["badge"] == "none"


def test_what_stands_below_a_reserve_is_worth_nothing_to_its_holder_before_the_end_either() -> None:
    """Bid 5, reserve 30: the seller keeps the lot, which is worth 30 to him and 20 to the bidder."""
    room = Room(configured(lots(1, reserve=30)), opened=False)
    room.do("admitted", bidder="a", name="A", eligibility=1, valuation={"kind": "additive", "values": {"1": 20}})
    room.do("opened", deadline=None)
    room.round(a=[["1", 5]])
    for end in (lambda: None, lambda: room.do("cancelled", reason="fire alarm")):
        end()
        told = debrief(chain(room.events))
        assert (told.totals.welfare, told.totals.optimum, told.totals.revenue) == (30.0, 30.0, 0)
        assert (told.bidders[0].won, told.bidders[0].value, told.bidders[0].pays) == ((), 0.0, 0)
