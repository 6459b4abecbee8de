"""A site's sheet: its numbers are those of the gate and of the ranking, taken apart."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import QuestionError
from engine.siting.gate.results import FAILED, PASSED
from engine.siting.sheet import base_failures, gate_sheet, metric_lines, row_of, score_reasons, site_market
from engine.siting.shortlist import rank_sites
from tests.siting_study import gate_run, market_run


def test_the_gate_taken_apart_adds_up_to_its_pass_rates() -> None:
    run = gate_run()
    for envelope in run.gate.envelopes:
        for size in run.gate.sizes_mw:
            low, high = run.gate.pass_rate(envelope.name, size)
            for place, bus in enumerate(run.gate.buses.tolist()):
                sheet = gate_sheet(run.gate, bus, envelope.name, size)
                assert (sheet.low, sheet.high) == pytest.approx((low[place], high[place]))
                assert sheet.verdict == run.gate.qualified(envelope.name, size)[place]
                assert sheet.strict == run.gate.strict(envelope.name, size)[place]
                assert sheet.first == run.gate.first_failure(place, envelope.name, size)
                failed = run.gate.by_contingency(place, envelope.name, size)[1]
                assert {one.contingency: one.weight for one in sheet.failing} == pytest.approx(
                    {int(k): failed[k] for k in np.flatnonzero(failed)}
                )
                weights = [one.weight for one in sheet.failing]
                assert weights == sorted(weights, reverse=True)


def test_outages_that_fail_without_the_load_are_told_from_those_that_it_breaks() -> None:
    # Without unit b the 150 MW that A must produce at least meet 200 MW of load at B over lines of 2 x 80 MW: 40 MW
    # are short whatever is added. Without a circuit, A's 150 MW need 150 MW through 80 MW until 70 MW are taken at A.
    run = gate_run()
    sheet = gate_sheet(run.gate, 1, "firm", 50.0)
    named = {run.contingencies.ids[one.contingency]: one for one in sheet.failing}
    assert named["unit b"].without_load == named["unit b"].hours
    assert sheet.hours[0].without_load >= 1
    assert sheet.verdict == FAILED
    assert gate_sheet(run.gate, 1, "firm", 50.0, 0.0).verdict == PASSED  # a threshold that everything reaches


def test_outages_that_fail_before_any_load_are_listed_and_those_that_a_load_breaks_are_counted() -> None:
    """By the counts of each site's own sheet; the lists by hand.

    At 16 o'clock, 200 MW of load, every outage fails without a load but that of unit a: unit b alone serves all. At 3
    o'clock the load is 240 MW and unit b has 200: none survives.
    """
    run = gate_run()
    found = base_failures(run.gate)
    assert {run.contingencies.ids[one.contingency]: one.hours for one in found} == {
        "branch A-B/1": (0, 1), "branch A-B/2": (0, 1), "unit a": (1,), "unit b": (0, 1),
    }  # fmt: skip
    assert sum(one.share for one in found) == pytest.approx(7.0 / 8.0)
    assert [one.share for one in found] == sorted((one.share for one in found), reverse=True)
    for own in run.gate.envelopes:
        for size in run.gate.sizes_mw:
            counted = []
            for bus in run.gate.buses.tolist():
                hours = gate_sheet(run.gate, bus, own.name, size).hours
                counted.append(sum(hour.outages - hour.without_load for hour in hours))
            assert run.gate.broken(own.name, size).tolist() == counted
    part = replace(run.gate, verdicts=(run.gate.verdicts[0], None))
    assert base_failures(part)[0].hours == (0,)
    assert part.broken("firm", 100.0).max() == 1  # unit b cannot serve 280 MW alone


def test_hours_that_were_not_screened_are_open() -> None:
    run = gate_run()
    part = replace(run.gate, verdicts=(run.gate.verdicts[0], None))
    sheet = gate_sheet(part, 0, "firm", 50.0)
    assert (len(sheet.hours), sheet.open_hours) == (1, 1)
    assert sheet.high - sheet.low == pytest.approx(run.gate.hour_weight[1])


def test_what_was_not_asked_has_no_sheet() -> None:
    run = gate_run()
    with pytest.raises(QuestionError, match="not screened"):
        gate_sheet(run.gate, 0, "firm", 1.0)
    with pytest.raises(QuestionError, match="not a candidate"):
        gate_sheet(run.gate, 99, "firm", 50.0)


def test_metrics_stand_beside_the_median_of_their_own_envelope_and_the_noise() -> None:
    market = market_run()
    site = site_market(market, 0, "firm", 50.0)
    assert site is not None
    lines = metric_lines(market, site)
    assert [line.value for line in lines] == site.metrics.ravel().tolist()
    firm = np.array([market.sites[0].metrics, market.sites[1].metrics])  # both buses, firm, 50 MW
    assert [line.peers.median for line in lines] == np.median(firm, axis=0).ravel().tolist()
    assert [line.within_noise for line in lines] == [abs(line.from_median) <= 0.25 for line in lines]
    assert not any(line.within_noise for line in metric_lines(replace(market, floor=None), site))
    assert site_market(market, 0, "firm", 70.0) is None


def test_a_score_is_taken_apart_into_what_its_criteria_cost() -> None:
    ranked = rank_sites(market_run().sites)
    for row, site in enumerate(ranked.sites):
        assert site.placement is not None
        assert row_of(ranked, site.placement.bus, site.placement.envelope.name, site.placement.nameplate_mw) == row
        reasons = score_reasons(ranked, row)
        for name, score, _ in reasons.groups:
            # Weights sum to 1 inside a group: what is lost and what is kept make one point.
            assert sum(cost.lost for cost in reasons.costs if cost.group == name) == pytest.approx(1.0 - score)
        assert reasons.score == pytest.approx(reasons.to_anti_ideal / (reasons.to_ideal + reasons.to_anti_ideal))
        assert all(cost.score_at_best >= reasons.score - 1e-12 for cost in reasons.costs)
        nothing = [cost for cost in reasons.costs if cost.lost == 0.0]
        assert all(cost.score_at_best == pytest.approx(reasons.score) for cost in nothing)
        assert (reasons.above is None) == (reasons.place == 1)
        assert (reasons.below is None) == (reasons.place == reasons.alternatives)
        if reasons.above is not None:
            assert reasons.above.score >= reasons.score
            assert reasons.above.place == reasons.place - 1


def test_the_parts_that_separate_neighbours_sum_to_the_distance_of_their_groups() -> None:
    ranked = rank_sites(market_run().sites, scaling="per envelope")
    reasons = score_reasons(ranked, 0)
    other = reasons.above or reasons.below
    assert other is not None
    row = row_of(ranked, other.bus, "firm", 50.0)
    assert row is not None
    ahead = sum(score for _, score, _ in reasons.groups) - sum(s for _, s, _ in score_reasons(ranked, row).groups)
    assert sum(points for _, points in other.apart) == pytest.approx(ahead)
