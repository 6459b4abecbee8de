"""What holds in every auction, whatever rules and bids: random auctions against the laws and a brute-force close."""

# ruff: noqa: S311 (seeded on purpose)

import contextlib
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.auction.closing import tie_number
from engine.auction.events import Event
from engine.auction.increments import allowed_amounts, highest_amount
from engine.auction.ledger import chain, replay, verify
from engine.auction.results import payments, state_digest
from engine.auction.rules import Activity, Increment, Jump, Lot, Rules, Withdrawals
from engine.auction.state import AuctionState
from engine.auction.transitions import apply
from engine.errors import AuctionRuleError, LedgerError
from tests.engine.auction.room import Room, configured

ROUNDS = 6


def random_rules(rng: random.Random) -> Rules:
    increment = rng.choice(
        [Increment(amount=rng.randint(1, 9)), Increment(kind="smoothed", rounding=rng.choice([1, 10]))]
    )
    stages = tuple(sorted(rng.sample([0.3, 0.55, 0.7, 0.8, 0.95, 1.0], rng.randint(1, 3))))
    return Rules(
        increment=increment,
        jump=rng.choice([Jump(), Jump("click box", 4, 0.2), Jump("any"), Jump("any", cap_increments=3)]),
        activity=Activity(rng.random() < 0.7, stages, rng.randint(0, 2), rng.random() < 0.5, 0.3, rng.randint(0, 2)),
        withdrawals=Withdrawals(rng.choice([0, 0, 2])),
        ties=rng.choice(["random", "alternating"]),
    )


def random_room(rng: random.Random) -> Room:
    products = tuple(
        Lot(f"{k}", f"Lot {k}", 5.0, 0.0, "", rng.randint(1, 5), rng.choice([0, 7, 30]), 0, rng.choice([1, 1, 2, 4]))
        for k in range(rng.randint(1, 5))
    )
    room = Room(configured(products, random_rules(rng), rng.randrange(2**53)), opened=False)
    for bidder in "abcd"[: rng.randint(1, 4)]:
        room.do("admitted", bidder=bidder, name=bidder, eligibility=rng.randint(0, 30))
    room.do("opened", deadline=None)
    return room


def random_bids(room: Room, place: int, rng: random.Random) -> list[list[Any]]:
    state = room.state
    rows = []
    for lot, product in enumerate(state.configuration.lots):
        choices = allowed_amounts(state, lot)
        if rng.random() < 0.5 and choices:
            amount = rng.choice(choices)
            if state.configuration.rules.jump.kind == "any":
                amount = min(highest_amount(state, lot), amount + rng.choice([0, 0, 1, 13]))
            rows.append([product.id, amount, rng.randint(1, product.quantity)])
    return rows


def try_to(room: Room, kind: Any, bidder: str, **data: Any) -> bool:
    """Send an event that may be against the rules; a refused one must change nothing."""
    before, digest = room.state, state_digest(room.state)
    try:
        room.act(kind, bidder, **data)
    except AuctionRuleError as error:
        unchanged = room.state is before and state_digest(before) == digest
        if not unchanged or not error.problems:
            raise
        return False
    return True


def play_round(room: Room, rng: random.Random) -> None:
    for place, bidder in enumerate(room.state.bidders):
        if rng.random() < 0.2:
            held = [room.state.configuration.lots[lot].id for lot in room.state.blocks_of(place)]
            try_to(room, "withdrawn", bidder.id, lots=rng.sample(held, rng.randint(0, len(held))))
        if rng.random() < 0.1:
            try_to(room, "waiver used", bidder.id)
        if rng.random() < 0.1:
            try_to(room, "reduction chosen", bidder.id)
        rows = random_bids(room, place, rng)
        while rows and not try_to(room, "bids submitted", bidder.id, bids=rows):
            rows.pop(rng.randrange(len(rows)))


def brute_force(state: AuctionState) -> list[list[tuple[int, int]]]:
    """Amount and bidder of the q best standing and new bids of each lot: sort them all and cut."""
    best = []
    for lot, product in enumerate(state.configuration.lots):
        slots = state.slots_of(lot)
        candidates = []
        for amount, place in zip(state.price[slots].tolist(), state.holder[slots].tolist(), strict=True):
            if place >= 0 and not (place in state.acted and lot in state.acted[place].withdrawn):
                number = tie_number(state, product.id, state.bidders[place].id)
                candidates.append((-amount, 0, -number, place))
        for place, acted in state.acted.items():
            number = tie_number(state, product.id, state.bidders[place].id)
            candidates += [(-b.amount, 1, -number, place) for b in acted.bids if b.lot == lot for _ in range(b.blocks)]
        best.append(sorted((-amount, place) for amount, _, _, place in sorted(candidates)[: product.quantity]))
    return best


def check_round(before: AuctionState, after: AuctionState) -> None:
    result, rules = after.rounds[-1], after.configuration.rules
    withdrawn = np.zeros(len(before.price), bool)
    for place, acted in before.acted.items():
        for lot in acted.withdrawn:
            slots = before.slots_of(lot)
            withdrawn[slots] |= before.holder[slots] == place
    # Prices never fall, and a holder changes only with a higher bid, except on a block that was given back.
    kept = ~withdrawn
    assert (result.price >= before.price)[kept].all()
    assert (result.price > before.price)[kept & (result.holder != before.holder)].all()
    free_again = np.isin(np.arange(len(before.minimum)), after.sale.slot_lot[withdrawn])
    if rules.increment.kind == "fixed":  # a smoothed increment falls when bids become fewer, and the minimum with it
        assert (result.minimum >= before.minimum)[~free_again].all()
    # The best bids stand: by amounts always, by holders too where random numbers break ties.
    for lot, expected in enumerate(brute_force(before)):
        slots = after.slots_of(lot)
        held = result.holder[slots] >= 0
        stands = sorted(zip(result.price[slots][held].tolist(), result.holder[slots][held].tolist(), strict=True))
        assert [amount for amount, _ in stands] == [amount for amount, _ in expected]
        assert rules.ties == "alternating" or stands == expected
        if rules.jump.kind == "none" and rules.increment.kind == "fixed" and not after.withdrawals and held.all():
            assert stands[-1][0] - stands[0][0] <= rules.increment.amount  # equal blocks end within one increment
    # Nobody is active beyond his eligibility, and eligibility never grows.
    eligible = np.array([bidder.eligibility for bidder in before.bidders])
    if rules.activity.enforced:
        assert (result.activity <= eligible).all()
    assert (result.eligibility <= eligible).all()
    assert (np.array([bidder.waivers_left for bidder in after.bidders]) >= 0).all()
    assert (np.array([bidder.withdrawal_rounds_left for bidder in after.bidders]) >= 0).all()


@settings(max_examples=120)
@given(st.integers(0, 2**32))
def test_the_laws_hold_in_random_auctions_and_a_replay_is_the_same(seed: int) -> None:
    rng = random.Random(seed)
    room = random_room(rng)
    for _ in range(ROUNDS):
        play_round(room, rng)
        before = room.state
        room.close()
        check_round(before, room.state)
        if room.state.phase != "open":
            break
    # What bidders pay for blocks is what stands on the blocks they hold.
    state = room.state
    paid = [payment.bids for payment in payments(state)]
    assert paid == state.standing_totals().tolist()
    assert sum(paid) == state.price[state.holder >= 0].sum()
    for withdrawal in state.withdrawals:
        assert withdrawal.due is None or 0 <= withdrawal.due <= withdrawal.amount
        assert withdrawal.due != 0 or withdrawal.best_later >= withdrawal.amount
    entries = room.entries()
    verify(entries)
    assert state_digest(replay(entries)) == state_digest(state)


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_an_annulled_round_is_as_if_it_had_not_been(seed: int) -> None:
    rng = random.Random(seed)
    room = random_room(rng)
    play_round(room, rng)
    room.close()
    if room.state.phase != "open":
        return
    before = room.state
    play_round(room, rng)
    room.close()
    room.do("round annulled", round=before.round, reason="", deadline=None)
    for name in ("price", "holder", "minimum", "runner_up", "activity_index"):
        assert np.array_equal(getattr(room.state, name), getattr(before, name))
    for name in ("round", "stage", "next_stage", "pointer", "bidders", "withdrawals", "rounds", "acted", "phase"):
        assert getattr(room.state, name) == getattr(before, name)


@pytest.fixture(scope="module")
def played() -> Room:
    room = random_room(rng := random.Random(5))
    while room.state.phase == "open" and room.state.round <= 4:
        play_round(room, rng)
        room.close()
    assert {"bids submitted", "round closed"} <= {event.kind for event in room.events}
    return room


def tampered(value: Any, rng: random.Random) -> Any:
    """A JSON value with one leaf changed."""
    if isinstance(value, dict) and value:
        name = rng.choice(sorted(value))
        return {**value, name: tampered(value[name], rng)}
    if isinstance(value, list) and value:
        place = rng.randrange(len(value))
        return [*value[:place], tampered(value[place], rng), *value[place + 1 :]]
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return "changed"
    return value + 1 if isinstance(value, int | float) else value + "x"


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_any_change_of_any_entry_is_detected(played: Room, seed: int) -> None:
    rng = random.Random(seed)
    entries = list(played.entries())
    place = rng.randrange(len(entries))
    event = entries[place].event
    changed = Event(event.kind, event.at, event.actor, tampered(dict(event.data), rng))
    entries[place] = type(entries[place])(place + 1, changed, entries[place].previous, entries[place].hash)
    with pytest.raises(LedgerError) as raised:
        verify(entries)
    assert raised.value.entry == place + 1


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_events_with_any_one_value_changed_are_taken_or_refused_but_never_break(played: Room, seed: int) -> None:
    rng = random.Random(seed)
    place = rng.randrange(1, len(played.events))
    state: AuctionState | None = None
    for event in played.events[:place]:
        state = apply(state, event)
    assert state is not None
    event = played.events[place]
    digest = state_digest(state)
    odd = rng.choice([float("nan"), -1, 10**400, "\ud800", [[]], {}, None, True, 1e308])
    data = dict(event.data)
    data[rng.choice(sorted(data) or ["x"])] = odd
    changed = Event(event.kind, event.at, event.actor, data)
    with contextlib.suppress(AuctionRuleError):
        assert apply(state, changed).events == state.events + 1
        chain([changed])  # what is taken can be stored
    assert state_digest(state) == digest
