"""Less and less curvature, and what exports alone overload."""

from dataclasses import replace

import numpy as np
import pytest

from engine.commitment.outcome import Effort
from engine.pricing.case import PriceRange
from engine.pricing.central import Joint
from engine.pricing.congestion import ByExports, Overloads
from engine.pricing.exact import exact_prices
from engine.pricing.ladder import SHARES, ladder
from engine.pricing.program import programs
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun, run_hubs
from tests.engine.pricing.small import export_only, two_hubs


def test_rungs_go_to_the_best_of_ties_or_stay_above_it() -> None:
    """Law of the specification: the optimistic objective of linear hubs is no more than the end of the ladder."""
    case = two_hubs()
    rungs = ladder(case, np.zeros((2, 4)), 40.0)
    assert [rung.share for rung in rungs] == list(SHARES)
    best = exact_prices(Joint.of(case, programs(case)), Effort(1e-5, 60.0), quadratic=False).bound
    assert rungs[-1].objective is not None
    assert rungs[-1].objective >= best - 0.02 * abs(best)  # a rung's hubs are not yet linear
    assert all(rung.residual is not None and rung.residual <= 1e-6 for rung in rungs)


def test_what_exports_overload_is_told_and_is_none_where_they_are_priced() -> None:
    """By hand: all that is over in the case of exports alone is theirs; with a price on exports it is reached."""
    case = export_only()
    (own,) = programs(case)
    exports = np.full((1, case.periods), 2.0)
    over = Overloads.of(case, -exports)
    told = ByExports.of(case, exports, over)
    assert over.mwh(case) > 0.0
    assert told.mwh(case) == pytest.approx(over.mwh(case))
    priced = replace(case, prices=PriceRange(exports=True))
    assert ByExports.of(priced, exports, over).mwh(priced) == 0.0
    assert own.exports_priced is False


def test_a_run_of_a_small_case_is_proved_against_the_best_prices() -> None:
    """Law: quick prices are within a hundredth of the proved best, and no better than the bound."""
    run = run_hubs(HubQuestion(hours=3), lambda _: ("", b""))
    told, quick = run.facts["best"], run.of("quick", "quadratic")
    assert quick is not None
    assert told["bound"] <= quick.objective * (1.0 + 1e-6)
    assert quick.objective <= 1.01 * told["objective"]
    assert len(run.facts["ladder"]) == len(SHARES)
    assert HubRun.load(run.save()).facts == run.facts
    assert run.facts["by_exports_mwh"] >= 0.0
