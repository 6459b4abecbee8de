"""Feeders come back from JSON and CSV as they went; what cannot be read is told cell by cell."""

import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.distribution import library
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
from engine.distribution.files import MOST_BYTES, from_csv, from_json, to_csv_zip, to_json, unpacked
from engine.errors import FileFormatError

names = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.none() | numbers
phases = st.sampled_from(["a", "b", "c", "ab", "bc", "ac", "abc"])
places = st.sampled_from(["a", "b", "c", "ab", "bc", "ca"])
connections = st.sampled_from(["wye", "delta"])
rows = st.integers(1, 3).flatmap(lambda n: st.tuples(*[st.tuples(*[numbers] * n)] * n))  # a square matrix
several = st.lists(numbers, min_size=1, max_size=3).map(tuple)
controls = st.builds(
    RegulatorControl, numbers, numbers, numbers, numbers, several, several, st.sampled_from(["", "a", "cb"])
)


def some(row: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(row, max_size=2).map(tuple)


feeders = st.builds(
    Feeder,
    name=names,
    wires=st.sampled_from(["four", "three"]),
    source_bus=names,
    buses=some(st.builds(FeederBus, names, numbers, phases, maybe, maybe)),
    lines=some(st.builds(Line, names, names, names, phases, rows, rows, rows, maybe)),
    switches=some(st.builds(Switch, names, names, names, phases, st.booleans(), maybe)),
    transformers=some(
        st.builds(Transformer, names, names, names, numbers, numbers, numbers, connections, connections, numbers,
                  numbers, phases, numbers)
    ),
    regulators=some(
        st.builds(Regulator, names, names, names, st.lists(places, min_size=1, max_size=3).map(tuple), several, maybe,
                  st.none() | controls)
    ),
    loads=some(st.builds(Load, names, names, places, numbers, numbers,
                         st.sampled_from(["power", "current", "impedance"]))),
    capacitors=some(st.builds(Capacitor, names, names, places, numbers)),
    generators=some(st.builds(Generator, names, names, numbers, phases, numbers, numbers, numbers, maybe, numbers,
                              numbers)),
    compensators=some(st.builds(Compensator, names, names, numbers, phases, st.booleans())),
    centres=some(
        st.builds(DataCentre, names, names, numbers, numbers, numbers, numbers, numbers, phases, maybe,
                  st.none() | st.builds(Battery, numbers, numbers, numbers, numbers, numbers))
    ),
    source_pu=numbers,
    base_kva=numbers,
    v_min_pu=numbers,
    v_max_pu=numbers,
    origin=st.just("") | names,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(feeder=feeders)
def test_any_feeder_comes_back(feeder: Feeder) -> None:
    assert from_json(to_json(feeder)) == feeder
    assert from_csv({"feeder.zip": to_csv_zip(feeder)}) == feeder


@pytest.mark.parametrize("key", [named.key for named in library.NAMED])
def test_the_library_comes_back(key: str) -> None:
    feeder = library.load(key)
    assert from_json(to_json(feeder)) == feeder
    again = from_csv(unpacked(to_csv_zip(feeder)))
    assert again == feeder
    assert again.digest == feeder.digest
    assert to_csv_zip(again) == to_csv_zip(feeder)


def test_the_digest_follows_every_number() -> None:
    toy = library.load("two-bus")
    text = to_json(toy).decode()
    assert from_json(text.replace('"kw": 300.0', '"kw": 300.5').encode()).digest != toy.digest


def test_a_sheet_with_decimal_commas() -> None:
    """What a spreadsheet of many countries saves: semicolons, and commas as decimal points."""
    files = {
        "feeder.csv": "key;value\nname;Feld\nwires;four\nsource_bus;S\nsource_pu;1,02\n".encode("utf-16"),
        "buses.csv": b"name;kv\nS;4,16\nA, B;4,16\n",
        "lines.csv": b"name;from_bus;to_bus;phases;r_ohm;x_ohm;b_us\n"
        b"1;S;A, B;ab;0,3 0,1 | 0,1 0,3;1 0|0 1;0 0|0 0\n",
        "loads.csv": b"name;bus;phase;kw;kvar;model\nL;A, B;ab;1,5e1;-2\n",
    }  # fmt: skip
    feeder = from_csv(files)
    assert feeder.source_pu == 1.02
    assert feeder.buses[1] == FeederBus("A, B", 4.16)
    assert feeder.lines[0].r_ohm == ((0.3, 0.1), (0.1, 0.3))
    assert feeder.loads == (Load("L", "A, B", "ab", 15.0, -2.0),)


def test_every_bad_cell_is_told_at_once() -> None:
    toy = json.loads(to_json(library.load("two-bus")))
    toy["buses"][0]["kv"] = "four"
    toy["lines"][0]["r_ohm"] = [[True]]
    toy["loads"][0] = {"name": "L", "bus": "load", "phase": "a", "kvar": 1, "colour": "red"}
    toy["capacitors"] = "none"
    toy["weather"] = 1
    toy["source_pu"] = [1]
    with pytest.raises(FileFormatError) as caught:
        from_json(json.dumps(toy).encode())
    told = {(problem.code, problem.table, problem.column) for problem in caught.value.problems}
    assert told == {
        ("cell", "buses", "kv"), ("cell", "lines", "r_ohm"), ("cell", "loads", "kw"),
        ("unknown-column", "loads", "colour"), ("table", "capacitors", ""), ("unknown-key", "", ""),
        ("cell", "", "source_pu"),
    }  # fmt: skip
    assert "kv is 'four', which is not a number" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1, 2]", "not a feeder of Headroom"),
        (b"{", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b'{"format": "headroom-feeder-1"}', "source_bus of the feeder is needed"),
        (b" " * (MOST_BYTES + 1), "10 MB is the most"),
    ],
)
def test_what_is_no_feeder_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(FileFormatError, match=said):
        from_json(content)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"weather.csv": b"a\n1\n"}, "'weather.csv' is none of feeder.csv"),
        ({"buses.csv": b"name,kv\nS,4.16,7\n"}, "3 cells under 2 columns"),
        ({"buses.csv": b"name,name\nS,S\n"}, "twice"),
        ({"buses.csv": b"name,kv\nS,nan\n"}, "buses.csv row 1: kv is 'nan', which is not a number"),
        ({"feeder.zip": b"PK\x03\x04broken"}, "cannot be read"),
    ],
)
def test_bad_tables_are_refused(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(FileFormatError, match=said):
        from_csv(files)


def test_a_bomb_is_refused_unread() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("buses.csv", b"0" * (MOST_BYTES + 1))
    with pytest.raises(FileFormatError, match="the most there may be"):
        from_csv({"bomb.zip": buffer.getvalue()})


def test_formulas_are_disarmed() -> None:
    """A name that a spreadsheet would run has an apostrophe in the file, and comes back without it."""
    feeder = Feeder("=1+1", "four", "-S", (FeederBus("-S", 4.16),))
    packed = to_csv_zip(feeder)
    assert b"'=1+1" in unpacked(packed)["feeder.csv"]
    assert from_csv({"a.zip": packed}) == feeder
