"""The operator's problem with the linear flow corrected at the AC solutions of its own answers.

Each round solves the problem, solves AC for what it decided in every hour, and takes those solutions as the operating
points of the next round. The distance of linear voltages from AC is kept for every round, the first without correction.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.distribution.case import FeederCase
from engine.distribution.dso import DsoResult, dispatch
from engine.distribution.frames import Draws, Frame, Phasors, Vector
from engine.distribution.hour import DsoOptions
from engine.distribution.losses import AcPoint, ac_point
from engine.distribution.opendss import AcFlow, Dispatch, ac_flow
from engine.errors import QuestionError, SolverError

# Phasors (N,) of one hour of an answer. Raises SolverError where there is no solution.
AcSolver = Callable[[DsoResult, int], Phasors]
_SETTLED_PU = 1e-5  # linear voltages this near to AC gain nothing by another round


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """The answer nearest to its AC solutions, these, and how far linear voltages were from AC in every round."""

    result: DsoResult
    points: tuple[AcPoint, ...]  # (T,), the AC solutions of `result`
    error_pu: Vector  # (rounds,), largest over nodes and hours; the first is without correction
    chosen: int  # the round of `result`, the one with the least error

    @property
    def phasors(self) -> Phasors:
        """Return the AC phasors (T, N) of the last answer."""
        return np.array([each.point.phasors for each in self.points])


def dispatch_corrected(
    case: FeederCase,
    centre_kw: npt.ArrayLike | None = None,
    options: DsoOptions | None = None,
    *,
    corrections: int = 3,
    ac: AcSolver | None = None,
) -> Corrected:
    """Return the least-cost operation after at most ``corrections`` rounds at its own AC solutions.

    ``ac`` solves one hour; None: OpenDSS with the feeder's ratios as they are.
    Raises what :func:`dispatch` and ``ac`` raise, NetworkDataError if AC solutions do not fit the feeder, and
    QuestionError if ``corrections`` is below one.
    """
    if corrections < 1:
        raise QuestionError(f"corrections is {corrections}; it must be at least 1")
    solve: AcSolver = (
        ac if ac is not None else lambda result, hour: frame_phasors(result.frame, ac_hour(case, result, hour))
    )
    result = dispatch(case, centre_kw, options)
    draws = Draws.of(result.frame, (*case.feeder.loads, *case.feeder.capacitors))
    rounds: list[tuple[float, DsoResult, tuple[AcPoint, ...]]] = []
    while True:
        withdrawn = result.withdrawal_mva()
        phasors = [solve(result, hour) for hour in range(case.hours)]
        error = float(np.abs(result.voltage_pu - np.abs(phasors)).max())
        points = tuple(
            ac_point(result.frame, draws, case.draw_scale(hour), withdrawn[hour], phasors[hour])
            for hour in range(case.hours)
        )
        rounds.append((error, result, points))
        if len(rounds) > corrections or (error <= _SETTLED_PU and len(rounds) > 1):
            errors = np.array([each[0] for each in rounds])
            # Where losses alone decide, as of reactive power, the answer may swing between two corners: the rounds
            # then end with an error that no longer falls.
            best = int(np.argmin(errors))
            return Corrected(rounds[best][1], rounds[best][2], errors, best)
        result = dispatch(case, centre_kw, options, tuple(each.point for each in points))


def ac_hour(case: FeederCase, result: DsoResult, hour: int, *, move_taps: bool = False) -> AcFlow:
    """Return the OpenDSS solution of one hour of an answer: loads by their models, devices as the answer says.

    Raises SolverError naming the hour if it does not converge.
    """
    feeder = case.feeder
    reactive = np.array([row.kvar_per_kw for row in feeder.centres])
    given = np.zeros((len(feeder.compensators), 3))
    for column, (at, node) in enumerate(
        zip(result.compensator.tolist(), result.compensator_node.tolist(), strict=True)
    ):
        given[at, feeder.frame.index(result.frame.nodes[node][1])] = 1000.0 * result.compensator_mvar[hour, column]
    asked = Dispatch(
        load_share=case.load_share[hour],
        generator_kw=1000.0 * result.generator_mw[hour],
        generator_kvar=1000.0 * result.generator_mvar[hour],
        compensator_kvar=given,
        centre_kw=1000.0 * (result.centre_mw + result.battery_mw)[hour],
        centre_kvar=1000.0 * result.centre_mw[hour] * reactive,
    )
    found = ac_flow(feeder, asked, move_taps=move_taps)
    if not found.converged:
        raise SolverError(f"{case.labels[hour]}: the AC power flow of feeder {feeder.name!r} does not converge")
    return found


def frame_phasors(frame: Frame, flow: AcFlow) -> Phasors:
    """Return the (N,) phasors of an OpenDSS solution at the frame's nodes."""
    row = {bus.name: at for at, bus in enumerate(frame.feeder.buses)}
    return np.array([flow.voltage_pu[row[bus], frame.feeder.frame.index(member)] for bus, member in frame.nodes])
