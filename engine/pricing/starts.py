"""Prices to begin the search with: what withdrawals cost the network where hubs and operator are one.

Of a large fleet that program takes longer than all of the search, so hubs of one area with the same assets are taken as
one that is as large as they are together. Of these fewer hubs the search looks at whole affine pieces, which it cannot
of all: prices from there are a start, nothing is proved by them.
"""

from dataclasses import replace

import numpy as np

from engine.network.model import Matrix
from engine.pricing.case import HubCase
from engine.pricing.central import Joint, together
from engine.pricing.evaluation import Fleet
from engine.pricing.hubs import Hub
from engine.pricing.program import HubProgram
from engine.pricing.smooth import ROUNDED, SHAKEN, smooth_prices

MOST, MOST_ALIKE = 100, 300  # hubs of which the program is solved as it is, and that stand for others

STARTS = {  # in words
    "together": "all as one",
    "alike": "those for hubs alike taken as one",
    "none": "no prices",
    SHAKEN: "the best end, shaken",
    ROUNDED: "the best end, left by gradients",
    "exact": "exact prices",
}


def begun(case: HubCase, own: tuple[HubProgram, ...], time_limit_s: float = 20.0) -> dict[str, Matrix]:
    """Return prices (K, T) to begin with, by name: none, and those of all as one.

    Of many hubs the latter are what the search finds in the time from there, where hubs alike are one.
    """
    none = np.zeros((case.area_count, case.periods))
    if len(case.hubs) <= MOST:
        return {"together": case.of_areas(together(Joint.of(case, own)).price), "none": none}
    alike = standing_for(case)
    if len(alike.hubs) > MOST_ALIKE:
        return {"none": none}
    fleet = Fleet.of(alike)
    price = alike.of_areas(together(Joint.of(alike, fleet.programs)).price)
    found = smooth_prices(fleet, {"together": price}, time_limit_s=time_limit_s)
    return {"alike": found.best.found.price, "none": none}


def standing_for(case: HubCase) -> HubCase:
    """Return the case with one hub for all of an area that have the same assets, as large as they are together."""
    groups: dict[tuple[int, tuple[bool, ...]], list[int]] = {}
    for at, (area, hub) in enumerate(zip(case.area.tolist(), case.hubs, strict=True)):
        groups.setdefault((area, _assets(hub)), []).append(at)
    chosen, hubs = [], []
    for alike in groups.values():
        sizes = np.array([sum(case.hubs[at].demand_mw) for at in alike])
        one = alike[int(np.argsort(sizes)[len(sizes) // 2])]
        own = sum(case.hubs[one].demand_mw)
        chosen.append(one)
        hubs.append(case.hubs[one].times(float(sizes.sum()) / own if own > 0.0 else float(len(alike))))
    network = replace(case.network, share=case.network.share[:, chosen])
    return replace(case, hubs=tuple(hubs), network=network, areas=tuple(case.area[chosen].tolist()))


def _assets(hub: Hub) -> tuple[bool, ...]:
    having = (hub.battery, hub.hydrogen, hub.generator, hub.work)
    return (*(each is not None for each in having), any(hub.sun_mw), hub.export_mw > 0.0)
