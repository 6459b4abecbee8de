"""The reducer: what each edit does, what it refuses, and the laws that hold for any sequence of edits."""

import json
import math
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import EngineError, NetworkDataError
from engine.network.cells import decimal_mark, read_cell
from engine.network.edit import apply, label
from engine.network.events import (
    KINDS,
    AddBus,
    AddRow,
    Connect,
    Delete,
    EditCells,
    Event,
    Move,
    PasteRows,
    RenameBus,
    SetName,
    SetSlack,
    from_json,
    to_json,
)
from engine.network.pasting import copy
from engine.network.tables import COLUMNS, KEYS, NetworkTables, table_of


def after(*events: Event, tables: NetworkTables | None = None) -> NetworkTables:
    tables = NetworkTables() if tables is None else tables
    for event in events:
        tables = apply(tables, event)
    return tables


@pytest.fixture
def three() -> NetworkTables:
    """Three buses in a row, a parallel branch and one unit."""
    return after(
        AddBus(0, 0),
        AddBus(100, 0),
        AddBus(200, 0),
        Connect("1", "2"),
        Connect("2", "3"),
        Connect("3", "2"),
        AddRow("units", (("bus", "1"), ("p_max_mw", "50"))),
    )


def refusal(tables: NetworkTables, event: Event) -> str:
    before = tables.digest()
    with pytest.raises(NetworkDataError) as caught:
        apply(tables, event)
    assert tables.digest() == before
    return " | ".join(problem.message for problem in caught.value.problems)


def test_buses_are_numbered_and_the_first_is_the_slack(three: NetworkTables) -> None:
    assert three.buses["bus"].tolist() == ["1", "2", "3"]
    assert three.buses["slack"].tolist() == [True, False, False]
    assert three.buses["x"].tolist() == [0, 100, 200]


def test_a_parallel_branch_gets_the_next_circuit_in_either_direction(three: NetworkTables) -> None:
    assert three.branches["branch"].tolist() == ["1-2", "2-3", "3-2/2"]
    assert three.branches["circuit"].tolist() == ["1", "1", "2"]


def test_two_voltages_are_joined_by_a_transformer(three: NetworkTables) -> None:
    kv = EditCells("buses", (("1", "base_kv", "230"), ("3", "base_kv", 115.0)))
    assert apply(apply(three, kv), Connect("1", "3")).branches["kind"].tolist()[-1] == "transformer"


def test_deleting_a_bus_takes_its_branches_and_units_and_says_so(three: NetworkTables) -> None:
    event = Delete(buses=("1",))
    assert label(three, event) == "delete bus 1 with 1 branch and 1 unit; bus 2 becomes the slack"
    gone = apply(three, event)
    assert (len(gone.buses), len(gone.branches), len(gone.units)) == (2, 2, 0)
    assert gone.buses["slack"].tolist() == [True, False]


def test_a_renamed_bus_keeps_its_branches_and_units(three: NetworkTables) -> None:
    renamed = apply(three, RenameBus("1", "Hartley"))
    assert renamed.branches["from_bus"].tolist() == ["Hartley", "2", "3"]
    assert renamed.units["bus"].tolist() == ["Hartley"]
    assert apply(three, EditCells("buses", (("1", "bus", "Hartley"),))).digest() == renamed.digest()


def test_buses_can_swap_their_names_in_one_edit(three: NetworkTables) -> None:
    swapped = apply(three, EditCells("buses", (("1", "bus", "2"), ("2", "bus", "1"))))
    assert swapped.branches["from_bus"].tolist() == ["2", "1", "3"]
    assert swapped.units["bus"].tolist() == ["2"]


def test_there_is_exactly_one_slack(three: NetworkTables) -> None:
    assert apply(three, SetSlack("3")).buses["slack"].tolist() == [False, False, True]
    assert "set another one" in refusal(three, EditCells("buses", (("1", "slack", False),)))
    assert "only one bus" in refusal(three, EditCells("buses", (("2", "slack", True), ("3", "slack", True))))


def test_drawing_keeps_places_on_the_map_and_on_the_canvas(three: NetworkTables) -> None:
    assert apply(three, Move((("2", 5, 6),))).buses[["x", "y"]].iloc[1].tolist() == [5, 6]
    moved = apply(three, Move((("2", -99.5, 31.0),), geographic=True))
    assert moved.buses[["longitude", "latitude"]].iloc[1].tolist() == [-99.5, 31.0]
    assert "within 180 and 90" in refusal(three, Move((("2", 200.0, 0.0),), geographic=True))


def test_one_bad_cell_stops_the_whole_edit_and_every_bad_cell_is_named(three: NetworkTables) -> None:
    message = refusal(
        three,
        EditCells("buses", (("1", "load_mw", "5"), ("2", "load_mw", "many"), ("3", "bus", ""), ("3", "x", True))),
    )
    assert "bus 2, load_mw: a number is needed, found 'many'" in message
    assert "bus 3, bus: an identifier is needed" in message
    assert "bus 3, x: a number is needed, found True" in message


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (Connect("1", "9"), "there is no bus '9'"),
        (Connect("1", "1"), "both ends are bus '1'"),
        (Delete(buses=("9",)), "there is no bus '9'"),
        (Delete(), "nothing is selected"),
        (RenameBus("1", "2"), "bus '2' is there already"),
        (AddRow("units"), "bus is needed"),
        (AddRow("branches", (("from_bus", "1"),)), "to_bus is needed"),
        (AddRow("buses", (("bus", "1"),)), "bus '1' is there already"),
        (AddRow("buses", (("colour", "1"),)), "no column 'colour'"),
        (EditCells("branches", (("1-2", "to_bus", "1"),)), "both ends"),
        (EditCells("branches", (("1-2", "kind", "rope"),)), "line or transformer"),
        (EditCells("units", (("1-1", "cost_points", "0:0 0:5"),)), "must rise"),
        (EditCells("buses", (("1", "load_mw", "inf"),)), "finite number"),
        (EditCells("buses", (("1", "name", "a\x00b"),)), "control characters"),
        (EditCells("buses", (("1", "bus", "n" * 61),)), "at most 60"),
        (SetName(" "), "name"),
        (Move(()), "at least one"),
        (Move((("9", 0, 0),)), "no bus '9'"),
        (PasteRows("buses", "  \n "), "nothing to paste"),
        (PasteRows("buses", "1", row="77"), "no '77'"),
        (PasteRows("buses", "1", column="colour"), "no column 'colour'"),
    ],
)
def test_a_bad_edit_is_refused_in_words(three: NetworkTables, event: Event, words: str) -> None:
    assert words in refusal(three, event)


def test_an_unlimited_rating_is_an_empty_cell_or_a_word(three: NetworkTables) -> None:
    limited = apply(three, EditCells("branches", (("1-2", "rating_a_mw", "100"),)))
    for raw in ("", None, "unlimited", "∞"):
        assert apply(limited, EditCells("branches", (("1-2", "rating_a_mw", raw),))).digest() == three.digest()


# pasting


def test_a_block_from_a_spreadsheet_becomes_rows() -> None:
    text = "Bus\tName\tLoad (MW)\tWithdrawal limit\r\n1\tNorth\t12,5\t\r\n2\tSouth\t1\u202f000,25\t40\r\n"
    tables = apply(NetworkTables(), PasteRows("buses", text))
    assert tables.buses["name"].tolist() == ["North", "South"]
    assert tables.buses["load_mw"].tolist() == [12.5, 1000.25]
    assert tables.buses["withdrawal_limit_mw"].tolist() == [math.inf, 40]
    assert tables.buses["slack"].tolist() == [True, False]


def test_a_block_without_a_header_fills_the_columns_in_order(three: NetworkTables) -> None:
    tables = apply(three, PasteRows("branches", "a\t1\t3\nb\t1\t3"))
    assert tables.branches["branch"].tolist()[-2:] == ["a", "b"]
    assert tables.branches["circuit"].tolist()[-2:] == ["1", "2"]


def test_pasting_over_cells_overwrites_them_and_goes_on_below_the_table(three: NetworkTables) -> None:
    tables = apply(three, PasteRows("buses", "5\n6,5\n7", row="2", column="load_mw"))
    assert tables.buses["load_mw"].tolist() == [0, 5, 6.5, 7]
    assert tables.buses["bus"].tolist() == ["1", "2", "3", "4"]


def test_every_bad_cell_of_a_block_is_named_with_its_row_and_column(three: NetworkTables) -> None:
    text = "bus;load_mw;name\n7;x;a\n8;=1+1;b\n1;3;c\n9;4;d;e\n"
    assert refusal(three, PasteRows("buses", text)).count("|") == 2
    message = refusal(three, PasteRows("buses", text))
    assert "row 2, Load: a number is needed, found 'x'" in message
    assert "row 3, Load: a number is needed, found '=1+1'" in message
    assert "row 5: 4 cells, but only 3 columns" in message
    assert "row 2, Bus: bus '1' is there already" in refusal(three, PasteRows("buses", "bus;load_mw\n1;3"))


def test_an_unknown_header_is_named(three: NetworkTables) -> None:
    assert "no column 'Colour'" in refusal(three, PasteRows("buses", "Bus,Load,Colour\n8,1,red"))


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1", "12,5"], ","),
        (["1,234", "2.5"], "."),
        (["1,234"], "?"),
        (["1.234,5"], ","),
        (["1.000", "7,5"], ","),
        (["1.000", "2.500"], "."),
    ],
)
def test_the_decimal_mark_is_read_from_the_block(cells: list[str], mark: str) -> None:
    assert decimal_mark(cells) == mark


def test_a_comma_that_may_mean_two_things_is_not_guessed() -> None:
    column = next(c for c in COLUMNS["buses"] if c.name == "load_mw")
    with pytest.raises(ValueError, match=r"may mean 1\.234 or 1234"):
        read_cell("buses", column, "1,234")
    assert read_cell("buses", column, "1,234", ",") == 1.234
    assert read_cell("buses", column, "1,234", ".") == 1234
    assert read_cell("buses", column, "1,234,567") == 1234567
    assert read_cell("buses", column, "1,234.5") == 1234.5
    assert read_cell("buses", column, "0,123") == 0.123
    assert read_cell("buses", column, "10,5", ".") == 10.5
    assert read_cell("buses", column, "\u22125") == -5


def test_two_columns_of_a_table_never_share_a_heading() -> None:
    for columns in COLUMNS.values():
        assert len({c.label.lower() for c in columns}) == len(columns)


# JSON


def test_every_event_has_one_name_in_json() -> None:
    assert set(KINDS.values()) == set(get_args(Event))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "an object with a type"),
        ([], "an object"),
        ({"type": "explode"}, "type: one of add-bus"),
        ({"type": ["add-bus"]}, "type: one of"),
        ({"type": "connect", "from_bus": "1"}, "to_bus: connect needs it"),
        ({"type": "connect", "from_bus": 1, "to_bus": "2"}, "from_bus: text is needed"),
        ({"type": "add-bus", "x": math.nan, "y": 0}, "x: a finite number"),
        ({"type": "add-bus", "x": "1", "y": 0}, "x: a finite number"),
        ({"type": "add-bus", "colour": "red"}, "colour: add-bus has no such field"),
        ({"type": "move", "places": [["1", 2]]}, "places: bus and two numbers"),
        ({"type": "move", "places": [["1", 2, math.inf]]}, "places: a finite number"),
        ({"type": "delete", "buses": "1"}, "buses: a list is needed"),
        ({"type": "delete", "buses": ["1"] * 20_001}, "buses: at most 20000"),
        ({"type": "edit-cells", "table": "cars", "cells": []}, "table: one of buses, branches, units, interfaces"),
        ({"type": "edit-cells", "table": "buses", "cells": [["1", "name", {}]]}, "cells: text, a number"),
        ({"type": "add-row", "table": "buses", "values": [1]}, "values: column and value pairs"),
        ({"type": "paste-rows", "table": "buses", "text": None}, "text: text is needed"),
    ],
)
def test_a_forged_event_is_refused_and_the_field_is_named(content: object, words: str) -> None:
    with pytest.raises(EngineError, match=words):
        from_json(content)


# laws

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=6)
NUMBERS = st.floats(-1e6, 1e6)


@st.composite
def an_event(draw: st.DrawFn, tables: NetworkTables) -> Event:
    """Draw an event that mentions what is there most of the time, and nonsense now and then."""

    def bus() -> str:
        return draw(st.sampled_from(tables.buses["bus"].tolist() or ["1"]) | NAMES)

    def some(name: str) -> tuple[str, ...]:
        ids = tables.table(name)[KEYS[name]].tolist()
        return tuple(draw(st.lists(st.sampled_from(ids), max_size=2))) if ids else ()

    table = draw(st.sampled_from(list(COLUMNS)))
    column = draw(st.sampled_from(COLUMNS[table]))
    value = draw(st.none() | NUMBERS | st.booleans() | NAMES | st.sampled_from(["", "inf", "12,5", "line"]))
    key = draw(st.sampled_from(tables.table(table)[KEYS[table]].tolist() or ["1"]))
    return draw(
        st.sampled_from(
            [
                AddBus(draw(NUMBERS), draw(NUMBERS)),
                AddBus(longitude=-99.0, latitude=31.0),
                Connect(bus(), bus()),
                Connect(bus(), bus()),
                Move(((bus(), draw(NUMBERS), draw(NUMBERS)),)),
                Delete(some("buses"), some("branches"), some("units")),
                EditCells(table, ((key, column.name, value),)),
                AddRow("units", (("bus", bus()), ("p_max_mw", draw(NUMBERS)))),
                AddRow("branches", (("from_bus", bus()), ("to_bus", bus()))),
                AddRow("buses", (("name", draw(NAMES)), ("slack", draw(st.booleans())))),
                PasteRows("buses", f"{bus()}\t{draw(NAMES)}\n\n{draw(NAMES)}\tb"),
                PasteRows("branches", f"from bus\tto bus\tslack\n{bus()}\t{bus()}\t"),
                RenameBus(bus(), draw(NAMES)),
                SetSlack(bus()),
                SetName(draw(NAMES)),
            ]
        )
    )


def assert_whole(tables: NetworkTables) -> None:
    buses = tables.buses["bus"].tolist()
    for name, key in KEYS.items():
        ids = tables.table(name)[key].tolist()
        assert len(set(ids)) == len(ids)
        assert all(ids)
        assert list(tables.table(name).columns) == [c.name for c in COLUMNS[name]]
        assert tables.table(name).dtypes.tolist() == table_of(name).dtypes.tolist()
        assert isinstance(tables.table(name).index, pd.RangeIndex) or ids == []
    assert set(tables.branches["from_bus"]) | set(tables.branches["to_bus"]) | set(tables.units["bus"]) <= set(buses)
    assert (tables.branches["from_bus"] != tables.branches["to_bus"]).all()
    assert int(tables.buses["slack"].sum()) == (1 if buses else 0)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_sequence_of_edits_keeps_the_network_whole_and_can_be_undone_and_replayed(data: st.DataObject) -> None:
    tables = NetworkTables()
    stack, digests, done, reasons = [tables], [tables.digest()], [], []
    for _ in range(data.draw(st.integers(1, 12))):
        event = data.draw(an_event(tables))
        assert from_json(json.loads(json.dumps(to_json(event)))) == event
        try:
            words = label(tables, event)
            tables = apply(tables, event)
        except NetworkDataError as error:
            reasons.append(error.problems)
            assert tables.digest() == digests[-1]
            continue
        assert 0 < len(words) < 200
        assert_whole(tables)
        stack.append(tables)
        digests.append(tables.digest())
        done.append(event)
    assert [undone.digest() for undone in stack] == digests
    assert after(*done).digest() == tables.digest()
    assert all(reasons)


CELLS = {
    "text": st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=8)
    .map(str.strip)
    .filter(str.isprintable),
    "number": NUMBERS,
    "flag": st.booleans(),
}


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_rows_copied_to_a_spreadsheet_paste_back_the_same(data: st.DataObject) -> None:
    rows = [
        {c.name: data.draw(CELLS[c.kind]) for c in COLUMNS["buses"]} | {"bus": f"=n{n}", "slack": n == 0}
        for n in range(data.draw(st.integers(1, 4)))
    ]
    tables = NetworkTables(buses=table_of("buses", rows))
    back = apply(NetworkTables(), PasteRows("buses", copy(tables, "buses")))
    assert back.digest() == tables.digest()


def test_a_cell_of_a_large_network_is_edited_in_a_blink() -> None:
    count = 2_000
    ids = [str(n) for n in range(count)]
    rng = np.random.default_rng(1)
    ends = [
        (ids[a], ids[(a + 1 + b) % count])
        for a, b in zip(rng.integers(0, count, 3206), rng.integers(0, count - 1, 3206), strict=True)
    ]
    branches = [{"branch": str(n), "from_bus": a, "to_bus": b} for n, (a, b) in enumerate(ends)]
    tables = NetworkTables(
        buses=table_of("buses", [{"bus": i, "slack": i == "0"} for i in ids]), branches=table_of("branches", branches)
    )
    edited = apply(tables, EditCells("buses", (("1000", "load_mw", 5.0),)))
    assert edited.buses["load_mw"].sum() == 5
    assert edited.branches is tables.branches
