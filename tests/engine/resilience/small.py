"""Small cases of placement: a feeder of six buses made here, and IEEE 33 with four sites."""

import itertools
from dataclasses import replace
from functools import lru_cache

import numpy as np

from engine.distribution.balanced import balanced
from engine.distribution.feeder import Feeder
from engine.network.tables import NetworkTables, table_of
from engine.resilience.case import Campus, Penalties, PlacementCase, Scenarios
from engine.resilience.cases import ieee33
from engine.resilience.modules import ModuleType
from engine.resilience.recourse import Recourse

BASE_MVA, KV = 10.0, 10.0
# Link, its upper and lower end, r and x in p.u., rating in MVA: the tree of `feeder`.
LINKS = (
    ("S-A", "S", "A", 0.04, 0.06, 6.0), ("A-B", "A", "B", 0.06, 0.08, 0.0), ("B-C", "B", "C", 0.08, 0.06, 1.5),
    ("A-D", "A", "D", 0.05, 0.07, 0.0), ("D-E", "D", "E", 0.09, 0.09, 0.0),
)  # fmt: skip
# Bus, its load in MW and Mvar, and what its capacitor gives at nominal voltage.
BUSES = (
    ("S", 0.0, 0.0, 0.0), ("A", 0.4, 0.2, 0.0), ("B", 0.7, 0.3, 0.25), ("C", 0.5, 0.25, 0.0), ("D", 0.0, 0.0, 0.0),
    ("E", 0.9, 0.35, 0.0),
)  # fmt: skip
SOURCE_PU, LOWEST_PU, HIGHEST_PU = 1.02, 0.97, 1.05
STORE = ModuleType("store", "storage", 0.4, 9_000.0, 3, 2, 0.6, 0.93, 0.9, 0.01, 0.7, 5.0, reactive=0.4)
ENGINE = ModuleType("engine", "generation", 0.5, 14_000.0, 2, 2, cost_per_mwh=180.0, ramp_mw_per_min=0.012,
                    delay_min=20.0, reactive=0.3)  # fmt: skip
RESPONSE = ModuleType("response", "response", 0.2, 1_500.0, 4, 2, 0.25, cost_per_mwh=150.0, payback=1.1, window_h=1.0)
TYPES = (STORE, ENGINE, RESPONSE)


@lru_cache(maxsize=1)
def feeder() -> Feeder:
    return balanced(
        NetworkTables(
            name="six buses",
            base_mva=BASE_MVA,
            buses=table_of("buses", [
                {"bus": name, "base_kv": KV, "slack": name == "S", "load_mw": mw, "load_mvar": mvar, "shunt_mvar": cap,
                 "voltage_pu": SOURCE_PU, "v_min_pu": LOWEST_PU, "v_max_pu": HIGHEST_PU}
                for name, mw, mvar, cap in BUSES
            ]),
            branches=table_of("branches", [
                {"branch": name, "from_bus": one, "to_bus": other, "resistance_pu": r, "reactance_pu": x,
                 "rating_a_mw": rating}
                for name, one, other, r, x, rating in LINKS
            ]),
            units=table_of("units", [{"unit": "S-1", "bus": "S", "p_max_mw": 20.0, "voltage_pu": SOURCE_PU}]),
        )
    )  # fmt: skip


def shocks(  # noqa: PLR0917 (one call)
    seed: int, count: int, steps: int, sizes: np.ndarray, schedule: np.ndarray, outages: tuple[int, ...] = ()
) -> Scenarios:
    """Return shocks that rise or fall at once, of probabilities that differ, the first ones with a link out."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, steps - 2, count)
    end = np.minimum(start + rng.integers(1, steps, count), steps)
    draw = np.tile(schedule, (count, steps, 1))
    for at in range(count):
        draw[at, start[at] : end[at]] = rng.uniform(0.2, 1.0, len(sizes)) * sizes
    outage = np.full(count, -1)
    outage[: len(outages)] = outages
    share = rng.uniform(0.5, 1.5, count)
    later = np.where(outage >= 0, np.minimum(end + 1, steps), end)
    return Scenarios(draw, start, end, share / share.sum(), outage, ("shock",) * count, later)


def case(seed: int = 0, count: int = 6, steps: int = 8, outages: tuple[int, ...] = (), **changes) -> PlacementCase:
    campuses = (Campus("C", 1.2, 0.3, 0.96), Campus("E", 2.0, 0.3, 0.98))
    rng = np.random.default_rng(seed + 77)
    made = PlacementCase(
        feeder=feeder(),
        load_share=rng.uniform(0.7, 1.0, steps),
        step_h=0.25,
        campuses=campuses,
        types=TYPES,
        sites=("C", "D", "E"),
        scenarios=shocks(
            seed, count, steps, np.array([each.size_mw for each in campuses]),
            np.array([each.size_mw * each.schedule_share for each in campuses]), outages,
        ),
        budget=60_000.0,
        penalties=Penalties(),
        substation_mva=4.2,
        dead_band_mw=0.1,
        ramp_mw_per_min=0.05,
    )  # fmt: skip
    return replace(made, **changes).checked()


def plan(found: PlacementCase, seed: int, *, whole: bool = True) -> np.ndarray:
    """Return a random plan within the limits of sites and inventories."""
    rng = np.random.default_rng(seed)
    most = found.most.astype(float)
    told = rng.uniform(0.0, 1.0, most.shape) * most
    if whole:
        told = np.round(told)
    for at, kind in enumerate(found.types):
        while told[at].sum() > kind.inventory:
            told[at] *= kind.inventory / told[at].sum()
            if whole:
                told[at] = np.floor(told[at])
    return told.ravel()


@lru_cache(maxsize=1)
def tiny() -> PlacementCase:
    """Two types, two sites, five shocks of six steps: 29 plans keep all limits."""
    return case(
        1, count=5, steps=6, types=(STORE, ENGINE), sites=("C", "E"), outages=(2,), events_per_year=10.0,
        budget=40_000.0,
    )  # fmt: skip


@lru_cache(maxsize=1)
def every_plan() -> tuple[np.ndarray, np.ndarray]:
    """Return all plans that keep the limits, and the cost of every shock under each."""
    found = tiny()
    counts = itertools.product(*(range(most + 1) for most in found.most.ravel().tolist()))
    plans = np.array([each for each in counts if found.allowed(np.array(each, dtype=float).reshape(2, 2))], dtype=float)
    of = Recourse(found)
    return plans, np.array([[of.solve(at, each).cost for at in range(5)] for each in plans])


def small_ieee33(scenarios: int = 8, steps: int = 10, **changes) -> PlacementCase:
    made = ieee33(scenarios=scenarios, steps=steps, seed=3)
    return replace(made, sites=("14", "25", "30", "18"), **changes).checked()
