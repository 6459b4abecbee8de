"""Shocks are drawn by the laws their model states, the same for the same seed; a fit finds the laws again."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta, kstest, lognorm, spearmanr

from engine.errors import NetworkDataError, UncertaintyDataError
from engine.resilience.case import Campus
from engine.resilience.shocks import KINDS, ShockModel, fitted, ramp_steps, shocks

CAMPUSES = (Campus("a", 1.0, 0.4), Campus("b", 2.0, 0.4), Campus("c", 0.5, 0.4))
EMPTY = tuple(replace(each, schedule_share=0.0) for each in CAMPUSES)  # all of the size is room for a rise
BURSTS = ShockModel(shares=(0.0, 0.0, 1.0, 0.0), outage_share=0.0, ramp_min=0.0)
SMALL = replace(BURSTS, amplitude=0.1, variation=0.4)  # above the size 6 deviations out
STEPS, STEP_H, COUNT = 48, 0.25, 10_000
SIZE = np.array([campus.size_mw for campus in CAMPUSES])
DEVIATIONS = 4.0  # of a statistic that a sound sample may be off: one in 16,000


def of_events(model: ShockModel, *, count: int = COUNT, seed: int = 0) -> np.ndarray:
    """Return the amplitudes (S, C) of bursts, as shares of the size, at their first step."""
    found = shocks(model, EMPTY, STEPS, STEP_H, count=count, seed=seed)
    return found.draw_mw[np.arange(count), found.start] / SIZE


def test_the_same_seed_gives_the_same_shocks_and_another_one_others() -> None:
    one, same, other = (
        shocks(ShockModel(), CAMPUSES, STEPS, STEP_H, count=100, seed=seed, links=(3, 5)) for seed in (1, 1, 2)
    )
    for name in ("draw_mw", "start", "end", "outage", "outage_end"):
        assert np.array_equal(getattr(one, name), getattr(same, name))
    assert one.kind == same.kind
    assert not (one.draw_mw == other.draw_mw).all(axis=(1, 2)).any()


def test_shocks_are_scenarios_without_problems() -> None:
    found = shocks(ShockModel(outage_share=0.5), CAMPUSES, STEPS, STEP_H, count=1_000, seed=3, links=(3, 5))
    assert list(found.problems(STEPS, len(CAMPUSES), 6)) == []
    assert set(np.unique(found.outage)) == {-1, 3, 5}
    assert (found.restored[found.outage >= 0] > found.start[found.outage >= 0]).all()
    assert np.array_equal(found.restored[found.outage < 0], found.end[found.outage < 0])


def test_ten_thousand_shocks_of_48_steps_take_less_than_two_seconds() -> None:
    begin = time.process_time()
    shocks(ShockModel(distribution="beta"), CAMPUSES, STEPS, STEP_H, count=COUNT, seed=0, links=(1,))
    assert time.process_time() - begin < 2.0


@pytest.mark.parametrize("distribution", ["lognormal", "beta"])
def test_amplitudes_have_the_law_of_the_model(distribution: str) -> None:
    model = replace(SMALL, distribution=distribution, variation=0.4)
    found = of_events(model)[:, 0]
    assert found.mean() == pytest.approx(0.1, abs=DEVIATIONS * 0.04 / math.sqrt(COUNT))
    if distribution == "lognormal":  # its mean and variance in closed form
        log = math.log(1.0 + 0.4**2)
        law = lognorm(math.sqrt(log), scale=0.1 * math.exp(-0.5 * log))
    else:  # mean a / (a + b), variance mean (1 - mean) / (a + b + 1)
        total = 0.1 * 0.9 / 0.04**2 - 1.0
        law = beta(0.1 * total, 0.9 * total)
    assert kstest(found, law.cdf).pvalue > 1e-3
    assert (law.mean(), law.std()) == pytest.approx((0.1, 0.04))


def test_amplitudes_of_two_campuses_have_the_rank_correlation_of_the_copula() -> None:
    for r in (0.0, 0.3, 0.7):
        found = of_events(replace(SMALL, correlation=r))
        expected = 6.0 / math.pi * math.asin(r / 2.0)  # Spearman's, of a Gaussian copula
        for one, other in ((0, 1), (0, 2), (1, 2)):
            statistic = spearmanr(found[:, one], found[:, other]).statistic
            assert statistic == pytest.approx(expected, abs=DEVIATIONS / math.sqrt(COUNT))
    whole = of_events(replace(SMALL, correlation=1.0))
    assert np.allclose(whole, whole[:, :1])


def test_kinds_starts_durations_and_outages_have_their_shares() -> None:
    model = ShockModel(outage_share=0.3)
    found = shocks(model, CAMPUSES, STEPS, STEP_H, count=COUNT, seed=5, links=(0, 7))
    for kind, share in zip(KINDS, model.shares, strict=True):
        within = DEVIATIONS * math.sqrt(share * (1.0 - share) / COUNT)
        assert found.kind.count(kind) / COUNT == pytest.approx(share, abs=within)
    out = found.outage >= 0
    assert out.mean() == pytest.approx(0.3, abs=DEVIATIONS * math.sqrt(0.21 / COUNT))
    assert (found.outage[out] == 7).mean() == pytest.approx(0.5, abs=DEVIATIONS * 0.5 / math.sqrt(out.sum()))
    counts = np.bincount(found.start, minlength=STEPS)
    assert counts == pytest.approx(COUNT / STEPS, abs=5.0 * math.sqrt(COUNT / STEPS))
    for ends, mean_h in ((found.end, model.duration_h), (found.restored[out], model.outage_h)):
        start = found.start if len(ends) == COUNT else found.start[out]
        early = start < STEPS // 4  # the rest of the day is long enough to see most ends
        whole = np.minimum((ends - start)[early], 24)
        gone = math.exp(-STEP_H / mean_h)  # whole steps begun of an exponential time are geometric
        expected = (1.0 - gone**24) / (1.0 - gone)
        assert whole.mean() == pytest.approx(expected, abs=DEVIATIONS * whole.std() / math.sqrt(early.sum()))


def test_each_kind_moves_the_campuses_that_it_is_said_to_and_stays_within_their_sizes() -> None:
    model = ShockModel(amplitude=0.6, variation=1.0)
    found = shocks(model, CAMPUSES, STEPS, STEP_H, count=2_000, seed=7)
    change = found.draw_mw - 0.4 * SIZE
    moved, largest = (np.abs(change).max(axis=1) > 0.0).sum(axis=1), (found.draw_mw / SIZE).max(axis=(1, 2))
    kind = np.array(found.kind)
    assert set(moved[np.isin(kind, KINDS[:2])]) == {1}
    assert set(moved[np.isin(kind, KINDS[2:])]) == {3}
    assert (change[kind == "checkpoint drop"] <= 0.0).all()
    assert (change[kind != "checkpoint drop"] >= 0.0).all()
    assert found.draw_mw.min() == 0.0
    assert largest[kind != "site failover"].max() == pytest.approx(1.0)
    assert largest[kind == "site failover"].max() == pytest.approx(1.25)


def test_outside_of_its_event_a_campus_keeps_its_schedule() -> None:
    found = shocks(ShockModel(), CAMPUSES, STEPS, STEP_H, count=500, seed=9)
    step = np.arange(STEPS)
    during = (found.start[:, np.newaxis] <= step) & (step < found.end[:, np.newaxis])
    off = (np.abs(found.draw_mw - 0.4 * SIZE) > 1e-12).any(axis=2)
    assert np.array_equal(off, during)


def test_a_ramp_takes_its_steps_and_never_less_than_one() -> None:
    assert [ramp_steps(replace(BURSTS, ramp_min=each), STEP_H) for each in (0.0, 5.0, 15.0, 16.0, 45.0)] == [
        1, 1, 1, 2, 3
    ]  # fmt: skip
    found = shocks(replace(SMALL, ramp_min=45.0), EMPTY, STEPS, STEP_H, count=50, seed=1)
    at = int(np.flatnonzero(found.end - found.start >= 4)[0])
    draws, first = found.draw_mw[at], int(found.start[at])
    assert draws[first] == pytest.approx(draws[first + 2] / 3.0)
    assert draws[first + 1] == pytest.approx(draws[first + 2] * 2.0 / 3.0)
    assert draws[first + 3] == pytest.approx(draws[first + 2])


def test_amplitudes_of_a_model_scaled_by_1_3_are_1_3_times_as_large() -> None:
    larger = SMALL.shifted(1.3, tail=1.0, correlation=SMALL.correlation)
    assert of_events(larger, count=500) == pytest.approx(1.3 * of_events(SMALL, count=500), rel=1e-12)


def test_a_shifted_model_has_a_heavier_tail_and_another_correlation() -> None:
    found = SMALL.shifted()
    assert (found.amplitude, found.variation, found.correlation) == pytest.approx((0.13, 0.6, 0.75))
    plain, shifted = of_events(SMALL), np.minimum(of_events(found), 1.0)
    far = [np.quantile(each, 0.99) / np.median(each) for each in (plain, shifted)]
    assert far[1] > far[0]


def test_everything_wrong_with_a_model_is_told_at_once() -> None:
    wrong = ShockModel(shares=(0.5, 0.5, 0.5, 0.0), amplitude=-1.0, correlation=1.5, outage_h=math.nan)
    with pytest.raises(NetworkDataError) as refused:
        shocks(wrong, (), 0, STEP_H, count=0, seed=0)
    told = [each.message for each in refused.value.problems]
    for part in ("sum to 1.5", "amplitude is -1", "correlation is 1.5", "outage h is nan", "no campus", "0 steps",
                 "0 shocks"):  # fmt: skip
        assert any(part in each for each in told), part


def test_a_beta_distribution_that_there_is_not_is_refused() -> None:
    # The variance of a variable between 0 and 1 is below mean (1 - mean): 0.8 * 0.2 = (0.8 * 0.5)^2.
    edge = ShockModel(distribution="beta", amplitude=0.8, variation=0.5)
    assert any("below 0.5" in each for each in edge.problems())
    assert list(replace(edge, variation=0.49).problems()) == []
    assert any("must be lognormal or beta" in each for each in replace(edge, distribution="normal").problems())


@pytest.mark.parametrize("distribution", ["lognormal", "beta"])
def test_a_fit_finds_the_model_again_from_the_days_it_made(distribution: str) -> None:
    campuses = tuple(replace(each, schedule_share=0.35) for each in CAMPUSES)
    model = ShockModel(
        shares=(0.4, 0.1, 0.5, 0.0), distribution=distribution, amplitude=0.3, variation=0.35, duration_h=1.5,
        correlation=0.6, ramp_min=15.0, outage_share=0.0,
    )  # fmt: skip
    days = 3_000
    traces = shocks(model, campuses, STEPS, STEP_H, count=days, seed=11).draw_mw
    found = fitted(traces, campuses, STEP_H, base=replace(model, amplitude=0.5, variation=1.0, duration_h=9.0))
    moved = days * (0.5 + 3 * 0.5)  # campuses of all events, of bursts not independent
    assert found.shares == pytest.approx(model.shares, abs=DEVIATIONS * 0.5 / math.sqrt(days))
    assert found.amplitude == pytest.approx(0.3, abs=2.0 * DEVIATIONS * 0.105 / math.sqrt(moved))
    assert found.variation == pytest.approx(0.35, abs=2.0 * DEVIATIONS * 0.35 / math.sqrt(2.0 * moved))
    assert found.duration_h == pytest.approx(1.5, abs=DEVIATIONS * 1.5 / math.sqrt(0.8 * days))
    # Of Kendall's tau of n pairs the deviation is below sqrt(2 / n), and of sin(pi tau / 2) at most pi / 2 times it.
    assert found.correlation == pytest.approx(0.6, abs=0.5 * math.pi * math.sqrt(2.0 / (0.5 * days)))
    assert found.ramp_min == 15.0


def test_a_fit_finds_overloads_and_ramps() -> None:
    model = ShockModel(
        shares=(0.0, 0.0, 0.0, 1.0), amplitude=1.5, variation=0.2, overload=1.4, ramp_min=30.0, duration_h=2.0
    )
    traces = shocks(model, CAMPUSES, STEPS, STEP_H, count=500, seed=13).draw_mw
    found = fitted(traces, CAMPUSES, STEP_H)
    assert found.overload == pytest.approx(1.4)  # that is as far as draws go
    assert found.ramp_min == 30.0
    assert found.shares[3] > 0.95  # some are cut by the end of the day before they pass the size


def test_a_fit_of_one_campus_keeps_the_correlation_it_is_given() -> None:
    model = ShockModel(shares=(0.8, 0.2, 0.0, 0.0))
    traces = shocks(model, CAMPUSES[:1], STEPS, STEP_H, count=200, seed=1).draw_mw
    assert fitted(traces, CAMPUSES[:1], STEP_H, base=replace(model, correlation=0.33)).correlation == 0.33


def test_traces_that_cannot_be_fitted_are_refused() -> None:
    quiet = np.full((5, STEPS, 3), 0.4)
    with pytest.raises(UncertaintyDataError, match="0 events"):
        fitted(quiet, CAMPUSES, STEP_H)
    with pytest.raises(UncertaintyDataError, match="3 campuses"):
        fitted(quiet[:, :, :2], CAMPUSES, STEP_H)
    with pytest.raises(UncertaintyDataError, match="not below 0"):
        fitted(-quiet, CAMPUSES, STEP_H)


def test_amplitudes_that_no_distribution_has_are_refused() -> None:
    model = ShockModel(shares=(0.0, 0.0, 0.0, 1.0), amplitude=1.5, variation=0.2, overload=3.0)
    traces = shocks(model, CAMPUSES, STEPS, STEP_H, count=100, seed=1).draw_mw
    with pytest.raises(UncertaintyDataError, match="no beta distribution can be fitted"):  # it ends at 1
        fitted(traces, CAMPUSES, STEP_H, base=ShockModel(distribution="beta"))
    always = np.full((20, STEPS, 1), 0.4)
    always[:, 10:14] = 1.0  # every event as far as the campus goes: at least 0.6 is all that can be told
    with pytest.raises(UncertaintyDataError, match="20 of 20 of them at a limit"):
        fitted(always, (Campus("a", 1.0),), STEP_H)
