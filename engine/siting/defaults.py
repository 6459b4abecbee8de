"""The question that a siting study opens with on a network: the source's on synthetic Texas, a small one elsewhere."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.capacity.series import is_texas
from engine.commitment.days import most_typical
from engine.network.model import Network
from engine.siting.contingencies import LEAST_KV, BranchRule
from engine.siting.gate.question import candidates
from engine.siting.market_run import MarketQuestion
from engine.siting.market_time import market_s
from engine.siting.question import SitingQuestion

TEXAS_SIZES = (500.0, 1000.0, 2000.0)
# Of 2016 the hours of the highest net load outside and inside the peak of the standard envelopes, 9 August, 15 and 16
# o'clock: a gate of minutes, whose answer comes with the program (engine.data.build_answers).
TEXAS_HOURS = (5318, 5319)
_SHARES = (0.05, 0.10, 0.15, 0.20)  # of the filed load, as nameplates on another network
TEXAS_SHORTLIST, TEXAS_SITES = 10, 20
_LISTED, _MOST_LISTED = 0.1, 5  # of the candidates, on the shortlist of another network
_PRICED = 3  # times as many go to the market: a shortlist of all that are priced says nothing
MOST_MARKET_S = 3600.0  # of a market that is asked first
_SMALL = 40  # buses: so few are screened in the whole stress set at once


def starting_question(network: Network) -> SitingQuestion:
    """Return the question that a study opens with when nobody has asked one yet."""
    if is_texas(network):
        return SitingQuestion(
            choice="list", hours=TEXAS_HOURS, candidates="paper", sizes_mw=TEXAS_SIZES, shortlist=TEXAS_SHORTLIST
        )
    known = candidates(network)
    on = network.buses.in_service
    listed = tuple(bus for bus, ready in zip(network.buses.ids, on.tolist(), strict=True) if ready)
    return SitingQuestion(
        choice="stress" if int(on.sum()) <= _SMALL else "representative",
        count=8,
        candidates="source" if known.size else "listed",
        buses=() if known.size else listed,
        sizes_mw=sizes_for(network),
        branches=branch_rule(network),
        shortlist=_shortlist(int(known.size or on.sum())),
    )


def starting_market(network: Network, question: SitingQuestion | None = None) -> MarketQuestion:
    """Return the market that goes with a question, by default the first: one size, on the typical days.

    Where these would take more than an hour it is the day of the highest load alone, as on synthetic Texas.
    """
    asked = question or starting_question(network)
    size = (drawn_first(asked.sizes_mw),)
    if is_texas(network):
        return MarketQuestion(
            days="peak", sizes_mw=size, most_sites=TEXAS_SITES, base_time_s=150.0, site_time_s=120.0, samples=4
        )
    week = MarketQuestion(
        sizes_mw=size, most_sites=_PRICED * asked.shortlist, base_time_s=120.0, site_time_s=120.0, samples=4
    )
    most = len(asked.envelopes) * min(week.most_sites, len(network.buses.ids))  # placements: fewer where fewer pass
    return week if market_s(network, most_typical(network), most, week) <= MOST_MARKET_S else replace(week, days="peak")


def drawn_first(sizes_mw: Sequence[float]) -> float:
    """Return the size that a page draws first: the source's 1 GW where it is asked, else the middle one."""
    return 1000.0 if 1000.0 in sizes_mw else sizes_mw[len(sizes_mw) // 2]


def _shortlist(candidates: int) -> int:
    return min(_MOST_LISTED, max(3, round(_LISTED * candidates)))


def sizes_for(network: Network) -> tuple[float, ...]:
    """Return nameplates that suit the load of a network: a few per cent of it each, as round numbers."""
    load = float(network.buses.load_mw[network.buses.in_service].clip(min=0.0).sum()) or 100.0
    return tuple(sorted({_round(share * load) for share in _SHARES}))


def branch_rule(network: Network) -> BranchRule:
    """Return the source's rule where the network has branches of its voltages, else each branch."""
    kv = network.buses.base_kv
    branches = network.branches
    high = (kv[branches.from_bus] >= LEAST_KV) & (kv[branches.to_bus] >= LEAST_KV) & branches.in_service
    return "voltage" if bool(np.any(high)) else "all"


def _round(mw: float) -> float:
    step = 10.0 ** np.floor(np.log10(mw))
    nearest = min((1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0), key=lambda mark: abs(mark - mw / step))
    return float(np.round(nearest * step, 6))
