"""The Capacity page: how it opens, and that all its wires end on it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from dash import Dash, html, no_update

from callbacks import capacity as page
from callbacks import capacity_panes as panes
from callbacks.capacity_answer import FRAME_CLASS, STALE_CLASS, Seat, Shown
from callbacks.capacity_publish import publish, read_upload
from callbacks.services import Services
from components import capacity_ids, shell
from components.capacity_conditions import listed
from components.capacity_products import versions
from engine.capacity.conditions import Condition
from engine.errors import FileFormatError
from engine.network import library
from tests.callbacks.screen import ANNE, BEN, Screen, ids_in, text


def test_every_wired_id_is_on_the_page(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "current_user", lambda: ANNE)
    app = Dash("wiring", suppress_callback_exceptions=True)
    page.register(app, seat.desk.services)
    app.layout = html.Div()
    app._setup_server()
    screen = Screen(seat)
    shown = screen.ask()
    publish(seat, screen.drawn)
    stopped = Screen(seat).ask(keep="box:box", box="4 10 45")
    records = seat.desk.services.products.list(ANNE, seat.study)
    present = ids_in(page.page_layout(seat.desk.services, study=seat.study)) | ids_in(shell.layout(()))
    present |= ids_in([shown.totals, shown.tray, stopped.state, panes.inspect(seat, screen.drawn, "bus:3", "light")])
    present |= ids_in([versions(records, {}), listed([Condition("cap", mw=5.0)])])
    kinds = {json.loads(name)["type"] for name in present if name.startswith("{")}
    levels = {f"capacity-why-{kind}{level}" for kind in ("site", "alone") for level in range(2, 8)}  # as many as asked
    levels.add(capacity_ids.LARGEST_WHY)  # of a bus, once its largest load was computed
    wired = set()
    for key, spec in app.callback_map.items():
        wired |= {entry["id"] for entry in [*spec["inputs"], *spec.get("state", [])]}
        names = key.strip(".").split("...") if key.startswith("..") else [key]
        wired |= {name.rpartition(".")[0] for name in names}
    ours = {name for name in wired if "capacity" in name}  # a library of components may wire its own
    many = {name for name in ours if name.startswith("{") and json.loads(name)["type"] in kinds}
    missing = {name for name in ours - many if name not in present and name.removesuffix("-panel") not in levels}
    assert missing == set()
    assert len(ours) > 60


@pytest.mark.parametrize("query", [{}, {"study": "nobody's"}])
def test_without_a_study_the_page_says_what_to_do(seat: Seat, monkeypatch: pytest.MonkeyPatch, query: Any) -> None:
    monkeypatch.setattr(page, "current_user", lambda: BEN)
    assert "No study is open" in text(page.page_layout(seat.desk.services, **query))


def test_a_half_drawn_network_says_what_to_mend(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "current_user", lambda: ANNE)
    tables = library.load("fourbus")
    broken = replace(tables, branches=tables.branches.assign(reactance_pu=0.0))
    study = services.studies.create(ANNE, "Half", broken)
    words = text(page.page_layout(services, study=study))
    assert "The network is not complete" in words
    assert "1-2" in words


def test_a_link_that_cannot_be_read_is_told_and_the_study_opens(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "current_user", lambda: ANNE)
    layout = page.page_layout(seat.desk.services, study=seat.study, sites="3,4", mw="many")
    (start,) = [child for child in layout.children if getattr(child, "id", None) == "capacity-study-start"]
    assert start.data["problems"] == ["the link's mw must be numbers, found 'many'"]
    assert start.data["question"]["candidates"] == ["3", "4"]


def test_an_upload_that_is_no_file_changes_nothing(seat: Seat) -> None:
    with pytest.raises(FileFormatError):
        read_upload(seat, "states.parquet", b"PAR1 and no more")
    assert seat.desk.services.studies.datasets(ANNE, seat.study) == []


def test_a_map_that_keeps_its_layers_is_written_only_when_a_hatch_comes_or_goes() -> None:
    kept, stale = Shown(), Shown(frame=STALE_CLASS)
    assert page.outputs_of(kept, FRAME_CLASS)["layers"] is no_update
    assert page.outputs_of(stale, STALE_CLASS)["layers"] is no_update
    came = page.outputs_of(stale, FRAME_CLASS)["layers"].to_plotly_json()["operations"]
    went = page.outputs_of(kept, STALE_CLASS)["layers"].to_plotly_json()["operations"]
    assert [one["params"]["value"] for one in (*came, *went)] == [True, False]
