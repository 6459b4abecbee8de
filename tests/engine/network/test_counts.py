"""The numbers a reader checks first."""

from engine.network import library
from engine.network.counts import Counts
from engine.network.edit import apply
from engine.network.events import AddBus, EditCells
from engine.network.tables import NetworkTables


def test_an_empty_network_counts_nothing() -> None:
    assert Counts.of(NetworkTables()).islands == 0


def test_texas_counts_are_those_of_its_case_file() -> None:
    """2,000 buses, 3,206 branches, 544 units of which 432 in service, 67,109 MW of load: Birchfield et al. 2017."""
    counts = Counts.of(library.load("texas-2016"))
    assert (counts.buses, counts.branches, counts.units, counts.units_in_service) == (2000, 3206, 544, 432)
    assert round(counts.load_mw) == 67109
    assert counts.islands == 1
    assert counts.unlimited == 0


def test_a_bus_alone_is_an_island_and_one_out_of_service_is_not() -> None:
    four = library.load("fourbus")
    assert Counts.of(four).islands == 1
    five = apply(four, AddBus(0, 0))
    assert Counts.of(five).islands == 2
    assert Counts.of(apply(five, EditCells("buses", (("5", "in_service", False),)))).islands == 1


def test_a_missing_rating_is_unlimited_and_a_missing_emergency_rating_falls_back() -> None:
    four = library.load("fourbus")
    assert (Counts.of(four).unlimited, Counts.of(four).fallback_b, Counts.of(four).fallback_c) == (0, 3, 3)
    changed = apply(four, EditCells("branches", (("1-2", "rating_a_mw", ""), ("2-3", "rating_b_mw", 60))))
    assert (Counts.of(changed).unlimited, Counts.of(changed).fallback_b, Counts.of(changed).fallback_c) == (1, 1, 2)
