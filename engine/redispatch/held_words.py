"""What no dispatch keeps before any addition, in words: each limit that is held, by how much, in how many states."""

from dataclasses import dataclass, replace

import numpy as np

from engine.capacity.results import Limit, OverLimit
from engine.redispatch.limits import NO_OUTAGE
from engine.redispatch.recourse import Recourse

ALL_UNITS = "all units at their largest outputs"


@dataclass(slots=True)
class _Worst:
    """One limit over all states: where it is exceeded most, and in how many it is."""

    limit: Limit
    over_mw: float
    scenario: int
    key: tuple[int, int, int] | None  # of the side, None for all units
    scenarios: set[int]
    outages: set[int]


def over_at_zero(recourse: Recourse) -> tuple[OverLimit, ...]:
    """Return the limits that are held in some state, each where it is exceeded most, the worst first.

    Of one limit after several outages the worst outage is listed, and the others are counted.
    """
    found: dict[tuple[int, int, bool] | None, _Worst] = {}
    for scenario in recourse.raised:
        for limit, over, key in _held(recourse, scenario):
            row, outage, sign = key or (-1, NO_OUTAGE, 1)
            group = key and (row, sign, outage == NO_OUTAGE)
            worst = found.setdefault(group, _Worst(limit, over, scenario, key, set(), set()))
            worst.scenarios.add(scenario)
            worst.outages.add(outage)
            if over > worst.over_mw:
                worst.limit, worst.over_mw, worst.scenario, worst.key = limit, over, scenario, key
    rows = [_row(recourse, worst) for worst in found.values()]
    return tuple(sorted(rows, key=lambda row: -row.over_mw))


def held_limits(recourse: Recourse, scenario: int) -> list[tuple[Limit, float]]:
    """Return the limits that are held in one state, each with the MW by which it is exceeded there at best."""
    return [(limit, over) for limit, over, _ in _held(recourse, scenario)]


def _held(recourse: Recourse, scenario: int) -> list[tuple[Limit, float, tuple[int, int, int] | None]]:
    raised, state = recourse.raised[scenario], recourse.scenarios.state(scenario)
    found: list[tuple[Limit, float, tuple[int, int, int] | None]] = []
    for place, (key, over) in enumerate(zip(raised.sides.keys(), raised.sides_mw.tolist(), strict=True)):
        limit = recourse.limits.limit(raised.sides.at(np.array([place])))
        found.append((replace(limit, row=-1, kind="cut"), over, key))
    if raised.units_mw.any():
        most = float(state.largest_mw.sum())
        found.append((Limit(-1, "cut", "", ALL_UNITS, most), float(state.demand_mw.sum()) - most, None))
    return found


def _row(recourse: Recourse, worst: _Worst) -> OverLimit:
    limit, over, state = worst.limit, worst.over_mw, recourse.scenarios.labels[worst.scenario]
    said = "load is above" if worst.key is None else "no dispatch keeps"
    words = (
        f"{said} {limit.words} in {state}, before any addition: "
        f"at best {limit.limit_mw + over:,.1f} MW against {limit.limit_mw:,.1f} MW"
    )
    also = [
        f"in {len(worst.scenarios) - 1} more states" if len(worst.scenarios) > 1 else "",
        f"after {len(worst.outages) - 1} more outages" if len(worst.outages) > 1 else "",
    ]
    more = " and ".join(part for part in also if part)
    words += f" (and {more})" if more else ""
    reached = any(
        (cut.slope > 0.0).any() and (worst.key is None or worst.key in cut.proof.sides.keys())  # noqa: SIM118 (no mapping)
        for cut in recourse.cuts
        if cut.scenario == worst.scenario
    )
    return OverLimit(limit, 0.0, limit.limit_mw + over, over, state, reached, words)
