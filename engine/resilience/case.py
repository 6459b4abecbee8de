"""A case of placement: a feeder with data centre campuses, the modules, what failures cost, and the shocks.

I sites, M types of modules, J buses with load, C campuses, T steps, S scenarios.
"""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np

from engine.distribution.feeder import Feeder
from engine.errors import NetworkDataError, Problem
from engine.network.model import Integers, Matrix, Vector
from engine.resilience.modules import ModuleType

MOST_STEPS, MOST_SCENARIOS, MOST_SITES = 192, 2_000, 200
_SUM = 1e-6  # of probabilities: how far from one
_HAIR = 1e-9


@dataclass(frozen=True, slots=True)
class Campus:
    """A data centre campus: what it may draw, and what it is scheduled to."""

    bus: str
    size_mw: float  # most that it can draw
    schedule_share: float = 0.5  # of its size, drawn without a shock
    power_factor: float = 0.97  # lagging

    @property
    def kvar_per_kw(self) -> float:
        """Return the reactive power it draws with each kW."""
        return math.sqrt(1.0 - self.power_factor**2) / self.power_factor


@dataclass(frozen=True, slots=True)
class Penalties:
    """What an event costs, $; an own choice, stated."""

    shed_per_mwh: float = 10_000.0  # load not served
    imbalance_per_mwh: float = 500.0  # of the substation's import, from its schedule, beyond the dead band and the ramp
    voltage_per_pu2h: float = 200_000.0  # of the largest violation in a step: p.u. squared, for an hour
    restore_per_mwh: float = 2_000.0  # load not served after the event, and energy that stores lack at the end


@dataclass(frozen=True, slots=True, eq=False)
class Scenarios:
    """S shocks with their probabilities: what campuses draw, when the event is, and which link is out."""

    draw_mw: np.ndarray[Any, np.dtype[np.float64]]  # (S, T, C)
    start: Integers  # (S,), first step of the event
    end: Integers  # (S,), first step after it
    probability: Vector  # (S,)
    outage: Integers  # (S,), position in the case's `links`; -1: none
    kind: tuple[str, ...]  # (S,), in words
    outage_end: Integers | None = None  # (S,), first step after the outage, which begins with the event; None: `end`

    def __len__(self) -> int:
        """Return S."""
        return len(self.draw_mw)

    @property
    def restored(self) -> Integers:
        """Return (S,) the first step after the outage."""
        return self.end if self.outage_end is None else self.outage_end

    def taken(self, which: Integers, probability: Vector | None = None) -> Self:
        """Return some of them, equally likely or with the probabilities that are given."""
        share = np.full(len(which), 1.0 / len(which)) if probability is None else probability
        later = None if self.outage_end is None else self.outage_end[which]
        return type(self)(
            self.draw_mw[which], self.start[which], self.end[which], share, self.outage[which],
            tuple(self.kind[at] for at in which.tolist()), later,
        )  # fmt: skip

    def problems(self, steps: int, campuses: int, links: int) -> Iterator[str]:
        """Yield what is wrong with them, in words."""
        size = len(self.draw_mw)
        if not 0 < size <= MOST_SCENARIOS * 50:
            yield f"there are {size} scenarios; 1 to {MOST_SCENARIOS * 50}"
            return
        shapes = [
            f"{name} has the shape {each.shape}; it must be ({size},)"
            for name in ("start", "end", "probability", "outage", "restored")
            if (each := getattr(self, name)).shape != (size,)
        ]
        if shapes:
            yield from shapes
            return
        if self.draw_mw.shape != (size, steps, campuses):
            yield f"draws have the shape {self.draw_mw.shape}; it must be {(size, steps, campuses)}"
        elif not np.isfinite(self.draw_mw).all() or (self.draw_mw < 0.0).any():
            yield "a draw is below 0 or not a number"
        yield from self._of_events(steps, links)

    def _of_events(self, steps: int, links: int) -> Iterator[str]:
        if (self.start < 0).any() or (self.end < self.start).any() or (self.end > steps).any():
            yield f"an event begins or ends outside of the {steps} steps, or ends before it begins"
        if len(self.kind) != len(self.start):
            yield f"there are {len(self.kind)} kinds for {len(self.start)} scenarios"
        if (self.restored < self.start).any() or (self.restored > steps).any():
            yield f"an outage ends outside of the {steps} steps, or before it begins"
        if (self.outage < -1).any() or (self.outage >= links).any():
            yield f"an outage is of link {int(self.outage.max())}; the feeder has {links}"
        if not np.isfinite(self.probability).all() or (self.probability < 0.0).any():
            yield "a probability is below 0 or not a number"
        elif abs(total := float(self.probability.sum()) - 1.0) > _SUM:
            yield f"probabilities sum to {1.0 + total:.6g}; they must sum to 1"


@dataclass(frozen=True, slots=True, eq=False)
class PlacementCase:
    """Where which modules may stand on which feeder. Nothing is checked here: :meth:`checked` does."""

    feeder: Feeder  # limits of voltage and ratings with it
    load_share: Vector  # (T,), of the feeder's table loads
    step_h: float
    campuses: tuple[Campus, ...]  # (C,)
    types: tuple[ModuleType, ...]  # (M,)
    sites: tuple[str, ...]  # (I,), buses
    scenarios: Scenarios
    budget: float = math.inf  # $ a year
    events_per_year: float = 50.0
    penalties: Penalties = field(default_factory=Penalties)
    substation_mva: float = math.inf  # most that the source gives
    dead_band_mw: float = 0.1  # of the import, from its schedule
    ramp_mw_per_min: float = math.inf  # of the import
    margin_pu: float = 0.0  # that voltages of the linear flow, which has no losses, keep from their limits
    labels: tuple[str, ...] = ()  # (T,), of the steps; () for their numbers

    @property
    def steps(self) -> int:
        """Return T."""
        return len(self.load_share)

    @property
    def links(self) -> tuple[str, ...]:
        """Return the names of the feeder's closed links: what an outage is a position in."""
        return tuple(link.name for link in self.feeder.closed_links)

    def with_scenarios(self, which: Integers) -> Self:
        """Return the case with some of its shocks, each as likely beside the others as before."""
        share = self.scenarios.probability[which]
        return replace(self, scenarios=self.scenarios.taken(which, share / share.sum() if share.sum() > 0.0 else None))

    @property
    def most(self) -> Integers:
        """Return (M, I) how many modules of each type may stand at each site."""
        loaded = {row.bus for row in self.feeder.loads} | {campus.bus for campus in self.campuses}
        return np.array(
            [
                [0 if kind.kind == "response" and site not in loaded else min(kind.most_at_site, kind.inventory)
                 for site in self.sites]
                for kind in self.types
            ],
            dtype=np.intp,
        ).reshape(len(self.types), len(self.sites))  # fmt: skip

    @property
    def voltage_limits(self) -> tuple[float, float]:
        """Return the least and most of squared voltages, p.u., with the margin."""
        return (self.feeder.v_min_pu + self.margin_pu) ** 2, (self.feeder.v_max_pu - self.margin_pu) ** 2

    @property
    def schedule_mw(self) -> Vector:
        """Return (C,) what the campuses draw without a shock."""
        return np.array([campus.size_mw * campus.schedule_share for campus in self.campuses])

    def allowed(self, plan: Matrix) -> bool:
        """Return whether a plan (M, I) keeps site limits, inventories and budget."""
        counts = plan.sum(axis=1)
        cost = float(np.array([kind.cost for kind in self.types]) @ counts)
        enough = (counts <= np.array([kind.inventory for kind in self.types]) + _HAIR).all()
        within = (plan >= -_HAIR).all() and (plan <= self.most + _HAIR).all()
        return bool(enough and within and cost <= self.budget * (1.0 + _HAIR))

    @property
    def digest(self) -> str:
        """Return the SHA-256 of everything in the case."""
        told: dict[str, Any] = {
            "feeder": self.feeder.digest, "campuses": [asdict(each) for each in self.campuses],
            "types": [asdict(each) for each in self.types], "sites": self.sites,
            "numbers": [self.step_h, self.budget, self.events_per_year, asdict(self.penalties), self.substation_mva,
                        self.dead_band_mw, self.ramp_mw_per_min, self.margin_pu],
            "labels": self.labels, "kinds": self.scenarios.kind,
        }  # fmt: skip
        found = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        each = self.scenarios
        for values in (
            self.load_share,
            each.draw_mw,
            each.start,
            each.end,
            each.probability,
            each.outage,
            each.restored,
        ):
            found.update(np.ascontiguousarray(values).tobytes())
        return found.hexdigest()

    def checked(self) -> Self:
        """Return the case. Raises NetworkDataError with everything that is wrong with its numbers, at once."""
        if problems := [*self._of_day(), *self._of_places(), *self._of_modules(), *self._of_shocks()]:
            raise NetworkDataError(problems)
        return self

    def _of_day(self) -> Iterator[Problem]:
        if not 0 < self.steps <= MOST_STEPS:
            yield _problem("day", f"there are {self.steps} steps; 1 to {MOST_STEPS}")
        if not np.isfinite(self.load_share).all() or (self.load_share < 0.0).any():
            yield _problem("day", "a share of the load is below 0 or not a number")
        if not (math.isfinite(self.step_h) and 0.0 < self.step_h <= 24.0):
            yield _problem("day", f"a step has {self.step_h:g} h; above 0, to 24")
        if self.labels and len(self.labels) != self.steps:
            yield _problem("day", f"{len(self.labels)} labels for {self.steps} steps")
        numbers = (
            ("the budget", self.budget, math.inf), ("events a year", self.events_per_year, 1e5),
            ("the dead band", self.dead_band_mw, 1e6), ("the substation's ramp", self.ramp_mw_per_min, math.inf),
            ("the substation's limit", self.substation_mva, math.inf),
            ("the margin of voltages", self.margin_pu, max(0.0, 0.5 * (self.feeder.v_max_pu - self.feeder.v_min_pu))),
            *((f"the penalty {name.replace('_', ' ')}", value, 1e9) for name, value in asdict(self.penalties).items()),
        )  # fmt: skip
        for name, value, most in numbers:
            if not 0.0 <= value <= most:
                yield _problem("case", f"{name} is {value:g}; it must lie between 0 and {most:g}")

    def _of_places(self) -> Iterator[Problem]:
        known = {bus.name for bus in self.feeder.buses}
        if not 0 < len(self.sites) <= MOST_SITES:
            yield _problem("sites", f"there are {len(self.sites)} sites; 1 to {MOST_SITES}")
        if len(set(self.sites)) < len(self.sites):
            yield _problem("sites", "a site is named twice")
        if not self.campuses:
            yield _problem("campuses", "there is no campus")
        for site in self.sites:
            if site not in known:
                yield _problem("sites", f"the feeder has no bus {site}", site)
        for campus in self.campuses:
            if campus.bus not in known:
                yield _problem("campuses", f"the feeder has no bus {campus.bus}", campus.bus)
            for name, value, least, most in (
                ("size", campus.size_mw, 0.0, 1e4), ("scheduled share", campus.schedule_share, 0.0, 1.0),
                ("power factor", campus.power_factor, 0.1, 1.0),
            ):  # fmt: skip
                if not least <= value <= most:
                    text = f"the {name} of the campus at {campus.bus} is {value:g}; {least:g} to {most:g}"
                    yield _problem("campuses", text, campus.bus)

    def _of_modules(self) -> Iterator[Problem]:
        names = [each.name for each in self.types]
        if not names:
            yield _problem("modules", "there is no type of module")
        if len(set(names)) < len(names):
            yield _problem("modules", "two types of modules have the same name")
        for each in self.types:
            for text in each.problems():
                yield _problem("modules", text, each.name)

    def _of_shocks(self) -> Iterator[Problem]:
        for text in self.scenarios.problems(self.steps, len(self.campuses), len(self.links)):
            yield _problem("scenarios", text)


def _problem(code: str, message: str, element: str = "") -> Problem:
    return Problem(code, "error", message, "resilience", element=element)
