"""The states between which units move: what is drawn at every bus, and the least and largest output of every unit."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from engine.capacity.uncertainty import Sample, Singles, UnitStates
from engine.errors import QuestionError
from engine.network.model import Integers, Matrix, Network, Vector
from engine.opf.dc_opf import BALANCE_TOLERANCE_MW, unit_limits
from engine.redispatch.limits import Raised


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """One state of the network: what is drawn, and between what the units may move, MW."""

    demand_mw: Vector  # (B,), before any extra load
    least_mw: Vector  # (G,)
    largest_mw: Vector  # (G,), not below the least
    words: str = ""  # such as "2016-08-11 16:00"
    raised: Raised | None = None  # limits that no dispatch keeps, held above what is filed


@dataclass(frozen=True, slots=True, eq=False)
class Scenarios:
    """S states. Least outputs beyond the load are given up; load beyond the largest outputs stays as it is."""

    demand_mw: Matrix  # (S, B)
    units: UnitStates
    weight: Vector  # (S,), sums to 1
    labels: tuple[str, ...]  # (S,)
    given_up_mw: Vector  # (S,), least output beyond the load: given up in proportion

    @classmethod
    def of(cls, sample: Sample, network: Network) -> Self:
        """Return the states of ``sample``: its net demand plus what units produce, as filed where it does not say.

        Raises QuestionError when the network has no unit that could move.
        """
        units = filed_units(network) if sample.units is None else sample.units
        if not (units.largest_mw > units.least_mw).any():
            raise QuestionError(f"network {network.name!r} has no unit that can move: redispatch needs one")
        demand = sample.net_demand_mw + outputs_by_bus(units.generation_mw, network.units.bus, len(network.buses.ids))
        demand[:, ~network.buses.in_service] = 0.0
        excess = units.least_mw.sum(axis=1, dtype=np.float64) - demand.sum(axis=1)
        given_up = np.where(excess > BALANCE_TOLERANCE_MW, excess, 0.0)
        if given_up.any():
            must = np.maximum(units.least_mw, 0.0)
            share = given_up / np.maximum(must.sum(axis=1, dtype=np.float64), 1e-9)
            units = replace(units, least_mw=(units.least_mw - share[:, np.newaxis] * must).astype(np.float32))
        return cls(demand, units, sample.weight, sample.labels, given_up)

    def __len__(self) -> int:
        return len(self.demand_mw)

    def state(self, place: int) -> State:
        """Return one state."""
        least, largest = self.units.of_state(place)
        return State(self.demand_mw[place], least, largest, self.labels[place])


def state_of(network: Network, demand_mw: Vector | None = None) -> State:
    """Return the state of the network as filed, or with another demand (B,), and unit limits as filed."""
    least, largest = unit_limits(network, None, None, ignore_p_min=False)
    return State(network.demand_mw if demand_mw is None else demand_mw, least, largest)


def filed_units(network: Network) -> UnitStates:
    """Return what units in service do and could do as filed, as one row that serves every state."""
    units = network.units
    least, largest = unit_limits(network, None, None, ignore_p_min=False)
    output = np.where(units.in_service, units.p_mw, 0.0)
    return UnitStates(*(part[np.newaxis].astype(np.float32) for part in (output, least, largest)))


def outputs_by_bus(dispatch_mw: Matrix | Singles, unit_bus: Integers, buses: int) -> Matrix:
    """Return the generation (S, B) of the dispatches (S, G)."""
    found = np.zeros((len(dispatch_mw), buses))
    np.add.at(found.T, unit_bus, dispatch_mw.T)
    return found
