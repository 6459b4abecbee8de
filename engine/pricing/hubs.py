"""Energy hubs: what each one has and what it must serve, as it is written in tables.

MW, MWh, $ and hours. Data centre campuses are hubs whose batch work is the deferrable load: work that arrives may wait
until its deadline. Powers are means over a period, energies stand at its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

Profile = tuple[float, ...]  # one value for each of T periods


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery; without ``end_mwh`` it ends the day with what it began with, or with more."""

    power_mw: float  # either way
    energy_mwh: float
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    start_mwh: float = 0.0
    least_mwh: float = 0.0
    wear_per_mwh: float = 5.0  # $ of each MWh charged, and of each discharged
    end_mwh: float | None = None  # at least

    def times(self, factor: float) -> Self:
        """Return a battery as large by a factor."""
        names = ("power_mw", "energy_mwh", "start_mwh", "least_mwh", "end_mwh")
        return replace(self, **_larger(self, factor, names))


@dataclass(frozen=True, slots=True)
class Hydrogen:
    """An electrolyser, a store and a fuel cell; without ``end_mwh`` the store ends the day with what it began with."""

    electrolyser_mw: float  # electric
    fuel_cell_mw: float  # electric
    store_mwh: float  # of hydrogen
    electrolyser_efficiency: float = 0.7
    fuel_cell_efficiency: float = 0.55
    start_mwh: float = 0.0
    cost_per_mwh: float = 2.0  # $ of each MWh of hydrogen used
    end_mwh: float | None = None  # at least

    def times(self, factor: float) -> Self:
        """Return all of it as large by a factor."""
        names = ("electrolyser_mw", "fuel_cell_mw", "store_mwh", "start_mwh", "end_mwh")
        return replace(self, **_larger(self, factor, names))


@dataclass(frozen=True, slots=True)
class Generator:
    """A generator of the hub's own."""

    power_mw: float
    cost_per_mwh: float
    ramp_mw: float | None = None  # between two periods; None: any
    before_mw: float | None = None  # in the period before the first; None: whatever suits

    def times(self, factor: float) -> Self:
        """Return a generator as large by a factor."""
        return replace(self, **_larger(self, factor, ("power_mw", "ramp_mw", "before_mw")))


@dataclass(frozen=True, slots=True)
class Work:
    """Load that may wait, such as batch work: all that arrives is done by its deadline, and by the end of the day."""

    arrivals_mw: Profile
    most_mw: float
    deadline: int  # periods within which what arrives is done, its own included: 1 is at once
    waiting_per_mwh: float = 0.1  # $ for each MWh and hour that it waits
    before_mwh: Profile = ()  # that waits before the first period; the k-th of these is done within k periods

    def times(self, factor: float) -> Self:
        """Return as much more work, and as much more at once."""
        return replace(self, **_larger(self, factor, ("arrivals_mw", "most_mw", "before_mwh")))


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub at a bus of the network."""

    name: str
    bus: str
    demand_mw: Profile  # that must be served
    import_mw: float  # at most
    export_mw: float = 0.0
    sun_mw: Profile = ()  # available; () for none
    base_per_mwh: float = 0.0  # $, its own charge on what it imports
    curtailment_per_mwh: float = 0.0  # $ of sun that is not used
    battery: Battery | None = None
    hydrogen: Hydrogen | None = None
    generator: Generator | None = None
    work: Work | None = None

    def times(self, factor: float) -> Self:
        """Return a hub in which every power and energy is as large by a factor: as many alike ones together."""
        assets = {name: getattr(self, name) for name in ("battery", "hydrogen", "generator", "work")}
        own: dict[str, Any] = {name: None if each is None else each.times(factor) for name, each in assets.items()}
        return replace(self, **_larger(self, factor, ("demand_mw", "import_mw", "export_mw", "sun_mw")), **own)


def _larger(row: object, factor: float, names: Sequence[str]) -> dict[str, Any]:
    """Return the fields as large by a factor; one that is None stays so."""
    found: dict[str, Any] = {}
    for name in names:
        value = getattr(row, name)
        many = isinstance(value, tuple)
        found[name] = tuple(factor * each for each in value) if many else value if value is None else factor * value
    return found
