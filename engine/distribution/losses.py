"""The operating point of an AC solution, which gives the linear flow its angles, voltages and losses.

Only the phasors of the nodes are taken from outside. Currents follow from them: each load's by its own model, then
summed from the ends of the feeder to the source, so that short lines and switches lose no digits. The voltages that
these currents make across each branch are then compared with the phasors: a solution of another feeder is refused.
"""

from dataclasses import dataclass

import numpy as np

from engine.distribution.frames import Complex, Draws, Frame, Phasors, Vector
from engine.distribution.linear import Point
from engine.errors import NetworkDataError

# P.u. of voltage that the branches' own equations may miss the phasors by. An AC program that models ideal stages and
# switches by small impedances differs by some 1e-5.
_FIT = 2e-3


@dataclass(frozen=True, slots=True, eq=False)
class AcPoint:
    """An operating point, with what the AC solution says of flows and losses."""

    point: Point
    misfit_pu: float  # largest distance between the phasors and the branches' own equations
    loss_mva: complex  # of all branches
    supply_mva: Complex  # (roots,), what the source gives


def ac_point(frame: Frame, draws: Draws, scale: Vector, withdrawal_mva: Complex, phasors: Phasors) -> AcPoint:
    """Return the point of AC ``phasors`` (N,) with draws ``scale`` (n,) times nominal and devices' withdrawals (N,).

    Raises NetworkDataError if a phasor is missing or zero, or if they do not fit this feeder and these loads: the
    message names the worst branch.
    """
    if not np.isfinite(phasors).all() or (np.abs(phasors) < 1e-3).any():
        at = int(np.argmax(~np.isfinite(phasors) | (np.abs(phasors) < 1e-3)))
        bus, label = frame.nodes[at]
        raise NetworkDataError(f"the AC solution has no voltage on {label} of bus {bus}")
    current = _drawn_current(frame, draws, scale, withdrawal_mva, phasors)
    flow = np.zeros(frame.size - frame.roots, dtype=np.complex128)
    loss, misfit, worst = 0.0 + 0.0j, 0.0, ""
    for branch in reversed(frame.branches):
        through = current[branch.below]
        behind = branch.ideal @ phasors[branch.above]
        flow[branch.below - frame.roots] = behind * np.conj(through)
        across = branch.impedance @ through
        loss += complex((across * np.conj(through)).sum())
        distance = float(np.abs(behind - across - phasors[branch.below]).max())
        if distance > misfit:
            misfit, worst = distance, branch.link.name
        np.add.at(current, branch.above, branch.ideal.T @ through)
    if misfit > _FIT:
        raise NetworkDataError(
            f"the AC solution is not of this feeder and these loads: across {worst} its voltages and its currents "
            f"differ by {misfit:.4f} p.u.; the limit is {_FIT:g}"
        )
    roots = slice(0, frame.roots)
    return AcPoint(Point(phasors, flow), misfit, loss, phasors[roots] * np.conj(current[roots]))


def _drawn_current(frame: Frame, draws: Draws, scale: Vector, withdrawal_mva: Complex, phasors: Phasors) -> Complex:
    """Return the current (N,) that each node draws."""
    across = draws.ends @ phasors
    size = np.abs(across) / draws.nominal
    through = np.conj(draws.power_mva * scale * size**draws.exponent / across)
    return np.asarray(draws.ends.T @ through + np.conj(withdrawal_mva / phasors) + frame.shunts @ phasors)
