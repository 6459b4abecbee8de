"""Operating envelopes of large loads: what share of the nameplate is drawn in each hour of the day.

Source: equations (1) to (3) of arXiv 2605.14714. Firm draws ``u`` all day; pause draws ``(1 - depth) u`` in the peak
hours; shift does so too and makes the energy up in the other hours, ``(1 + make_up) u``.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.network.model import Integers, Vector

HOURS_OF_DAY = 24
PEAK_HOURS = (16, 17, 18, 19)  # counted from 1
UTILISATION = 0.80
PAUSE_DEPTH, SHIFT_DEPTH = 0.15, 0.20
RAMP_SHARE = 0.20  # of the nameplate, from one hour to the next, midnight too
Kind = Literal["firm", "pause", "shift", "own"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a load of one nameplate may draw in the 24 hours of a day."""

    name: str
    kind: Kind
    share: tuple[float, ...]  # (24,), of the nameplate, hour 1 first
    utilisation: float = UTILISATION
    peak_hours: tuple[int, ...] = PEAK_HOURS
    depth: float = 0.0  # of the utilisation, less in the peak hours
    make_up: float = 0.0  # of the utilisation, more in the other hours
    ramp_share: float = RAMP_SHARE

    def level_mw(self, nameplate_mw: float, hour_of_day: Integers) -> Vector:
        """Return what is drawn in hours of the day (T,), 1 to 24, MW."""
        return nameplate_mw * np.array(self.share)[np.asarray(hour_of_day) - 1]


def standard(kind: Kind, *, utilisation: float = UTILISATION, depth: float | None = None) -> Envelope:
    """Return the firm, pause or shift envelope; shift makes up all the energy that it leaves out in the peak."""
    depths = {"firm": 0.0, "pause": PAUSE_DEPTH, "shift": SHIFT_DEPTH}
    used = depths[kind] if depth is None else depth
    peak = len(PEAK_HOURS)
    make_up = used * peak / (HOURS_OF_DAY - peak) if kind == "shift" else 0.0
    hours = np.arange(1, HOURS_OF_DAY + 1)
    share = np.where(np.isin(hours, PEAK_HOURS), 1.0 - used, 1.0 + make_up) * utilisation
    return Envelope(kind, kind, tuple(share.tolist()), utilisation, PEAK_HOURS, used, make_up)
