"""The studies of the source: what each changes, and the laws that their results keep."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.library import load
from engine.network.model import Network
from engine.opf.dc_opf import dc_opf
from engine.siting.cases import Assumptions, as_filed
from engine.siting.contingencies import Contingencies, Rule
from engine.siting.envelopes import envelope, standard
from engine.siting.gate.question import GateQuestion
from engine.siting.gate.results import GateResult
from engine.siting.gate.screening import screen
from engine.siting.shortlist import rank_sites
from engine.siting.studies import (
    compared,
    dearer,
    depth_envelopes,
    depth_scores,
    depth_sweep,
    naive_sites,
    size_curve,
    threshold_sweep,
)
from tests.engine.siting.test_shortlist import site


@pytest.fixture(scope="module")
def result() -> GateResult:
    network = Network.from_tables(load("rts24"))
    case = as_filed(network, Assumptions(thermal="zero"))
    lost = Contingencies.of(Factors.of(network), Rule("all", units=False))
    return screen(case, lost, GateQuestion(np.arange(24), standard(), (50.0, 150.0, 300.0, 500.0)))


def test_fewer_sites_qualify_as_the_threshold_rises(result: GateResult) -> None:
    for counts in threshold_sweep(result, (0.5, 0.8, 0.9, 0.95, 1.0)).values():
        found = [count.qualified for count in counts]
        assert found == sorted(found, reverse=True)
        assert all(count.undecided == 0 for count in counts)


def test_fewer_sites_qualify_as_the_size_grows_where_nothing_fails_before(result: GateResult) -> None:
    assert not result.base_infeasible()
    for name, counts in size_curve(result).items():
        found = [count.qualified for count in counts]
        assert found == sorted(found, reverse=True)
        assert found[0] > 0
        assert size_curve(result, sizes_mw=(300.0, 50.0))[name] == [counts[2], counts[0]]


def test_on_the_peak_pause_and_shift_qualify_wherever_firm_does(result: GateResult) -> None:
    for size in result.sizes_mw:
        firm, pause, shift = (result.qualified(name, size) for name in ("firm", "pause", "shift"))
        assert (pause >= firm).all()  # one hour, of the peak: a smaller load
        assert (shift >= pause).all()


def test_a_deeper_pause_fails_nothing_that_a_shallower_one_passes(result: GateResult) -> None:
    """Two copies of the network: an hour of the peak, when deeper means less, and one at night, when they are alike."""
    assert not result.base_infeasible()  # so what takes a load takes a smaller one
    depths = depth_envelopes(("pause",))
    peak = as_filed(Network.from_tables(load("rts24")), Assumptions(thermal="zero"))
    for hour_of_day, grows in ((int(peak.hour_of_day[0]), True), (3, False)):
        case = replace(peak, hour_of_day=np.array([hour_of_day]))
        lost = Contingencies.of(Factors.of(case.network), Rule("all", units=False), case)
        swept = screen(case, lost, GateQuestion(np.arange(24), depths, (150.0, 300.0)))
        for size in (150.0, 300.0):
            rates = np.array([swept.pass_rate(own.name, size)[0] for own in depths])
            assert (np.diff(rates, axis=0) >= 0.0).all()
            assert (rates[-1] > rates[0]).any() == grows


def test_naive_sites_are_the_cheapest_candidates() -> None:
    price = np.array([5.0, 1.0, 3.0, 1.0, 9.0])
    assert naive_sites(price, np.array([0, 2, 3, 4]), 2).tolist() == [3, 2]
    assert naive_sites(price, np.arange(5), 2).tolist() == [1, 3]
    with pytest.raises(QuestionError, match="1 of 2 candidates have no price"):
        naive_sites(np.array([1.0, np.nan]), np.arange(2))


def test_depths_are_kept_or_repaired_and_keep_their_ramp() -> None:
    found = depth_envelopes()
    assert len(found) == 16
    assert all(not one.problems() for one in found)
    kinds = [one.kind for one in found if one.name.startswith("shift")]
    assert kinds == ["shift"] * 4 + ["own"] * 4  # u (depth + depth / 5) <= 0.2: 20 % is the deepest step


def test_depths_take_peak_hours_utilisation_and_ramp_from_the_question() -> None:
    asked = (envelope("firm"), envelope("pause", utilisation=0.7, peak_hours=(7, 8)), envelope("shift", ramp_share=0.3))
    found = {one.name: one for one in depth_envelopes(depths=(0.1,), models=asked)}
    pause, shift = found["pause 10 %"], found["shift 10 %"]
    assert (pause.peak_hours, pause.utilisation) == ((7, 8), 0.7)
    assert pause.share[6] == pytest.approx(0.63)  # hour 7: a tenth less than 70 %
    assert pause.share[15] == pytest.approx(0.7)
    assert (shift.peak_hours, shift.ramp_share) == ((16, 17, 18, 19), 0.3)
    only = depth_envelopes(("shift",), (0.1,), models=asked[1:2])[0]
    assert (only.peak_hours, only.utilisation) == ((7, 8), 0.7)  # no shift is asked: the hours of what is


def test_prices_rise_with_marginal_costs_in_proportion() -> None:
    network = Network.from_tables(load("rts24"))
    before, after = dc_opf(network), dc_opf(dearer(network, 1.2))
    assert after.prices.lmp_per_mwh == pytest.approx(1.2 * before.prices.lmp_per_mwh, rel=1e-6)
    with pytest.raises(QuestionError, match="costs times 0"):
        dearer(network, 0.0)


def test_two_orders_are_compared_over_the_sites_that_both_have() -> None:
    rng = np.random.default_rng(2)
    sites = [site(bus, rng.random((3, 5))) for bus in range(8)]
    before = rank_sites(sites)
    after = rank_sites([replace(one, metrics=one.metrics**2) for one in sites[:6]])
    found = compared(before, after, "firm", 1000.0, 3)
    assert found.common == 6
    assert found.spearman == pytest.approx(spearmanr(before.score[:6], after.score).statistic)
    best = [{*np.argsort(-score)[:3].tolist()} for score in (before.score, after.score)]
    assert found.overlap == pytest.approx(len(best[0] & best[1]) / 3)
    assert [was for _, was, _ in found.moves] == sorted(before.place[:6].tolist())
    assert {bus: now for bus, _, now in found.moves} == dict(enumerate(after.place.tolist()))
    with pytest.raises(QuestionError, match="fewer than two sites"):
        compared(before, after, "shift", 1000.0, 3)


def test_depths_are_read_from_a_gate_and_an_order_of_them() -> None:
    case = as_filed(Network.from_tables(load("rts24")), Assumptions(thermal="zero"))
    lost = Contingencies.of(Factors.of(case.network), Rule("all", units=False))
    own = depth_envelopes(("pause",), (0.1, 0.3))
    gate = screen(case, lost, GateQuestion(np.arange(24), own, (300.0,)))
    found = depth_sweep(gate, 300.0)
    assert {depth: count.qualified for depth, count in found["pause"].items()} == {
        depth: int((gate.qualified(name, 300.0) == 1).sum())
        for name, depth in (("pause 10 %", 0.1), ("pause 30 %", 0.3))
    }
    order = rank_sites([site(bus, np.random.default_rng(bus).random((3, 5)), own[bus % 2]) for bus in range(6)])
    scores = {0.1: float(np.median(order.score[::2])), 0.3: float(np.median(order.score[1::2]))}
    assert depth_scores(order) == {"pause": pytest.approx(scores)}
