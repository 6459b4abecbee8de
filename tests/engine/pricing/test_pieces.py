"""The best prices of an affine piece: exact inside it, no worse than any of a grid, and near the proved best."""

from dataclasses import replace

import numpy as np
import pytest

from engine.commitment.outcome import Effort
from engine.pricing import pieces as module
from engine.pricing.case import HubCase, PriceRange
from engine.pricing.cases import fleet, three_hubs
from engine.pricing.central import Joint, together
from engine.pricing.evaluation import Evaluation, Fleet
from engine.pricing.exact import exact_prices
from engine.pricing.pieces import Pieces
from engine.pricing.smooth import MOST_SHAKEN, SHAKEN, smooth_prices
from engine.pricing.starts import begun
from engine.program import Status
from tests.engine.pricing.small import two_hubs
from tests.engine.pricing.test_prices import shifting, unit_hub

LIMIT_S = 60.0


def _pattern(found: Evaluation) -> tuple[bytes, ...]:
    """Return which columns are between their bounds, and at which bound the others are."""
    return tuple(np.where(each.free, np.nan, each.x).round(9).tobytes() for each in found.responses)


@pytest.mark.parametrize("case", [two_hubs(least=-20.0), shifting(), three_hubs(5), fleet(7, hours=6)])
@pytest.mark.parametrize("rows", [10**9, 0])
def test_inside_a_piece_the_program_is_exact(case: HubCase, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: answers are affine there, so its prices come to what it says, and to no more than where it was asked."""
    monkeypatch.setattr(module, "_MANY_ROWS", rows)  # by either method
    own = Fleet.of(case)
    pieces, least, most = Pieces(own), *case.price_bounds()
    gained = []
    for seed in range(4):
        price = np.clip(np.random.default_rng(seed).normal(0.0, 6.0, least.shape), least, most)
        found = own.at(price)
        told = pieces.best(found, LIMIT_S)
        assert told is not None
        best, objective = told
        assert ((least <= best) & (best <= most)).all()
        assert own.at(best).objective == pytest.approx(objective, rel=1e-6, abs=1e-5)
        gained.append(found.objective - objective)
    assert min(gained) >= -1e-6
    assert max(gained) > 0.05


def test_no_price_of_a_grid_in_the_same_piece_is_better() -> None:
    """Brute force: 21^2 prices of two hours; in each piece that they meet, the program's is the best."""
    case = shifting()
    own, grid = Fleet.of(case), np.linspace(-8.0, 8.0, 21)
    pieces, best, first = Pieces(own), dict[tuple[bytes, ...], float](), dict[tuple[bytes, ...], Evaluation]()
    for price in np.array(np.meshgrid(0.0, grid, grid)).reshape(3, -1).T:
        found = own.at(price[np.newaxis])
        key = _pattern(found)
        first.setdefault(key, found)
        best[key] = min(best.get(key, np.inf), found.objective)
    assert len(best) >= 4
    for key, found in first.items():
        told = pieces.best(found, LIMIT_S)
        assert told is not None
        assert told[1] <= best[key] + 1e-6


def test_prices_beyond_what_is_allowed_say_which_piece_to_look_in() -> None:
    """Law: hubs asked at what withdrawals cost the network do what is best for all; allowed prices make them do it."""
    case = three_hubs(6, seed=1)
    own = Fleet.of(case)
    least, most = case.price_bounds()
    price = case.of_areas(together(Joint.of(case, own.programs)).price)
    assert (price > most).any()
    asked = own.at(price)
    told = Pieces(own).best(asked, LIMIT_S)
    assert told is not None
    found = own.at(told[0])
    assert found.overload_cost == pytest.approx(asked.overload_cost, rel=1e-6)
    assert found.price_cost.total < 0.2 * own.terms.cost(np.clip(price, least, most)).total
    ends = {end.start: end.found.objective for end in smooth_prices(own, {"together": price}).ends}
    assert ends["together"] <= told[1] + 1e-6


def test_a_piece_without_allowed_prices_has_no_best() -> None:
    """By hand: the hub imports nothing from a price of 1 + on; no price of at most 0.1 is of that piece."""
    case = replace(unit_hub(), prices=PriceRange(-2.0, 0.1))
    own = Fleet.of(case)
    assert Pieces(own).best(own.at(np.array([[40.0]])), LIMIT_S) is None


@pytest.mark.parametrize(("hours", "seed"), [(3, 31), (4, 32), (5, 33)])
def test_quick_prices_of_days_that_chose_no_setting_are_within_a_hundredth_of_the_best(hours: int, seed: int) -> None:
    """Independent: the integer program with the hubs' conditions of optimality."""
    case = three_hubs(hours, seed)
    own = Fleet.of(case)
    quick = smooth_prices(own, begun(case, own.programs), seed=seed).best.found
    best = exact_prices(Joint.of(case, own.programs), Effort(2e-3, 60.0), quadratic=True, starts=(quick.answered,))
    assert best.status is Status.OPTIMAL
    assert quick.objective <= 1.01 * best.bound


def test_shaken_prices_are_the_same_for_the_same_seed_and_never_worse() -> None:
    case = three_hubs(12, seed=10)
    own = Fleet.of(case)
    start = {"together": case.of_areas(together(Joint.of(case, own.programs)).price)}
    one, other = (smooth_prices(own, start, seed=seed) for seed in (5, 5))
    assert [end.start for end in one.ends] == ["together", SHAKEN]
    assert [step.objective for step in one.ends[1].steps] == [step.objective for step in other.ends[1].steps]
    assert np.array_equal(one.best.found.price, other.best.found.price)
    assert one.best.found.objective < one.ends[0].found.objective
    assert [end.start for end in smooth_prices(own, start).ends] == ["together"]
    many = fleet(30, hours=MOST_SHAKEN // 17 + 1)  # 17 areas
    assert many.area_count * many.periods > MOST_SHAKEN
    zero = {"none": np.zeros((many.area_count, many.periods))}
    assert [end.start for end in smooth_prices(Fleet.of(many), zero, seed=0, time_limit_s=0.0).ends] == ["none"]
