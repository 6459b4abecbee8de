"""The Network page: what an edit, an import and a solve do to a study and to the screen; what is refused."""

import base64
import gzip
import io
import pickle
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callbacks import network_desk, network_edit, network_import
from callbacks.network import left_out
from callbacks.network_desk import Seat, change, next_step, replace_network
from callbacks.network_import import Offers, received, understood
from callbacks.network_opf import OpfDesk
from callbacks.network_panels import inspector
from callbacks.services import Services
from components.network_import import MOST_SNAPSHOTS, snapshot_choices
from components.network_rows import TABLES
from components.network_tables import paste_example
from engine.errors import FileFormatError
from engine.network import library
from engine.network.edit import apply
from engine.network.events import PasteRows
from engine.network.imported import Snapshots
from engine.network.readers import FORMATS, MOST_BYTES, write_network
from engine.network.tables import NetworkTables, TableName
from tests.databases import ready_sqlite

ANNE, BEN = "anne", "ben"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = Services.open(ready_sqlite(tmp_path / "store.db"), tmp_path / "artefacts")
    yield opened
    opened.close()


@pytest.fixture
def seat(services: Services) -> Seat:
    """Anne, with the 4-bus case as her study."""
    return Seat(services, ANNE, services.studies.create(ANNE, "Four", library.load("fourbus")))


def asked(seat: Seat, event: dict[str, Any], **more: Any) -> network_desk.Outcome:
    return change(seat, seat.status().digest, {"seq": "1", "from": "drawing", "event": event, **more})


def text(part: Any) -> str:
    """Return the words that a reader sees."""
    if isinstance(part, (list, tuple)):
        return "".join(text(child) for child in part)
    if isinstance(part, (str, int, float)):
        return str(part)
    return text(getattr(part, "children", None) or "")


def test_an_edit_is_saved_with_its_label_and_selects_what_is_new(seat: Seat) -> None:
    outcome = asked(seat, {"type": "add-bus", "x": 10, "y": 20})
    assert outcome.ack["ok"]
    assert (outcome.message, outcome.selection) == ("Add bus 5", "bus:5")
    assert seat.status().undo_label == "add bus 5"
    screen = network_edit.screen(outcome, seat.study, ["buses"])
    assert [row["id"] for row in screen["change_buses"]["add"]] == ["5"]
    assert screen["undo_off"] is False
    assert [e["data"]["id"] for e in screen["elements"]][4] == "bus:5"


def test_undo_and_redo_go_through_the_store_and_survive_it(seat: Seat) -> None:
    start = seat.status().digest
    asked(seat, {"type": "connect", "from_bus": "3", "to_bus": "4"})
    drawn = seat.status().digest
    undone = change(seat, drawn, {"seq": "2", "action": "undo"})
    assert (undone.message, seat.status().digest) == ("Undone: connect 3 to 4", start)
    assert network_edit.screen(undone, seat.study, ["branches"])["change_branches"]["remove"] == [{"id": "3-4"}]
    assert change(seat, start, {"seq": "3", "action": "redo"}).ack["ok"]
    assert seat.status().digest == drawn
    assert "nothing to redo" in change(seat, drawn, {"seq": "4", "action": "redo"}).message


def test_an_edit_made_on_an_old_screen_is_made_on_what_is_there_now(seat: Seat) -> None:
    old = seat.status().digest
    asked(seat, {"type": "add-bus", "x": 0, "y": 0})
    late = change(seat, old, {"seq": "2", "event": {"type": "add-bus", "x": 1, "y": 1}})
    assert late.selection == "bus:6"
    assert len(network_edit.screen(late, seat.study, ["buses"])["change_buses"]["add"]) == 2


def test_a_refused_cell_is_put_back_and_says_why(seat: Seat) -> None:
    event = {"type": "edit-cells", "table": "buses", "cells": [["2", "load_mw", "lots"]]}
    outcome = asked(seat, event)
    assert not outcome.ack["ok"]
    assert "bus 2, load_mw: a number is needed" in outcome.problems[0]
    assert network_edit.screen(outcome, seat.study, ["buses"])["change_buses"]["update"][0]["load_mw"] == 25


def test_every_bad_cell_of_a_paste_is_shown_in_the_paste_box(seat: Seat) -> None:
    text = "bus;load_mw\n8;x\n9;y"
    outcome = asked(seat, {"type": "paste-rows", "table": "buses", "text": text}, **{"from": "paste"})
    assert len(outcome.problems) == 2
    assert "row 3, Load" in str(network_edit.screen(outcome, seat.study, [])["paste_message"])


def test_a_change_of_load_leaves_the_map_and_a_change_of_place_draws_it_anew(services: Services) -> None:
    seat = Seat(services, ANNE, services.studies.create(ANNE, "Texas", library.load("texas-2016")))
    load = asked(seat, {"type": "edit-cells", "table": "buses", "cells": [["1001", "load_mw", 5]]})
    screen = network_edit.screen(load, seat.study, ["buses"])
    assert "buses_url" not in screen
    assert len(screen["change_buses"]["update"]) == 1
    move = asked(seat, {"type": "move", "places": [["1001", -100.0, 31.0]], "geographic": True})
    assert seat.status().digest in network_edit.screen(move, seat.study, [])["buses_url"]


def test_the_canvas_shows_at_once_where_units_and_loads_are_and_which_bus_is_the_slack(seat: Seat) -> None:
    def signs(event: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
        drawn = network_edit.screen(asked(seat, event), seat.study, [])["elements"]
        nodes = [element["data"] for element in drawn if "source" not in element["data"]]
        return {node["id"]: (node["units"], node["load"], node["slack"]) for node in nodes}

    assert signs({"type": "add-row", "table": "units", "values": [["bus", "3"]]})["bus:3"] == (1, 1, 0)
    no_load = {"type": "edit-cells", "table": "buses", "cells": [["2", "load_mw", 0]]}
    assert signs(no_load)["bus:2"] == (0, 0, 0)
    moved = signs({"type": "set-slack", "bus": "4"})
    assert (moved["bus:1"], moved["bus:4"]) == ((1, 1, 0), (0, 1, 1))
    more = asked(seat, {"type": "edit-cells", "table": "buses", "cells": [["3", "load_mw", 16]]})
    assert "elements" not in network_edit.screen(more, seat.study, [])  # no sign changes


def test_a_network_that_gets_places_changes_from_the_canvas_to_the_map(seat: Seat) -> None:
    place = {"type": "move", "geographic": True, "places": [[b, -99.0 - i, 31.0] for i, b in enumerate("1234")]}
    screen = network_edit.screen(asked(seat, place), seat.study, ["buses"])
    assert "pane" in screen
    assert "elements" not in screen


@pytest.mark.parametrize(
    "request_",
    [
        None,
        [],
        "add bus",
        {},
        {"event": None},
        {"event": {"type": "nonsense"}},
        {"action": "drop tables"},
        {"event": {"type": "edit-cells", "table": "buses", "cells": [["99", "bus", 1]]}},
        {"event": {"type": "paste-rows", "table": "units", "text": "unit\tbus\nu\t99"}},
    ],
)
def test_a_forged_request_changes_nothing_and_is_answered(seat: Seat, request_: Any) -> None:
    before = seat.status()
    outcome = change(seat, before.digest, request_)
    assert not outcome.ack["ok"]
    assert outcome.problems
    assert seat.status() == before


def test_a_strangers_study_and_a_readers_copy_are_not_changed(seat: Seat) -> None:
    before = seat.status()
    event = {"seq": "1", "event": {"type": "add-bus", "x": 0, "y": 0}}
    stranger = Seat(seat.services, BEN, seat.study)
    assert change(stranger, before.digest, event).after is None
    seat.services.studies.accept_share(BEN, seat.services.studies.share(ANNE, seat.study))
    reader = change(stranger, before.digest, event)
    assert not reader.ack["ok"]
    assert reader.message
    assert seat.status() == before
    assert "shared with you to read" in str(inspector(stranger, OpfDesk(seat.services), "bus:1", None))


def test_the_inspector_shows_the_elements_form_and_says_when_it_is_gone(seat: Seat) -> None:
    assert "Bus 2" in str(inspector(seat, OpfDesk(seat.services), "bus:2", None))
    assert "Branch 2-3" in str(inspector(seat, OpfDesk(seat.services), "branch:2-3", None))
    assert "Unit 1-1" in str(inspector(seat, OpfDesk(seat.services), "unit:1-1", None))
    assert "There is no bus 99 any more" in str(inspector(seat, OpfDesk(seat.services), "bus:99", None))
    for nonsense in (None, 5, "problem:1", "bus:", {"a": 1}):
        assert "4-bus" in str(inspector(seat, OpfDesk(seat.services), nonsense, None))


# import


def upload(content: bytes) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(content).decode()


def taken(content: bytes, name: str) -> NetworkTables:
    return understood(received([upload(content)], [name], MOST_BYTES)).tables


@pytest.mark.parametrize("file_format", list(FORMATS))
def test_an_exported_network_comes_back_through_the_page(file_format: Any) -> None:
    four = library.load("fourbus")
    name, content = write_network(four, file_format)
    back = taken(content, name)
    assert back.buses["load_mw"].tolist() == four.buses["load_mw"].tolist()
    assert back.branches["rating_a_mw"].tolist() == [100, 50, 50]


def test_an_export_says_what_the_other_program_has_no_word_for() -> None:
    four = library.load("fourbus")
    assert left_out(four, "csv") == left_out(four, "matpower") == ""
    said = left_out(four, "psse33")
    assert said.startswith("PSS/E RAW 33 does not carry buses: withdrawal limit, canvas x, canvas y; units: ")


def test_a_network_is_shown_before_it_is_taken_and_undo_brings_the_old_one_back(seat: Seat) -> None:
    offers, before = Offers(seat.services.artifacts), seat.status().digest
    shown = network_import.offer_library(offers, ANNE, "ieee14")
    assert "14 buses" in str(shown.panel)
    assert seat.status().digest == before
    outcome = replace_network(seat, offers, before, shown.digest)
    assert outcome.message.startswith("Imported")
    assert len(seat.tables(seat.status().digest).buses) == 14
    assert "pane" in network_edit.screen(outcome, seat.study, ["buses"])
    change(seat, seat.status().digest, {"action": "undo"})
    assert seat.status().digest == before


def test_what_was_shown_is_taken_in_another_process_and_after_a_restart(seat: Seat, tmp_path: Path) -> None:
    digest = network_import.offer_library(Offers(seat.services.artifacts), ANNE, "ieee14").digest
    again = Services.open(f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "artefacts")
    try:
        later = Seat(again, ANNE, seat.study)
        outcome = replace_network(later, Offers(again.artifacts), seat.status().digest, digest)
    finally:
        again.close()
    assert outcome.ack["ok"]
    assert seat.tables(seat.status().digest).digest() == library.load("ieee14").digest()


def test_nobody_takes_what_another_one_uploaded(seat: Seat) -> None:
    offers = Offers(seat.services.artifacts)
    digest = network_import.offer_library(offers, BEN, "ieee14").digest
    before = seat.status()
    outcome = replace_network(seat, offers, before.digest, digest)
    assert "choose the file again" in outcome.problems[0]
    assert seat.status() == before


def test_a_pair_of_files_is_read_whatever_their_order() -> None:
    four = library.load("fourbus")
    _, content = write_network(four, "csv")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if "units" not in name}
    names = sorted(files)
    tables = understood(received([upload(files[name]) for name in names], names, MOST_BYTES)).tables
    assert (len(tables.buses), len(tables.branches)) == (4, 3)


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("buses.csv", b"0" * 60_000_000)
    return packed.getvalue()


CASE = write_network(library.load("fourbus"), "matpower")[1]
TEXT = "bus,name,load_mw\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("case.m", CASE[: len(CASE) // 2]),
        ("case.m", b""),
        ("case.m", "mpc.bus = [1 2 3".encode("utf-16")),
        ("case.m", b"\xff\xfe\x00\x01" * 100),
        ("buses.csv", (TEXT + "1,a,5\n1,b,6\n").encode()),
        ("buses.csv", (TEXT + "1,a,=1+1\n").encode()),
        ("buses.csv", "bus;имя\n1;Москва".encode("cp1251")),
        ("network.json", b'{"format": "headroom-network", "buses": {"load_mw": [NaN]}}'),
        ("network.json", b"[" * 100_000),
        ("network.json.gz", gzip.compress(b"0" * 50_000_000)),
        ("network.zip", bomb()),
        ("network.json", pickle.dumps({"a": np.zeros(3)})),
        ("places.geojson", b'{"type": "FeatureCollection", "features": [{"type": "Feature"}]}'),
        ("../../etc/passwd", b"root"),
    ],
)
def test_a_bad_file_is_refused_in_words(seat: Seat, name: str, content: bytes) -> None:
    before = seat.status()
    shown = network_import.offer_files(Offers(seat.services.artifacts), ANNE, [upload(content)], [name])
    assert shown.digest is None
    assert "was not taken" in str(shown.panel)
    assert "The open study is as it was" in str(shown.panel)
    assert seat.status() == before


def hours() -> bytes:
    """A PyPSA folder of two buses with loads of 10, 30 and 20 MW in three hours."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in {
            "snapshots": ",snapshot\n0,night\n1,noon\n2,evening\n",
            "buses": "name,v_nom\na,100\nb,100\n",
            "lines": "name,bus0,bus1,x,s_nom\nl,a,b,10,100\n",
            "generators": "name,bus,p_nom\ng,a,50\n",
            "loads": "name,bus\nd,b\n",
            "loads-p_set": ",d\n0,10\n1,30\n2,20\n",
        }.items():
            archive.writestr(f"{name}.csv", text)
    return packed.getvalue()


def test_another_snapshot_of_the_file_is_read_without_sending_it_again(seat: Seat) -> None:
    offers = Offers(seat.services.artifacts)
    first = network_import.offer_files(offers, ANNE, [upload(hours())], ["hours.zip"])
    assert [choice["label"] for choice in snapshot_choices(first.snapshots)] == [
        "night, 10.0 MW", "noon, 30.0 MW", "evening, 20.0 MW",
    ]  # fmt: skip
    assert offers.take(ANNE, first.digest).buses["load_mw"].tolist() == [0.0, 30.0]
    second = network_import.offer_snapshot(offers, ANNE, first.file, "2")
    assert offers.take(ANNE, second.digest).buses["load_mw"].tolist() == [0.0, 20.0]
    assert "with a load of 20.0 MW; the largest is 30.0 MW, in noon" in str(second.panel)
    for user, file, snapshot in ((BEN, first.file, "2"), (ANNE, first.file, "3"), (ANNE, None, "1"),
                                 (ANNE, first.file, "9" * 30), (ANNE, first.file, 1), (ANNE, "x", "1")):  # fmt: skip
        refused = network_import.offer_snapshot(offers, user, file, snapshot)
        assert refused.digest is None
        assert "was not taken" in str(refused.panel)


def test_warnings_that_are_alike_are_told_once(seat: Seat) -> None:
    panel = network_import.offer_library(Offers(seat.services.artifacts), ANNE, "ieee14").panel
    assert text(panel).count("has no rating A") == 1
    assert "branch 1-2 has no rating A: its flow is not limited; 19 more like this" in text(panel)
    assert "Worth knowing: 20" in text(panel)


def test_of_very_many_snapshots_those_of_the_largest_loads_are_listed() -> None:
    loads = np.arange(MOST_SNAPSHOTS + 5.0)
    listed = snapshot_choices(Snapshots(tuple(f"hour {at}" for at in range(len(loads))), tuple(loads), 2))
    assert [choice["value"] for choice in listed] == [*(str(at) for at in range(5, len(loads))), "2"]
    assert snapshot_choices(None) == []


def test_a_file_of_fifty_megabytes_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(FileFormatError, match=r"52\.5 MB; at most 40 MB"):
        received(["data:text/plain;base64," + "A" * 70_000_000], ["big.m"], MOST_BYTES)


@pytest.mark.parametrize("content", [None, 5, "", "data:", "data:text/plain,abc", "data:x;base64,@@@"])
def test_content_that_is_none_is_refused(content: Any) -> None:
    with pytest.raises(FileFormatError):
        received([content], ["case.m"], MOST_BYTES)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_read_or_refused_but_never_a_fault(seat: Seat, data: st.DataObject) -> None:
    file_format = data.draw(st.sampled_from(list(FORMATS)))
    name, content = write_network(library.load("fourbus"), file_format)
    at = data.draw(st.integers(0, len(content) - 1))
    damaged = content[:at] + data.draw(st.binary(max_size=6)) + content[at + data.draw(st.integers(0, 40)) :]
    shown = network_import.offer_files(Offers(seat.services.artifacts), ANNE, [upload(damaged)], [name])
    assert shown.panel is not None
    assert shown.digest is None or len(shown.digest) == 64


@pytest.mark.parametrize("name", TABLES)
def test_the_example_of_what_can_be_pasted_can_be_pasted(name: TableName) -> None:
    rts = library.load("rts24")
    assert len(apply(rts, PasteRows(name, paste_example(name))).table(name)) == len(rts.table(name)) + 1


def test_a_drawing_says_what_it_still_needs() -> None:
    four = library.load("fourbus")
    empty = {name: four.table(name).iloc[:0] for name in ("buses", "branches", "units")}
    assert next_step(replace(four, **empty)) == ""
    alone = replace(four, **{**empty, "buses": four.buses.iloc[:1]})
    assert "next bus" in next_step(alone)
    assert "drag from bus to bus" in next_step(replace(four, branches=empty["branches"], units=empty["units"]))
    assert "a unit" in next_step(replace(four, units=empty["units"]))
    assert "loads" in next_step(replace(four, buses=four.buses.assign(load_mw=0.0)))
    assert next_step(four) == ""


def test_the_network_gets_a_name_and_undo_takes_it_back(seat: Seat) -> None:
    outcome = asked(seat, {"type": "set-name", "name": "  Seminar room  "})
    assert outcome.ack["ok"]
    assert seat.tables(seat.status().digest).name == "Seminar room"
    assert "Seminar room" in str(inspector(seat, OpfDesk(seat.services), None, None))
    assert not asked(seat, {"type": "set-name", "name": " "}).ack["ok"]
    change(seat, seat.status().digest, {"action": "undo"})
    assert seat.tables(seat.status().digest).name == "4-bus auction paper"


LONG = "interface,branch,weight,limit_mw\nEast,2-3,1,40\nEast,2-4,1,\n"


def data_url(content: str) -> str:
    return f"data:text/csv;base64,{base64.b64encode(content.encode()).decode()}"


def test_rows_of_a_csv_file_are_added_to_the_open_table_and_can_be_undone(seat: Seat) -> None:
    start = seat.status().digest
    outcome = network_desk.add_from_csv(seat, start, "interfaces", data_url(LONG), "limits.csv")
    assert outcome.ack["ok"], outcome.problems
    assert outcome.message == "1 row pasted into interfaces"
    assert outcome.after is not None
    assert outcome.after.interfaces["terms"].tolist() == ["2-3:1 2-4:1"]
    shown = network_edit.screen(outcome, seat.study, ["buses", "interfaces"])
    assert [row["id"] for row in shown["rows_interfaces"]] == ["East"]
    assert change(seat, seat.status().digest, {"action": "undo"}).status.digest == start
    more = "bus,load_mw\n5,10\n6,20\n"
    assert network_desk.add_from_csv(seat, start, "buses", data_url(more), "more.csv").ack["ok"]
    unnamed = "bus,p_max_mw\n1,7\n"
    outcome = network_desk.add_from_csv(seat, seat.status().digest, "units", data_url(unnamed), "units.csv")
    assert outcome.after is not None
    assert outcome.after.units["unit"].is_unique


@pytest.mark.parametrize(
    ("table", "content", "words"),
    [
        ("interfaces", data_url(LONG.replace("2-4", "9-9")), "there is no branch '9-9'"),
        ("interfaces", data_url(LONG.replace(",1,40", ",x,40")), "limits.csv line 2"),
        ("interfaces", "nonsense", "no content"),
        ("problems", data_url(LONG), "open the table"),
        (None, data_url(LONG), "open the table"),
    ],
)
def test_a_csv_file_that_cannot_be_added_changes_nothing_and_says_why(
    seat: Seat, table: Any, content: str, words: str
) -> None:
    start = seat.status().digest
    outcome = network_desk.add_from_csv(seat, start, table, content, "limits.csv")
    assert not outcome.ack["ok"]
    assert words in "; ".join(outcome.problems)
    assert seat.status().digest == start
    assert network_edit.screen(outcome, seat.study, [])["paste_message"] is not None


def test_interfaces_and_contingencies_have_forms_that_lead_to_their_branches(seat: Seat) -> None:
    network_desk.add_from_csv(seat, seat.status().digest, "interfaces", data_url(LONG), "limits.csv")
    asked(seat, {"type": "paste-rows", "table": "contingencies", "text": "contingency\tbranches\nboth\t2-3 2-4"})
    desk = OpfDesk(seat.services)
    assert "1 times 2-4" in text(inspector(seat, desk, "interface:East", None))
    form = text(inspector(seat, desk, "contingency:both", None))
    assert "2 branches" in form
    assert "The loss of line 2-3 and line 2-4 cuts off buses 3, 4 with" in form
    gone = asked(seat, {"type": "delete", "interfaces": ["East"], "contingencies": ["both"]})
    assert gone.message == "Delete interface East and contingency both"
