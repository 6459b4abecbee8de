"""Which limits bind and which are exceeded, hour by hour: what the diagram draws in vermilion and the cards name.

A limit binds where the operator's optimum has a dual for it: what an hour's cost falls by when it gives way. What AC
exceeds is told whether the linear model knew of it or not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from components.feeder_layers import member_words, shape
from components.format import number, percent
from engine.distribution.feeder import Feeder

if TYPE_CHECKING:
    from engine.distribution.binding import Binding
    from engine.distribution.run import CaseRun, FeederRun

_AC_PU, _AC_LOADING = 1e-4, 1e-3  # a limit is exceeded in AC by more: as the AC check of the run counts

State = Literal["binds", "exceeded", "flagged"]
Kind = Literal["bus", "link", "device"]
_ORDER = {"bus": 0, "link": 1, "device": 2}
_LINKS = {"line", "polygon side", "transformer"}
_SAID: dict[State, str] = {
    "binds": "at its limit",
    "exceeded": "beyond its limit in AC",
    "flagged": "beyond its limit in AC, which the linear model has not said",
}
_POWER = "apparent power, side"  # of a generator's circle, as the engine names the limit
_SMALL = {"MW": ("kW", 0), "Mvar": ("kvar", 1), "MVA": ("kVA", 0), "MWh": ("kWh", 0)}  # of devices: unit, decimals
SMALL_DIGITS = dict(_SMALL.values())  # decimals by the unit of a device
_DUAL_UNITS = {"$/h per MW": "$/MWh", "$/h per Mvar": "$/Mvarh"}


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that the operation of an hour stands at, or that AC says is exceeded."""

    hour: int
    kind: Kind
    element: str
    member: str  # of the frame, or the phases of a link; empty where there is none
    value: float  # in AC: p.u., or share of the rating, or of the mean magnitude of its bus; of a device in its unit
    limit: float
    state: State
    unit: str = "p.u."  # "p.u.", "rating", "mean", or that of a device
    what: str = ""  # which limit of a device, in words
    dual: float | None = None  # what the hour's cost falls by when it gives way; None where it has none
    dual_unit: str = ""
    select: str = ""  # what a press on it selects; empty for the element itself
    device: str = ""  # the device that the diagram marks: of a battery its data centre
    sides: int = 0  # of the polygon that stands for a circle, where it is that which binds

    @property
    def chosen(self) -> str:
        """Return what a press on it selects: "bus:NAME", "link:NAME" or "centre:NAME"."""
        return self.select or f"{self.kind}:{self.element}"

    @property
    def worth(self) -> str:
        """Return its dual with its unit, nothing where it has none."""
        return "" if self.dual is None else f"{number(self.dual, 2)} {self.dual_unit}"

    def words(self, feeder: Feeder) -> str:
        """Return the limit in a sentence."""
        return f"{self.stands(feeder)}{f', dual {self.worth}' if self.worth else ''}"

    def stands(self, feeder: Feeder) -> str:
        """Return the limit in a sentence, without its dual."""
        said = _SAID[self.state]
        if self.kind == "device":
            digits = SMALL_DIGITS.get(self.unit, 2)
            value, limit = number(self.value, digits), number(self.limit, digits)
            if self.sides:
                return f"{self.element}: {value} {self.unit}, {said} ({self._polygon} {limit} {self.unit})"
            return f"{self.element}: {value} {self.unit}, {said} ({self.what}: {limit} {self.unit})"
        if self.unit == "mean":
            off = f"{percent(self.value, 2)} {'off the mean of its magnitudes' if self.state == 'binds' else '(VUF)'}"
            return f"Unbalance of bus {self.element}: {off}, {said} ({percent(self.limit, 2)})"
        if self.kind == "link":
            inside = f" ({self._polygon} the rating)" if self.sides and self.state == "binds" else ""
            return f"Link {self.element}: {percent(self.value, 1)} of its rating, {said}{inside}"
        low = "lower" if self.limit == feeder.v_min_pu else "upper"
        where = f"bus {self.element}, {member_words(feeder, self.member)}"
        return f"Voltage of {where}: {number(self.value, 3)} p.u., {said} ({low}: {number(self.limit, 3)})"

    @property
    def _polygon(self) -> str:
        return f"a side of the {self.sides}-sided polygon inside"


@lru_cache(maxsize=16)
def limits(run: "FeederRun", case: "CaseRun") -> tuple[Limit, ...]:
    """Return every limit of a case that has a dual or is exceeded in AC: by hour, the network's before devices'."""
    found = [*_voltages(run, case), *_unbalanced(run, case), *_links(run, case), *_devices(run, case)]
    return tuple(sorted(found, key=lambda each: (each.hour, _ORDER[each.kind], each.element, each.member)))


def at_hour(run: "FeederRun", case: "CaseRun", hour: int) -> list[Limit]:
    """Return those of one hour."""
    return [each for each in limits(run, case) if each.hour == hour]


def _of(case: "CaseRun", kinds: set[str]) -> "Iterator[Binding]":
    return (each for each in case.duals if each.kind in kinds)


def _flagged(case: "CaseRun", kind: str) -> dict[tuple[int, str, str], float]:
    """Return what AC finds exceeded that the linear model has not said, by hour, element and phase."""
    rows = case.facts["flags"]
    return {(row["hour"], row["element"], row["phase"]): float(row["ac"]) for row in rows if row["kind"] == kind}


def _voltages(run: "FeederRun", case: "CaseRun") -> Iterator[Limit]:
    feeder, nodes = run.feeder, shape(run).nodes
    ac, flagged = np.abs(case.phasors), _flagged(case, "voltage")
    inner = np.array([bus != feeder.source_bus for bus, _ in nodes])
    place = {node: at for at, node in enumerate(nodes)}
    for kind, limit, sign in (("voltage low", feeder.v_min_pu, 1.0), ("voltage high", feeder.v_max_pu, -1.0)):
        out = (sign * (limit - ac) > _AC_PU) & inner[np.newaxis, :]
        priced = {(each.hour, place[each.element, each.phase]): each for each in _of(case, {kind})}
        for hour, at in sorted({*priced, *((int(h), int(n)) for h, n in np.argwhere(out))}):
            bus, member = nodes[at]
            state: State = "exceeded" if out[hour, at] else "binds"
            if (hour, bus, member) in flagged:
                state = "flagged"
            dual = priced.get((hour, at))
            yield Limit(
                hour, "bus", bus, member, float(ac[hour, at]), limit, state,
                dual=None if dual is None else dual.dual, dual_unit="" if dual is None else dual.dual_unit,
            )  # fmt: skip


def _unbalanced(run: "FeederRun", case: "CaseRun") -> Iterator[Limit]:
    """Yield where magnitudes are as far from the mean of their bus as is allowed, and where AC's VUF is farther."""
    most, flagged = run.question.unbalance_limit, _flagged(case, "unbalance")
    for each in _of(case, {"unbalance"}):
        yield Limit(
            each.hour, "bus", each.element, each.phase, each.value, most, "binds", "mean", each.what, each.dual,
            each.dual_unit,
        )  # fmt: skip
    for (hour, bus, _), vuf in flagged.items():
        yield Limit(hour, "bus", bus, run.feeder.frame[0], vuf, most, "flagged", "mean")


def _links(run: "FeederRun", case: "CaseRun") -> Iterator[Limit]:
    """Yield one limit for each link and hour: its dual is of the rating of all its conductors together."""
    flagged = _flagged(case, "link")
    place = {link.name: at for at, link in enumerate(run.feeder.links)}
    priced: dict[tuple[int, int], list[Binding]] = {}
    for each in _of(case, _LINKS):
        priced.setdefault((each.hour, place[each.element]), []).append(each)
    over = np.nan_to_num(case.ac_loading) > 1.0 + _AC_LOADING
    for hour, at in sorted({*priced, *((int(h), int(link)) for h, link in np.argwhere(over))}):
        name, duals = run.feeder.links[at].name, priced.get((hour, at), [])
        state: State = "exceeded" if over[hour, at] else "binds"
        if (hour, name, "") in flagged:
            state = "flagged"
        yield Limit(
            hour, "link", name, ", ".join(sorted({each.phase for each in duals})),
            float(case.ac_loading[hour, at]), 1.0, state, "rating",
            dual=sum(each.dual or 0.0 for each in duals) if duals else None,
            dual_unit=duals[0].dual_unit if duals else "",
            sides=0 if run.question.line_limits == "active" or not duals else run.question.polygon_sides,
        )  # fmt: skip


def _devices(run: "FeederRun", case: "CaseRun") -> Iterator[Limit]:
    """Yield the limits of generators, static var generators and batteries; a press selects where they stand."""
    feeder = run.feeder
    bus = {row.name: row.bus for row in feeder.generators} | {row.name: row.bus for row in feeder.compensators}
    for each in _of(case, {"generator", "svg", "battery"}):
        small, _ = _SMALL.get(each.unit, (each.unit, 2))
        scale = 1000.0 if small != each.unit else 1.0
        of_centre = each.kind == "battery"
        yield Limit(
            each.hour, "device", f"Battery of {each.element}" if of_centre else each.element, each.phase,
            scale * each.value, scale * each.limit, "binds", small, each.what, each.dual,
            _DUAL_UNITS.get(each.dual_unit, each.dual_unit),
            f"centre:{each.element}" if of_centre else f"bus:{bus[each.element]}", each.element,
            run.question.polygon_sides if each.what.startswith(_POWER) else 0,
        )  # fmt: skip
