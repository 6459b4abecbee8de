"""Critical regions: the operator's prices everywhere, closed forms, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from engine.distribution.case import FeederCase
from engine.distribution.coordination import Coordination
from engine.distribution.dso import dispatch
from engine.distribution.expansion import expansion
from engine.distribution.region_program import all_regions
from engine.distribution.workload import Workload
from engine.errors import QuestionError
from tests.engine.distribution.days import two_bus_market, two_centres
from tests.engine.distribution.problems import HOURS, hour, regions


@pytest.mark.parametrize("at", HOURS)
def test_regions_cover_the_box_and_give_the_operators_prices(at: tuple[float, float]) -> None:
    """The operator's program with its state, at random draws."""
    problem, (found,) = hour(*at), regions(*at)
    assert found.uncovered == pytest.approx(0.0, abs=1e-6)
    assert found.exceeded()  # at full draw of both centres
    rng = np.random.default_rng(1)
    for x in rng.uniform(found.lower, found.upper, (6, 2)):
        whole = dispatch(problem.case, [1000.0 * x])
        price = [
            whole.prices.of_device(whole.frame.share(row), row.kvar_per_kw)[0] for row in problem.case.feeder.centres
        ]
        assert found.at(x).prices(x) == pytest.approx(price, rel=1e-4, abs=1e-3)


def test_limits_left_out_of_regions_are_kept_everywhere() -> None:
    """The follower with every limit has the same value at random draws as the one with those that bind somewhere."""
    found = regions(*HOURS[0])[0]
    assert len(found.follower.names) < len(found.full.names)
    for x in np.random.default_rng(2).uniform(found.lower, found.upper, (15, 2)):
        assert found.follower.solve(x).value == pytest.approx(found.full.solve(x).value, rel=1e-9)


def test_a_region_ends_where_the_limit_begins_to_bind() -> None:
    """Two buses: v = 1 - (2 r P + 2 x Q) / 100 meets 0.95^2, then the generator is full, then the limit is exceeded."""
    case = FeederCase.of(two_bus_market(), [45.0])
    (found,) = all_regions(Coordination.of(case, Workload(np.array([500.0]))))
    tan = case.feeder.centres[0].kvar_per_kw
    kink = ((1 - 0.95**2) * 100.0 - 2 * 1.2 * 1.5 - 2 * 1.8 * 1.0) / (2 * 1.2 + 2 * 1.8 * tan)
    ends = np.unique(np.round(np.concatenate([cell.vertices[:, 0] for cell in found.cells]), 8))
    assert ends[0] == 0.0
    assert ends[-1] == 1.0
    assert np.abs(ends - kink).min() < 1e-7


def test_regions_are_for_three_centres_at_most() -> None:
    feeder = two_centres()
    more = tuple(replace(row, name=f"second {row.name}") for row in feeder.centres)
    four = FeederCase.of(replace(feeder, centres=(*feeder.centres, *more)), [45.0])
    problem = Coordination.of(four, Workload(np.array([450.0])))
    with pytest.raises(QuestionError, match="at most 3 data centres; there are 4"):
        all_regions(problem)
    with pytest.raises(QuestionError, match="bits is 0"):
        expansion(problem, 0)
