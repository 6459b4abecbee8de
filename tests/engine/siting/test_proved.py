"""What is offered of a ranking is solved as exactly as its places need."""

from dataclasses import replace

import numpy as np

from engine.siting.clearing import Offer
from engine.siting.market import SiteMarket
from engine.siting.market_run import MarketRun
from engine.siting.proved import unproved_offers
from engine.siting.shortlist import Ranked, rank_sites
from tests.siting_study import market_run

FIRM = market_run().sites[0].placement


def with_gap(site: SiteMarket, gap: float) -> SiteMarket:
    return replace(site, days=tuple(replace(day, gap=gap) for day in site.days))


def loosely(gap: float = 3e-4) -> tuple[MarketRun, Ranked]:
    """The eight sites with a wide gap and a noise floor so wide that every border of two sites is open."""
    market = market_run()
    market = replace(market, sites=tuple(with_gap(site, gap) for site in market.sites), floor=np.full((3, 5), 9.0))
    return market, rank_sites(market.sites, group_weights=[5.0, 1.0, 1.0])


def offers(market: MarketRun) -> list[Offer]:
    assert FIRM is not None
    return [Offer(FIRM.bus, "A", FIRM.envelope, 0.5, FIRM.nameplate_mw, "North")]


def test_an_open_site_of_a_wide_gap_is_not_offered_unproved() -> None:
    # Two sites of each envelope and size. A shortlist of one has a border, one of twenty has none: the second pass of
    # the market, with twenty, took no site.
    market, order = loosely()
    found = unproved_offers(order, market, offers(market), 1, 20)
    assert FIRM is not None
    assert {site.placement.bus for site in found if site.placement} == {0, 1}
    assert {site.placement.envelope.name for site in found if site.placement} == {FIRM.envelope.name}
    assert {site.placement.nameplate_mw for site in found if site.placement} == {FIRM.nameplate_mw}
    assert unproved_offers(order, market, offers(market), 20, 20) == []


def test_what_was_solved_exactly_or_asked_to_be_is_offered() -> None:
    market, order = loosely(5e-5)
    assert unproved_offers(order, market, offers(market), 1, 20) == []
    market, order = loosely()
    tight = replace(market, question=replace(market.question, site_gap=market.question.base_gap))
    assert unproved_offers(order, tight, offers(tight), 1, 20) == []
    assert unproved_offers(order, replace(market, floor=None), offers(market), 1, 20) == []
    # The second pass of a shortlist of one took these sites already, without a proof in time: told as such elsewhere.
    assert unproved_offers(order, market, offers(market), 1, 1) == []
