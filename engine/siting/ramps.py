"""The profile nearest to an envelope's that keeps its ramp bound: a small quadratic program.

    minimise the sum over hours of (share - target)^2
    subject to |share(h) - share(h - 1)| <= ramp, midnight too; 0 <= share <= 1; in peak hours share <= target;
               and, for a shift, the energy of the target

A one-hour step of shift needs ``u (depth + make-up) <= ramp``: deeper ones are spread over the hours beside the peak.
"""

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, eye_array, vstack

from engine.errors import InfeasibleError
from engine.program import LinearProgram, Status, solve
from engine.siting.case import HOURS_OF_DAY
from engine.siting.envelopes import Envelope, hours_words

_CLEAN = 9  # digits of a share: what the solver leaves beyond them is rounding


def repaired(broken: Envelope) -> Envelope:
    """Return the envelope itself if its ramp is kept, else the nearest that keeps it, as an own envelope.

    A shift keeps its daily energy, and whatever the kind, a peak hour never draws more than asked for. Raises
    InfeasibleError if no profile does all this (as when the ramp is too slow to leave the peak at all).
    """
    target = np.array(broken.share)
    if np.abs(broken.steps()).max() <= broken.ramp_share + 1e-9 and target.min() >= 0.0 and target.max() <= 1.0:
        return broken
    peak = np.isin(np.arange(1, HOURS_OF_DAY + 1), broken.peak_hours)
    each = eye_array(HOURS_OF_DAY, format="csr")
    before = csr_array(np.roll(np.eye(HOURS_OF_DAY), -1, axis=1))  # row h picks the hour before h
    energy = csr_array(np.ones((1, HOURS_OF_DAY)))
    keeps_energy = broken.kind == "shift"
    total = float(target.sum())
    found = solve(
        LinearProgram(
            cost=-2.0 * target,
            matrix=csr_array(vstack([csr_array(each - before), energy], format="csr")),
            row_lower=np.append(np.full(HOURS_OF_DAY, -broken.ramp_share), total if keeps_energy else -np.inf),
            row_upper=np.append(np.full(HOURS_OF_DAY, broken.ramp_share), total if keeps_energy else np.inf),
            lower=np.zeros(HOURS_OF_DAY),
            upper=np.where(peak, np.minimum(target, 1.0), 1.0),
            quadratic=np.full(HOURS_OF_DAY, 2.0),
            offset=float(target @ target),
        )
    )
    if found.status is Status.INFEASIBLE:
        raise InfeasibleError(
            f"envelope {broken.name!r}: no profile within {100 * broken.ramp_share:g} % an hour stays at or below what "
            f"it asks for in hours {hours_words(broken.peak_hours)}"
            + (f" and draws {total:.2f} times the nameplate in MWh a day" if keeps_energy else "")
        )
    share = tuple(np.round(found.optimum().x, _CLEAN).clip(0.0, 1.0).tolist())
    return replace(broken, kind="own", share=share)
