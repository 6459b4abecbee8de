"""The Capacity page: its layout for a study, and what its controls do. Identity comes from the session only."""

import time
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, Patch, State, ctx

from callbacks import capacity_panes, capacity_publish, capacity_sites, capacity_slots
from callbacks.asked import inputs_of, parts_of, question_callback, told, written
from callbacks.capacity_answer import KEEP, STALE_CLASS, Asked, Shown, answer_to, seat_of
from callbacks.capacity_desk import Desk
from callbacks.capacity_publish import DATASET_KIND
from callbacks.security import current_user
from callbacks.services import Services
from components import capacity, capacity_ids, ids
from components.capacity_question import file_choices
from components.capacity_sites import voltages, zones
from components.capacity_view import read_question, read_view
from components.capacity_words import NAMES
from components.grid_map import is_geographic, map_bounds, map_points, register_map
from components.no_study import no_study
from components.tables import register_grid
from engine.errors import NetworkDataError, NotFoundError, QuestionError
from engine.network.layout import positions
from engine.network.model import Network

PAGE = ids.CAPACITY
_LEGEND_SHARE = 0.3  # of the drawing's width
_TOOLS_SHARE = 0.08  # so much for the buttons at its right
_TEXAS = (-107.0, -93.0, 25.5, 37.0)  # west, east, south, north: where the county outline is


def page_layout(services: Services, **query: str) -> Any:
    """Return the page for the study that the address names, as whoever asks may see it."""
    study = query.get("study")
    if not study:
        return no_study(PAGE)
    user, desk = current_user(), Desk(services)
    try:
        summary = services.studies.get(user, study)
    except NotFoundError:
        return no_study(PAGE)
    try:
        network = services.network(user, study)
    except NetworkDataError as error:
        return capacity.unusable(study, [problem.message for problem in error.problems])
    kept, problems = desk.first(user, study, query)
    opened = kept or desk.begin(user, study)
    try:
        opened = read_question(query, opened) or opened
    except QuestionError as error:
        problems = [*problems, str(error)]
    files = [entry for entry in services.studies.datasets(user, study) if entry.kind == DATASET_KIND]
    return capacity.layout(
        capacity.Opened(
            study=study,
            network=network,
            question=opened,
            view=read_view(query),
            map_urls=map_urls_of(study, network),
            kv=voltages(network),
            zones=zones(network),
            files=file_choices(files),
            read_only=summary.role != "owner",
            problems=problems,
            **frame_of(network),
        )
    )


def map_urls_of(study: str, network: Network) -> tuple[str, str]:
    """Return where a browser finds the map of a study: its buses, and its branches."""
    stem = f"/api/networks/{study}/{network.digest}/map"
    return f"{stem}/buses.geojson", f"{stem}/branches.geojson"


def frame_of(network: Network) -> dict[str, Any]:
    """Return how a page opens on a network's map: its bounds, whether it is geographic, whether it is of Texas."""
    geographic = is_geographic(network.tables)
    points = map_points(network.tables, None if geographic else positions(network.tables))
    (south, west), (north, east) = bounds = map_bounds(points)
    if not geographic:  # room for the legend at the left, the buttons at the right
        bounds = (south, west - _LEGEND_SHARE * (east - west)), (north, east + _TOOLS_SHARE * (east - west))
    inside = west >= _TEXAS[0] and east <= _TEXAS[1] and south >= _TEXAS[2] and north <= _TEXAS[3]
    return {"bounds": bounds, "geographic": geographic, "texas": geographic and inside}


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    desk = Desk(services)
    register_map(app, PAGE)
    register_grid(app, PAGE, name="sites")
    register_grid(app, PAGE, name="buses")
    _register_browser_side(app)
    _register_question(app, desk)
    capacity_sites.register(app, desk)
    capacity_panes.register(app, desk)
    capacity_publish.register(app, desk)
    capacity_slots.register(app, desk)


def _register_browser_side(app: Dash) -> None:
    """Wire what needs no server: tabs, the address, the end of a job, tables whose rows select something else."""
    for name in ("limits", "products"):
        grid = ids.grid(PAGE, name)
        app.clientside_callback(ClientsideFunction("capacity", "rowToSelection"), Input(grid, "selectedRows"))
    app.clientside_callback(
        ClientsideFunction("capacity", "showTab"),
        Output(f"{capacity_ids.TABLES}-shown", "data"),
        Input(capacity_ids.TAB, "value"),
        Input(capacity_ids.TABLES, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "showKind"),
        Output(f"{PAGE}-more-shown", "data"),
        Input(capacity_ids.word("keep"), "value"),
        Input(f"{PAGE}-more", "id"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "setWords"),
        Output(capacity_ids.word("security"), "value", allow_duplicate=True),
        Output(capacity_ids.word("supply"), "value", allow_duplicate=True),
        Input(capacity_ids.WORDS, "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "showBudget"),
        Output(f"{capacity_ids.word('budget')}-label", "hidden"),
        Input(capacity_ids.word("keep"), "value"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "showLevels"),
        Output(f"{capacity_ids.word('levels')}-label", "hidden"),
        Input(capacity_ids.word("epsilon"), "value"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "showSites"),
        Output(f"{capacity_ids.ANSWERED}-seen", "data"),
        Input(capacity_ids.ANSWERED, "data"),
        State(ids.map_layer(PAGE), "value"),
        State(capacity_ids.STUDY, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "firstColumns"),
        Output(f"{ids.grid(PAGE, 'sites')}-first", "data"),
        Input(ids.grid(PAGE, "sites"), "columnDefs"),
        Input(ids.grid(PAGE, "sites"), "id"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "jobs"),
        Output(f"{capacity_ids.JOB}-seen", "data"),
        Input(ids.JOBS, "data"),
        Input(capacity_ids.JOB, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "address"),
        Output(capacity_ids.ADDRESS, "data"),
        Input(capacity_ids.QUERY, "data"),
        Input(ids.map_layer(PAGE), "value"),
        Input(capacity_ids.TAB, "value"),
        Input(ids.selection(PAGE), "data"),
        Input(capacity_ids.FILTER_KV, "value"),
        Input(capacity_ids.FILTER_ZONE, "value"),
        Input(capacity_ids.FILTER_MW, "value"),
        Input(capacity_ids.PERIOD, "value"),
        Input(capacity_ids.LARGEST_STATE, "value"),
        State(capacity_ids.STUDY, "data"),
    )


_PARTS: dict[str, tuple[str, str]] = {
    "totals": (ids.totals(PAGE), "children"),
    "state": (capacity_ids.STATE, "children"),
    "tray": (capacity_ids.TRAY, "children"),
    "layers": (ids.map_layers(PAGE), "data"),
    "site_rows": (ids.grid(PAGE, "sites"), "rowData"),
    "site_columns": (ids.grid(PAGE, "sites"), "columnDefs"),
    "limit_rows": (ids.grid(PAGE, "limits"), "rowData"),
    "product_rows": (ids.grid(PAGE, "products"), "rowData"),
    "products": (capacity_ids.PRODUCTS, "children"),
    "frame": (capacity_ids.FRAME, "className"),
    "compute": (capacity_ids.COMPUTE, "hidden"),
    "drawn": (capacity_ids.ANSWERED, "data"),
    "jobs": (capacity_ids.JOB, "data"),
    "steps": (capacity_ids.PERIOD, "options"),
    "stepping": (f"{capacity_ids.PERIOD}-steps", "hidden"),
    "query": (capacity_ids.QUERY, "data"),
}


def outputs_of(shown: Shown, frame: Any) -> dict[str, Any]:
    """Return what each part of the page is written with; a part to keep is left alone, the map but for its hatch.

    ``frame`` is how the page is drawn now. Only a hatch that comes or goes is written: a page that was left in the
    meantime has no map any more that could take it.
    """
    made = parts_of(shown, _PARTS)
    made["stepping"] = KEEP if shown.steps is KEEP else not shown.steps
    if shown.steps == []:
        made["steps"] = KEEP  # a switch without positions would forget which one a link asks for
    if made["layers"] is KEEP and shown.frame != frame:
        patch = Patch()
        patch["stale"] = shown.frame == STALE_CLASS
        made["layers"] = patch
    return written(made)


def _register_question(app: Dash, desk: Desk) -> None:
    @question_callback(
        app,
        _PARTS,
        {
            "words": inputs_of(NAMES, capacity_ids.word),
            "sites": Input(capacity_ids.SITES, "data"),
            "compute": Input(capacity_ids.COMPUTE, "n_clicks"),
            "period": Input(capacity_ids.PERIOD, "value"),
            "variant": Input(capacity_ids.VARIANT, "data"),
            "more": Input(capacity_ids.MORE, "data"),
            "ended": Input(capacity_ids.JOB_ENDED, "data"),
        },
        {
            "study": State(capacity_ids.STUDY, "data"),
            "start": State(f"{capacity_ids.STUDY}-start", "data"),
            "drawn": State(capacity_ids.ANSWERED, "data"),
            "query": State(capacity_ids.QUERY, "data"),
            "frame": State(capacity_ids.FRAME, "className"),
        },
    )
    def ask(given: dict[str, Any], held: dict[str, Any]) -> Any:
        start, drawn, by = held["start"], held["drawn"], ctx.triggered_id
        asked = Asked(
            words=given["words"],
            sites=given["sites"],
            more=given["more"],
            period=given["period"],
            variant=_key_of(given["variant"]) if by == capacity_ids.VARIANT else None,
            deepened=by in {capacity_ids.word(name) for name in _DEEPENING},
            start=start if isinstance(start, dict) else {},
            drawn=drawn if isinstance(drawn, dict) else None,
            pressed=(by == capacity_ids.COMPUTE and bool(given["compute"])) or by == capacity_ids.word("dispatch"),
            ended=by == capacity_ids.JOB_ENDED,
            opening=held["query"] is None,  # nothing has been told yet
        )
        shown = answer_to(seat_of(desk, held["study"]), asked, time.time())
        return told(outputs_of(shown, held["frame"]), shown.jobs)


# A change of these words asks for outages, redispatch or periods, or is a press on what their answer offers.
_DEEPENING = ("security", "supply", "period", "rating", "cutoff", "zero")


def _key_of(pressed: Any) -> Any:
    return pressed.get("key") if isinstance(pressed, dict) else None
