"""Envelopes, the repair of their ramps, on-site resources, stages and the arithmetic of time to power."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InfeasibleError, QuestionError
from engine.siting.envelopes import (
    HOURS_OF_DAY,
    PEAK_HOURS,
    envelope,
    envelope_from_json,
    hours_words,
    own_envelope,
    standard,
)
from engine.siting.onsite import OnSite, net_load_mw
from engine.siting.ramps import repaired
from engine.siting.staging import Stage, cap_on, checked_stages, first_day_of
from engine.siting.timeline import Years, time_to_power

PEAK = np.isin(np.arange(1, 25), PEAK_HOURS)
DAY = np.arange(1, 25)


@pytest.mark.parametrize(
    ("kind", "on_peak_mw", "off_peak_mw"),
    [("firm", 800.0, 800.0), ("pause", 680.0, 800.0), ("shift", 640.0, 832.0)],  # the source's levels at 1 GW
)
def test_the_levels_at_one_gigawatt_are_the_published_ones(kind: str, on_peak_mw: float, off_peak_mw: float) -> None:
    level = envelope(kind).checked().level_mw(1000.0, DAY)  # type: ignore[arg-type]
    assert level[PEAK] == pytest.approx(on_peak_mw)
    assert level[~PEAK] == pytest.approx(off_peak_mw)


@given(depth=st.floats(0.0, 0.9), utilisation=st.floats(0.05, 1.0))
def test_shift_draws_the_energy_of_firm(depth: float, utilisation: float) -> None:
    shift = envelope("shift", depth=depth, utilisation=utilisation)
    firm = envelope("firm", utilisation=utilisation)
    assert shift.energy_mwh(700.0) == pytest.approx(firm.energy_mwh(700.0))


def test_a_step_of_shift_keeps_the_ramp_up_to_the_closed_form_depth() -> None:
    # u (depth + depth / 5) <= 0.2 at u = 0.8: depth <= 0.20833
    assert not envelope("shift", depth=0.2083).problems()
    broken = envelope("shift", depth=0.2084).problems()
    assert len(broken) == 2  # into hour 16 and into hour 20
    assert "into hour 16" in broken[0]
    assert "20 % an hour" in broken[0]


@pytest.mark.parametrize("depth", [0.25, 0.30, 0.40])
def test_a_repaired_shift_keeps_ramp_energy_and_peak(depth: float) -> None:
    broken = envelope("shift", depth=depth)
    mended = repaired(broken).checked()
    share = np.array(mended.share)
    assert mended.energy_mwh(1.0) == pytest.approx(broken.energy_mwh(1.0), abs=1e-6)
    assert np.abs(mended.steps()).max() <= broken.ramp_share + 1e-8
    assert (share[PEAK] <= np.array(broken.share)[PEAK] + 1e-8).all()
    assert share.max() <= 1.0
    # Nothing changes far from the peak but the energy made up: the nearest profile is not another one.
    assert np.abs(share - np.array(broken.share)).max() < 0.8 * 1.2 * depth - 0.2 + 0.02


def test_a_repair_is_the_nearest_profile_on_a_hand_worked_case() -> None:
    # One hour of 1 among zeros, ramp 0.5 and no energy to keep: v beside it and w in it, w - v <= 0.5.
    # min (w - 1)^2 + 2 v^2 with w = v + 0.5: derivative 2 (v - 0.5) + 4 v = 0, v = 1/6.
    share = [0.0] * HOURS_OF_DAY
    share[11] = 1.0
    mended = np.array(repaired(own_envelope("spike", share, peak_hours=[3], ramp_share=0.5)).share)
    assert mended[11] == pytest.approx(1 / 6 + 0.5, abs=1e-6)
    assert mended[[10, 12]] == pytest.approx(1 / 6, abs=1e-6)


def test_what_keeps_its_ramp_is_left_as_it_is() -> None:
    for known in standard():
        assert repaired(known) is known


def test_a_repair_that_cannot_be_is_refused_with_its_ramp() -> None:
    share = [1.0] * HOURS_OF_DAY
    slow = own_envelope("all or nothing", [*share[:-1], -0.1], peak_hours=[24], ramp_share=0.01)
    with pytest.raises(InfeasibleError, match="1 % an hour"):
        repaired(slow)


def test_every_problem_of_an_own_profile_is_told_at_once() -> None:
    bad = own_envelope("ours", [1.2, -0.1, *([0.5] * 22)], ramp_share=0.2)
    with pytest.raises(QuestionError) as refused:
        bad.checked()
    for words in ("120 %", "-10 %", "into hour 1", "into hour 2", "into hour 3"):
        assert words in str(refused.value)


def test_a_profile_needs_24_values() -> None:
    assert own_envelope("short", [0.5] * 23).problems() == ["envelope 'short' has 23 values, 24 are needed"]


@pytest.mark.parametrize(
    ("given", "words"),
    [({"depth": 1.5}, "depth"), ({"utilisation": 0.0}, "utilisation"), ({"peak_hours": [25]}, "hour 25"),
     ({"peak_hours": []}, "0 hours"), ({"make_up": -0.1}, "make-up")],
)  # fmt: skip
def test_parameters_outside_their_limits_are_named(given: dict[str, object], words: str) -> None:
    with pytest.raises(QuestionError, match=words):
        envelope("shift", **given)  # type: ignore[arg-type]


def test_an_envelope_survives_its_json() -> None:
    for known in (*standard(), own_envelope("flat", [0.5] * 24)):
        assert envelope_from_json(known.to_json()) == known
    with pytest.raises(QuestionError):
        envelope_from_json({"name": "x"})


def test_on_site_resources_leave_the_net_load() -> None:
    gross = np.full(24, 800.0)
    sun = tuple(900.0 if 10 <= hour <= 14 else 0.0 for hour in range(1, 25))
    net = net_load_mw(gross, OnSite(sun).of_hours(DAY.tolist()))
    assert net[9:14] == pytest.approx(0.0)  # what is left over is not sent out
    assert net[:9] == pytest.approx(800.0)
    assert OnSite((100.0,)).of_hours([1, 5]) == pytest.approx([100.0, 100.0])
    with pytest.raises(QuestionError, match="5 values: 1, or 24, one per hour of the day"):
        OnSite((1.0,) * 5).of_hours([1, 2])
    with pytest.raises(QuestionError, match="give -1 MW: 0 to 20,000"):
        OnSite((-1.0,)).of_hours([1])


def test_stages_rise_in_date_and_stay_within_the_nameplate() -> None:
    stages = checked_stages([Stage(date(2027, 1, 1), 300.0), Stage(date(2028, 7, 1), 1000.0)], 1000.0)
    assert [cap_on(stages, day) for day in (date(2026, 5, 1), date(2027, 1, 1), date(2029, 1, 1))] == [
        0.0,
        300.0,
        1000.0,
    ]
    assert first_day_of(stages, 500.0) == date(2028, 7, 1)
    assert first_day_of(stages, 2000.0) is None
    with pytest.raises(QuestionError) as refused:
        checked_stages([Stage(date(2028, 1, 1), 1200.0), Stage(date(2027, 1, 1), 0.0)], 1000.0)
    assert "stage 1 has a cap of 1200 MW" in str(refused.value)
    assert "stage 2 starts on 2027-01-01" in str(refused.value)


def test_the_arithmetic_of_time_to_power_is_the_published_one() -> None:
    found = time_to_power()  # equations (39) to (42)
    assert found.conservative == 3.5
    assert found.at_least_conventional == Years(3.5, 4.0)
    assert found.midpoints == 5.25
    assert found.endpoints == Years(3.5, 7.0)
    with pytest.raises(QuestionError, match="conventional pathway takes 8 to 5"):
        time_to_power(Years(8.0, 5.0))


def test_hours_are_named_by_their_runs() -> None:
    for hours, words in (
        (range(16, 20), "16-19"),
        ((*range(1, 16), *range(20, 25)), "1-15, 20-24"),
        ((7, 8, 18), "7, 8, 18"),
        ((7, 8), "7-8"),
        ((5,), "5"),
        ((), "none"),
    ):
        assert hours_words(tuple(hours)) == words
