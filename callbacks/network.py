"""The Network page: its layout for a study, and the thin wiring of callbacks.network_desk, _import and _answer."""

import time
from typing import Any

from dash import ALL, ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update

from callbacks import network_desk as desk
from callbacks import network_import as intake
from callbacks.network_answer import Answers, OpfQuestion
from callbacks.network_panels import aged_strip, answer_layers, answer_strip, inspector
from callbacks.security import current_user
from callbacks.services import Services
from components import ids
from components import network as view
from components import network_import as preview
from components.grid_map import layers_data, register_map
from components.network_forms import problems_list
from components.network_rows import TABLES, rows
from components.tables import register_grid
from engine.errors import EngineError, NotFoundError
from engine.network import library
from engine.network.readers import FORMATS, MOST_BYTES, write_network

PAGE = ids.NETWORK


def page_layout(services: Services, study: str | None = None, **_query: str) -> html.Main:
    """Return the page for the study of the address; without one it says what to do next."""
    user = current_user()
    if not study:
        return view.empty()
    seat = desk.Seat(services, user, study)
    try:
        status = seat.status()
        read_only = seat.read_only()
    except NotFoundError:
        return view.empty()
    tables = seat.tables(status.digest)
    return view.layout(
        version=desk.version(status, read_only=read_only),
        study=study,
        drawn=desk.drawing(study, status.digest, tables),
        layers=desk.base_layers(tables),
        bus_rows=rows(tables, "buses"),
        problems=desk.problems_of(tables),
        counts=desk.Counts.of(tables),
        steps=desk.steps(status),
        inspector=inspector(seat, Answers(), None, None),
        library=[(named.key, f"{named.title} ({named.buses:,} buses)") for named in library.NAMED],
        formats=FORMATS,
    )


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    answers, offers = Answers(), intake.Offers()
    register_map(app, PAGE)
    for name, kind in (("buses", "bus"), ("branches", "branch"), ("units", "unit")):
        register_grid(app, PAGE, name=name, kind=kind)
    _register_browser(app)
    _register_edit(app, services, offers, answers)
    _register_tables(app, services)
    _register_inspector(app, services, answers)
    _register_import(app, services, offers)
    _register_export(app, services)
    _register_answer(app, services, answers)


def _register_browser(app: Dash) -> None:
    def wire(function: str, *inputs: Input | Output) -> None:
        app.clientside_callback(ClientsideFunction("headroom_draw", function), *inputs)

    wire("answered", Input(ids.NETWORK_ACK, "data"))
    # With an output, since only then are they called when the page is drawn.
    wire("canvas", Output(ids.NETWORK_PLACED, "data"), Input(ids.NETWORK_CANVAS, "elements"))
    wire(
        "layers",
        Output(ids.NETWORK_PAINTED, "data"),
        Input(ids.map_layers(PAGE), "data"),
        Input(ids.NETWORK_CANVAS_LAYER, "value"),
    )
    wire("selected", Input(ids.selection(PAGE), "data"))
    wire("tab", Input(ids.NETWORK_TAB, "value"))
    wire("problem", Input(ids.grid(PAGE, "problems"), "selectedRows"))
    for name in TABLES:
        grid = ids.grid(PAGE, name)
        wire("cell", Input(grid, "cellValueChanged"), Input(grid, "id"))
    app.clientside_callback(
        ClientsideFunction("headroom", "gridFilter"),
        Input(ids.grid_filter(PAGE, "problems"), "value"),
        Input(ids.grid(PAGE, "problems"), "id"),
    )


_EDIT_OUTPUTS = (
    Output(ids.NETWORK_ACK, "data"),
    Output(ids.NETWORK_VERSION, "data"),
    Output(ids.NETWORK_PANE, "children"),
    Output(ids.NETWORK_CANVAS, "elements"),
    Output(ids.map_buses(PAGE), "url"),
    Output(ids.map_branches(PAGE), "url"),
    Output(ids.map_layers(PAGE), "data"),
    *(Output(ids.grid(PAGE, name), "rowTransaction") for name in TABLES),
    *(Output(ids.grid(PAGE, name), "rowData") for name in TABLES),
    Output(ids.grid(PAGE, "problems"), "rowData"),
    Output(ids.totals(PAGE), "children"),
    Output(ids.NETWORK_UNDO, "disabled"),
    Output(ids.NETWORK_UNDO, "title"),
    Output(ids.NETWORK_REDO, "disabled"),
    Output(ids.NETWORK_REDO, "title"),
    Output(ids.NETWORK_MESSAGE, "children"),
    Output(ids.selection(PAGE), "data", allow_duplicate=True),
    Output(ids.NETWORK_PASTE_MESSAGE, "children"),
    Output(ids.NETWORK_ADD_MESSAGE, "children"),
    Output(ids.inspector(PAGE), "children", allow_duplicate=True),
)
_NAMES = (
    "ack", "version", "pane", "elements", "buses_url", "branches_url", "layers",
    "change_buses", "change_branches", "change_units", "rows_buses", "rows_branches", "rows_units",
    "problems", "totals", "undo_off", "undo_title", "redo_off", "redo_title", "message", "selection",
    "paste_message", "add_message", "inspector",
)  # fmt: skip


def screen(outcome: desk.Outcome, study: str, loaded: list[str]) -> dict[str, Any]:
    """Return what an edit's outcome changes on the screen, by the names of the callback's outputs."""
    changed: dict[str, Any] = {"ack": outcome.ack, **_told(outcome)}
    for table, stored in outcome.restore.items():
        changed[f"change_{table}"] = {"update": stored, "async": False}
    if outcome.after is None or outcome.status is None:
        return changed
    before, after, status = outcome.before, outcome.after, outcome.status
    changed["version"] = desk.version(status, read_only=False)
    changed["problems"] = desk.problems_of(after)
    changed["totals"] = desk.totals_of(after)
    steps = desk.steps(status)
    for step in desk.STEPS:
        changed[f"{step}_off"] = not steps[step]
        changed[f"{step}_title"] = view.step_title(step, steps)
    for name, (parts, full) in desk.changed_rows(before, after, loaded).items():
        if full is not None:
            changed[f"rows_{name}"] = full
        elif parts:
            changed[f"change_{name}"] = {**parts, "async": False}
    if outcome.select:
        changed["selection"] = outcome.selection
    if before is None or not desk.same_drawing(before, after):
        changed |= _redrawn(outcome, study)
    return changed


def _redrawn(outcome: desk.Outcome, study: str) -> dict[str, Any]:
    if outcome.after is None or outcome.status is None:
        return {}
    drawn = desk.drawing(study, outcome.status.digest, outcome.after)
    layers = desk.base_layers(outcome.after)
    if outcome.before is None or desk.view_of(outcome.before) != drawn["view"] or outcome.ack.get("from") == "import":
        return {"pane": view.pane(drawn, layers, desk.steps(outcome.status), read_only=False, message=outcome.message)}
    if drawn["view"] == "canvas":
        return {"elements": drawn["elements"], "layers": layers_data(layers)}
    return {"buses_url": drawn["buses"], "branches_url": drawn["branches"], "layers": layers_data(layers)}


def _told(outcome: desk.Outcome) -> dict[str, Any]:
    """Return the message, and beside the form that asked for it every reason of a refusal."""
    told: dict[str, Any] = {"paste_message": None, "add_message": None, "message": outcome.message}
    if not outcome.problems:
        return told
    where = {"paste": "paste_message", "add-row": "add_message"}.get(str(outcome.ack.get("from")))
    if where:
        told[where] = problems_list(outcome.problems, "Nothing was changed")
    lines = "; ".join(outcome.problems[:3]) + (
        f"; and {len(outcome.problems) - 3} more" if len(outcome.problems) > 3 else ""
    )
    told["message"] = html.Span(f"Not changed: {lines}", className="hr-draw-refused")
    return told


def _register_edit(app: Dash, services: Services, offers: intake.Offers, answers: Answers) -> None:
    @app.callback(
        *_EDIT_OUTPUTS,
        Input(ids.NETWORK_EVENT, "data"),
        Input(ids.NETWORK_REPLACE, "n_clicks"),
        State(ids.NETWORK_STUDY, "data"),
        State(ids.NETWORK_VERSION, "data"),
        State(ids.NETWORK_LOADED, "data"),
        State(ids.NETWORK_OFFER, "data"),
        State(ids.selection(PAGE), "data"),
        State(ids.NETWORK_ANSWER, "data"),
        prevent_initial_call=True,
    )
    def edit(  # noqa: PLR0913, PLR0917 (one argument per input)
        request: Any, clicks: int | None, study: Any, shown: Any, loaded: Any, offer: Any, selected: Any, kept: Any
    ) -> Any:
        digest = shown.get("digest") if isinstance(shown, dict) else ""
        seat = desk.Seat(services, current_user(), str(study))
        replacing = ctx.triggered_id == ids.NETWORK_REPLACE
        if not isinstance(study, str) or not (clicks if replacing else request):
            return (no_update,) * len(_EDIT_OUTPUTS)
        replaced = desk.replace_network(seat, offers, digest, offer) if replacing else None
        outcome = replaced or desk.change(seat, digest, request)
        known = [name for name in TABLES if isinstance(loaded, list) and name in loaded]
        changed = screen(outcome, study, known)
        if outcome.after is not None:
            # In the same answer: a form that came later would take back what is being typed into it.
            changed["inspector"] = inspector(seat, answers, changed.get("selection", selected), kept)
        if "pane" in changed:  # the new pane holds these already, and the old ones are gone with it
            for name in ("elements", "buses_url", "branches_url", "layers", "message"):
                changed.pop(name, None)
            changed |= {f"{step}_{part}": no_update for step in desk.STEPS for part in ("off", "title")}
        return tuple(changed.get(name, no_update) for name in _NAMES)


def _register_tables(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.grid(PAGE, "branches"), "rowData", allow_duplicate=True),
        Output(ids.grid(PAGE, "units"), "rowData", allow_duplicate=True),
        Output(ids.NETWORK_LOADED, "data"),
        Input(ids.NETWORK_TAB, "value"),
        State(ids.NETWORK_LOADED, "data"),
        State(ids.NETWORK_STUDY, "data"),
        prevent_initial_call=True,
    )
    def load(tab: Any, loaded: Any, study: Any) -> Any:
        """Send the rows of a table the first time that it is opened."""
        if tab not in ("branches", "units") or not isinstance(loaded, list) or tab in loaded:
            return no_update, no_update, no_update
        try:
            sent = rows(services.tables(current_user(), study), tab)
        except EngineError:
            return no_update, no_update, no_update
        return (sent, no_update, [*loaded, tab]) if tab == "branches" else (no_update, sent, [*loaded, tab])

    @app.callback(
        Output(f"{ids.NETWORK_ADD}-form", "children"), Input(ids.NETWORK_TAB, "value"), prevent_initial_call=True
    )
    def form(tab: Any) -> Any:
        return view.add_form(str(tab))


def _register_inspector(app: Dash, services: Services, answers: Answers) -> None:
    @app.callback(
        Output(ids.inspector(PAGE), "children"),
        Input(ids.selection(PAGE), "data"),
        Input(ids.NETWORK_ANSWER, "data"),
        State(ids.NETWORK_STUDY, "data"),
        prevent_initial_call=True,
    )
    def inspect(selected: Any, answer: Any, study: Any) -> Any:
        if not isinstance(study, str):
            return no_update
        return inspector(desk.Seat(services, current_user(), study), answers, selected, answer)


def _register_import(app: Dash, services: Services, offers: intake.Offers) -> None:
    @app.callback(
        Output(ids.NETWORK_UPLOADED, "children"),
        Output(ids.NETWORK_OFFER, "data"),
        Output(ids.NETWORK_REPLACE, "disabled"),
        Output(ids.NETWORK_AS_NEW, "disabled"),
        Input(ids.NETWORK_UPLOAD, "contents"),
        Input(ids.NETWORK_LIBRARY_SHOW, "n_clicks"),
        State(ids.NETWORK_UPLOAD, "filename"),
        State(ids.NETWORK_LIBRARY, "value"),
        State(ids.NETWORK_VERSION, "data"),
        prevent_initial_call=True,
    )
    def show(contents: Any, clicks: int | None, names: Any, key: Any, shown: Any) -> Any:
        from_library = ctx.triggered_id == ids.NETWORK_LIBRARY_SHOW
        if not (clicks if from_library else contents):
            return (no_update,) * 4
        read_only = isinstance(shown, dict) and bool(shown.get("readonly"))
        if from_library:
            return (*offer_library(offers, current_user(), str(key)), read_only, False)
        panel, digest = offer_files(offers, current_user(), contents, names)
        return panel, digest, read_only or digest is None, digest is None

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(ids.STUDIES_CHANGED, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input(ids.NETWORK_AS_NEW, "n_clicks"),
        State(ids.NETWORK_OFFER, "data"),
        prevent_initial_call=True,
    )
    def as_new(clicks: int | None, offer: Any) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        try:
            tables = offers.take(current_user(), offer).tables
            study = services.studies.create(current_user(), tables.name[:80] or "Imported", tables)
        except EngineError as error:
            return no_update, no_update, {"text": str(error), "undo": None, "at": time.time()}
        return f"/network?study={study}", time.time(), no_update


def offer_files(offers: intake.Offers, user: str, contents: Any, names: Any) -> tuple[Any, str | None]:
    """Return what was understood of uploaded files, and the digest that takes it (None: refused)."""
    sent = contents if isinstance(contents, list) else [contents]
    called = [str(name) for name in names] if isinstance(names, list) else [str(names)]
    title = ", ".join(name[:60] for name in called[: intake.MOST_FILES])
    try:
        imported = intake.understood(sent, called, MOST_BYTES)
    except EngineError as error:
        return preview.refused(intake.refused(error), title), None
    return preview.understood(intake.summary(imported.tables), imported.problems), offers.put(user, imported)


def offer_library(offers: intake.Offers, user: str, key: str) -> tuple[Any, str | None]:
    """Return what there is to say of a named grid, and the digest that takes it."""
    try:
        imported = intake.from_library(key)
    except EngineError as error:
        return preview.refused(intake.refused(error), key[:40]), None
    return preview.understood(intake.summary(imported.tables), imported.problems), offers.put(user, imported)


def _register_export(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.DOWNLOAD, "data", allow_duplicate=True),
        Output(ids.TOAST, "data", allow_duplicate=True),
        Input({"type": "network-export", "kind": ALL}, "n_clicks"),
        State(ids.NETWORK_STUDY, "data"),
        prevent_initial_call=True,
    )
    def export(clicks: list[int | None], study: Any) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict) or ctx.triggered_id.get("kind") not in FORMATS:
            return no_update, no_update
        try:
            name, content = write_network(services.tables(current_user(), study), ctx.triggered_id["kind"])
        except EngineError as error:
            return no_update, {"text": str(error), "undo": None, "at": time.time()}
        return dcc.send_bytes(content, name), no_update


def _register_answer(app: Dash, services: Services, answers: Answers) -> None:
    @app.callback(
        Output(ids.NETWORK_ANSWER, "data"),
        Output(ids.NETWORK_ANSWER_STATE, "children"),
        Output(ids.map_layers(PAGE), "data", allow_duplicate=True),
        Output(ids.map_layer(PAGE), "value", allow_duplicate=True),
        Output(ids.NETWORK_CANVAS_LAYER, "value"),
        Input(ids.NETWORK_SOLVE, "n_clicks"),
        State(ids.NETWORK_SCALE, "value"),
        State(ids.NETWORK_RATING, "value"),
        State(ids.NETWORK_LEAST, "value"),
        State(ids.NETWORK_STUDY, "data"),
        running=[(Output(ids.NETWORK_SOLVE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def solve(clicks: int | None, scale: Any, rating: Any, least: Any, study: Any) -> Any:
        if not clicks or not isinstance(study, str):
            return (no_update,) * 5
        try:
            question = OpfQuestion.of(scale, rating, least)
            answer = answers.solve(services, current_user(), study, None, question)
        except EngineError as error:
            return None, problems_list(intake.refused(error), "No dispatch"), no_update, no_update, no_update
        return (*answer_strip(answer), answer_layers(answer), "loading", "loading")

    @app.callback(
        Output(ids.NETWORK_ANSWER_STATE, "children", allow_duplicate=True),
        Input(ids.NETWORK_VERSION, "data"),
        Input(ids.NETWORK_SCALE, "value"),
        Input(ids.NETWORK_RATING, "value"),
        Input(ids.NETWORK_LEAST, "value"),
        State(ids.NETWORK_ANSWER, "data"),
        State(ids.NETWORK_STUDY, "data"),
        prevent_initial_call=True,
    )
    def age(  # noqa: PLR0913, PLR0917 (one argument per input)
        version: Any, scale: Any, rating: Any, least: Any, kept: Any, study: Any
    ) -> Any:
        """Hatch the answer when its inputs have changed since."""
        if not kept or not isinstance(study, str):
            return no_update
        seat = desk.Seat(services, current_user(), study)
        return aged_strip(seat, answers, kept, version, (scale, rating, least))
