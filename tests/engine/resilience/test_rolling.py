"""Stage II without foresight: never cheaper, nothing known too early, and an end to every day."""

from dataclasses import replace

import numpy as np
import pytest

from engine.errors import CancelledError
from engine.resilience.case import PlacementCase, Scenarios
from engine.resilience.recourse import Recourse
from engine.resilience.rolling import _Now, rolled
from tests.engine.resilience import small

HAIR = 1e-6


def with_shock(  # noqa: PLR0917 (one call)
    case: PlacementCase, draw: np.ndarray, start: int, end: int, outage: int = -1, outage_end: int | None = None
) -> PlacementCase:
    later = np.array([end if outage_end is None else outage_end])
    told = Scenarios(
        draw[np.newaxis], np.array([start]), np.array([end]), np.ones(1), np.array([outage]), ("shock",), later
    )
    return replace(case, scenarios=told).checked()


def quiet(case: PlacementCase) -> np.ndarray:
    return np.tile(case.schedule_mw, (case.steps, 1))


@pytest.mark.parametrize("seed", [0, 1])
def test_without_foresight_it_is_never_cheaper(seed: int) -> None:
    case = small.case(seed, count=4, outages=(2,))
    plan = small.plan(case, 30 + seed)
    found = rolled(case, plan)
    assert (found.trips == 0.0).all()
    assert (found.cost >= found.foresight_cost * (1.0 - 1e-6) - 1e-3).all()
    assert (found.cost > found.foresight_cost + 1.0).any()
    of = Recourse(case)
    for at in range(4):
        answer = of.solve(at, plan)
        assert found.foresight_cost[at] == pytest.approx(answer.cost, rel=1e-6, abs=1e-3)
        shed = 0.25 * answer.x[of.stage.columns.shed].sum()
        assert found.foresight_unserved_mwh[at] == pytest.approx(shed, abs=1e-4)


def test_where_nothing_happens_foresight_is_worth_nothing() -> None:
    """A schedule that is fed at a voltage below its limit costs, and modules lessen that: by the same in both."""
    base = small.case(3, margin_pu=0.03)
    case = with_shock(base, quiet(base), 8, 8)
    plan = np.array([2.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    found = rolled(case, plan)
    assert found.cost == pytest.approx(found.foresight_cost, rel=1e-5)
    assert 1.0 < found.cost[0] < Recourse(case).solve(0, np.zeros(9)).cost


def test_without_modules_that_carry_energy_there_is_nothing_to_foresee() -> None:
    """Each step stands alone where nothing ties it to another: no ramp, no store, no generator."""
    case = small.case(1, count=4, outages=(2,), ramp_mw_per_min=np.inf)
    found = rolled(case, np.zeros(9))
    assert found.cost == pytest.approx(found.foresight_cost, rel=1e-6)
    assert found.unserved_mwh == pytest.approx(found.foresight_unserved_mwh, abs=1e-5)
    assert found.unserved_mwh.sum() > 0.1


def test_what_is_done_knows_no_more_than_has_been() -> None:
    """Two days that are the same to the fifth step, then not: the same is done in five steps, and not after."""
    base = small.case(4)
    one = quiet(base)
    one[2:7] += [0.8, 1.3]
    other = one.copy()
    other[5:] = base.schedule_mw
    plan = np.array([1.0, 0.0, 2.0, 1.0, 0.0, 1.0, 1.0, 0.0, 2.0])
    days = []
    for draw, end in ((one, 7), (other, 5)):
        now = _Now(with_shock(base, draw, 2, end), plan)
        for step in range(8):
            now.step(step, 3)
        days.append(now)
    step_of = days[0].truth.step_of
    assert np.array_equal(days[0].done[step_of < 5], days[1].done[step_of < 5])
    assert np.abs(days[0].done - days[1].done)[step_of >= 5].max() > 0.1
    assert np.abs(days[0].done[step_of < 5]).max() > 0.1


def test_what_is_done_keeps_the_laws_of_the_day_that_was() -> None:
    """Every row and bound of stage II with everything known, those for the end of the day too."""
    case = small.case(0, count=3, outages=(2,))
    plan = small.plan(case, 31)
    for at in range(3):
        own = case.with_scenarios(np.array([at]))
        now = _Now(own, plan)
        for step in range(8):
            now.step(step, 3)
        of = Recourse(own, now.keys)
        lower, upper = of.stage.bounds(0, plan)
        rows = of.stage.matrix @ now.done
        low = of.stage.row_lower[0] + of.stage.row_lower_plan @ plan
        high = of.stage.row_upper[0] + of.stage.row_upper_plan @ plan
        assert (now.done >= lower - HAIR).all()
        assert (now.done <= upper + HAIR).all()
        assert (rows >= low - HAIR).all()
        assert (rows <= high + HAIR).all()
        assert not of._tighten(0, now.done)  # voltages and flows


def test_a_link_that_stays_out_longer_than_expected_leaves_nothing_owed() -> None:
    """Stores could feed the rest while a response puts off; to draw it later needs a link that is back."""
    store = replace(small.STORE, start_share=0.2, reactive=1.0)
    base = small.case(0, types=(store, replace(small.RESPONSE, window_h=0.5)), sites=("C",))
    case = with_shock(base, quiet(base), 2, 4, outage=2, outage_end=8)
    plan = np.array([2.0, 2.0])
    found = rolled(case, plan)
    assert np.isfinite(found.cost[0])
    assert found.cost[0] >= found.foresight_cost[0]
    now = _Now(case, plan)
    for step in range(8):
        now.step(step, 2)
    assert np.abs(now.done[now.truth.columns.put_off[1]]).max() <= HAIR


def test_a_generator_trips_where_its_load_is_gone_faster_than_its_ramp() -> None:
    """Behind a link that is out it feeds a campus, which stops: what it gives then has nowhere to go."""
    engine = replace(small.ENGINE, delay_min=0.0)
    base = small.case(0, types=(engine,), sites=("C",), load_share=np.full(8, 0.01))
    draw = quiet(base)
    draw[1:5, 0] = 1.2
    case = with_shock(base, draw, 1, 5, outage=2, outage_end=8)
    found = rolled(case, np.array([2.0]))
    assert found.trips[0] >= 1.0
    now = _Now(case, np.array([2.0]))
    for step in range(8):
        now.step(step, 4)
    output = now.done[now.truth.columns.output[0]]
    assert output.max() > 0.36  # a step's ramp of two
    fed = draw[:, 0] + 0.5 * 0.01  # what is drawn at C
    assert (output[1:8] <= fed[1:8] + HAIR).all()
    assert np.diff(output).max() <= 0.36 + HAIR


def test_progress_is_told_shock_by_shock_and_may_stop_it() -> None:
    case, seen = small.case(1, count=3, steps=4), []
    rolled(case, np.zeros(9), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3)
    assert seen == sorted(seen)

    def stop(done: int, _total: int) -> None:
        if done:
            raise CancelledError

    with pytest.raises(CancelledError):
        rolled(case, np.zeros(9), progress=stop)
