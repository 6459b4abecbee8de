"""The exact optimum over regions against the payment identity, brute force on a grid, and laws."""

import numpy as np
import pytest

from engine.distribution import region_program
from engine.distribution.bilevel import bilevel
from engine.distribution.coordination import Coordination
from engine.distribution.dso import dispatch
from engine.distribution.region_program import all_regions, by_regions
from engine.distribution.workload import Workload
from engine.errors import SolverError
from tests.engine.distribution.days import case37
from tests.engine.distribution.problems import HOURS, day_optimum, equilibrium, hour, line, regions


@pytest.mark.parametrize("at", HOURS)
def test_three_exact_routes_and_brute_force_agree_on_one_hour_of_two_centres(at: tuple[float, float]) -> None:
    """Payment identity, regions with and without boxes' bounds, and the operator's own program on a grid."""
    problem, found = hour(*at), regions(*at)
    exact = by_regions(problem, found, gap=1e-5)
    identity = bilevel(problem, found, gap=1e-5)
    assert exact.status == identity.status == "optimal"
    assert identity.objective == pytest.approx(exact.objective, rel=3e-5)
    assert abs(exact.gap) <= 2e-5
    for x in line(problem, 6):
        whole = dispatch(problem.case, [1000.0 * x])
        price = [
            whole.prices.of_device(whole.frame.share(row), row.kvar_per_kw)[0] for row in problem.case.feeder.centres
        ]
        assert float(np.dot(price, x)) >= exact.bound * (1.0 - 1e-4)
    grid = min(found[0].at(x).payment(x) for x in line(problem, 4001))
    assert exact.objective <= grid + 1e-9
    assert exact.objective == pytest.approx(grid, rel=2e-3)


def test_an_hour_of_the_ieee_37_feeder_with_three_centres_has_one_optimum() -> None:
    problem = Coordination.of(case37(slice(17, 18), svg=False), Workload(np.array([1100.0])))
    found = all_regions(problem)
    assert bilevel(problem, found).objective == pytest.approx(by_regions(problem, found).objective, rel=2e-4)


def test_a_strategic_aggregator_pays_less_and_the_system_costs_more() -> None:
    """Law: its choices contain the competitive ones; and the competitive cost is the least there is."""
    best, taker = day_optimum(), equilibrium()
    assert best.objective <= taker.outcome.objective + 1e-6
    assert best.system_cost + best.delay_cost >= taker.cost - 1e-6
    assert taker.payment_bound <= best.objective + 1e-6


def test_a_payment_below_the_least_thought_possible_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least payment of this hour is below 200 $/h on a grid; a least one of 1000 $/h cuts it off."""
    problem, found = hour(*HOURS[0]), regions(*HOURS[0])
    assert min(found[0].at(x).payment(x) for x in line(problem, 6)) < 200.0
    monkeypatch.setattr(region_program._Model, "least", lambda *_: 1000.0)
    with pytest.raises(SolverError, match="hour 1: the payment is below the least"):
        by_regions(problem, found)
