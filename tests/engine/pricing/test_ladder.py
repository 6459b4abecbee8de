"""Less and less curvature, and what exports alone overload."""

from dataclasses import replace

import numpy as np
import pytest

from engine.commitment.outcome import Effort
from engine.pricing.case import Curvature, PriceRange
from engine.pricing.central import Joint
from engine.pricing.congestion import ByExports, Overloads
from engine.pricing.exact import exact_prices
from engine.pricing.ladder import SHARES, at_the_end, ladder
from engine.pricing.program import programs
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun, run_hubs
from tests.engine.pricing.small import export_only, two_hubs
from tests.engine.pricing.test_prices import unit_hub


def test_rungs_go_to_the_best_of_ties() -> None:
    """Closed form: imports x and generation 1 - x curved by a and b are 1/2 at the price 1 - (a - b) / 2, weighed 0.1.

    The least-norm choice of linear hubs comes to 5 or more (the specification's example).
    """
    case = replace(unit_hub(), curvature=Curvature(exchange=4.0, own=1e-3))
    rungs = ladder(case, np.zeros((1, 1)), 40.0)
    assert [rung.share for rung in rungs] == list(SHARES)
    told = [0.1 * abs(1.0 - share * (4.0 - 1e-3) / 2.0) for share in SHARES]
    assert [rung.objective for rung in rungs] == pytest.approx(told, abs=1e-6)
    assert all(rung.residual is not None and rung.residual <= 1e-6 for rung in rungs)
    best = exact_prices(Joint.of(case, programs(case)), Effort(1e-6, 60.0), quadratic=False)
    assert rungs[-1].objective == pytest.approx(best.objective, rel=3e-3)


def test_rungs_may_stay_above_the_best_of_ties() -> None:
    """Law of the specification: no rung's end is below the proved best of linear hubs, whose battery jumps."""
    case = two_hubs()
    best = exact_prices(Joint.of(case, programs(case)), Effort(1e-5, 60.0), quadratic=False)
    last = ladder(case, np.zeros((2, 4)), 40.0)[-1]
    assert last.objective is not None
    assert last.objective >= best.bound * (1.0 - last.share)
    assert [best.bound, best.objective] == pytest.approx([0.1378, 0.1378], abs=1e-3)


def test_prices_without_a_rise_meet_the_smallest_of_answers_as_good() -> None:
    """Closed form: at the tie the least of (3 x^2 + (1 - x)^2) / 2 is at x = 1/4, 1/4 too little, weighed by 10.

    Beyond the tie there is one answer: the hub generates all, 1/2 too little.
    """
    case = replace(unit_hub(), curvature=Curvature(exchange=3.0, own=1.0))
    for price, over in ((1.0, 2.5), (1.2, 5.0), (0.8, 5.0)):
        told = at_the_end(case, programs(case), np.array([[price]]))
        assert told == pytest.approx(over + 0.1 * price, abs=1e-6)
    rungs = ladder(case, np.zeros((1, 1)), 40.0)
    assert all(rung.smallest is not None and rung.objective is not None for rung in rungs)
    assert min(rung.smallest for rung in rungs if rung.smallest is not None) >= (rungs[-1].objective or 0.0) - 1e-6


def test_what_exports_overload_is_told_and_is_none_where_they_are_priced() -> None:
    """By hand: 2 MW flow out in three hours, 0.5 MW too much; all is the exports', or as much of it as these are."""
    case = export_only()
    over = Overloads.of(case, np.full((1, case.periods), -2.0))
    assert over.mwh(case) == pytest.approx(1.5)
    for exports, told in ((2.0, 1.5), (0.2, 0.6), (0.0, 0.0)):
        assert ByExports.of(case, np.full((1, case.periods), exports), over).mwh(case) == pytest.approx(told)
    priced = replace(case, prices=PriceRange(exports=True))
    assert ByExports.of(priced, np.full((1, case.periods), 2.0), over).mwh(priced) == 0.0


def test_a_run_of_a_small_case_is_proved_against_the_best_prices() -> None:
    """Law: F_B <= F_D* <= F_D <= F_A, and quick prices are within a hundredth of the proved best."""
    run = run_hubs(HubQuestion(hours=3), lambda _: ("", b""))
    told, quick, none = run.facts["best"], run.of("quick", "quadratic"), run.of("none", "quadratic")
    assert quick is not None
    assert none is not None
    assert told["status"] == "optimal"
    assert told["objective"] - told["bound"] <= 1e-3 * told["objective"]
    assert run.floor <= told["bound"] <= quick.objective * (1.0 + 1e-6) <= none.objective * (1.0 + 1e-6)
    assert quick.objective <= 1.01 * told["objective"] < none.objective
    assert run.facts["certificates"]["order"] is True
    assert run.facts["chain"] == {
        "first_best": run.floor, "best": told["objective"], "best_bound": told["bound"], "quick": quick.objective,
        "none": none.objective, "above_best": quick.objective / told["objective"], "why": "",
    }  # fmt: skip
    assert len(run.facts["ladder"]) == len(SHARES)
    assert run.facts["smallest"] == min(rung["smallest"] for rung in run.facts["ladder"])
    assert HubRun.load(run.save()).facts == run.facts


@pytest.mark.parametrize(
    ("question", "why"),
    [(HubQuestion(hours=3, ladder=False), "not asked for"),
     (HubQuestion(hours=9, ladder=False), "3 hubs times 9 periods are 27: proved up to 24 only")],
)  # fmt: skip
def test_where_the_best_prices_are_not_proved_it_is_said_why(question: HubQuestion, why: str) -> None:
    told = run_hubs(question, lambda _: ("", b"")).facts["chain"]
    assert told["why"] == why
    assert [told[name] for name in ("best", "best_bound", "above_best")] == [None, None, None]
    assert told["first_best"] <= told["quick"] < told["none"]
