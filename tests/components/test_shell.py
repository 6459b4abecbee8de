"""The frame around the pages: study picker, dialogs, legend, and which scripts come with a page."""

from typing import Any

import dash
import dash_ag_grid
import dash_cytoscape
import dash_leaflet
import pytest
from dash import dash_table, dcc
from dash.development.base_component import Component

from components import grid_map, ids, late, shell, tables
from components.links import PageLink


def every(component: Any) -> list[Component]:
    """Return ``component`` and all below it."""
    return [component, *component._traverse()] if isinstance(component, Component) else []


def props_of(component: Any, name: str) -> list[dict[str, Any]]:
    """Return the props of every component that has the prop ``name``."""
    parts = (one for one in every(component) if isinstance(one, Component))
    return [found for one in parts if name in (found := one.to_plotly_json()["props"])]


def test_the_picker_marks_the_open_study_alone_and_says_what_to_do_without_any() -> None:
    entries = [shell.StudyEntry("a", "Texas", "2 000 buses"), shell.StudyEntry("b", "IEEE 14", "14 buses", open=True)]
    buttons = props_of(shell.study_list(entries), "id")
    assert [button["id"] for button in buttons] == [ids.study_open("a"), ids.study_open("b")]
    assert [button.get("aria-current") for button in buttons] == [None, "true"]
    assert props_of(shell.study_list([]), "id") == []
    assert "New study" not in str(shell.study_list([])) and "Start one below" in str(shell.study_list([]))  # noqa: PT018


def test_each_dialog_is_hidden_and_named_by_its_title() -> None:
    frame = shell.layout([PageLink("home", "/", "Home", "home")])
    dialogs = [one for one in every(frame) if getattr(one, "role", None) == "dialog" and "hr-dialog" in one.className]
    known = {one.id for one in every(frame) if isinstance(getattr(one, "id", None), str)}
    assert len(dialogs) == 2
    for dialog in dialogs:
        assert getattr(dialog, "aria-modal") == "true"
        assert getattr(dialog, "aria-labelledby") in known
    assert all(back["hidden"] for back in props_of(frame, "data-dialog"))


def test_every_button_of_the_frame_has_words_or_a_name() -> None:
    frame = shell.layout([PageLink("home", "/", "Home", "home")])
    for button in (one for one in every(frame) if one._type == "Button"):
        words = [part for part in str(button.children).split("'") if part[:1].isupper()]
        assert getattr(button, "aria-label", None) or isinstance(button.children, str) or words


def test_the_outlet_that_is_given_holds_the_page() -> None:
    outlet = dash.html.Div(id="given")
    assert outlet in every(shell.layout([], outlet))


@pytest.mark.parametrize(
    ("library", "path", "way"),
    [
        (dash_ag_grid, "dash_ag_grid.min.js", "lazy"),
        (dash_cytoscape, "dash_cytoscape.min.js", "lazy"),
        (dash_table, "dash_table/bundle.js", "lazy"),
        (dcc, "dcc/async-upload.js", False),
        (dash_leaflet, "async-GeoJSON.js", False),
    ],
)
def test_a_library_keeps_the_script_that_is_put_off_or_brought_forward(library: Any, path: str, way: object) -> None:
    late.arrange()
    assert [one["async"] for one in library._js_dist if one.get("relative_package_path") == path] == [way]


def test_the_html_has_no_script_for_old_browsers_and_none_that_waits(settings: Any) -> None:
    from app import create_app  # noqa: PLC0415 (the whole product, for this test alone)

    html = create_app(settings).server.test_client().get("/").text
    scripts = [part.split('"')[0] for part in html.split('<script src="')[1:]]
    assert any("react-dom" in script for script in scripts)
    assert any("async-GeoJSON" in script for script in scripts)
    assert not [
        script for script in scripts if "polyfill" in script or "ag_grid" in script or "cytoscape.min" in script
    ]


def test_a_map_without_places_has_no_outline_and_says_so() -> None:
    plain = grid_map.grid_map("capacity", geographic=False)
    found = [str(one["id"]) for one in props_of(plain, "id")]
    assert not [one for one in found if "outline" in one]
    assert "Not geographic" in str(plain)
    on_earth = [str(one["id"]) for one in props_of(grid_map.grid_map("capacity"), "id")]
    assert [one for one in on_earth if "outline" in one] == [
        "capacity-map-outline-states",
        "capacity-map-outline-texas",
    ]


def test_a_layer_switch_of_one_layer_is_hidden() -> None:
    def switch(number: int) -> bool:
        layers = [grid_map.Layer(f"l{i}", f"Layer {i}") for i in range(number)]
        shown = grid_map.grid_map("capacity", layers=layers)
        return bool(next(one.hidden for one in every(shown) if getattr(one, "className", "") == "hr-map-switch"))

    assert [switch(number) for number in (0, 1, 2)] == [True, True, False]


def test_a_column_is_defined_by_its_kind() -> None:
    flag = tables.column_definition(tables.GridColumn("on", "In service", kind="flag"))
    assert flag["cellDataType"] == "boolean"
    share = tables.column_definition(tables.GridColumn("served", "Served", "%", "percent", digits=0, sign="firm"))
    assert share["valueFormatter"] == {"function": "hrPercent(params.value, 0)"}
    assert "hr-sign-firm" in share["cellClass"]
    listed = tables.column_definition(tables.GridColumn("fuel", "Fuel", choices=("gas", "wind"), editable=True))
    assert listed["cellEditorParams"] == {"values": ["gas", "wind"]}
    edited = tables.column_definition(tables.GridColumn("mw", "Load", "MW", "number", editable=True, pinned=True))
    assert edited["headerName"] == "Load, MW"
    assert edited["valueParser"] == {"function": "hrParseNumber(params)"}
    assert edited["pinned"] == "left"
