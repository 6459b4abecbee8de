"""The states between which units move: what is drawn at every bus, and the least and largest output of every unit."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from engine.capacity.uncertainty import Sample, Singles, UnitStates
from engine.errors import QuestionError
from engine.network.model import Integers, Matrix, Network, Vector
from engine.opf.dc_opf import BALANCE_TOLERANCE_MW, unit_limits


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """One state of the network: what is drawn, and between what the units may move, MW."""

    demand_mw: Vector  # (B,), before any extra load
    least_mw: Vector  # (G,)
    largest_mw: Vector  # (G,), not below the least
    words: str = ""  # such as "2016-08-11 16:00"


@dataclass(frozen=True, slots=True, eq=False)
class Scenarios:
    """S states. Units can balance the load in each: what they could not is in ``shed_mw`` and ``given_up_mw``."""

    demand_mw: Matrix  # (S, B)
    units: UnitStates
    weight: Vector  # (S,), sums to 1
    labels: tuple[str, ...]  # (S,)
    shed_mw: Vector  # (S,), load beyond what units can generate: shed in proportion at all buses with load
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
        most, least = units.largest_mw.sum(axis=1, dtype=np.float64), units.least_mw.sum(axis=1, dtype=np.float64)
        shed = _beyond(demand.sum(axis=1) - most)
        drawn = np.maximum(demand, 0.0)
        if shed.any():
            demand -= (shed / np.maximum(drawn.sum(axis=1), 1e-9))[:, np.newaxis] * drawn
        given_up = _beyond(least - demand.sum(axis=1))
        if given_up.any():
            must = np.maximum(units.least_mw, 0.0)
            share = given_up / np.maximum(must.sum(axis=1, dtype=np.float64), 1e-9)
            units = replace(units, least_mw=(units.least_mw - share[:, np.newaxis] * must).astype(np.float32))
        return cls(demand, units, sample.weight, sample.labels, shed, given_up)

    def __len__(self) -> int:
        return len(self.demand_mw)

    def state(self, place: int) -> State:
        """Return one state."""
        least, largest = self.units.of_state(place)
        return State(self.demand_mw[place], least, largest, self.labels[place])

    @property
    def spare_mw(self) -> Vector:
        """Return the (S,) MW that units could generate beyond the load."""
        most = self.units.largest_mw.sum(axis=1, dtype=np.float64)
        spare: Vector = np.maximum(most - self.demand_mw.sum(axis=1), 0.0)
        return spare


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


def _beyond(excess_mw: Vector) -> Vector:
    return np.where(excess_mw > BALANCE_TOLERANCE_MW, excess_mw, 0.0)
