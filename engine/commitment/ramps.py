"""Prices of ramps, as a bound from prices has them: a ramp ties two hours of one unit, so each unit stays by itself.

A ramp upwards into hour t is ``p_t - p_{t-1} <= ramp x_{t-1} + edge y_t``, one downwards ``p_{t-1} - p_t <= ramp x_t +
edge z_t``. Every schedule keeps them, so their terms at any price that is not negative can be added to its cost: that
makes output dearer in one hour and cheaper in the other, and changes what hours on, starts and stops cost.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.commitment.instance import Instance
from engine.network.model import Flags, Integers, Matrix, Vector


@dataclass(frozen=True, slots=True, eq=False)
class RampTerms:
    """What prices of ramps add to the cost of schedules."""

    output: Matrix  # (T, G), $/MWh
    running: Matrix  # (T, G), $ of an hour on
    start: Matrix  # (T, G), $ of a start in the hour
    stop: Matrix  # (T, G), $ of being off in the hour after one on
    fixed: float  # $


@dataclass(frozen=True, slots=True, eq=False)
class RampPrices:
    """k ramps into hours, and their prices."""

    hour: Integers  # (k,), 0 only after an initial state
    unit: Integers  # (k,)
    upwards: Flags  # (k,)
    price: Vector  # (k,), $/MWh; negative ones count as 0

    @classmethod
    def none(cls) -> Self:
        """Return no ramps."""
        whole = np.zeros(0, dtype=np.intp)
        return cls(whole, whole, np.zeros(0, dtype=np.bool_), np.zeros(0))

    def terms(self, instance: Instance) -> RampTerms:
        """Return what the prices add to the cost of a schedule of ``instance``."""
        fleet, initial, shape = instance.fleet, instance.initial, instance.case.least_mw.shape
        output, running, start, stop = (np.zeros(shape) for _ in range(4))
        fixed = 0.0
        used = np.flatnonzero(self.price > 0.0)
        keys = zip(*(part[used].tolist() for part in (self.hour, self.unit, self.upwards, self.price)), strict=True)
        for t, g, upwards, price in keys:
            sign = price if upwards else -price
            output[t, g] += sign
            if t:
                output[t - 1, g] -= sign
            elif initial is not None:
                fixed -= sign * float(initial.output_mw[g])
            if not fleet.committed[g]:
                fixed -= price * float(fleet.ramp_mw[g])
                continue
            (start if upwards else stop)[t, g] -= price * fleet.edge_mw[g]
            if not upwards or t:
                running[t - 1 if upwards else t, g] -= price * fleet.ramp_mw[g]
            elif initial is not None:
                fixed -= price * float(fleet.ramp_mw[g] * initial.on[g])
        return RampTerms(output, running, start, stop, fixed)
