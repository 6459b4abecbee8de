"""What may be seen of an auction, and by whom: the public, one bidder, the host. Pure functions of the state.

A view is built from nothing: a field is in it because it is put in, never because it was not taken out. Others' bids
of the open round, values, budgets, eligibility under anonymous bidding, and reserves are in no view but the host's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.auction.eligibility import activities, required_activity
from engine.auction.increments import MILLION, allowed_amounts, highest_amount, increment_share_ppm, step_of
from engine.auction.results import awarded
from engine.auction.rules import MAX_AMOUNT, Lot
from engine.auction.state import NOBODY, Acted, AuctionState, RoundResult
from engine.auction.value_builder import value_sheet
from engine.auction.withdrawing import due_of, interim_payment
from engine.auction.wording import rules_words

View = dict[str, Any]
Places = Mapping[str, tuple[float, float]]  # longitude and latitude by lot

SEALED = frozenset({"bids submitted", "withdrawn", "waiver used", "reduction chosen"})  # until the round closes
PRIVATE = SEALED | {"muted", "seat given"}  # seen by the bidder whom it concerns, and by the host


def names_are_open(state: AuctionState) -> bool:
    """Tell whether everybody may know who holds what: always under full information, else after the end."""
    return state.configuration.rules.information == "full" or state.phase == "closed"


def public(state: AuctionState, places: Places) -> View:
    """Return what everybody in the room may see."""
    configuration, rules = state.configuration, state.configuration.rules
    last = state.rounds[-1] if state.rounds else None
    return {
        "title": configuration.title,
        "currency": configuration.currency,
        "origin": configuration.origin if state.phase == "closed" else "",  # may tell how values were drawn
        "phase": state.phase,
        "practice": state.practice,
        "round": state.round,
        "stage": state.stage,
        "stages": list(rules.activity.stages) if rules.activity.enforced else [],
        "deadline": state.deadline,
        "remaining_s": state.remaining_s,
        "round_s": None if rules.timing.pace == "by hand" else rules.timing.round_s,
        "pace": rules.timing.pace,
        "information": rules.information,
        "jump": rules.jump.kind,
        "withdrawals": rules.withdrawals.rounds > 0,
        "activity_rule": rules.activity.enforced,
        "rules_words": list(rules_words(configuration)),
        "bidders": len(state.bidders),
        "lots": [_lot(state, place, lot, places) for place, lot in enumerate(configuration.lots)],
        "seats": _seats(state),
        "announcements": [{"at": at, "text": text} for at, text in state.announcements],
        "results": None if last is None else _results(state, last),
        "outcome": _outcome(state),
        "ended_because": state.ended_because,
    }


def _lot(state: AuctionState, place: int, lot: Lot, places: Places) -> View:
    slots = state.slots_of(place)
    held = state.holder[slots] != NOBODY
    standing = sorted((int(amount) for amount in state.price[slots][held]), reverse=True)
    all_held = len(standing) == lot.quantity
    minimum = int(state.minimum[place])
    where = places.get(lot.id)
    return {
        "id": lot.id,
        "name": lot.name,
        "mw": lot.capacity_mw,
        "risk": lot.risk,
        "bus": lot.bus,
        "units": lot.units,
        "quantity": lot.quantity,
        "opening": lot.opening,
        "price": standing[-1] if all_held else None,
        "standing": standing,
        "held": len(standing),
        "holders": _holders(state, slots) if names_are_open(state) else None,
        "minimum": minimum if minimum <= MAX_AMOUNT else None,
        "increment": step_of(state, place),
        "increment_words": _increment_words(state, place),
        "bids": int(state.rounds[-1].bids_per_lot[place]) if state.rounds else 0,
        "longitude": where[0] if where else None,
        "latitude": where[1] if where else None,
    }


def _holders(state: AuctionState, slots: slice) -> list[str]:
    """Return the names of a lot's holders, the highest standing bid first; a name for each block."""
    pairs = [(-int(price), int(place)) for price, place in zip(state.price[slots], state.holder[slots], strict=True)]
    return [state.bidders[place].name for _, place in sorted(pairs) if place != NOBODY]


def _increment_words(state: AuctionState, place: int) -> str:
    configuration, increment = state.configuration, state.configuration.rules.increment
    if increment.kind == "fixed":
        return f"{increment.amount:,} {configuration.currency} fixed".replace(",", "\u2009")
    share = float(increment_share_ppm(increment, state.activity_index[place : place + 1])[0]) / MILLION
    activity = float(state.activity_index[place])
    return (
        f"{100 * share:.4g} % = min((1 + {activity:.3g}) \u00d7 {100 * increment.floor:.4g} %, "
        f"{100 * increment.ceiling:.4g} %)"
    )


def _seats(state: AuctionState) -> list[View] | None:
    """Return every bidder's eligibility and last activity, under full information only."""
    if state.configuration.rules.information != "full":
        return None
    activity = state.rounds[-1].activity if state.rounds else np.zeros(0, np.int64)
    return [
        {
            "id": bidder.id,
            "name": bidder.name,
            "eligibility": bidder.eligibility,
            "activity": int(activity[place]) if place < len(activity) else None,
            "waivers": bidder.waivers_left,
        }
        for place, bidder in enumerate(state.bidders)
    ]


def _results(state: AuctionState, last: RoundResult) -> View:
    return {
        "round": last.round,
        "stage": last.stage,
        "closed_at": last.closed_at,
        "bids": int(last.bids_per_lot.sum()),
        "lots_bid_on": int((last.bids_per_lot > 0).sum()),
        "tied": [state.configuration.lots[lot].id for lot in last.tied],
        "total": int(last.price.sum()),
    }


def _outcome(state: AuctionState) -> list[View] | None:
    """Return who gets what and pays what, once the auction is closed. A block below its reserve is not sold."""
    if state.phase != "closed":
        return None
    totals: dict[int, list[View]] = {}
    won = awarded(state)
    for place, lot in enumerate(state.configuration.lots):
        slots = state.slots_of(place)
        for amount, holder in zip(state.price[slots].tolist(), won[slots].tolist(), strict=True):
            if holder != NOBODY:
                totals.setdefault(holder, []).append({"lot": lot.id, "amount": amount})
    return [
        {"name": bidder.name, "won": totals.get(place, []), "pay": sum(won["amount"] for won in totals.get(place, []))}
        for place, bidder in enumerate(state.bidders)
    ]


def mine(state: AuctionState, place: int, hint: Sequence[Mapping[str, Any]] | None = None) -> View:
    """Return what the bidder at this place may see besides; ``hint`` is his demand at these prices, where allowed."""
    bidder, acted = state.bidders[place], state.acted.get(place)
    configuration, lots = state.configuration, state.configuration.lots
    activity = int(activities(state)[place])
    held = state.held_units()[place]
    amounts = {lot.id: list(allowed_amounts(state, number)) for number, lot in enumerate(lots)}
    most = (
        {lot.id: highest_amount(state, number) for number, lot in enumerate(lots)}
        if configuration.rules.jump.kind == "any" and configuration.rules.jump.cap_increments
        else {}
    )
    return {
        "bidder": bidder.id,
        "name": bidder.name,
        "eligibility": bidder.eligibility,
        "initial": bidder.initial_eligibility,
        "deposit": bidder.deposit,
        "activity_held": int(held),
        "activity": activity,
        "required": required_activity(state, bidder),
        "waivers": bidder.waivers_left,
        "withdrawal_rounds": bidder.withdrawal_rounds_left,
        "muted": bidder.muted,
        "bot": bidder.bot,
        "holdings": _holdings(state, place),
        "pay": _pay(state)[place],
        "interim_due": sum(due_of(state, one) for one in state.withdrawals if one.bidder == place),
        "withdrawals": [
            {
                "lot": lots[one.lot].id,
                "amount": one.amount,
                "round": one.round,
                "due": one.due,
                "interim": due_of(state, one),
            }
            for one in state.withdrawals
            if one.bidder == place
        ],
        "can_withdraw": _withdrawable(state, place),
        "values": None if bidder.valuation is None else _values(bidder.valuation, state),
        "hint": None if hint is None else list(hint),
        "acted": None if acted is None else _acted(state, acted),
        "amounts": amounts,
        "most": most,
    }


def _holdings(state: AuctionState, place: int) -> list[View]:
    """Return what a bidder holds, block by block; once the auction is closed, what is sold to them."""
    holder = awarded(state) if state.phase == "closed" else state.holder
    found = []
    for number in state.blocks_of(place):
        slots = state.slots_of(number)
        amounts = state.price[slots][holder[slots] == place].tolist()
        if amounts:
            lot = state.configuration.lots[number].id
            worth = {"amount": max(amounts), "amounts": amounts, "pay": sum(amounts)}
            found.append({"lot": lot, "blocks": len(amounts), **worth})
    return found


def _pay(state: AuctionState) -> list[int]:
    """Return the sum of each bidder's standing bids; once the auction is closed, of those that bought something."""
    if state.phase != "closed":
        return [int(total) for total in state.standing_totals()]
    won = awarded(state)
    return [int(state.price[won == place].sum()) for place in range(len(state.bidders))]


def _withdrawable(state: AuctionState, place: int) -> list[View]:
    """Return the standing bids that the rules let the bidder withdraw now, and what is held of each meanwhile."""
    rules = state.configuration.rules.withdrawals
    if state.phase != "open" or not rules.rounds or not state.bidders[place].withdrawal_rounds_left:
        return []
    return [
        {"lot": held["lot"], "amount": held["pay"],
         "interim": sum(interim_payment(amount, rules.interim_share) for amount in held["amounts"])}
        for held in _holdings(state, place)
    ]  # fmt: skip


def _values(valuation: Mapping[str, Any], state: AuctionState) -> View:
    """Return a bidder's own values: by lot where a lot has one, and as a sheet of rows with words."""
    rows = value_sheet(valuation, state.configuration)
    by_lot = valuation.get("values")
    lots = [by_lot.get(lot.id, 0) if by_lot is not None else None for lot in state.configuration.lots]
    return {"kind": valuation["kind"], "budget": valuation.get("budget"), "lots": lots, "sheet": rows}


def _acted(state: AuctionState, acted: Acted) -> View:
    lots = state.configuration.lots
    return {
        "bids": [{"lot": lots[bid.lot].id, "amount": bid.amount, "blocks": bid.blocks} for bid in acted.bids],
        "withdrawn": [lots[lot].id for lot in acted.withdrawn],
        "waiver": acted.waiver,
        "reduce": acted.reduce,
        "at": acted.at,
    }


def _keeps_open(acted: Acted) -> bool:
    """Return whether what a bidder did keeps the auction open when the round closes."""
    return bool(acted.bids or acted.withdrawn or acted.waiver)


def host_bidders(state: AuctionState) -> list[View]:
    """Return what the host may see of every bidder: who has acted, how often, what he holds and pays."""
    activity, held, pay = activities(state), state.held_units(), _pay(state)
    return [
        {
            "id": bidder.id,
            "name": bidder.name,
            "seat": bidder.seat,
            "acted": place in state.acted,
            "bids": len(state.acted[place].bids) if place in state.acted else 0,
            "keeps_open": place in state.acted and _keeps_open(state.acted[place]),
            "eligibility": bidder.eligibility,
            "initial": bidder.initial_eligibility,
            "activity": int(activity[place]),
            "required": required_activity(state, bidder),
            "waivers": bidder.waivers_left,
            "held": int(held[place]),
            "holdings": _holdings(state, place),
            "pay": pay[place],
            "bot": bidder.bot,
            "muted": bidder.muted,
            "assigned": bidder.valuation is not None,
        }
        for place, bidder in enumerate(state.bidders)
    ]


def history(state: AuctionState, since: int, place: int | None = None) -> list[View]:
    """Return the closed rounds after round ``since``; with the bids of the bidder at ``place``, when one asks.

    Who held what, and who bid, is told as far as names are open.
    """
    told, lots = names_are_open(state), state.configuration.lots
    rounds = []
    for result in state.rounds:
        if result.round <= since:
            continue
        slots = [state.slots_of(number) for number in range(len(lots))]
        rounds.append(
            {
                "round": result.round,
                "stage": result.stage,
                "practice": state.practice,
                "closed_at": result.closed_at,
                "prices": [_price(result, part) for part in slots],
                "minimum": [int(amount) for amount in result.minimum],
                "bids": [int(number) for number in result.bids_per_lot],
                "holders": [_names(state, result, part) for part in slots] if told else None,
                "bidders": [_bids(state, result, number) for number in sorted(result.acted)] if told else None,
                "mine": None if place is None else _own(result, place, state),
            }
        )
    return rounds


def _price(result: RoundResult, slots: slice) -> int | None:
    return int(result.price[slots].min()) if (result.holder[slots] != NOBODY).all() else None


def _names(state: AuctionState, result: RoundResult, slots: slice) -> list[str]:
    return [state.bidders[place].name for place in result.holder[slots].tolist() if place != NOBODY]


def _bids(state: AuctionState, result: RoundResult, place: int) -> View:
    acted, lots = result.acted[place], state.configuration.lots
    return {
        "name": state.bidders[place].name,
        "bids": [[lots[bid.lot].id, bid.amount, bid.blocks] for bid in acted.bids],
        "withdrawn": [lots[lot].id for lot in acted.withdrawn],
    }


def _own(result: RoundResult, place: int, state: AuctionState) -> list[View]:
    """Return the bidder's own bids of a round, and on how many of the blocks each stood afterwards."""
    if place not in result.acted:
        return []
    rows = []
    for bid in result.acted[place].bids:
        slots = state.slots_of(bid.lot)
        stood = int(((result.holder[slots] == place) & (result.price[slots] == bid.amount)).sum())
        won = min(stood, bid.blocks)
        lot = state.configuration.lots[bid.lot].id
        rows.append({"lot": lot, "amount": bid.amount, "blocks": bid.blocks, "stood": won, "won": won > 0})
    return rows
