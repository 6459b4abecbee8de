"""Which limit stops each candidate, out of those that are full.

A row with the highest price need not be the one that stops a site: a site may stand on two full rows, and more
of the dear one can go to somebody else. For a site between its bounds the row named is the one whose next MW
gives that site most, with all full rows staying full. Source: the first-order conditions of each objective;
for the lexicographic one, the bottleneck of Bertsekas and Gallager, *Data Networks*, 2nd ed., 1992, 6.5.2.
"""

import numpy as np

from engine.capacity.level import TIGHT_MW, LevelProgram, Optimum
from engine.capacity.question import CapacityQuestion
from engine.network.model import Integers, Matrix, Vector

_NOTHING = 1e-9  # MW per MW
_ALIKE = 1e-7  # MW per MW
_RANK = 1e-9  # relative size below which a direction of the full rows is none


def stopping_rows(problem: LevelProgram, found: Optimum, question: CapacityQuestion) -> Integers:
    """Return for each candidate (K,) the row of ``problem`` that stops it, -1 where its demand is met."""
    stops = np.full(len(found.mw), -1, dtype=np.intp)
    short = found.mw < problem.demand_mw - TIGHT_MW
    full = np.flatnonzero(problem.margin_mw - problem.factors @ found.mw < 10 * TIGHT_MW)
    factors = problem.factors[full]
    if not (short.any() and full.size):
        return stops
    worth = _shares_ahead(problem, found.mw, factors) if question.objective == "lex_max_min" else None
    if worth is None:
        worth = _gain_by_site(problem, found.mw, factors, question)
    price = np.zeros(len(problem.margin_mw))
    price[found.rows] = found.dual
    # Nothing that others do makes room on a row that has none before them: it stops every site that stands on it.
    room = problem.margin_mw[full] - factors @ problem.floor_mw
    shut = (room < 10 * TIGHT_MW) & (factors >= 0).all(axis=1)
    still = found.mw <= problem.floor_mw + TIGHT_MW
    no_way = (shut[:, np.newaxis] & (factors > 0)).any(axis=0) & still
    worth[:, no_way] = np.where(shut[:, np.newaxis] & (factors[:, no_way] > 0), 1.0, 0.0)
    cost = np.where(factors > 0, factors * np.maximum(price[full], _NOTHING)[:, np.newaxis], 0.0)
    best = worth.max(axis=0)
    # Of rows that give a site as much, the dearest; a site at its floor moves with no single limit: the dearest too.
    alike = worth >= np.where(best > _NOTHING, best - _ALIKE, -np.inf)
    at = np.where(alike, cost, -1.0).argmax(axis=0)
    touched = short & ((best > _NOTHING) | (cost.max(axis=0) > 0))
    stops[touched] = full[at[touched]]
    return stops


def _gain_by_site(problem: LevelProgram, mw: Vector, factors: Matrix, question: CapacityQuestion) -> Matrix:
    """Return the (m, K) MW of each site per MW of each full row, zero for sites at a bound.

    Along full rows the optimum takes the least curved way: W A' (A W A')^-1, with W the inverse curvature of
    the objective or of the tie rule. Where the fairest optimum is sought, sites of equal shares rise together.
    """
    demand = problem.demand_mw
    inner = np.flatnonzero((mw > problem.floor_mw + TIGHT_MW) & (mw < demand - TIGHT_MW))
    fairest = question.objective == "lex_max_min" or (
        question.objective == "sum_ratio" and question.tie_rule == "lex_max_min"
    )
    share = np.round(mw[inner] / demand[inner], 7)
    group = np.unique(share, return_inverse=True)[1] if fairest else np.arange(len(inner))
    by_share = fairest or question.objective == "sum_sq_ratio"
    moves = np.zeros((len(inner), int(group.max(initial=-1)) + 1))  # MW of each site per unit of its group
    moves[np.arange(len(inner)), group] = demand[inner] if by_share else 1.0
    gain = np.zeros(factors.shape)
    gain[:, inner] = (moves @ np.linalg.pinv(factors[:, inner] @ moves, rcond=_RANK)).T
    return gain


def _shares_ahead(problem: LevelProgram, mw: Vector, factors: Matrix) -> Matrix | None:
    """Return (m, K), 1 or a little less where a site has the largest share on a full row, its bottleneck.

    None where a row has negative factors: there a site is not stopped by one row.
    """
    if (factors < 0).any():
        return None
    share = mw / problem.demand_mw
    can_yield = (factors > 0) & (mw > problem.floor_mw + TIGHT_MW)
    most = np.where(can_yield, share, 0.0).max(axis=1, initial=0.0)
    return np.where(factors > 0, 1.0 - np.maximum(most[:, np.newaxis] - share, 0.0), 0.0)
