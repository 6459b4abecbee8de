"""What a hub may do: against another program, and every way of saying that it cannot be."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import InfeasibleError
from engine.pricing.case import HubCase
from engine.pricing.hubs import Battery, Hub, Work
from engine.pricing.program import check_all, programs
from engine.program import solve
from tests.engine.pricing.small import as_specified, one_line, random_case


@pytest.mark.parametrize("seed", range(4))
def test_a_linear_hub_costs_what_another_program_says(seed: int) -> None:
    """Independent: the specification's equations in cvxpy."""
    case = random_case(seed)
    price = np.random.default_rng(seed).normal(0.0, 10.0, (2, 6))
    for hub, own, each in zip(case.hubs, programs(case), price, strict=True):
        value, _ = as_specified(case, hub, each, curved=False)
        assert solve(own.linear(each)).optimum().objective == pytest.approx(value, rel=1e-6)


def test_half_hours_cost_half() -> None:
    """Law: with steps of half an hour and half the energy in store, every cost is half of that of hours."""
    case = random_case(1)
    hubs = tuple(
        replace(
            hub,
            battery=replace(hub.battery, energy_mwh=1.0, start_mwh=0.35, least_mwh=0.05),
            hydrogen=replace(hub.hydrogen, store_mwh=0.75, start_mwh=0.2),
            work=replace(hub.work, waiting_per_mwh=0.4),
        )
        for hub in case.hubs
        if hub.battery is not None and hub.hydrogen is not None and hub.work is not None
    )
    price = np.zeros(6)
    whole, half = programs(case)[0], programs(replace(case, hubs=hubs, step_h=0.5))[0]
    hours, halves = (solve(own.linear(price)).optimum().objective for own in (whole, half))
    assert halves == pytest.approx(hours / 2.0, rel=1e-9)


@pytest.mark.parametrize(
    ("deadline", "done"), [(1, (1.0, 2.0, 0.0, 1.0)), (2, (0.0, 1.0, 2.0, 1.0)), (4, (0.0, 0.0, 2.0, 2.0))]
)
def test_work_waits_until_its_deadline_and_no_longer(deadline: int, done: tuple[float, ...]) -> None:
    """By hand: 1, 2, 0 and 1 MWh arrive, prices fall, and at most 2 MW can be done."""
    work = Work((1.0, 2.0, 0.0, 1.0), 2.0, deadline, 0.0)
    hub = Hub("one", "a", (0.0,) * 4, 5.0, work=work)
    (own,) = programs(HubCase((hub,), one_line(4, 1, 9.0), (40.0, 30.0, 20.0, 10.0), (0.0,) * 4))
    x = solve(own.linear(np.zeros(4))).optimum().x
    assert own.of(x, "work").tolist() == pytest.approx(done)


def test_hubs_that_cannot_serve_are_named_with_the_period_and_what_they_lack() -> None:
    """By hand: 3 MW asked of 2 MW of import; 4 MWh of work in 2 MW before the end; a battery cannot end fuller."""
    hubs = (
        Hub("short", "a", (1.0, 3.0), 2.0),
        Hub("late", "a", (0.0, 0.0), 9.0, work=Work((0.0, 4.0), 2.0, 1)),
        Hub("fine", "a", (1.0, 1.0), 2.0, battery=Battery(1.0, 1.0, start_mwh=0.5)),
    )
    with pytest.raises(InfeasibleError) as caught:
        check_all(programs(HubCase(hubs, one_line(2, 3, 9.0), (30.0, 30.0), (0.0, 0.0))))
    told = str(caught.value)
    assert "hub short, power, period 2: 1 too little" in told
    assert "hub late, work, period 2: 2 too" in told
    assert "fine" not in told
    assert {problem.element for problem in caught.value.problems} == {"short", "late"}
