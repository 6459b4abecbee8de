"""Home: opens an example as the reader's own study, lists recent studies, deletes with undo, draws thumbnails."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import ALL, Dash, Input, Output, ctx, html, no_update
from flask import Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from callbacks.auction import lines
from callbacks.capacity_desk import ANSWERED
from callbacks.security import current_user
from callbacks.services import Kept, Services
from callbacks.shell import delete_study, open_pages, since, study_address, toast
from components import home, home_ids, ids
from components.auction import at_home
from components.format import count, megawatts
from components.grid_map import is_geographic, map_points
from engine.distribution import library as feeders
from engine.distribution.balanced import ieee33
from engine.distribution.jobs import STUDY as FEEDER_STUDY
from engine.distribution.layout import layout
from engine.errors import EngineError, NotFoundError
from engine.network import library
from engine.network.layout import positions
from engine.network.tables import NetworkTables
from engine.opf import jobs
from engine.pricing.jobs import STUDY as HUBS_STUDY
from engine.resilience.jobs import STUDY as RESILIENCE_STUDY
from engine.resilience.question import IEEE33
from engine.siting.jobs import GATE, MARKET
from engine.store.records import StudySummary

MOST_RECENT = 8
MOST_AUCTIONS = 3
HUBS_CASE = "hubs"  # kind of a study's file that is a case of hubs
SHOCKS = "shocks"  # and of one with shocks for modules
_LEAST_MW = 0.05  # less flexible capacity than this is shown as none
_KEPT_PICTURES = 64
_YEAR_S = 365 * 24 * 3600


def page_layout(services: Services, **_query: str) -> html.Main:
    """Return Home for whoever asks."""
    user, now = current_user(), time.time()
    return home.layout(cards(services, user, now), examples(), at_home(lines(services, user, now)[:MOST_AUCTIONS]))


def examples() -> list[home.Example]:
    """Return the grids of the library."""
    return [home.Example(grid.key, grid.title, grid.description, grid.buses) for grid in library.NAMED]


def cards(services: Services, user: str, now: float, pages: dict[str, str] | None = None) -> list[home.StudyCard]:
    """Return the user's recent studies, newest first."""
    recent = services.studies.list(user)[:MOST_RECENT]
    return [
        _card(study, answered(services, user, study), now, (pages or open_pages(), page_of(services, user, study)))
        for study in recent
    ]


def answered(services: Services, user: str, study: StudySummary) -> str:
    """Return in words what a study has answered, ``""`` for nothing: totals of its capacity first."""
    kept = services.results.list(user, study.id, ANSWERED)[:1] if ANSWERED in study.answered else []
    told = [totals(newest.content, same_network=newest.input_hash == study.network_digest) for newest in kept]
    if jobs.KIND in study.answered:
        told.append("dispatch and prices")
    told += siting(services, user, study)
    if FEEDER_STUDY in study.answered:
        newest = services.results.list(user, study.id, FEEDER_STUDY)[0].content
        told.append(f"prices of {newest['feeder']} over {count(newest['hours'], 'hour')}")
    if HUBS_STUDY in study.answered:
        newest = services.results.list(user, study.id, HUBS_STUDY)[0].content
        told.append(f"prices for {count(newest['hubs'], 'hub')} over {count(newest['periods'], 'hour')}")
    if RESILIENCE_STUDY in study.answered:
        newest = services.results.list(user, study.id, RESILIENCE_STUDY)[0].content
        told.append(f"{count(newest['modules'], 'module')} against {count(newest['shocks'], 'shock')}")
    if study.products:
        told.append(count(study.products, "product set"))
    text = ", ".join(told)
    return text[:1].upper() + text[1:]


def siting(services: Services, user: str, study: StudySummary) -> list[str]:
    """Return in words what a study's newest gate and market found, nothing for none."""
    told = []
    for kind, words in ((GATE, _screened), (MARKET, _priced)):
        kept = services.results.list(user, study.id, kind)[:1] if kind in study.answered else []
        told += [words(newest.content) for newest in kept]
    return told


def _screened(content: Mapping[str, Any]) -> str:
    return f"{count(content['candidates'], 'site')} screened for siting"


def _priced(content: Mapping[str, Any]) -> str:
    return f"{content['served']:,} of {content['sites']:,} served by the market"


def totals(content: Any, *, same_network: bool) -> str:
    """Return the totals of a capacity answer in words: ``firm 3 973 MW, 6 840 MW with flexible``."""
    firm_mw, total_mw = content.get("firm_mw"), content.get("total_mw")
    if firm_mw is None:
        words = "no capacity keeps every limit"
    elif total_mw is None or total_mw - firm_mw < _LEAST_MW:
        words = f"firm {megawatts(firm_mw)}"
    else:
        words = f"firm {megawatts(firm_mw)}, {megawatts(total_mw)} with flexible"
    return words if same_network else f"{words} (before the network changed)"


def _card(study: StudySummary, told: str, now: float, where: tuple[dict[str, str], str | None]) -> home.StudyCard:
    pages, page = where
    return home.StudyCard(
        id=study.id,
        name=study.name,
        network=study.network_name,
        size=_size(study, page),
        answered=told,
        when=since(study.updated, now),
        href=study_address(pages, study.id, page),
        thumbnail=f"/api/thumbnails/study/{study.id}/{study.network_digest}.svg",
        read_only=study.role == "reader",
    )


def _size(study: StudySummary, page: str | None) -> str:
    """Return how large a study is: its network, or the files of one that has none."""
    if page in {"feeder", "hubs", "resilience"}:
        return f"{page}, {count(study.datasets, 'file')}"
    return f"{count(study.buses, 'bus', 'buses')}, {count(study.branches, 'branch', 'branches')}"


def page_of(services: Services, user: str, study: StudySummary) -> str | None:
    """Return the page that a study is opened on: where it has an answer; None for the usual one."""
    if not study.buses:  # a feeder, or a case of hubs, of one's own lies in a study without a network
        kinds = {entry.kind for entry in services.studies.datasets(user, study.id)} if study.datasets else set()
        if HUBS_STUDY in study.answered or HUBS_CASE in kinds:
            return "hubs"
        if RESILIENCE_STUDY in study.answered or SHOCKS in kinds:
            return "resilience"
        return "feeder" if study.datasets or FEEDER_STUDY in study.answered else "network"
    return "siting" if GATE in study.answered and ANSWERED not in study.answered else None


def picture(tables: NetworkTables) -> bytes:
    """Return the thumbnail of a network."""
    points = map_points(tables, None if is_geographic(tables) else positions(tables))
    place = {bus: position for position, bus in enumerate(tables.buses["bus"])}
    pairs = zip(tables.branches["from_bus"], tables.branches["to_bus"], strict=True)
    ends = [(place[start], place[end]) for start, end in pairs if start in place and end in place]
    return home.thumbnail(points, np.array(ends, dtype=np.intp).reshape(-1, 2))


def feeder_picture(key: str) -> bytes:
    """Return the thumbnail of a feeder of the library. Raises NetworkDataError for a key that is not there."""
    feeder = ieee33() if key == IEEE33 else feeders.load(key)
    place = {bus.name: at for at, bus in enumerate(feeder.buses)}
    ends = [(place[link.from_bus], place[link.to_bus]) for link in feeder.closed_links]
    return home.thumbnail(layout(feeder).points, np.array(ends, dtype=np.intp).reshape(-1, 2))


def register(app: Dash, services: Services) -> None:
    """Wire the page and add the route of the thumbnails."""
    _register_thumbnails(app, services)

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Output(home_ids.RECENT, "children", allow_duplicate=True),
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
        address = study_address(open_pages(), study, prefer or None)
        if not address.startswith("/?"):
            return address, no_update, no_update
        return address, no_update, home.recent(cards(services, current_user(), time.time()))

    @app.callback(
        Output(home_ids.RECENT, "children", allow_duplicate=True),
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

    @app.callback(Output(home_ids.RECENT, "children"), Input(ids.STUDIES_CHANGED, "data"), prevent_initial_call=True)
    def again(_changed: Any) -> Any:
        return home.recent(cards(services, current_user(), time.time()))


def _register_thumbnails(app: Dash, services: Services) -> None:
    kept: Kept[bytes] = Kept(_KEPT_PICTURES)

    def answer(digest: str, content: bytes) -> AnyResponse:
        response = Response(content, mimetype="image/svg+xml")
        response.set_etag(f"thumbnail-{digest[:32]}")
        response.headers["Cache-Control"] = f"private, max-age={_YEAR_S}"
        return response.make_conditional(request)

    @app.server.get("/api/thumbnails/study/<study>/<digest>.svg")
    def of_study(study: str, digest: str) -> AnyResponse:
        user = current_user()
        try:
            services.studies.has_network_version(user, study, digest)  # the right to it, before what is kept
            content = kept.get(digest, lambda: picture(services.tables_version(user, study, digest)))
        except NotFoundError:
            abort(404)
        return answer(digest, content)

    @app.server.get("/api/thumbnails/example/feeder-<key>.svg")
    def of_feeder(key: str) -> AnyResponse:
        if key not in {IEEE33, *(one.key for one in feeders.NAMED)}:
            abort(404)
        return answer(f"feeder-{key}", kept.get(f"feeder-{key}", lambda: feeder_picture(key)))

    @app.server.get("/api/thumbnails/example/<key>.svg")
    def of_example(key: str) -> AnyResponse:
        if key not in {grid.key for grid in library.NAMED}:
            abort(404)
        return answer(key, kept.get(key, lambda: picture(library.load(key))))
