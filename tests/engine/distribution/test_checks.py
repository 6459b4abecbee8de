"""Each check of a feeder finds its fault, names element, value and limit, and finds nothing where there is none."""

import math
from dataclasses import replace
from typing import Any

import pytest

from engine.distribution import library
from engine.distribution.checks import check, checked
from engine.distribution.feeder import (
    Battery,
    Capacitor,
    Compensator,
    DataCentre,
    Feeder,
    FeederBus,
    Generator,
    Line,
    Load,
    Regulator,
    RegulatorControl,
    Switch,
    Transformer,
)
from engine.errors import NetworkDataError, Problem

Z2 = ((0.3, 0.1), (0.1, 0.3))
B2 = ((4.0, -1.0), (-1.0, 4.0))
CONTROL = RegulatorControl(122.0, 2.0, 20.0, 700.0, (3.0,), (9.0,))

SOUND = Feeder(
    name="sound",
    wires="four",
    source_bus="S",
    buses=(
        FeederBus("S", 4.16),
        FeederBus("R", 4.16, "a"),
        FeederBus("A", 4.16, "ab"),
        FeederBus("B", 4.16, "ab"),
        FeederBus("C", 0.48, "ab"),
    ),
    lines=(Line("S-A", "S", "A", "ab", Z2, Z2, B2, 200.0),),
    switches=(Switch("A-B", "A", "B", "ab"), Switch("tie", "R", "B", "a", closed=False)),
    transformers=(Transformer("T", "B", "C", 50.0, 4.16, 0.48, "wye", "wye", 0.01, 0.04, "ab"),),
    regulators=(Regulator("V", "S", "R", ("a",), (1.05,), 100.0, CONTROL),),
    loads=(Load("L", "B", "ab", 10.0, 5.0), Load("M", "C", "a", 3.0, 1.0, "current")),
    capacitors=(Capacitor("K", "A", "b", 20.0),),
    generators=(Generator("G", "A", 50.0, "ab", q_min_kvar=-10.0, q_max_kvar=10.0, s_kva=60.0),),
    compensators=(Compensator("Q", "A", 20.0, "ab"),),
    centres=(DataCentre("D", "B", 5.0, 1.0, 20.0, phases="ab", ramp_kw=3.0, battery=Battery(10.0, 5.0)),),
)


def changed(table: str, row: int, **cells: Any) -> Feeder:
    """The sound feeder with cells of one row changed; a row past the end is a copy of the last under a new name."""
    rows = list(getattr(SOUND, table))
    if row >= len(rows):
        rows.append(replace(rows[-1], name="new"))
        row = len(rows) - 1
    rows[row] = replace(rows[row], **cells)
    return replace(SOUND, **{table: tuple(rows)})


def found(feeder: Feeder, code: str) -> Problem:
    problems = [problem for problem in check(feeder) if problem.code == code]
    assert len(problems) == 1, check(feeder)
    return problems[0]


def test_sound_feeders_have_no_problem() -> None:
    assert check(SOUND) == []
    assert [check(library.load(named.key)) for named in library.NAMED] == [[]] * len(library.NAMED)
    assert checked(SOUND) is SOUND


@pytest.mark.parametrize(
    ("code", "place", "said", "feeder"),
    [
        ("loop", ("regulators", "V"), "loop of V, tie, A-B, S-A;", changed("switches", 1, closed=True)),
        ("island", ("buses", "E"), "not joined to the source, S",
         changed("buses", 5, name="E", kv=4.16)),
        ("absent-phase", ("switches", "A-B"), "phase c, which bus A does not have: it has ab",
         replace(changed("switches", 0, phases="abc"),
                 buses=tuple(replace(b, phases="abc") if b.name == "B" else b for b in SOUND.buses))),
        ("unfed-phase", ("buses", "A"), "phase c, which line S-A", changed("buses", 2, phases="abc")),
        ("absent-phase", ("loads", "L"), "phase c, which bus B does not have", changed("loads", 0, phase="c")),
        ("singular", ("lines", "S-A"), "singular",
         changed("lines", 0, r_ohm=((0.3, 0.3), (0.3, 0.3)), x_ohm=((0.1, 0.1), (0.1, 0.1)))),
        ("singular", ("lines", "S-A"), "is a switch",
         changed("lines", 0, r_ohm=((0.0, 0.0), (0.0, 0.0)), x_ohm=((0.0, 0.0), (0.0, 0.0)))),
        ("not-passive", ("lines", "S-A"), "-0.1 ohm", changed("lines", 0, r_ohm=((0.3, 0.4), (0.4, 0.3)))),
        ("not-passive", ("lines", "S-A"), "-1 uS", changed("lines", 0, b_us=((0.0, 1.0), (1.0, 0.0)))),
        ("not-symmetric", ("lines", "S-A"), "0.1 for a-b, and 0.2 back",
         changed("lines", 0, x_ohm=((0.3, 0.1), (0.2, 0.3)))),
        ("shape", ("lines", "S-A"), "2 rows of 2", changed("lines", 0, r_ohm=((0.3,),))),
        ("range", ("lines", "S-A"), "rating of -5 A; it must be above 0", changed("lines", 0, rating_a=-5.0)),
        ("not-a-number", ("loads", "L"), "kw of nan", changed("loads", 0, kw=math.nan)),
        ("not-a-number", ("lines", "S-A"), "r_ohm", changed("lines", 0, r_ohm=((math.inf, 0.1), (0.1, 0.3)))),
        ("duplicate-name", ("buses", "S"), "row 1", changed("buses", 5, name="S")),
        ("duplicate-name", ("switches", "S-A"), "row of lines", changed("switches", 1, name="S-A")),
        ("name", ("loads", " "), "1 to 80 characters", changed("loads", 0, name=" ")),
        ("kv-mismatch", ("switches", "tie"), "4.16 kV to bus C of 0.48 kV", changed("switches", 1, to_bus="C")),
        ("range", ("transformers", "T"), "tap of 0", changed("transformers", 0, tap=0.0)),
        ("delta-phases", ("transformers", "T"), "delta on phases ab",
         changed("transformers", 0, to_connection="delta")),
        ("rated-voltage", ("transformers", "T"), "rated 12.47 kV at bus B", changed("transformers", 0, from_kv=12.47)),
        ("range", ("regulators", "V"), "ratio of 0 on a", changed("regulators", 0, ratios=(0.0,))),
        ("ratios", ("regulators", "V"), "2 ratios for 1", changed("regulators", 0, ratios=(1.0, 1.0))),
        ("regulated", ("regulators", "V"), "open delta",
         changed("regulators", 0, regulated=("ab",), control=None)),
        ("control", ("regulators", "V"), "moved by 'b'",
         changed("regulators", 0, control=replace(CONTROL, monitored="b"))),
        ("range", ("regulators", "V"), "band of 0 V", changed("regulators", 0, control=replace(CONTROL, band_v=0.0))),
        ("no-bus", ("lines", "S-A"), "'Z'", changed("lines", 0, from_bus="Z")),
        ("no-bus", ("generators", "G"), "'Z'", changed("generators", 0, bus="Z")),
        ("same-ends", ("switches", "tie"), "to itself", changed("switches", 1, from_bus="B")),
        ("phases", ("compensators", "Q"), "'ba'", changed("compensators", 0, phases="ba")),
        ("phases", ("loads", "L"), "'ba'", changed("loads", 0, phase="ba")),
        ("model", ("loads", "L"), "'torque'", changed("loads", 0, model="torque")),
        ("negative-load", ("loads", "L"), "-4 kW", changed("loads", 0, kw=-4.0)),
        ("limits", ("generators", "G"), "60 kW above its most, 50 kW", changed("generators", 0, p_min_kw=60.0)),
        ("range", ("centres", "D"), "power factor of 1.2", changed("centres", 0, power_factor=1.2)),
        ("range", ("centres", "D"), "charging efficiency of 0",
         changed("centres", 0, battery=Battery(10.0, 5.0, charge_efficiency=0.0))),
        ("source", ("", ""), "'Z'", replace(SOUND, source_bus="Z")),
        ("voltage-limits", ("", ""), "not below", replace(SOUND, v_min_pu=1.1)),
    ],
)  # fmt: skip
def test_a_fault_is_found_where_it_is(code: str, place: tuple[str, str], said: str, feeder: Feeder) -> None:
    problem = found(feeder, code)
    assert (problem.table, problem.element) == place
    assert said in problem.message


def test_three_wires_have_no_earth() -> None:
    feeder = replace(SOUND, wires="three")
    told = {(problem.table, problem.element) for problem in check(feeder) if problem.code == "no-earth"}
    assert told == {("regulators", "V"), ("switches", "tie"), ("loads", "M"), ("capacitors", "K")}


def test_all_faults_are_told_at_once() -> None:
    feeder = replace(changed("lines", 0, rating_a=-5.0), loads=(Load("L", "Z", "q", math.nan, 0.0),), v_min_pu=2.0)
    with pytest.raises(NetworkDataError) as caught:
        checked(feeder)
    assert {problem.code for problem in caught.value.problems} == {
        "voltage-limits", "range", "not-a-number", "no-bus", "phases",
    }  # fmt: skip


def test_warnings_stop_nothing() -> None:
    feeder = changed("loads", 0, kw=-4.0)
    assert [problem.severity for problem in check(feeder)] == ["warning"]
    assert checked(feeder) is feeder
