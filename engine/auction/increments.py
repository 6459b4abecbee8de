"""Lowest and other allowed bids: fixed and smoothed increments, click boxes, jump bids and their cap.

Shares are kept to the millionth and amounts in whole numbers, so that every rounding is exact on any machine.
Smoothing: FCC simultaneous multiple-round auctions (the origin of each number is in :mod:`engine.auction.presets`).
"""

import numpy as np
import numpy.typing as npt

from engine.auction.rules import MAX_AMOUNT, Configuration, Increment
from engine.auction.state import NOBODY, Amounts, AuctionState, Places, Sale, frozen, lowest

MILLION = 1_000_000


def sale_of(configuration: Configuration) -> Sale:
    """Return the arrays that follow from a configuration."""
    lots = configuration.lots
    units = np.array([lot.units for lot in lots], np.int64)
    quantity = np.array([lot.quantity for lot in lots], np.int64)
    first_slot = np.concatenate([[0], np.cumsum(quantity)]).astype(np.int64)
    opening = np.array([lot.opening for lot in lots], np.int64)
    increment = configuration.rules.increment
    least = increment.amount if increment.kind == "fixed" else increment.rounding
    return Sale(
        lot_place={lot.id: place for place, lot in enumerate(lots)},
        units=frozen(units),
        quantity=frozen(quantity),
        first_slot=frozen(first_slot),
        slot_lot=frozen(np.repeat(np.arange(len(lots)), quantity)),
        first_bid=frozen(np.maximum(opening, least)),
        total_units=int(units @ quantity),
    )


def raised(amount: Amounts, share_ppm: Amounts, rounding: int) -> Amounts:
    """Return ``amount`` times one plus the share, rounded up to a multiple of ``rounding``, and above ``amount``."""
    product = amount * (MILLION + share_ppm)
    up = -(-product // (MILLION * rounding)) * rounding
    least: Amounts = np.where(up > amount, up, amount + rounding)
    return least


def increment_share_ppm(increment: Increment, activity_index: npt.NDArray[np.float64]) -> Amounts:
    """Return I = min((1 + A) N, M) of each lot in millionths, (M,)."""
    share = np.minimum((1 + activity_index) * increment.floor, increment.ceiling)
    ppm: Amounts = np.rint(share * MILLION).astype(np.int64)
    return ppm


def smoothed_index(
    increment: Increment, activity_index: npt.NDArray[np.float64], bids: Amounts
) -> npt.NDArray[np.float64]:
    """Return A = C b + (1 - C) A' of each lot, (M,)."""
    return increment.weight * bids + (1 - increment.weight) * activity_index


def minimum_bids(
    configuration: Configuration,
    sale: Sale,
    standing: tuple[Amounts, Places],
    runner_up: Amounts,
    activity_index: npt.NDArray[np.float64],
) -> Amounts:
    """Return the lowest bid that each lot accepts next, (M,).

    ``standing`` is price and holder of each block, (U,). While a block is free, the first bid, or after a
    withdrawal the second-highest bid so far if that is more. Otherwise an increment above the lowest standing bid.
    """
    price, holder = standing
    increment = configuration.rules.increment
    base = lowest(sale.first_slot, price)
    if increment.kind == "fixed":
        above = base + increment.amount
    else:
        above = raised(base, increment_share_ppm(increment, activity_index), increment.rounding)
    free = lowest(sale.first_slot, holder) == NOBODY
    return frozen(np.minimum(np.where(free, np.maximum(sale.first_bid, runner_up), above), MAX_AMOUNT + 1))


def step_of(state: AuctionState, lot: int) -> int:
    """Return one increment of a lot: from its lowest standing bid to the minimum, or the first bid of a free block."""
    slots = state.slots_of(lot)
    minimum = int(state.minimum[lot])
    free = int(state.holder[slots].min()) == NOBODY
    increment = state.configuration.rules.increment
    if free:
        return (
            increment.amount
            if increment.kind == "fixed"
            else int(
                raised(state.minimum[lot : lot + 1], np.array([round(increment.floor * MILLION)]), increment.rounding)[
                    0
                ]
            )
            - minimum
        )
    return minimum - int(state.price[slots].min())


def highest_amount(state: AuctionState, lot: int) -> int:
    """Return the highest bid that a lot accepts in this round."""
    jump, minimum = state.configuration.rules.jump, int(state.minimum[lot])
    if jump.kind == "none":
        return minimum
    most = MAX_AMOUNT
    if jump.cap_increments:
        most = min(most, minimum + jump.cap_increments * step_of(state, lot))
    if jump.kind == "click box":
        most = min(most, max(click_box(state, lot)))
    return most


def click_box(state: AuctionState, lot: int) -> list[int]:
    """Return the minimum and so many equal steps above it, one step being ``step_share`` of the minimum, rounded up.

    Source: FCC, 86 FR 12146 (Auction 108), paragraph 86.
    """
    jump, minimum = state.configuration.rules.jump, int(state.minimum[lot])
    rounding, share = state.configuration.rules.increment.rounding, round(jump.step_share * MILLION)
    step = max(1, -(-minimum * share // (MILLION * rounding))) * rounding
    return [minimum + place * step for place in range(jump.steps)]


def allowed_amounts(state: AuctionState, lot: int) -> tuple[int, ...]:
    """Return the amounts that a bid on a lot may have.

    Where any amount may be bid, only the minimum is listed: it may be more, up to :func:`highest_amount`.
    """
    minimum = int(state.minimum[lot])
    if minimum > MAX_AMOUNT:
        return ()
    if state.configuration.rules.jump.kind != "click box":
        return (minimum,)
    most = highest_amount(state, lot)
    return tuple(amount for amount in click_box(state, lot) if amount <= most)
