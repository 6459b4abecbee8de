"""The layouts of the live pages: named places for their scripts, and nothing of any auction in them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component

from callbacks import auction_join as join_page
from callbacks import auction_screen as screen_page
from callbacks import auction_seat as seat_page
from callbacks import auction_watch as watch_page
from callbacks.services import Services
from components import auction_bid, auction_join, auction_screen, auction_watch, grid_map
from components.auction_room import text_of
from tests.databases import ready_sqlite

ASSETS = Path(__file__).resolve().parents[2] / "assets"
LAYOUTS: dict[str, Callable[[], Component]] = {
    "join": lambda: auction_join.layout("HK7PQ2"),
    "seat": lambda: auction_bid.layout("a1"),
    "screen": lambda: auction_screen.layout("a1"),
    "watch": lambda: auction_watch.layout("a1"),
}
SCRIPTS = {"join": "81_join.js", "seat": "81_bid6_seat.js", "screen": "82_screen.js", "watch": "82_watch.js"}


def every(component: Component) -> list[Component]:
    """Return ``component`` and all below it."""
    return [component, *(one for one in component._traverse() if isinstance(one, Component))]


def names(component: Component, attribute: str) -> list[str]:
    """Return the values of one attribute, wherever it is set."""
    found = (one.to_plotly_json()["props"].get(attribute) for one in every(component))
    return [value for value in found if value is not None]


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_page_names_its_auction_its_view_and_each_place_once(kind: str) -> None:
    page = LAYOUTS[kind]()
    assert names(page, "data-room") == [kind]
    assert names(page, "data-auction") == ["" if kind == "join" else "a1"]
    assert names(page, "data-as") == [{"join": "join", "seat": "bidder"}.get(kind, "public")]
    places = names(page, "data-part")
    assert len(places) == len(set(places)) > 0
    ids = [str(value) for value in names(page, "id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_script_fills_the_places_that_the_layout_has_and_no_other(kind: str) -> None:
    script = (ASSETS / SCRIPTS[kind]).read_text(encoding="utf-8")
    assert f"headroom.room.page('{kind}'" in script
    filled = set(re.findall(r"\bpart\.(\w+)", script)) | set(re.findall(r"\[data-part=\"(\w+)\"\]", script))
    assert filled == set(names(LAYOUTS[kind](), "data-part"))


@pytest.mark.parametrize("kind", LAYOUTS)
def test_what_changes_is_read_aloud_and_what_scrolls_is_reached_by_key(kind: str) -> None:
    parts = [one.to_plotly_json()["props"] for one in every(LAYOUTS[kind]())]
    assert [part.get("aria-live") for part in parts if "data-room-live" in part] == ["polite"]
    assert [part.get("role") for part in parts if "data-room-connection" in part] == ["status"]
    assert all(part.get("aria-label") and part.get("role") for part in parts if str(part.get("tabIndex")) == "0")


def test_the_tabs_of_a_phone_choose_the_panes_that_are_there() -> None:
    page = auction_bid.layout("a1")
    assert names(page, "data-room-tab") == names(page, "data-room-pane") == [name for name, _ in auction_bid.TABS]
    assert [part for part in names(page, "aria-pressed") if part == "true"] == ["true"]


@pytest.mark.parametrize("page", [auction_bid, auction_screen])
def test_the_maps_are_the_products_own_with_the_layers_that_the_script_paints(page: Any) -> None:
    script = (ASSETS / "81_bid5_map.js").read_text(encoding="utf-8")
    laid_out = names(page.layout("a1"), "data-map")
    assert laid_out == [page.PAGE]
    for layer in page.LAYERS:
        assert f"layers.{layer.key} = layer('{layer.label}', '{layer.palette}'" in script
    words = re.search(r"const DEMAND = \[(.*)\];", script)
    assert words is not None
    assert tuple(re.findall(r"'([^']+)'", words[1])) == auction_bid.DEMAND_CLASSES
    signs = re.search(r"const SIGN = \{ (.*) \};", script)
    assert signs is not None
    assert {name: int(place) for name, place in re.findall(r"(\w+): (\d)", signs[1])} == {
        name: place for place, name in enumerate(grid_map.SIGNS)
    }


@pytest.mark.parametrize("page", [join_page, seat_page, screen_page, watch_page])
@pytest.mark.parametrize("given", ["a<b>", "", ["x", "y"], None, 7])
def test_an_address_may_say_anything(page: Any, given: Any, tmp_path: Path) -> None:
    services = Services.open(ready_sqlite(tmp_path / "store.sqlite"), tmp_path / "kept")
    try:
        shown = page.page_layout(services, auction=given, code=given, other="x")
    finally:
        services.close()
    told = names(shown, "data-code") if page is join_page else names(shown, "data-auction")
    assert told == [text_of(given)]
