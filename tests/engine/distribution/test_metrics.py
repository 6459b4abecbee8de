"""Unbalance of known phasors, laws of bills, and the rounds of correction against an AC sweep."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution.case import FeederCase
from engine.distribution.corrected import dispatch_corrected
from engine.distribution.dso import DsoResult, dispatch
from engine.distribution.feeder import Compensator
from engine.distribution.frames import REFERENCE, Frame, Phasors, three_phase_buses
from engine.distribution.hour import DsoOptions
from engine.distribution.metrics import (
    bills,
    compensator_output,
    magnitude_unbalance,
    operator_surplus,
    voltage_deviation,
    voltage_unbalance,
)
from engine.errors import QuestionError
from tests.engine.distribution.sweep import sweep
from tests.engine.distribution.test_dso import feeders
from tests.engine.distribution.toys import three_wire, two_bus, with_devices


def test_unbalance_of_a_known_mixture_of_sequences() -> None:
    """Positive 1, negative 0.03 at any angle: VUF is 0.03 whatever the zero sequence is."""
    frame = Frame.of(three_wire())
    names, nodes = three_phase_buses(frame)
    phasors = np.ones(frame.size, dtype=complex)
    for at in nodes:
        phasors[at] = REFERENCE + 0.03 * np.exp(0.7j) * np.conj(REFERENCE) + 0.2
    assert names[0] == "source"
    assert voltage_unbalance(frame, phasors) == pytest.approx(np.full(len(names), 0.03))


def test_the_stand_in_for_unbalance_is_the_largest_distance_from_the_mean() -> None:
    """1.02, 1.00, 0.98 have the mean 1 and the distance 0.02."""
    frame = Frame.of(three_wire())
    magnitudes = np.tile([1.02, 1.00, 0.98], frame.size // 3)
    assert magnitude_unbalance(frame, magnitudes) == pytest.approx(np.full(frame.size // 3, 0.02))
    with pytest.raises(QuestionError, match="2 voltages do not fit 15 nodes"):
        magnitude_unbalance(frame, np.ones(2))


def test_deviation_counts_what_is_off_by_more_than_a_twentieth() -> None:
    """0.93 is 0.02 beyond; 1.04 and the source are not counted."""
    frame = Frame.of(two_bus())
    assert voltage_deviation(frame, np.array([[1.2, 0.93], [1.2, 1.04]])) == pytest.approx([0.02, 0.0])


def test_bills_are_prices_times_draws_and_surplus_is_what_limits_and_losses_earn() -> None:
    """Two buses at 40 $/MWh without limits: 0.3 MW at the substation's price, and nothing left for the operator."""
    feeder = with_devices(two_bus(), "end", "a", p_max_kw=0.0)
    result = dispatch(FeederCase.of(feeder, [40.0]), [[300.0]])
    assert bills(result).total_per_h[0, 0] == pytest.approx(12.0)
    assert operator_surplus(result)[0] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_the_operator_is_left_with_what_its_limits_are_worth(which: int) -> None:
    """Withdrawals at their prices less supply: dual times bound over all limits, and the penalty (stationarity)."""
    feeder = feeders()[which]
    steady = replace(feeder, loads=tuple(replace(row, model="power") for row in feeder.loads), capacitors=())
    result = dispatch(FeederCase.of(steady, [40.0]), [[150.0]])
    (program,), (solution,) = result.programs, result.solutions
    first = 3 * result.frame.size + 2  # after the flow equations and the totals: limits alone
    dual = solution.row_dual[first:]
    bound = np.where(dual > 0.0, program.row_lower[first:], program.row_upper[first:])
    worth = float(dual @ np.where(np.abs(dual) > 1e-9, bound, 0.0))
    fixed = solution.row_dual[: result.frame.size] @ program.row_lower[: result.frame.size]
    assert operator_surplus(result)[0] == pytest.approx(result.penalty_per_h[0] - worth - fixed, abs=1e-4)


def test_static_var_generators_raise_a_low_voltage_and_what_they_give_is_counted() -> None:
    """The published qualitative result: with them the data centre's bus is higher under heavy load."""
    feeder = replace(with_devices(three_wire(500.0), "three", p_max_kw=0.0), v_min_pu=1.01)
    feeder = replace(feeder, compensators=(Compensator("svg", "three", 150.0),))
    case = FeederCase.of(feeder, [40.0])
    with_them, without = (dispatch(case, [[400.0]], DsoOptions(compensators=on)) for on in (True, False))
    at = with_them.frame.at("three", "abc")
    assert (with_them.voltage_pu[0, at] > without.voltage_pu[0, at] + 1e-3).all()
    assert compensator_output(with_them)[0, 0] > 0.1
    assert with_them.penalty_per_h[0] < without.penalty_per_h[0]


@pytest.mark.parametrize("which", [0, 1])
def test_rounds_of_correction_bring_linear_voltages_to_the_ac_solution(which: int) -> None:
    """The error of a new dispatch at the last round's point: not zero by construction, as the dispatch has moved."""
    feeder = feeders()[which]
    case = FeederCase.of(feeder, [40.0, 45.0], [1.0, 0.8])

    def ac(result: DsoResult, hour: int) -> Phasors:
        frame, withdrawn = result.frame, result.withdrawal_mva()[hour]
        devices = [(bus, label, 1000.0 * withdrawn[at]) for at, (bus, label) in enumerate(frame.nodes)]
        loaded = replace(feeder, loads=tuple(replace(r, kw=r.kw * share, kvar=r.kvar * share)
                         for r, share in zip(feeder.loads, case.load_share[hour], strict=True)))  # fmt: skip
        return frame.phasors(sweep(loaded, 1.0, devices).per_unit(feeder))

    found = dispatch_corrected(case, [[150.0], [200.0]], ac=ac)
    assert found.error_pu[0] > 3e-4
    assert found.error_pu[found.chosen] < found.error_pu[0] / 20.0
    assert found.error_pu[found.chosen] == found.error_pu.min()
    assert len(found.error_pu) <= 5
    assert found.phasors.shape == found.result.v.shape
    losses = np.array([point.loss_mva for point in found.points])
    assert found.result.loss_mva.real == pytest.approx(losses.real, rel=1e-2)
    with pytest.raises(QuestionError, match="corrections is -1"):
        dispatch_corrected(case, corrections=-1)
