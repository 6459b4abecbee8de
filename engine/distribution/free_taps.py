"""The answer's set points in AC with regulators that move their taps: the answer itself keeps their ratios."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.distribution.ac_limits import broken
from engine.distribution.corrected import ac_hour, frame_phasors
from engine.distribution.frames import Phasors
from engine.distribution.prepare import Prepared
from engine.distribution.tightening import Checked


def free_taps(prepared: Prepared, checked: Checked, tick: Callable[[], None]) -> tuple[Phasors, dict[str, Any]]:
    """Return AC (T, N) with regulators that move their taps; as JSON the ratios they end at, and limits then exceeded.

    ``tick`` is called before every AC solution. Raises what that raises.
    """
    case, result = prepared.case, checked.result
    if prepared.question.regulators != "free":
        return np.zeros((0, result.frame.size), dtype=np.complex128), {}
    flows = []
    for hour in range(case.hours):
        tick()
        flows.append(ac_hour(case, result, hour, move_taps=True))
    moved = np.array([frame_phasors(result.frame, flow) for flow in flows])
    off = np.abs(np.abs(moved) - np.abs(checked.phasors)).max()
    ratios = [[list(each) for each in flow.ratios] for flow in flows]
    return moved, {"ratios": ratios, "largest_change_pu": float(off), "broken": broken(flows)}
