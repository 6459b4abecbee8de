"""The Feeder page: its layout, and what its controls do. Identity comes from the session only."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx

from callbacks import feeder_edits, feeder_files, feeder_panes, feeder_sides, feeder_upload
from callbacks.asked import inputs_of, parts_of, question_callback, told, written
from callbacks.feeder_answer import Asked, Shown, answer_to, seat_of
from callbacks.feeder_desk import FEEDER_KIND, WORK_KIND, Desk, study_of
from callbacks.security import current_user
from callbacks.services import Services
from components import feeder, feeder_asked, feeder_ids, ids
from components.feeder_view import read_question, read_view
from engine.errors import EngineError

PAGE = ids.FEEDER


def page_layout(services: Services, **query: Any) -> Any:
    """Return the page for the question that the address holds, as whoever asks may see it."""
    user, desk = current_user(), Desk(services)
    study = study_of(services, user, query.get("study"))
    asked, problems = desk.first(user, study, query)
    try:
        asked = read_question(query) or asked
    except EngineError as error:
        problems = [*problems, str(error)]
    return feeder.layout(
        feeder.Opened(
            question=asked,
            view=read_view(query),
            study=study,
            own=desk.choices(user, study, FEEDER_KIND),
            workloads=desk.choices(user, study, WORK_KIND),
            read_only=bool(study) and services.studies.get(user, study).role != "owner",
            problems=problems,
        ),
        feeder_panes.places(),
        feeder_panes.kinds(),
    )


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    desk = Desk(services)
    _register_browser_side(app)
    _register_question(app, desk)
    feeder_panes.register(app, desk)
    feeder_edits.register(app, desk)
    feeder_upload.register(app, desk)
    feeder_files.register(app, desk)
    feeder_sides.register(app, desk)


def _register_browser_side(app: Dash) -> None:
    """Wire what needs no server: tabs, the diagram, the hour, the address, jobs."""
    app.clientside_callback(
        ClientsideFunction("feederPage", "showTab"),
        Output(f"{feeder_ids.TABLES}-shown", "data"),
        Input(feeder_ids.TAB, "value"),
        Input(feeder_ids.AT, "data"),
        Input(ids.THEME, "data"),
        Input(feeder_ids.TABLES, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("feederPage", "paint"),
        Output(feeder_ids.PAINTED, "data"),
        Input(feeder_ids.DRAWING, "data"),
        Input(feeder_ids.HOUR, "value"),
        Input(feeder_ids.LAYER, "value"),
        Input(feeder_ids.CASE, "value"),
        Input(ids.selection(PAGE), "data"),
        Input(ids.THEME, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("feederPage", "at"),
        Output(f"{feeder_ids.AT}-told", "data"),
        Input(feeder_ids.HOUR, "value"),
        Input(feeder_ids.CASE, "value"),
        Input(feeder_ids.LAYER, "value"),
        Input(ids.selection(PAGE), "data"),
        Input(feeder_ids.FOUND, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("feederPage", "jobs"),
        Output(f"{feeder_ids.JOB}-seen", "data"),
        Input(ids.JOBS, "data"),
        Input(feeder_ids.JOB, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("feederPage", "address"),
        Output(feeder_ids.ADDRESS, "data"),
        Output(feeder.LINK, "value"),
        Input(feeder_ids.QUERY, "data"),
        Input(feeder_ids.AT, "data"),
        Input(feeder_ids.TAB, "value"),
        State(feeder_ids.STUDY, "data"),
    )


_PARTS: dict[str, tuple[str, str]] = {
    "found": (feeder_ids.FOUND, "data"),
    "state": (feeder_ids.STATE, "children"),
    "frame": (feeder_ids.FRAME, "className"),
    "compute": (feeder_ids.COMPUTE, "hidden"),
    "jobs": (feeder_ids.JOB, "data"),
    "query": (feeder_ids.QUERY, "data"),
    "centres": (f"{feeder_ids.word('centres')}-text", "children"),
}


def outputs_of(shown: Shown) -> dict[str, Any]:
    """Return what each part of the page is written with; a part to keep is left alone."""
    return written(parts_of(shown, _PARTS))


def _register_question(app: Dash, desk: Desk) -> None:
    @question_callback(
        app,
        _PARTS,
        {
            "words": inputs_of(feeder_asked.NAMES, feeder_ids.word),
            "edits": Input(feeder_ids.EDITS, "data"),
            "compute": Input(feeder_ids.COMPUTE, "n_clicks"),
            "ended": Input(f"{feeder_ids.JOB}-ended", "data"),
        },
        {
            "study": State(feeder_ids.STUDY, "data"),
            "start": State(f"{feeder_ids.STUDY}-start", "data"),
            "found": State(feeder_ids.FOUND, "data"),
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
            pressed=ctx.triggered_id == feeder_ids.COMPUTE and bool(given["compute"]),
        )
        try:
            shown = answer_to(seat_of(desk, held["study"]), asked)
        except EngineError as error:  # a Store that no page of ours writes
            shown = Shown(state=[str(error)])
        return told(outputs_of(shown), shown.jobs)
