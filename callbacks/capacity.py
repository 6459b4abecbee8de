"""The Capacity page: its layout for a study, and what its controls do. Identity comes from the session only."""

import base64
import binascii
import time
from typing import Any

import dash
from dash import ClientsideFunction, Dash, Input, Output, Patch, State, ctx, no_update

from callbacks import capacity_answer as work
from callbacks.capacity_answer import KEEP, Asked, Seat, Shown
from callbacks.capacity_desk import Desk
from callbacks.capacity_publish import DATASET_KIND, binding_card_for, publish, read_upload, why_card_for
from callbacks.security import current_user
from callbacks.services import Services
from callbacks.shell import toast
from components import capacity, capacity_export, capacity_products, capacity_tables, ids
from components.capacity_inspector import WHY_NAMES, why_id
from components.capacity_question import file_choices
from components.capacity_sites import voltages, zones
from components.capacity_view import read_question, read_view
from components.capacity_words import NAMES
from components.grid_map import is_geographic, map_bounds, map_points, register_map
from components.tables import register_grid
from engine.errors import EngineError, NetworkDataError, NotFoundError, QuestionError
from engine.network.layout import positions
from engine.network.model import Network

PAGE = ids.CAPACITY
_LEGEND_SHARE = 0.3  # of the drawing's width
_TEXAS = (-107.0, -93.0, 25.5, 37.0)  # west, east, south, north: where the county outline is


def page_layout(services: Services, **query: str) -> Any:
    """Return the page for the study that the address names, as whoever asks may see it."""
    study = query.get("study")
    if not study:
        return capacity.no_study()
    user, desk = current_user(), Desk(services)
    try:
        summary = services.studies.get(user, study)
    except NotFoundError:
        return capacity.no_study()
    try:
        network = services.network(user, study)
    except NetworkDataError as error:
        return capacity.unusable(study, [problem.message for problem in error.problems])
    kept, problems = desk.first(user, study, query)
    try:
        asked = read_question(query)
    except QuestionError as error:
        asked, problems = None, [*problems, str(error)]
    files = [entry for entry in services.studies.datasets(user, study) if entry.kind == DATASET_KIND]
    return capacity.layout(
        capacity.Opened(
            study=study,
            network=network,
            question=asked or kept or desk.begin(user, study),
            view=read_view(query),
            map_urls=_map_urls(study, network),
            kv=voltages(network),
            zones=zones(network),
            files=file_choices(files),
            read_only=summary.role != "owner",
            problems=problems,
            **_frame(network),
        )
    )


def _map_urls(study: str, network: Network) -> tuple[str, str]:
    stem = f"/api/networks/{study}/{network.digest}/map"
    return f"{stem}/buses.geojson", f"{stem}/branches.geojson"


def _frame(network: Network) -> dict[str, Any]:
    geographic = is_geographic(network.tables)
    points = map_points(network.tables, None if geographic else positions(network.tables))
    (south, west), (north, east) = bounds = map_bounds(points)
    if not geographic:  # room for the legend at the left
        bounds = (south, west - _LEGEND_SHARE * (east - west)), (north, east)
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
    _register_sites(app, desk)
    _register_panes(app, desk)
    _register_exports(app, desk)
    _register_products(app, desk)
    _register_upload(app, desk)


def _seat(desk: Desk, study: Any) -> Seat:
    return Seat(desk, current_user(), study if isinstance(study, str) else "")


def _register_browser_side(app: Dash) -> None:
    """Wire what needs no server: tabs, the address, the end of a job, tables whose rows select something else."""
    for name in ("limits", "products"):
        grid = ids.grid(PAGE, name)
        app.clientside_callback(ClientsideFunction("capacity", "rowToSelection"), Input(grid, "selectedRows"))
    app.clientside_callback(
        ClientsideFunction("capacity", "showTab"),
        Output(f"{ids.CAPACITY_TABLES}-shown", "data"),
        Input(ids.CAPACITY_TAB, "value"),
        Input(ids.CAPACITY_TABLES, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "showKind"),
        Output(f"{PAGE}-more-shown", "data"),
        Input(ids.capacity_word("keep"), "value"),
        Input(f"{PAGE}-more", "id"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "jobEnded"),
        Output(ids.CAPACITY_JOB_ENDED, "data"),
        Input(ids.JOBS, "data"),
        Input(ids.CAPACITY_JOB, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("capacity", "address"),
        Output(ids.CAPACITY_ADDRESS, "data"),
        Input(ids.CAPACITY_QUERY, "data"),
        Input(ids.map_layer(PAGE), "value"),
        Input(ids.CAPACITY_TAB, "value"),
        Input(ids.selection(PAGE), "data"),
        Input(ids.CAPACITY_FILTER_KV, "value"),
        Input(ids.CAPACITY_FILTER_ZONE, "value"),
        Input(ids.CAPACITY_FILTER_MW, "value"),
        State(ids.CAPACITY_STUDY, "data"),
    )


_PARTS: dict[str, tuple[str, str]] = {
    "totals": (ids.totals(PAGE), "children"),
    "state": (ids.CAPACITY_STATE, "children"),
    "tray": (ids.CAPACITY_TRAY, "children"),
    "layers": (ids.map_layers(PAGE), "data"),
    "site_rows": (ids.grid(PAGE, "sites"), "rowData"),
    "site_columns": (ids.grid(PAGE, "sites"), "columnDefs"),
    "limit_rows": (ids.grid(PAGE, "limits"), "rowData"),
    "product_rows": (ids.grid(PAGE, "products"), "rowData"),
    "products": (ids.CAPACITY_PRODUCTS, "children"),
    "frame": (ids.CAPACITY_FRAME, "className"),
    "compute": (ids.CAPACITY_COMPUTE, "hidden"),
    "drawn": (ids.CAPACITY_ANSWERED, "data"),
    "job": (ids.CAPACITY_JOB, "data"),
    "query": (ids.CAPACITY_QUERY, "data"),
}


def outputs_of(shown: Shown) -> dict[str, Any]:
    """Return what each part of the page is written with; a part to keep is left alone, the map but for its hatch."""
    made = {name: getattr(shown, name) for name in _PARTS}
    made["compute"] = not shown.compute
    if made["layers"] is KEEP:
        patch = Patch()
        patch["stale"] = shown.frame == work.STALE_CLASS
        made["layers"] = patch
    return {name: no_update if value is KEEP else value for name, value in made.items()}


def _register_question(app: Dash, desk: Desk) -> None:
    @app.callback(
        output={
            "parts": {name: Output(*target) for name, target in _PARTS.items()},
            "wake": Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        },
        inputs={
            "words": {name: Input(ids.capacity_word(name), "value") for name in NAMES},
            "sites": Input(ids.CAPACITY_SITES, "data"),
            "compute": Input(ids.CAPACITY_COMPUTE, "n_clicks"),
            "_ended": Input(ids.CAPACITY_JOB_ENDED, "data"),
        },
        state={
            "study": State(ids.CAPACITY_STUDY, "data"),
            "start": State(f"{ids.CAPACITY_STUDY}-start", "data"),
            "drawn": State(ids.CAPACITY_ANSWERED, "data"),
            "query": State(ids.CAPACITY_QUERY, "data"),
        },
        prevent_initial_call="initial_duplicate",
    )
    def ask(words: Any, sites: Any, compute: Any, _ended: Any, study: Any, start: Any, drawn: Any, query: Any) -> Any:  # noqa: PLR0913, PLR0917 (one callback answers)
        asked = Asked(
            words=words,
            sites=sites,
            start=start if isinstance(start, dict) else {},
            drawn=drawn if isinstance(drawn, dict) else None,
            pressed=ctx.triggered_id == ids.CAPACITY_COMPUTE and bool(compute),
            opening=query is None,  # nothing has been told yet
        )
        shown = work.ask(_seat(desk, study), asked, time.time())
        return {"parts": outputs_of(shown), "wake": time.time() if shown.job else no_update}

    @app.callback(
        Output(ids.capacity_word("zero"), "value"),
        Input(ids.CAPACITY_HOLD, "n_clicks"),
        prevent_initial_call=True,
    )
    def hold(clicks: int | None) -> Any:
        return "hold" if clicks else no_update

    @app.callback(
        Output(ids.capacity_word("zero"), "value", allow_duplicate=True),
        Input(ids.CAPACITY_STOP, "n_clicks"),
        prevent_initial_call=True,
    )
    def stop(clicks: int | None) -> Any:
        return "stop" if clicks else no_update


def _register_sites(app: Dash, desk: Desk) -> None:
    targets = (
        Output(ids.CAPACITY_SITES, "data"),
        Output(ids.capacity_word("mw"), "value"),
        Output(ids.CAPACITY_SITES_TEXT, "value"),
        Output(f"{ids.CAPACITY_SITES_WORD}-text", "children"),
        Output(ids.CAPACITY_SITES_MESSAGE, "children"),
        Output(ids.TOAST, "data", allow_duplicate=True),
    )

    @app.callback(
        *targets,
        Input(ids.capacity_word("mw"), "value"),
        Input(ids.CAPACITY_SITES_CHOOSE, "n_clicks"),
        Input(ids.CAPACITY_SITES_USE, "n_clicks"),
        Input(ids.grid(PAGE, "sites"), "cellValueChanged"),
        State(ids.CAPACITY_SITES, "data"),
        State(ids.CAPACITY_SITES_KV, "value"),
        State(ids.CAPACITY_SITES_ZONE, "value"),
        State(ids.CAPACITY_SITES_MOST, "value"),
        State(ids.CAPACITY_SITES_TEXT, "value"),
        State(ids.CAPACITY_STUDY, "data"),
        prevent_initial_call=True,
    )
    def change(*given: Any) -> Any:
        mw, choosing, using, changes, sites, kv, zone, most, text, study = given
        seat, by = _seat(desk, study), ctx.triggered_id
        if by == ids.capacity_word("mw"):
            if mw is None:
                return (no_update,) * len(targets)
            return _sites(lambda: work.with_demand(sites, mw))
        if by == ids.CAPACITY_SITES_CHOOSE and choosing:
            return _sites(lambda: work.chosen(seat, sites, kv, zone, most))
        if by == ids.CAPACITY_SITES_USE and using:
            return _sites(lambda: work.from_table(seat, sites, text))
        if by == ids.grid(PAGE, "sites") and changes:
            return _sites(lambda: work.edited(sites, changes), aloud=True)
        return (no_update,) * len(targets)

    @app.callback(
        *(Output(target.component_id, target.component_property, allow_duplicate=True) for target in targets),
        Input(ids.CAPACITY_SITE_TOGGLE, "n_clicks"),
        State(ids.CAPACITY_SITES, "data"),
        State(ids.selection(PAGE), "data"),
        State(ids.CAPACITY_STUDY, "data"),
        prevent_initial_call=True,
    )
    def toggle(clicks: int | None, sites: Any, selection: Any, study: Any) -> Any:
        if not clicks:
            return (no_update,) * len(targets)
        return _sites(lambda: work.toggled(_seat(desk, study), sites, selection), aloud=True)


def _sites(make: Any, *, aloud: bool = False) -> tuple[Any, ...]:
    """Return the outputs of a change of the sites; a refusal is told beside the control, or ``aloud`` in a toast."""
    try:
        after = make()
    except EngineError as error:
        text = str(error)
        told = toast(text[:1].upper() + text[1:]) if aloud else no_update
        return no_update, no_update, no_update, no_update, "" if aloud else text, told
    return after.store, after.mw, after.text, after.word, after.message, no_update


def _register_panes(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(ids.inspector(PAGE), "children"),
        Input(ids.selection(PAGE), "data"),
        Input(ids.CAPACITY_ANSWERED, "data"),
        Input(ids.THEME, "data"),
        State(ids.CAPACITY_STUDY, "data"),
    )
    def inspect(selection: Any, drawn: Any, theme: Any, study: Any) -> Any:
        try:
            return work.inspect(_seat(desk, study), drawn, selection, "dark" if theme == "dark" else "light")
        except EngineError as error:
            return str(error)

    @app.callback(
        Output(ids.map_filter(PAGE), "data"),
        Output(ids.CAPACITY_FILTER_WORD, "children"),
        Input(ids.CAPACITY_FILTER_KV, "value"),
        Input(ids.CAPACITY_FILTER_ZONE, "value"),
        Input(ids.CAPACITY_FILTER_MW, "value"),
        Input(ids.CAPACITY_ANSWERED, "data"),
        State(ids.CAPACITY_STUDY, "data"),
    )
    def filter_buses(kv: Any, zone: Any, least: Any, drawn: Any, study: Any) -> Any:
        if not (kv or zone or least):
            return None, work.filter_words(None, 0)
        seat = _seat(desk, study)
        try:
            shown = work.shown_positions(seat, drawn, kv, zone, least)
            return shown, work.filter_words(shown, len(seat.network().buses.ids))
        except EngineError:
            return None, work.filter_words(None, 0)

    @app.callback(
        Output(ids.grid(PAGE, "buses"), "rowData"),
        Output(ids.grid(PAGE, "buses"), "columnDefs"),
        Input(ids.CAPACITY_TAB, "value"),
        Input(ids.CAPACITY_ANSWERED, "data"),
        Input(ids.map_filter(PAGE), "data"),
        State(ids.CAPACITY_STUDY, "data"),
    )
    def all_buses(tab: Any, drawn: Any, shown: Any, study: Any) -> Any:
        if tab != "buses" or not drawn:
            return no_update, no_update
        try:
            return work.bus_table(_seat(desk, study), drawn, shown)
        except EngineError:
            return [], no_update

    for name in WHY_NAMES:
        _register_why(app, desk, name)
    _register_binding(app, desk)


def _register_exports(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        *(Input(ids.capacity_export(kind), "n_clicks") for kind in ("csv", "geojson", "json")),
        State(ids.CAPACITY_TAB, "value"),
        State(ids.CAPACITY_ANSWERED, "data"),
        State(ids.CAPACITY_STUDY, "data"),
        prevent_initial_call=True,
    )
    def export(*given: Any) -> Any:
        *clicks, tab, drawn, study = given
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or tab not in capacity_tables.GRIDS:
            return no_update
        try:
            answer = _seat(desk, study).answer(drawn)
        except EngineError:
            answer = None
        return no_update if answer is None else capacity_export.download(answer, tab, str(ctx.triggered_id["kind"]))


def _register_why(app: Dash, desk: Desk, name: str) -> None:
    @app.callback(
        Output(f"{why_id(name)}-panel", "children"),
        Input(why_id(name), "n_clicks"),
        State(ids.selection(PAGE), "data"),
        State(ids.CAPACITY_ANSWERED, "data"),
        State(ids.CAPACITY_STUDY, "data"),
        prevent_initial_call=True,
    )
    def why(clicks: int | None, selection: Any, drawn: Any, study: Any) -> Any:
        if not clicks:
            return no_update
        try:
            return why_card_for(_seat(desk, study), drawn, selection, name)
        except EngineError as error:
            return str(error)


def _register_binding(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(f"{ids.CAPACITY_WHY_BINDING}-panel", "children"),
        Input(ids.CAPACITY_WHY_BINDING, "n_clicks"),
        State(ids.CAPACITY_ANSWERED, "data"),
        State(ids.CAPACITY_STUDY, "data"),
        prevent_initial_call=True,
    )
    def why_it_binds(clicks: int | None, drawn: Any, study: Any) -> Any:
        if not clicks:
            return no_update
        try:
            return binding_card_for(_seat(desk, study), drawn)
        except EngineError as error:
            return str(error)


def _register_products(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(ids.CAPACITY_PUBLISHED, "data"),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(ids.CAPACITY_PUBLISH, "n_clicks"),
        State(ids.CAPACITY_ANSWERED, "data"),
        State(ids.CAPACITY_STUDY, "data"),
        running=[(Output(ids.CAPACITY_PUBLISH, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def publish_products(clicks: int | None, drawn: Any, study: Any) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            words = publish(_seat(desk, study), drawn)
        except EngineError as error:
            return no_update, toast(str(error))
        return time.time(), toast(words)

    @app.callback(
        Output(ids.CAPACITY_VERSIONS, "children"),
        Input(ids.CAPACITY_PUBLISHED, "data"),
        Input(ids.CAPACITY_TAB, "value"),
        Input(ids.CAPACITY_ANSWERED, "data"),
        State(ids.CAPACITY_STUDY, "data"),
    )
    def list_versions(_bumped: Any, tab: Any, drawn: Any, study: Any) -> Any:
        if tab != "products":
            return no_update
        try:
            records = desk.services.products.list(current_user(), study)
        except EngineError as error:
            return str(error)
        return capacity.published(capacity_products.versions(records, drawn if isinstance(drawn, dict) else {}))

    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Input({"type": "capacity-version", "version": dash.ALL, "kind": dash.ALL}, "n_clicks"),
        State(ids.CAPACITY_STUDY, "data"),
        prevent_initial_call=True,
    )
    def download_version(clicks: list[int | None], study: Any) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update
        try:
            record = desk.services.products.get(current_user(), study, int(ctx.triggered_id["version"]))
        except EngineError:
            return no_update
        name = str(record.product_set["provenance"]["network"]).lower().replace(" ", "-")
        return capacity_export.product_download(record, str(ctx.triggered_id["kind"]), name)


def _register_upload(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(ids.capacity_word("file"), "options"),
        Output(ids.capacity_word("file"), "value"),
        Output(ids.capacity_word("keep"), "value"),
        Output(ids.CAPACITY_UPLOAD_MESSAGE, "children"),
        Input(ids.CAPACITY_UPLOAD, "contents"),
        State(ids.CAPACITY_UPLOAD, "filename"),
        State(ids.CAPACITY_STUDY, "data"),
        prevent_initial_call=True,
    )
    def upload(contents: Any, filename: Any, study: Any) -> Any:
        if not isinstance(contents, str):
            return (no_update,) * 4
        try:
            content = base64.b64decode(contents.partition(",")[2], validate=True)
            found = read_upload(_seat(desk, study), str(filename or "file"), content)
        except (binascii.Error, EngineError) as error:
            return no_update, no_update, no_update, str(error)
        return found.files, found.value, "file:sample", found.message
