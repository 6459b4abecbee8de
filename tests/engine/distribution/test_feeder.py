"""The rows of a feeder and the tree they make."""

from dataclasses import replace

import pytest

from engine.distribution import library
from engine.distribution.feeder import DataCentre, Feeder, FeederBus, Line, Load, Regulator, Switch, table_of
from engine.errors import NetworkDataError

NOTHING = ((0.0,),)


def line(name: str, start: str, end: str) -> Line:
    return Line(name, start, end, "a", ((1.0,),), NOTHING, NOTHING)


FEEDER = Feeder(
    "f",
    "four",
    "s",
    tuple(FeederBus(name, 4.16, "a") for name in "cbas"),
    lines=(line("b-a", "b", "a"), line("s-a", "s", "a"), line("a-c", "a", "c")),
    switches=(Switch("tie", "b", "c", "a", closed=False),),
)


def test_the_tree_goes_down_from_the_source() -> None:
    """By hand: s feeds a, a feeds b (by a line written the other way) and c."""
    tree = FEEDER.tree()
    assert tree.buses == ("s", "a", "b", "c")
    assert tree.parents == (-1, 0, 1, 1)
    assert [link.name if link else None for link in tree.links] == [None, "s-a", "b-a", "a-c"]
    assert tree.downward == (True, True, False, True)


def test_every_loop_and_island_is_named() -> None:
    closed = (Switch("tie", "b", "c", "a"), Switch("twin", "s", "a", "a"))
    feeder = replace(FEEDER, switches=closed, buses=(*FEEDER.buses, FeederBus("x", 4.16), FeederBus("y", 4.16)))
    with pytest.raises(NetworkDataError) as caught:
        feeder.tree()
    assert [problem.code for problem in caught.value.problems] == ["loop", "loop", "island", "island"]
    assert {problem.element for problem in caught.value.problems} >= {"x", "y"}


def test_a_line_from_a_bus_to_itself_is_a_loop() -> None:
    with pytest.raises(NetworkDataError, match="line self closes a loop of self"):
        replace(FEEDER, lines=(*FEEDER.lines, line("self", "a", "a"))).tree()


@pytest.mark.parametrize(
    ("wires", "phases", "members"),
    [
        ("four", "abc", ("a", "b", "c")),
        ("four", "ac", ("a", "c")),
        ("three", "abc", ("ab", "bc", "ca")),
        ("three", "ac", ("ca",)),
        ("three", "a", ()),
    ],
)
def test_devices_spread_over_the_frame(wires: str, phases: str, members: tuple[str, ...]) -> None:
    assert replace(FEEDER, wires=wires).spread(phases) == members


def test_regulators_know_their_phases() -> None:
    assert Regulator("r", "s", "a", ("ab", "cb"), (1.0, 1.0)).phases == "abc"
    assert Regulator("r", "s", "a", ("ab", "cb"), (1.0, 1.0)).open_delta
    assert Regulator("r", "s", "a", ("a", "c"), (1.0, 1.0)).phases == "ac"


def test_a_data_centre_draws_by_its_work() -> None:
    """PUE 1.25 of 100 kW and 2 kW for each of 50: 250 kW; at a factor of 0.8 each kW brings 0.75 kvar."""
    centre = DataCentre("d", "a", 100.0, 2.0, 50.0, pue=1.25, power_factor=0.8)
    assert centre.most_kw == pytest.approx(250.0)
    assert centre.kvar_per_kw == pytest.approx(0.75)


def test_the_digest_is_of_everything() -> None:
    toy = library.load("two-bus")
    assert replace(toy).digest == toy.digest
    assert len({toy.digest, replace(toy, source_pu=1.01).digest, replace(toy, origin="x").digest}) == 3


def test_rows_know_their_table() -> None:
    assert table_of(Load("l", "a", "a", 1.0, 0.0)) == "loads"
    assert table_of(DataCentre("d", "a", 1.0, 1.0, 1.0)) == "centres"


def test_an_unknown_bus_is_named() -> None:
    with pytest.raises(NetworkDataError, match="feeder 'f' has no bus 'z'"):
        FEEDER.bus("z")
