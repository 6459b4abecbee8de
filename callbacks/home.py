"""Home: opens an example as the reader's own study, lists recent studies, deletes with undo, draws thumbnails."""

import time
from typing import Any

import numpy as np
from dash import ALL, Dash, Input, Output, ctx, html, no_update
from flask import Response, abort, request

from callbacks.security import current_user
from callbacks.services import Kept, Services
from callbacks.shell import delete_study, since, study_address, toast
from components import home, ids
from components.format import count
from components.grid_map import is_geographic, map_points
from engine.errors import EngineError, NotFoundError
from engine.network import library
from engine.network.layout import positions
from engine.network.tables import NetworkTables
from engine.store.records import StudySummary

MOST_RECENT = 8
_ANSWERS = {"capacity": "firm and flexible capacity", "opf": "dispatch and prices"}
_KEPT_PICTURES = 64
_YEAR_S = 365 * 24 * 3600


def page_layout(services: Services, **_query: str) -> html.Main:
    """Return Home for whoever asks."""
    return home.layout(cards(services, current_user(), time.time()), examples())


def examples() -> list[home.Example]:
    """Return the grids of the library."""
    return [home.Example(grid.key, grid.title, grid.description, grid.buses) for grid in library.NAMED]


def cards(services: Services, user: str, now: float, pages: dict[str, str] | None = None) -> list[home.StudyCard]:
    """Return the user's recent studies, newest first."""
    return [_card(study, now, pages) for study in services.studies.list(user)[:MOST_RECENT]]


def _card(study: StudySummary, now: float, pages: dict[str, str] | None) -> home.StudyCard:
    kinds = dict.fromkeys(_ANSWERS.get(kind.partition(".")[0], kind) for kind in study.answered)
    answered = ", ".join(kinds) + (f", {count(study.products, 'product set')}" if study.products else "")
    return home.StudyCard(
        id=study.id,
        name=study.name,
        network=study.network_name,
        size=f"{count(study.buses, 'bus', 'buses')}, {count(study.branches, 'branch', 'branches')}",
        answered=answered,
        when=since(study.updated, now),
        href=study_address(pages or _open_pages(), study.id, None if study.buses else "network"),
        thumbnail=f"/api/thumbnails/study/{study.id}/{study.network_digest}.svg",
        read_only=study.role == "reader",
    )


def _open_pages() -> dict[str, str]:
    """Return path -> key of the pages that this app has registered."""
    import dash  # noqa: PLC0415 (the registry belongs to the app that is being served)

    return {entry["path"]: key for key, entry in dash.page_registry.items()}


def picture(tables: NetworkTables) -> bytes:
    """Return the thumbnail of a network."""
    points = map_points(tables, None if is_geographic(tables) else positions(tables))
    place = {bus: position for position, bus in enumerate(tables.buses["bus"])}
    pairs = zip(tables.branches["from_bus"], tables.branches["to_bus"], strict=True)
    ends = [(place[start], place[end]) for start, end in pairs if start in place and end in place]
    return home.thumbnail(points, np.array(ends, dtype=np.intp).reshape(-1, 2))


def register(app: Dash, services: Services) -> None:
    """Wire the page and add the route of the thumbnails."""
    _register_thumbnails(app, services)

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Output(ids.HOME_RECENT, "children", allow_duplicate=True),
        Input({"type": "home-open", "example": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def open_example(clicks: list[int | None]) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update, no_update
        key, _, prefer = str(ctx.triggered_id["example"]).partition(":")
        try:
            study = services.open_example(current_user(), key)
        except EngineError as error:
            return no_update, toast(str(error)), no_update
        address = study_address(_open_pages(), study, prefer or None)
        if not address.startswith("/?"):
            return address, no_update, no_update
        return address, no_update, home.recent(cards(services, current_user(), time.time()))

    @app.callback(
        Output(ids.HOME_RECENT, "children", allow_duplicate=True),
        Output(ids.STUDIES_CHANGED, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input({"type": "home-delete", "study": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def delete(clicks: list[int | None]) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update, no_update, no_update
        told = delete_study(services, current_user(), str(ctx.triggered_id["study"]))
        return home.recent(cards(services, current_user(), time.time())), time.time(), told["toast"]

    @app.callback(Output(ids.HOME_RECENT, "children"), Input(ids.STUDIES_CHANGED, "data"), prevent_initial_call=True)
    def again(_changed: Any) -> Any:
        return home.recent(cards(services, current_user(), time.time()))


def _register_thumbnails(app: Dash, services: Services) -> None:
    kept: Kept[bytes] = Kept(_KEPT_PICTURES)

    def answer(digest: str, content: bytes) -> Response:
        response = Response(content, mimetype="image/svg+xml")
        response.set_etag(f"thumbnail-{digest[:32]}")
        response.headers["Cache-Control"] = f"private, max-age={_YEAR_S}"
        return response.make_conditional(request)

    @app.server.get("/api/thumbnails/study/<study>/<digest>.svg")
    def of_study(study: str, digest: str) -> Response:
        user = current_user()
        try:
            services.studies.has_network_version(user, study, digest)  # the right to it, before what is kept
            content = kept.get(digest, lambda: picture(services.tables_version(user, study, digest)))
        except NotFoundError:
            abort(404)
        return answer(digest, content)

    @app.server.get("/api/thumbnails/example/<key>.svg")
    def of_example(key: str) -> Response:
        if key not in {grid.key for grid in library.NAMED}:
            abort(404)
        return answer(key, kept.get(key, lambda: picture(library.load(key))))
