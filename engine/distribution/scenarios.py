"""How likely a schedule breaks a limit: seeded scenarios of work and sun, each solved in AC.

The operator's set points of dispatchable and static var generators stay as they are and the substation makes up the
rest. Work of all centres together is off by a factor that remembers 0.8 of the hour before, each centre's by a factor
of its own; the sun by a factor that remembers as much. Factors are normal around 1, cut at 0; draws stay between idle
and full, the sun below what its plants can give. Sources of ours: none of the numbers is measured.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.distribution.ac_limits import beyond
from engine.distribution.case import FeederCase
from engine.distribution.cases import is_free
from engine.distribution.dso import DsoResult
from engine.distribution.frames import Matrix, Vector
from engine.distribution.opendss import Dispatch, ac_flow
from engine.errors import QuestionError

_MEMORY, _OWN = 0.8, 0.5  # of the hour before; of the deviation, that is each centre's own
_WILSON = 1.96  # of a 95 % interval


@dataclass(frozen=True, slots=True, eq=False)
class ScenarioCheck:
    """What S scenarios of T hours found; chances are shares of the scenarios."""

    count: int
    seed: int
    voltage_chance: Matrix  # (T, B, 3), of a bus's member outside the limits; 0 where there is none
    line_chance: Matrix  # (T, M), of a link above its rating
    hour_chance: Vector  # (T,), of anything broken
    day_chance: float  # of anything broken in any hour
    interval: tuple[float, float]  # of the day's chance, 95 % (Wilson)
    failed: int  # AC flows without a solution; each counts as broken
    lowest_pu: Matrix  # (S, T), nan without a solution
    highest_pu: Matrix  # (S, T)


def draws(  # noqa: PLR0913 (one call)
    case: FeederCase,
    result: DsoResult,
    count: int,
    seed: int,
    deviations: tuple[float, float],
    *,
    battery_mw: Matrix | None = None,
) -> tuple[Matrix, Matrix]:
    """Return what centres draw (S, T, C) and generators give (S, T, G) in the scenarios, kW.

    ``deviations`` are the standard deviations of work and sun as shares; ``battery_mw`` (T, C) is what of the draws
    goes into batteries, as planned.
    """
    rng = np.random.default_rng(seed)
    hours, centres, generators = case.hours, case.feeder.centres, case.feeder.generators
    work, sun = deviations
    common = _walks(rng, (count, hours))[:, :, np.newaxis]
    own = rng.normal(size=(count, hours, len(centres)))
    factor = np.maximum(1.0 + work * (math.sqrt(1.0 - _OWN**2) * common + _OWN * own), 0.0)
    idle = np.array([row.pue * row.idle_kw for row in centres])
    most = np.array([row.most_kw for row in centres])
    stored = np.zeros(result.centre_mw.shape) if battery_mw is None else battery_mw
    planned = 1000.0 * (result.centre_mw - stored)
    drawn = np.minimum(idle + (planned - idle) * factor, most) + 1000.0 * (stored + result.battery_mw)
    light = np.maximum(1.0 + sun * _walks(rng, (count, hours)), 0.0)[:, :, np.newaxis]
    given = 1000.0 * result.generator_mw
    free = np.array([is_free(row) for row in generators], dtype=bool)
    most_given = np.array([row.p_max_kw for row in generators])
    shone = np.minimum(given * light, most_given)
    return drawn, np.where(free, shone, np.broadcast_to(given, shone.shape))


def scenario_check(  # noqa: PLR0913 (all but the first two by name)
    case: FeederCase,
    result: DsoResult,
    *,
    count: int,
    seed: int = 0,
    deviations: tuple[float, float] = (0.1, 0.25),
    battery_mw: Matrix | None = None,
    tick: Callable[[], None] | None = None,
) -> ScenarioCheck:
    """Return the chance that the schedule of ``result`` breaks a limit in AC; ``tick`` is called before each flow.

    Raises QuestionError for no scenarios or a deviation outside 0 to 1.
    """
    if count < 1:
        raise QuestionError(f"the number of scenarios is {count}; it must be at least 1")
    if not all(0.0 <= value <= 1.0 for value in deviations):
        raise QuestionError(f"the deviations are {deviations[0]:g} and {deviations[1]:g}; they must be between 0 and 1")
    feeder, hours = case.feeder, case.hours
    drawn, given = draws(case, result, count, seed, deviations, battery_mw=battery_mw)
    compensated = compensator_kvar(result)
    voltage = np.zeros((hours, len(feeder.buses), 3))
    lines = np.zeros((hours, len(feeder.links)))
    broken = np.zeros((count, hours), dtype=bool)
    lowest, highest = np.full((2, count, hours), np.nan)
    failed = 0
    for each in range(count):
        for hour in range(hours):
            if tick is not None:
                tick()
            flow = ac_flow(feeder, Dispatch(
                case.load_share[hour], given[each, hour], 1000.0 * result.generator_mvar[hour],
                compensated[hour], drawn[each, hour],
            ))  # fmt: skip
            if not flow.converged:
                failed += 1
                broken[each, hour] = True
                continue
            out, over = beyond(flow)
            voltage[hour] += out
            lines[hour] += over
            broken[each, hour] = bool(out.any() or over.any())
            lowest[each, hour] = np.nanmin(flow.magnitude_pu)
            highest[each, hour] = np.nanmax(flow.magnitude_pu)
    bad = int(broken.any(axis=1).sum())
    return ScenarioCheck(
        count, seed, voltage / count, lines / count, broken.mean(axis=0), bad / count, wilson(bad, count), failed,
        lowest, highest,
    )  # fmt: skip


def compensator_kvar(result: DsoResult) -> Matrix:
    """Return (T, S, 3) what static var generators give, by member of the frame."""
    feeder = result.frame.feeder
    found = np.zeros((len(result.supply_mw), len(feeder.compensators), 3))
    for column, (at, node) in enumerate(
        zip(result.compensator.tolist(), result.compensator_node.tolist(), strict=True)
    ):
        found[:, at, feeder.frame.index(result.frame.nodes[node][1])] += 1000.0 * result.compensator_mvar[:, column]
    return found


def wilson(bad: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share. Source: Wilson, J. Am. Stat. Assoc. 22, 1927."""
    share, z = bad / count, _WILSON
    middle = share + z * z / (2.0 * count)
    half = z * math.sqrt(share * (1.0 - share) / count + z * z / (4.0 * count * count))
    scale = 1.0 + z * z / count
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def _walks(rng: np.random.Generator, shape: tuple[int, int]) -> Matrix:
    """Return rows of a stationary walk of unit deviation that remembers the hour before."""
    noise = rng.normal(size=shape)
    found = noise.copy()
    for hour in range(1, shape[1]):
        found[:, hour] = _MEMORY * found[:, hour - 1] + math.sqrt(1.0 - _MEMORY**2) * noise[:, hour]
    return found
