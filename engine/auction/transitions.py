"""``state = apply(state, event)``: the one function that changes an auction. Pure: no clock, no chance, no storage."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.auction import closing
from engine.auction.checking import (
    as_problems,
    check_bids,
    check_reduction,
    check_turn,
    check_waiver,
    check_withdrawal,
    read_bids,
)
from engine.auction.configuration import check_configuration, configuration_from_json
from engine.auction.events import Event
from engine.auction.increments import minimum_bids, sale_of
from engine.auction.rules import MAX_AMOUNT, Configuration
from engine.auction.state import NOBODY, Acted, AuctionState, Bidder, Default, Phase, frozen
from engine.auction.withdrawing import settled
from engine.errors import AuctionRuleError, Problem

HOST, SERVER = "host", "server"
LATEST = 1e11  # seconds since 1970; milliseconds are exact below


def apply(state: AuctionState | None, event: Event) -> AuctionState:
    """Return the state after an event.

    Raises AuctionRuleError, naming every rule that the event breaks; the state given stays as it was.
    """
    if not 0 <= event.at < LATEST:
        raise _refused("time", f"{event.at} is not a time in seconds since 1970")
    if state is None:
        if event.kind != "configured":
            raise _refused("first-event", f"an auction begins with its configuration, not with {event.kind!r}")
        return _configured(event)
    handler = _HANDLERS.get(event.kind)
    if handler is None:
        raise _refused("event", f"there is no event {str(event.kind)[:40]!r}, or it cannot come again")
    after = handler(state, event)
    return replace(after, events=state.events + 1, at=max(state.at, event.at))


def _refused(rule: str, message: str) -> AuctionRuleError:
    return AuctionRuleError([Problem(rule, "error", message)])


def _need(state: AuctionState, event: Event, *phases: Phase) -> None:
    if state.phase not in phases:
        raise _refused(
            "phase", f"{event.kind!r} is possible while the auction is {' or '.join(phases)}, not {state.phase}"
        )


def _by_host(event: Event) -> None:
    if event.actor not in (HOST, SERVER):
        raise _refused("actor", f"{event.kind!r} is for the host, not for {event.actor!r}")


def _text(event: Event, name: str, most: int = 500, least: int = 0) -> str:
    value = event.data.get(name, "")
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise _refused(name, f"{event.kind!r}: {name} is a text of {least} to {most} characters")
    return value


def _count(event: Event, name: str, least: int = 0, most: int = MAX_AMOUNT) -> int:
    value = event.data.get(name)
    if type(value) is not int or not least <= value <= most:
        raise _refused(name, f"{event.kind!r}: {name} is a whole number from {least} to {most}, not {str(value)[:40]}")
    return value


def _flag(event: Event, name: str) -> bool:
    value = event.data.get(name)
    if not isinstance(value, bool):
        raise _refused(name, f"{event.kind!r}: {name} is true or false")
    return value


def _deadline(event: Event) -> float | None:
    value = event.data.get("deadline")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not event.at < value < LATEST:
        raise _refused("deadline", f"{event.kind!r}: the deadline {str(value)[:40]} is not a time after {event.at} s")
    return float(value)


def _seat(state: AuctionState, event: Event) -> int:
    place = state.bidder_place.get(str(event.data.get("bidder")))
    if place is None:
        raise _refused("bidder", f"there is no bidder {str(event.data.get('bidder'))[:40]!r} in this auction")
    return place


def _with_seat(state: AuctionState, place: int, **changes: Any) -> tuple[Bidder, ...]:
    return (*state.bidders[:place], replace(state.bidders[place], **changes), *state.bidders[place + 1 :])


# Before the opening


def _configured(event: Event) -> AuctionState:
    _by_host(event)
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
    _need(state, event, "set up", "open", "paused")
    _by_host(event)
    rules = state.configuration.rules
    bidder_id, name = _text(event, "bidder", 64, 1), _text(event, "name", 80, 1)
    eligibility, deposit = _count(event, "eligibility"), _count(event, "deposit") if "deposit" in event.data else 0
    valuation, bot = event.data.get("valuation"), _text(event, "bot", 40)
    problems = []
    if bidder_id in state.bidder_place or bidder_id in (HOST, SERVER):
        problems.append(Problem("bidder", "error", f"the bidder id {bidder_id!r} is taken"))
    if any(bidder.name == name for bidder in state.bidders):
        problems.append(Problem("name", "error", f"another bidder is called {name!r}"))
    needed = eligibility * rules.deposit_per_unit
    if deposit < needed:
        words = f"{name}: a deposit of {deposit} {state.configuration.currency} buys less than the eligibility of"
        problems.append(Problem("deposit", "error", f"{words} {eligibility} units, which needs {needed}"))
    if valuation is not None and not isinstance(valuation, Mapping):
        problems.append(Problem("valuation", "error", f"{name}: assigned values are a JSON object or null"))
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
    )
    places = {**state.bidder_place, bidder_id: len(state.bidders)}
    return replace(state, bidders=(*state.bidders, bidder), bidder_place=places)


def _opened(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "set up")
    _by_host(event)
    if not state.bidders:
        raise _refused("bidders", "an auction opens with at least one bidder")
    return replace(state, phase="open", round=1, deadline=_deadline(event))


def _practice_begun(state: AuctionState, event: Event) -> AuctionState:
    return replace(_opened(state, event), practice=True)


def _practice_ended(state: AuctionState, event: Event) -> AuctionState:
    _by_host(event)
    if not state.practice:
        raise _refused("practice", "no practice is going on")
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


# What bidders do


def _turn(state: AuctionState, event: Event) -> tuple[int, Acted, Mapping[str, int]]:
    """Return the bidder's place, what he did so far, and the requests with this one."""
    bidder_id = event.data.get("bidder")
    problems = as_problems(check_turn(state, bidder_id, event.at))
    if event.actor not in (bidder_id, SERVER):
        problems.append(Problem("actor", "error", f"{event.actor!r} cannot act for another bidder"))
    if event.data.get("round") != state.round:
        words = f"meant for round {str(event.data.get('round'))[:20]}; the open round is {state.round}"
        problems.append(Problem("round", "error", words))
    request = event.data.get("request", "")
    if not isinstance(request, str) or len(request) > 64:
        problems.append(Problem("request", "error", "a request's id is a text of at most 64 characters"))
    done = request_done(state, str(bidder_id), request) if isinstance(request, str) and request else None
    if done is not None:
        problems.append(Problem("repeated-request", "error", f"this request was done already, as event {done}"))
    if problems:
        raise AuctionRuleError(problems)
    place = state.bidder_place[str(bidder_id)]
    requests = (
        {**state.requests, _request_key(str(bidder_id), request): state.events + 1} if request else state.requests
    )
    return place, state.acted.get(place, Acted()), requests


def _request_key(bidder_id: str, request: str) -> str:
    return f"{bidder_id}\n{request}"


def request_done(state: AuctionState, bidder_id: str, request: str) -> int | None:
    """Return the number of the event by which a bidder's request of this round or the one before was done, or None."""
    key = _request_key(bidder_id, request)
    return state.requests.get(key, state.requests_before.get(key))


def _did(state: AuctionState, place: int, acted: Acted, requests: Mapping[str, int]) -> AuctionState:
    return replace(state, acted={**state.acted, place: acted}, requests=requests)


def _bids_submitted(state: AuctionState, event: Event) -> AuctionState:
    place, acted, requests = _turn(state, event)
    bids = event.data.get("bids")
    broken = check_bids(state, event.data["bidder"], bids)
    if broken or bids is None:
        raise AuctionRuleError(as_problems(broken))
    return _did(state, place, replace(acted, bids=read_bids(state, bids), at=event.at), requests)


def _withdrawn(state: AuctionState, event: Event) -> AuctionState:
    place, acted, requests = _turn(state, event)
    lots = event.data.get("lots")
    broken = check_withdrawal(state, event.data["bidder"], lots)
    if broken or lots is None:
        raise AuctionRuleError(as_problems(broken))
    places = tuple(sorted(state.sale.lot_place[lot] for lot in lots))
    return _did(state, place, replace(acted, withdrawn=places, at=event.at), requests)


def _waiver_used(state: AuctionState, event: Event) -> AuctionState:
    place, acted, requests = _turn(state, event)
    broken = check_waiver(state, event.data["bidder"])
    if broken:
        raise AuctionRuleError(as_problems(broken))
    return _did(state, place, replace(acted, waiver=True, at=event.at), requests)


def _reduction_chosen(state: AuctionState, event: Event) -> AuctionState:
    place, acted, requests = _turn(state, event)
    broken = check_reduction(state, event.data["bidder"])
    if broken:
        raise AuctionRuleError(as_problems(broken))
    return _did(state, place, replace(acted, reduce=True, at=event.at), requests)


# Rounds and the clock


def _round_closed(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "open")
    _by_host(event)
    if event.data.get("round") != state.round:
        words = f"meant for round {str(event.data.get('round'))[:20]}; the open round is {state.round}"
        raise _refused("round", words)
    left = 0.0 if state.deadline is None else state.deadline - event.at
    all_acted = state.configuration.rules.timing.pace == "all acted" and closing.everyone_acted(state)
    if event.actor == SERVER and left > 0 and not all_acted:
        raise _refused("deadline", f"round {state.round} has {left:.3f} s left: only the host closes it before")
    if closing.why_closing(state):
        raise _refused("closing", f"no round follows: {closing.why_closing(state)}")
    recorded = event.data.get("tie_numbers")
    if not isinstance(recorded, Mapping):
        raise _refused("tie-numbers", "the tie numbers are {lot: {bidder: number}}")
    try:
        return closing.close_round(state, event.at, _deadline(event), recorded)
    except ValueError as error:
        raise _refused("tie-numbers", f"round {state.round}: {error}") from None


def _stage_changed(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "open", "paused")
    _by_host(event)
    stages = state.configuration.rules.activity.stages
    if not state.configuration.rules.activity.enforced:
        raise _refused("stage", "these rules have no activity requirement and so no stages")
    if state.next_stage + 1 >= len(stages):
        raise _refused("stage", f"stage {len(stages)} is the last")
    stage = _count(event, "stage", state.next_stage + 1, len(stages) - 1)
    return replace(state, next_stage=stage, stage=state.stage if state.acted else stage)


def _paused(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "open")
    _by_host(event)
    left = event.data.get("remaining_s")
    if left is not None and (isinstance(left, bool) or not isinstance(left, int | float) or not 0 <= left < 1e9):
        raise _refused("remaining_s", "what remains of the round is a number of seconds, or null without a clock")
    return replace(state, phase="paused", deadline=None, remaining_s=None if left is None else float(left))


def _resumed(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "paused")
    _by_host(event)
    return replace(state, phase="open", deadline=_deadline(event), remaining_s=None)


def _extended(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "open")
    _by_host(event)
    deadline = _deadline(event)
    if deadline is not None and state.deadline is not None and deadline < state.deadline:
        raise _refused("deadline", "an extended round does not end earlier than before")
    return replace(state, deadline=deadline)


def _round_annulled(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "open", "paused", "closed")
    _by_host(event)
    begun = state.before
    if begun is None or state.defaults:
        words = "no round is closed yet" if not state.rounds else "the round before was annulled; only one can be"
        raise _refused("annulment", words)
    if event.data.get("round") != begun.round:
        words = f"meant for round {str(event.data.get('round'))[:20]}; the last closed round is {begun.round}"
        raise _refused("round", words)
    _text(event, "reason")
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
        deadline=_deadline(event),
        bidders=(*bidders, *state.bidders[len(bidders) :]),
        bidder_place=state.bidder_place,
        annulled=state.annulled + 1,
        announcements=state.announcements,
        requests=state.requests,
        requests_before=state.requests_before,
    )


# Seats, words, and the end


def _muted(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "set up", "open", "paused")
    _by_host(event)
    return replace(state, bidders=_with_seat(state, _seat(state, event), muted=_flag(event, "muted")))


def _seat_given(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "set up", "open", "paused")
    _by_host(event)
    return replace(state, bidders=_with_seat(state, _seat(state, event), bot=_text(event, "bot", 40)))


def _announced(state: AuctionState, event: Event) -> AuctionState:
    _by_host(event)
    text = _text(event, "text", 1000, 1)
    return replace(state, announcements=(*state.announcements, (event.at, text)))


def _cancelled(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "set up", "open", "paused")
    _by_host(event)
    reason = _text(event, "reason")
    words = f"cancelled by the host: {reason}" if reason else "cancelled by the host"
    return replace(state, phase="cancelled", deadline=None, acted={}, before=None, ended_because=words)


def _closed(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "open")
    _by_host(event)
    if state.practice:
        raise _refused("practice", "a practice is ended, not closed")
    because = closing.why_closing(state)
    if not because or state.acted:
        raise _refused("closing", "the auction goes on: its last round had bids, or another one is open already")
    lots = state.configuration.lots
    reserve = np.array([lot.reserve for lot in lots], np.int64)[state.sale.slot_lot]
    withdrawals = settled(state.withdrawals, state.price, state.holder, reserve)
    return replace(state, phase="closed", deadline=None, withdrawals=withdrawals, ended_because=because)


def _defaulted(state: AuctionState, event: Event) -> AuctionState:
    _need(state, event, "closed")
    _by_host(event)
    place, lots = _seat(state, event), event.data.get("lots")
    if not isinstance(lots, list | tuple) or not lots:
        raise _refused("form", "the lots that a winner does not pay are a list")
    done = {default.slot for default in state.defaults}
    found, problems = list[Default](), list[Problem]()
    for lot in lots:
        number = state.sale.lot_place.get(lot) if isinstance(lot, str) else None
        slots = [] if number is None else range(*state.slots_of(number).indices(len(state.price)))
        won = [slot for slot in slots if state.holder[slot] == place and slot not in done]
        won = [slot for slot in won if state.price[slot] >= state.configuration.lots[int(number or 0)].reserve]
        if not won or number is None:
            words = f"{state.bidders[place].name} won nothing of lot {str(lot)[:40]!r}, or defaulted on it already"
            problems.append(Problem("holder", "error", words, "lots", element=str(lot)[:40]))
            continue
        done.update(won)
        found.extend(Default(place, number, slot, int(state.price[slot])) for slot in won)
    if problems:
        raise AuctionRuleError(problems)
    return replace(state, defaults=(*state.defaults, *found))


_HANDLERS: Mapping[str, Callable[[AuctionState, Event], AuctionState]] = {
    "admitted": _admitted,
    "opened": _opened,
    "bids submitted": _bids_submitted,
    "withdrawn": _withdrawn,
    "waiver used": _waiver_used,
    "reduction chosen": _reduction_chosen,
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
