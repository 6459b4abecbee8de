"""Which limits bind and which are exceeded, hour by hour: what the diagram draws in vermilion and the cards name."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from components.feeder_layers import member_words, shape
from components.format import number, percent
from engine.distribution.feeder import Feeder

if TYPE_CHECKING:
    from engine.distribution.run import CaseRun, FeederRun

_SAME_PU = 2e-6  # a linear voltage closer to its limit is at it
_SAME_SQUARE = 4e-6  # likewise of a squared magnitude over the mean of its bus
_AC_PU, _AC_LOADING = 1e-4, 1e-3  # a limit is exceeded in AC by more: as the AC check of the run counts
_JUMP = 1e-4  # $/MWh by which the congestion part differs across a link whose limit has a price
_ROUNDED = 1e-4  # of a rating

State = Literal["binds", "exceeded", "flagged"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that the operation of an hour stands at, or that AC says is exceeded."""

    hour: int
    kind: str  # "bus" or "link"
    element: str
    member: str  # of the frame; empty for a link
    value: float  # p.u., or share of the rating or of the bus's mean magnitude
    limit: float
    state: State
    unit: str = "p.u."  # "p.u.", "rating" or "mean"

    def words(self, feeder: Feeder) -> str:
        """Return the limit in a sentence."""
        said = {
            "binds": "at its limit",
            "exceeded": "beyond its limit" if self.unit == "mean" else "beyond its limit in AC",
            "flagged": "beyond its limit in AC, which the linear model has not said",
        }[self.state]
        if self.unit == "mean":
            off = f"{percent(self.value, 2)} off the mean of its magnitudes"
            return f"Unbalance of bus {self.element}: {off}, {said} ({percent(self.limit, 2)})"
        if self.kind == "link":
            return f"Link {self.element}: {percent(self.value, 1)} of its rating, {said}"
        low = "lower" if self.limit == feeder.v_min_pu else "upper"
        where = f"bus {self.element}, {member_words(feeder, self.member)}"
        return f"Voltage of {where}: {number(self.value, 3)} p.u., {said} ({low}: {number(self.limit, 3)})"


@lru_cache(maxsize=16)
def limits(run: "FeederRun", case: "CaseRun") -> tuple[Limit, ...]:
    """Return every limit of a case that binds in the linear model or is exceeded in AC, hour by hour."""
    found = [*_voltages(run, case), *_unbalanced(run, case), *_links(run, case)]
    return tuple(sorted(found, key=lambda each: (each.hour, each.kind, each.element, each.member)))


def at_hour(run: "FeederRun", case: "CaseRun", hour: int) -> list[Limit]:
    """Return those of one hour."""
    return [each for each in limits(run, case) if each.hour == hour]


def _voltages(run: "FeederRun", case: "CaseRun") -> list[Limit]:
    feeder, nodes = run.feeder, shape(run).nodes
    inner = np.array([bus != feeder.source_bus for bus, _ in nodes])
    linear, ac = case.voltage_pu, np.abs(case.phasors)
    flagged = {(row["hour"], row["element"], row["phase"]) for row in case.facts["flags"] if row["kind"] == "voltage"}
    found = []
    for limit, sign in ((feeder.v_min_pu, 1.0), (feeder.v_max_pu, -1.0)):
        room = sign * (linear - limit) - case.margin_pu
        out = sign * (limit - ac) > _AC_PU
        stands = (room <= _SAME_PU) & run.question.voltage_limits
        for hour, at in np.argwhere((stands | out) & inner[np.newaxis, :]).tolist():
            bus, member = nodes[at]
            state: State = "exceeded" if out[hour, at] else "binds"
            if (hour, bus, member) in flagged:
                state = "flagged"
            found.append(Limit(hour, "bus", bus, member, float(ac[hour, at]), limit, state))
    return found


def _unbalanced(run: "FeederRun", case: "CaseRun") -> list[Limit]:
    """Return where the linear magnitudes of a bus are as far from their mean as is allowed, or farther."""
    most, places = run.question.unbalance_limit, shape(run).whole_nodes
    if not most or not len(places):
        return []
    squares = case.voltage_pu[:, places] ** 2  # (T, B3, 3): the limit is on squares and their mean
    mean = squares.mean(axis=2, keepdims=True)
    least_room = np.minimum((1.0 + most) ** 2 - squares / mean, squares / mean - (1.0 - most) ** 2)
    found = []
    for hour, at in np.argwhere(least_room.min(axis=2) <= _SAME_SQUARE).tolist():
        bus, share = shape(run).whole[at], float(case.pvur[hour, at])
        if bus != run.feeder.source_bus:
            member = run.feeder.frame[int(least_room[hour, at].argmin())]
            state: State = "binds" if share <= most * (1.0 + most) else "exceeded"
            found.append(Limit(hour, "bus", bus, member, share, most, state, "mean"))
    return found


def _links(run: "FeederRun", case: "CaseRun") -> list[Limit]:
    flagged = {(row["hour"], row["element"]) for row in case.facts["flags"] if row["kind"] == "link"}
    over = np.nan_to_num(case.ac_loading) > 1.0 + _AC_LOADING
    stands = _binding_links(run, case)
    found = []
    for hour, at in np.argwhere(over | stands).tolist():
        name = run.feeder.links[at].name
        state: State = "exceeded" if over[hour, at] else "binds"
        if (hour, name) in flagged:
            state = "flagged"
        # A transformer's rating is of its power, and AC is told of currents: the linear flow says how full it is.
        value = float(max(case.ac_loading[hour, at], case.linear_loading[hour, at] if stands[hour, at] else 0.0))
        found.append(Limit(hour, "link", name, "", value, 1.0, state, "rating"))
    return found


def _binding_links(run: "FeederRun", case: "CaseRun") -> np.ndarray:
    """Return (T, M) where a link's limit has a price: full up to its polygon, and the congestion part jumps there."""
    question, feeder = run.question, run.feeder
    if question.line_limits == "none":
        return np.zeros(case.linear_loading.shape, dtype=bool)
    inside = math.cos(math.pi / question.polygon_sides) if question.line_limits == "polygon" else 1.0
    share = np.array([case.facts["rating_share"].get(link.name, 1.0) for link in feeder.links])
    full = case.linear_loading >= inside * share * (1.0 - _ROUNDED)
    jump = np.zeros(full.shape)
    place = {node: at for at, node in enumerate(shape(run).nodes)}
    for at, link in enumerate(feeder.links):
        for member in feeder.spread(link.phases):
            above, below = place.get((link.from_bus, member)), place.get((link.to_bus, member))
            if above is not None and below is not None:
                for parts in (case.active_parts[4], case.reactive_parts[4]):
                    jump[:, at] = np.maximum(jump[:, at], np.abs(parts[:, below] - parts[:, above]))
    return np.asarray(full & (jump > _JUMP))
