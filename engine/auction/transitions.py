"""``state = apply(state, event)``: the one function that changes an auction. Pure: no clock, no chance, no storage."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.auction import acting, closing
from engine.auction.configuration import check_configuration, configuration_from_json
from engine.auction.event_data import (
    HOST,
    LATEST,
    MAX_NAME,
    SERVER,
    by_host,
    check_fields,
    check_round,
    count_of,
    deadline_of,
    flag_of,
    need,
    object_of,
    refused,
    seat_of,
    short,
    text_of,
)
from engine.auction.events import Event
from engine.auction.increments import minimum_bids, sale_of
from engine.auction.rules import Configuration
from engine.auction.state import NOBODY, AuctionState, Bidder, Default, frozen
from engine.auction.withdrawing import settled
from engine.errors import AuctionRuleError, Problem


def apply(state: AuctionState | None, event: Event) -> AuctionState:
    """Return the state after an event.

    Raises AuctionRuleError, naming every rule that the event breaks; the state given stays as it was.
    """
    if not 0 <= event.at < LATEST:
        raise refused("time", f"{event.at} is not a time in seconds since 1970")
    if state is None:
        if event.kind != "configured":
            raise refused("first-event", f"an auction begins with its configuration, not with {event.kind!r}")
        check_fields(event)
        return _configured(event)
    handler = _HANDLERS.get(event.kind)
    if handler is None:
        raise refused("event", f"there is no event {short(event.kind)}, or it cannot come again")
    check_fields(event)
    after = handler(state, event)
    return replace(after, events=state.events + 1, at=max(state.at, event.at))


def _with_seat(state: AuctionState, place: int, **changes: Any) -> tuple[Bidder, ...]:
    return (*state.bidders[:place], replace(state.bidders[place], **changes), *state.bidders[place + 1 :])


# Before the opening


def _configured(event: Event) -> AuctionState:
    by_host(event)
    configuration = configuration_from_json(event.data.get("configuration"))
    problems = [problem for problem in check_configuration(configuration) if problem.severity == "error"]
    if problems:
        raise AuctionRuleError(problems)
    return _fresh(configuration, event.at)


def _fresh(configuration: Configuration, at: float) -> AuctionState:
    sale = sale_of(configuration)
    lots, blocks = len(sale.units), len(sale.slot_lot)
    price, holder = frozen(np.zeros(blocks, np.int64)), frozen(np.full(blocks, NOBODY, np.int64))
    runner_up, index = frozen(np.zeros(lots, np.int64)), frozen(np.zeros(lots))
    return AuctionState(
        configuration=configuration,
        sale=sale,
        phase="set up",
        events=1,
        at=at,
        practice=False,
        round=0,
        stage=0,
        next_stage=0,
        deadline=None,
        remaining_s=None,
        bidders=(),
        bidder_place={},
        first_slot=sale.first_slot,
        price=price,
        holder=holder,
        minimum=minimum_bids(configuration, sale, (price, holder), runner_up, index),
        runner_up=runner_up,
        activity_index=index,
        pointer=0,
        acted={},
        withdrawals=(),
        rounds=(),
    )


def _admitted(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "set up", "open", "paused")
    by_host(event)
    rules = state.configuration.rules
    bidder_id, name = text_of(event, "bidder", 64, 1), _name_of(event)
    eligibility, deposit = count_of(event, "eligibility"), count_of(event, "deposit") if "deposit" in event.data else 0
    valuation, bot = object_of(event, "valuation"), text_of(event, "bot", 40)
    problems = []
    if bidder_id in state.bidder_place or bidder_id in (HOST, SERVER):
        problems.append(Problem("bidder", "error", f"the bidder id {bidder_id!r} is taken"))
    problems += _name_taken(state, name)
    needed = eligibility * rules.deposit_per_unit
    if deposit < needed:
        words = f"{name}: a deposit of {deposit} {state.configuration.currency} buys less than the eligibility of"
        problems.append(Problem("deposit", "error", f"{words} {eligibility} units, which needs {needed}"))
    if problems:
        raise AuctionRuleError(problems)
    bidder = Bidder(
        id=bidder_id,
        name=name,
        eligibility=eligibility,
        initial_eligibility=eligibility,
        deposit=deposit,
        waivers_left=rules.activity.waivers if rules.activity.enforced else 0,
        withdrawal_rounds_left=rules.withdrawals.rounds,
        valuation=valuation,
        bot=bot,
        seat=name,
    )
    places = {**state.bidder_place, bidder_id: len(state.bidders)}
    return replace(state, bidders=(*state.bidders, bidder), bidder_place=places)


def _name_of(event: Event) -> str:
    return text_of(event, "name", MAX_NAME, 1)


def _name_taken(state: AuctionState, name: str, but: int = NOBODY) -> list[Problem]:
    others = (bidder.name for place, bidder in enumerate(state.bidders) if place != but)
    return [Problem("name", "error", f"another bidder is called {name!r}")] if name in others else []


def _renamed(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "set up", "open", "paused")
    by_host(event)
    place, name = seat_of(state, event), _name_of(event)
    if taken := _name_taken(state, name, place):
        raise AuctionRuleError(taken)
    return replace(state, bidders=_with_seat(state, place, name=name))


def _opened(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "set up")
    by_host(event)
    if not state.bidders:
        raise refused("bidders", "an auction opens with at least one bidder")
    return replace(state, phase="open", round=1, deadline=deadline_of(event))


def _practice_begun(state: AuctionState, event: Event) -> AuctionState:
    return replace(_opened(state, event), practice=True)


def _practice_ended(state: AuctionState, event: Event) -> AuctionState:
    by_host(event)
    if not state.practice:
        raise refused("practice", "no practice is going on")
    need(state, event, "open", "paused")
    rules = state.configuration.rules
    bidders = tuple(
        replace(
            bidder,
            eligibility=bidder.initial_eligibility,
            waivers_left=rules.activity.waivers if rules.activity.enforced else 0,
            withdrawal_rounds_left=rules.withdrawals.rounds,
        )
        for bidder in state.bidders
    )
    return replace(
        _fresh(state.configuration, event.at),
        bidders=bidders,
        bidder_place=state.bidder_place,
        announcements=state.announcements,
        requests=state.requests,
        requests_before=state.requests_before,
    )


# Rounds and the clock


def _round_closed(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "open")
    by_host(event)
    if wrong := check_round(event, state.round, "the open round"):
        raise AuctionRuleError(wrong)
    left = 0.0 if state.deadline is None else state.deadline - event.at
    all_acted = state.configuration.rules.timing.pace == "all acted" and closing.everyone_acted(state)
    if event.actor == SERVER and left > 0 and not all_acted:
        raise refused("deadline", f"round {state.round} has {left:.3f} s left: only the host closes it before")
    if closing.why_closing(state):
        raise refused("closing", f"no round follows: {closing.why_closing(state)}")
    recorded = event.data.get("tie_numbers")
    if not isinstance(recorded, Mapping):
        raise refused("tie-numbers", "the tie numbers are {lot: {bidder: number}}")
    try:
        return closing.close_round(state, event.at, deadline_of(event), recorded)
    except ValueError as error:
        raise refused("tie-numbers", f"round {state.round}: {error}") from None


def _stage_changed(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "open", "paused")
    by_host(event)
    stages = state.configuration.rules.activity.stages
    if not state.configuration.rules.activity.enforced:
        raise refused("stage", "these rules have no activity requirement and so no stages")
    if state.next_stage + 1 >= len(stages):
        raise refused("stage", f"stage {len(stages)} is the last")
    stage = count_of(event, "stage", state.next_stage + 1, len(stages) - 1)
    return replace(state, next_stage=stage, stage=state.stage if state.acted else stage)


def _paused(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "open")
    by_host(event)
    if closing.why_closing(state):
        raise refused("closing", f"the auction is over: {closing.why_closing(state)}")
    left = event.data.get("remaining_s")
    if left is not None and (isinstance(left, bool) or not isinstance(left, int | float) or not 0 <= left < 1e9):
        raise refused("remaining_s", "what remains of the round is a number of seconds, or null without a clock")
    return replace(state, phase="paused", deadline=None, remaining_s=None if left is None else float(left))


def _resumed(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "paused")
    by_host(event)
    return replace(state, phase="open", deadline=deadline_of(event), remaining_s=None)


def _extended(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "open")
    by_host(event)
    deadline = deadline_of(event)
    if deadline is not None and state.deadline is not None and deadline < state.deadline:
        raise refused("deadline", "an extended round does not end earlier than before")
    return replace(state, deadline=deadline)


def _round_annulled(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "open", "paused", "closed")
    by_host(event)
    begun = state.before
    if begun is None or state.defaults:
        words = "no round is closed yet" if not state.rounds else "the round before was annulled; only one can be"
        raise refused("annulment", words)
    if wrong := check_round(event, begun.round, "the last closed round"):
        raise AuctionRuleError(wrong)
    text_of(event, "reason", lines=True)
    bidders = tuple(
        replace(
            now,
            eligibility=then.eligibility,
            waivers_left=then.waivers_left,
            withdrawal_rounds_left=then.withdrawal_rounds_left,
        )
        for now, then in zip(state.bidders, begun.bidders, strict=False)
    )
    return replace(
        begun,
        deadline=deadline_of(event),
        bidders=(*bidders, *state.bidders[len(bidders) :]),
        bidder_place=state.bidder_place,
        annulled=state.annulled + 1,
        announcements=state.announcements,
        requests=state.requests,
        requests_before=state.requests_before,
    )


# Seats, words, and the end


def _muted(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "set up", "open", "paused")
    by_host(event)
    return replace(state, bidders=_with_seat(state, seat_of(state, event), muted=flag_of(event, "muted")))


def _seat_given(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "set up", "open", "paused")
    by_host(event)
    return replace(state, bidders=_with_seat(state, seat_of(state, event), bot=text_of(event, "bot", 40)))


def _announced(state: AuctionState, event: Event) -> AuctionState:
    by_host(event)
    text = text_of(event, "text", 1000, 1, lines=True)
    return replace(state, announcements=(*state.announcements, (event.at, text)))


def _cancelled(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "set up", "open", "paused")
    by_host(event)
    reason = text_of(event, "reason", lines=True)
    words = f"cancelled by the host: {reason}" if reason else "cancelled by the host"
    return replace(state, phase="cancelled", deadline=None, acted={}, before=None, ended_because=words)


def _closed(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "open")
    by_host(event)
    if state.practice:
        raise refused("practice", "a practice is ended, not closed")
    because = closing.why_closing(state)
    if not because:
        raise refused("closing", "the auction goes on: its last round had bids, or another one is open already")
    lots = state.configuration.lots
    reserve = np.array([lot.reserve for lot in lots], np.int64)[state.sale.slot_lot]
    withdrawals = settled(state.withdrawals, state.price, state.holder, reserve)
    return replace(state, phase="closed", deadline=None, withdrawals=withdrawals, ended_because=because)


def _defaulted(state: AuctionState, event: Event) -> AuctionState:
    need(state, event, "closed")
    by_host(event)
    place, lots = seat_of(state, event), event.data.get("lots")
    if not isinstance(lots, list | tuple) or not lots:
        raise refused("form", "the products that a winner does not pay are a list")
    done = {default.slot for default in state.defaults}
    found, problems = list[Default](), list[Problem]()
    for lot in lots:
        number = state.sale.lot_place.get(lot) if isinstance(lot, str) else None
        slots = [] if number is None else range(*state.slots_of(number).indices(len(state.price)))
        won = [slot for slot in slots if state.holder[slot] == place and slot not in done]
        won = [slot for slot in won if state.price[slot] >= state.configuration.lots[int(number or 0)].reserve]
        if not won or number is None:
            words = f"{state.bidders[place].name} won nothing of product {short(lot)}, or defaulted on it already"
            problems.append(Problem("holder", "error", words, "lots", element=short(lot)))
            continue
        done.update(won)
        found.extend(Default(place, number, slot, int(state.price[slot])) for slot in won)
    if problems:
        raise AuctionRuleError(problems)
    return replace(state, defaults=(*state.defaults, *found))


_HANDLERS: Mapping[str, Callable[[AuctionState, Event], AuctionState]] = {
    "admitted": _admitted,
    "renamed": _renamed,
    "opened": _opened,
    "bids submitted": acting.bids_submitted,
    "withdrawn": acting.withdrawn,
    "waiver used": acting.waiver_used,
    "reduction chosen": acting.reduction_chosen,
    "round closed": _round_closed,
    "stage changed": _stage_changed,
    "paused": _paused,
    "resumed": _resumed,
    "extended": _extended,
    "round annulled": _round_annulled,
    "practice begun": _practice_begun,
    "practice ended": _practice_ended,
    "muted": _muted,
    "seat given": _seat_given,
    "announced": _announced,
    "cancelled": _cancelled,
    "closed": _closed,
    "defaulted": _defaulted,
}
