"""A small integer program near the relaxation's answer, to find a schedule fast. It proves nothing, and need not.

Four things are taken from the relaxation. Pieces of cost whose price lies clearly above or below the price of power
stay as they are. Hours in which reserve is worth nothing have enough of it. Limits on flows that are far from binding
are left out. In those that are kept, units that hardly move the flow stay at their relaxed output; a flow does not
change when the same amount is taken from all its factors, because injections sum to zero, so the middle factor is taken
off first and most units hardly move it. What the schedule costs, and whether it keeps every limit, is then seen by the
exact dispatch.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, vstack

from engine.commitment.relaxation import Relaxation, Relaxed
from engine.network.model import Flags
from engine.program import LinearProgram

_WORTH = 1e-6  # $/MW


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near is near."""

    price_per_mwh: float = 1.0  # a piece of cost so far from the price of power stays as it is
    factor: float = 0.02  # a unit that moves a flow by less per MW, next to the others, stays at its output
    margin_mw: float = 20.0  # limits further away than this are left out


def reduced(
    relaxation: Relaxation, relaxed: Relaxed, free: Flags, whole: Flags, near: Nearness | None = None
) -> LinearProgram:
    """Return the program in which units are decided where ``free`` (T, N) and are on elsewhere as ``whole`` says.

    Its columns are those of the relaxation, so an answer is read in the same way.
    """
    used, model, program, values = near or Nearness(), relaxation.model, relaxation.program, relaxed.values
    instance, pieces, x, q = relaxation.instance, model.pieces, model.place("x"), model.place("q")
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[x] = np.where(free, lower[x], np.maximum(lower[x], whole))
    upper[x] = np.where(free, upper[x], np.minimum(upper[x], whole))
    upper[model.place("e")] = 0.0

    decided, runs = np.zeros(q.shape, dtype=np.bool_), np.ones(q.shape, dtype=np.bool_)
    committed = instance.fleet.committed[pieces.unit]
    number = np.searchsorted(instance.committed, pieces.unit[committed])
    decided[:, committed], runs[:, committed] = free[:, number], whole[:, number]
    price = relaxed.prices.at_buses()[:, instance.network.units.bus[pieces.unit]]
    reserve = np.maximum(relaxed.prices.reserve, 0.0)[:, np.newaxis]
    empty = (pieces.slope > price + used.price_per_mwh) & (values[q] <= 1e-9)
    full = (pieces.slope < price - reserve - used.price_per_mwh) & (values[q] >= upper[q] - 1e-9)
    upper[q] = np.where(empty | (~runs & ~decided), 0.0, upper[q])
    lower[q] = np.where(full & runs & ~decided, upper[q], lower[q])

    need = program.row_lower.copy()
    if model.reserve_rows.stop > model.reserve_rows.start:  # where reserve is worth nothing there is enough of it
        idle = relaxed.prices.reserve <= _WORTH
        need[model.reserve_rows] = np.where(idle, -np.inf, need[model.reserve_rows])
        r = model.place("r")
        lower[r], upper[r] = 0.0, np.where(idle[:, np.newaxis], 0.0, upper[r])

    matrix, flows = program.matrix, relaxation.flows
    activity = np.asarray(matrix @ values)
    at = relaxation.flow_rows
    others = np.setdiff1d(np.arange(len(activity)), at)
    room = np.minimum(activity - program.row_lower, program.row_upper - activity)[at]
    kept = np.flatnonzero(room <= used.margin_mw)
    blocks, row_lower, row_upper = [matrix[others]], [need[others]], [program.row_upper[others]]
    if kept.size:
        factor = flows.factor[kept]
        middle = np.median(factor[:, instance.network.units.bus], axis=1)
        moved = factor - middle[:, np.newaxis]
        undecided = np.zeros(instance.case.demand_mw.shape, dtype=np.bool_)  # buses with a unit to be decided
        hour, unit = np.nonzero(free)
        undecided[hour, instance.network.units.bus[instance.committed[unit]]] = True
        still_there = (np.abs(moved) >= used.factor) | undecided[flows.hour[kept]]
        rows = model.flow_rows(replace(flows.at(kept), factor=np.where(still_there, moved, 0.0)))
        still = activity[at[kept]] - rows @ values
        blocks.append(rows)
        row_lower.append(program.row_lower[at[kept]] - still)
        row_upper.append(program.row_upper[at[kept]] - still)
    return replace(
        program,
        matrix=csr_array(vstack(blocks, format="csr")),
        row_lower=np.concatenate(row_lower),
        row_upper=np.concatenate(row_upper),
        lower=lower,
        upper=upper,
    )
