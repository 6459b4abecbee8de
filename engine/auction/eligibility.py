"""Activity, what it must be, waivers, and what eligibility is left.

A bidder is active on the blocks that he held when the round began and does not withdraw, and on those of his new bids.
Shares of stages are compared as exact fractions of their decimal digits.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

import numpy as np

from engine.auction.state import Acted, Amounts, AuctionState, Bidder, frozen


def share_of(state: AuctionState) -> Fraction:
    """Return the share of eligibility on which a bidder must be active in the present stage."""
    return Fraction(str(state.configuration.rules.activity.stages[state.stage]))


def required_activity(state: AuctionState, bidder: Bidder) -> int:
    """Return the units on which a bidder must be active in this round to keep his eligibility; 0 without the rule."""
    if not state.configuration.rules.activity.enforced:
        return 0
    return ceil(share_of(state) * bidder.eligibility)


def activity_of(state: AuctionState, place: int, acted: Acted) -> int:
    """Return one bidder's activity in units if the round closed with what he did."""
    mine = state.sale.slot_lot[state.holder == place]
    if acted.withdrawn:
        mine = mine[~np.isin(mine, acted.withdrawn)]
    return int(state.sale.units[mine].sum()) + new_units(state, acted)


def new_units(state: AuctionState, acted: Acted) -> int:
    """Return the units that a set of new bids covers."""
    lots, blocks = [bid.lot for bid in acted.bids], [bid.blocks for bid in acted.bids]
    return int(state.sale.units[lots] @ np.array(blocks, np.int64)) if lots else 0


def activities(state: AuctionState) -> Amounts:
    """Return every bidder's activity in the open round, (N,)."""
    activity = state.held_units()
    for place, acted in state.acted.items():
        if acted.withdrawn:
            activity[place] = activity_of(state, place, acted)
        else:
            activity[place] += new_units(state, acted)
    return frozen(activity)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the activity rule does to the bidders as a round closes."""

    bidders: tuple[Bidder, ...]
    activity: Amounts  # (N,)
    automatic_waivers: tuple[int, ...]


def judge(state: AuctionState) -> Judged:
    """Return the bidders as the next round finds them: waivers and withdrawal rounds used, eligibility reduced.

    A bidder short of activity uses his proactive waiver; else, unless he chose to reduce or has none left, an
    automatic one; else his eligibility falls to floor(activity / share).
    """
    rule = state.configuration.rules.activity
    activity = activities(state)
    share = Fraction(1) if not rule.enforced else share_of(state)
    nothing = Acted()
    bidders, automatic = [], []
    for place, bidder in enumerate(state.bidders):
        acted = state.acted.get(place, nothing)
        changed = bidder
        if acted.withdrawn:
            changed = replace(changed, withdrawal_rounds_left=changed.withdrawal_rounds_left - 1)
        if acted.waiver:
            changed = replace(changed, waivers_left=changed.waivers_left - 1)
        elif rule.enforced and int(activity[place]) < share * bidder.eligibility:
            if rule.automatic_waivers and bidder.waivers_left and not acted.reduce:
                automatic.append(place)
                changed = replace(changed, waivers_left=changed.waivers_left - 1)
            else:
                changed = replace(changed, eligibility=floor(int(activity[place]) / share))
        bidders.append(changed)
    return Judged(tuple(bidders), activity, tuple(automatic))


def eligibilities(bidders: tuple[Bidder, ...]) -> Amounts:
    """Return every bidder's eligibility in units, (N,)."""
    return frozen(np.array([bidder.eligibility for bidder in bidders], np.int64))
