"""What each hour costs at given prices, unit by unit: a cut below the cost of every choice of units that run.

Ramps between hours apart, an hour's dispatch depends on which units run in it and on nothing else. At any prices of
energy, reserve and limits, what the running units lose in the hour and what load, reserve and limits are worth is never
above the cost of that dispatch; at the prices of the dispatch itself it is equal to it. A unit in its first or last
hour on may produce less, and loses more by ``end``.

Source: Geoffrion, "Generalized Benders decomposition", Journal of Optimization Theory and Applications 10(4), 1972.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.commitment.bound import Prices, running_loss
from engine.commitment.instance import Instance
from engine.network.model import Flags, Integers, Matrix, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Hourly:
    """The hours of an instance at prices; those of ramps are not used."""

    loss: Matrix  # (T, N), $/h, of committed units that are on
    end: Matrix  # (T, N), $/h, what they lose more in the first or last hour on
    worth: Vector  # (T,), $/h, of load, reserve and limits, and what units always on lose

    @classmethod
    def of(cls, instance: Instance, prices: Prices) -> Self:
        """Return the hours at ``prices``; those of reserve count as 0 where negative."""
        case, units, chosen = instance.case, instance.network.units, instance.committed
        reserve = np.maximum(prices.reserve, 0.0)
        at_units = prices.at_buses()[:, units.bus]
        loss = running_loss(instance, at_units, reserve, case.largest_mw)
        at_end = running_loss(instance, at_units, reserve, np.minimum(case.largest_mw, instance.fleet.edge_mw))
        always = units.in_service.copy()
        always[chosen] = False
        worth = prices.energy * case.demand_mw.sum(axis=1) + reserve * instance.reserve_mw + loss[:, always].sum(axis=1)
        flows, used = prices.flows, np.flatnonzero(prices.limit)
        for row in used.tolist():
            one = flows.at(np.array([row]))
            worth[one.hour[0]] += one.worth(prices.limit[[row]], case.demand_mw)
        return cls(loss[:, chosen], np.maximum(at_end - loss, 0.0)[:, chosen], worth)


def ends(instance: Instance, on: Flags, unit: Integers) -> Flags:
    """Return where (k, T) days ``on`` (k, T) of committed units (k,) are in the first or last hour of a stay on."""
    initial = instance.initial
    first = on[:, :1] if initial is None else initial.on[instance.committed[unit]][:, np.newaxis]
    before = np.concatenate([first, on[:, :-1]], axis=1)
    after = np.concatenate([on[:, 1:], on[:, -1:]], axis=1)
    return np.asarray(on & ~(before & after), dtype=np.bool_)
