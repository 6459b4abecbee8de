"""Withdrawn standing bids, winners who do not pay, and what both cost.

Source: 47 CFR 1.2104(g). A withdrawn bid pays the amount by which it exceeds the highest later bid on the block: the
final one, or a later one that was withdrawn in its turn; nothing once a later bid reaches it. While the block
is not sold again, a share of the withdrawn bid is held in the interim.
"""

from dataclasses import replace
from fractions import Fraction
from math import ceil

from engine.auction.state import NOBODY, Amounts, AuctionState, Places, Withdrawal


def withdrawn_blocks(state: AuctionState) -> tuple[Withdrawal, ...]:
    """Return the blocks that the open round's withdrawals give back, by bidder and block."""
    found: list[Withdrawal] = []
    for place in sorted(state.acted):
        for lot in sorted(state.acted[place].withdrawn):
            slots = state.slots_of(lot)
            found.extend(
                Withdrawal(place, lot, slot, int(state.price[slot]), state.round)
                for slot in range(slots.start, slots.stop)
                if state.holder[slot] == place
            )
    return tuple(found)


def followed(withdrawals: tuple[Withdrawal, ...], price: Amounts, holder: Places) -> tuple[Withdrawal, ...]:
    """Return the withdrawals after a round whose standing bids are ``price`` and ``holder``, (U,)."""
    after = []
    for withdrawal in withdrawals:
        amount = int(price[withdrawal.slot])
        if withdrawal.due is None and holder[withdrawal.slot] != NOBODY and amount > withdrawal.best_later:
            reached = amount >= withdrawal.amount
            after.append(replace(withdrawal, best_later=amount, due=0 if reached else None))
        else:
            after.append(withdrawal)
    return tuple(after)


def settled(
    withdrawals: tuple[Withdrawal, ...], price: Amounts, holder: Places, reserve: Amounts
) -> tuple[Withdrawal, ...]:
    """Return the withdrawals after the close: ``due`` is set where the block is sold, at or above its reserve (U,)."""
    return tuple(
        replace(withdrawal, due=max(0, withdrawal.amount - withdrawal.best_later))
        if withdrawal.due is None
        and holder[withdrawal.slot] != NOBODY
        and price[withdrawal.slot] >= reserve[withdrawal.slot]
        else withdrawal
        for withdrawal in withdrawals
    )


def interim_payment(amount: int, share: float) -> int:
    """Return what is held of a withdrawn bid while its block is not sold again, rounded up."""
    return ceil(Fraction(str(share)) * amount)


def due_of(state: AuctionState, withdrawal: Withdrawal) -> int:
    """Return what a withdrawal costs as things stand: its payment once known, else the interim payment."""
    if withdrawal.due is not None:
        return withdrawal.due
    return interim_payment(withdrawal.amount, state.configuration.rules.withdrawals.interim_share)


def default_payment(amount: int, share: float, sold_again: int | None = None) -> int:
    """Return what a winner owes who does not pay a bid of ``amount``, of which the block later sold at ``sold_again``.

    The deficiency, and a share of the lesser of the two bids, rounded up. Before it is sold again only the share of
    the bid itself is known. Source: 47 CFR 1.2104(g)(2).
    """
    if sold_again is None:
        return ceil(Fraction(str(share)) * amount)
    return max(0, amount - sold_again) + ceil(Fraction(str(share)) * min(amount, sold_again))
