"""Every kind of bot: what it wants, that it keeps every rule, and that a replay gives the same moves."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.auction import bots, results
from engine.auction.bot_choices import by_worth, knapsack, limited_additive, limited_campus, one_by_one, surplus_of
from engine.auction.bots import BOTS, NO_VALUES, bot_events, move, read_valuations
from engine.auction.checking import check_bids
from engine.auction.demand import Means, best_bundle
from engine.auction.ledger import verify
from engine.auction.presets import PRESETS
from engine.auction.rules import Activity, Configuration, Increment, Jump, Lot, Rules, Withdrawals
from engine.auction.simulate import bidder_id, play, run
from engine.auction.state import AuctionState
from engine.auction.templates import TEMPLATES, Seat, classroom, total_units
from engine.auction.values import Additive, Campus, from_json
from engine.errors import LimitError, QuestionError, SolverError
from tests.engine.auction.markets import configuration, draw
from tests.engine.auction.room import Room, configured, lots

KINDS = [kind for kind in BOTS if not kind.startswith("paper-")]
STEP = Rules(increment=Increment(amount=5))
FOUR = lots(1, 1, 1, 1)


def _additive(*values: int, **more: Any) -> dict[str, Any]:
    return {"kind": "additive", "values": {str(k): value for k, value in enumerate(values, 1)}, **more}


def _won(state: AuctionState, place: int) -> np.ndarray:
    held = state.sale.slot_lot[results.winners(state) == place]
    return np.bincount(held, minlength=len(state.minimum))


def _surplus(state: AuctionState, place: int) -> float:
    value = read_valuations(state)[place].value(_won(state, place))
    return value - results.payments(state)[place].total


def _paid(state: AuctionState, place: int) -> int:
    return results.payments(state)[place].bids


# The rules


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("market", ["mixed", "blocks", "paper-1", "campus", "classroom"])
def test_all_kinds_play_whole_auctions_against_each_other_and_break_no_rule(preset: str, market: str) -> None:
    """A refused event would raise: every bid, withdrawal and waiver goes through the auction's own rules."""
    seed = ["mixed", "blocks", "paper-1", "campus", "classroom"].index(market)
    chance = np.random.default_rng(seed)
    if market in ("mixed", "blocks"):
        quantity = [1, 1, 1, 1, 1] if market == "mixed" else [3, 2, 4]
        sale = configuration(quantity)
        kinds = ["additive", "symmetric", "unit demand", "campus", "bundles"]
        valuations = [draw(kinds[k % 5], sale.lots, chance, 60) for k in range(len(KINDS))]
    else:
        sale = TEMPLATES[market].configuration
        seats = TEMPLATES[market].seats
        valuations = [seats[k % len(seats)].valuation for k in range(len(KINDS))]
    rules = replace(PRESETS[preset], deposit_per_unit=0)
    sale = replace(sale, rules=rules, seed=seed)
    units = total_units(sale)
    for turn in range(2):
        seats = [
            Seat(f"{kind} {turn}", valuation, kind, units * (1 + (k + turn) % 3) // 3)
            for k, (kind, valuation) in enumerate(zip(KINDS, valuations[turn:] + valuations[:turn], strict=True))
        ]
        played = run(sale, seats)
        verify(played.entries)
        assert played.state.phase == "closed"
        if rules.activity.enforced:
            for before, after in itertools.pairwise(played.state.rounds):
                assert (after.activity <= before.eligibility).all()


def test_random_bots_use_waivers_and_withdrawals_under_the_fccs_rules() -> None:
    template = classroom(bidders=6, lots=8, seed=3)
    sale = replace(template.configuration, rules=PRESETS["FCC"])
    waivers = withdrawals = reductions = 0
    for seed in range(6):
        for entry in play(replace(sale, seed=seed), [replace(seat, bot="random") for seat in template.seats]):
            waivers += entry.event.kind == "waiver used"
            withdrawals += entry.event.kind == "withdrawn"
            reductions += entry.event.kind == "reduction chosen"
    assert min(waivers, withdrawals, reductions) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_ledger(kind: str) -> None:
    template = TEMPLATES["spectrum"]
    first = play(template.configuration, template.seats, bot=kind)
    again = play(template.configuration, template.seats, bot=kind)
    assert [entry.hash for entry in first] == [entry.hash for entry in again]


def test_another_seed_gives_another_auction_by_chance() -> None:
    template = TEMPLATES["spectrum"]
    ledgers = {
        play(replace(template.configuration, seed=seed), template.seats, bot="random")[-1].hash for seed in range(3)
    }
    assert len(ledgers) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_move_depends_on_the_bots_own_values_and_what_is_public_only(kind: str) -> None:
    room = Room(configured(FOUR, replace(STEP, information="anonymous")), opened=False)
    other = Room(configured(FOUR, replace(STEP, information="anonymous")), opened=False)
    for one, values in ((room, (90, 80, 70, 60)), (other, (10, 20, 30, 40))):
        one.do("admitted", bidder="a", name="A", eligibility=4, valuation=_additive(50, 60, 70, 80), bot=kind)
        one.do("admitted", bidder="b", name="B", eligibility=4, valuation=_additive(*values))
        one.do("opened", deadline=None)
        one.bid("b", ["2", 5])
    assert move(room.state, 0) == move(other.state, 0)
    assert move(room.state, 0).bids == move(replace(room.state, acted={}), 0).bids  # sealed bids of the round


# Seats


@pytest.mark.parametrize("kind", BOTS)
def test_a_seat_without_values_has_nothing_to_bid_for_and_says_so(kind: str) -> None:
    room = Room(configured(FOUR), opened=False)
    room.do("admitted", bidder="a", name="A", eligibility=4, bot=kind)
    room.do("opened", deadline=None)
    assert move(room.state, 0).words == NO_VALUES
    assert bot_events(room.state, room.now) == ()


def test_a_bot_takes_a_seat_over_and_hands_it_back() -> None:
    room = Room(configured(FOUR), opened=False)
    for bidder in ("a", "b"):
        room.do("admitted", bidder=bidder, name=bidder, eligibility=4, valuation=_additive(9, 9, 9, 9))
    room.do("opened", deadline=None)
    assert bot_events(room.state, room.now) == ()
    room.do("seat given", bidder="b", bot="straightforward")
    (event,) = bot_events(room.state, room.now + 1)
    assert event.data == {"bidder": "b", "round": 1, "bids": [[str(k), 5, 1] for k in range(1, 5)]}
    room.do("seat given", bidder="b", bot="")
    assert bot_events(room.state, room.now + 1) == ()


@pytest.mark.parametrize("kind", [kind for kind in BOTS if not kind.startswith("paper")])
@pytest.mark.parametrize("done", ["waiver used", "withdrawn", "bids submitted", "reduction chosen", "taken back"])
def test_what_a_person_did_before_a_bot_took_over_stands(kind: str, done: str) -> None:
    rules = Rules(
        increment=Increment(amount=5),
        jump=Jump(kind="any"),
        activity=Activity(enforced=True, stages=(1.0,), waivers=2),
        withdrawals=Withdrawals(rounds=2),
    )
    room = Room(configured(lots(3, 1), rules), opened=False)
    for bidder in ("a", "b"):
        room.do("admitted", bidder=bidder, name=bidder, eligibility=4, valuation=_additive(400, 400))
    room.do("opened", deadline=None)
    room.round(a=[["1", 5]])
    if done in ("bids submitted", "taken back"):
        room.bid("a", ["2", 5])
    else:
        room.act(done, "a", **({"lots": ["1"]} if done == "withdrawn" else {}))
    if done == "taken back":
        room.bid("a")
    room.do("seat given", bidder="a", bot=kind)
    before = room.state
    for event in bot_events(before, room.now):
        room.do(event.kind, event.actor, **event.data)
    if done != "taken back":
        assert room.state.acted[0] == before.acted[0]
    assert room.close().round == 3


def test_a_muted_bot_is_silent() -> None:
    room = Room(configured(FOUR), opened=False)
    room.do("admitted", bidder="a", name="A", eligibility=4, valuation=_additive(9), bot="straightforward")
    room.do("opened", deadline=None)
    room.do("muted", bidder="a", muted=True)
    assert bot_events(room.state, room.now + 1) == ()


# What each kind wants


def test_straightforward_bots_stop_at_the_second_highest_value() -> None:
    """Additive values: each lot goes to the highest value at most an increment from the second highest."""
    chance = np.random.default_rng(4)
    values = chance.integers(1, 200, (3, 4))
    state = run(
        configured(FOUR, STEP), [Seat(f"{k}", _additive(*row.tolist()), "", 4) for k, row in enumerate(values)]
    ).state
    ordered = np.sort(values, axis=0)
    assert (np.abs(state.price - ordered[1]) <= 5).all()
    assert sum(values[holder, lot] for lot, holder in enumerate(state.holder)) >= ordered[2].sum() - 4 * 5


def test_equal_shares_at_the_first_bid_where_both_reduce_demand() -> None:
    """Four lots worth 100 each to two bidders: straightforward bids end near 100, an equal share at the first bid."""
    seats = [Seat(name, _additive(100, 100, 100, 100), "", 4) for name in ("A", "B")]
    honest = run(configured(FOUR, STEP), seats).state
    reduced = run(configured(FOUR, STEP), seats, bot="demand-reducing").state
    assert int(honest.price.sum()) >= 4 * 95
    assert reduced.price.tolist() == [5, 5, 5, 5]
    assert [int(_won(reduced, place).sum()) for place in (0, 1)] == [2, 2]
    assert min(_surplus(reduced, place) for place in (0, 1)) > max(_surplus(honest, place) for place in (0, 1))


def test_demand_reduction_counts_rivals_by_name_only_where_names_are_public() -> None:
    """Of three seats one never bids: with full information the share is a half, without a third."""
    shares = {}
    for information in ("full", "anonymous"):
        room = Room(configured(lots(*[1] * 12), replace(STEP, information=information)), opened=False)
        for bidder in ("a", "b", "c"):
            room.do("admitted", bidder=bidder, name=bidder, eligibility=12, valuation=_additive(*[100] * 12))
        room.do("opened", deadline=None)
        room.bid("b", *[[str(k), 5] for k in range(1, 13)])
        room.do("round closed", round=1, tie_numbers={}, deadline=None)
        shares[information] = len(move(room.state, 0, "demand-reducing").bids)
    assert shares == {"full": 6, "anonymous": 4}


def test_a_budget_is_never_exceeded() -> None:
    template = TEMPLATES["classroom"]
    for place, seat in enumerate(template.seats):
        valuation = {**(seat.valuation or {}), "budget": 300}
        seats = [
            *template.seats[:place],
            replace(seat, valuation=valuation, bot="budgeted"),
            *template.seats[place + 1 :],
        ]
        assert _paid(run(template.configuration, seats).state, place) <= 300


def test_without_a_budget_half_of_all_values_is_one() -> None:
    seats = [Seat("A", _additive(40, 30, 20, 10), "budgeted", 4), Seat("B", _additive(39, 29, 19, 9), "", 4)]
    state = run(configured(FOUR, STEP), seats).state
    assert 0 < _paid(state, 0) <= 50


def test_the_campus_loses_by_straightforward_bids_and_never_by_safe_ones() -> None:
    template = TEMPLATES["campus"]
    seats = list(template.seats)
    for seed in range(8):
        sale = replace(template.configuration, seed=seed)
        exposed = run(sale, seats).state
        averse = run(sale, [replace(seats[0], bot="exposure-averse"), *seats[1:]]).state
        assert _surplus(exposed, 0) < 0 <= _surplus(averse, 0)


def test_an_exposure_averse_bot_gives_back_what_it_should_not_hold() -> None:
    """A person left it with one lot of a campus that needs two, and the other is dearer than both are worth."""
    rules = replace(STEP, jump=Jump(kind="any"), withdrawals=replace(STEP.withdrawals, rounds=1))
    room = Room(configured(tuple(replace(lot, bus="A") for lot in lots(1, 1)), rules), opened=False)
    pair = {"kind": "campus", "values": {"1": 30, "2": 30}, "minimum_mw": 20}
    room.do("admitted", bidder="a", name="A", eligibility=2, valuation=pair)
    room.do("admitted", bidder="b", name="B", eligibility=2)
    room.do("opened", deadline=None)
    room.bid("a", ["1", 20])
    room.bid("b", ["2", 80])
    room.do("round closed", round=1, tie_numbers={}, deadline=None)
    room.do("seat given", bidder="a", bot="exposure-averse")
    (event,) = bot_events(room.state, room.now + 1)
    assert (event.kind, event.data["lots"]) == ("withdrawn", ["1"])


def test_jump_bots_bid_above_the_minimum_only_where_the_rules_allow_it_and_never_above_the_value() -> None:
    template = TEMPLATES["classroom"]
    for kind, jumps in (("none", False), ("click box", True), ("any", True)):
        rules = replace(template.configuration.rules, jump=Jump(kind=kind, steps=5))
        state = run(replace(template.configuration, rules=rules), template.seats, bot="jump").state
        minimum, above = state.sale.first_bid, 0
        for result in state.rounds:
            above += sum(bid.amount > minimum[bid.lot] for acted in result.acted.values() for bid in acted.bids)
            minimum = result.minimum
        assert (above > 0) == jumps
        for place, valuation in read_valuations(state).items():
            assert isinstance(valuation, Additive)
            mine = state.holder == place
            assert (state.price[mine] <= valuation.block[state.sale.slot_lot[mine]]).all()


def test_what_a_bot_sends_is_what_the_bidders_form_would_allow() -> None:
    template = TEMPLATES["spectrum"]
    room = Room(template.configuration, opened=False)
    for number, seat in enumerate(template.seats, 1):
        room.do("admitted", bidder=bidder_id(number), name=seat.name, eligibility=seat.eligibility,
                valuation=seat.valuation, bot="straightforward")  # fmt: skip
    room.do("opened", deadline=None)
    for event in bot_events(room.state, room.now + 1):
        assert check_bids(room.state, event.data["bidder"], event.data["bids"]) == []


# Many lots


def _drawn(chance: np.random.Generator) -> tuple[Additive, np.ndarray, np.ndarray, np.ndarray]:
    """Nine lots of random units: valuation, prices asked, gains, units."""
    units = chance.integers(1, 6, 9)
    sale = Configuration("Test", tuple(Lot(f"{k}", f"{k}", 1.0, 0.0, "A", int(u)) for k, u in enumerate(units, 1)))
    values, ask = chance.integers(0, 100, 9), chance.integers(1, 100, 9).astype(float)
    valuation = from_json(_additive(*values.tolist()), sale)
    assert isinstance(valuation, Additive)
    return valuation, ask, values - ask, units


def test_limited_additive_demand_is_the_best_of_all_bundles() -> None:
    chance, held = np.random.default_rng(8), np.zeros(9, dtype=np.int64)
    bundles = np.array(list(itertools.product((0, 1), repeat=9)))
    for _ in range(100):
        valuation, ask, gain, units = _drawn(chance)
        assert (limited_additive(valuation, ask, held, Means(0.0, units, np.inf)) == best_bundle(valuation, ask)).all()
        room = float(chance.integers(0, 15))
        best = np.where(bundles @ units <= room, bundles @ gain, -np.inf).max()
        exact = limited_additive(valuation, ask, held, Means(0.0, units, room))
        assert units @ exact <= room
        assert exact @ gain == best
        assert exact[gain <= 0].sum() == 0  # the smallest of the best
        greedy = by_worth(valuation, ask, held, Means(0.0, units, room))
        assert units @ greedy <= room
        assert best - greedy @ gain <= max(0.0, gain.max())  # within the best block that was left out
        single = one_by_one(valuation, ask, held, Means(0.0, units, room))
        assert units @ single <= room
        assert single @ gain >= 0.0


def test_a_campus_at_each_bus_within_its_units_is_the_best_of_all_bundles() -> None:
    chance = np.random.default_rng(10)
    bound = 0
    for _ in range(120):
        market = configuration([1, 1, 2, 1, 1])
        content = {**draw("campus", market.lots, chance, 60), "counted": "at each bus"}
        valuation = from_json(content, market)
        assert isinstance(valuation, Campus)
        held = np.minimum(chance.integers(0, 3, 5) // 2, valuation.quantity)
        units, ask = chance.integers(1, 4, 5), chance.integers(1, 40, 5).astype(float)
        means = Means(0.0, units, float(chance.integers(0, 12)))
        found = limited_campus(valuation, ask, held, means)
        assert found is not None
        exact = best_bundle(valuation, ask, held, means=means) - held
        assert (found >= 0).all()
        assert (held + found <= valuation.quantity).all()
        assert units @ found <= means.units_left
        assert surplus_of(valuation, ask, held, found) == surplus_of(valuation, ask, held, exact)
        assert found.sum() == exact.sum()  # the smallest of the best
        bound += bool((best_bundle(valuation, ask, held) - held) @ units > means.units_left)
    assert bound > 10


def test_a_knapsack_prefers_fewer_blocks_and_then_the_lowest_numbers() -> None:
    ones = np.array([1, 1, 1, 1])
    assert knapsack(np.array([5.0, 5.0, 5.0, 10.0]), ones, 2).tolist() == [0, 3]
    assert knapsack(np.array([5.0, 5.0, 10.0, 10.0]), np.array([1, 1, 2, 2]), 2).tolist() == [2]


def test_a_budget_within_limits_of_units_is_kept_by_the_greedy_filling() -> None:
    chance, held = np.random.default_rng(9), np.zeros(9, dtype=np.int64)
    for _ in range(30):
        valuation, ask, gain, units = _drawn(chance)
        poor = replace(valuation, budget=float(chance.integers(0, 150)))
        found = limited_additive(poor, ask, held, Means(20.0, units, 12.0))
        assert 20.0 + ask @ found <= max(20.0, poor.budget)
        assert units @ found <= 12
        assert (gain[found > 0] > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_bot_bids_on_when_a_solver_stops(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*_: object) -> None:
        raise SolverError("stopped without an optimum")

    monkeypatch.setattr(bots, "best_bundle", stops)
    room = Room(configured(FOUR, STEP), opened=False)
    room.do(
        "admitted",
        bidder="a",
        name="A",
        eligibility=4,
        bot=kind,
        valuation={"kind": "unit demand", "values": {"1": 60}},
    )
    room.do("opened", deadline=None)
    done = move(room.state, 0)
    assert [bid.lot for bid in done.bids] == [0]
    assert kind in ("random", "exposure-averse") or "a solver stopped" in done.words


@pytest.mark.parametrize("kind", ["straightforward", "exposure-averse", "random"])
def test_a_room_of_sixty_bots_and_sixty_lots_comes_to_its_end(kind: str) -> None:
    template = classroom(60, 60)
    assert run(template.configuration, template.seats, bot=kind).state.phase == "closed"


# Refusals


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(QuestionError, match="clever"):
        run(configured(FOUR), [Seat("A", None, "clever", 4)])


def test_an_auction_that_does_not_end_is_stopped() -> None:
    seats = [Seat(name, _additive(10**6), "", 4) for name in ("A", "B")]
    with pytest.raises(LimitError, match="50 rounds"):
        run(configured(FOUR, STEP), seats, most_rounds=50)


def test_eligibility_is_spent_on_what_gains_most() -> None:
    """Two units of eligibility, four lots of one unit: the two best lots."""
    rules = replace(STEP, activity=Activity(enforced=True, stages=(1.0,)))
    state = run(configured(FOUR, rules), [Seat("A", _additive(10, 40, 30, 20), "", 2)]).state
    assert _won(state, 0).tolist() == [0, 1, 1, 0]
