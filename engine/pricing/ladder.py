"""Quick prices for hubs that are less and less curved: what remains of them where costs hardly rise at all.

With linear hubs an operator may hope for the best of ties or must fear the worst. A little curvature decides ties, and
prices move with it: the ladder tells towards which of the two objectives the rungs go. Each rung begins also at the
prices of the one before, and is told with what its prices come to at its end: for hubs of constant costs that take the
smallest of answers as good. The best prices of rungs come to no more than the best of those, in the end.
"""

import time
from dataclasses import dataclass, replace

from engine.errors import SolverError
from engine.network.model import Matrix
from engine.pricing.case import HubCase
from engine.pricing.congestion import Overloads, PriceTerms
from engine.pricing.evaluation import Fleet
from engine.pricing.linear import smallest
from engine.pricing.program import HubProgram
from engine.pricing.smooth import smooth_prices
from engine.pricing.starts import begun

SHARES = (1.0, 0.1, 0.01, 0.001)  # of the case's own curvature


@dataclass(frozen=True, slots=True)
class Rung:
    """Quick prices at a share of the curvature."""

    share: float
    objective: float | None  # $; None where hubs' answers were not certified
    overload_cost: float | None  # $
    residual: float | None  # the largest violation of a hub's conditions of optimality
    time_s: float
    smallest: float | None  # $, of the same prices where costs do not rise and hubs take the smallest answers as good


def ladder(case: HubCase, price: Matrix, time_limit_s: float) -> tuple[Rung, ...]:
    """Return the rungs from the case's own curvature down; ``price`` (K, T) is where the first begins too.

    Each has its share of the time.
    """
    rungs = []
    for share in SHARES:
        begin = time.perf_counter()
        own = replace(case, curvature=replace(case.curvature, share=case.curvature.share * share))
        fleet = Fleet.of(own)
        try:
            starts = {"before": price} | begun(own, fleet.programs)
            found = smooth_prices(fleet, starts, time_limit_s=time_limit_s / len(SHARES)).best.found
        except SolverError:
            rungs.append(Rung(share, None, None, None, time.perf_counter() - begin, None))
            continue
        price = found.price
        took = time.perf_counter() - begin
        end = at_the_end(case, fleet.programs, price)
        rungs.append(Rung(share, found.objective, found.overload_cost, found.residual, took, end))
    return tuple(rungs)


def at_the_end(case: HubCase, own: tuple[HubProgram, ...], price: Matrix) -> float | None:
    """Return the objective, $, of prices (K, T) for hubs of constant costs that take the smallest of answers as good.

    None where their answers were not certified.
    """
    try:
        drawn = smallest(own, price[case.area])
    except SolverError:
        return None
    return Overloads.of(case, drawn).cost(case) + PriceTerms.of(case).cost(price).total
