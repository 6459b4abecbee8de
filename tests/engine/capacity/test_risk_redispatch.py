"""Promises with redispatch against programs in bus angles and one with every dispatch in it, and by hand."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest
from scipy.stats import norm

from engine.capacity.bootstrap import Again
from engine.capacity.bootstrap_redispatch import AgainOnCuts
from engine.capacity.question import CapacityQuestion
from engine.capacity.risk import Risk, flexible_parts
from engine.capacity.risk_redispatch import RedispatchMeasure
from engine.capacity.uncertainty import Sample, States
from engine.network.factors import Factors
from engine.network.model import Network
from engine.redispatch.check import least_overload
from engine.redispatch.joint import redispatch_answer
from engine.redispatch.kept import JointProofs
from engine.redispatch.limits import FlowLimits
from engine.redispatch.recourse import Recourse
from engine.redispatch.states import Scenarios
from tests.engine.grids import network_of, pypower_case
from tests.engine.redispatch.joint_oracle import extensive
from tests.engine.redispatch.test_joint import ASKED, BUSES, question_of, sample_of, two_buses


@pytest.fixture(scope="module")
def rts() -> Network:
    return network_of(pypower_case("case24_ieee_rts"))


def least_cut(
    network: Network, question: CapacityQuestion, levels: list[np.ndarray], scenarios: Scenarios, place: int
) -> tuple[np.ndarray, bool]:
    """The (E,) MW cut at each level of risk, the safest first of all, by plain programs; whether limits can be kept."""
    parts = flexible_parts(question, levels)
    factor, state = Factors.of(network).dense(), scenarios.state(place)
    p, y = cp.Variable(len(network.units.ids)), cp.Variable(len(parts))
    bus_of = np.zeros((len(network.buses.ids), len(question.candidates)))
    bus_of[[network.bus(bus) for bus in question.candidates], np.arange(len(question.candidates))] = 1.0
    own = bus_of[:, [question.candidates.index(bus) for bus, _, _ in parts]]
    outputs = np.zeros((len(network.buses.ids), len(network.units.ids)))
    outputs[network.units.bus, np.arange(len(network.units.ids))] = 1.0
    injection = outputs @ p + own @ y - state.demand_mw - bus_of @ levels[-1]
    rated = np.isfinite(network.branches.rating_a_mw)
    limit = network.branches.rating_a_mw[rated]
    rules = [
        cp.sum(injection) == 0,
        factor[rated] @ injection <= limit,
        factor[rated] @ injection >= -limit,
        p >= state.least_mw,
        p <= state.largest_mw,
        y >= 0,
        y <= [mw for _, _, mw in parts],
    ]
    found = []
    for epsilon in question.epsilons:  # the safest first: as little as possible, then no more than that
        total = cp.sum(y[[at for at, (_, level, _) in enumerate(parts) if level == epsilon]])
        problem = cp.Problem(cp.Minimize(total), rules)
        problem.solve(solver=cp.HIGHS)
        if problem.status != cp.OPTIMAL:
            return np.zeros(len(question.epsilons)), False
        found.append(float(problem.value))
        rules.append(total <= found[-1] + 1e-7)
    return np.array(found), True


def measured(
    network: Network, question: CapacityQuestion, known: Sample, judged: Sample
) -> tuple[Risk, list[np.ndarray], JointProofs]:
    answer = redispatch_answer(network, question, States(known))
    assert answer.proofs is not None
    levels = [np.array(level.capacity_mw) for level in answer.result.levels]
    measure = RedispatchMeasure(question, FlowLimits.of(Factors.of(network)), levels)
    measure.add(levels, judged, proofs=[JointProofs.load(answer.proofs.save())])
    return measure.risk(8760.0), levels, answer.proofs


@pytest.mark.parametrize("seed", [1, 2])
def test_frequencies_and_cuts_are_those_of_programs_with_every_dispatch(rts: Network, seed: int) -> None:
    question = question_of(BUSES, ASKED, epsilons=(0.1, 0.2))
    count = 40
    judged = sample_of(rts, count, 50 + seed)
    risk, levels, _ = measured(rts, question, sample_of(rts, 20, seed), judged)
    scenarios = Scenarios.of(judged, rts)
    sites = [rts.bus(bus) for bus in BUSES]
    loss = np.zeros(count)
    for level, mw in enumerate(levels):
        extra = np.zeros(24)
        extra[sites] = mw
        loss = np.array([least_overload(rts, scenarios.state(s), extra, stretch_units=True) for s in range(count)])
        assert (np.abs(loss) > 1e-5).all()  # none so near that rounding decides
        assert risk.levels[level].exceeded.value == pytest.approx((loss > 0).mean())
    assert risk.levels[2].exceeded.value > 0.0
    cuts, restored = np.zeros((count, 2)), np.ones(count, dtype=bool)
    for state in np.flatnonzero(loss > 0).tolist():
        cuts[state], restored[state] = least_cut(rts, question, levels, scenarios, state)
    assert risk.firm_broken.value == pytest.approx(1.0 - restored.mean())
    for place, epsilon in enumerate(question.epsilons):
        mine = [product for product in risk.products if product.epsilon == epsilon]
        size = sum(product.capacity_mw for product in mine)
        expected = np.where(restored, cuts[:, place], 0.0)
        # Where nothing restores the limits all that helps is cut: between what is cut elsewhere, and everything.
        mean = sum(product.cut_mw for product in mine)
        assert expected.mean() - 1e-3 <= mean <= expected.mean() + (1.0 - restored.mean()) * size + 1e-3
        if restored.all():
            assert mean == pytest.approx(expected.mean(), abs=1e-3)


def test_one_line_under_a_normal_load_by_its_law() -> None:
    """Exceeded where load and grant pass 50 MW: the law's own tail, and the mean cut the integral of it."""
    draw = np.random.default_rng(3)
    network, known = two_buses(draw.normal(25.0, 4.0, 400).tolist())
    _, judged = two_buses(draw.normal(25.0, 4.0, 8000).tolist())
    risk, levels, _ = measured(network, question_of(("2",), (90.0,), epsilons=(0.05,)), known, judged)
    firm, granted = (float(mw[0]) for mw in levels)
    over = norm.sf((50.0 - 25.0 - granted) / 4.0)
    assert risk.levels[1].exceeded.value == pytest.approx(over, rel=0.15)
    (product,) = risk.products
    assert product.interrupted.value == pytest.approx(risk.levels[1].exceeded.value)
    assert product.hours == pytest.approx(8760.0 * product.interrupted.value)
    ends = np.linspace(50.0 - granted, 50.0 - firm, 2001)
    assert product.cut_mw == pytest.approx(np.trapezoid(norm.sf((ends - 25.0) / 4.0), ends), rel=0.2)
    (row,) = [row for row in risk.rows if row.exceeded[1].value > 0]
    assert row.element == "1-2"
    assert row.worst_mw[1] == pytest.approx(risk.levels[1].worst_mw)
    worst = float(judged.net_demand_mw[:, 1].max())
    assert row.worst_mw[1] == pytest.approx(worst + granted - 50.0, abs=1e-3)
    assert risk.firm_broken.value == pytest.approx((judged.net_demand_mw[:, 1] + firm > 50.0 + 1e-4).mean(), abs=1e-4)


def test_what_is_exceeded_before_any_addition_is_counted_apart() -> None:
    network, known = two_buses([10.0, 20.0, 30.0, 40.0])
    _, judged = two_buses([10.0, 45.0, 60.0, 70.0])
    question = question_of(("2",), (90.0,), epsilons=())
    risk, levels, _ = measured(network, question, known, judged)
    assert levels[0] == pytest.approx([10.0], abs=1e-4)
    assert risk.before.value == pytest.approx(0.5)  # 60 and 70 MW on 50
    assert risk.levels[0].exceeded.value == pytest.approx(0.75)  # 45 + 10, and what is added to the other two
    assert risk.levels[0].worst_mw == pytest.approx(10.0, abs=1e-3)  # what is added is at fault for no more


def again_of(network: Network, question: CapacityQuestion, known: Sample, proofs: JointProofs) -> AgainOnCuts:
    limits = FlowLimits.of(Factors.of(network))
    sites = np.array([network.bus(bus) for bus in question.candidates])
    recourse = Recourse(Scenarios.of(known, network), limits, sites)
    recourse.take(proofs.proofs(limits))
    return AgainOnCuts(recourse, question, list(proofs.granted_mw))


@pytest.mark.parametrize("closed", [False, True])
def test_kept_cuts_give_the_answer_again_on_its_own_states(rts: Network, closed: bool) -> None:
    question, known = question_of(BUSES, ASKED, downward_closed=closed), sample_of(rts, 20, 3)
    answer = redispatch_answer(rts, question, States(known))
    assert answer.proofs is not None
    again: Again = again_of(rts, question, known, answer.proofs)
    found = again.solve(np.full(20, 1 / 20))
    unserved = float(((np.array(ASKED) - found[0]) / np.array(ASKED)).sum())
    # Cuts that were found for the largest total, after the answer, may bound it a little closer.
    assert -1e-5 < unserved - answer.result.levels[1].objective < 1e-3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_resampled_cuts_never_leave_more_unserved_than_the_whole_program(rts: Network, seed: int) -> None:
    question, known = question_of(BUSES, ASKED), sample_of(rts, 10, seed)
    answer = redispatch_answer(rts, question, States(known))
    assert answer.proofs is not None
    counts = np.random.default_rng(seed).multinomial(10, np.full(10, 0.1))
    found = again_of(rts, question, known, answer.proofs).solve(counts / 10.0)
    scenarios = replace(Scenarios.of(known, rts), weight=counts / 10.0)
    exact = extensive(rts, question, scenarios, 0.2, np.array(answer.result.firm_mw))
    demand = np.array(ASKED)
    mine, whole = (float(((demand - mw) / demand).sum()) for mw in (found[0], exact))
    assert mine <= whole + 1e-5
    assert mine == pytest.approx(whole, abs=0.1)


def test_one_line_is_resampled_exactly() -> None:
    """The tail of the loads drawn again: at 20 % of ten states the mean of the two largest."""
    network, known = two_buses([10.0] * 8 + [30.0, 40.0])
    question = question_of(("2",), (90.0,))
    answer = redispatch_answer(network, question, States(known))
    assert answer.proofs is not None
    again = again_of(network, question, known, answer.proofs)
    for counts, tail in (((9, 0, 1), 25.0), ((8, 2, 0), 30.0), ((10, 0, 0), 10.0), ((7, 0, 3), 40.0)):
        weight = np.zeros(10)
        weight[[0, 8, 9]] = np.array(counts) / 10.0
        assert again.solve(weight)[0][0] == pytest.approx(50.0 - tail, abs=1e-3)
