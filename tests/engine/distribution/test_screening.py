"""Limits proved away never bind: at random draws the operator's optimum without them is the one with all."""

import numpy as np
import pytest

from engine.distribution.case import FeederCase
from engine.distribution.condense import followers
from engine.distribution.screening import screen
from tests.engine.distribution.days import case37, two_bus_market, two_centres


@pytest.mark.parametrize("v_min_pu", [0.95, 0.985, 1.0])
def test_the_optimum_without_screened_limits_is_the_optimum(v_min_pu: float) -> None:
    (follower,) = followers(FeederCase.of(two_centres(v_min_pu=v_min_pu), [45.0]))
    lower, upper = np.array([0.036, 0.024]), np.array([0.516, 0.504])
    found = screen(follower, lower, upper)
    assert len(found.kept) < found.limits
    small = follower.keep(found.kept)
    for x in np.random.default_rng(3).uniform(lower, upper, (12, 2)):
        whole, part = follower.solve(x), small.solve(x)
        assert part.value == pytest.approx(whole.value, rel=1e-9)
        binding = {follower.names[at] for at in np.flatnonzero(follower.own & (whole.mu > 1e-3)).tolist()}
        assert binding <= found.kept


def test_one_limit_of_two_buses_can_bind() -> None:
    """The low one at the end: the source is fixed, and no draw raises the end above 1.05."""
    (follower,) = followers(FeederCase.of(two_bus_market(), [45.0]))
    found = screen(follower, np.zeros(1), np.ones(1))
    assert found.kept == {"low voltage on a of bus end"}


def test_few_limits_of_the_ieee_37_feeder_can_bind() -> None:
    """The screened limits are those that no critical region needs; the ends of the feeder stay."""
    (follower,) = followers(case37(slice(17, 18)))
    found = screen(follower, np.full(3, 0.096), np.full(3, 0.816))
    assert found.limits > 200
    assert len(found.kept) < found.limits / 4
    assert "low voltage on ca of bus 740" in found.kept
