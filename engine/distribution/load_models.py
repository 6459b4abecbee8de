"""How a schedule depends on what its loads keep at another voltage: power, current or impedance.

An answer takes one of them for each load. Here the same set points are solved in AC once more with other models, and
the operator's problem once at each of these solutions: what voltages, limits and the bill would be.
Constant power, current and impedance are the three parts of a ZIP load. Source: IEEE Task Force on Load
Representation, "Load representation for dynamic performance analysis", IEEE Trans. Power Syst. 8(2), 1993.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from engine.distribution.ac_limits import broken
from engine.distribution.case import FeederCase
from engine.distribution.corrected import ac_hour, frame_phasors
from engine.distribution.dso import dispatch
from engine.distribution.feeder import Feeder
from engine.distribution.frames import Draws, Frame, Phasors
from engine.distribution.linear import Point
from engine.distribution.losses import ac_point
from engine.distribution.metrics import bills
from engine.distribution.tightening import Checked
from engine.errors import CancelledError, EngineError

# Each load by its row; all loads of constant power; of constant current; of constant impedance.
MODELS = ("own", "power", "current", "impedance")
Models = tuple[str, ...]  # of the loads, in the feeder's order


def with_models(feeder: Feeder, models: Models) -> Feeder:
    """Return ``feeder`` with its loads of ``models``."""
    loads = tuple(replace(row, model=model) for row, model in zip(feeder.loads, models, strict=True))  # type: ignore[arg-type]
    return replace(feeder, loads=loads)


def load_models(case: FeederCase, checked: Checked, own: Models, tick: Callable[[], None]) -> dict[str, Any]:
    """Return what other models make of the answer, as JSON; ``tick`` is called before every AC solution.

    ``own`` are those of the rows of the loads. Models that are the answer's own, or alike, are left out. Without an AC
    solution there is a "failure", without prices a "bill" of None.
    """
    bill = float(bills(checked.result).total_per_h.sum())
    count = len(case.feeder.loads)
    tried = {name: own if name == "own" else (name,) * count for name in MODELS}
    known: list[Models] = [tuple(row.model for row in case.feeder.loads)]
    told = []
    for name, models in tried.items():
        if models not in known:
            known.append(models)
            told.append({"model": name, **_told(case, checked, models, tick)})
    return {
        "broken": broken(checked.flows), "bill": bill, "models": told,
    }  # fmt: skip


def _told(case: FeederCase, checked: Checked, models: Models, tick: Callable[[], None]) -> dict[str, Any]:
    asked = replace(case, feeder=with_models(case.feeder, models))
    flows = []
    try:
        for hour in range(case.hours):
            tick()
            flows.append(ac_hour(asked, checked.result, hour))
    except CancelledError:
        raise
    except EngineError as error:
        return {"failure": str(error)}
    phasors = np.array([frame_phasors(checked.result.frame, flow) for flow in flows])
    change = np.abs(phasors) - np.abs(checked.phasors)
    hour, node = (int(at) for at in np.unravel_index(int(np.abs(change).argmax()), change.shape))
    bus, member = checked.result.frame.nodes[node]
    return {
        "failure": "", "change_pu": float(change[hour, node]), "hour": hour, "bus": bus, "member": member,
        "broken": broken(flows), "bill": _bill(asked, checked, models, phasors),
    }  # fmt: skip


def _bill(asked: FeederCase, checked: Checked, models: Models, phasors: Phasors) -> float | None:
    """Return the bill of the same draws at prices of the operator's problem at the AC ``phasors`` (T, N), $."""
    again = replace(checked.case, feeder=with_models(checked.case.feeder, models))
    try:
        found = dispatch(again, 1000.0 * checked.result.centre_mw, checked.options, _points(asked, checked, phasors))
    except EngineError:
        return None
    return float(bills(found).total_per_h.sum())


def _points(asked: FeederCase, checked: Checked, phasors: Phasors) -> tuple[Point, ...]:
    frame = Frame.of(asked.feeder)
    draws = Draws.of(frame, (*asked.feeder.loads, *asked.feeder.capacitors))
    withdrawn = checked.result.withdrawal_mva()
    return tuple(
        ac_point(frame, draws, asked.draw_scale(hour), withdrawn[hour], each).point for hour, each in enumerate(phasors)
    )
