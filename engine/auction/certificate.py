"""The certificate of a round: how far the standing prices and holders are from an equilibrium, and why.

It uses assigned values, so only the host and the debrief may see it. L(p) and its gap judge the prices by the bidders'
own values; envy judges who holds what by the modified values (8), as if the auction ended now. A badge is given on
the conditions themselves, never on the theorem; the premises that the theorem needs and that were broken are named.
Source: sections 3 and appendix VI-F of arXiv 2604.08854; Bikhchandani and Mamer, *Competitive equilibrium in an
exchange economy with indivisibilities*, Journal of Economic Theory 74, 1997.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.auction.amounts import told
from engine.auction.equilibrium import (
    ROUNDING,
    BidderCheck,
    EquilibriumCheck,
    Outcome,
    check_bidder,
    dual_value,
    outcome_of,
)
from engine.auction.events import Event
from engine.auction.optimum import EQUAL, Allocation, LinearBound, efficient, lp_bound
from engine.auction.premises import Broken, broken_premises
from engine.auction.revealed import Revealed, revealed
from engine.auction.rules import Configuration
from engine.auction.state import Acted, AuctionState, RoundResult
from engine.auction.substitutes import Verdict, check_substitutes
from engine.auction.values import SUBSTITUTES, Counts, Valuation, from_json

_NAMED = 3  # bidders whose wishes are told one by one; the rest are summed
Badge = Literal["equilibrium", "no equilibrium", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """What values alone decide, worked out once for all rounds. Optimum and bound are None with unknown values."""

    configuration: Configuration
    valuations: tuple[Valuation | None, ...]  # (N,)
    verdicts: tuple[Verdict | None, ...]  # (N,), are lots gross substitutes for him?
    optimum: Allocation | None
    bound: LinearBound | None

    @property
    def known(self) -> tuple[Valuation, ...] | None:
        """Return all valuations, None where a bidder's is not known."""
        known = tuple(valuation for valuation in self.valuations if valuation is not None)
        return known if len(known) == len(self.valuations) else None

    @property
    def prices_exist(self) -> bool | None:
        """Return whether some linear prices support an equilibrium of the own values; None where it is not proven."""
        if self.optimum is None or self.bound is None:
            return None
        slack = EQUAL * (1.0 + abs(self.bound.value))
        if self.bound.value <= self.optimum.welfare + slack:
            return True
        proven = self.optimum.proven and self.bound.converged
        return False if proven else None


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """One round's certificate."""

    state: AuctionState
    market: Market
    outcome: Outcome
    checks: tuple[BidderCheck | None, ...]  # (N,), condition (7a) of each; None without assigned values
    revealed: tuple[Revealed, ...]  # of those without
    equilibrium: EquilibriumCheck | None  # None where somebody's values are not known
    dual_value: float | None  # L(p)
    premises: tuple[Broken, ...]

    @property
    def round(self) -> int:
        """Return the last closed round, 0 before there is one."""
        return self.state.rounds[-1].round if self.state.rounds else 0

    @property
    def final(self) -> bool:
        """Return whether the auction is closed."""
        return self.state.phase == "closed"

    @property
    def gap(self) -> float | None:
        """Return L(p) minus the optimal welfare: zero exactly if the prices support an equilibrium of own values."""
        if self.dual_value is None or self.market.optimum is None:
            return None
        return self.dual_value - self.market.optimum.welfare

    @property
    def budgeted(self) -> tuple[int, ...]:
        """Return the places of the bidders with a budget: they are outside the theory."""
        return tuple(i for i, v in enumerate(self.market.valuations) if v is not None and v.budget is not None)

    @property
    def badge(self) -> Badge:
        """Return what may be said of the outcome under the modified values; "none" with a budget or unknown values."""
        if self.equilibrium is None or self.budgeted:
            return "none"
        return "equilibrium" if self.equilibrium.holds else "no equilibrium"

    @property
    def welfare_at_least(self) -> float:
        """Return the welfare, counting people of unknown values with what their bids tell."""
        known = sum(check.value for check in self.checks if check is not None)
        return known + sum(seen.held_at_least for seen in self.revealed) + self.outcome.kept

    @property
    def loss_at_most(self) -> float | None:
        """Return the most welfare that the outcome can be below the optimum, None where bids do not tell.

        People of unknown values count as straightforward bidders for whom lots are gross substitutes and whom no rule
        kept from a bid. Such a bidder holds what is best for him only after a round in which he wanted nothing more.
        """
        if self.revealed and not self._nobody_wants_more():
            return None
        envy = sum(check.envy for check in self.checks if check is not None)
        return envy + self.outcome.unsold + self.outcome.below_reserve + self.outcome.one_increment_each

    def _nobody_wants_more(self) -> bool:
        """Return whether everybody of unknown values could bid in the last closed round and let it pass.

        His silence tells nothing where a withdrawal made prices fall after it, or where he came later, was muted, used
        a waiver or lost eligibility in it.
        """
        rounds = self.state.rounds
        if not rounds or self.state.phase == "cancelled":
            return False
        last = rounds[-1]
        if any(acted.withdrawn for acted in last.acted.values()):
            return False
        return all(self._passed(seen.bidder, last) for seen in self.revealed)

    def _passed(self, place: int, last: RoundResult) -> bool:
        bidder, acted = self.state.bidders[place], last.acted.get(place, Acted())
        if place >= len(last.eligibility) or bidder.muted or place in last.automatic_waivers:
            return False
        before = [result.eligibility[place] for result in self.state.rounds[-2:-1] if place < len(result.eligibility)]
        kept = last.eligibility[place] == (before[0] if before else bidder.initial_eligibility)
        return bool(kept) and not acted.bids and not acted.waiver

    @property
    def words(self) -> tuple[str, ...]:
        """Return the certificate in sentences, the most important first."""
        return (*_verdict(self), *_prices(self), *_losses(self), *_seen(self))

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as JSON values; a number that is not known is null. For the host's eyes only."""
        check, optimum, bound = self.equilibrium, self.market.optimum, self.market.bound
        return {
            "round": self.round,
            "final": self.final,
            "badge": self.badge,
            "words": list(self.words),
            "dual_value": self.dual_value,
            "gap": self.gap,
            "optimum": None if optimum is None else optimum.welfare,
            "optimum_bound": None if optimum is None else optimum.bound,
            "optimum_proven": None if optimum is None else optimum.proven,
            "linear_bound": None if bound is None else bound.value,
            "prices_exist": self.market.prices_exist,
            "welfare": None if check is None else check.welfare,
            "welfare_at_least": self.welfare_at_least,
            "loss": None if check is None else check.loss,
            "loss_at_most": self.loss_at_most,
            "bound": self.outcome.one_increment_each,
            "tighter_bound": None if check is None else check.tighter_bound,
            "condition_7a": None if check is None else check.condition_7a,
            "condition_7b": self.outcome.unsold <= ROUNDING * (1.0 + float(self.outcome.price.sum())),
            "modified_gap": None if check is None else check.modified_gap,
            "bidders": [self._bidder(place) for place in range(len(self.checks))],
            "premises": [
                {"premise": p.premise, "words": p.words, "event": p.event, "round": p.round, "bidder": p.bidder}
                for p in self.premises
            ],
        }

    def _bidder(self, place: int) -> dict[str, Any]:
        bidder, check, verdict = self.state.bidders[place], self.checks[place], self.market.verdicts[place]
        lots = self.outcome.configuration.lots
        found: dict[str, Any] = {
            "id": bidder.id,
            "name": bidder.name,
            "known": check is not None,
            "budgeted": place in self.budgeted,
            "paid": self.outcome.paid(place),
            "substitutes": None if verdict is None else verdict.substitutes,
            "substitutes_words": None if verdict is None else verdict.words,
        }
        if check is not None:
            wanted = check.maximisers[0]
            found |= {
                "value": check.value,
                "surplus": check.surplus,
                "best_surplus": check.best_surplus,
                "envy": check.envy,
                "holds": check.holds,
                "best": [[lots[lot].id, int(wanted[lot])] for lot in np.flatnonzero(wanted).tolist()],
            }
        return found


def market_of(configuration: Configuration, valuations: Sequence[Valuation | None]) -> Market:
    """Return what values alone decide: optimum, the bound of linear prices, and gross substitutes.

    With symmetric, additive and unit-demand bidders the bound is the optimum, by theory. Raises SolverError if HiGHS
    fails; what is only not proven in time is said in the optimum's status and the bound's ``converged``.
    """
    verdicts = tuple(None if v is None else check_substitutes(v, configuration) for v in valuations)
    market = Market(configuration, tuple(valuations), verdicts, None, None)
    known = market.known
    if known is None:
        return market
    optimum = efficient(known, configuration)
    if all(isinstance(valuation, SUBSTITUTES) for valuation in known):
        bound = LinearBound(optimum.welfare, np.zeros(0), True, 0)
    else:
        bound = lp_bound(known, configuration, start=optimum)
    return Market(configuration, tuple(valuations), verdicts, optimum, bound)


def certificate(  # noqa: PLR0913 (what is at hand saves making it again)
    state: AuctionState,
    valuations: Sequence[Valuation | None] | None = None,
    *,
    events: Sequence[Event] = (),
    market: Market | None = None,
    departures: bool = True,
    as_if_ended: bool = False,
) -> Certificate:
    """Return the certificate of the last closed round.

    ``valuations`` (N,) are read from the state where they are not given; ``events`` is the ledger so far, for the
    numbers of what broke a premise; ``market`` is :func:`market_of` where it is at hand. Without ``departures`` bids
    that were not for a best bundle are not looked for, which takes long with many complements. ``as_if_ended`` counts
    reserves already: what stands below one is not awarded. Raises AuctionRuleError for an assigned valuation that
    cannot be read.
    """
    if valuations is None:
        valuations = market.valuations if market is not None else read(state)
    market = market_of(state.configuration, valuations) if market is None else market
    outcome = outcome_of(state, as_if_ended=as_if_ended)
    checks = tuple(
        None if valuation is None else check_bidder(valuation, outcome, place, list_all=False)
        for place, valuation in enumerate(valuations)
    )
    unknown = tuple(revealed(state, place) for place, valuation in enumerate(valuations) if valuation is None)
    equilibrium, dual = None, None
    if market.known is not None and market.optimum is not None:
        all_checks = tuple(check for check in checks if check is not None)
        equilibrium = EquilibriumCheck(outcome, all_checks, market.optimum)
        dual = dual_value(market.known, outcome)
    broken = broken_premises(state, valuations, market.verdicts, events, departures=departures)
    return Certificate(state, market, outcome, checks, unknown, equilibrium, dual, broken)


def read(state: AuctionState) -> tuple[Valuation | None, ...]:
    """Return the assigned valuations (N,), None without. Raises AuctionRuleError for one that cannot be read."""
    return tuple(
        None if bidder.valuation is None else from_json(bidder.valuation, state.configuration)
        for bidder in state.bidders
    )


def _verdict(found: Certificate) -> list[str]:
    """Say whether the outcome is an equilibrium, and whose condition fails."""
    when = "The outcome is"
    if not found.final:
        cancelled = found.state.phase == "cancelled"
        when = f"{'Had it ended' if cancelled else 'If the auction ended'} with its last round, the outcome would "
        when += "have been" if cancelled else "be"
    if found.badge == "equilibrium":
        nobody = "at these prices nobody would rather hold anything else, up to one increment for each product"
        return [f"{when} a competitive equilibrium: {nobody}."]
    names, currency = found.state.bidders, found.outcome.configuration.currency
    said = []
    if found.badge == "no equilibrium":
        said.append(
            f"{when} no competitive equilibrium: the prices do not support it, not even up to one increment for each "
            "product."
        )
    elif found.budgeted:
        who = ", ".join(names[place].name for place in found.budgeted)
        said.append(f"No badge: {who} bid within a budget, which the theory does not know.")
    else:
        have = "has" if len(found.revealed) == 1 else "have"
        who = f"{len(found.revealed)} of {len(names)} bidders {have}"
        said.append(f"No badge: {who} no assigned values, so nobody can tell whether they hold what is best for them.")
    envious = sorted((c for c in found.checks if c is not None and not c.holds), key=lambda c: -c.envy)
    for check in envious[:_NAMED]:
        best = _bundle(found.outcome.configuration, check.maximisers[0])
        who = names[check.bidder].name
        limit = ", if money were no limit" if check.bidder in found.budgeted else ""
        said.append(f"{who} would rather hold {best}: {told(check.envy)} {currency} more{limit}.")
    if len(envious) > _NAMED:
        rest = sum(check.envy for check in envious[_NAMED:])
        said.append(
            f"So would {len(envious) - _NAMED} others rather hold something else: {told(rest)} {currency} more."
        )
    if found.outcome.unsold > 0:
        said.append(
            f"Unsold blocks have prices of {told(found.outcome.unsold)} {currency} in all; in an equilibrium they have "
            "none."
        )
    if found.outcome.below_reserve > 0:
        said.append(f"Blocks stand {told(found.outcome.below_reserve)} {currency} below their reserves in all.")
    return said


def _prices(found: Certificate) -> list[str]:
    """Say what the prices prove: L(p), its gap, and whether any linear prices could do better."""
    market, currency = found.market, found.outcome.configuration.currency
    if market.optimum is None or market.bound is None or found.gap is None or found.dual_value is None:
        return []
    optimum, gap = market.optimum, found.gap
    best = f"the best possible welfare is {told(optimum.welfare)}" + ("" if optimum.proven else " or more")
    size = told(gap) if optimum.proven else f"{told(gap)} or less"
    said = [
        f"These prices promise {told(found.dual_value)} {currency} in all, if the seller and every bidder got the best "
        f"at them; {best}: the gap is {size}."
    ]
    if market.prices_exist is False:
        said.append(
            f"No prices of single products would content everybody: any of them promise "
            f"{told(market.bound.value)} {currency} or more, {told(market.bound.value - optimum.welfare)} above the "
            "best possible welfare. No linear-price equilibrium exists."
        )
    elif market.prices_exist is None:
        said.append(
            "Whether any prices of single products would content everybody was not settled in the time allowed."
        )
    return said


def _losses(found: Certificate) -> list[str]:
    currency, check = found.outcome.configuration.currency, found.equilibrium
    if check is None:
        least = f"The welfare is {told(found.welfare_at_least)} {currency} or more"
        if found.loss_at_most is None:
            return [f"{least}; how far it is below the optimum nobody can tell while people without values bid."]
        return [
            f"{least}, and at most {told(found.loss_at_most)} below the optimum if everybody without assigned values "
            "bids straightforwardly for substitutes and no rule kept them from a bid."
        ]
    allowed = (
        f"the theory allows {told(check.bound)}, an increment for each block, and {told(check.tighter_bound)} "
        "counting only blocks that the optimum gives to somebody else"
    )
    if not check.holds:
        allowed = f"these prices leave {told(check.loss_bound)} possible"
    most = "" if check.optimum.proven else "at most "
    return [f"The welfare is {told(check.welfare)} {currency}, {most}{told(check.loss)} below the optimum; {allowed}."]


def _seen(found: Certificate) -> list[str]:
    """Say what bids tell of people without assigned values."""
    said = [f"{seen.words}." for seen in found.revealed[:_NAMED]]
    if len(found.revealed) > _NAMED:
        rest, currency = found.revealed[_NAMED:], found.outcome.configuration.currency
        least = told(sum(seen.held_at_least for seen in rest))
        said.append(
            f"What {len(rest)} others without assigned values hold is worth {least} {currency} or more likewise."
        )
    return said


def _bundle(configuration: Configuration, bundle: Counts) -> str:
    names = [
        configuration.lots[lot].name if bundle[lot] == 1 else f"{bundle[lot]} blocks of {configuration.lots[lot].name}"
        for lot in np.flatnonzero(bundle).tolist()
    ]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names) if names else "nothing"
