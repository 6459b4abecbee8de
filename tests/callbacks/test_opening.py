"""The first answers of a visit: the page inside its frame, the map's files named in the HTML, nothing of others."""

import re
from html import unescape
from importlib import import_module
from typing import Any

import pytest
from dash import html, no_update
from dash.development.base_component import Component
from flask import session
from flask.testing import FlaskClient

from app import PAGES, create_app
from callbacks.opening import lean_answer, query_of
from callbacks.services import Services
from callbacks.settings import Settings
from components.static import Wired, folded
from tests.callbacks.screen import ANNE


@pytest.fixture
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).server.test_client()


def study_of(client: FlaskClient, settings: Settings, key: str) -> str:
    """Return a new study of a named grid that belongs to the reader of ``client``."""
    client.get("/")
    with client.session_transaction() as session:
        user = str(session["user"])
    services = Services.open(settings.database_url, settings.home / "artefacts")
    try:
        return str(services.open_example(user, key))
    finally:
        services.close()


def layout(client: FlaskClient, referer: str | None) -> dict[str, dict[str, Any]]:
    """Return the props of every component that has an id, as the browser at ``referer`` gets them."""
    found: dict[str, dict[str, Any]] = {}

    def walk(part: Any) -> None:
        if isinstance(part, list):
            for one in part:
                walk(one)
        elif isinstance(part, dict) and "props" in part:
            if isinstance(identity := part["props"].get("id"), str):
                found[identity] = part["props"]
            walk(part["props"].get("children"))

    walk(client.get("/_dash-layout", headers={"Referer": referer} if referer else {}).json)
    return found


def fetched_early(client: FlaskClient, address: str) -> list[str]:
    """Return the addresses that the HTML of a page names for fetching."""
    return re.findall(r'<link rel="preload" as="fetch" href="([^"]+)" crossorigin>', client.get(address).text)


def test_the_page_comes_with_its_frame_and_is_not_asked_for_again(client: FlaskClient) -> None:
    parts = layout(client, "http://localhost/network?study=none")
    assert (parts["_pages_location"]["pathname"], parts["_pages_location"]["search"]) == ("/network", "?study=none")
    assert parts["_pages_store"]["data"] == {"title": "Network - Headroom"}
    assert "main" in parts


def test_a_layout_is_kept_by_no_browser_since_its_address_names_no_page(client: FlaskClient) -> None:
    assert client.get("/_dash-layout").headers["Cache-Control"] == "private, no-store"


def test_a_page_without_a_query_has_the_empty_one_that_its_address_has(client: FlaskClient) -> None:
    assert layout(client, "http://localhost/")["_pages_location"]["search"] == ""


def test_an_unknown_path_comes_with_its_words(client: FlaskClient) -> None:
    parts = layout(client, "http://localhost/nowhere")
    assert parts["_pages_store"]["data"] == {"title": "Not found - Headroom"}
    assert "main" in parts


@pytest.mark.parametrize("referer", [None, "http://elsewhere.example/network", "http://localhost"])
def test_without_a_page_of_ours_to_tell_it_the_browser_asks_for_the_page_itself(
    client: FlaskClient, referer: str | None
) -> None:
    parts = layout(client, referer)
    assert "pathname" not in parts["_pages_location"]
    assert parts["_pages_content"]["children"] is None


def test_the_map_files_that_are_named_early_are_those_that_the_page_draws(
    client: FlaskClient, settings: Settings
) -> None:
    study = study_of(client, settings, "texas-2016")
    for page in ("network", "capacity"):
        parts = layout(client, f"http://localhost/{page}?study={study}")
        drawn = {parts[f"{page}-map-{part}"]["url"] for part in ("buses", "branches", "outline-states")}
        asked = fetched_early(client, f"/{page}?study={study}")
        assert set(asked) == {"/_dash-layout", "/_dash-dependencies"} | drawn
        assert all(client.get(address, buffered=True).status_code == 200 for address in asked)


def test_nothing_is_named_of_a_study_without_a_place_on_earth_or_of_somebody_else(
    client: FlaskClient, settings: Settings
) -> None:
    plain = ["/_dash-layout", "/_dash-dependencies"]
    upright = study_of(client, settings, "ieee14")
    assert fetched_early(client, f"/network?study={upright}") == plain
    texas = study_of(client, settings, "texas-2016")
    stranger = create_app(settings).server.test_client()
    assert fetched_early(stranger, f"/network?study={texas}") == plain
    assert texas not in str(layout(stranger, f"http://localhost/network?study={texas}").get("network-map-buses"))


@pytest.mark.parametrize("search", ["", "?study=1", "?study=1&study=2", "?note=a%20b&empty="])
def test_a_query_is_read_as_dash_reads_it(search: str) -> None:
    from dash._pages import _parse_query_string  # noqa: PLC0415 (the independent reading)

    assert query_of(search) == _parse_query_string(search)


def told(part: Any) -> tuple[str, list[str]]:
    """Return what a layout says, and the id of each of its components ("" for none)."""
    if isinstance(part, list | tuple):
        each = [told(one) for one in part]
        return "".join(words for words, _ in each), [name for _, names in each for name in names]
    if not isinstance(part, Component):
        return str("" if part is None else part), []
    words, names = told(getattr(part, "children", None))
    words += unescape(re.sub(r"<[^>]*>", "", getattr(part, "data-static", "")))
    return words, [str(getattr(part, "id", "")), *names]


@pytest.mark.parametrize("link", PAGES, ids=lambda link: link.key)
def test_a_folded_page_says_the_same_and_keeps_every_component_that_is_wired(
    settings: Settings, services: Services, link: Any
) -> None:
    app = create_app(settings)
    with app.server.test_request_context():
        session["user"] = ANNE
        query = {} if link.path in {"/", "/auction"} else {"study": services.open_example(ANNE, "fourbus")}
        whole = import_module(f"callbacks.{link.key}").page_layout(services, **query)
    lean = folded(whole, app.wired)
    (words, names), (same_words, kept) = told(whole), told(lean)
    assert same_words == words
    assert len(kept) < len(names)
    of_use = [name for name in names if name in app.wired.ids or name.startswith("{")]
    assert [name for name in kept if name in app.wired.ids or name.startswith("{")] == of_use
    assert len(of_use) > 5


def test_an_answer_is_folded_in_whatever_grouping_and_data_are_passed_on() -> None:
    part = html.Div([html.P([html.B("12"), " MW"])])
    rows = [{"bus": "1"}, {"bus": "2"}]

    def inside(one: Any) -> str:
        return str(getattr(one, "data-static"))

    words = "<p><b>12</b> MW</p>"
    assert inside(lean_answer(part, Wired())) == words
    told, listed, data, kept = lean_answer((part, [part, "text"], rows, no_update), Wired())
    assert (inside(told), inside(listed[0]), listed[1]) == (words, words, "text")
    assert data is rows
    assert kept is no_update
    grouped = lean_answer({"parts": {"state": part, "rows": rows}, "wake": 1.0}, Wired())
    assert inside(grouped["parts"]["state"]) == words
    assert grouped["parts"]["rows"] is rows
    assert grouped["wake"] == 1.0
    assert lean_answer(rows, Wired()) == rows
    assert lean_answer("text", Wired()) == "text"
