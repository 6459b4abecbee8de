"""Prices in real time: balances of what is carried from one period to the next, and what foresight is worth."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import QuestionError
from engine.pricing.case import HubCase
from engine.pricing.cases import three_hubs
from engine.pricing.hubs import Battery, Generator, Hub, Hydrogen, Work
from engine.pricing.program import programs
from engine.pricing.rolling import _after, _waiting, rolled
from engine.program import solve
from tests.engine.pricing.small import one_line, two_hubs


def test_with_nothing_to_forecast_a_window_over_the_whole_day_is_the_day_itself() -> None:
    """Law: without errors and with all in sight, each period's prices are those of the plan made before it."""
    case = two_hubs()
    found = rolled(case, window=4, error=0.0, step_s=10.0)
    assert found.overload_cost == pytest.approx(found.foresight.overload_cost, abs=0.2)
    assert found.withdrawal_mw == pytest.approx(found.foresight.withdrawal_mw, abs=0.05)
    assert found.hub_cost == pytest.approx(found.foresight_cost, rel=1e-2)


def test_a_short_sight_does_no_better_than_foresight_and_all_work_is_done() -> None:
    """Balance: what hubs draw over the day serves demand and work, and batteries end where they began or above."""
    case = three_hubs(8)
    found = rolled(case, window=4, error=0.15, seed=3)
    campus = case.hubs[0]
    assert campus.work is not None
    needed = sum(campus.demand_mw) + sum(campus.work.arrivals_mw)
    assert found.withdrawal_mw[0].sum() >= needed - 1e-6
    assert found.overloads.mwh(case) * 100.0 == pytest.approx(found.overload_cost)
    assert (found.step_s > 0.0).all()
    assert found.price.shape == (3, 8)


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
