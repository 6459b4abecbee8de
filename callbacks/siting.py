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
    siting_preset,
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
from components import ids, siting, siting_ids, siting_market, siting_words
from components.grid_map import register_map
from components.no_study import no_study
from components.siting_view import read_question, read_view
from components.tables import register_grid
from engine.errors import NetworkDataError, NotFoundError, QuestionError
from engine.siting.defaults import starting_market

PAGE = ids.SITING


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
    siting_preset.register(app)
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
        Output(f"{siting_ids.TABLES}-shown", "data"),
        Input(siting_ids.TAB, "value"),
        Input(siting_ids.TABLES, "id"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "showWords"),
        Output(f"{siting_ids.word('hours')}-label", "hidden"),
        Output(f"{siting_ids.word('count')}-label", "hidden"),
        Output(f"{siting_ids.word('buses')}-label", "hidden"),
        Output(f"{siting_ids.word('market-dates')}-label", "hidden"),
        Output(siting_ids.word("choice"), "disabled"),
        Output(f"{siting_ids.word('envelopes')}-text", "children"),
        Input(siting_ids.word("source"), "value"),
        Input(siting_ids.word("choice"), "value"),
        Input(siting_ids.word("candidates"), "value"),
        Input(siting_ids.word("market-days"), "value"),
        Input(siting_ids.word("kinds"), "value"),
        Input(siting_ids.word("own"), "value"),
        Input(siting_ids.word("onsite"), "value"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "priceMore"),
        Output(siting_ids.word("market-days"), "value"),
        Output(siting_ids.word("market-noise"), "value"),
        Output(f"{siting_ids.MARKET_RUN}-pressed", "data"),
        Input(f"{siting_ids.MARKET_WEEK}-pressed", "data"),
        Input(f"{siting_ids.MARKET_NOISE}-pressed", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("siting", "showSheet"),
        Output(siting_ids.OVERVIEW, "hidden"),
        Output(f"{siting_ids.SHEET}-place", "hidden"),
        Input(ids.selection(PAGE), "data"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "jobs"),
        Output(f"{siting_ids.JOB}-seen", "data"),
        Input(ids.JOBS, "data"),
        Input(siting_ids.JOB, "data"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "brush"),
        Output(ids.map_filter(PAGE), "data"),
        Input(ids.grid(PAGE, "ranked"), "virtualRowData"),
        Input(f"{siting_ids.TABLES}-in-view", "value"),
        Input(siting_ids.TAB, "value"),
        State(ids.grid(PAGE, "ranked"), "rowData"),
    )
    app.clientside_callback(
        ClientsideFunction("siting", "address"),
        Output(siting_ids.ADDRESS, "data"),
        Input(siting_ids.QUERY, "data"),
        Input(ids.map_layer(PAGE), "value"),
        Input(siting_ids.TAB, "value"),
        Input(ids.selection(PAGE), "data"),
        Input(siting_ids.ANSWERED, "data"),
        *(Input(siting_ids.word(f"market-{name}"), "value") for name in siting_market.NAMES),
        State(siting_ids.STUDY, "data"),
        State(f"{siting_ids.STUDY}-start", "data"),
    )


_PARTS: dict[str, tuple[str, str]] = {
    "found": (siting_ids.FOUND, "data"),
    "state": (siting_ids.STATE, "children"),
    "frame": (siting_ids.FRAME, "className"),
    "compute": (siting_ids.COMPUTE, "hidden"),
    "jobs": (siting_ids.JOB, "data"),
    "query": (siting_ids.QUERY, "data"),
    "envelopes": (siting_ids.ENVELOPE, "options"),
    "sizes": (siting_ids.SIZE, "options"),
}


def outputs_of(shown: Shown) -> dict[str, Any]:
    """Return what each part of the page is written with; a part to keep is left alone."""
    return written(parts_of(shown, _PARTS))


def _register_question(app: Dash, desk: Desk) -> None:
    @question_callback(
        app,
        _PARTS,
        {
            "words": inputs_of(siting_words.NAMES, siting_ids.word),
            "market": inputs_of(siting_market.NAMES, lambda name: siting_ids.word(f"market-{name}")),
            "compute": Input(siting_ids.COMPUTE, "n_clicks"),
            "run": Input(f"{siting_ids.MARKET_RUN}-pressed", "data"),
            "ended": Input(siting_ids.JOB_ENDED, "data"),
        },
        {
            "study": State(siting_ids.STUDY, "data"),
            "start": State(f"{siting_ids.STUDY}-start", "data"),
            "found": State(siting_ids.FOUND, "data"),
            "query": State(siting_ids.QUERY, "data"),
        },
    )
    def ask(given: dict[str, Any], held: dict[str, Any]) -> Any:
        # The press for the typical days is also one of the word for the days: both come at once.
        found, by = held["found"], set(ctx.triggered_prop_ids.values())
        asked = Asked(
            words=given["words"],
            market=given["market"],
            start=held["start"] if isinstance(held["start"], dict) else {},
            found=found if isinstance(found, dict) else None,
            pressed=siting_ids.COMPUTE in by and bool(given["compute"]),
            market_pressed=f"{siting_ids.MARKET_RUN}-pressed" in by and bool(given["run"]),
            opening=held["query"] is None,  # nothing has been told yet
            ended=siting_ids.JOB_ENDED in by,
        )
        shown = answer_to(seat_of(desk, held["study"]), asked)
        if shown.found is not KEEP:
            shown.found = held_market(shown.found, asked.found)
            if shown.found == asked.found:
                shown.found = shown.envelopes = shown.sizes = KEEP
        return told(outputs_of(shown), shown.jobs)
