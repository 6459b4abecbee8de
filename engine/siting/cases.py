"""The cases that a siting study runs on: a published hour or day, a whole year, a network as filed, a user's hours.

Loads are a file's (:mod:`engine.siting.hourly_file`) or those of 2016 that the product holds. Wind, solar and hydro
may produce up to what the file says, else up to the seeded synthetic weather (:mod:`engine.capacity.weather`); other
units up to their largest output. Nothing is dispatched and nothing is committed here.

Hours of a day count from 1 to 24: hour t of a year, from 1, is hour ((t - 1) mod 24) + 1 of its day, and begins at
the clock hour before it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from engine.capacity.series import HourlySettings, is_texas, year_load
from engine.capacity.weather import HOURS, WeatherSettings, available_mw
from engine.errors import QuestionError
from engine.network.model import Flags, Integers, Matrix, Network, Vector
from engine.siting.case import HOURS_OF_DAY, SitingCase
from engine.siting.hourly_file import HourlyFile, Stamps
from engine.siting.onsite import SERIES

Thermal = Literal["filed", "zero"]
_WEATHER_FUELS = ("wind", "solar", "hydro")
_UNKNOWN, _STORED = ("",), ("battery", "storage")  # fuels that do not say for how long a unit can give
_FILED_HOUR = 16  # of the day, on the peak: what a network as filed is taken for
_FEBRUARY_29 = 59  # days of a leap year before it
_NOISE_MW = 1e-6


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the data do not say, and a study assumes."""

    thermal: Thermal = "zero"  # least output of units other than wind, solar and hydro, whose is always 0
    all_units: bool = True  # units that are filed as off may run too
    weather: WeatherSettings | None = field(
        default_factory=WeatherSettings
    )  # None: units keep their largest output unless a file tells
    load_scale: float = 1.0
    seed: int = 0  # of the synthetic weather

    def __post_init__(self) -> None:
        """Refuse a scale that is none."""
        if not 0.0 < self.load_scale <= 10.0:
            raise QuestionError(f"load_scale must be above 0 and at most 10, found {self.load_scale}")


@dataclass(frozen=True, slots=True)
class NamedHour:
    """An hour of 2020 that the siting study, or what is published with it, may have used."""

    day: int  # from 1
    hour: int  # 1 to 24
    load_scale: float
    words: str


PAPER_HOURS: Mapping[str, NamedHour] = {
    "stressed": NamedHour(224, 16, 1.0, "day 224, hour 16: the day before that with the most load"),
    "peak": NamedHour(225, 16, 1.0, "day 225, hour 16: that with the most load of the series"),
    "demonstration": NamedHour(
        226,
        16,
        0.96,
        "day 226, hour 16 with 0.96 of the load: the demonstration hour of the study's published programs",
    ),
}
"""The source says that one hour is screened, the 16th of a peak day, but not which day: it is a choice, and told."""


def position(day: int, hour: int) -> int:
    """Return the place of an hour (1 to 24) of a day (from 1) in a file or a year that begins with the first day.

    Raises QuestionError for an hour or a day that is none.
    """
    if not 1 <= hour <= HOURS_OF_DAY:
        raise QuestionError(f"hour {hour} is not one of 1 to {HOURS_OF_DAY}")
    if day < 1:
        raise QuestionError(f"day {day} must be 1 or more")
    return (day - 1) * HOURS_OF_DAY + hour - 1


def whole_day(day: int) -> Integers:
    """Return the places (24,) of the hours of a day (from 1)."""
    return position(day, 1) + np.arange(HOURS_OF_DAY)


def paper_hour(network: Network, file: HourlyFile, choice: str = "stressed", **assumed: object) -> SitingCase:
    """Return the hour that the source screens, by one of :data:`PAPER_HOURS`, with least outputs of thermal units kept.

    ``assumed`` changes :class:`Assumptions`. Raises QuestionError for a choice that is none.
    """
    named = _named(choice)
    return _paper(network, file, choice, np.array([position(named.day, named.hour)]), {"thermal": "filed", **assumed})


def paper_day(network: Network, file: HourlyFile, choice: str = "stressed", **assumed: object) -> SitingCase:
    """Return the 24 hours of the day of :func:`paper_hour`."""
    return _paper(network, file, choice, whole_day(_named(choice).day), {"thermal": "filed", **assumed})


def from_file(
    network: Network, file: HourlyFile, assumptions: Assumptions | None = None, hours: Sequence[int] | None = None
) -> SitingCase:
    """Return the hours of a file (positions; None: all).

    Raises QuestionError for an hour that the file does not have.
    """
    given = assumptions or Assumptions()
    chosen = _chosen(hours, len(file), file.name)
    ready = _fleet(network, given)
    stamps = file.stamps[chosen]
    most, notices = _within_weather(ready, _hour_of_leap_year(stamps), given, told=set(file.fleet_mw))
    notices += _always_there(ready, file.unit_mw)
    notices += _told(ready, file, chosen, most)
    load = file.bus_load_mw(ready, chosen)
    silent = file.silent_buses(ready)
    if silent:
        notices.append(f"{silent} buses that the file says nothing of keep their filed load")
    if file.place != "bus":
        notices.append(f"the load of each {file.place} is shared among its buses as their filed loads are")
    source = f"{len(chosen):,} of {len(file):,} hours of the file {file.name}"
    onsite = None if file.onsite_mw is None else file.onsite_mw[chosen]
    if onsite is not None:
        notices.append(
            f"gate and market see a further load less what the file's column {SERIES} says of on-site resources: "
            f"{onsite.min():g} to {onsite.max():g} MW, hour by hour"
        )
    return replace(_case(ready, load, most, given, _Told(stamps, source, notices)), onsite_mw=onsite)


def year_2016(
    network: Network, assumptions: Assumptions | None = None, hours: Sequence[int] | None = None
) -> SitingCase:
    """Return hours of 2016 (positions, from 0; None: all 8,784) with the load series that the product holds.

    On synthetic Texas they are its own; on another network the load shapes are given to its areas in turn. The series
    runs one hour ahead of the published file of 2020: hour h here has the shape of hour h + 1 there, in every zone.
    Raises QuestionError for an hour that the year does not have.
    """
    given = assumptions or Assumptions()
    chosen = _chosen(hours, HOURS, "2016")
    ready = _fleet(network, given)
    settings = HourlySettings(load_noise=0.0)
    words, load = year_load(ready, chosen, settings, 0, own=is_texas(ready))
    stamps = np.datetime64("2016-01-01T00", "h") + chosen
    most, notices = _within_weather(ready, chosen, given, told=set())
    notices += _always_there(ready)
    source = f"{len(chosen):,} of {HOURS:,} hours of 2016: {words}"
    return _case(ready, load, most, given, _Told(stamps, source, notices))


def as_filed(network: Network, assumptions: Assumptions | None = None, hour_of_day: int = _FILED_HOUR) -> SitingCase:
    """Return a network as it is filed, as one hour of the peak unless another hour of the day is given."""
    given = assumptions or Assumptions(thermal="filed", all_units=False)
    ready = _fleet(network, given)
    load = np.where(ready.buses.in_service, ready.buses.load_mw, 0.0)[np.newaxis]
    notices = [
        f"the filed state has no time: it counts as hour {hour_of_day} of a day",
        "every unit may produce up to its largest output as filed",
    ]
    told = _Told(None, "the network as filed", notices)
    found = _case(ready, load, ready.units.p_max_mw[np.newaxis], given, told)
    return replace(found, hour_of_day=np.array([hour_of_day]))


def committed(case: SitingCase, on: Flags) -> SitingCase:
    """Return the case with the units that run (T, G) at their filed least output or more, and the others at 0.

    Raises QuestionError when the schedule is not one of the case's hours and units.
    """
    if on.shape != case.least_mw.shape:
        raise QuestionError(f"a schedule of shape {on.shape} is not one of {case.least_mw.shape} hours and units")
    largest = np.where(on, case.largest_mw, 0.0)
    least = np.where(on, _least(case.network, largest, "filed"), 0.0)
    notice = "units that the schedule has on run at their least output or more, the others stay off"
    return replace(case, least_mw=least, largest_mw=largest, notices=(*case.notices, notice))


def _named(choice: str) -> NamedHour:
    if choice not in PAPER_HOURS:
        raise QuestionError(f"the paper's hour is one of {', '.join(PAPER_HOURS)}, found {choice!r}")
    return PAPER_HOURS[choice]


def _paper(
    network: Network, file: HourlyFile, choice: str, hours: Integers, assumed: Mapping[str, object]
) -> SitingCase:
    named = PAPER_HOURS[choice]
    given = replace(Assumptions(load_scale=named.load_scale), **assumed)  # type: ignore[arg-type]
    found = from_file(network, file, given, hours.tolist())
    words = (
        "the source screens one hour, the 16th of a peak day, and does not say which day; this is " + named.words,
        "the source's wind series is not published",
    )
    return replace(found, notices=(*words, *found.notices))


def _chosen(hours: Sequence[int] | None, count: int, name: str) -> Integers:
    chosen = np.arange(count) if hours is None else np.asarray(hours, dtype=np.intp)
    outside = (chosen < 0) | (chosen >= count)
    if outside.any():
        raise QuestionError(f"hour {chosen[outside][0] + 1} is not one of the {count:,} hours of {name}")
    if not len(chosen):
        raise QuestionError(f"no hour of {name} was chosen")
    return chosen


def _fleet(network: Network, given: Assumptions) -> Network:
    """Return the network with the units that may run in service."""
    units = network.tables.units
    if not given.all_units or bool(units["in_service"].all()):
        return network
    return Network.from_tables(network.tables.with_table("units", units.assign(in_service=True)))


def _within_weather(
    network: Network, hours: Integers, given: Assumptions, *, told: set[str]
) -> tuple[Matrix, list[str]]:
    """Return what units could produce (T, G) in hours of a leap year, and what must be said of that."""
    fuels = set(network.units.fuels) & set(_WEATHER_FUELS) - told
    notices = []
    if given.weather is None or not fuels:
        notices += [f"{_listed(fuels)} may produce up to the largest output as filed in every hour"] if fuels else []
        return np.tile(network.units.p_max_mw, (len(hours), 1)), notices
    rivers = is_texas(network)
    most = available_mw(network, hours, given.weather, given.seed, texas_hydro=rivers)
    if "wind" in fuels:
        notices.append(
            "wind is a seeded synthetic model fitted to measured facts, with an assumed annual factor of "
            f"{given.weather.wind_factor:g} (seed {given.seed})"
        )
    if "solar" in fuels:
        spread = 100 * given.weather.clearness_spread
        notices.append(f"solar varies by {spread:.0f} % about measured monthly means (seed {given.seed})")
    if "hydro" in fuels:
        words = "up to its measured factor of the month" if rivers else "up to its largest output"
        notices.append(f"hydro may produce {words}")
    return most, notices


def _always_there(network: Network, told: Collection[int] = ()) -> list[str]:
    """Return what must be said of units that could run dry, where neither the tables nor a file say when.

    ``told``: units (positions) whose output a file tells.
    """
    units, found = network.units, []
    open_units = units.p_max_mw > 0.0
    open_units[list(told)] = False
    kinds = ((_UNKNOWN, "unit without a fuel", "units without a fuel"), (_STORED, "battery", "batteries"))
    for fuels, one, many in kinds:
        own = np.isin(np.array(units.fuels), fuels) & open_units
        count = int(own.sum())
        if count:
            found.append(
                f"{f'one {one}' if count == 1 else f'{count} {many}'} in the tables, {units.p_max_mw[own].sum():,.0f} "
                "MW: up to the largest output in every hour"
            )
    return found


def _told(network: Network, file: HourlyFile, hours: Integers, most: Matrix) -> list[str]:
    """Put what a file says of units into ``most`` (T, G), and return what must be said of that."""
    notices, fuels = [], np.array(network.units.fuels)
    for fuel, series in file.fleet_mw.items():
        own = np.flatnonzero(fuels == fuel)
        size = np.maximum(network.units.p_max_mw[own], 0.0)
        factor = series[hours] / size.sum()
        most[:, own] = size * np.minimum(factor, 1.0)[:, np.newaxis]
        notices.append(f"what {fuel} can produce is the file's total, shared by size of unit")
        above = int((factor > 1.0).sum())
        if above:
            notices.append(f"in {above} hours the file's {fuel} exceeds what its units can produce, and is cut to that")
    for unit, series in file.unit_mw.items():
        most[:, unit] = series[hours]
    if file.unit_mw:
        notices.append(f"the file says what {len(file.unit_mw)} units can produce")
    return notices


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What a case says of itself."""

    stamps: Stamps | None  # (T,), the start of each hour; None for a network as filed
    source: str
    notices: list[str]


def _case(network: Network, load: Matrix, most: Matrix, given: Assumptions, told: _Told) -> SitingCase:
    """Return the case of bus loads (T, B) and what units could produce (T, G)."""
    on, source, notices = network.units.in_service, told.source, list(told.notices)
    largest = np.where(on, most, 0.0)
    least = np.where(on, _least(network, largest, given.thermal), 0.0)
    fixed = np.where(network.buses.in_service, network.buses.shunt_mw, 0.0)
    demand = load * given.load_scale + fixed
    if given.load_scale != 1.0:
        source += f", loads times {given.load_scale:g}"
    kept = "the least output as filed" if given.thermal == "filed" else "0"
    notices.append(f"least outputs: 0 for wind, solar and hydro, {kept} for other units; no unit is committed")
    off = int((~on).sum())
    notices.append(f"{off} of {len(on)} units are out of service" if off else f"all {len(on)} units may run")
    notices += _out_of_balance(demand.sum(axis=1), least.sum(axis=1), largest.sum(axis=1))
    hour_of_day, labels = np.full(len(demand), _FILED_HOUR), ["as filed"]
    if told.stamps is not None:
        hour_of_day = told.stamps.astype(np.intp) % HOURS_OF_DAY + 1
        days = told.stamps.astype("datetime64[D]").astype(str).tolist()
        labels = [f"{day} hour {hour}" for day, hour in zip(days, hour_of_day.tolist(), strict=True)]
    return SitingCase(network, demand, least, largest, hour_of_day, tuple(labels), source, tuple(notices))


def _least(network: Network, largest: Matrix, thermal: Thermal) -> Matrix:
    """Return the least outputs (T, G): below 0 as filed, for units that can draw, else by the rule of the fuel."""
    units = network.units
    free = np.isin(np.array(units.fuels), _WEATHER_FUELS) | (thermal == "zero")
    return np.minimum(np.where(free, np.minimum(units.p_min_mw, 0.0), units.p_min_mw), largest)


def _out_of_balance(demand: Vector, least: Vector, largest: Vector) -> list[str]:
    found = []
    over, short = int((least > demand + _NOISE_MW).sum()), int((largest < demand - _NOISE_MW).sum())
    if over:
        found.append(
            f"in {over} of {len(demand)} hours least outputs together exceed the load: no dispatch balances them"
        )
    if short:
        found.append(f"in {short} of {len(demand)} hours the load exceeds what all units together can produce")
    return found


def _hour_of_leap_year(stamps: Stamps) -> Integers:
    """Return the hours' places in a leap year, by month, day and hour: what the weather of any year is taken from."""
    day = stamps.astype("datetime64[D]")
    year = day.astype("datetime64[Y]")
    length = ((year + 1).astype("datetime64[D]") - year.astype("datetime64[D]")).astype(np.intp)
    of_year = (day - year.astype("datetime64[D]")).astype(np.intp)
    of_year += (of_year >= _FEBRUARY_29) & (length < 366)
    found: Integers = of_year * HOURS_OF_DAY + stamps.astype(np.intp) % HOURS_OF_DAY
    return found


def _listed(fuels: set[str]) -> str:
    return ", ".join(sorted(fuels))
