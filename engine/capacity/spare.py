"""What units could still give: the part of a question that fixed shares of supply do not ask about."""

from dataclasses import dataclass

import numpy as np

from engine.capacity.uncertainty import Sample
from engine.network.model import Network


@dataclass(frozen=True, slots=True)
class Spare:
    """The least that units could still give over the states of a sample, and the state in which it is."""

    mw: float  # largest outputs less load; negative where load is above them
    state: str

    @classmethod
    def of(cls, sample: Sample | None, network: Network) -> "Spare | None":
        """Return it for a sample; None without one, or where no unit in service has a largest output.

        What units do in a state is in its net demand, so that what is left is their room less the net demand.
        """
        units = network.units
        if sample is None or not units.in_service.any():
            return None
        if sample.units is None:
            room = np.where(units.in_service, units.p_max_mw - units.p_mw, 0.0).sum()
        else:
            found = sample.units
            room = (found.largest_mw - found.generation_mw).sum(axis=1, dtype=np.float64)
        left = room - sample.net_demand_mw[:, network.buses.in_service].sum(axis=1)
        worst = int(left.argmin())
        return cls(float(left[worst]), sample.labels[worst]) if np.isfinite(left[worst]) else None
