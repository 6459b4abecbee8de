"""What a siting study runs on: a network and hours of it, with what every unit may produce in each of them."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from engine.errors import QuestionError
from engine.network.model import Integers, Matrix, Network, Vector
from engine.redispatch.states import State

_DIGITS = 6  # of MW, in the digest

HOURS_OF_DAY = 24


@dataclass(frozen=True, eq=False)
class SitingCase:
    """A network and T of its hours, before any candidate's load.

    Loads and limits are MW; ``hour_of_day`` counts 1 to 24, as the envelopes do. Hours need not follow each other;
    those that do make days (:mod:`engine.commitment` needs whole ones).
    """

    network: Network
    demand_mw: Matrix  # (T, B), loads and shunts, 0 at a bus out of service
    least_mw: Matrix  # (T, G), 0 for a unit out of service
    largest_mw: Matrix  # (T, G), not below the least
    hour_of_day: Integers  # (T,), 1 to 24
    labels: tuple[str, ...]  # (T,), such as "2020-08-12 16:00", each once
    source: str  # where loads and weather are from, in a sentence
    notices: tuple[str, ...] = ()  # assumptions that a reader must know
    onsite_mw: Vector | None = None  # (T,), what on-site resources of a further load give; None where nothing is told

    def __post_init__(self) -> None:
        """Refuse arrays of another network or of other hours."""
        hours, buses, units = len(self.labels), len(self.network.buses.ids), len(self.network.units.ids)
        wanted = {
            "demand_mw": (hours, buses),
            "least_mw": (hours, units),
            "largest_mw": (hours, units),
            "hour_of_day": (hours,),
        } | ({} if self.onsite_mw is None else {"onsite_mw": (hours,)})
        for name, shape in wanted.items():
            found = getattr(self, name)
            if found.shape != shape or not np.isfinite(found).all():
                raise QuestionError(f"{name} has shape {found.shape} or gaps, {shape} is needed")
        if self.onsite_mw is not None and (self.onsite_mw < 0.0).any():
            hour = int(self.onsite_mw.argmin())
            raise QuestionError(f"on-site resources give {self.onsite_mw[hour]:g} MW in {self.labels[hour]}: 0 or more")
        if (self.least_mw > self.largest_mw).any():
            hour, unit = (int(axis[0]) for axis in np.nonzero(self.least_mw > self.largest_mw))
            least, largest = self.least_mw[hour, unit], self.largest_mw[hour, unit]
            raise QuestionError(
                f"unit {self.network.units.ids[unit]!r} in hour {self.labels[hour]} has a least output of "
                f"{least:.1f} MW above its largest of {largest:.1f} MW"
            )
        outside = (self.hour_of_day < 1) | (self.hour_of_day > HOURS_OF_DAY)
        if outside.any():
            raise QuestionError(f"hour of day {self.hour_of_day[outside][0]} is not one of 1 to {HOURS_OF_DAY}")

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, hours: Integers) -> Self:
        """Return the case of some of the hours, by position."""
        return replace(
            self,
            demand_mw=self.demand_mw[hours],
            least_mw=self.least_mw[hours],
            largest_mw=self.largest_mw[hours],
            hour_of_day=self.hour_of_day[hours],
            labels=tuple(self.labels[hour] for hour in hours),
            onsite_mw=None if self.onsite_mw is None else self.onsite_mw[hours],
        )

    def with_load(self, bus: int, load_mw: Matrix) -> Self:
        """Return the case with ``load_mw`` (T,) drawn at one bus (position) in addition."""
        demand = self.demand_mw.copy()
        demand[:, bus] += load_mw
        return replace(self, demand_mw=demand)

    def state(self, hour: int) -> State:
        """Return one hour as a state of :mod:`engine.redispatch`."""
        return State(self.demand_mw[hour], self.least_mw[hour], self.largest_mw[hour], self.labels[hour])

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of all that results depend on: the network and the hours, not the words.

        MW count to a millionth: beyond it, sums come out differently on another processor.
        """
        found = hashlib.sha256(self.network.digest.encode())
        for part in (self.demand_mw, self.least_mw, self.largest_mw):
            found.update(np.ascontiguousarray(np.round(part, _DIGITS) + 0.0, dtype="<f8").tobytes())
        found.update(np.ascontiguousarray(self.hour_of_day, dtype="<i8").tobytes())
        found.update("\n".join(self.labels).encode())
        if self.onsite_mw is not None:
            found.update(np.ascontiguousarray(np.round(self.onsite_mw, _DIGITS) + 0.0, dtype="<f8").tobytes())
        return found.hexdigest()
