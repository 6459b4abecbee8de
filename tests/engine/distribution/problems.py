"""Problems of coordination that several tests solve, each made once."""

from functools import lru_cache

import numpy as np

from engine.distribution.case import FeederCase
from engine.distribution.coordination import Coordination, Outcome
from engine.distribution.price_taker import Equilibrium, price_taker
from engine.distribution.region_program import all_regions, by_regions
from engine.distribution.regions import HourRegions
from engine.distribution.workload import BatchJob, Workload
from tests.engine.distribution.days import LOADS, PRICES, two_centres

# Smallest voltage, work in the hour: limits are kept; must be exceeded for some choices; are exceeded by all.
HOURS = [(0.985, 450.0), (0.99, 450.0), (0.985, 600.0)]


@lru_cache
def hour(v_min_pu: float, work: float) -> Coordination:
    case = FeederCase.of(two_centres(v_min_pu=v_min_pu), [45.0])
    return Coordination.of(case, Workload(np.array([work])))


@lru_cache
def regions(v_min_pu: float, work: float) -> tuple[HourRegions, ...]:
    return all_regions(hour(v_min_pu, work))


@lru_cache
def short_day() -> Coordination:
    case = FeederCase.of(two_centres(), PRICES[16:19] / 1.3, LOADS[16:19])
    return Coordination.of(case, Workload(np.full(3, 250.0), (BatchJob("train", 0, 2, 500.0),)))


@lru_cache
def day_regions() -> tuple[HourRegions, ...]:
    return all_regions(short_day())


@lru_cache
def day_optimum() -> Outcome:
    return by_regions(short_day(), day_regions())


@lru_cache
def equilibrium() -> Equilibrium:
    return price_taker(short_day())


def line(problem: Coordination, count: int) -> np.ndarray:
    """Draws (count, 2) that do the work of the one hour, from end to end."""
    fleet = problem.fleet
    lower, upper = fleet.box()
    per_work = fleet.matrix.toarray()[0, :2]
    first = np.linspace(lower[0, 0], upper[0, 0], count)
    second = (fleet.row_lower[0] - per_work[0] * first) / per_work[1]
    keep = (second >= lower[0, 1] - 1e-9) & (second <= upper[0, 1] + 1e-9)
    return np.column_stack([first, second])[keep]
