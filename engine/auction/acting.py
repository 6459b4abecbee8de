"""What bidders do in the open round: bids, withdrawals, waivers, reductions. Nothing stands before the round closes."""

from collections.abc import Mapping
from dataclasses import replace

from engine.auction.checking import (
    as_problems,
    check_reduction,
    check_turn,
    check_waiver,
    check_withdrawal,
    examine_bids,
)
from engine.auction.event_data import SERVER, check_round, clean, short
from engine.auction.events import Event
from engine.auction.state import Acted, AuctionState
from engine.errors import AuctionRuleError, Problem


def _turn(state: AuctionState, event: Event) -> tuple[int, Acted, Mapping[str, int]]:
    """Return the bidder's place, what he did so far, and the requests with this one."""
    bidder_id = event.data.get("bidder")
    problems = as_problems(check_turn(state, bidder_id, event.at))
    if event.actor not in (bidder_id, SERVER):
        problems.append(Problem("actor", "error", f"{short(event.actor)} cannot act for another bidder"))
    problems += check_round(event, state.round, "the open round")
    request = event.data.get("request", "")
    if not isinstance(request, str) or len(request) > 64 or not clean(request):
        problems.append(
            Problem("request", "error", "a request's id is a text of at most 64 characters that can be shown")
        )
    if not isinstance(bidder_id, str):
        raise AuctionRuleError(problems)
    done = request_done(state, bidder_id, request) if isinstance(request, str) and request else None
    if done is not None:
        problems.append(Problem("repeated-request", "error", f"this request was done already, as event {done}"))
    if problems:
        raise AuctionRuleError(problems)
    place = state.bidder_place[bidder_id]
    requests = {**state.requests, _request_key(bidder_id, request): state.events + 1} if request else state.requests
    return place, state.acted.get(place, Acted()), requests


def _request_key(bidder_id: str, request: str) -> str:
    return f"{bidder_id}\n{request}"


def request_done(state: AuctionState, bidder_id: str, request: str) -> int | None:
    """Return the number of the event by which a bidder's request of this round or the one before was done, or None."""
    key = _request_key(bidder_id, request)
    return state.requests.get(key, state.requests_before.get(key))


def _did(state: AuctionState, place: int, acted: Acted, requests: Mapping[str, int]) -> AuctionState:
    return replace(state, acted={**state.acted, place: acted}, requests=requests)


def bids_submitted(state: AuctionState, event: Event) -> AuctionState:
    """Take a set of bids; it replaces the bidder's earlier set of the round."""
    place, acted, requests = _turn(state, event)
    bids, broken = examine_bids(state, event.data["bidder"], event.data.get("bids"))
    if broken:
        raise AuctionRuleError(as_problems(broken))
    return _did(state, place, replace(acted, bids=bids, at=event.at), requests)


def withdrawn(state: AuctionState, event: Event) -> AuctionState:
    """Take a list of lots whose standing bids are withdrawn as the round closes; it replaces the earlier list."""
    place, acted, requests = _turn(state, event)
    lots = event.data.get("lots")
    broken = check_withdrawal(state, event.data["bidder"], lots)
    if broken or lots is None:
        raise AuctionRuleError(as_problems(broken))
    places = tuple(sorted(state.sale.lot_place[lot] for lot in lots))
    return _did(state, place, replace(acted, withdrawn=places, at=event.at), requests)


def waiver_used(state: AuctionState, event: Event) -> AuctionState:
    """Take a proactive waiver."""
    place, acted, requests = _turn(state, event)
    broken = check_waiver(state, event.data["bidder"])
    if broken:
        raise AuctionRuleError(as_problems(broken))
    return _did(state, place, replace(acted, waiver=True, at=event.at), requests)


def reduction_chosen(state: AuctionState, event: Event) -> AuctionState:
    """Take the choice that eligibility shall fall instead of an automatic waiver being used."""
    place, acted, requests = _turn(state, event)
    broken = check_reduction(state, event.data["bidder"])
    if broken:
        raise AuctionRuleError(as_problems(broken))
    return _did(state, place, replace(acted, reduce=True, at=event.at), requests)
