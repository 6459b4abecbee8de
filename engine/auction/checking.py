"""What a bidder may do in the open round; every broken rule is named, all at once, and each has the reason in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.auction.closing import why_closing
from engine.auction.eligibility import activity_of, required_activity
from engine.auction.event_data import short
from engine.auction.increments import allowed_amounts, highest_amount
from engine.auction.rules import MAX_AMOUNT
from engine.auction.state import Acted, AuctionState, Bid
from engine.errors import Problem

__all__ = [
    "BidProblem", "allowed_amounts", "as_problems", "check_bids", "check_reduction", "check_turn", "check_waiver",
    "check_withdrawal", "examine_bids", "highest_amount", "read_bids",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class BidProblem:
    """One rule that a bid or a set of bids breaks."""

    lot: str  # id; "" for the set as a whole
    rule: str  # stable and machine readable, such as "minimum-bid"
    message: str


def as_problems(found: list[BidProblem]) -> list[Problem]:
    """Return broken rules as the problems of an :class:`engine.errors.AuctionRuleError`."""
    return [Problem(problem.rule, "error", problem.message, "lots", element=problem.lot) for problem in found]


def check_turn(state: AuctionState, bidder_id: object, at: float | None = None) -> list[BidProblem]:
    """Return why this bidder may not act now: no such seat, not open, too late (``at``), muted."""
    if not isinstance(bidder_id, str) or bidder_id not in state.bidder_place:
        return [BidProblem("", "bidder", f"there is no bidder {short(bidder_id)} in this auction")]
    found = []
    if state.phase != "open":
        found.append(BidProblem("", "phase", f"the auction is {state.phase}; bids count only while a round is open"))
    elif ending := why_closing(state):
        found.append(BidProblem("", "closing", f"the auction is over: {ending}"))
    elif at is not None and state.deadline is not None and at > state.deadline:
        late = at - state.deadline
        found.append(BidProblem("", "deadline", f"received {late:.3f} s after the deadline of round {state.round}"))
    if state.bidders[state.bidder_place[bidder_id]].muted:
        found.append(BidProblem("", "muted", "the host has muted this bidder"))
    return found


def check_bids(state: AuctionState, bidder_id: object, bids: object, at: float | None = None) -> list[BidProblem]:
    """Return every rule that a set of bids ``[[lot, amount, blocks], ...]`` would break, none if it may be sent.

    ``bids`` may be anything that came from outside. A set is taken whole or not at all, and replaces the bidder's
    earlier set of the round.
    """
    return examine_bids(state, bidder_id, bids, at)[1]


def examine_bids(
    state: AuctionState, bidder_id: object, bids: object, at: float | None = None
) -> tuple[tuple[Bid, ...], list[BidProblem]]:
    """Return the bids that could be read, and what :func:`check_bids` returns."""
    found = check_turn(state, bidder_id, at)
    if found and found[0].rule == "bidder":
        return (), found
    if not isinstance(bids, list | tuple):
        return (), [*found, BidProblem("", "form", "bids are a list of [lot, amount, blocks]")]
    if len(bids) > len(state.configuration.lots):
        words = f"{len(bids)} bids for {len(state.configuration.lots)} products; one for each is possible"
        return (), [*found, BidProblem("", "form", words)]
    place = state.bidder_place[str(bidder_id)]
    acted = state.acted.get(place, Acted())
    if acted.waiver and bids:
        found.append(BidProblem("", "waiver-used", "a waiver was used in this round: no bid can follow it"))
    held = state.blocks_of(place)
    seen: set[int] = set()
    good: list[Bid] = []
    for row in bids:
        bid = _read(state, row)
        if isinstance(bid, BidProblem):
            found.append(bid)
            continue
        wrong = _check_bid(state, bid, held.get(bid.lot, 0), acted)
        if bid.lot in seen:
            wrong.append(_problem(state, bid.lot, "duplicate", "more than one bid in the same set"))
        seen.add(bid.lot)
        found.extend(wrong)
        good.append(bid)
    read = tuple(good)
    found.extend(_check_eligibility(state, place, replace(acted, bids=read)))
    return read, found


def read_bids(state: AuctionState, bids: Sequence[Sequence[object]]) -> tuple[Bid, ...]:
    """Return a checked set of rows as bids."""
    read = (_read(state, row) for row in bids)
    return tuple(bid for bid in read if isinstance(bid, Bid))


def _read(state: AuctionState, row: object) -> Bid | BidProblem:
    if not isinstance(row, list | tuple) or not 2 <= len(row) <= 3:
        return BidProblem("", "form", "a bid is [lot, amount, blocks]")
    lot, amount, blocks = row if len(row) == 3 else (*row, 1)
    place = state.sale.lot_place.get(lot) if isinstance(lot, str) else None
    if place is None:
        return BidProblem(short(lot), "lot", f"there is no product {short(lot)} in this auction")
    if type(amount) is int and type(blocks) is int and abs(amount) <= MAX_AMOUNT >= abs(blocks):
        return Bid(place, amount, blocks)
    rule, words = _number_problem("amount", amount, state.configuration.currency)
    if not rule:
        rule, words = _number_problem("blocks", blocks, "")
    return _problem(state, place, rule, words)


def _number_problem(name: str, value: object, unit: str) -> tuple[str, str]:
    if type(value) is not int:
        return name, f"{name}: {short(value)} is not a whole number"
    if abs(value) > MAX_AMOUNT:
        return f"largest-{name}", f"{name}: {short(value)} is beyond {MAX_AMOUNT} {unit}".rstrip()
    return "", ""


def _problem(state: AuctionState, lot: int, rule: str, words: str) -> BidProblem:
    return BidProblem(state.configuration.lots[lot].id, rule, f"{state.configuration.lots[lot].name}: {words}")


def _check_bid(state: AuctionState, bid: Bid, held: int, acted: Acted) -> list[BidProblem]:
    currency, quantity = state.configuration.currency, int(state.sale.quantity[bid.lot])
    found = []
    if bid.lot in acted.withdrawn:
        found.append(_problem(state, bid.lot, "withdrawn", "withdrawn in this round, so not to be bid on in it"))
        held = 0
    if bid.blocks < 1:
        found.append(_problem(state, bid.lot, "blocks", f"{bid.blocks} blocks; at least 1 is needed"))
    elif bid.blocks + held > quantity:
        more = "the standing bid is yours already" if quantity == 1 and held else (
            f"{bid.blocks} more blocks with {held} held already; there are {quantity}"
        )  # fmt: skip
        found.append(_problem(state, bid.lot, "quantity", more))
    minimum = int(state.minimum[bid.lot])
    if bid.amount < minimum:
        found.append(
            _problem(
                state, bid.lot, "minimum-bid", f"{bid.amount} {currency} is below the minimum {minimum} {currency}"
            )
        )
    elif bid.amount > minimum:
        found.extend(_check_jump(state, bid, minimum))
    return found


def _check_jump(state: AuctionState, bid: Bid, minimum: int) -> list[BidProblem]:
    kind, currency = state.configuration.rules.jump.kind, state.configuration.currency
    if kind == "none":
        words = f"{bid.amount} {currency} is above the minimum; these rules take {minimum} {currency} exactly"
        return [_problem(state, bid.lot, "jump-bid", words)]
    most = highest_amount(state, bid.lot)
    if bid.amount > most:
        words = f"{bid.amount} {currency} is above the highest allowed bid {most} {currency}"
        return [_problem(state, bid.lot, "highest-bid", words)]
    if kind == "click box":
        choices = allowed_amounts(state, bid.lot)
        if bid.amount not in choices:
            listed = ", ".join(str(choice) for choice in choices)
            return [_problem(state, bid.lot, "click-box", f"{bid.amount} {currency} is not one of {listed}")]
    return []


def _check_eligibility(state: AuctionState, place: int, acted: Acted) -> list[BidProblem]:
    if not state.configuration.rules.activity.enforced or not acted.bids:
        return []
    active, eligibility = activity_of(state, place, acted), state.bidders[place].eligibility
    if active <= eligibility:
        return []
    words = f"bids and standing bids cover {active} units; the eligibility is {eligibility} units"
    return [BidProblem("", "eligibility", words)]


def check_withdrawal(state: AuctionState, bidder_id: object, lots: object, at: float | None = None) -> list[BidProblem]:
    """Return every rule that withdrawing all standing bids on these lots (ids) would break."""
    found = check_turn(state, bidder_id, at)
    if found and found[0].rule == "bidder":
        return found
    if not isinstance(lots, list | tuple):
        return [*found, BidProblem("", "form", "withdrawn products are a list")]
    if len(lots) > len(state.configuration.lots):
        words = f"{len(lots)} withdrawals from {len(state.configuration.lots)} products; one from each is possible"
        return [*found, BidProblem("", "form", words)]
    place = state.bidder_place[str(bidder_id)]
    acted, held = state.acted.get(place, Acted()), state.blocks_of(place)
    found.extend(_check_may_withdraw(state, place, acted, lots))
    good: list[int] = []
    for lot in lots:
        number = state.sale.lot_place.get(lot) if isinstance(lot, str) else None
        if number is None:
            found.append(BidProblem(short(lot), "lot", f"there is no product {short(lot)} in this auction"))
            continue
        if number in good:
            found.append(_problem(state, number, "duplicate", "named twice"))
        if number not in held:
            found.append(_problem(state, number, "holder", "no standing bid of this bidder is on it"))
        if any(bid.lot == number for bid in acted.bids):
            found.append(_problem(state, number, "withdrawn", "has a new bid of this bidder in this round"))
        good.append(number)
    found.extend(_check_eligibility(state, place, replace(acted, withdrawn=tuple(good))))
    return found


def _check_may_withdraw(state: AuctionState, place: int, acted: Acted, lots: Sequence[object]) -> list[BidProblem]:
    found = []
    if not state.configuration.rules.withdrawals.rounds:
        found.append(BidProblem("", "withdrawal", "these rules allow no withdrawal"))
    elif not state.bidders[place].withdrawal_rounds_left:
        rounds = state.configuration.rules.withdrawals.rounds
        found.append(
            BidProblem("", "withdrawal-rounds", f"withdrawals were made in {rounds} rounds, as many as allowed")
        )
    if acted.waiver and lots:
        found.append(BidProblem("", "waiver-used", "a waiver was used in this round: no withdrawal can follow it"))
    return found


def check_waiver(state: AuctionState, bidder_id: object, at: float | None = None) -> list[BidProblem]:
    """Return every rule that a proactive waiver would break."""
    found = check_turn(state, bidder_id, at)
    if found and found[0].rule == "bidder":
        return found
    place = state.bidder_place[str(bidder_id)]
    bidder, acted = state.bidders[place], state.acted.get(place, Acted())
    if not state.configuration.rules.activity.enforced:
        return [
            *found,
            BidProblem("", "waiver", "these rules have no activity requirement, so there is nothing to waive"),
        ]
    if not bidder.waivers_left:
        found.append(BidProblem("", "waivers-left", "no waiver is left"))
    if acted.waiver:
        found.append(BidProblem("", "waiver-used", "a waiver was used in this round already"))
    if acted.bids or acted.withdrawn:
        found.append(
            BidProblem("", "waiver-with-bids", "a waiver is used instead of bids and withdrawals of the round")
        )
    if acted.reduce:
        found.append(BidProblem("", "waiver-with-reduction", "a reduction of eligibility was chosen in this round"))
    active, required = activity_of(state, place, acted), required_activity(state, bidder)
    if active >= required:
        words = f"activity of {active} units is enough: {required} are required, so no waiver is needed"
        found.append(BidProblem("", "waiver-not-needed", words))
    return found


def check_reduction(state: AuctionState, bidder_id: object, at: float | None = None) -> list[BidProblem]:
    """Return every rule that choosing a reduction of eligibility instead of an automatic waiver would break."""
    found = check_turn(state, bidder_id, at)
    if found and found[0].rule == "bidder":
        return found
    if not state.configuration.rules.activity.enforced:
        found.append(BidProblem("", "reduction", "these rules have no activity requirement, so nothing is reduced"))
    if state.acted.get(state.bidder_place[str(bidder_id)], Acted()).waiver:
        found.append(BidProblem("", "waiver-used", "a waiver was used in this round"))
    return found
