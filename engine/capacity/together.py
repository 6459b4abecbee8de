"""The lexicographic max-min over rows without negative factors: raise all shares together until rows stop them.

Source: Bertsekas and Gallager, *Data Networks*, 2nd ed., 1992, section 6.5.2.
"""

from dataclasses import replace

import numpy as np

from engine.capacity.level import TIGHT_MW, LevelProgram, Optimum
from engine.network.model import Integers, Vector

SOLVER = "shares raised together"


def raise_together(problem: LevelProgram) -> Optimum:
    """Return the lexicographic max-min of ``problem``, whose rows have no negative factors.

    A site above its share already, because of its floor, waits until the common share reaches it.
    """
    factors, demand = problem.factors, problem.demand_mw
    mw, share = problem.floor_mw.copy(), 0.0
    starts = problem.floor_mw / demand
    stopped = np.zeros(len(demand), dtype=np.bool_)
    groups: list[tuple[int, Integers]] = []
    while not stopped.all():
        rising = ~stopped & (starts <= share)
        used = factors @ np.where(rising, 0.0, mw)
        slope = factors[:, rising] @ demand[rising]
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(slope > 0, (problem.margin_mw - used) / slope, np.inf)
        waiting = starts[~stopped & ~rising]
        row_share = float(reach.min(initial=np.inf))
        share = max(share, min(row_share, float(waiting.min(initial=1.0)), 1.0))
        mw[rising] = share * demand[rising]
        if share >= 1.0:
            stopped |= rising
        elif row_share <= share:
            for row in np.flatnonzero(reach <= share + 1e-15):
                caught = np.flatnonzero((factors[row] > 0) & rising & ~stopped)
                if caught.size:
                    groups.append((int(row), caught))
                    stopped[caught] = True
        # else a waiting site joins at this share
    rows = np.array([row for row, _ in groups], dtype=np.intp)
    found = lexicographic(problem, mw, rows, _gain_of_groups(problem, groups), SOLVER)
    return replace(found, checks={"fairness": _unfairness(problem, mw)})


def _gain_of_groups(problem: LevelProgram, groups: list[tuple[int, Integers]]) -> Vector | None:
    """Return the MW of total per MW of each stopping row: rows in order fix the shares of their groups in order."""
    if not groups:
        return np.zeros(0)
    rows = [row for row, _ in groups]
    weight = np.array([[problem.factors[row, k] @ problem.demand_mw[k] for _, k in groups] for row in rows])
    total = np.array([problem.demand_mw[k].sum() for _, k in groups])
    return np.asarray(np.linalg.solve(weight.T, total)) if np.linalg.cond(weight) < 1e12 else None


def _unfairness(problem: LevelProgram, mw: Vector) -> float:
    """Return how far the worst site is from having a full row on which nobody who could yield has a larger share."""
    share = mw / problem.demand_mw
    room = problem.margin_mw - problem.factors @ mw
    worst = 0.0
    for site in np.flatnonzero(mw < problem.demand_mw - TIGHT_MW):
        rows = np.flatnonzero((problem.factors[:, site] > 0) & (room < TIGHT_MW))
        can_yield = (problem.factors[rows] > 0) & (mw > problem.floor_mw + TIGHT_MW)
        lead = np.where(can_yield, share - share[site], 0.0).max(axis=1, initial=0.0)
        worst = max(worst, float(lead.min(initial=1.0)))
    return worst


def lexicographic(problem: LevelProgram, mw: Vector, rows: Integers, gain: Vector | None, solver: str) -> Optimum:
    """Return the optimum ``mw`` (K,) with its stopping ``rows`` (m,); such an objective has no duals and no gap."""
    order = np.argsort(rows, kind="stable")
    unique, first = np.unique(rows, return_index=True)
    return Optimum(
        mw=np.clip(mw, problem.floor_mw, problem.demand_mw),
        rows=unique,
        dual=np.zeros(len(unique)),
        gain=None if gain is None or len(unique) < len(order) else gain[first],
        objective=float(np.sort(mw / problem.demand_mw).min(initial=1.0)),
        status="optimal",
        gap=0.0,
        solver=solver,
        checks={},
        used_rows=unique,
    )
