"""The Network page: its layout for a study as a link asks for it, and what needs no module of its own."""

from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, Patch, State, ctx, dcc, no_update
from flask import current_app

from callbacks import drawing, network_answer, network_edit, network_import
from callbacks import network_desk as desk
from callbacks.network_opf import OpfDesk
from callbacks.network_panels import inspector
from callbacks.security import current_user
from callbacks.services import Services
from callbacks.shell import of_page, toast
from components import ids, network_ids
from components import network as view
from components import network_dispatch as dispatch
from components import network_tables as drawer
from components.grid_map import register_map
from components.network_layers import base_layers
from components.network_rows import TABLES, rows
from components.network_view import read_question, read_view
from components.no_study import no_study
from components.tables import register_grid
from engine.errors import EngineError, NotFoundError, QuestionError
from engine.network import library
from engine.network.readers import EXACT, FORMATS, Format, not_carried, write_network
from engine.network.tables import COLUMNS, KEYS, LISTS, SINGULAR, NetworkTables
from engine.opf.question import OpfQuestion

PAGE = ids.NETWORK
_LABELS: dict[tuple[str, str], str] = {
    (table, column.name): "identifiers" if column.name == KEYS[table] else column.label.lower()
    for table, columns in COLUMNS.items()
    for column in columns
}
AT_ONCE = ("buses", *LISTS)  # tables whose rows come with the page: lists are short, and mostly empty
LATER = tuple(name for name in TABLES if name not in AT_ONCE)  # the others come when they are opened


def page_layout(services: Services, study: str | None = None, **query: str) -> Any:
    """Return the page for the study of the address; without one it says what to do next."""
    user = current_user()
    if not study:
        return no_study(PAGE)
    seat, opf = desk.Seat(services, user, study), OpfDesk(services)
    try:
        status = seat.status()
        read_only = seat.read_only()
    except NotFoundError:
        return no_study(PAGE)
    tables = seat.tables(status.digest)
    looked = read_view(query)
    opened = network_answer.opening(seat, opf, status.digest, _linked(query))
    shown = opened.shown
    return view.layout(
        view.Opened(
            study=study,
            version=desk.version(status, read_only=read_only),
            drawn=desk.drawing(study, status.digest, tables),
            layers=base_layers(tables),
            layers_data=None
            if isinstance(shown.layers, Patch) or shown.layers is network_answer.KEEP
            else shown.layers,
            view=looked,
            question=opened.question,
            rows={name: rows(tables, name) for name in TABLES if name in {*AT_ONCE, looked.tab}},
            problems=desk.problems_of(tables),
            counts=desk.Counts.of(tables),
            steps=desk.steps(status),
            inspector=inspector(seat, opf, looked.selection, _given(shown.answer)),
            answer=_given(shown.answer),
            answer_state=_given(shown.state),
            job=_given(shown.job),
            library=[(named.key, f"{named.title} ({named.buses:,} buses)") for named in library.NAMED],
            formats=FORMATS,
            most_bytes=network_import.most_bytes(current_app.config.get("MAX_CONTENT_LENGTH")),
        )
    )


def _linked(query: dict[str, str]) -> OpfQuestion | None:
    try:
        return read_question(query)
    except QuestionError:
        return None


def _given(part: Any) -> Any:
    return None if part is network_answer.KEEP else part


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    opf, offers = OpfDesk(services), network_import.Offers(services.artifacts)
    register_map(app, PAGE)
    for name in TABLES:
        register_grid(app, PAGE, name=name, kind=SINGULAR[name])
    for what in dispatch.WHAT:
        if what != "outages":  # a row selects what binds after the outage, by the wire "limit"
            register_grid(app, PAGE, name=what, kind=dispatch.KIND[what])
    _register_browser(app)
    network_edit.register(app, services, offers, opf)
    _register_tables(app, services)
    _register_inspector(app, services, opf)
    network_import.register(app, services, offers)
    _register_export(app, services)
    network_answer.register(app, opf)
    drawing.register_network(app, opf)


def _register_browser(app: Dash) -> None:
    def wire(function: str, *inputs: Input | Output | State) -> None:
        app.clientside_callback(ClientsideFunction("headroom_draw", function), *inputs)

    wire("answered", Input(network_ids.ACK, "data"))
    # With an output, since only then are they called when the page is drawn.
    wire("canvas", Output(network_ids.PLACED, "data"), Input(network_ids.CANVAS, "elements"))
    wire(
        "layers",
        Output(network_ids.PAINTED, "data"),
        Input(ids.map_layers(PAGE), "data"),
        Input(network_ids.CANVAS_LAYER, "value"),
    )
    wire("selected", Input(ids.selection(PAGE), "data"))
    wire("members", Output(network_ids.MARKED, "data"), Input(ids.inspector(PAGE), "children"))
    wire(
        "tab", Output(network_ids.TABBED, "data"), Input(network_ids.TAB, "value"), Input(network_ids.DISPATCH, "value")
    )
    wire(
        "address",
        Output(network_ids.ADDRESS, "data"),
        Input(ids.map_layer(PAGE), "value"),
        Input(network_ids.CANVAS_LAYER, "value"),
        Input(network_ids.TAB, "value"),
        Input(network_ids.DISPATCH, "value"),
        Input(ids.selection(PAGE), "data"),
        Input(network_ids.SCALE, "value"),
        Input(network_ids.RATING, "value"),
        Input(network_ids.LEAST, "value"),
        Input(network_ids.SECURITY, "value"),
        Input(network_ids.AFTER, "value"),
        State(network_ids.STUDY, "data"),
    )
    wire("problem", Input(ids.grid(PAGE, "problems"), "selectedRows"))
    wire("limit", Input(ids.grid(PAGE, "outages"), "selectedRows"))
    for name in TABLES:
        grid = ids.grid(PAGE, name)
        wire("cell", Input(grid, "cellValueChanged"), Input(grid, "id"))


def _register_tables(app: Dash, services: Services) -> None:
    @app.callback(
        *(Output(ids.grid(PAGE, name), "rowData", allow_duplicate=True) for name in LATER),
        Output(network_ids.LOADED, "data"),
        Input(network_ids.TAB, "value"),
        State(network_ids.LOADED, "data"),
        State(network_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def load(tab: Any, loaded: Any, study: Any) -> Any:
        """Send the rows of a table the first time that it is opened."""
        name = next((name for name in LATER if name == tab), None)
        if name is None or not isinstance(loaded, list) or tab in loaded:
            return (no_update,) * (len(LATER) + 1)
        try:
            sent = rows(services.tables(current_user(), study), name)
        except EngineError:
            return (no_update,) * (len(LATER) + 1)
        return (*(sent if table == name else no_update for table in LATER), [*loaded, name])

    @app.callback(
        Output(f"{network_ids.ADD}-form", "children"),
        Output(network_ids.PASTE_TEXT, "placeholder"),
        Input(network_ids.TAB, "value"),
        prevent_initial_call=True,
    )
    def form(tab: Any) -> Any:
        return drawer.add_form(str(tab)), drawer.paste_example(str(tab))


def _register_inspector(app: Dash, services: Services, opf: OpfDesk) -> None:
    @app.callback(
        Output(ids.inspector(PAGE), "children"),
        Input(ids.selection(PAGE), "data"),
        Input(network_ids.ANSWER, "data"),
        State(network_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def inspect(selected: Any, answer: Any, study: Any) -> Any:
        if not isinstance(study, str):
            return no_update
        return inspector(desk.Seat(services, current_user(), study), opf, selected, answer)


def _register_export(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        of_page(network_ids.STUDY),
        Input({"type": "network-export", "kind": ALL}, "n_clicks"),
        State(network_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def export(clicks: list[int | None], study: Any) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or ctx.triggered_id.get("kind") not in FORMATS:
            return no_update, no_update, no_update
        kind = ctx.triggered_id["kind"]
        try:
            tables = services.tables(current_user(), study)
            name, content = write_network(tables, kind)
            left = left_out(tables, kind)
        except EngineError as error:
            return no_update, toast(str(error)), no_update
        return dcc.send_bytes(content, name), {**toast(left), "stay": True} if left else no_update, no_update


def left_out(tables: NetworkTables, file_format: Format) -> str:
    """Return in a sentence what a file of another program does not carry; empty if it carries everything."""
    notes = not_carried(tables, file_format)
    if file_format in EXACT or not notes:
        return "; ".join(note.message for note in notes)
    labels: dict[str, list[str]] = {}
    for note in notes:
        label = _LABELS.get((note.table, note.column))
        labels.setdefault(note.table, []).extend([label] if label else [])
    parts = [f"{table}: {', '.join(words)}" if words else table for table, words in labels.items()]
    return f"{FORMATS[file_format]} does not carry {'; '.join(parts)}"
