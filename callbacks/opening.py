"""The first answers of a visit: the page comes inside its frame, and what it will ask for is named in the HTML.

Dash draws the frame first and then asks for the page in it, one round trip and one rendering later. Here the layout
of a first visit holds the page already; Dash's own way is that of every later page.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dash
from dash import Dash
from dash.development.base_component import Component
from flask import has_request_context, request

from callbacks import security
from callbacks.services import Services
from components.grid_map import OUTLINES, is_geographic
from components.static import Wired, folded
from engine.errors import EngineError

LAYOUT_ROUTE = "/_dash-layout"
DEPENDENCIES_ROUTE = "/_dash-dependencies"


@dataclass(frozen=True, slots=True)
class Page:
    """One page as the first answers need it."""

    path: str
    title: str
    layout: Callable[..., Any]
    mapped: bool = False  # it shows the map of the study that its address names


class Product(Dash):
    """Dash, with an HTML that names the files a page will need before any script has run."""

    early: Callable[[], Sequence[str]] = staticmethod(tuple)
    wired = Wired()

    def lean(self, layout: Callable[..., Any]) -> Callable[..., Any]:
        """Return a layout function whose parts that no callback reaches are one component each."""

        def of(**query: Any) -> Any:
            return folded(layout(**query), self.wired)

        return of

    def callback(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """Wire a callback whose answer comes as the layouts do."""
        wire = super().callback(*args, **kwargs)

        def of(function: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(function)
            def lean(*given: Any, **named: Any) -> Any:
                return lean_answer(function(*given, **named), self.wired)

            wire(lean)
            return function

        return of

    def interpolate_index(self, **parts: str) -> str:
        """Return the HTML of a page."""
        links = "\n".join(
            f'<link rel="preload" as="fetch" href="{escape(address)}" crossorigin>' for address in self.early()
        )
        return str(super().interpolate_index(**{**parts, "css": f"{parts.get('css', '')}\n{links}"}))


def lean_answer(answer: Any, wired: Wired) -> Any:
    """Return a callback's answer, in whatever grouping, with its components folded; data are passed on as they are."""
    if isinstance(answer, Component):
        return folded(answer, wired)
    if isinstance(answer, dict):
        return {name: lean_answer(one, wired) if isinstance(one, dict) else _lean(one, wired)
                for name, one in answer.items()}  # fmt: skip
    if isinstance(answer, list | tuple):
        return [_lean(one, wired) for one in answer]
    return answer


def _lean(one: Any, wired: Wired) -> Any:
    shown = isinstance(one, Component)
    return folded(one, wired) if shown or (isinstance(one, list | tuple) and _has_parts(one)) else one


def _has_parts(many: Sequence[Any]) -> bool:
    return any(isinstance(one, Component) for one in many)


def opened() -> tuple[str, str] | None:
    """Return path and query (with its question mark, or empty) of the page that this request for a layout comes from.

    The browser tells it in the Referer header; None when it does not, and the page is then asked for by itself.
    """
    if not has_request_context() or request.path != LAYOUT_ROUTE:
        return None
    told = urlsplit(request.headers.get("Referer", ""))
    if told.netloc != request.host or not told.path:
        return None
    return told.path, f"?{told.query}" if told.query else ""


def query_of(search: str) -> dict[str, Any]:
    """Return the arguments that a page's layout gets, as Dash makes them: a list where a name is given twice."""
    found = parse_qs(search.removeprefix("?"), keep_blank_values=True)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def outlet(pages: Mapping[str, Page], other: Page, where: tuple[str, str] | None) -> Any:
    """Return where Dash puts the pages, holding that of ``where`` (``other`` for an unknown path)."""
    container = copy.deepcopy(dash.page_container)
    if where is None:
        return container
    path, search = where
    page = pages.get(path, other)
    # With the address in place this Location has nothing to tell, so Dash does not ask for the page again.
    container["_pages_location"].pathname = path
    container["_pages_location"].search = search
    container["_pages_content"].children = page.layout(**query_of(search))
    container["_pages_store"].data = {"title": page.title}
    return container


def early(pages: Mapping[str, Page], services: Services) -> list[str]:
    """Return the addresses of what the page being sent will fetch."""
    asked = [LAYOUT_ROUTE, DEPENDENCIES_ROUTE]
    page = pages.get(request.path)
    study = request.args.get("study")
    if page is None or not page.mapped or not study:
        return asked
    return asked + map_addresses(services, security.current_user(), study)


def map_addresses(services: Services, user: str, study: str) -> list[str]:
    """Return the files of a study's geographic map; none when the map is another, or not this user's to see."""
    try:
        digest = services.studies.network_status(user, study).digest
        if not is_geographic(services.tables_version(user, study, digest)):
            return []
    except EngineError:  # the page itself says so
        return []
    stem = f"/api/networks/{study}/{digest}/map"
    return [f"{stem}/branches.geojson", f"{stem}/buses.geojson", f"/assets/{OUTLINES['states']}"]
