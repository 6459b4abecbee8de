"""The existing load on prepared rows in given states: what tails and worst cases are made of, state by state."""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

from engine.capacity.margins import Prepared
from engine.capacity.rows import BACKWARD, FORWARD, WITHDRAWAL
from engine.network.model import Integers, Matrix

_BLOCK_BYTES = 128 * 2**20


def existing_mw(prepared: Prepared, net_demand_mw: Matrix) -> Matrix:
    """Return the (R, s) load on every prepared row in the states (s, B)."""
    plain = prepared.row_count - prepared.sums.shape[0]
    kind, element = prepared.row_kind[:plain], prepared.row_element[:plain].astype(np.intp)
    states = net_demand_mw.T
    flow = prepared.factors.flows(-states)
    own = flow[element[kind == FORWARD]]
    return np.concatenate([states[element[kind == WITHDRAWAL]], own, -own, prepared.sums.dot(flow)])


def blocks(prepared: Prepared, net_demand_mw: Matrix) -> Iterator[tuple[int, Matrix]]:
    """Yield (first state, (R, s) loads) over the states (S, B), some at a time, so that memory stays bounded."""
    step = max(1, _BLOCK_BYTES // (8 * 4 * max(1, prepared.row_count)))
    for start in range(0, len(net_demand_mw), step):
        yield start, existing_mw(prepared, net_demand_mw[start : start + step])


def loads_of(prepared: Prepared, net_demand_mw: Matrix, rows: Integers) -> Matrix:
    """Return the (r, S) load on some rows in the states (S, B)."""
    plain = prepared.row_count - prepared.sums.shape[0]
    kind, element = prepared.row_kind[rows], prepared.row_element[rows].astype(np.intp)
    found = np.empty((len(rows), len(net_demand_mw)))
    at_bus = np.flatnonzero(kind == WITHDRAWAL)
    found[at_bus] = net_demand_mw[:, element[at_bus]].T
    for sign, of in ((1.0, FORWARD), (-1.0, BACKWARD)):
        at = np.flatnonzero((kind == of) & (rows < plain))
        found[at] = sign * _flows(prepared, net_demand_mw, element[at])
    at = np.flatnonzero(rows >= plain)
    if at.size:
        parts = csr_array(prepared.sums[rows[at] - plain])
        used = np.unique(parts.indices).astype(np.intp)
        found[at] = parts[:, used] @ _flows(prepared, net_demand_mw, used)
    return found


def _flows(prepared: Prepared, net_demand_mw: Matrix, branches: Integers) -> Matrix:
    """Return the (l, S) flows on some branches."""
    shift = prepared.factors.shift_flow_mw[branches][:, np.newaxis]
    flows: Matrix = shift - prepared.factors.rows(branches) @ net_demand_mw.T
    return flows
