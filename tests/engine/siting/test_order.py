"""Who is ranked, and how: against the table of the market's figures ranked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from engine.commitment.outcome import End
from engine.errors import QuestionError
from engine.siting.criteria import Criterion, OwnCriteria, read_columns
from engine.siting.market import SiteMarket
from engine.siting.order import OrderBy, order_of, ranked_sites
from engine.siting.ranking import GROUPS, metric_criteria, rank
from tests.siting_study import gate_run, market_run, network

GATE = gate_run().gate
COLUMNS = read_columns("bus,water\nA,3\nB,1\n", network().buses.ids)


def who(threshold: float | None = None, own: OwnCriteria | None = None) -> list[tuple[int, str, float]]:
    return [
        (site.placement.bus, site.placement.envelope.name, site.placement.nameplate_mw)
        for site in ranked_sites(GATE, market_run(), threshold, own)
        if site.placement is not None
    ]


def test_those_that_reach_the_threshold_are_ranked() -> None:
    every = [(bus, own.name, size) for own in GATE.envelopes for size in GATE.sizes_mw for bus in (0, 1)]
    assert who(0.0) == every  # the market has two buses, two envelopes and two sizes
    for threshold in (None, 0.5, 0.9, 1.0):
        expected = [key for key in every if GATE.qualified(*key[1:], threshold)[GATE.buses.tolist().index(key[0])] == 1]
        assert who(threshold) == expected
    assert len(who(0.5)) < 8


def test_why_nobody_is_left_is_told_by_how_each_market_ended() -> None:
    whole = market_run()

    def ended(status: End, site: SiteMarket) -> SiteMarket:
        return replace(site, days=tuple(replace(day, status=status) for day in site.days))

    def told(sites: tuple[SiteMarket, ...], own: OwnCriteria | None = None) -> str:
        with pytest.raises(QuestionError) as found:
            order_of(GATE, replace(whole, sites=sites), OrderBy(threshold=0.0), own)
        return str(found.value)

    assert told(()) == "the market has not ended for any site"
    late = tuple(ended(End.TIME_LIMIT, site) for site in whole.sites[:3])
    never = (ended(End.INFEASIBLE, whole.sites[3]),)
    words = told(late + never)
    assert words.startswith("the market serves none of the 4 sites that were tried: ")
    assert "no schedule keeps every limit at 1" in words
    assert "the time was over before the gap was closed at 3" in words
    nowhere = OwnCriteria.of([Criterion("water", "gate at most", limit=0.0)], COLUMNS)
    assert told(whole.sites, nowhere) == "of the 8 sites that the market serves none qualifies"


def test_weights_scaling_and_ones_own_columns_are_those_of_a_ranking_by_hand() -> None:
    own = OwnCriteria.of([Criterion("water", "cost", group="mine", weight=2.0)], COLUMNS, [("mine", 5.0)])
    found = order_of(GATE, market_run(), OrderBy((3.0, 1.0, 0.5), threshold=0.0), own)
    sites = market_run().sites
    table = np.column_stack(
        [[one.metrics.ravel() for one in sites], [(3.0, 1.0)[one.placement.bus] for one in sites if one.placement]]
    )
    expected = rank(
        table, (*metric_criteria(), "water"), {**GROUPS, "mine": ("water",)}, group_weights=(3.0, 1.0, 0.5, 5.0)
    )
    assert found.score == pytest.approx(expected.score)
    alone = order_of(GATE, market_run(), OrderBy((3.0, 1.0, 0.5), "per envelope", 0.0))
    firm = [k for k, one in enumerate(sites) if one.placement and one.placement.envelope.name == "firm"][:2]
    by_hand = rank(table[firm, :15], metric_criteria(), group_weights=(3.0, 1.0, 0.5))  # one envelope, one size
    assert alone.score[firm] == pytest.approx(by_hand.score)


def test_a_site_that_ones_own_criteria_stop_is_not_ranked() -> None:
    own = OwnCriteria.of([Criterion("water", "gate at most", 2.0)], COLUMNS)
    assert {bus for bus, *_ in who(0.0, own)} == {1}


def test_an_order_survives_its_json_and_nothing_else_is_taken_for_one() -> None:
    for by in (OrderBy(), OrderBy((1.0, 2.0, 0.0), "per envelope", 0.9)):
        assert OrderBy.from_json(by.to_json()) == by
    plain = OrderBy().to_json()
    for wrong in ({}, {**plain, "weights": [1.0]}, {**plain, "scaling": "no"}, {**plain, "threshold": "x"}):
        with pytest.raises(QuestionError):
            OrderBy.from_json(wrong)
