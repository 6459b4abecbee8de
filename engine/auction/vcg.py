"""Payments of the Vickrey-Clarke-Groves mechanism, for comparison: each bidder pays what his presence costs others.

p_i = W(without i) - (W - v_i(S_i)), where W is the efficient welfare, the seller's reserves included. Truthful bids
are best for everybody there, so it says what the market would bring without strategy.
Source: Vickrey 1961, Clarke 1971, Groves 1973.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.auction.optimum import Allocation, joined, split
from engine.auction.parts import solve_part
from engine.auction.rules import Configuration
from engine.auction.values import Money, Valuation
from engine.integer import TIME_LIMIT_S
from engine.program import Status


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
    parts = split(valuations, configuration, kept)
    owners = [solve_part(part, TIME_LIMIT_S) for part in parts]
    best = joined(parts, owners, valuations)
    due, proven = np.zeros(len(valuations)), best.proven
    for part, found in zip(parts, owners, strict=True):
        total = part.worth(found.bundles)
        for place in np.flatnonzero(found.bundles.any(axis=1)).tolist():  # without anybody else nothing changes
            others = replace(part, valuations=part.valuations[:place] + part.valuations[place + 1 :])
            without = solve_part(others, TIME_LIMIT_S)
            own = part.valuations[place].value(found.bundles[place])
            due[place] += others.worth(without.bundles) - (total - own)
            proven = proven and without.status is Status.OPTIMAL
    return VickreyClarkeGroves(best, due, best.values - due, proven)
