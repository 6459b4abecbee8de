"""Worked cases: a day of a test feeder with data centres, generators and static var generators.

The feeders are the library's. Everything that is put on them here is our own assumption, synthetic and stated:
``WorkedCase.assumptions`` says it for one case, with the rules that scale the devices from feeder to feeder.

    price    a base of 40 $/MWh with peaks at 8 and 19 h of 18 and 36 $/MWh, 2.2 and 2.8 hours wide, 2 % of noise
    loads    0.42 of the table power with peaks at 9 and 19 h of 0.30 and 0.48, 3 and 3.2 hours wide, 1 % of noise;
             no more than 1
    sun      sin(pi (h - 6) / 12) between 6 and 18 h, times clouds between 0.7 and 1

all Gaussian in the hours' distance around the clock, drawn with one seed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from engine.distribution import library
from engine.distribution.case import FeederCase
from engine.distribution.feeder import Compensator, DataCentre, Feeder, Generator, Line, Transformer
from engine.distribution.frames import Matrix, Vector
from engine.distribution.opendss import Dispatch, ac_flow
from engine.distribution.workload import Workload, seeded
from engine.errors import NetworkDataError, SolverError

HOURS = 24
_INTERACTIVE, _BATCH = 0.4, 0.16  # of what the centres could do in the day
_KW_PER_WORK, _IDLE = 1.0, 0.15  # a unit of work is a kWh of computers; idle draw as a share of the most
_GAS_SHARE, _SUN_SHARE = 0.15, 0.15  # of the feeder's table load, each generator
_PUE, _POWER_FACTOR = 1.2, 0.95
PLANNED, SPARE = 1.0, 1.05  # draw of centres that lines are planned for, as a share, and what they carry more
_STEP_A, _STEP_KVA = 5.0, 50.0
_LIGHT = 0.2  # of the plan: capacitors then load lines more than full load does


@dataclass(frozen=True, slots=True)
class Places:
    """Where devices stand on a feeder of the library, and what limits its scenario has."""

    centres: tuple[str, ...]
    gas: tuple[str, ...]
    sun: tuple[str, ...]
    compensators: tuple[str, ...]
    centre_share: float  # of the feeder's table load, each centre at its most
    compensator_share: float  # of it, each compensator on each phase
    v_min_pu: float
    v_max_pu: float
    phases: str = "abc"
    raise_share: float = 1.0  # of what the published ratios of regulators raise the voltage by
    tight: tuple[tuple[str, float], ...] = ()  # lines rated below the plan, and at what share of it


PLACES: dict[str, Places] = {
    "ieee37": Places(("740", "724", "732"), ("737", "720"), ("734",), ("741", "724", "732"), 0.38, 0.06, 0.95, 1.05,
                     tight=(("703-730", 0.62),)),
    "ieee13": Places(("675", "680", "633"), ("671", "633"), ("680",), ("675", "680"), 0.12, 0.04, 0.95, 1.10),
    "ieee34": Places(("848", "840", "830"), ("848", "830"), ("836",), ("848", "840"), 0.05, 0.03, 0.90, 1.10,
                     raise_share=0.65),
    "ieee123": Places(("66", "300", "83"), ("67", "51"), ("108",), ("66", "300", "83"), 0.16, 0.03, 0.95, 1.08),
    "two-bus": Places(("load",), ("load",), (), ("load",), 0.5, 0.3, 0.90, 1.05, "a"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """24 hours of shares and prices."""

    price_per_mwh: Vector  # (24,)
    load_share: Vector  # (24,)
    sun_share: Vector  # (24,)


@dataclass(frozen=True, slots=True, eq=False)
class WorkedCase:
    """A case ready to be asked about, its work, and everything that was assumed for it."""

    key: str
    case: FeederCase
    workload: Workload
    assumptions: tuple[str, ...]


def day(seed: int = 0) -> Day:
    """Return the synthetic day, the same for the same seed."""
    rng = np.random.default_rng(seed)
    clock = np.arange(HOURS, dtype=np.float64)
    price = 40.0 + 18.0 * _bump(clock, 8.0, 2.2) + 36.0 * _bump(clock, 19.0, 2.8)
    load = 0.42 + 0.30 * _bump(clock, 9.0, 3.0) + 0.48 * _bump(clock, 19.0, 3.2)
    sun = np.clip(np.sin(math.pi * (clock - 6.0) / 12.0), 0.0, None)
    sun[(clock < 6.0) | (clock > 18.0)] = 0.0
    noisy: Vector = price * rng.normal(1.0, 0.02, HOURS)
    drawn: Vector = np.minimum(load * rng.normal(1.0, 0.01, HOURS), 1.0)
    shone: Vector = sun * rng.uniform(0.7, 1.0, HOURS)
    return Day(noisy.round(2), drawn.round(4), shone.round(4))


def _bump(clock: Vector, at: float, width: float) -> Vector:
    away = np.abs(clock - at)
    away = np.minimum(away, HOURS - away)
    return np.asarray(np.exp(-0.5 * (away / width) ** 2), dtype=np.float64)


@lru_cache(maxsize=len(PLACES))
def furnished(key: str) -> Feeder:
    """Return the feeder of the library with the devices, ratings and limits of its worked case.

    Ratings are found by AC power flow. Raises NetworkDataError for a key that the library does not have.
    """
    return rated(placed(key), dict(_places(key).tight))


def usual_centre(name: str, bus: str, most_kw: float, phases: str) -> DataCentre:
    """Return a data centre like those of the worked cases that draws ``most_kw`` at full work."""
    units = most_kw / _PUE * (1.0 - _IDLE) / _KW_PER_WORK
    idle = round(most_kw / _PUE * _IDLE, 1)
    return DataCentre(name, bus, idle, _KW_PER_WORK, round(units, 1), _PUE, _POWER_FACTOR, phases)


@lru_cache(maxsize=len(PLACES))
def placed(key: str) -> Feeder:
    """Return the same without ratings, and so without AC power flow: all that edits and the drawing need.

    Raises NetworkDataError for a key that the library does not have.
    """
    feeder, places = library.load(key), _places(key)
    total = sum(row.kw for row in feeder.loads)
    most = round(places.centre_share * total)
    gas, sun = round(_GAS_SHARE * total), round(_SUN_SHARE * total)
    return replace(
        feeder,
        centres=tuple(
            usual_centre(f"centre {bus}", bus, most, places.phases) for bus in places.centres
        ),
        generators=(
            *(Generator(f"gas {bus}", bus, gas, places.phases, q_min_kvar=-0.3 * gas, q_max_kvar=0.3 * gas,
                        s_kva=1.05 * gas, cost_per_mwh=62.0 + 6.0 * at, slope_per_mw2h=30.0)
              for at, bus in enumerate(places.gas)),
            *(Generator(f"sun {bus}", bus, sun, places.phases) for bus in places.sun),
        ),
        compensators=tuple(
            Compensator(f"SVG {bus}", bus, round(places.compensator_share * total), places.phases)
            for bus in places.compensators
        ),
        regulators=tuple(
            replace(row, ratios=tuple(1.0 + places.raise_share * (ratio - 1.0) for ratio in row.ratios))
            for row in feeder.regulators
        ),
        v_min_pu=places.v_min_pu,
        v_max_pu=places.v_max_pu,
    )  # fmt: skip


def rated(feeder: Feeder, tight: Mapping[str, float] | None = None) -> Feeder:
    """Return the feeder with a rating on every line that has none: what its plan of full load needs.

    The plan is the table load with every data centre at a share of its most (:data:`PLANNED`) and no generator; lines
    carry their largest current there, and at a fifth of it, times :data:`SPARE`, rounded up.
    Transformers too small for the plan are made larger with the same ohms; ``tight`` lines are rated at a share of
    their plan. Raises SolverError if one of the two has no AC solution.
    """
    most = np.array([row.most_kw for row in feeder.centres])
    flow, light = (ac_flow(feeder, Dispatch(share, centre_kw=share * PLANNED * most)) for share in (1.0, _LIGHT))
    if not (flow.converged and light.converged):
        raise SolverError(f"feeder {feeder.name!r} has no AC solution at the load that its lines are planned for")
    amperes = {
        link.name: float(np.nanmax(np.abs(rows)))
        for link, rows in zip(feeder.links, np.hstack([flow.current_a, light.current_a]), strict=True)
    }
    lines = tuple(
        row if row.rating_a is not None
        else replace(row, rating_a=max(1.0, math.ceil(_carried(row, amperes, tight) / _STEP_A)) * _STEP_A)
        for row in feeder.lines
    )  # fmt: skip
    kva = {
        link.name: float(np.nanmax(np.abs(row))) * len(link.phases)
        for link, row in zip(feeder.links, flow.from_kva, strict=True)
    }
    transformers = tuple(_enlarged(row, SPARE * kva[row.name]) for row in feeder.transformers)
    return replace(feeder, lines=lines, transformers=transformers)


def _carried(row: Line, amperes: Mapping[str, float], tight: Mapping[str, float] | None) -> float:
    return SPARE * amperes[row.name] * (tight or {}).get(row.name, 1.0)


def _enlarged(row: Transformer, kva: float) -> Transformer:
    wanted = math.ceil(kva / _STEP_KVA) * _STEP_KVA
    if wanted <= row.kva:
        return row
    return replace(row, kva=wanted, r_pu=row.r_pu * wanted / row.kva, x_pu=row.x_pu * wanted / row.kva)


def availability(feeder: Feeder, sun_share: Vector) -> Matrix:
    """Return (T, G) what generators may give: the sun's share for those that cost nothing, all for the others."""
    free = np.array([is_free(row) for row in feeder.generators], dtype=bool)
    return np.where(free[np.newaxis, :], sun_share[:, np.newaxis], 1.0)


def is_free(row: Generator) -> bool:
    """Return whether a generator's energy costs nothing: it is taken to follow the sun."""
    return row.cost_per_mwh == 0.0 and row.slope_per_mw2h == 0.0


def workload_of(feeder: Feeder, hours: int = HOURS, seed: int = 0) -> Workload:
    """Return the seeded work of a feeder's data centres; see :func:`engine.distribution.workload.seeded`."""
    most = sum(row.work_cap for row in feeder.centres)
    return seeded(most, hours=hours, seed=seed, interactive=_INTERACTIVE, batch=_BATCH)


def worked_case(key: str = "ieee37", seed: int = 0) -> WorkedCase:
    """Return the worked case of a feeder of the library. Raises NetworkDataError for a key that is not there."""
    feeder, today = furnished(key), day(seed)
    labels = tuple(f"{hour:02d}:00" for hour in range(HOURS))
    case = FeederCase.of(feeder, today.price_per_mwh, today.load_share, availability(feeder, today.sun_share), labels)
    return WorkedCase(key, case, workload_of(feeder, seed=seed), assumptions(key, seed))


def assumptions(key: str, seed: int = 0) -> tuple[str, ...]:
    """Return what was assumed for a worked case, in sentences."""
    places, feeder = _places(key), placed(key)
    total = sum(row.kw for row in feeder.loads)
    told: list[Any] = [
        f"Prices, load shares, sun and work are synthetic, made with seed {seed}; they are of no real day.",
        f"{len(places.centres)} data centre(s) at {', '.join(places.centres)}, each {places.centre_share:.0%} of the "
        f"{total:,.0f} kW of the table's loads at its most, PUE {_PUE:g}, power factor {_POWER_FACTOR:g} lagging, "
        f"{_IDLE:.0%} of it drawn without work.",
        f"Work: {_INTERACTIVE:.0%} of what they could do in the day arrives by the hour, {_BATCH:.0%} is batch jobs "
        "with release and deadline.",
        f"Gas generators of {_GAS_SHARE:.0%} of the loads at {', '.join(places.gas)}, 62 and 68 $/MWh for the first "
        "MWh and 30 $/MWh dearer each MW, at least 0.95 power factor at full output.",
        f"Static var generators at {', '.join(places.compensators)}, each {places.compensator_share:.0%} of the loads "
        "in kvar on each phase or pair.",
        f"Lines without a rating carry {SPARE:g} times their current at full load with every centre at "
        f"{PLANNED:.0%}, rounded up to {_STEP_A:g} A; transformers too small for that are larger, with the same ohms.",
        f"Voltages between {places.v_min_pu:g} and {places.v_max_pu:g} p.u.; regulators raise by "
        f"{places.raise_share:.0%} of what the published ratios do, and stay there.",
    ]
    told += [
        f"Line {name} is rated at {share:.0%} of that, so that it binds in some hours." for name, share in places.tight
    ]
    if places.sun:
        told.append(f"A solar plant of {_SUN_SHARE:.0%} of the loads at {', '.join(places.sun)}, free of cost.")
    return tuple(told)


def _places(key: str) -> Places:
    library.named(key)
    try:
        return PLACES[key]
    except KeyError:
        raise NetworkDataError(f"feeder {key!r} of the library has no worked case") from None
