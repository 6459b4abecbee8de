"""The aggregator's day against AC power flow: where the linear model met a limit and AC does not, limits are tightened.

A round finds the draws, lets the operator answer, and solves every hour by OpenDSS. Each node's limits move inwards by
what the linear voltage was wrong there and a margin, and the day is found again, three times at most. The last answer
says what is still exceeded. Loads at constant power and regulators that move their taps are solved for comparison.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from engine.distribution.case import FeederCase
from engine.distribution.coordination import Coordination, Outcome
from engine.distribution.corrected import ac_hour, frame_phasors
from engine.distribution.dso import DsoResult, dispatch
from engine.distribution.frames import Matrix
from engine.distribution.hour import DsoOptions
from engine.distribution.workload import Workload
from engine.errors import QuestionError

MOST_ROUNDS = 3
_BEYOND_PU = 1e-5  # a voltage beyond its limit by less is rounding
_WIDEST = 0.45  # of the band between limits: no margin is wider, so the band stays open

Method = Callable[[Coordination], Outcome]


@dataclass(frozen=True, slots=True)
class AcViolation:
    """A limit that AC exceeds in an hour."""

    hour: int
    bus: str
    phase: str
    value: float  # p.u.
    limit: float
    linear: float  # p.u., what the linear flow gave


@dataclass(frozen=True, slots=True, eq=False)
class AcRound:
    """One round: the draws, the operator's answer and the AC voltages."""

    outcome: Outcome
    result: DsoResult
    margin_pu: Matrix  # (T, N), by which both limits were tightened
    voltage_pu: Matrix  # (T, N), of AC
    violations: tuple[AcViolation, ...]

    @property
    def error_pu(self) -> float:
        """Return the largest distance of a linear voltage from AC."""
        return float(np.abs(self.result.voltage_pu - self.voltage_pu).max())


@dataclass(frozen=True, slots=True, eq=False)
class AcRounds:
    """All rounds, and the last answer under other assumptions."""

    rounds: tuple[AcRound, ...]
    constant_power: tuple[AcViolation, ...]  # of the last answer, every load at constant power
    moving_taps: tuple[AcViolation, ...]  # of the last answer, regulators under control

    @property
    def kept(self) -> bool:
        """Return whether AC keeps every voltage limit in the last round."""
        return not self.rounds[-1].violations


def ac_rounds(  # noqa: PLR0913 (the last two by name)
    case: FeederCase,
    workload: Workload,
    method: Method,
    options: DsoOptions | None = None,
    *,
    margin_pu: float = 5e-4,
    rounds: int = MOST_ROUNDS,
) -> AcRounds:
    """Return the rounds of ``method``, which finds the draws of a problem, until AC keeps all voltage limits.

    ``margin_pu`` is added to each error that is corrected. Raises QuestionError for numbers out of range, SolverError
    naming an hour whose AC flow does not converge, and what the method raises.
    """
    if not 1 <= rounds <= MOST_ROUNDS:
        raise QuestionError(f"rounds is {rounds}; it must be between 1 and {MOST_ROUNDS}")
    if not (np.isfinite(margin_pu) and margin_pu >= 0.0):
        raise QuestionError(f"margin_pu is {margin_pu:g}; it must be at least 0")
    chosen = options or DsoOptions()
    found: list[AcRound] = []
    margin: Matrix | None = None
    while True:
        here = chosen if margin is None else replace(chosen, voltage_margin_pu=margin)
        outcome = method(Coordination.of(case, workload, here))
        result = dispatch(case, 1000.0 * outcome.draws_mw, here)
        if margin is None:
            margin = np.broadcast_to(chosen.voltage_margin_pu, result.v.shape).copy()
        volts = _voltages(case, result)
        found.append(AcRound(outcome, result, margin.copy(), volts, _beyond(case, result, volts)))
        if not found[-1].violations or len(found) == rounds:
            break
        margin = _tightened(case, result, volts, margin, margin_pu)
    last = found[-1].result
    steady = tuple(replace(row, model="power") for row in case.feeder.loads)
    constant = replace(case, feeder=replace(case.feeder, loads=steady))
    moving = _voltages(case, last, move_taps=True)
    return AcRounds(tuple(found), _beyond(case, last, _voltages(constant, last)), _beyond(case, last, moving))


def _voltages(case: FeederCase, result: DsoResult, *, move_taps: bool = False) -> Matrix:
    return np.array(
        [
            np.abs(frame_phasors(result.frame, ac_hour(case, result, hour, move_taps=move_taps)))
            for hour in range(case.hours)
        ]
    )


def _tightened(case: FeederCase, result: DsoResult, volts: Matrix, margin: Matrix, extra: float) -> Matrix:
    """Return the margins, wider where AC is beyond a limit by what the linear voltage was wrong, and ``extra``."""
    feeder = case.feeder
    out = (volts < feeder.v_min_pu - _BEYOND_PU) | (volts > feeder.v_max_pu + _BEYOND_PU)
    out[:, : result.frame.roots] = False
    error = np.abs(result.voltage_pu - volts)
    widest = _WIDEST * (feeder.v_max_pu - feeder.v_min_pu)
    return np.asarray(np.where(out, np.clip(np.maximum(margin, error) + extra, 0.0, widest), margin))


def _beyond(case: FeederCase, result: DsoResult, volts: Matrix) -> tuple[AcViolation, ...]:
    feeder, roots = case.feeder, result.frame.roots
    found = []
    for limit, beyond in ((feeder.v_min_pu, feeder.v_min_pu - volts), (feeder.v_max_pu, volts - feeder.v_max_pu)):
        for hour, at in np.argwhere(beyond > _BEYOND_PU).tolist():
            if at >= roots:
                bus, phase = result.frame.nodes[at]
                values = float(volts[hour, at]), limit, float(result.voltage_pu[hour, at])
                found.append(AcViolation(hour, bus, phase, *values))
    return tuple(found)
