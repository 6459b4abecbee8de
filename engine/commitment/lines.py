"""Limits on flows, hour by hour, as they are found to matter: of branches and interfaces, before and after outages."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from engine.commitment.instance import Instance
from engine.network.model import Integers, Matrix, Vector


@dataclass(frozen=True, slots=True, eq=False)
class FlowRows:
    """k limits, each of one hour: ``lower <= factor (injections) + fixed <= upper``."""

    hour: Integers  # (k,)
    monitored: Integers  # (k,), a branch, or L plus an interface
    outage: Integers  # (k,), -1 for none
    side: Integers  # (k,), 1 for the upper limit, -1 for the lower one, 0 for both
    factor: Matrix  # (k, B), flow per MW injected at a bus
    fixed_mw: Vector  # (k,), flow that no injection makes
    lower_mw: Vector  # (k,)
    upper_mw: Vector  # (k,)

    @classmethod
    def none(cls, buses: int) -> Self:
        """Return no limits."""
        whole, real = np.zeros(0, dtype=np.intp), np.zeros(0)
        return cls(whole, whole, whole, whole, np.zeros((0, buses)), real, real, real)

    @classmethod
    def of(
        cls, instance: Instance, hour: Integers, monitored: Integers, outage: Integers, side: Integers | None = None
    ) -> Self:
        """Return the limits of these hours, rows and outages (k,), both sides of each unless one is given."""
        weights = instance.limits.rows(monitored, outage)
        used = np.unique(weights.indices).astype(np.intp)
        factor = np.asarray(weights[:, used] @ instance.factors.rows(used), dtype=np.float64)
        lower, upper = instance.limits.bounds(monitored, outage)
        fixed = np.asarray(weights @ instance.factors.shift_flow_mw, dtype=np.float64)
        given = np.zeros(len(hour), dtype=np.intp) if side is None else side
        lower, upper = np.where(given > 0, -np.inf, lower), np.where(given < 0, np.inf, upper)
        return cls(hour, monitored, outage, given, factor, fixed, lower, upper)

    def __len__(self) -> int:
        return len(self.hour)

    def at(self, places: Integers) -> Self:
        """Return some of the limits."""
        return type(self)(*(getattr(self, part.name)[places] for part in fields(self)))

    def and_(self, other: "FlowRows") -> "FlowRows":
        """Return these limits and then the other ones."""
        joined = (np.concatenate([getattr(self, part.name), getattr(other, part.name)]) for part in fields(self))
        return FlowRows(*joined)

    def without(self, known: "FlowRows") -> Self:
        """Return those that are not ``known``."""
        have = set(known._keys())
        return self.at(np.array([at for at, key in enumerate(self._keys()) if key not in have], dtype=np.intp))

    def _keys(self) -> list[tuple[int, int, int, int]]:
        parts = (self.hour, self.monitored, self.outage, self.side)
        return list(zip(*(part.tolist() for part in parts), strict=True))

    def flow_mw(self, injection_mw: Matrix) -> Vector:
        """Return the flows (k,) of injections (T, B)."""
        found: Vector = (self.factor * injection_mw[self.hour]).sum(axis=1) + self.fixed_mw
        return found

    def at_buses(self, price: Vector, hours: int) -> Matrix:
        """Return (T, B): what a MW produced at a bus earns by prices of the limits (k,)."""
        found = np.zeros((hours, self.factor.shape[1]))
        np.add.at(found, self.hour, price[:, np.newaxis] * self.factor)
        return found

    def limiting(self, price: Vector) -> Vector:
        """Return prices (k,), positive for lower limits, without those of limits that do not exist.

        A solver's dual of a row with one limit can be a hair to the wrong side: that is rounding, and proves nothing.
        """
        limit = np.where(price > 0.0, self.lower_mw, self.upper_mw)
        return np.asarray(np.where(np.isfinite(limit), price, 0.0), dtype=np.float64)

    def worth(self, price: Vector, demand_mw: Matrix) -> float:
        """Return what the limits are worth at prices (k,), positive for lower ones, when the load (T, B) is drawn.

        That is minus infinity where a limit that does not exist has a price.
        """
        used = np.flatnonzero(price)
        limit = np.where(price > 0.0, self.lower_mw, self.upper_mw)[used]
        drawn = (self.factor[used] * demand_mw[self.hour[used]]).sum(axis=1)
        return float((price[used] * (limit - self.fixed_mw[used] + drawn)).sum())


def injections(instance: Instance, output_mw: Matrix) -> Matrix:
    """Return the injections (T, B) of outputs (T, G)."""
    found = -instance.case.demand_mw
    np.add.at(found.T, instance.network.units.bus, output_mw.T)
    return found


def broken(instance: Instance, output_mw: Matrix, known: FlowRows) -> FlowRows:
    """Return the limits that the outputs (T, G) break by more than rounding and that are not ``known``."""
    injection = injections(instance, output_mw)
    flows = instance.factors.flows(injection.T)
    hour, monitored, outage = [], [], []
    for t in range(instance.hours):
        over = instance.limits.exceeded(flows[:, t])
        hour.append(np.full(len(over), t, dtype=np.intp))
        monitored.append(over.monitored)
        outage.append(over.outage)
    key = (np.concatenate(hour), np.concatenate(monitored), np.concatenate(outage))
    if not len(key[0]):
        return FlowRows.none(len(instance.network.buses.ids))
    both = FlowRows.of(instance, *key)
    side = np.where(both.flow_mw(injection) > both.upper_mw, 1, -1)
    return FlowRows.of(instance, *key, side).without(known)
