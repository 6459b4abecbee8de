"""The operator's problem with the linear flow corrected at the AC solutions of its own answers.

Each round solves the problem, solves AC for what it decided in every hour, and takes the next operating point from
these solutions. Where losses alone decide, as of reactive power, the answer would swing between two corners from round
to round: an hour's next point therefore follows from the last few by Anderson's mixing, which finds the point that is
its own AC solution. Every hour keeps the answer that is nearest to its AC solution, and is left alone once it settles.
Source: Walker and Ni, "Anderson acceleration for fixed-point iterations", SIAM J. Numer. Anal. 49, 2011.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.distribution.case import FeederCase
from engine.distribution.dso import DsoResult, dispatch
from engine.distribution.frames import Draws, Frame, Phasors, Vector
from engine.distribution.hour import DsoOptions
from engine.distribution.linear import Point
from engine.distribution.losses import AcPoint, ac_point
from engine.distribution.opendss import AcFlow, Dispatch, ac_flow
from engine.errors import QuestionError, SolverError

# Phasors (N,) of one hour of an answer. Raises SolverError where there is no solution.
AcSolver = Callable[[DsoResult, int], Phasors]
_SETTLED_PU = 1e-5  # linear voltages this near to AC gain nothing by another round
_NEGLIGIBLE = 1e-8  # of the largest direction in which points have moved: one that is smaller says nothing
_ASTRAY = 4.0  # times the least error: where mixed points lead there, mixing begins again at the best answer
_DEPTH = 3  # differences of points that the next one is made of, at most


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """The answer nearest to its AC solutions, hour by hour, these, and how far linear voltages are from AC."""

    result: DsoResult
    points: tuple[AcPoint, ...]  # (T,), the AC solutions of `result`
    error_pu: Vector  # (rounds,), largest over nodes and hours, each at its best so far; the first is uncorrected
    chosen: int  # the first round with the error of `result`
    used: tuple[Point, ...]  # (T,), the operating points that `result` was found with

    @property
    def phasors(self) -> Phasors:
        """Return the AC phasors (T, N) of the last answer."""
        return np.array([each.point.phasors for each in self.points])


@dataclass(slots=True)
class _Course:
    """The points of hours that are solved together, round by round, and the best of them."""

    hours: tuple[int, ...]
    points: tuple[Point, ...]  # of the answer at hand
    found: tuple[AcPoint, ...] = ()  # its AC solutions
    error: float = np.inf  # of the answer at hand, p.u.
    best: float = np.inf  # p.u.
    best_points: tuple[Point, ...] = ()
    best_found: tuple[AcPoint, ...] = ()
    tried: list[Vector] = field(default_factory=list)
    moved: list[Vector] = field(default_factory=list)  # from each point to the AC solution of its answer

    @property
    def settled(self) -> bool:
        """Return whether another round gains nothing."""
        return self.best <= _SETTLED_PU

    def take(self, found: tuple[AcPoint, ...], error: float) -> None:
        """Take the AC solutions of the answer at hand, and its error."""
        self.found, self.error = found, error
        if error < self.best:
            self.best, self.best_points, self.best_found = error, self.points, found

    def go_on(self) -> None:
        """Move to the points of the next round."""
        if self.error > _ASTRAY * self.best:
            self.tried.clear()
            self.moved.clear()
            self.points, self.found = self.best_points, self.best_found
        ac = tuple(each.point for each in self.found)
        if self.points[0].flow_mva is None:
            self.points = ac
            return
        here = _flat(self.points)
        self.tried.append(here)
        self.moved.append(_flat(ac) - here)
        self.points = _points(self._mixed(), ac)

    def _mixed(self) -> Vector:
        """Return the next points: mixed so that their way to AC, taken as linear, is least."""
        tried, moved = (np.array(each[-1 - _DEPTH :]) for each in (self.tried, self.moved))
        if len(tried) == 1:
            return np.asarray(tried[0] + moved[0])
        along, across = np.diff(tried, axis=0).T, np.diff(moved, axis=0).T
        weight = np.linalg.lstsq(across, moved[-1], rcond=_NEGLIGIBLE)[0]
        return np.asarray(tried[-1] + moved[-1] - (along + across) @ weight)


def _flat(points: tuple[Point, ...]) -> Vector:
    """Return phasors and flows of all points, one after the other, as real numbers."""
    parts = [part for each in points for part in (each.phasors, each.flow_mva) if part is not None]
    return np.concatenate(parts).view(np.float64)


def _points(flat: Vector, like: tuple[Point, ...]) -> tuple[Point, ...]:
    """Return the points that :func:`_flat` made ``flat`` of, each of as many nodes as its one of ``like``."""
    values = np.ascontiguousarray(flat).view(np.complex128)
    found = []
    for each in np.split(values, len(like)):
        nodes = len(like[0].phasors)
        found.append(Point(each[:nodes], each[nodes:]))
    return tuple(found)


def dispatch_corrected(  # noqa: PLR0913 (all but the first three by name)
    case: FeederCase,
    centre_kw: npt.ArrayLike | None = None,
    options: DsoOptions | None = None,
    *,
    corrections: int = 4,
    ac: AcSolver | None = None,
    points: tuple[Point, ...] | None = None,
) -> Corrected:
    """Return the least-cost operation after at most ``corrections`` rounds at its own AC solutions.

    ``ac`` solves one hour; None: OpenDSS with the feeder's ratios as they are. ``points`` are where to begin; None:
    without load.
    Raises what :func:`dispatch` and ``ac`` raise, NetworkDataError if AC solutions do not fit the feeder, and
    QuestionError if ``corrections`` is below zero. At zero the answer stays at ``points``.
    """
    if corrections < 0:
        raise QuestionError(f"corrections is {corrections}; it must be at least 0")
    solve: AcSolver = (
        ac if ac is not None else lambda result, hour: frame_phasors(result.frame, ac_hour(case, result, hour))
    )
    result = dispatch(case, centre_kw, options, points)
    draws = Draws.of(result.frame, (*case.feeder.loads, *case.feeder.capacitors))
    first: tuple[Point, ...] = points or (Point.reference(result.frame),) * case.hours
    courses = [_Course(each.hours, tuple(first[hour] for hour in each.hours)) for each in result.answers]
    left, errors = courses, list[float]()
    while True:
        withdrawn = result.withdrawal_mva()
        for course in left:
            phasors = [solve(result, hour) for hour in course.hours]
            hours = zip(course.hours, phasors, strict=True)
            course.take(
                tuple(ac_point(result.frame, draws, case.draw_scale(hour), withdrawn[hour], v) for hour, v in hours),
                float(np.abs(result.voltage_pu[list(course.hours)] - np.abs(phasors)).max()),
            )
        errors.append(max(each.best for each in courses))
        left = [each for each in courses if not each.settled]
        if len(errors) > corrections or not left:
            break
        for course in left:
            course.go_on()
        result = _again(case, (centre_kw, options), result, courses, left)
    worse = [each for each in left if each.points is not each.best_points]
    for course in worse:
        course.points = course.best_points
    if worse:
        result = _again(case, (centre_kw, options), result, courses, worse)
    found = {hour: ac for each in courses for hour, ac in zip(each.hours, each.best_found, strict=True)}
    solved = tuple(found[hour] for hour in range(case.hours))
    used = {hour: at for each in courses for hour, at in zip(each.hours, each.best_points, strict=True)}
    ordered = tuple(used[hour] for hour in range(case.hours))
    return Corrected(result, solved, np.array(errors), int(np.argmin(errors)), ordered)


def _again(
    case: FeederCase,
    asked: tuple[npt.ArrayLike | None, DsoOptions | None],
    result: DsoResult,
    courses: list[_Course],
    which: list[_Course],
) -> DsoResult:
    """Return the answer with the hours ``which`` solved at their new points, and all others as they are."""
    points = {hour: point for each in courses for hour, point in zip(each.hours, each.points, strict=True)}
    kept = frozenset(range(case.hours)) - {hour for each in which for hour in each.hours}
    ordered = tuple(points[hour] for hour in range(case.hours))
    return dispatch(case, *asked, ordered, kept=(result, kept))


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
