"""The panes of the Siting page, drawn at once from what is found and which part of it the controls ask for."""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from callbacks.siting_answer import Seat, drawn_from, market_stands, seat_of
from callbacks.siting_desk import Desk
from callbacks.siting_seen import looked_at
from callbacks.siting_site import site_seat
from callbacks.siting_studies import ended_job
from components import (
    ids,
    siting_funnel,
    siting_ids,
    siting_layers,
    siting_market,
    siting_overview,
    siting_states,
    siting_tables,
    siting_totals,
)
from components.siting_controls import GROUP_NAMES
from components.theme import Theme
from engine.errors import EngineError
from engine.siting.largest_job import LARGEST
from engine.siting.question import MOST_ENVELOPES

PAGE = ids.SITING
_DRAWN: dict[str, tuple[str, str]] = {
    "answered": (siting_ids.ANSWERED, "data"),
    "totals": (ids.totals(PAGE), "children"),
    "layers": (ids.map_layers(PAGE), "data"),
    "rows": (ids.grid(PAGE, "ranked"), "rowData"),
    "basis": (siting_tables.BASIS, "children"),
    "head": (f"{siting_ids.OVERVIEW}-head", "children"),
    "market": (siting_ids.MARKET, "children"),
    "rest": (f"{siting_ids.OVERVIEW}-rest", "children"),
}


def draw(seat: Seat, found: Any, asked: Mapping[str, Any], theme: Theme) -> dict[str, Any] | None:
    """Return what every pane shows, None when nothing is found. Raises EngineError in words.

    ``asked`` holds what the controls say: "view" of what is drawn, "market" of the market, whose other fields are
    those of "base".
    """
    if not isinstance(found, dict):
        return None
    drawn = drawn_from(found, asked["view"])
    answer = seat.answer(drawn)
    if answer is None:
        return None
    market, stands = market_stands(seat, drawn, asked["market"], asked["base"])
    return {
        "answered": drawn,
        "totals": siting_totals.totals_of(answer),
        "layers": siting_layers.data(answer),
        "rows": siting_tables.ranked_rows(answer),
        "basis": siting_tables.basis(answer),
        "head": siting_overview.head(answer),
        "market": siting_market.told(answer, market, stands),
        "rest": siting_overview.rest(answer, theme),
    }


def register(app: Dash, desk: Desk) -> None:
    """Wire the panes."""
    _register_draw(app, desk)
    for place in range(MOST_ENVELOPES):
        for stage in ("total", *siting_funnel.STAGES):
            _register_why(app, desk, stage, place)

    @app.callback(
        Output(ids.grid(PAGE, "candidates"), "rowData"),
        Output(ids.grid(PAGE, "candidates"), "columnDefs"),
        Input(siting_ids.seen("candidates"), "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def all_candidates(seen: Any, study: Any) -> Any:
        drawn, _ = looked_at(seen)
        if not drawn:
            return no_update, no_update
        try:
            answer = seat_of(desk, study).answer(drawn)
        except EngineError:
            return [], no_update
        if answer is None:
            return [], no_update
        columns = siting_tables.definitions(siting_tables.candidate_columns(answer))
        return siting_tables.candidate_rows(answer), columns


def _register_draw(app: Dash, desk: Desk) -> None:
    @app.callback(
        output={name: Output(*target) for name, target in _DRAWN.items()},
        inputs={
            "found": Input(siting_ids.FOUND, "data"),
            "ended": Input(f"{siting_ids.STUDY_PANEL}-ended", "data"),
            "theme": Input(ids.THEME, "data"),
            "view": {
                "envelope": Input(siting_ids.ENVELOPE, "value"),
                "size": Input(siting_ids.SIZE, "value"),
                "threshold": Input(siting_ids.word("threshold"), "value"),
                "top": Input(siting_ids.TOP, "value"),
                "weights": [Input(siting_ids.weight(place), "value") for place in range(len(GROUP_NAMES))],
                "scaling": Input(siting_ids.SCALING, "value"),
            },
            "market": {name: Input(siting_ids.word(f"market-{name}"), "value") for name in siting_market.NAMES},
        },
        state={
            "held": {
                "study": State(siting_ids.STUDY, "data"),
                "start": State(f"{siting_ids.STUDY}-start", "data"),
                "answered": State(siting_ids.ANSWERED, "data"),
            },
        },
    )
    def show(found: Any, ended: Any, theme: Any, view: Any, market: Any, held: Any) -> Any:  # noqa: PLR0913, PLR0917
        nothing, by = dict.fromkeys(_DRAWN, no_update), [one["prop_id"] for one in ctx.triggered]
        if by == [f"{siting_ids.STUDY_PANEL}-ended.data"]:  # the chart draws what the study of every size found
            over = ended_job(site_seat(desk, held["study"]), ended)
            if over is None or over.kind != LARGEST or over.state != "done":
                return nothing
        try:
            base = held["start"].get("market") if isinstance(held["start"], dict) else None
            asked = {"view": view, "market": market, "base": base}
            made = draw(seat_of(desk, held["study"]), found, asked, "dark" if theme == "dark" else "light")
        except EngineError as error:
            return nothing | {"market": siting_states.refused(str(error), title="The market cannot be asked so")}
        if made is None:
            return nothing
        # Only charts have colours of their own: written again, the answer would have every tab made once more.
        themed = by == [f"{ids.THEME}.data"]
        return nothing | {"rest": made["rest"]} if themed and held["answered"] == made["answered"] else made


def _register_why(app: Dash, desk: Desk, stage: str, place: int) -> None:
    name = siting_totals.why_id(stage, place)

    @app.callback(
        Output(f"{name}-panel", "children"),
        Input(name, "n_clicks"),
        State(siting_ids.ANSWERED, "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def why_number(clicks: int | None, drawn: Any, study: Any) -> Any:
        if not clicks:
            return no_update
        try:
            answer = seat_of(desk, study).answer(drawn)
        except EngineError as error:
            return str(error)
        if answer is None or place >= len(answer.envelopes):
            return "this number is not drawn any more: press Screen, or reload the page"
        return siting_funnel.stage_card(answer, stage, place)
