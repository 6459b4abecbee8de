"""One edit of the Network page from the browser to the study, and what of the screen it changes."""

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update

from callbacks import network_desk as desk
from callbacks.network_import import Offers
from callbacks.network_opf import OpfDesk
from callbacks.network_panels import inspector
from callbacks.security import current_user
from callbacks.services import Services
from components import ids, network_ids
from components import network_pane as view
from components.grid_map import layers_data
from components.network_forms import problems_list
from components.network_layers import base_layers
from components.network_rows import TABLES

PAGE = ids.NETWORK

_EDIT_OUTPUTS = (
    Output(network_ids.ACK, "data"),
    Output(network_ids.VERSION, "data"),
    Output(network_ids.PANE, "children"),
    Output(network_ids.CANVAS, "elements"),
    Output(ids.map_buses(PAGE), "url"),
    Output(ids.map_branches(PAGE), "url"),
    Output(ids.map_layers(PAGE), "data"),
    *(Output(ids.grid(PAGE, name), "rowTransaction") for name in TABLES),
    *(Output(ids.grid(PAGE, name), "rowData") for name in TABLES),
    Output(ids.grid(PAGE, "problems"), "rowData"),
    Output(ids.totals(PAGE), "children"),
    Output(network_ids.UNDO, "disabled"),
    Output(network_ids.UNDO, "title"),
    Output(network_ids.REDO, "disabled"),
    Output(network_ids.REDO, "title"),
    Output(network_ids.MESSAGE, "children"),
    Output(ids.selection(PAGE), "data", allow_duplicate=True),
    Output(network_ids.PASTE_MESSAGE, "children"),
    Output(network_ids.ADD_MESSAGE, "children"),
    Output(ids.inspector(PAGE), "children", allow_duplicate=True),
    Output(network_ids.HINT, "hidden"),
    Output(network_ids.ROWS_FILE, "contents"),
)
_NAMES = (
    "ack", "version", "pane", "elements", "buses_url", "branches_url", "layers",
    *(f"change_{name}" for name in TABLES), *(f"rows_{name}" for name in TABLES),
    "problems", "totals", "undo_off", "undo_title", "redo_off", "redo_title", "message", "selection",
    "paste_message", "add_message", "inspector", "hint", "file",
)  # fmt: skip


def screen(outcome: desk.Outcome, study: str, loaded: Sequence[str]) -> dict[str, Any]:
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
    changed["hint"] = len(after.buses) > 0
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
    elif desk.view_of(after) == "canvas" and not desk.same_symbols(before, after):
        changed["elements"] = desk.drawing(study, status.digest, after)["elements"]
    return changed


def _redrawn(outcome: desk.Outcome, study: str) -> dict[str, Any]:
    if outcome.after is None or outcome.status is None:
        return {}
    drawn = desk.drawing(study, outcome.status.digest, outcome.after)
    layers = base_layers(outcome.after)
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


def register(app: Dash, services: Services, offers: Offers, opf: OpfDesk) -> None:
    """Wire the one callback that changes a network."""

    @app.callback(
        *_EDIT_OUTPUTS,
        Input(network_ids.EVENT, "data"),
        Input(network_ids.REPLACE, "n_clicks"),
        Input(network_ids.ROWS_FILE, "contents"),
        State(network_ids.ROWS_FILE, "filename"),
        State(network_ids.TAB, "value"),
        State(network_ids.STUDY, "data"),
        State(network_ids.VERSION, "data"),
        State(network_ids.LOADED, "data"),
        State(network_ids.OFFER, "data"),
        State(ids.selection(PAGE), "data"),
        State(network_ids.ANSWER, "data"),
        prevent_initial_call=True,
    )
    def edit(*given: Any) -> Any:
        request, clicks, file, file_name, tab, study, shown, loaded, offer, selected, kept = given
        digest = shown.get("digest") if isinstance(shown, dict) else ""
        seat = desk.Seat(services, current_user(), str(study))
        asked = {network_ids.REPLACE: clicks, network_ids.ROWS_FILE: file}.get(str(ctx.triggered_id), request)
        if not isinstance(study, str) or not asked:
            return (no_update,) * len(_EDIT_OUTPUTS)
        if ctx.triggered_id == network_ids.REPLACE:
            outcome = desk.replace_network(seat, offers, digest, offer)
        elif ctx.triggered_id == network_ids.ROWS_FILE:
            outcome = desk.add_from_csv(seat, digest, tab, file, str(file_name))
        else:
            outcome = desk.change(seat, digest, request)
        known = [name for name in TABLES if isinstance(loaded, list) and name in loaded]
        changed = screen(outcome, study, known)
        if ctx.triggered_id == network_ids.ROWS_FILE:
            changed["file"] = None  # emptied, so that the same file, mended, can be sent again
        if outcome.after is not None and "selection" not in changed:
            # In the same answer: a form that came later would take back what is being typed into it. A new
            # selection brings its own form, once.
            changed["inspector"] = inspector(seat, opf, selected, kept)
        if "pane" in changed:  # the new pane holds these already, and the old ones are gone with it
            for name in ("elements", "buses_url", "branches_url", "layers", "message", "hint"):
                changed.pop(name, None)
            changed |= {f"{step}_{part}": no_update for step in desk.STEPS for part in ("off", "title")}
        return tuple(changed.get(name, no_update) for name in _NAMES)
