"""Bidders that play by themselves: what each kind does in the open round, from its own values and what is public.

A bot sees its own values, what it holds, the prices and the number of bids per lot, and who holds what only where the
information policy shows it. What it does follows from the configuration's seed, the round and its seat alone, so a
replay gives the same moves. Every move keeps to eligibility, increments, waivers and withdrawals.
Straightforward bidding: Definition 2 of arXiv 2604.08854. Letters: N bidders, M lots.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from engine.auction.bot_choices import (
    cut_to_units,
    limited_additive,
    limited_campus,
    one_by_one,
    safe_addition,
    surplus_of,
    unwanted,
)
from engine.auction.checking import allowed_amounts, check_waiver, check_withdrawal, highest_amount
from engine.auction.demand import STANDARD, Means, Ties, best_bundle
from engine.auction.eligibility import activity_of
from engine.auction.events import Event
from engine.auction.increments import step_of
from engine.auction.rules import MAX_AMOUNT
from engine.auction.state import NOBODY, Acted, AuctionState, Bid
from engine.auction.values import Additive, Campus, Counts, Money, Valuation, from_json
from engine.errors import SolverError

BEST = "the best bundle at these prices"
NO_VALUES = "no values are assigned to this seat, so a bot has nothing to bid for"


@dataclass(frozen=True, slots=True)
class Move:
    """What a bot does in one round, and why in words."""

    bids: tuple[Bid, ...] = ()
    withdrawn: tuple[int, ...] = ()  # lots
    waiver: bool = False
    reduce: bool = False  # eligibility shall fall rather than a waiver be used
    words: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The open round as one bidder sees it."""

    state: AuctionState
    place: int
    valuation: Valuation
    ask: Money  # (M,), what one more block costs; beyond reach where no further bid is accepted
    held: Counts  # (M,), blocks
    paid: float  # for them
    room: float  # bidding units that new bids may cover

    @property
    def means(self) -> Means:
        """Return what can still be added: the budget beside what is paid, and the units."""
        return Means(self.paid, self.state.sale.units, self.room)

    def draws(self) -> np.random.Generator:
        """Return this seat's chance in this round: the same in every replay."""
        run = int(self.state.practice)
        return np.random.default_rng([self.state.configuration.seed % 2**63, run, self.state.round, self.place])


@dataclass(frozen=True, slots=True)
class BotKind:
    """One kind of bot."""

    kind: str
    title: str
    words: str
    act: Callable[[Sight], Move]


def sight(state: AuctionState, place: int, valuation: Valuation) -> Sight:
    """Return what the bidder at ``place`` sees of the open round."""
    mine = state.holder == place
    held = np.bincount(state.sale.slot_lot[mine], minlength=len(state.minimum)).astype(np.int64)
    bidder, room = state.bidders[place], np.inf
    if state.configuration.rules.activity.enforced:
        room = float(bidder.eligibility - int(state.sale.units @ held))
    return Sight(state, place, valuation, state.minimum.astype(np.float64), held, float(state.price[mine].sum()), room)


# What all build on


def _wanted(seen: Sight, ties: Ties = STANDARD) -> tuple[Counts, str]:
    """Return the (M,) blocks to bid for beside what is held, by exact demand at personal prices; and what they are.

    A room must not stand still for one bot: where a solver stops without an optimum, blocks are added one by one.
    """
    if seen.room < 0:
        return np.zeros_like(seen.held), "holds more than its eligibility covers"
    if isinstance(seen.valuation, Additive) and ties == STANDARD:
        return limited_additive(seen.valuation, seen.ask, seen.held, seen.means), BEST
    if isinstance(seen.valuation, Campus) and seen.valuation.counted == "at each bus" and ties == STANDARD:
        found = limited_campus(seen.valuation, seen.ask, seen.held, seen.means)
        if found is not None:
            return found, BEST
    try:
        return best_bundle(seen.valuation, seen.ask, seen.held, ties, seen.means) - seen.held, BEST
    except SolverError:
        alone = one_by_one(seen.valuation, seen.ask, seen.held, seen.means)
        return alone, "products that pay one by one: a solver stopped"


def _at_minimum(seen: Sight, added: Counts) -> tuple[Bid, ...]:
    minimum = seen.state.minimum
    lots = np.flatnonzero((added > 0) & (minimum <= MAX_AMOUNT))
    return tuple(Bid(lot, amount, blocks) for lot, amount, blocks in
                 zip(lots.tolist(), minimum[lots].tolist(), added[lots].tolist(), strict=True))  # fmt: skip


def _straightforward(seen: Sight) -> Move:
    added, words = _wanted(seen)
    return Move(_at_minimum(seen, added), words=words)


def _by_the_paper(seen: Sight, ties: Ties) -> Move:
    prefer = replace(ties, prefer="largest") if seen.state.round == 1 else ties
    added, words = _wanted(seen, prefer)
    return Move(_at_minimum(seen, added), words=f"{words}, ties as in the paper")


# Kinds with a mind of their own


def _demand_reducing(seen: Sight) -> Move:
    """Bid for no more than an equal share of what is sold, counted in bidding units.

    A best reply to the belief that the others are like him: for more than that they would bid against him until
    the price took the gain, and he would pay it on all he holds. With his share in hand he takes only what nobody
    else bids for.
    """
    (added, what), units = _wanted(seen), seen.state.sale.units
    share = seen.state.sale.total_units / (_rivals(seen) + 1)
    room = share - float(units @ seen.held)
    if room > 0.0:
        bids = cut_to_units(seen.valuation, (seen.ask, seen.held), added, units, room)
        if not seen.held.any() and not bids.any():  # one block may be more than the share: he wants at least one
            bids = cut_to_units(seen.valuation, (seen.ask, seen.held), added, np.ones_like(units), 1.0)
    else:
        bids = np.where(_nobody_wants(seen), added, 0)
    nothing = np.zeros_like(bids)
    if surplus_of(seen.valuation, seen.ask, seen.held, bids) <= surplus_of(
        seen.valuation, seen.ask, seen.held, nothing
    ):
        bids = nothing
    words = f"{what}, but at most an equal share of what is sold, {share:g} units, so that prices stay low"
    return Move(_at_minimum(seen, bids), words=words)


def _rivals(seen: Sight) -> int:
    """Return how many others are in the race: all seats, or with full information those who hold or bid."""
    state = seen.state
    others = set(range(len(state.bidders))) - {seen.place}
    if state.configuration.rules.information == "full" and state.rounds:
        last = state.rounds[-1].acted
        busy = {int(place) for place in state.holder if place != NOBODY} | {
            p for p, acted in last.items() if acted.bids
        }
        others &= busy
    return len(others)


def _nobody_wants(seen: Sight) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return (M,) lots with a free block on which the last round saw no bid."""
    state = seen.state
    free = np.minimum.reduceat(state.holder, state.first_slot[:-1]) == NOBODY
    return free & (state.rounds[-1].bids_per_lot == 0) if state.rounds else np.zeros_like(free)


def _budgeted(seen: Sight) -> Move:
    """Straightforward within the budget of the values; without one, half of what everything is worth to him."""
    valuation = seen.valuation
    budget = valuation.budget
    if budget is None:
        budget = float(np.floor(valuation.value(valuation.quantity) / 2))
    within = replace(seen, valuation=replace(valuation, budget=budget))
    added, what = _wanted(within)
    return Move(_at_minimum(within, added), words=f"{what}, within {budget:g} {seen.state.configuration.currency}")


def _exposure_averse(seen: Sight) -> Move:
    """Bid only what no part of can be a loss; give back what costs more than it adds, where the rules allow it."""
    prices = seen.state.price[seen.state.holder == seen.place].astype(np.float64)
    lots = seen.state.sale.slot_lot[seen.state.holder == seen.place]
    standing = [np.sort(prices[lots == lot])[::-1] for lot in range(len(seen.held))]
    added = safe_addition(seen.valuation, standing, seen.ask, _wanted(seen)[0], seen.means)
    if added.any():
        return Move(_at_minimum(seen, added), words="the best bundle of which no part would be a loss")
    given_back = unwanted(seen.valuation, standing)
    bidder = seen.state.bidders[seen.place]
    ids = [seen.state.configuration.lots[lot].id for lot in given_back]
    if ids and not check_withdrawal(seen.state, bidder.id, ids):
        return Move(withdrawn=tuple(given_back), words="gives back what costs more than it adds")
    return Move(words="nothing that is safe is worth its price")


def _jump(seen: Sight) -> Move:
    """Straightforward demand, with one bid in three raised above the minimum, within what the block is worth."""
    (added, what), draws = _wanted(seen), seen.draws()
    before = surplus_of(seen.valuation, seen.ask, seen.held, np.zeros_like(added))
    slack = surplus_of(seen.valuation, seen.ask, seen.held, added) - before
    if seen.valuation.budget is not None:
        slack = min(slack, seen.valuation.budget - seen.paid - float(seen.ask @ added))
    bids = []
    for bid in _at_minimum(seen, added):
        jumps, pick = draws.random() < 1 / 3, draws.random()
        less = added.copy()
        less[bid.lot] -= 1
        worth = seen.valuation.value(seen.held + added) - seen.valuation.value(seen.held + less)
        most = min(worth, bid.amount + slack / bid.blocks)
        choices = [amount for amount in _raises(seen.state, bid.lot) if bid.amount < amount <= most] if jumps else []
        if choices:
            amount = choices[int(pick * len(choices))]
            slack -= (amount - bid.amount) * bid.blocks
            bids.append(Bid(bid.lot, amount, bid.blocks))
        else:
            bids.append(bid)
    return Move(tuple(bids), words=f"{what}, some bids above the minimum")


def _raises(state: AuctionState, lot: int) -> Sequence[int]:
    """Return the amounts that a bid on a lot may have; where any may, up to five increments above the minimum."""
    if state.configuration.rules.jump.kind != "any":
        return allowed_amounts(state, lot)
    minimum, most, step = int(state.minimum[lot]), highest_amount(state, lot), step_of(state, lot)
    return [amount for k in range(6) if (amount := minimum + k * step) <= most]


def _random(seen: Sight) -> Move:
    """Bid by chance on what is worth its price; now and then withdraw, waive or sit out."""
    state, draws = seen.state, seen.draws()
    bidder = state.bidders[seen.place]
    held = [state.configuration.lots[lot].id for lot in np.flatnonzero(seen.held)]
    luck = draws.random()
    if luck < 0.05 and not check_waiver(state, bidder.id):
        return Move(waiver=True, words="by chance: a waiver")
    withdrawn: tuple[int, ...] = ()
    if luck > 0.9 and held:
        lot = held[int(draws.integers(len(held)))]
        if not check_withdrawal(state, bidder.id, [lot]):
            withdrawn = (state.sale.lot_place[lot],)
    room = seen.room if seen.room == np.inf else float(
        bidder.eligibility - activity_of(state, seen.place, Acted(withdrawn=withdrawn))
    )  # fmt: skip
    money = np.inf if seen.valuation.budget is None else seen.valuation.budget - seen.paid
    bundle, bids = seen.held.copy(), []
    for lot in draws.permutation(np.flatnonzero(seen.valuation.quantity > seen.held)).tolist():
        chance, pick = draws.random(), draws.random()
        if chance > 0.6 or lot in withdrawn or state.sale.units[lot] > room:
            continue
        more = bundle.copy()
        more[lot] += 1
        worth = seen.valuation.value(more) - seen.valuation.value(bundle)
        choices = [amount for amount in _raises(state, lot) if amount <= min(worth, money)]
        if choices:
            bids.append(Bid(lot, choices[int(pick * len(choices))]))
            room, money, bundle = room - float(state.sale.units[lot]), money - bids[-1].amount, more
    reduce = 0.05 < luck < 0.1 and state.configuration.rules.activity.enforced
    return Move(tuple(sorted(bids, key=lambda bid: bid.lot)), withdrawn, reduce=reduce, words="by chance")


_PAPER_1 = Ties("smallest", "highest")
_PAPER_2 = Ties("smallest", "lowest")

_KINDS = (
    BotKind("straightforward", "Straightforward", "bids on its best bundle at the present prices", _straightforward),
    BotKind("demand-reducing", "Demand-reducing", "wants no more than an equal share, so that prices stay low",
            _demand_reducing),
    BotKind("budgeted", "Budgeted", "straightforward, never above its budget (half of all values without one)",
            _budgeted),
    BotKind("exposure-averse", "Exposure-averse", "bids only what would not be a loss if only a part were won",
            _exposure_averse),
    BotKind("jump", "Jump", "straightforward, but raises some bids above the minimum where the rules allow it", _jump),
    BotKind("random", "Random", "bids by chance, within its values and the rules", _random),
    BotKind("paper-highest", "Straightforward, paper's bidder 1",
            "the largest best bundle in round 1, then the smallest; the highest product numbers among equals",
            lambda seen: _by_the_paper(seen, _PAPER_1)),
    BotKind("paper-lowest", "Straightforward, paper's bidder 2",
            "the largest best bundle in round 1, then the smallest; the lowest product numbers among equals",
            lambda seen: _by_the_paper(seen, _PAPER_2)),
)  # fmt: skip
BOTS: Mapping[str, BotKind] = MappingProxyType({kind.kind: kind for kind in _KINDS})


# How a bot takes its turn

Valuations = Mapping[int, Valuation]  # by bidder's place


def read_valuations(state: AuctionState) -> Valuations:
    """Return the assigned values of all seats that have any, read once; raises AuctionRuleError for unusable ones."""
    return {
        place: from_json(bidder.valuation, state.configuration)
        for place, bidder in enumerate(state.bidders)
        if bidder.valuation is not None
    }


def move(state: AuctionState, place: int, kind: str = "", valuation: Valuation | None = None) -> Move:
    """Return what a bot does on the seat at ``place`` in the open round; of the seat's own kind unless one is named.

    Without assigned values it does nothing, and says so. ``valuation`` is the seat's, where it is read already.
    """
    bidder = state.bidders[place]
    if valuation is None:
        if bidder.valuation is None:
            return Move(words=NO_VALUES)
        valuation = from_json(bidder.valuation, state.configuration)
    return BOTS[kind or bidder.bot].act(sight(state, place, valuation))


def bot_events(state: AuctionState, at: float, valuations: Valuations | None = None) -> tuple[Event, ...]:
    """Return what all bots on unmuted seats do in the open round, in the order of seats. Each event is legal.

    What a person did before a bot took his seat over stands: there the bot begins with the next round.
    """
    events: list[Event] = []
    for place, bidder in enumerate(state.bidders):
        acted = state.acted.get(place, Acted())
        stands = acted.bids or acted.withdrawn or acted.waiver or acted.reduce
        if bidder.bot and not bidder.muted and not stands:
            known = None if valuations is None else valuations.get(place)
            events.extend(events_of(state, place, move(state, place, valuation=known), at))
    return tuple(events)


def events_of(state: AuctionState, place: int, done: Move, at: float) -> tuple[Event, ...]:
    """Return a move as the events that a ledger takes."""
    lots, bidder = state.configuration.lots, state.bidders[place].id
    who = {"bidder": bidder, "round": state.round}
    events = []
    if done.waiver:
        events.append(Event("waiver used", at, "server", dict(who)))
    if done.withdrawn:
        events.append(Event("withdrawn", at, "server", {**who, "lots": [lots[lot].id for lot in done.withdrawn]}))
    if done.bids:
        rows = [[lots[bid.lot].id, bid.amount, bid.blocks] for bid in done.bids]
        events.append(Event("bids submitted", at, "server", {**who, "bids": rows}))
    if done.reduce:
        events.append(Event("reduction chosen", at, "server", dict(who)))
    return tuple(events)
