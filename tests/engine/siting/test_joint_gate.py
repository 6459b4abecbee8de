"""The gate for several loads at once: one load alone as the gate screens it, and portfolios on a real grid."""

import numpy as np
import pytest

from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.siting.case import SitingCase
from engine.siting.cases import Assumptions, as_filed
from engine.siting.clearing import Applicant, ClearingRules, Offer, Placed, clear_by_score
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.envelopes import envelope
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.results import PASSED
from engine.siting.gate.screening import screen
from engine.siting.hour_sets import HourSet
from engine.siting.joint_gate import CaseGate
from engine.siting.portfolio import best_portfolio
from engine.siting.prepare import Prepared
from engine.siting.question import SitingQuestion
from engine.siting.run import Ground, gate_question

FIRM = envelope("firm", utilisation=1.0)


@pytest.fixture(scope="module")
def gate() -> CaseGate:
    tables = load("rts24")
    tight = tables.branches.assign(rating_a_mw=0.8 * tables.branches["rating_a_mw"])
    network = Network.from_tables(tables.with_table("branches", tight))
    case = as_filed(network, Assumptions(thermal="zero", load_scale=1.0))
    return CaseGate(case, Contingencies.of(Factors.of(network), Rule("all")), np.ones(1), threshold=0.9)


def test_one_load_fails_as_often_as_the_gate_says(gate: CaseGate) -> None:
    sizes = (50.0, 150.0, 300.0)
    buses = np.array([2, 5, 13])
    found = screen(gate.case, gate.contingencies, GateQuestion(buses, (FIRM,), sizes))
    for place, bus in enumerate(buses.tolist()):
        for size in sizes:
            verdict = gate.check([Placed(bus, FIRM, size)])
            low, high = found.pass_rate("firm", size)
            assert low[place] == high[place]
            assert verdict.failed == round((1.0 - low[place]) * verdict.pairs)
            assert verdict.pass_rate == pytest.approx(low[place], abs=1e-12)


def test_hours_count_by_their_weight_as_they_do_where_the_gate_certifies(gate: CaseGate) -> None:
    """A heavy hour of little load and a light one of much: the rate of one load, and so its verdict, is the gate's."""
    case = gate.case
    both = SitingCase(
        case.network,
        np.vstack([0.6 * case.demand_mw, case.demand_mw]),
        np.tile(case.least_mw, (2, 1)),
        np.tile(case.largest_mw, (2, 1)),
        np.array([3, 16]),
        ("night", "day"),
        "test",
    )
    hours = HourSet("representative", np.arange(2), np.array([30.0, 2.0]), ("", ""))
    question = SitingQuestion(
        source="2016", choice="representative", count=2, envelopes=(FIRM,), sizes_mw=(100.0, 300.0, 500.0),
        threshold=0.9, branches="all", units=False, candidates="listed",
        buses=tuple(case.network.buses.ids[bus] for bus in (2, 5, 13)),
    )  # fmt: skip
    ground = Ground.of(question, Prepared(both, hours, 32))
    joint = CaseGate.of(ground)
    found = screen(both, ground.contingencies, gate_question(question, ground.prepared))
    differ = 0
    for place, bus in enumerate(found.buses.tolist()):
        for size in question.sizes_mw:
            verdict = joint.check([Placed(bus, FIRM, size)])
            low, high = found.pass_rate("firm", size)
            assert low[place] == high[place]
            assert verdict.pass_rate == pytest.approx(low[place], abs=1e-12)
            assert verdict.passes == (found.qualified("firm", size)[place] == PASSED)
            differ += verdict.passes != (verdict.failed <= 0.1 * verdict.pairs)
    assert differ  # a count of hours and outages would have certified others


def test_the_ray_of_a_failure_cuts_its_loads_off_and_nothing_that_passes(gate: CaseGate) -> None:
    rng = np.random.default_rng(4)
    buses = len(gate.case.network.buses.ids)
    cuts = gate.check([Placed(5, FIRM, 400.0), Placed(2, FIRM, 300.0)]).failures
    extra = np.zeros(buses)
    extra[[5, 2]] = 400.0, 300.0
    assert cuts
    assert all(cut.price @ extra > cut.room_mw for cut in cuts)
    for _ in range(4):
        loads = [Placed(int(bus), FIRM, float(rng.uniform(0.0, 150.0))) for bus in rng.choice(buses, 3, replace=False)]
        drawn = np.zeros(buses)
        for one in loads:
            drawn[one.bus] += one.nameplate_mw
        failing = {failure.contingency for failure in gate.check(loads).failures}
        for cut in cuts:
            if cut.contingency not in failing:
                assert cut.price @ drawn <= cut.room_mw + 1e-6


def test_a_batch_passes_as_a_whole_and_is_worth_at_least_the_sequence(gate: CaseGate) -> None:
    applicants = [Applicant(f"A{k}", mw, f"2026-01-0{k + 1}") for k, mw in enumerate((250.0, 200.0, 150.0))]
    ids = gate.case.network.buses.ids
    offers = [Offer(bus, ids[bus], FIRM, score, 400.0) for bus, score in ((2, 0.9), (5, 0.8), (13, 0.7), (8, 0.3))]
    sequence = clear_by_score(applicants, offers, ClearingRules(), gate)
    batch = best_portfolio(applicants, offers, ClearingRules(), gate)
    assert batch.verdict.passes
    assert gate.check([Placed(place.bus, place.envelope, one.mw) for one, place in batch.awards]).passes
    worth = sum(award.offer.score * award.applicant.mw for award in sequence.awards)
    assert batch.value >= worth - 1e-6
    assert batch.bound == pytest.approx(batch.value, rel=1e-6)
