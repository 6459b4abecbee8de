"""What every page of a day has its controls do: in the browser (assets/42_day.js), and with its question."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx

from callbacks.asked import Parts, inputs_of, parts_of, question_callback, told, written
from callbacks.day_answer import Asked, Shown
from callbacks.day_desk import D, DayDesk, Q, R, Seat, seat_of
from components import ids
from components.day_ids import DayIds
from engine.errors import EngineError


def opening(
    desk: DayDesk[Q, R],
    user: str,
    study: str,
    query: Mapping[str, Any],
    read: Callable[[Mapping[str, Any]], Q | None],
) -> tuple[Q, list[str]]:
    """Return the question that a page opens with, and what could not be read of its link.

    ``read`` returns the question that is in the link itself, None where there is none.
    """
    asked, problems = desk.first(user, study, query)
    try:
        return read(query) or asked, problems
    except EngineError as error:
        return asked, [*problems, str(error)]


def register_browser_side(app: Dash, of: DayIds, drawn_by: Sequence[str]) -> None:
    """Wire what needs no server: tabs, the diagram, the hour, jobs, the address.

    ``drawn_by`` are the controls that say beside the hour what of an answer is drawn.
    """
    names = f"{of.PAGE}Page"
    drawn = [Input(control, "value") for control in (of.HOUR, *drawn_by)]
    selection = Input(ids.selection(of.PAGE), "data")
    app.clientside_callback(
        ClientsideFunction(names, "showTab"),
        Output(f"{of.TABLES}-shown", "data"),
        Input(of.TAB, "value"),
        Input(of.AT, "data"),
        Input(ids.THEME, "data"),
        Input(of.TABLES, "id"),
    )
    app.clientside_callback(
        ClientsideFunction(names, "paint"),
        Output(of.PAINTED, "data"),
        Input(of.DRAWING, "data"),
        *drawn,
        selection,
        Input(ids.THEME, "data"),
    )
    app.clientside_callback(
        ClientsideFunction(names, "at"),
        Output(f"{of.AT}-told", "data"),
        *drawn,
        selection,
        Input(of.FOUND, "data"),
        State(f"{of.STUDY}-start", "data"),
    )
    app.clientside_callback(
        ClientsideFunction(names, "jobs"),
        Output(f"{of.JOB}-seen", "data"),
        Input(ids.JOBS, "data"),
        Input(of.JOB, "data"),
    )
    app.clientside_callback(
        ClientsideFunction(names, "address"),
        Output(of.ADDRESS, "data"),
        Output(of.LINK, "value"),
        Input(of.QUERY, "data"),
        Input(of.AT, "data"),
        Input(of.TAB, "value"),
        State(of.STUDY, "data"),
    )


def register_question(
    app: Dash, desk: D, words: Iterable[str], edited: str, answer: Callable[[Seat[D], Asked], Shown]
) -> None:
    """Wire the question: ``words`` are the names of its controls, ``edited`` is the control that tells of the edits."""
    of = desk.subject.ids
    parts: Parts = {
        "found": (of.FOUND, "data"),
        "state": (of.STATE, "children"),
        "frame": (of.FRAME, "className"),
        "compute": (of.COMPUTE, "hidden"),
        "jobs": (of.JOB, "data"),
        "query": (of.QUERY, "data"),
        "edited": (f"{of.word(edited)}-text", "children"),
    }

    @question_callback(
        app,
        parts,
        {
            "words": inputs_of(words, of.word),
            "edits": Input(of.EDITS, "data"),
            "compute": Input(of.COMPUTE, "n_clicks"),
            "ended": Input(f"{of.JOB}-ended", "data"),
        },
        {
            "study": State(of.STUDY, "data"),
            "start": State(f"{of.STUDY}-start", "data"),
            "found": State(of.FOUND, "data"),
        },
    )
    def ask(given: dict[str, Any], held: dict[str, Any]) -> Any:
        found, start = held["found"], held["start"]
        problems = start.get("problems") if isinstance(start, dict) else None
        asked = Asked(
            words=given["words"],
            edits=given["edits"],
            problems=tuple(str(one) for one in problems) if isinstance(problems, list) else (),
            found=found if isinstance(found, dict) else None,
            pressed=ctx.triggered_id == of.COMPUTE and bool(given["compute"]),
        )
        try:
            shown = answer(seat_of(desk, held["study"]), asked)
        except EngineError as error:  # a Store that no page of ours writes
            shown = Shown(state=[str(error)])
        return told(written(parts_of(shown, parts)), shown.jobs)
