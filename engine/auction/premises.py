"""What the theory supposes, and which event of an auction broke it.

Proposition 3 of arXiv 2604.08854 supposes that lots are gross substitutes, that everybody bids straightforwardly by
one fixed increment, and that bids stand. Whatever a rule or a bidder does beyond that is named here with the ledger's
number of the event. Letters: N bidders, M lots, U blocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.auction import results
from engine.auction.amounts import told
from engine.auction.demand import Offer, best_addition
from engine.auction.equilibrium import ROUNDING
from engine.auction.events import Event
from engine.auction.increments import sale_of
from engine.auction.state import NOBODY, Acted, AuctionState, RoundResult
from engine.auction.substitutes import Verdict
from engine.auction.values import Additive, Counts, Money, Valuation

Premise = Literal[
    "values are known",
    "gross substitutes",
    "no budget",
    "straightforward bidding",
    "one fixed increment",
    "bids stand",
    "eligibility does not bind",
    "reserves are in the prices",
    "it ends when nobody bids",
    "winners pay",
]


@dataclass(frozen=True, slots=True)
class Broken:
    """One event that broke a premise."""

    premise: Premise
    words: str
    event: int | None  # its number in the ledger, from 1; None where the ledger is not at hand
    round: int | None = None
    bidder: int | None = None  # place


def broken_premises(
    state: AuctionState,
    valuations: Sequence[Valuation | None],
    verdicts: Sequence[Verdict | None],
    events: Sequence[Event] = (),
    *,
    departures: bool = True,
) -> tuple[Broken, ...]:
    """Return what broke a premise, in the order of the rounds.

    ``valuations`` and ``verdicts`` (N,) are those of the bidders, None without assigned values; ``events`` is the
    ledger so far, from which the numbers come. An annulled round counts only as annulled. Without ``departures`` bids
    that were not for a best bundle are not looked for: that needs everybody's demand in every round.
    """
    numbers = _Numbers(events)
    regret = regrets(state, valuations) if departures else np.full((len(state.rounds), len(valuations)), np.nan)
    found = [
        *_values(state, valuations, verdicts, numbers),
        *_rules(state, numbers),
        *_rounds(state, regret, numbers),
        *(_departures(state, valuations, regret, numbers) if departures else ()),
        *_hands_on(events, state),
        *_ending(state, numbers),
    ]
    return tuple(sorted(found, key=lambda broken: (broken.round or 0, broken.event or 0)))


class _Numbers:
    """Where in the ledger things happened. What a practice held is forgotten, a round played again is the later."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._of: dict[tuple[str, str, int], int] = {}
        practice: int | None = None
        for number, event in enumerate(events, start=1):
            if event.kind == "practice begun":
                practice = number
            elif event.kind == "practice ended":
                self._of = {key: at for key, at in self._of.items() if key[2] == 0 or at < (practice or 0)}
            bidder, played = event.data.get("bidder", ""), event.data.get("round", 0)
            self._of[event.kind, bidder if isinstance(bidder, str) else "", played] = number

    def of(self, kind: str, bidder: str = "", played: int = 0) -> int | None:
        return self._of.get((kind, bidder, played))


def _values(
    state: AuctionState,
    valuations: Sequence[Valuation | None],
    verdicts: Sequence[Verdict | None],
    numbers: _Numbers,
) -> list[Broken]:
    found = []
    for place, (bidder, valuation, verdict) in enumerate(zip(state.bidders, valuations, verdicts, strict=True)):
        event = numbers.of("admitted", bidder.id)
        if valuation is None:
            words = f"{bidder.name} has no assigned values; only bids tell something of them"
            found.append(Broken("values are known", words, event, None, place))
        elif valuation.budget is not None:
            words = f"{bidder.name} can pay {told(valuation.budget)} in all; the theory knows no budgets"
            found.append(Broken("no budget", words, event, None, place))
        if verdict is not None and verdict.substitutes is not True:
            words = f"{bidder.name}: {verdict.words}"
            found.append(Broken("gross substitutes", words, event, None, place))
    return found


def _rules(state: AuctionState, numbers: _Numbers) -> list[Broken]:
    if state.configuration.rules.increment.kind == "fixed":
        return []
    words = "the increments follow the bids on each product, so there is not one for all"
    return [Broken("one fixed increment", words, numbers.of("configured"))]


def _rounds(state: AuctionState, regret: Money, numbers: _Numbers) -> list[Broken]:
    """Name jump bids, withdrawals, waivers and cut eligibility, round by round.

    ``regret`` is that of :func:`regrets`: who bid for his best bundle does not miss the eligibility that fell by it,
    and :func:`_departures` names the round in which a best bundle does not fit.
    """
    found: list[Broken] = []
    minimum = sale_of(state.configuration).first_bid
    eligibility = np.array([bidder.initial_eligibility for bidder in state.bidders])
    for row, result in enumerate(state.rounds):
        for place, acted in sorted(result.acted.items()):
            found += _of_bidder(state, result, place, minimum, numbers)
            if acted.waiver:
                name = state.bidders[place].name
                words = f"{name} used a waiver in round {result.round} and so did not bid for the best bundle"
                event = numbers.of("waiver used", state.bidders[place].id, result.round)
                found.append(Broken("straightforward bidding", words, event, result.round, place))
        closed = numbers.of("round closed", "", result.round)
        for place in result.automatic_waivers:
            words = f"a waiver was used for {state.bidders[place].name} in round {result.round}: the activity was short"
            words += "; nothing was given up by it" if abs(regret[row, place]) <= ROUNDING else ""
            found.append(Broken("straightforward bidding", words, closed, result.round, place))
        for place in np.flatnonzero(result.eligibility < eligibility[: len(result.eligibility)]).tolist():
            before, after = eligibility[place], result.eligibility[place]
            words = f"{state.bidders[place].name}'s eligibility fell from {before} to {after} in round {result.round}"
            if not abs(regret[row, place]) <= ROUNDING:  # nan: not known
                found.append(Broken("eligibility does not bind", words, closed, result.round, place))
            eligibility[place] = after
        minimum = result.minimum
    return found


def _of_bidder(
    state: AuctionState, result: RoundResult, place: int, minimum: Counts, numbers: _Numbers
) -> list[Broken]:
    """Name what one bidder did in one round beyond bidding the minimum."""
    found, bidder, lots = [], state.bidders[place], state.configuration.lots
    acted = result.acted[place]
    jumps = [bid for bid in acted.bids if bid.amount > minimum[bid.lot]]
    if jumps:
        most = max(jumps, key=lambda bid: bid.amount - int(minimum[bid.lot]))
        words = (
            f"{bidder.name} jumped in round {result.round}: {told(most.amount)} on {lots[most.lot].name}, where "
            f"{told(minimum[most.lot])} was enough" + (f"; {len(jumps)} jump bids in all" if len(jumps) > 1 else "")
        )
        event = numbers.of("bids submitted", bidder.id, result.round)
        found.append(Broken("one fixed increment", words, event, result.round, place))
    if acted.withdrawn:
        names = ", ".join(lots[lot].name for lot in acted.withdrawn)
        words = f"{bidder.name} withdrew in round {result.round}: {names}"
        event = numbers.of("withdrawn", bidder.id, result.round)
        found.append(Broken("bids stand", words, event, result.round, place))
    return found


def regrets(state: AuctionState, valuations: Sequence[Valuation | None]) -> Money:
    """Return the (R, N) surplus that each bidder gave up in each closed round by bidding otherwise than for his best.

    At the minimum bids of the round and with what he held: straightforward bidding (definition 2) gives 0 everywhere.
    Rounds of nobody known, before a late comer's admission, and with a withdrawal of his are ``nan``.
    """
    lots, sale = len(state.configuration.lots), state.sale
    additive = {place: v.block for place, v in enumerate(valuations) if isinstance(v, Additive)}
    block = np.array([additive.get(place, np.zeros(lots)) for place in range(len(valuations))])
    found = np.full((len(state.rounds), len(valuations)), np.nan)
    minimum, holder = sale.first_bid, np.full(len(sale.slot_lot), NOBODY)
    for row, result in enumerate(state.rounds):
        present = len(result.eligibility)
        held = np.zeros((len(valuations), lots), dtype=np.int64)
        np.add.at(held, (holder[holder >= 0], sale.slot_lot[holder >= 0]), 1)
        added = np.zeros_like(held)
        for place, acted in result.acted.items():
            for bid in acted.bids:
                added[place, bid.lot] += bid.blocks
        if additive:
            gain = block - minimum
            regret = (np.maximum(gain, 0.0) * (sale.quantity - held) - gain * added).sum(axis=1)
            places = np.array([place for place in additive if place < present], dtype=np.intp)
            found[row, places] = regret[places]
        for place, valuation in enumerate(valuations[:present]):
            if valuation is not None and not isinstance(valuation, Additive):
                found[row, place] = _regret(valuation, minimum, held[place], added[place])
        withdrew = [place for place, acted in result.acted.items() if acted.withdrawn]
        found[row, withdrew] = np.nan
        minimum, holder = result.minimum, result.holder
    return found


def _regret(valuation: Valuation, minimum: Counts, held: Counts, added: Counts) -> float:
    best = _best(valuation, minimum, held)
    worth = valuation.values(np.stack([held + best, held + added]))
    return float(worth[0] - worth[1] - minimum @ (best - added))


def _best(valuation: Valuation, minimum: Counts, held: Counts) -> Counts:
    """Return the blocks (M,) that a straightforward bidder would add at the minimum bids, whatever his means."""
    lot = np.repeat(np.arange(len(held)), valuation.quantity - held)
    return best_addition(valuation, Offer(held, lot, minimum[lot].astype(np.float64)))


def _departures(
    state: AuctionState, valuations: Sequence[Valuation | None], regret: Money, numbers: _Numbers
) -> list[Broken]:
    """Name each bidder's first round in which his bids were not for his best bundle, and count the rest.

    So is, by itself, the first round in which it was his eligibility that did not let him.
    """
    found = []
    for place, valuation in enumerate(valuations):
        if valuation is None:
            continue
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero(regret[:, place] > ROUNDING * (1.0 + valuation.value(valuation.quantity)))
        own: list[int] = []
        bound = False
        for row in rows.tolist():
            words = _by_eligibility(state, place, valuation, row)
            if words is None:
                own.append(row)
            elif not bound:
                bound = True
                event = _limited_by(state, place, row, numbers)
                played = state.rounds[row].round
                found.append(Broken("eligibility does not bind", words, event, played, place))
        if own:
            found.append(_departure(state, place, float(regret[own[0], place]), own, numbers))
    return found


def _departure(state: AuctionState, place: int, regret: float, rows: Sequence[int], numbers: _Numbers) -> Broken:
    """Name the first of the rounds in which a bidder could have bid for his best bundle and did not."""
    result, bidder = state.rounds[rows[0]], state.bidders[place]
    words = (
        f"{bidder.name} did not bid for the best bundle in round {result.round}: at the minimum bids it was "
        f"worth {told(regret)} more"
    )
    if len(rows) > 1:
        words += f"; so in {len(rows)} rounds"
    silent = result.acted.get(place, _NOTHING).bids == ()
    event = numbers.of("round closed" if silent else "bids submitted", "" if silent else bidder.id, result.round)
    return Broken("straightforward bidding", words, event, result.round, place)


def _limited_by(state: AuctionState, place: int, row: int, numbers: _Numbers) -> int | None:
    """Return the event that left a bidder his eligibility of a round: the last cut before it, else his admission."""
    left = state.bidders[place].initial_eligibility
    cut = None
    for result in state.rounds[:row]:
        if place < len(result.eligibility) and result.eligibility[place] < left:
            left, cut = int(result.eligibility[place]), result.round
    return numbers.of("admitted", state.bidders[place].id) if cut is None else numbers.of("round closed", "", cut)


def _by_eligibility(state: AuctionState, place: int, valuation: Valuation, row: int) -> str | None:
    """Say that a bidder's best bundle in a round was larger than his eligibility, None where it was not."""
    if not state.configuration.rules.activity.enforced:
        return None
    minimum, held = state.sale.first_bid, np.zeros(len(state.sale.quantity), dtype=np.int64)
    eligibility = state.bidders[place].initial_eligibility
    if row:
        before = state.rounds[row - 1]
        minimum = before.minimum
        np.add.at(held, state.sale.slot_lot[before.holder == place], 1)
        if place < len(before.eligibility):  # else he came later
            eligibility = int(before.eligibility[place])
    units = int(state.sale.units @ (held + _best(valuation, minimum, held)))
    if units <= eligibility:
        return None
    name, played = state.bidders[place].name, state.rounds[row].round
    return f"{name}'s best bundle in round {played} has {units} units; the eligibility of {eligibility} is less"


_NOTHING = Acted()


def _hands_on(events: Sequence[Event], state: AuctionState) -> list[Broken]:
    """Name what the host did: annulled rounds and muted bidders. Rounds annulled in a practice count for nothing."""
    found: list[Broken] = []
    muted: set[int | None] = set()
    for number, event in enumerate(events, start=1):
        if event.kind == "practice ended":  # who is muted at its end still is
            found = [one for one in found if one.bidder in muted]
        if event.kind == "muted":
            place = state.bidder_place[str(event.data["bidder"])]
            (muted.add if event.data.get("muted") else muted.discard)(place)
        if event.kind == "round annulled":
            played = int(event.data["round"])
            words = f"round {played} was annulled: everybody had seen its bids, which then did not stand"
            found.append(Broken("bids stand", words, number, played))
        elif event.kind == "muted" and event.data.get("muted"):
            words = f"{state.bidders[place].name} was muted: every bid was refused"
            found.append(Broken("straightforward bidding", words, number, None, place))
    return found


def _ending(state: AuctionState, numbers: _Numbers) -> list[Broken]:
    """Name what the end of the auction broke: its limit of rounds, reserves that were not met, defaults."""
    found: list[Broken] = []
    if state.phase == "cancelled":
        words = f"the auction was {state.ended_because}"
        found.append(Broken("it ends when nobody bids", words, numbers.of("cancelled"), state.round))
    if state.phase != "closed":
        return found
    last = state.rounds[-1]
    if any(acted.bids for acted in last.acted.values()):
        words = f"{state.ended_because}: there were still bids in it"
        found.append(Broken("it ends when nobody bids", words, numbers.of("closed"), last.round))
    short = (state.holder != NOBODY) & (state.price < results.reserves(state))
    for lot in np.unique(state.sale.slot_lot[short]):
        product = state.configuration.lots[lot]
        price = int(state.price[short & (state.sale.slot_lot == lot)].min())
        words = (
            f"{product.name} ended at {told(price)}, below its reserve of {told(product.reserve)}, and is not awarded"
        )
        found.append(Broken("reserves are in the prices", words, numbers.of("closed"), last.round))
    lots: Mapping[int, set[str]] = {default.bidder: set() for default in state.defaults}
    for default in state.defaults:
        lots[default.bidder].add(state.configuration.lots[int(state.sale.slot_lot[default.slot])].name)
    for place, names in lots.items():
        bidder = state.bidders[place]
        words = f"{bidder.name} did not pay for {', '.join(sorted(names))}"
        found.append(Broken("winners pay", words, numbers.of("defaulted", bidder.id), last.round, place))
    return found
