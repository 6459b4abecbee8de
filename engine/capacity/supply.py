"""Who produces the MW that new load draws: the shares that decide how a withdrawal flows through the network.

The capacity model has no controllable generators, so this is a choice, named in every result. The shares do
not change from scenario to scenario: factors that did would no longer give exact margins.
"""

from collections.abc import Sequence

import numpy as np

from engine.capacity.question import Supply
from engine.errors import QuestionError
from engine.network.model import Network, Vector

WEATHER_FUELS = frozenset({"wind", "solar"})  # they cannot be called on for more


def supply_share(network: Network, supply: Supply, given: Sequence[tuple[str, float]] = ()) -> Vector:
    """Return the (B,) share of each bus in the supply of any new load, summing to one.

    ``headroom`` is largest output less the output as filed, ``capacity`` is largest output, both of the units
    in service that are neither wind nor solar; ``given`` pairs (bus id, share) are scaled to sum to one.
    Raises QuestionError when no share is above zero, or a bus is unknown or out of service.
    """
    share = np.zeros(len(network.buses.ids))
    if supply == "slack":
        share[network.slack] = 1.0
        return share
    if supply == "given":
        for bus_id, part in given:
            if bus_id not in network.buses.ids:
                raise QuestionError(f"supply names bus {bus_id!r}, which network {network.name!r} does not have")
            bus = network.bus(bus_id)
            if part > 0 and not network.buses.in_service[bus]:
                raise QuestionError(f"bus {bus_id!r} is out of service and cannot supply")
            share[bus] += part
    else:
        units = network.units
        callable_ = units.in_service & np.array([fuel not in WEATHER_FUELS for fuel in units.fuels], dtype=np.bool_)
        room = units.p_max_mw - units.p_mw if supply == "headroom" else units.p_max_mw
        np.add.at(share, units.bus[callable_], np.maximum(room[callable_], 0.0))
    total = share.sum()
    if not total > 0:
        raise QuestionError(
            f"no unit of network {network.name!r} can supply by {supply}: choose the slack bus or shares"
        )
    share /= total
    return share
