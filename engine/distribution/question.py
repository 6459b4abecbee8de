"""What a feeder study asks: the feeder and its edits, the day, the method, and how the answer is checked.

The question is JSON; with the files that it names by their digests it determines every result.
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, get_args

from engine.distribution.cases import HOURS, PLACES, usual_centre
from engine.distribution.checks import checked
from engine.distribution.feeder import Compensator, DataCentre, Feeder
from engine.distribution.hour import DsoOptions, LineLimits
from engine.distribution.question_battery import CentreBattery
from engine.errors import NetworkDataError, QuestionError

EditKind = Literal["move centre", "power factor", "add compensator", "remove compensator", "scale load", "add centre"]
Method = Literal["given", "price taker", "walk", "regions", "bilevel", "expansion", "best response"]
SvgChoice = Literal["both", "on", "off"]
LoadChoice = Literal["power", "own"]
RegulatorChoice = Literal["fixed", "free"]
EDITS: tuple[EditKind, ...] = get_args(EditKind)
METHODS: tuple[Method, ...] = get_args(Method)
PRICE_TAKERS: tuple[Method, ...] = ("price taker", "best response")  # who makes the system's cost least, not the bill
_ALLOWED: Mapping[str, tuple[str, ...]] = {
    "method": METHODS,
    "svg": get_args(SvgChoice),
    "loads": get_args(LoadChoice),
    "regulators": get_args(RegulatorChoice),
    "line_limits": get_args(LineLimits),
}
_RANGES: tuple[tuple[str, str, float, float], ...] = (
    ("corrections", "number of corrections", 0, 12),
    ("ac_rounds", "number of AC rounds", 0, 3),
    ("ac_margin_pu", "margin added to an observed error, p.u.,", 0.0, 0.02),
    ("unbalance_limit", "limit of the unbalance", 0.0, 0.2),
    ("limit_price_per_mwh", "price of exceeding a limit, $/MWh,", 100.0, 1e6),
    ("supply_slope_per_mw2h", "slope of the substation's price", 0.0, 1000.0),
    ("reactive_slope_per_mvar2h", "slope of the price of reactive power", 0.0, 10_000.0),
    ("polygon_sides", "number of sides of a polygon", 4, 96),
    ("bits", "number of bits of the expansion", 1, 12),
    ("method_time_s", "time of a method, s,", 1.0, 36_000.0),
    ("scenarios", "number of scenarios", 0, 1000),
    ("work_deviation", "standard deviation of the work", 0.0, 1.0),
    ("sun_deviation", "standard deviation of the sun", 0.0, 1.0),
)
MOST_EDITS = 200


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of the feeder before it is studied; what a kind does not need stays empty."""

    kind: EditKind
    name: str = ""  # of the data centre or the compensator
    bus: str = ""  # where it goes
    value: float = 0.0  # power factor, kvar of each phase, the factor of all loads, or kW of a centre at full work
    phases: str = "abc"  # of a new compensator or data centre

    def apply(self, feeder: Feeder) -> Feeder:
        """Return the feeder with the change. Raises QuestionError naming what is not there or out of range."""
        if self.kind == "scale load":
            self._within("the factor of the loads", 0.0, 10.0)
            loads = tuple(replace(row, kw=row.kw * self.value, kvar=row.kvar * self.value) for row in feeder.loads)
            return replace(feeder, loads=loads)
        if self.kind in {"move centre", "add compensator", "add centre"} and self.bus not in {
            bus.name for bus in feeder.buses
        }:
            raise QuestionError(f"{self.kind} {self.name}: there is no bus {self.bus!r:.60}")
        if self.kind in {"add compensator", "remove compensator"}:
            return self._compensators(feeder)
        if self.kind == "add centre":
            return self._with_centre(feeder)
        self._need("data centre", {row.name for row in feeder.centres})
        if self.kind == "power factor":
            self._within(f"the power factor of {self.name}", 0.5, 1.0)
            return replace(feeder, centres=tuple(self._changed(row, power_factor=self.value) for row in feeder.centres))
        return replace(feeder, centres=tuple(self._changed(row, bus=self.bus) for row in feeder.centres))

    def _compensators(self, feeder: Feeder) -> Feeder:
        if self.kind == "remove compensator":
            self._need("static var generator", {row.name for row in feeder.compensators})
            return replace(feeder, compensators=tuple(row for row in feeder.compensators if row.name != self.name))
        self._within(f"what static var generator {self.name} gives, kvar,", 1e-3, 1e6)
        added = Compensator(self.name or f"SVG {self.bus}", self.bus, self.value, self.phases)
        return replace(feeder, compensators=(*feeder.compensators, added))

    def _with_centre(self, feeder: Feeder) -> Feeder:
        name = self.name or f"centre {self.bus}"
        self._within(f"what data centre {name} draws at full work, kW,", 1.0, 1e6)
        if name in {row.name for row in feeder.centres}:
            raise QuestionError(f"{self.kind}: there is a data centre {name!r:.60} already")
        added = usual_centre(name, self.bus, self.value, self.phases)
        return replace(feeder, centres=(*feeder.centres, added))

    def _changed(self, row: DataCentre, **change: Any) -> DataCentre:
        return replace(row, **change) if row.name == self.name else row

    def _need(self, what: str, names: set[str]) -> None:
        if self.name not in names:
            raise QuestionError(f"{self.kind}: there is no {what} {self.name!r:.60}")

    def _within(self, what: str, least: float, most: float) -> None:
        if not least <= self.value <= most:
            raise QuestionError(f"{what} is {self.value:g}: {least:g} to {most:g}")


@dataclass(frozen=True, slots=True)
class FeederQuestion:
    """One study of a feeder. Empty lists are those of the worked day."""

    feeder: str = "ieee37"  # of the library, with the devices of its worked case
    dataset: str = ""  # digest of a feeder's own JSON file, in the place of the library's
    edits: tuple[Edit, ...] = ()  # in their order
    batteries: tuple[CentreBattery, ...] = ()  # the later one where two are of one centre
    hours: tuple[int, ...] = ()  # of the day, counted from 0; () for all 24
    price_per_mwh: tuple[float, ...] = ()  # of each of those hours
    load_share: tuple[float, ...] = ()
    sun_share: tuple[float, ...] = ()  # of the generators that cost nothing
    seed: int = 0  # of the worked day and the work
    workload: str = ""  # digest of a CSV file of work, in the place of the seeded one
    method: Method = "given"
    draw_kw: tuple[tuple[float, ...], ...] = ()  # for "given": by hour and centre; () divides the work evenly
    svg: SvgChoice = "both"
    loads: LoadChoice = "power"  # "own": each load by the model of its row
    regulators: RegulatorChoice = "fixed"  # "free": solved once more in AC with taps that move
    corrections: int = 8  # at most; an hour whose linear voltages are those of AC takes no more; 0: without losses
    ac_rounds: int = 3
    ac_margin_pu: float = 2e-4
    voltage_limits: bool = True
    line_limits: LineLimits = "polygon"
    polygon_sides: int = 12
    unbalance_limit: float = 0.0  # of magnitudes from the mean of their bus, as a share of it; 0: no limit
    limit_price_per_mwh: float = 10_000.0
    supply_slope_per_mw2h: float = 0.0
    reactive_slope_per_mvar2h: float = 40.0
    bits: int = 4  # for "expansion"
    method_time_s: float = 120.0
    scenarios: int = 0  # of work and sun; 0 for none
    work_deviation: float = 0.1
    sun_deviation: float = 0.25

    def checked(self) -> Self:
        """Return the question. Raises QuestionError with every problem that does not need the feeder's file."""
        found = [
            f"the {words} is {getattr(self, name):g}: {least:g} to {most:g}"
            for name, words, least, most in _RANGES
            if not least <= getattr(self, name) <= most
        ]
        found += [
            f"{name} is one of {', '.join(allowed)}, not {getattr(self, name)!r:.40}"
            for name, allowed in _ALLOWED.items()
            if getattr(self, name) not in allowed
        ]
        if not self.dataset and self.feeder not in PLACES:
            found.append(f"the library has no feeder {self.feeder!r:.40}; it has {', '.join(PLACES)}")
        if len(self.edits) > MOST_EDITS:
            found.append(f"{len(self.edits)} edits; at most {MOST_EDITS}")
        if len(self.batteries) > MOST_EDITS:
            found.append(f"{len(self.batteries)} batteries; at most {MOST_EDITS}")
        found += [problem for each in self.batteries for problem in each.problems()]
        found += [f"an edit is one of {', '.join(EDITS)}, not {edit.kind!r:.40}" for edit in self.edits
                  if edit.kind not in EDITS]  # fmt: skip
        found += self._hours()
        if self.draw_kw and self.method != "given":
            found.append(f"a given draw goes with the method 'given', not {self.method!r}")
        if not 0 <= self.seed < 2**32:
            found.append(f"the seed is {self.seed}: 0 to {2**32 - 1}")
        if found:
            raise QuestionError("; ".join(dict.fromkeys(found)))
        return self

    def _hours(self) -> list[str]:
        found = [f"there is no hour {hour}: 0 to {HOURS - 1}" for hour in self.hours if not 0 <= hour < HOURS]
        if len(set(self.hours)) != len(self.hours) or list(self.hours) != sorted(self.hours):
            found.append("the hours rise, each once")
        count = len(self.hours) or HOURS
        lists = {"prices": self.price_per_mwh, "load shares": self.load_share, "shares of sun": self.sun_share}
        for words, given in lists.items():
            if given and len(given) != count:
                found.append(f"{len(given)} {words} are given for {count} hours")
            low, high = {"prices": (-1e5, 1e5), "load shares": (0.0, 10.0), "shares of sun": (0.0, 1.0)}[words]
            found += [f"one of the {words} is {value:g}: {low:g} to {high:g}" for value in given
                      if not low <= value <= high]  # fmt: skip
        if self.draw_kw and len(self.draw_kw) != count:
            found.append(f"draws are given for {len(self.draw_kw)} hours, not for {count}")
        return found

    def edited(self, feeder: Feeder) -> Feeder:
        """Return the feeder as it is studied: edits made, and all loads of constant power if that is asked for.

        Raises QuestionError with every edit that cannot be made and everything that is wrong afterwards.
        """
        found = []
        for edit in self.edits:
            try:
                feeder = edit.apply(feeder)
            except QuestionError as error:
                found.append(str(error))
        known = {row.name for row in feeder.centres}
        for each in self.batteries:
            if each.centre and each.centre not in known:
                found.append(f"a battery: there is no data centre {each.centre!r:.60}")
            feeder = replace(feeder, centres=tuple(
                replace(row, battery=each.row()) if each.centre in {"", row.name} else row for row in feeder.centres
            ))  # fmt: skip
        if self.loads == "power":
            feeder = replace(feeder, loads=tuple(replace(row, model="power") for row in feeder.loads))
        if not found:
            try:
                return checked(feeder)
            except NetworkDataError as error:
                found.append(str(error))
        raise QuestionError("; ".join(found))

    def options(self, *, compensators: bool) -> DsoOptions:
        """Return what the operator's problem is solved with."""
        return DsoOptions(
            voltage_limits=self.voltage_limits,
            line_limits=self.line_limits,
            polygon_sides=self.polygon_sides,
            unbalance_limit=self.unbalance_limit or None,
            limit_price_per_mwh=self.limit_price_per_mwh,
            supply_slope_per_mw2h=self.supply_slope_per_mw2h,
            reactive_slope_per_mvar2h=self.reactive_slope_per_mvar2h,
            compensators=compensators,
        )

    @property
    def of_day(self) -> tuple[int, ...]:
        """Return the hours of the day, counted from 0."""
        return self.hours or tuple(range(HOURS))

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the hours of the day as they are written."""
        return tuple(f"{hour:02d}:00" for hour in self.of_day)

    @property
    def cases(self) -> tuple[bool, ...]:
        """Return with and without static var generators: which of the two are solved, in this order."""
        return {"both": (False, True), "on": (True,), "off": (False,)}[self.svg]

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return plain

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return the question that :meth:`to_json` wrote, not yet checked. Raises QuestionError for anything else."""
        if unknown := sorted(set(content) - set(cls.__dataclass_fields__)):
            raise QuestionError(f"a feeder study has no field {unknown[0]!r:.60}")
        given = dict(content)
        try:
            for name, read in _LISTS.items():
                if name in given:
                    given[name] = tuple(read(value) for value in given[name])
            for name, kind in cls.__annotations__.items():
                if name in given and kind in {int, float, bool, str}:
                    given[name] = _plain(name, given[name], kind)
            return cls(**given)
        except (TypeError, ValueError, AttributeError):
            raise QuestionError("a feeder study needs its fields as it gave them") from None

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the question."""
        text = json.dumps(self.to_json(), sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _plain(name: str, value: Any, kind: type) -> Any:
    """Return a value of its type: a browser writes 1.0 as 1. Raises QuestionError naming another."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and number and math.isfinite(value):
        return float(value)
    if kind is int and number and float(value).is_integer():
        return int(value)
    if type(value) is kind and kind is not float:
        return value
    raise QuestionError(f"{name} is {value!r:.40}, which is no {kind.__name__}")


def _edit(row: Mapping[str, Any]) -> Edit:
    if unknown := sorted(set(row) - set(Edit.__dataclass_fields__)):
        raise QuestionError(f"an edit has no field {unknown[0]!r:.60}")
    return Edit(
        kind=row.get("kind", ""),
        name=str(row.get("name", "")),
        bus=str(row.get("bus", "")),
        value=float(row.get("value", 0.0)),
        phases=str(row.get("phases", "abc")),
    )


_LISTS: Mapping[str, Callable[[Any], Any]] = {
    "price_per_mwh": float, "load_share": float, "sun_share": float, "hours": int,
    "draw_kw": lambda row: tuple(float(kw) for kw in row), "edits": _edit, "batteries": CentreBattery.from_json,
}  # fmt: skip
