"""Prices in real time: balances of what is carried from one period to the next, and what foresight is worth."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import QuestionError
from engine.pricing.case import HubCase
from engine.pricing.cases import three_hubs
from engine.pricing.central import Joint, first_best
from engine.pricing.hubs import Battery, Generator, Hub, Hydrogen, Work
from engine.pricing.program import programs
from engine.pricing.rolling import _after, _waiting, _window, ending_with, rolled
from engine.program import solve
from tests.engine.pricing.small import one_line, two_hubs


def test_with_nothing_to_forecast_the_day_comes_to_what_it_would_have_been_known_to() -> None:
    """Law: without errors each period's prices are those of the plan made before it; with the same end no plan differs.

    The busy hour comes again the next day, so the battery is no longer empty in the evening.
    """
    case = two_hubs()
    found = rolled(case, window=4, error=0.0, step_s=10.0)
    assert found.end[0].battery is not None
    assert 0.1 < found.end[0].battery.start_mwh < 0.5 / 0.95 + 1e-6
    assert found.overload_cost == pytest.approx(found.foresight.overload_cost, abs=0.2)
    assert found.withdrawal_mw == pytest.approx(found.foresight.withdrawal_mw, abs=0.05)
    assert found.hub_cost == pytest.approx(found.foresight_cost, rel=1e-2)


def test_a_short_sight_does_no_better_than_all_as_one_who_know_everything() -> None:
    """Laws: what was done is one thing that could be done; with the same end none overloads, or costs a hub, less.

    And balances: what the campus draws serves demand and work, the works keep what their store and generator gave.
    """
    case = three_hubs(8)
    found = rolled(case, window=4, error=0.15, seed=3)
    same_end = ending_with(case, found.end)
    known = programs(same_end.checked())
    assert found.missed_mwh.tolist() == [0.0, 0.0, 0.0]
    assert first_best(Joint.of(same_end, known)).overload_cost <= found.overload_cost + 1e-6
    for own, cost in zip(known, found.hub_cost.tolist(), strict=True):
        assert solve(own.linear(np.zeros(8))).optimum().objective <= cost + 1e-6
    over = found.withdrawal_mw.sum(axis=0)
    flow = case.network.background_mw - case.network.share @ found.withdrawal_mw
    beyond = np.maximum(np.abs(flow) - case.network.limit_mw[:, np.newaxis], 0.0).sum()
    beyond += np.maximum(case.network.substation_mw + over - case.network.import_mw, 0.0).sum()
    assert found.overload_cost == pytest.approx(100.0 * beyond)
    campus, ended = case.hubs[0], found.end[0]
    assert campus.work is not None
    assert campus.battery is not None
    assert ended.battery is not None
    served = sum(campus.demand_mw) + sum(campus.work.arrivals_mw) - found.waiting_mwh[0]
    losses = found.withdrawal_mw[0].sum() - served - (ended.battery.start_mwh - campus.battery.start_mwh)
    assert -1e-6 <= losses <= 8 * campus.battery.power_mw * (1.0 / 0.95**2 - 1.0)
    assert (found.step_s > 0.0).all()
    assert found.price.shape == (3, 8)


def test_work_of_the_evening_waits_for_a_cheaper_morning() -> None:
    """By hand: 1 MWh arrives in the last hour, at 80 $/MWh, may wait an hour, and the next morning costs 20 $/MWh."""
    hub = Hub("one", "a", (0.5, 0.5), 5.0, work=Work((0.0, 1.0), 1.0, 2, 0.0))
    found = rolled(HubCase((hub,), one_line(2, 1, 9.0), (20.0, 80.0), (0.0, 0.0)), window=2, error=0.0)
    assert found.waiting_mwh == pytest.approx([1.0], abs=1e-6)
    assert found.withdrawal_mw == pytest.approx(np.array([[0.5, 0.5]]), abs=1e-6)
    assert found.hub_cost == pytest.approx([0.5 * 100.0], abs=1e-4)
    assert found.foresight_cost == pytest.approx([0.5 * 100.0], abs=1e-4)  # which has the same end


@pytest.mark.parametrize(
    ("periods", "step_h", "now", "ahead"),
    [(24, 1.0, 21, (21, 22, 23, 0, 1)), (48, 1.0, 22, (22, 23, 24, 25, 26)), (48, 1.0, 46, (46, 47, 24, 25, 26)),
     (48, 0.5, 46, (46, 47, 0, 1, 2)), (3, 1.0, 1, (1, 2, 0, 1, 2))],
)  # fmt: skip
def test_a_window_goes_on_into_the_next_day(periods: int, step_h: float, now: int, ahead: tuple[int, ...]) -> None:
    """By hand: the data's next day where there is one; after the last, that day again."""
    prices = tuple(float(t) for t in range(periods))
    case = HubCase((Hub("one", "a", prices, 5.0),), one_line(periods, 1, 9.0), prices, (-1.0,) * periods, step_h)
    seen, missed = _window(case, case.hubs, now, 5, 0.0, np.random.default_rng(0))
    assert seen.buy_per_mwh == pytest.approx(ahead)
    assert seen.hubs[0].demand_mw == pytest.approx(ahead)
    assert seen.network.periods == 5
    assert missed.tolist() == [0.0]


def test_the_same_end_keeps_what_is_held_and_leaves_what_came_last() -> None:
    """By hand: 1.5 MWh wait, of which 1 came last and 0.5 of the 2 before it; the store ends with 0.7 MWh."""
    hub = Hub("one", "a", (1.0,) * 3, 5.0, battery=Battery(1.0, 2.0, start_mwh=1.0),
              hydrogen=Hydrogen(1.0, 0.5, 3.0, start_mwh=1.5), work=Work((3.0, 2.0, 1.0), 4.0, 3))  # fmt: skip
    ended = replace(hub, battery=replace(hub.battery, start_mwh=0.4), hydrogen=replace(hub.hydrogen, start_mwh=0.7),
                    work=replace(hub.work, before_mwh=(0.5, 1.0)))  # type: ignore[type-var]  # fmt: skip
    (found,) = ending_with(HubCase((hub,), one_line(3, 1, 9.0), (1.0,) * 3, (0.0,) * 3), (ended,)).hubs
    assert found == replace(
        hub, battery=replace(hub.battery, end_mwh=0.4), hydrogen=replace(hub.hydrogen, end_mwh=0.7),
        work=replace(hub.work, arrivals_mw=(3.0, 1.5, 0.0)),
    )  # type: ignore[type-var]  # fmt: skip


def test_what_waits_is_done_oldest_first_and_loses_a_period() -> None:
    """By hand: 1 and 2 MWh wait, 3 MW arrive for three periods; 2 MWh are done of the oldest."""
    work = Work((3.0, 0.0, 0.0), 5.0, 3, before_mwh=(1.0, 2.0))
    assert _waiting(work, 2.0, 1.0) == pytest.approx((1.0, 3.0))
    assert _waiting(work, 6.0, 1.0) == ()
    assert _waiting(replace(work, before_mwh=()), 1.0, 0.5) == pytest.approx((0.0, 0.5))


def test_a_hub_stands_where_its_first_period_left_it() -> None:
    """By hand; what it must end with stays what it was."""
    hub = Hub("one", "a", (1.0,) * 3, 5.0, battery=Battery(1.0, 2.0, start_mwh=1.0),
              generator=Generator(1.0, 50.0, 0.2), hydrogen=Hydrogen(1.0, 0.5, 3.0, start_mwh=1.5))  # fmt: skip
    found = _after(hub, {"energy": 1.7, "hydrogen": 0.4, "generated": 0.6}, 1.0)
    assert found.battery == replace(hub.battery, start_mwh=1.7, end_mwh=1.0)  # type: ignore[type-var]
    assert found.hydrogen == replace(hub.hydrogen, start_mwh=0.4, end_mwh=1.5)  # type: ignore[type-var]
    assert found.generator == replace(hub.generator, before_mw=0.6)  # type: ignore[type-var]


def test_work_from_before_is_due_first_and_ramps_go_on_from_before() -> None:
    """By hand: 1 MWh is due in the first period and 1 in the second at most; the generator may come down by 0.2 MW."""
    work = Work((0.0, 0.0, 0.0), 2.0, 1, 0.0, (1.0, 1.0))
    generator = Generator(1.0, 90.0, 0.2, 0.7)
    hub = Hub("one", "a", (0.6, 0.6, 0.6), 5.0, export_mw=5.0, work=work, generator=generator)
    (own,) = programs(HubCase((hub,), one_line(3, 1, 9.0), (40.0, 30.0, 20.0), (1.0,) * 3).checked())
    x = solve(own.linear(np.zeros(3))).optimum().x
    assert own.of(x, "work").tolist() == pytest.approx([1.0, 1.0, 0.0])
    assert own.of(x, "generated").tolist() == pytest.approx([0.5, 0.3, 0.1])


@pytest.mark.parametrize(
    ("asked", "words"), [({"window": 9}, "window of 9 periods; 1 to 4"), ({"error": 2.0}, "is 2; 0 to 1")]
)
def test_impossible_questions_are_refused(asked: dict[str, float], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        rolled(two_hubs(), **({"window": 4} | asked))  # type: ignore[arg-type]
