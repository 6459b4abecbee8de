"""The hubs and the network as one, and what linear hubs do at given prices: by hand and against other programs."""

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from engine.errors import InfeasibleError
from engine.pricing.case import HubCase, PriceRange, Terms
from engine.pricing.central import Joint, first_best, together
from engine.pricing.congestion import Overloads, PriceTerms
from engine.pricing.hubs import Hub, Work
from engine.pricing.linear import at_prices
from engine.pricing.program import programs
from engine.program import Status
from tests.engine.pricing.small import export_only, fleet_of, one_line, random_case, rigid, two_hubs


def _joint(case: HubCase) -> Joint:
    return Joint.of(case, programs(case.checked()))


def test_a_battery_takes_away_what_flows_too_much_at_the_cost_of_its_round_trip() -> None:
    """By hand: 0.5 MWh discharged in the third hour, 0.5 / 0.95^2 charged before it at 30 $/MWh, wear of both."""
    found = first_best(_joint(two_hubs()))
    charged = 0.5 / 0.95**2
    assert found.overload_cost == pytest.approx(0.0, abs=1e-6)
    rest = (4.0 + 5.0) * 30.0
    assert found.hub_cost == pytest.approx(rest + (charged - 0.5) * 30.0 + (charged + 0.5) * 5.0, rel=1e-6)


def test_overloads_are_counted_on_both_sides_of_lines_and_substation() -> None:
    """By hand, half hours: 2 MW beyond one way, 1 MW beyond the other; 3 MW more import than allowed."""
    case = replace(rigid(), step_h=0.5, terms=Terms(line_per_mwh=100.0, substation_per_mwh=10.0))
    case = replace(case, network=replace(case.network, import_mw=2.0, export_mw=1.0))
    found = Overloads.of(case, np.array([[3.0, -2.0], [2.0, -2.0]]))
    assert found.line_mw.tolist() == [[2.0, 1.0]]
    assert found.substation_mw.tolist() == [3.0, 3.0]
    assert found.mwh(case) == pytest.approx(4.5)
    assert found.cost(case) == pytest.approx(0.5 * (3.0 * 100.0 + 6.0 * 10.0))


@pytest.mark.parametrize("fairness", ["hubs", "mean", "time"])
def test_prices_weigh_by_their_size_their_changes_and_their_differences(fairness: str) -> None:
    """By hand: three hubs in two areas, the first with two of them."""
    terms = Terms(level=1.0, smooth=10.0, fair=100.0, fairness=fairness)  # type: ignore[arg-type]
    hubs = tuple(Hub(name, "a", (1.0,) * 3, 3.0) for name in "abc")
    case = HubCase(hubs, one_line(3, 3, 9.0), (30.0,) * 3, (0.0,) * 3, terms=terms, areas=(0, 0, 1))
    cost = PriceTerms.of(case.checked()).cost(np.array([[1.0, 2.0, 2.0], [0.0, -1.0, 0.0]]))
    assert cost.level == pytest.approx(2 * 5.0 + 1.0)
    assert cost.smooth == pytest.approx(10.0 * (2 * 1.0 + 2.0))
    pairs = 2 * (1.0 + 3.0 + 2.0)
    mean = np.abs(np.array([[1, 2, 2], [1, 2, 2], [0, -1, 0]]) - np.array([2 / 3, 1.0, 4 / 3])).sum()
    assert cost.fair == pytest.approx(100.0 * {"hubs": pairs, "mean": mean, "time": 4.0}[fairness])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_prices_of_the_joint_optimum_reproduce_it(seed: int) -> None:
    """Law: hubs' conditions of optimality at these prices are those of all as one, where exports are priced too."""
    case = random_case(seed)
    case = replace(case, prices=PriceRange(-500.0, 500.0, exports=True))
    fleet = fleet_of(case)
    found = together(Joint.of(case, fleet.programs))
    assert found.worst <= 1e-7
    assert np.abs(found.price).max() > 1.0
    assert fleet.at(found.price).withdrawal_mw == pytest.approx(found.withdrawal_mw, abs=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_linear_hubs_choose_between_a_best_and_a_worst_for_the_network(seed: int) -> None:
    """Law: the first best is no more than the best, that no more than the worst, and sampled optima are between."""
    case = random_case(seed)
    joint = _joint(case)
    rng = np.random.default_rng(seed)
    price = rng.normal(0.0, 5.0, (2, 6))
    ends = at_prices(joint, price)
    assert first_best(joint).overload_cost <= ends.best.overload_cost + 1e-6
    assert ends.best.overload_cost <= ends.worst.overload_cost + 1e-6
    assert ends.worst.overload_cost <= ends.worst.bound + 1e-6
    for own, x, optimum, each in zip(joint.programs, ends.worst.points, ends.optimum, price, strict=True):
        assert own.cost_at(each) @ x == pytest.approx(optimum, rel=1e-5, abs=1e-4)
    sampled = [ends.best.overload_cost, ends.worst.overload_cost]
    for _ in range(5):
        drawn = []
        for own, optimum, each in zip(joint.programs, ends.optimum, price, strict=True):
            x = cp.Variable(len(own.cost))
            rows = [own.matrix @ x == own.right, x >= own.lower, x <= own.upper,
                    own.cost_at(each) @ x <= optimum + 1e-7 * (1.0 + abs(optimum))]  # fmt: skip
            cp.Problem(cp.Minimize(rng.normal(size=len(own.cost)) @ x), rows).solve(solver=cp.HIGHS)
            drawn.append(own.withdrawal(np.asarray(x.value)))
        sampled.append(Overloads.of(case, np.array(drawn)).cost(case))
    assert min(sampled) >= sampled[0] - 1e-3
    assert max(sampled) <= sampled[1] + 1e-3


def test_the_worst_of_equal_hours_is_the_busy_one() -> None:
    """Closed form: 2 MWh of work at one price in either hour; 1 MW is free in the first and 2 in the second."""
    hub = Hub("one", "a", (2.0, 1.0), 9.0, work=Work((2.0, 0.0), 2.0, 2, 0.0))
    joint = _joint(HubCase((hub,), one_line(2, 1, 3.0), (30.0, 30.0), (0.0, 0.0)))
    ends = at_prices(joint, np.zeros((1, 2)))
    assert ends.best.overload_cost == pytest.approx(0.0, abs=1e-3)
    assert ends.worst.overload_cost == pytest.approx(100.0, rel=1e-4)
    assert ends.worst.points[0][:2] == pytest.approx([4.0, 1.0], abs=1e-4)
    dearer = at_prices(joint, np.array([[1.0, 0.0]]))
    assert dearer.worst.overload_cost == pytest.approx(0.0, abs=1e-3)


def test_a_worst_that_there_was_no_time_for_has_a_bound_all_the_same() -> None:
    """Law: what is found is no more than the worst, the bound no less; by hand the worst is 100 $, the bound 200.

    Either hour alone could take the 2 MWh that wait, and each would then be exceeded by 1 MW.
    """
    hub = Hub("one", "a", (2.0, 2.0), 9.0, work=Work((2.0, 0.0), 2.0, 2, 0.0))
    joint = _joint(HubCase((hub,), one_line(2, 1, 3.0), (30.0, 30.0), (0.0, 0.0)))
    proved = at_prices(joint, np.zeros((1, 2))).worst
    assert proved.status is Status.OPTIMAL
    assert [proved.overload_cost, proved.bound] == pytest.approx([100.0, 100.0], abs=1e-2)
    short = at_prices(joint, np.zeros((1, 2)), time_limit_s=0.0).worst
    assert short.status is Status.TIME_LIMIT
    assert short.overload_cost <= 100.0 + 1e-3
    assert 100.0 - 1e-3 <= short.bound <= 200.0 + 1e-2


@pytest.mark.parametrize("case", [export_only(), rigid()])
def test_without_flexibility_that_prices_reach_nothing_helps(case: HubCase) -> None:
    """By hand: sun that only sells, and hubs without any choice."""
    joint = _joint(case)
    none = at_prices(joint, np.zeros((len(case.hubs), case.periods)))
    dear = at_prices(joint, np.full((len(case.hubs), case.periods), 20.0))
    assert none.best.overload_cost == pytest.approx(dear.best.overload_cost, abs=1e-6)
    assert none.worst.overload_cost == pytest.approx(dear.worst.overload_cost, abs=1e-3)
    assert none.best.overload_cost == pytest.approx({1: 50.0, 2: 50.0}[len(case.hubs)], rel=1e-5)


def test_hubs_without_any_choice_do_the_same_as_one() -> None:
    """Law: with one answer whatever is asked, the first best is what hubs do anyway."""
    joint = _joint(rigid())
    none = at_prices(joint, np.zeros((len(rigid().hubs), rigid().periods)))
    assert first_best(joint).overload_cost == pytest.approx(none.best.overload_cost, rel=1e-6)


def test_the_first_best_is_what_another_program_finds() -> None:
    """Independent: cvxpy with the polyhedra of the hubs; lines and substation as maxima."""
    case = random_case(5)
    joint = _joint(case)
    points = [cp.Variable(len(own.cost)) for own in joint.programs]
    rows = []
    for own, x in zip(joint.programs, points, strict=True):
        rows += [own.matrix @ x == own.right, x >= own.lower, x <= own.upper]
    drawn = [own.withdrawn @ x for own, x in zip(joint.programs, points, strict=True)]
    over = 0.0
    for at, limit in enumerate(case.network.limit_mw.tolist()):
        flow = case.network.background_mw[at] - sum(
            share * each for share, each in zip(case.network.share[at].tolist(), drawn, strict=True)
        )
        over += 100.0 * cp.sum(cp.pos(cp.abs(flow) - limit))
    whole = case.network.substation_mw + sum(drawn)
    over += 100.0 * cp.sum(cp.pos(whole - case.network.import_mw))
    problem = cp.Problem(cp.Minimize(over), rows)
    problem.solve(solver=cp.CLARABEL)
    assert first_best(joint).overload_cost == pytest.approx(float(problem.value), abs=1e-3)


def test_hubs_that_cannot_serve_are_named() -> None:
    hub = Hub("short", "a", (3.0,), 2.0)
    with pytest.raises(InfeasibleError, match="hub short, power, period 1: 1 too little"):
        first_best(_joint(HubCase((hub,), one_line(1, 1, 9.0), (30.0,), (0.0,))))
