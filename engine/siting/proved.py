"""Whether what is offered of a ranking is solved as exactly as its places need before it is published.

The market solves again, as exactly as the days without a site, the sites whose place the noise floor could change by
equal weights and the question's shortlist (:mod:`engine.siting.second_pass`). Other weights or another shortlist open
other places: a site that is open there and was not solved again is not proved to be on either side of the border.
"""

from collections.abc import Sequence

import numpy as np

from engine.errors import QuestionError
from engine.siting.clearing import Offer
from engine.siting.firmness import open_sites
from engine.siting.market import SiteMarket
from engine.siting.market_run import MarketRun
from engine.siting.shortlist import Ranked, by_label, rank_sites

Key = tuple[int, str, float]  # bus position, envelope, nameplate MW


def unproved_offers(
    order: Ranked, market: MarketRun, offers: Sequence[Offer], count: int, shortlist: int
) -> list[SiteMarket]:
    """Return the sites whose schedules are too loosely solved for a choice among the first ``count`` places.

    Of each envelope and size of ``offers`` of which an offered site is open: every open site whose gap is above that
    of the days without a site. Those that the market's own second pass, by equal weights and a shortlist of
    ``shortlist``, solved again without a proof in time are told elsewhere and are not among them. None is
    returned where every site was asked for as exactly, and where no noise floor was asked for: nothing is known.
    """
    asked = market.question
    if market.floor is None or not order.sites or asked.site_gap <= asked.base_gap:
        return []
    open_ = open_sites(order, market.floor, count)
    if not open_.any():
        return []
    offered = {(one.bus, one.envelope.name, one.largest_mw) for one in offers}
    told = _open_as_usual(market, shortlist)
    found: list[SiteMarket] = []
    for rows in by_label(order.sites).values():
        sites = [order.sites[row] for row in rows[open_[rows]].tolist()]
        if any(_key(site) in offered for site in sites):
            found += [site for site in sites if site.gap > asked.base_gap and _key(site) not in told]
    return found


def _open_as_usual(market: MarketRun, shortlist: int) -> set[Key]:
    """Return the sites that are open by equal weights: the market's second pass took them."""
    served = [site for site in market.sites if site.served]
    try:
        usual = rank_sites(served)
    except QuestionError:  # none, or nothing tells them apart
        return set()
    floor = np.full((3, 5), np.nan) if market.floor is None else market.floor
    return {_key(usual.sites[row]) for row in np.flatnonzero(open_sites(usual, floor, shortlist)).tolist()}


def _key(site: SiteMarket) -> Key:
    placed = site.placement
    return (-1, "", 0.0) if placed is None else (placed.bus, placed.envelope.name, placed.nameplate_mw)
