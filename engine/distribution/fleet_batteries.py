"""Batteries beside data centres as columns and rows of the aggregator's polyhedron.

A battery moves what is drawn from the network, not the work: computers draw ``x - charge + discharge``. Columns:
charge, discharge and the energy held at the end of the hour, (3, T, B) for the B centres that have one. Rows: energy
from hour to hour with its losses; what computers draw is between idle and full; charge and discharge share the hour, so
together they are at most the battery's power. Nothing is fed into the network. The site keeps its power factor at its
connection.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import csr_array

from engine.distribution.case import FeederCase
from engine.distribution.feeder import Battery, DataCentre
from engine.distribution.frames import Integers, Matrix, Vector
from engine.program import LinearProgram, solve


@dataclass(frozen=True, slots=True, eq=False)
class FleetBatteries:
    """Rows on draws (T, J) and on the batteries' own columns (3, T, B), both flattened in this order."""

    centre: Integers  # (B,), which centres have one
    on_draws: Matrix  # (R, T J)
    own: Matrix  # (R, 3 T B)
    row_lower: Vector  # (R,)
    row_upper: Vector  # (R,)
    lower: Vector  # (3 T B,)
    upper: Vector  # (3 T B,)
    row_names: tuple[str, ...]

    @classmethod
    def of(cls, case: FeederCase) -> Self:
        """Return the columns and rows of the batteries of ``case``; all of length 0 where there is none."""
        centres, hours = case.feeder.centres, case.hours
        pairs = [(at, row.battery) for at, row in enumerate(centres) if row.battery is not None]
        count = len(pairs)
        made = _Rows(hours, len(centres), count)
        for at, (centre, battery) in enumerate(pairs):
            for hour in range(hours):
                made.energy(hour, at, battery, f"battery of {centres[centre].name} at {case.labels[hour]}")
                made.computers(hour, (centre, at), centres[centre], f"computers of {centres[centre].name}")
                made.shared(hour, at, battery, f"battery power of {centres[centre].name}")
        power = np.array([battery.power_kw for _, battery in pairs]) / 1000.0
        energy = np.array([battery.energy_kwh for _, battery in pairs]) / 1000.0
        lower = np.zeros((3, hours, count))
        upper = np.array([np.tile(power, (hours, 1)), np.tile(power, (hours, 1)), np.tile(energy, (hours, 1))])
        if count:
            lower[2, -1] = upper[2, -1] = energy * [battery.end_share for _, battery in pairs]
        return cls(
            np.array([centre for centre, _ in pairs], dtype=np.intp), *made.stacked(), lower.ravel(),
            upper.reshape(3, hours, count).ravel(), tuple(made.names),
        )  # fmt: skip

    def work_share(self, per_work_mw: Vector, hours: int) -> Matrix:
        """Return (T, 3 T B) what the columns add to the work of each hour, in units of work."""
        count = len(self.centre)
        found = np.zeros((hours, 3, hours, count))
        each = np.arange(hours)
        found[each, 0, each] = -1.0 / per_work_mw[self.centre]
        found[each, 1, each] = 1.0 / per_work_mw[self.centre]
        return found.reshape(hours, 3 * hours * count)

    def spread(self, own: Vector, shape: tuple[int, int]) -> Matrix:
        """Return charge, discharge and energy (3, T, J) of the own columns; 0 for centres without a battery."""
        found = np.zeros((3, *shape))
        found[:, :, self.centre] = own.reshape(3, shape[0], len(self.centre))
        return found


class _Rows:
    """The rows as they grow."""

    def __init__(self, hours: int, centres: int, count: int) -> None:
        self._hours, self._centres, self._count = hours, centres, count
        self._draws: list[Vector] = []
        self._own: list[Matrix] = []
        self._low: list[float] = []
        self._high: list[float] = []
        self.names: list[str] = []

    def _add(self, name: str, bounds: tuple[float, float]) -> tuple[Vector, Matrix]:
        self._draws.append(np.zeros(self._hours * self._centres))
        self._own.append(np.zeros((3, self._hours, self._count)))
        self._low.append(bounds[0])
        self._high.append(bounds[1])
        self.names.append(name)
        return self._draws[-1], self._own[-1]

    def energy(self, hour: int, at: int, battery: Battery, name: str) -> None:
        """What is held is what was, and what goes in and out, losses taken off."""
        first = battery.initial_share * battery.energy_kwh / 1000.0 if hour == 0 else 0.0
        _, own = self._add(name, (first, first))
        own[2, hour, at], own[0, hour, at] = 1.0, -battery.charge_efficiency
        own[1, hour, at] = 1.0 / battery.discharge_efficiency
        if hour:
            own[2, hour - 1, at] = -1.0

    def computers(self, hour: int, place: tuple[int, int], row: DataCentre, name: str) -> None:
        """What the computers draw is between idle and full."""
        centre, at = place
        draws, own = self._add(name, (row.pue * row.idle_kw / 1000.0, row.most_kw / 1000.0))
        draws[hour * self._centres + centre] = 1.0
        own[0, hour, at], own[1, hour, at] = -1.0, 1.0

    def shared(self, hour: int, at: int, battery: Battery, name: str) -> None:
        """An hour in which a battery does both is divided between them."""
        _, own = self._add(name, (-np.inf, battery.power_kw / 1000.0))
        own[0, hour, at] = own[1, hour, at] = 1.0

    def stacked(self) -> tuple[Matrix, Matrix, Vector, Vector]:
        height, width = len(self.names), 3 * self._hours * self._count
        draws = np.array(self._draws).reshape(height, self._hours * self._centres)
        own = np.array(self._own).reshape(height, width)
        return draws, own, np.array(self._low, dtype=np.float64), np.array(self._high, dtype=np.float64)


def at_posted_prices(case: FeederCase, computers_kw: Matrix) -> Matrix:
    """Return charge, discharge (MW) and energy (MWh), (3, T, J), of least cost at the substation's prices.

    This is how batteries run beside draws (T, J) of computers that are given. Raises InfeasibleError where a battery
    cannot end with what it must hold.
    """
    batteries, shape = FleetBatteries.of(case), (case.hours, len(case.feeder.centres))
    if not len(batteries.centre):
        return np.zeros((3, *shape))
    size = shape[0] * shape[1]
    net = np.zeros((3, *shape[:1], len(batteries.centre)))
    net[0], net[1] = case.price_per_mwh[:, np.newaxis], -case.price_per_mwh[:, np.newaxis]
    # The rows of computers fix x; what is left of them is that nothing is fed into the network.
    keep = ~batteries.on_draws.any(axis=1)
    drawn = np.zeros((size, 3, *shape))
    for hour in range(shape[0]):
        for centre in range(shape[1]):
            drawn[hour * shape[1] + centre, :2, hour, centre] = (1.0, -1.0)
    feeding = drawn[:, :, :, batteries.centre].reshape(size, -1)
    program = LinearProgram(
        net.ravel(), csr_array(np.vstack([batteries.own[keep], feeding])),
        np.concatenate([batteries.row_lower[keep], -np.asarray(computers_kw).ravel() / 1000.0]),
        np.concatenate([batteries.row_upper[keep], np.full(size, np.inf)]), batteries.lower, batteries.upper,
    )  # fmt: skip
    return batteries.spread(solve(program).optimum().x, shape)
