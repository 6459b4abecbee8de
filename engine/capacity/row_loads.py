"""The existing load on prepared rows in given states: what tails and worst cases are made of, state by state."""

from collections.abc import Iterator

import numpy as np

from engine.capacity.margins import Prepared
from engine.network.model import Integers, Matrix

_BLOCK_BYTES = 128 * 2**20


def existing_mw(prepared: Prepared, net_demand_mw: Matrix) -> Matrix:
    """Return the (R, s) load on every prepared row in the states (s, B)."""
    branches = prepared.row_element[prepared.row_kind == 1].astype(np.intp)
    buses = prepared.row_element[prepared.row_kind == 0].astype(np.intp)
    states = net_demand_mw.T
    flow = prepared.factors.flows(-states)[branches]
    return np.concatenate([states[buses], flow, -flow])


def blocks(prepared: Prepared, net_demand_mw: Matrix) -> Iterator[tuple[int, Matrix]]:
    """Yield (first state, (R, s) loads) over the states (S, B), some at a time, so that memory stays bounded."""
    step = max(1, _BLOCK_BYTES // (8 * 4 * max(1, prepared.row_count)))
    for start in range(0, len(net_demand_mw), step):
        yield start, existing_mw(prepared, net_demand_mw[start : start + step])


def loads_of(prepared: Prepared, net_demand_mw: Matrix, rows: Integers) -> Matrix:
    """Return the (r, S) load on some rows in the states (S, B)."""
    kind, element = prepared.row_kind[rows], prepared.row_element[rows].astype(np.intp)
    found = np.empty((len(rows), len(net_demand_mw)))
    at_bus = np.flatnonzero(kind == 0)
    found[at_bus] = net_demand_mw[:, element[at_bus]].T
    for sign, of in ((1.0, 1), (-1.0, 2)):
        at = np.flatnonzero(kind == of)
        if at.size:
            branch = element[at]
            shift = prepared.factors.shift_flow_mw[branch][:, np.newaxis]
            found[at] = sign * (shift - prepared.factors.rows(branch) @ net_demand_mw.T)
    return found
