"""Plans to compare with: none, that of the mean shock, and the same modules put elsewhere by a rule of thumb."""

from dataclasses import replace

import numpy as np

from engine.network.model import Integers, Vector
from engine.resilience.case import PlacementCase, Scenarios


def mean_shock(case: PlacementCase) -> PlacementCase:
    """Return the case with one shock: the mean of all draws, between the mean begin and end; nothing is out."""
    given = case.scenarios
    share = given.probability
    start, end = round(float(share @ given.start)), round(float(share @ given.end))
    draw = np.tensordot(share, given.draw_mw, axes=1)[np.newaxis]
    one = Scenarios(draw, np.array([start]), np.array([end]), np.ones(1), np.array([-1]), ("mean shock",))
    return replace(case, scenarios=one)


def uniform(case: PlacementCase, plan: Integers) -> Vector:
    """Return as many modules of each type as ``plan`` (K,) has, spread evenly over the sites in their order."""
    return _put(case, plan, np.zeros(len(case.sites)), deep=False)


def peak_node(case: PlacementCase, plan: Integers) -> Vector:
    """Return as many modules of each type, each where the most is drawn that still has room."""
    native = dict.fromkeys(case.sites, 0.0)
    for row in case.feeder.loads:
        if row.bus in native:
            native[row.bus] += row.kw / 1000.0 * float(case.load_share.max())
    for campus in case.campuses:
        if campus.bus in native:
            native[campus.bus] += campus.size_mw
    return _put(case, plan, np.array([native[site] for site in case.sites]), deep=True)


def _put(case: PlacementCase, plan: Integers, weight: Vector, *, deep: bool) -> Vector:
    """Fill sites in falling order of weight: one after the other (``deep``), or one module each in turns."""
    counts = plan.reshape(len(case.types), len(case.sites)).sum(axis=1)
    found = np.zeros((len(case.types), len(case.sites)))
    order = np.argsort(-weight, kind="stable").tolist()
    turn = 0
    for kind, count in enumerate(counts.tolist()):
        for _ in range(count):
            open_ = [site for site in order if found[kind, site] < case.most[kind, site]]
            site = open_[0] if deep else min(open_, key=lambda each: (found[kind, each], (each - turn) % len(order)))
            found[kind, site] += 1.0
            turn = site + 1
    return np.asarray(found.ravel())
