"""The library's feeders hold what the IEEE's reports print of each: totals of loads, capacitors, lengths, taps."""

import pytest

from engine.distribution import library
from engine.distribution.feeder import Regulator
from engine.errors import NetworkDataError


# Totals as printed in the reports' tables of loads: kW and kvar by phase (or pair of three wires), and capacitors.
@pytest.mark.parametrize(
    ("key", "wires", "kw", "kvar", "capacitors"),
    [
        ("ieee13", "four", 3466.0, 2102.0, 700.0),
        ("ieee34", "four", 1769.0, 1044.0, 750.0),
        ("ieee37", "three", 2457.0, 1201.0, 0.0),
        ("ieee123", "four", 3490.0, 1920.0, 750.0),
    ],
)
def test_totals_are_the_published_ones(key: str, wires: str, kw: float, kvar: float, capacitors: float) -> None:
    feeder = library.load(key)
    assert feeder.wires == wires
    assert sum(load.kw for load in feeder.loads) == pytest.approx(kw)
    assert sum(load.kvar for load in feeder.loads) == pytest.approx(kvar)
    assert sum(row.kvar for row in feeder.capacitors) == pytest.approx(capacitors)


# Taps as printed: steps of 5/8 %.
@pytest.mark.parametrize(
    ("key", "taps"),
    [
        ("ieee13", {"RG60": (10, 8, 11)}),
        ("ieee34", {"RG10": (12, 5, 5), "RG11": (13, 11, 12)}),
        ("ieee37", {"RG7": (7, 4)}),
        ("ieee123", {"RG1": (7, 7, 7), "RG2": (-1,), "RG3": (0, -1), "RG4": (8, 1, 5)}),
    ],
)
def test_taps_are_the_published_ones(key: str, taps: dict[str, tuple[int, ...]]) -> None:
    held: tuple[Regulator, ...] = library.load(key).regulators
    assert {row.name: tuple(round((ratio - 1.0) * 160.0) for ratio in row.ratios) for row in held} == taps


def test_a_line_is_its_configuration_times_its_length() -> None:
    """IEEE 13, line 650-632: 2,000 ft of configuration 601, whose mutual a-b is 0.1560 + j0.5017 ohm a mile."""
    line = next(line for line in library.load("ieee13").lines if line.to_bus == "632")
    miles = 2000 / 5280
    assert line.r_ohm[0][1] == line.r_ohm[1][0] == pytest.approx(0.1560 * miles)
    assert line.x_ohm[1][1] == pytest.approx(1.0478 * miles)
    assert line.b_us[2][2] == pytest.approx(5.6386 * miles)


def test_a_load_along_a_line_is_at_a_quarter_and_at_the_end() -> None:
    """IEEE 13: 17, 66 and 117 kW along 632-671, two thirds of it 500 ft from 632 (Kersting, section 3.5)."""
    feeder = library.load("ieee13")
    on, end = ({load.phase: load.kw for load in feeder.loads if load.bus == bus and "632-671" in load.name}
               for bus in ("632/671", "671"))  # fmt: skip
    assert on == pytest.approx({"a": 17 * 2 / 3, "b": 44.0, "c": 78.0})
    assert end == pytest.approx({"a": 17 / 3, "b": 22.0, "c": 39.0})
    near = next(line for line in feeder.lines if line.to_bus == "632/671")
    assert near.x_ohm[0][0] == pytest.approx(1.0179 * 500 / 5280)


def test_open_switches_leave_a_tree() -> None:
    feeder = library.load("ieee123")
    assert {switch.name for switch in feeder.switches if not switch.closed} == {"151-300", "54-94"}
    assert len(feeder.tree().buses) == len(feeder.buses)


def test_a_feeder_that_is_not_there_is_named() -> None:
    with pytest.raises(NetworkDataError, match="no feeder 'ieee8500'; it has ieee37"):
        library.load("ieee8500")
    assert library.load("ieee37") is library.load("ieee37")
