"""The Hubs page: its layout, and what its controls do. Identity comes from the session only."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx

from callbacks import hubs_edits, hubs_files, hubs_panes, hubs_upload
from callbacks.asked import inputs_of, parts_of, question_callback, told, written
from callbacks.feeder_desk import study_of
from callbacks.hubs_answer import Asked, Shown, answer_to, seat_of
from callbacks.hubs_desk import Desk
from callbacks.security import current_user
from callbacks.services import Services
from components import hubs, hubs_asked, hubs_ids, ids
from components.hubs_view import read_question, read_view
from engine.errors import EngineError

PAGE = ids.HUBS


def page_layout(services: Services, **query: Any) -> Any:
    """Return the page for the question that the address holds, as whoever asks may see it."""
    user, desk = current_user(), Desk(services)
    study = study_of(services, user, query.get("study"))
    asked, problems = desk.first(user, study, query)
    try:
        asked = read_question(query) or asked
    except EngineError as error:
        problems = [*problems, str(error)]
    return hubs.layout(
        hubs.Opened(
            question=asked, view=read_view(query), study=study, own=desk.choices(user, study), problems=problems
        ),
        hubs_panes.places(),
        hubs_panes.kinds(),
    )


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    desk = Desk(services)
    _register_browser_side(app)
    _register_question(app, desk)
    hubs_panes.register(app, desk)
    hubs_edits.register(app, desk)
    hubs_upload.register(app, desk)
    hubs_files.register(app, desk)


def _register_browser_side(app: Dash) -> None:
    """Wire what needs no server: tabs, the diagram, the hour, the address, jobs."""
    app.clientside_callback(
        ClientsideFunction("hubsPage", "showTab"),
        Output(f"{hubs_ids.TABLES}-shown", "data"),
        Input(hubs_ids.TAB, "value"),
        Input(hubs_ids.AT, "data"),
        Input(ids.THEME, "data"),
        Input(hubs_ids.TABLES, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("hubsPage", "paint"),
        Output(hubs_ids.PAINTED, "data"),
        Input(hubs_ids.DRAWING, "data"),
        Input(hubs_ids.HOUR, "value"),
        Input(hubs_ids.SHOW, "value"),
        Input(hubs_ids.OUTCOME, "value"),
        Input(ids.selection(PAGE), "data"),
        Input(ids.THEME, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("hubsPage", "at"),
        Output(f"{hubs_ids.AT}-told", "data"),
        Input(hubs_ids.HOUR, "value"),
        Input(hubs_ids.SHOW, "value"),
        Input(hubs_ids.OUTCOME, "value"),
        Input(ids.selection(PAGE), "data"),
        Input(hubs_ids.FOUND, "data"),
        State(f"{hubs_ids.STUDY}-start", "data"),
    )
    app.clientside_callback(
        ClientsideFunction("hubsPage", "jobs"),
        Output(f"{hubs_ids.JOB}-seen", "data"),
        Input(ids.JOBS, "data"),
        Input(hubs_ids.JOB, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("hubsPage", "fleet"),
        Output(f"{hubs_ids.word('case')}-fleet", "hidden"),
        Input(hubs_ids.word("case"), "value"),
    )
    app.clientside_callback(
        ClientsideFunction("hubsPage", "address"),
        Output(hubs_ids.ADDRESS, "data"),
        Output(hubs_ids.LINK, "value"),
        Input(hubs_ids.QUERY, "data"),
        Input(hubs_ids.AT, "data"),
        Input(hubs_ids.TAB, "value"),
        State(hubs_ids.STUDY, "data"),
    )


_PARTS: dict[str, tuple[str, str]] = {
    "found": (hubs_ids.FOUND, "data"),
    "state": (hubs_ids.STATE, "children"),
    "frame": (hubs_ids.FRAME, "className"),
    "compute": (hubs_ids.COMPUTE, "hidden"),
    "jobs": (hubs_ids.JOB, "data"),
    "query": (hubs_ids.QUERY, "data"),
    "edited": (f"{hubs_ids.word('edits')}-text", "children"),
}


def outputs_of(shown: Shown) -> dict[str, Any]:
    """Return what each part of the page is written with; a part to keep is left alone."""
    return written(parts_of(shown, _PARTS))


def _register_question(app: Dash, desk: Desk) -> None:
    @question_callback(
        app,
        _PARTS,
        {
            "words": inputs_of(hubs_asked.NAMES, hubs_ids.word),
            "edits": Input(hubs_ids.EDITS, "data"),
            "compute": Input(hubs_ids.COMPUTE, "n_clicks"),
            "ended": Input(f"{hubs_ids.JOB}-ended", "data"),
        },
        {
            "study": State(hubs_ids.STUDY, "data"),
            "start": State(f"{hubs_ids.STUDY}-start", "data"),
            "found": State(hubs_ids.FOUND, "data"),
        },
    )
    def ask(given: dict[str, Any], held: dict[str, Any]) -> Any:
        found, start = held["found"], held["start"]
        words = start.get("problems") if isinstance(start, dict) else None
        asked = Asked(
            words=given["words"],
            edits=given["edits"],
            problems=tuple(str(one) for one in words) if isinstance(words, list) else (),
            found=found if isinstance(found, dict) else None,
            pressed=ctx.triggered_id == hubs_ids.COMPUTE and bool(given["compute"]),
        )
        try:
            shown = answer_to(seat_of(desk, held["study"]), asked)
        except EngineError as error:  # a Store that no page of ours writes
            shown = Shown(state=[str(error)])
        return told(outputs_of(shown), shown.jobs)
