"""Tightened ranges: they keep every answer that is as good as the known one, and are no larger than before."""

import numpy as np
import pytest

from engine.commitment.outcome import Effort
from engine.pricing import exact
from engine.pricing.case import HubCase
from engine.pricing.central import Joint
from engine.pricing.exact import exact_prices
from engine.pricing.kkt import Conditions, Reach
from engine.pricing.program import programs
from engine.pricing.tighten import tightened
from tests.engine.pricing.small import two_hubs
from tests.engine.pricing.test_prices import shifting

EFFORT = Effort(1e-6, 60.0)


@pytest.mark.parametrize("case", [shifting(), two_hubs(least=-20.0)], ids=["work", "batteries"])
def test_ranges_keep_the_best_answer_and_prove_ends_of_multipliers(case: HubCase) -> None:
    """Law: the best prices, found with guessed ends, are within what linear programs prove without a guess."""
    joint = Joint.of(case, programs(case.checked()))
    found = exact_prices(joint, EFFORT, quadratic=False)
    asked = Conditions(joint, Reach.of(joint), quadratic=False)
    before = asked.ranges()
    order = np.concatenate([asked.multipliers, asked.place["prices"], np.arange(asked.count), asked.whole])
    after = tightened(asked, before, 0.0, order, most=found.objective, until=np.inf)
    assert np.isinf(before.upper[asked.multipliers]).all()
    assert np.isfinite(after.upper[asked.multipliers]).all()
    assert (after.lower >= before.lower).all()
    assert (after.upper <= before.upper).all()
    price, own = found.price.ravel(), np.concatenate(found.points)
    for columns, values in ((asked.place["prices"], price), (np.arange(asked.count), own)):
        assert (values >= after.lower[columns] - 1e-5).all()
        assert (values <= after.upper[columns] + 1e-5).all()
    narrower = after.upper - after.lower < before.upper - before.lower - 1.0
    assert narrower[asked.place["prices"]].any()


def test_a_multiplier_that_was_let_be_too_little_is_let_be_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: where one begins makes no difference to the optimum, only to how often it is doubled."""
    joint = Joint.of(case := two_hubs(), programs(case.checked()))
    usual = exact_prices(joint, EFFORT, quadratic=False)
    monkeypatch.setattr(exact, "most_worth", lambda *_: 2.0)
    less = exact_prices(joint, EFFORT, quadratic=False)
    assert usual.doubled == 0 < less.doubled
    assert less.objective == pytest.approx(usual.objective, abs=1e-5)
