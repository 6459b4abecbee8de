"""Numbers are written by the rules of the product's design: expected texts are those rules' own examples."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import format as fmt

THIN, MINUS, DASH = "\u2009", "\u2212", "\u2013"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (412, "412 MW"),
        (41.23, "41.2 MW"),
        (4100, "4.1 GW"),
        (67109, "67.1 GW"),
        (0, "0 MW"),
        (-12.34, f"{MINUS}12.3 MW"),
    ],
)
def test_power_is_mw_up_to_a_gigawatt(value: float, text: str) -> None:
    assert fmt.power(value) == text


def test_a_sum_of_products_stays_in_mw_with_a_thin_space() -> None:
    assert fmt.megawatts(2310) == f"2{THIN}310 MW"


@pytest.mark.parametrize(("value", "text"), [(float("nan"), DASH), (None, DASH), (float("inf"), "unlimited")])
def test_what_is_not_a_number_is_said_without_a_unit(value: float | None, text: str) -> None:
    assert fmt.power(value) == fmt.megawatts(value) == fmt.number(value) == text


def test_prices_shares_ranges_and_bounds() -> None:
    assert fmt.price(24.321) == "24.32 $/MWh"
    assert [fmt.percent(share) for share in (0.05, 0.005, 0.123456, 1.0)] == ["5 %", "0.5 %", "12.3 %", "100 %"]
    assert fmt.interval(131.2, 124, 138) == f"131 (124{DASH}138) MW"
    assert fmt.at_most(412) == "at most 412 MW"
    assert fmt.voltage(13.8) == "13.8 kV"
    assert fmt.voltage(0) == ""


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_number_reads_back_as_itself_to_the_digits_shown(value: float, digits: int) -> None:
    text = fmt.number(value, digits).replace(THIN, "").replace(MINUS, "-")
    assert float(text) == pytest.approx(value, abs=0.5 * 10**-digits * 1.0001, rel=1e-12)
    assert text != "-0"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.4 s"), (12.4, "12 s"), (59.7, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (None, DASH)],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert fmt.duration(seconds) == text


def test_times_counts_and_sizes() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    ages = [timedelta(seconds=20), timedelta(minutes=5), timedelta(hours=3), timedelta(days=1), timedelta(days=30)]
    assert [fmt.ago(now - age, now) for age in ages] == ["just now", "5 min ago", "3 h ago", "1 day ago", "2026-01-30"]
    assert fmt.count(1, "bus", "buses") == "1 bus"
    assert fmt.count(2000, "bus", "buses") == f"2{THIN}000 buses"
    assert [fmt.size(n) for n in (812, 75_400, 1_500_000)] == ["812 B", "75 kB", "1.5 MB"]
    assert fmt.moment(now) == "2026-03-01 12:00 UTC"
