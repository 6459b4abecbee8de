"""Prices: exact ones against closed forms and a search over a grid, quick ones against exact ones."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.commitment.outcome import Effort
from engine.pricing import smooth
from engine.pricing.case import HubCase, PriceRange, Terms
from engine.pricing.cases import fleet
from engine.pricing.central import Joint, first_best, together
from engine.pricing.congestion import Overloads, PriceTerms
from engine.pricing.evaluation import Fleet
from engine.pricing.exact import exact_prices
from engine.pricing.hubs import Generator, Hub, Work
from engine.pricing.linear import at_prices
from engine.pricing.program import programs
from engine.pricing.smooth import Smooth, smooth_prices
from engine.program import Status
from tests.engine.pricing.small import export_only, one_line, rigid, two_hubs

EFFORT = Effort(1e-5, 120.0)
THRESHOLD = (1.0 / 0.95**2 - 1.0) * 30.0 + 5.0 * (1.0 + 1.0 / 0.95**2)


def _joint(case: HubCase) -> Joint:
    return Joint.of(case, programs(case.checked()))


def _smooth(case: HubCase) -> Smooth:
    fleet = Fleet.of(case)
    zero = np.zeros((case.area_count, case.periods))
    start = together(Joint.of(case, fleet.programs)).price
    return smooth_prices(fleet, {"none": zero, "together": start})


def unit_hub() -> HubCase:
    """Imports x or generates 1 - x, which costs 1 $/MWh, import (price) 0: what is over is |x - 1/2| with weight 10."""
    hub = Hub("one", "a", (1.0,), 1.0, generator=Generator(1.0, 1.0))
    network = replace(one_line(1, 1, 1e-9, 0.0), background_mw=np.array([[0.5]]))
    terms = Terms(line_per_mwh=10.0, substation_per_mwh=0.0, level=0.1, smooth=0.0, fair=0.0)
    return HubCase((hub,), network, (0.0,), (-9.0,), terms=terms, prices=PriceRange(-2.0, 2.0))


def shifting() -> HubCase:
    """Work that waits for the cheap hour, in which the line is too small for it."""
    hub = Hub("one", "a", (0.5, 0.5, 0.5), 4.0, work=Work((1.0, 1.0, 0.0), 3.0, 3, 0.5))
    terms = Terms(line_per_mwh=100.0, level=0.5, smooth=0.2, fair=0.0)
    return HubCase((hub,), one_line(3, 1, 1.5), (31.0, 30.0, 26.0), (0.0,) * 3, terms=terms,
                   prices=PriceRange(-8.0, 8.0))  # fmt: skip


def test_a_battery_needs_its_round_trip_paid_before_it_moves() -> None:
    """Closed form: (1/eta^2 - 1) pi + wear (1 + 1/eta^2) = 13.78 $/MWh in the third hour; below it nothing moves."""
    assert pytest.approx(13.78, abs=0.01) == THRESHOLD
    case = two_hubs()
    joint = _joint(case)
    found = exact_prices(joint, EFFORT, quadratic=False)
    assert found.status is Status.OPTIMAL
    assert found.objective == pytest.approx(0.01 * THRESHOLD, abs=1e-4)
    assert found.price[0] == pytest.approx([0.0, 0.0, THRESHOLD, 0.0], abs=0.01)
    assert found.price[1] == pytest.approx(np.zeros(4), abs=0.01)
    assert found.withdrawal_mw[:, 2].sum() == pytest.approx(2.5, abs=1e-5)
    # Once it pays, all of the battery moves: what it charges for 1 MW then is too much in the two hours before.
    rebound = 2.0 * 100.0 * (1.0 / (2.0 * 0.95**2) - 0.5)
    for price, over in ((THRESHOLD - 0.1, 50.0), (THRESHOLD + 0.1, rebound)):
        told = np.zeros((2, 4))
        told[0, 2] = price
        assert at_prices(joint, told).best.overload_cost == pytest.approx(over, abs=0.05)


def test_cheaper_charging_does_it_for_less_where_prices_may_fall() -> None:
    """Closed form: a discount in the hour of charging counts 1/eta^2 times, so it may be smaller."""
    found = exact_prices(_joint(two_hubs(2.6, least=-20.0)), EFFORT, quadratic=False)
    assert found.objective == pytest.approx(0.01 * THRESHOLD * 0.95**2, abs=1e-4)


def test_a_tie_is_worth_a_half_of_the_objective() -> None:
    """Closed forms of the specification: optimistic 0.1, at x = 1/2 by a tie; the least-norm choice 5 or more."""
    joint = _joint(unit_hub())
    found = exact_prices(joint, EFFORT, quadratic=False)
    assert found.objective == pytest.approx(0.1, abs=1e-5)
    assert found.price[0, 0] == pytest.approx(1.0, abs=1e-4)
    ends = at_prices(joint, found.price)
    assert ends.best.overload_cost == pytest.approx(0.0, abs=1e-4)
    assert ends.worst.overload_cost == pytest.approx(5.0, abs=1e-4)
    assert at_prices(joint, np.zeros((1, 1))).worst.overload_cost == pytest.approx(5.0, abs=1e-4)


@pytest.mark.parametrize(("kappa", "least"), [(1.0, 0.05), (0.1, 0.095), (0.001, 0.09995)])
def test_a_little_curvature_reaches_the_half_way_at_a_price_just_below(kappa: float, least: float) -> None:
    """Closed form: with x curved by kappa, x = 1/2 at the price 1 - kappa / 2, so 0.1 (1 - kappa / 2)."""
    case = unit_hub()
    (own,) = programs(case)
    bent = replace(own, curved=np.array([kappa, 1e-9]))
    found = exact_prices(Joint.of(case, (bent,)), EFFORT, quadratic=True)
    assert found.objective == pytest.approx(least, abs=1e-5)


def test_exact_prices_are_no_worse_than_any_of_a_grid() -> None:
    """Brute force: 9^3 prices, linear hubs choosing for the operator."""
    case = shifting()
    joint, terms = _joint(case), PriceTerms.of(case)
    found = exact_prices(joint, EFFORT, quadratic=False)
    assert found.status is Status.OPTIMAL
    grid = np.linspace(-8.0, 8.0, 9)
    best = np.inf
    for price in np.array(np.meshgrid(grid, grid, grid)).reshape(3, -1).T:
        weight = terms.cost(price[np.newaxis]).total
        if weight < best:
            best = min(best, weight + at_prices(joint, price[np.newaxis]).best.overload_cost)
    assert found.objective <= best + 1e-6
    told = at_prices(joint, found.price).best.overload_cost + terms.cost(found.price).total
    assert told == pytest.approx(found.objective, abs=0.02)


@pytest.mark.parametrize("case", [export_only(), rigid()])
def test_where_prices_reach_nothing_all_models_are_the_same(case: HubCase) -> None:
    """By hand: no prices are the best prices, whoever answers."""
    joint, fleet = _joint(case), Fleet.of(case)
    exact = exact_prices(joint, EFFORT, quadratic=False)
    zero = np.zeros((len(case.hubs), case.periods))
    assert exact.objective == pytest.approx(at_prices(joint, zero).best.overload_cost, abs=1e-2)
    assert np.abs(exact.price).max() == pytest.approx(0.0, abs=1e-6)
    assert smooth_prices(fleet, {"none": zero}).best.found.objective == pytest.approx(fleet.at(zero).objective)


@pytest.mark.parametrize("case", [two_hubs(), two_hubs(least=-20.0), shifting()])
def test_quick_prices_are_within_a_hundredth_of_the_best_ones(case: HubCase) -> None:
    """Against the integer program; and the chain: first best, exact, quick, none."""
    fleet, quick = Fleet.of(case), _smooth(case)
    joint = Joint.of(case, fleet.programs)
    exact = exact_prices(joint, EFFORT, quadratic=True, starts=(quick.best.found.answered,))
    assert exact.status is Status.OPTIMAL
    assert fleet.at(exact.price).objective == pytest.approx(exact.objective, rel=1e-3, abs=1e-4)
    none = fleet.at(np.zeros((case.area_count, case.periods))).objective
    chain = [first_best(joint).overload_cost, exact.bound, quick.best.found.objective, none]
    assert all(low <= high + 1e-5 * (1.0 + abs(high)) for low, high in pairwise(chain))
    assert quick.best.found.objective <= 1.01 * exact.objective + 1e-4
    assert quick.best.found.residual <= 1e-6


def test_a_step_promises_the_same_by_either_method_and_what_its_own_model_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: a linear program has one optimum; by hand, the model at the step is as much less as it promises."""
    case = fleet(6, hours=5)
    own = Fleet.of(case)
    least, _ = case.price_bounds()
    search = smooth._Search(own, None, "none", np.inf, None)
    found = own.at(np.random.default_rng(3).normal(0.0, 2.0, least.shape))
    slopes = search._model(found)
    promises = []
    for rows in (10**9, 0):
        monkeypatch.setattr(smooth, "_MANY_ROWS", rows)
        step = search._step(found, slopes, 2.0)
        assert step is not None
        change, promised = step
        assert np.abs(change).max() <= 2.0 + 1e-9
        moved = found.withdrawal_mw.copy()
        for hub, (area, group) in enumerate(zip(case.area, search.groups.of, strict=True)):
            mates = int((search.groups.of == group).sum())  # any split of a group's change has the same flows
            moved[hub] += slopes[group] @ change[area] / mates
        after = Overloads.of(case, moved).cost(case) + own.terms.cost(found.price + change).total
        assert found.objective - after == pytest.approx(promised, abs=1e-6)
        promises.append(promised)
    assert promises[0] > 1.0
    assert promises[1] == pytest.approx(promises[0], rel=1e-7)
