"""Payments of the Vickrey-Clarke-Groves mechanism, for comparison: each bidder pays what his presence costs others.

p_i = W(without i) - (W - v_i(S_i)), where W is the efficient welfare, the seller's reserves included. Truthful bids
are best for everybody there, so it says what the market would bring without strategy.
Source: Vickrey 1961, Clarke 1971, Groves 1973.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.auction.optimum import Allocation, efficient
from engine.auction.rules import Configuration
from engine.auction.values import Money, Valuation


@dataclass(frozen=True, slots=True, eq=False)
class VickreyClarkeGroves:
    """The efficient allocation and what it costs each bidder."""

    allocation: Allocation
    payments: Money  # (N,)
    surplus: Money  # (N,), value minus payment
    proven: bool  # every allocation in it is a proven optimum

    @property
    def revenue(self) -> float:
        """Return the sum of the payments."""
        return float(self.payments.sum())


def payments(
    valuations: Sequence[Valuation], configuration: Configuration, kept: Money | None = None
) -> VickreyClarkeGroves:
    """Return what each bidder would pay. Budgets are not looked at.

    ``kept`` (M,) is what the seller values a block that he keeps at, the reserves where it is not given. Raises
    SolverError as :func:`engine.auction.optimum.efficient`.
    """
    best = efficient(valuations, configuration, kept)
    due, proven = np.zeros(len(valuations)), best.proven
    for place in range(len(valuations)):
        if not best.bundles[place].any():
            continue  # without him nothing changes
        others = [valuation for other, valuation in enumerate(valuations) if other != place]
        without = efficient(others, configuration, kept)
        due[place] = without.welfare - (best.welfare - best.values[place])
        proven = proven and without.proven
    return VickreyClarkeGroves(best, due, best.values - due, proven)
