"""The batteries of data centres as columns and rows that join the hours of the operator's program."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array

from engine.distribution.case import FeederCase
from engine.distribution.frames import Integers, Matrix, Vector
from engine.distribution.hour import Controls, Hour


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """The batteries: charge, discharge and energy of each centre in each hour, in this order of the columns."""

    drawn: csr_array  # in the rows of the hours
    balance: csr_array  # (H C, 3 H C)
    right: Vector
    lower: Vector
    upper: Vector

    @classmethod
    def of(cls, case: FeederCase, controls: Controls, programs: list[Hour]) -> Self:
        """Return the columns and rows of the H hours whose programs these are, one after the other."""
        batteries = [row.battery for row in case.feeder.centres]
        hours, count = len(programs), len(batteries)
        power = np.array([0.0 if b is None else b.power_kw / 1000.0 for b in batteries])
        energy = np.array([0.0 if b is None else b.energy_kwh / 1000.0 for b in batteries])
        first = energy * [0.0 if b is None else b.initial_share for b in batteries]
        into = np.array([1.0 if b is None else b.charge_efficiency for b in batteries])
        out = np.array([1.0 if b is None else 1.0 / b.discharge_efficiency for b in batteries])
        size = programs[0].flow.frame.size
        share = coo_array(controls.centre_share)
        height = sum(each.program.matrix.shape[0] for each in programs)
        width, each_hour = 3 * hours * count, hours * count
        rows: list[Integers] = []
        columns: list[Integers] = []
        values: list[Vector] = []
        top = 0
        for hour, each in enumerate(programs):
            for kind, sign in enumerate((-1.0, 1.0)):  # drawn power stands on the right of the balance
                rows.append(top + size + share.row.astype(np.intp))
                columns.append(kind * each_hour + hour * count + share.col.astype(np.intp))
                values.append(sign * share.data)
            top += each.program.matrix.shape[0]
        places = (np.concatenate(rows), np.concatenate(columns))
        drawn = csr_array(coo_array((np.concatenate(values), places), shape=(height, width)))
        one = np.eye(each_hour)
        held = one - np.eye(each_hour, k=-count)
        balance = np.hstack([-one * np.tile(into, hours), one * np.tile(out, hours), held])
        right = np.concatenate([first, np.zeros(each_hour - count)])
        lower = np.zeros(width)
        upper = np.concatenate([np.tile(power, 2 * hours), np.tile(energy, hours)])
        lower[-count:] = upper[-count:] = energy * [0.0 if b is None else b.end_share for b in batteries]
        return cls(drawn, csr_array(balance), right, lower, upper)

    def values(self, x: Vector, shape: tuple[int, int, int]) -> Matrix:
        """Return charge, discharge and energy (3, H, C)."""
        return np.asarray(x[len(x) - len(self.lower) :].reshape(shape))
