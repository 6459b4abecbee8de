"""The story of an auction from its ledger, as plain data: paths, who won what, and what it was worth against theory.

Three yardsticks stand beside what happened (:mod:`engine.auction.yardsticks`): the efficient allocation, a competitive
equilibrium where linear prices support one, and the payments of Vickrey, Clarke and Groves. Everything that needs
values is None where some bidder's are not known; then the certificate's words say what bids alone tell.
Holds private values: for the host, and for all once the auction is over. Letters: R rounds, N bidders, M lots.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from engine.auction import results
from engine.auction.certificate import Certificate, Market, certificate, market_of, read
from engine.auction.debrief_why import Why, whys
from engine.auction.demand import ENUMERATED
from engine.auction.equilibrium import BidderCheck, dual_value, outcome_of, table
from engine.auction.ledger import Entry
from engine.auction.premises import regrets
from engine.auction.state import NOBODY, AuctionState
from engine.auction.transitions import apply
from engine.auction.values import SUBSTITUTES, Counts, Money, Valuation
from engine.auction.yardsticks import Yardsticks, yardsticks
from engine.errors import LedgerError

LARGEST_TABLE = 1024  # bundles of one bidder that are listed: ten lots
NEIGHBOURS = 60  # lots that are added or left out one by one where there are more bundles
STEPS = 100  # of the progress that is told
LARGEST_PATH = 200_000  # bidders x lots x rounds up to which L(p) is worked out for every round


@dataclass(frozen=True, slots=True)
class RoundRow:
    """One closed round. Lots in the configuration's order, bidders by their places."""

    round: int
    stage: int  # from 1
    prices: tuple[int | None, ...]  # (M,), lowest standing bid, None while a block is free
    holders: tuple[tuple[int | None, ...], ...]  # (M, blocks), bidder's place
    minimum: tuple[int, ...]  # (M,), of the next round
    bids: tuple[int, ...]  # (M,), new bids
    new_bids: int
    standing_total: int  # sum of all standing bids: the revenue if it ended here
    activity: tuple[int, ...]  # (N at that time,), units
    eligibility: tuple[int, ...]
    waivers: tuple[int, ...]  # bidders who used one, by themselves or automatically
    withdrawn: tuple[tuple[int, int], ...]  # (bidder, lot)
    dual_value: float | None  # L(p) at the standing prices
    gap: float | None  # L(p) minus the optimal welfare
    given_up: tuple[float | None, ...]  # (N,), surplus against straightforward bidding; None where it is not known


@dataclass(frozen=True, slots=True)
class BidderRow:
    """What became of one bidder. Surpluses are values minus payments, in currency units."""

    id: str
    name: str
    bot: str
    known: bool  # values are assigned
    kind: str  # of the valuation, "" without
    budget: float | None
    eligibility: int  # at the beginning
    eligibility_left: int
    waivers_used: int
    won: tuple[tuple[str, int], ...]  # lot's id and blocks
    won_mw: float
    bids_paid: int  # for what he won
    other_payments: int  # withdrawals, interim payments and defaults
    pays: int  # both
    value: float | None
    surplus: float | None
    loss: float | None  # by which he pays more than it is worth to him, 0 if not
    envy: float | None  # how much he would rather have another bundle, modified values (8)
    optimum_won: tuple[tuple[str, int], ...] | None  # what the efficient allocation gives him
    optimum_value: float | None
    equilibrium_surplus: float | None  # of that at equilibrium prices; None where there are none
    vcg_payment: float | None
    vcg_surplus: float | None
    given_up: float | None  # summed over the rounds: against the best bundle at that round's prices, eligible or not


@dataclass(frozen=True, slots=True)
class Totals:
    """The auction in numbers; what is not known is None."""

    rounds: int
    revenue: int  # bids on what is awarded
    payments: int  # with withdrawals and defaults
    sold_mw: float
    offered_mw: float
    welfare: float | None  # with what the seller's reserves say of unsold blocks
    optimum: float | None
    optimum_proven: bool | None
    efficiency: float | None  # welfare / optimum
    surplus: float | None  # of all bidders
    exposure_loss: float | None  # sum of the bidders' losses
    linear_bound: float | None
    equilibrium_exists: bool | None
    equilibrium_prices: tuple[float, ...] | None  # (M,), of one block
    equilibrium_words: str  # which of the equilibria it is
    equilibrium_revenue: float | None
    vcg_revenue: float | None


@dataclass(frozen=True, slots=True)
class Debrief:
    """An auction told from its ledger."""

    title: str
    currency: str
    phase: str
    ended_because: str
    annulled: int
    lots: tuple[Mapping[str, Any], ...]  # id, name, capacity_mw, risk, bus, units, quantity, opening, reserve
    rounds: tuple[RoundRow, ...]
    bidders: tuple[BidderRow, ...]
    totals: Totals
    certificate: Mapping[str, Any]  # engine.auction.certificate, of the last round, with the broken premises
    tables: tuple[Mapping[str, Any], ...]  # per bidder the rows of Tables VI to IX; none where too many bundles
    why: Mapping[str, Why]  # how each total comes about
    notices: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return asdict(self)


def debrief(entries: Sequence[Entry], *, progress: Callable[[int, int, str], None] | None = None) -> Debrief:
    """Return the debrief of a ledger; of an auction that still runs or was cancelled, as if it ended with its last
    closed round. ``progress`` is told (done, total, what comes next); what it raises ends the work.

    Raises LedgerError for one that cannot be replayed or has no closed round.
    """
    told_of = progress or (lambda _done, _total, _words: None)
    state, after = _replayed(entries, told_of)
    if not state.rounds:
        raise LedgerError("no round is closed yet: there is nothing to tell", None)
    valuations, notices = read(state), list[str]()
    told_of(40, STEPS, "the best possible allocation")
    market = market_of(state.configuration, valuations)
    told_of(50, STEPS, "the certificate")
    events = [entry.event for entry in entries]
    told = certificate(state, valuations, events=events, market=market, as_if_ended=True)
    told_of(60, STEPS, "equilibrium and VCG payments")
    theory = yardsticks(state, market, notices)
    regret = regrets(state, valuations)
    paid = results.payments(state, as_if_ended=True)
    bidders = tuple(_bidder(state, paid[place], told, theory, regret) for place in range(len(state.bidders)))
    told_of(75, STEPS, "every round")
    rounds = _rounds(state, after, market, regret, notices)
    totals = _totals(state, told, theory, bidders)
    return Debrief(
        title=state.configuration.title,
        currency=state.configuration.currency,
        phase=state.phase,
        ended_because=state.ended_because,
        annulled=state.annulled,
        lots=tuple(asdict(lot) for lot in state.configuration.lots),
        rounds=rounds,
        bidders=bidders,
        totals=totals,
        certificate=told.to_json(),
        tables=_tables(state, told, notices, told_of),
        why=whys(state.configuration, totals, bidders),
        notices=tuple(notices),
    )


def _replayed(
    entries: Sequence[Entry], told_of: Callable[[int, int, str], None]
) -> tuple[AuctionState, dict[int, AuctionState]]:
    """Return the last state, and the state after each round; of a round played again, after the later one."""
    state, after = None, dict[int, AuctionState]()
    for place, entry in enumerate(entries):
        if place % 200 == 0:
            told_of(40 * place // len(entries), STEPS, f"entry {place + 1} of the ledger's {len(entries)}")
        state = apply(state, entry.event)
        if entry.event.kind == "round closed":
            after[state.rounds[-1].round] = state
    if state is None:
        raise LedgerError("the ledger has no entry", None)
    return state, after


def _pairs(state: AuctionState, bundle: Sequence[int]) -> tuple[tuple[str, int], ...]:
    lots = state.configuration.lots
    return tuple((lots[lot].id, int(count)) for lot, count in enumerate(bundle) if count)


def _bidder(
    state: AuctionState, payment: results.Payment, told: Certificate, theory: Yardsticks, regret: Money
) -> BidderRow:
    place = payment.bidder
    bidder = state.bidders[place]
    valuation, check, optimum = told.market.valuations[place], told.checks[place], told.market.optimum
    won = np.bincount(state.sale.slot_lot[results.awarded(state) == place], minlength=len(state.minimum))
    value = None if valuation is None else valuation.value(won)
    surplus = None if value is None else value - payment.total
    best = None if optimum is None else optimum.bundles[place]
    with_prices = None
    if best is not None and optimum is not None and theory.prices is not None:
        with_prices = float(optimum.values[place] - np.array(theory.prices) @ best)
    waivers = state.configuration.rules.activity.waivers if state.configuration.rules.activity.enforced else 0
    return BidderRow(
        id=bidder.id,
        name=bidder.name,
        bot=bidder.bot,
        known=valuation is not None,
        kind="" if valuation is None else valuation.kind,
        budget=None if valuation is None else valuation.budget,
        eligibility=bidder.initial_eligibility,
        eligibility_left=bidder.eligibility,
        waivers_used=waivers - bidder.waivers_left,
        won=_pairs(state, won.tolist()),
        won_mw=float(won @ np.array([lot.capacity_mw for lot in state.configuration.lots])),
        bids_paid=payment.bids,
        other_payments=payment.total - payment.bids,
        pays=payment.total,
        value=value,
        surplus=surplus,
        loss=None if surplus is None else max(0.0, -surplus),
        envy=None if check is None else check.envy,
        optimum_won=None if best is None else _pairs(state, best.tolist()),
        optimum_value=None if optimum is None else float(optimum.values[place]),
        equilibrium_surplus=with_prices,
        vcg_payment=None if theory.vcg is None else float(theory.vcg.payments[place]),
        vcg_surplus=None if theory.vcg is None else float(theory.vcg.surplus[place]),
        given_up=None if valuation is None else float(np.nansum(regret[:, place])),
    )


def _totals(state: AuctionState, told: Certificate, theory: Yardsticks, bidders: Sequence[BidderRow]) -> Totals:
    won, lots = results.awarded(state) != NOBODY, state.configuration.lots
    mw = np.array([lot.capacity_mw for lot in lots])[state.sale.slot_lot]
    optimum, check, prices = told.market.optimum, told.equilibrium, theory.prices
    known = optimum is not None and check is not None
    surplus = [row.surplus for row in bidders if row.surplus is not None]
    sold = None if optimum is None else optimum.bundles.sum(axis=0)
    return Totals(
        rounds=len(state.rounds),
        revenue=int(state.price[won].sum()),
        payments=sum(row.pays for row in bidders),
        sold_mw=float(mw[won].sum()),
        offered_mw=float(mw.sum()),
        welfare=check.welfare if check is not None else None,
        optimum=None if optimum is None else optimum.welfare,
        optimum_proven=None if optimum is None else optimum.proven,
        efficiency=check.welfare / optimum.welfare if known and check and optimum and optimum.welfare > 0.0 else None,
        surplus=sum(surplus) if known else None,
        exposure_loss=sum(row.loss or 0.0 for row in bidders) if known else None,
        linear_bound=theory.linear_bound,
        equilibrium_exists=told.market.prices_exist,
        equilibrium_prices=prices,
        equilibrium_words=theory.prices_words,
        equilibrium_revenue=None if prices is None or sold is None else float(np.array(prices) @ sold),
        vcg_revenue=None if theory.vcg is None else theory.vcg.revenue,
    )


def _rounds(
    state: AuctionState, after: Mapping[int, AuctionState], market: Market, regret: Money, notices: list[str]
) -> tuple[RoundRow, ...]:
    known = market.known
    size = len(state.bidders) * len(state.configuration.lots) * len(state.rounds)
    follow = known is not None and size <= LARGEST_PATH and _quick(known)
    if known is not None and not follow:
        notices.append("too large to work L(p) out for every round")
    found = []
    ends = np.cumsum(state.sale.quantity)  # the slots of a product stand together
    starts = ends - state.sale.quantity
    for row, result in enumerate(state.rounds):
        dual = dual_value(known, outcome_of(after[result.round])) if follow and known is not None else None
        free = np.logical_or.reduceat(result.holder == NOBODY, starts).tolist()
        lowest = np.minimum.reduceat(result.price, starts).tolist()
        holder = [None if one == NOBODY else one for one in result.holder.tolist()]
        proactive = [place for place, acted in result.acted.items() if acted.waiver]
        found.append(
            RoundRow(
                round=result.round,
                stage=result.stage + 1,
                prices=tuple(None if gone else price for gone, price in zip(free, lowest, strict=True)),
                holders=tuple(tuple(holder[a:b]) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)),
                minimum=tuple(result.minimum.tolist()),
                bids=tuple(result.bids_per_lot.tolist()),
                new_bids=int(result.bids_per_lot.sum()),
                standing_total=int(result.price[result.holder != NOBODY].sum()),
                activity=tuple(result.activity.tolist()),
                eligibility=tuple(result.eligibility.tolist()),
                waivers=tuple(sorted([*result.automatic_waivers, *proactive])),
                withdrawn=tuple((place, lot) for place, acted in result.acted.items() for lot in acted.withdrawn),
                dual_value=dual,
                gap=None if dual is None or market.optimum is None else dual - market.optimum.welfare,
                given_up=tuple(None if np.isnan(one) else float(one) for one in regret[row]),
            )
        )
    return tuple(found)


def _quick(valuations: Sequence[Valuation]) -> bool:
    """Whether demand has a closed form for every bidder, or the bundles are few."""
    small = all(_bundles(valuation.quantity) <= ENUMERATED for valuation in valuations)
    return small or all(isinstance(valuation, SUBSTITUTES) for valuation in valuations)


def _bundles(quantity: Counts) -> int:
    return math.prod(blocks + 1 for blocks in quantity.tolist())


def _tables(
    state: AuctionState, told: Certificate, notices: list[str], told_of: Callable[[int, int, str], None]
) -> tuple[Mapping[str, Any], ...]:
    """Return known bidders' bundles as in Tables VI to IX, with which he holds and which is best.

    ``whole`` says whether all are there; of too many only the telling ones are.
    """
    bundles = _bundles(state.sale.quantity)
    whole = bundles <= LARGEST_TABLE
    if not whole:
        number = str(bundles) if bundles < 10**9 else "more than a billion"
        notices.append(f"a bidder has {number} bundles: tables list all up to {LARGEST_TABLE}, else the telling ones")
    found = []
    for place, (valuation, check) in enumerate(zip(told.market.valuations, told.checks, strict=True)):
        told_of(90 + 10 * place // len(told.checks), STEPS, f"bundles of {state.bidders[place].name}")
        if valuation is None or check is None:
            continue
        held = tuple(check.bundle.tolist())
        listed = None if whole else _telling(state, check)
        rows = [
            {
                "bundle": _pairs(state, row.bundle),
                "value": row.value,
                "penalty": row.penalty,
                "price": row.price,
                "modified_surplus": row.modified_surplus,
                "held": row.bundle == held,
                "best": row.modified_surplus >= check.best_surplus - check.tolerance,
            }
            for row in table(valuation, told.outcome, place, listed)
        ]
        found.append({"bidder": place, "name": state.bidders[place].name, "rows": rows, "whole": whole})
    return tuple(found)


def _telling(state: AuctionState, check: BidderCheck) -> Counts:
    """Return the (K, M) bundles that say most: nothing, what he holds, his best, and one block more or less of a lot.

    Of many lots those with the highest prices.
    """
    held, quantity = check.bundle, state.sale.quantity
    lots = np.argsort(-state.lowest_price(), kind="stable")[:NEIGHBOURS]
    one = np.eye(len(held), dtype=np.int64)[lots]
    near = np.concatenate([held - one, held + one])
    near = near[((near >= 0) & (near <= quantity)).all(axis=1)]
    return np.unique(
        np.concatenate([np.zeros_like(held)[np.newaxis], held[np.newaxis], check.maximisers, near]), axis=0
    )
