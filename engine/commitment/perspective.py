"""Perspective cuts: a piece of cost is used as far as its unit is on.

A unit that is half on and produces half its output has half the cost of that output, not the lower cost of so little.
With these rows the relaxation is, ramps apart, the hull of every unit's days, and its prices give the best bound that
prices can. Few of them bind.

Source: Frangioni and Gentile, "Perspective cuts for a class of convex 0-1 mixed integer programs", Mathematical
Programming 106, 2006.
"""

import numpy as np
from scipy.sparse import coo_array, csr_array

from engine.commitment.model import Model, Rows


def shares(model: Model) -> Rows:
    """Return ``piece <= its width x`` of committed units, hour by hour."""
    pieces, instance = model.pieces, model.instance
    own = np.flatnonzero(instance.fleet.committed[pieces.unit])
    q = model.place("q")[:, own]
    x = model.place("x")[:, np.searchsorted(instance.committed, pieces.unit[own])]
    row = np.arange(q.size)
    place = (np.concatenate([row, row]), np.concatenate([q.ravel(), x.ravel()]))
    value = np.concatenate([np.ones(q.size), -pieces.width_mw[:, own].ravel()])
    matrix = csr_array(coo_array((value, place), shape=(q.size, model.count)))
    return Rows(matrix, np.full(q.size, -np.inf), np.zeros(q.size))
