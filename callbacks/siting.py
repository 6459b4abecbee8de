"""The Siting page: its layout for a study, and what its controls do. Identity comes from the session only."""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx

from callbacks import (
    siting_auction,
    siting_catalogue,
    siting_criteria,
    siting_envelopes,
    siting_panels,
    siting_panes,
    siting_rows,
    siting_seen,
    siting_sheet,
    siting_upload,
)
from callbacks.asked import inputs_of, parts_of, question_callback, told, written
from callbacks.capacity import frame_of, map_urls_of
from callbacks.security import current_user
from callbacks.services import Services
from callbacks.siting_answer import KEEP, Asked, Seat, Shown, answer_to, held_market, seat_of
from callbacks.siting_desk import Desk
from components import ids, siting, siting_market, siting_words
from components.grid_map import register_map
from components.siting_view import read_question, read_view
from components.tables import register_grid
from engine.errors import NetworkDataError, NotFoundError, QuestionError
from engine.siting.defaults import starting_market

PAGE = ids.SITING


def page_layout(services: Services, **query: str) -> Any:
    """Return the page for the study that the address names, as whoever asks may see it."""
    study = query.get("study")
    if not study:
        return siting.no_study()
    user, desk = current_user(), Desk(services)
    try:
        summary = services.studies.get(user, study)
    except NotFoundError:
        return siting.no_study()
    try:
        network = services.network(user, study)
    except NetworkDataError as error:
        return siting.unusable(study, [problem.message for problem in error.problems])
    kept, problems = desk.first(user, study, query)
    opened = kept or desk.begin(user, study)
    try:
        opened = read_question(query, opened) or opened
    except QuestionError as error:
        problems = [*problems, str(error)]
    return siting.layout(
        siting.Opened(
            study=study,
            network=network,
            question=opened,
            market=siting_market.read(query.get("mk", ""), starting_market(network, opened)),
            view=read_view(query),
            map_urls=map_urls_of(study, network),
            files=siting_upload.choices_of(Seat(desk, user, study), read_only=summary.role != "owner"),
            criteria_files=siting_criteria.files_of(Seat(desk, user, study)),
            read_only=summary.role != "owner",
            problems=problems,
            **frame_of(network),
        )
    )


def register(app: Dash, services: Services) -> None:
    """Wire the page."""
    desk = Desk(services)
    register_map(app, PAGE)
    register_grid(app, PAGE, name="ranked")
    register_grid(app, PAGE, name="candidates")
    _register_browser_side(app)
    siting_seen.register(app)
    _register_question(app, desk)
    siting_panes.register(app, desk)
    siting_panels.register(app, desk)
    siting_upload.register(app, desk)
    siting_envelopes.register(app)
    siting_criteria.register(app, desk)
    siting_rows.register(app, desk)
    siting_sheet.register(app, desk)
    siting_catalogue.register(app, desk)
    siting_auction.register(app, desk)


def _register_browser_side(app: Dash) -> None:
    """Wire what needs no server: tabs, words that come and go, the address, jobs, brushing, the sheet's place."""
    app.clientside_callback(
        ClientsideFunction("siting", "showTab"),
        Output(f"{ids.SITING_TABLES}-shown", "data"),
        Input(ids.SITING_TAB, "value"),
        Input(ids.SITING_TABLES, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "showWords"),
        Output(f"{ids.siting_word('hours')}-label", "hidden"),
        Output(f"{ids.siting_word('count')}-label", "hidden"),
        Output(f"{ids.siting_word('buses')}-label", "hidden"),
        Output(f"{ids.siting_word('market-dates')}-label", "hidden"),
        Output(ids.siting_word("choice"), "disabled"),
        Output(f"{ids.siting_word('envelopes')}-text", "children"),
        Input(ids.siting_word("source"), "value"),
        Input(ids.siting_word("choice"), "value"),
        Input(ids.siting_word("candidates"), "value"),
        Input(ids.siting_word("market-days"), "value"),
        Input(ids.siting_word("kinds"), "value"),
        Input(ids.siting_word("own"), "value"),
        Input(ids.siting_word("onsite"), "value"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "showSheet"),
        Output(ids.SITING_OVERVIEW, "hidden"),
        Output(f"{ids.SITING_SHEET}-place", "hidden"),
        Input(ids.selection(PAGE), "data"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "jobs"),
        Output(f"{ids.SITING_JOB}-seen", "data"),
        Input(ids.JOBS, "data"),
        Input(ids.SITING_JOB, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "brush"),
        Output(ids.map_filter(PAGE), "data"),
        Input(ids.grid(PAGE, "ranked"), "virtualRowData"),
        Input(f"{ids.SITING_TABLES}-in-view", "value"),
        Input(ids.SITING_TAB, "value"),
        State(ids.grid(PAGE, "ranked"), "rowData"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "address"),
        Output(ids.SITING_ADDRESS, "data"),
        Input(ids.SITING_QUERY, "data"),
        Input(ids.map_layer(PAGE), "value"),
        Input(ids.SITING_TAB, "value"),
        Input(ids.selection(PAGE), "data"),
        Input(ids.SITING_ANSWERED, "data"),
        *(Input(ids.siting_word(f"market-{name}"), "value") for name in siting_market.NAMES),
        State(ids.SITING_STUDY, "data"),
        State(f"{ids.SITING_STUDY}-start", "data"),
    )


_PARTS: dict[str, tuple[str, str]] = {
    "found": (ids.SITING_FOUND, "data"),
    "state": (ids.SITING_STATE, "children"),
    "frame": (ids.SITING_FRAME, "className"),
    "compute": (ids.SITING_COMPUTE, "hidden"),
    "jobs": (ids.SITING_JOB, "data"),
    "query": (ids.SITING_QUERY, "data"),
    "envelopes": (ids.SITING_ENVELOPE, "options"),
    "sizes": (ids.SITING_SIZE, "options"),
}


def outputs_of(shown: Shown) -> dict[str, Any]:
    """Return what each part of the page is written with; a part to keep is left alone."""
    return written(parts_of(shown, _PARTS))


def _register_question(app: Dash, desk: Desk) -> None:
    @question_callback(
        app,
        _PARTS,
        {
            "words": inputs_of(siting_words.NAMES, ids.siting_word),
            "market": inputs_of(siting_market.NAMES, lambda name: ids.siting_word(f"market-{name}")),
            "compute": Input(ids.SITING_COMPUTE, "n_clicks"),
            "run": Input(f"{ids.SITING_MARKET_RUN}-pressed", "data"),
            "ended": Input(ids.SITING_JOB_ENDED, "data"),
        },
        {
            "study": State(ids.SITING_STUDY, "data"),
            "start": State(f"{ids.SITING_STUDY}-start", "data"),
            "found": State(ids.SITING_FOUND, "data"),
            "query": State(ids.SITING_QUERY, "data"),
        },
    )
    def ask(given: dict[str, Any], held: dict[str, Any]) -> Any:
        found, by = held["found"], ctx.triggered_id
        asked = Asked(
            words=given["words"],
            market=given["market"],
            start=held["start"] if isinstance(held["start"], dict) else {},
            found=found if isinstance(found, dict) else None,
            pressed=by == ids.SITING_COMPUTE and bool(given["compute"]),
            market_pressed=by == f"{ids.SITING_MARKET_RUN}-pressed" and bool(given["run"]),
            opening=held["query"] is None,  # nothing has been told yet
            ended=by == ids.SITING_JOB_ENDED,
        )
        shown = answer_to(seat_of(desk, held["study"]), asked)
        if shown.found is not KEEP:
            shown.found = held_market(shown.found, asked.found)
            if shown.found == asked.found:
                shown.found = shown.envelopes = shown.sizes = KEEP
        return told(outputs_of(shown), shown.jobs)
