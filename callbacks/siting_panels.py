"""The drawer's panels of the Siting page, each filled when looked at: envelopes, zones, sizes, time to power."""

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State, no_update

from callbacks.siting_answer import seat_of
from callbacks.siting_desk import Desk
from callbacks.siting_largest_file import address
from callbacks.siting_seen import looked_at
from components import ids, siting_compare, siting_ids, siting_overview, siting_pathways, siting_zones
from components.siting_answer import Answer
from components.siting_largest import COUNTS
from components.skeleton import state
from engine.errors import EngineError

PAGE = ids.SITING
_NOTHING = "This table fills once the gate has screened the candidates."


def fill(desk: Desk, study: Any, drawn: Any, make: Callable[[Answer], Any]) -> Any:
    """Return a panel of the answer that is drawn, or in words why there is none."""
    if not drawn:
        return state("empty", _NOTHING)
    try:
        answer = seat_of(desk, study).answer(drawn)
        return state("empty", _NOTHING) if answer is None else make(answer)
    except EngineError as error:
        return state("failed", str(error))


def register(app: Dash, desk: Desk) -> None:
    """Wire the panels."""
    _register_panel(app, desk, "zones", siting_ids.ZONES, lambda answer, *_: siting_zones.told(answer))
    _register_panel(app, desk, "sizes", f"{siting_ids.SIZES_CHART}-table", _sizes)

    @app.callback(
        Output(f"{siting_ids.COMPARE}-told", "children"),
        Input(siting_ids.seen("envelopes"), "data"),
        *(Input(f"{siting_ids.COMPARE}-{side}", "value") for side in siting_compare.SIDES),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def compare(seen: Any, *rest: Any) -> Any:
        *sides, study = rest
        drawn, _ = looked_at(seen)
        return fill(desk, study, drawn, lambda answer: siting_compare.told(answer, sides))

    @app.callback(
        *(Output(f"{siting_ids.COMPARE}-{side}", "options") for side in siting_compare.SIDES),
        *(Output(f"{siting_ids.COMPARE}-{side}", "value") for side in siting_compare.SIDES),
        Input(siting_ids.seen("envelopes"), "data"),
        State(siting_ids.ENVELOPE, "options"),
        *(State(f"{siting_ids.COMPARE}-{side}", "value") for side in siting_compare.SIDES),
        prevent_initial_call=True,
    )
    def offer(_seen: Any, options: Any, *sides: Any) -> Any:
        listed = options if isinstance(options, list) else []
        names = [option["value"] for option in listed if isinstance(option, dict) and "value" in option]
        if not names:
            return (no_update,) * 4
        first = sides[0] if sides[0] in names else names[0]
        second = sides[1] if sides[1] in names else next((name for name in names if name != first), first)
        return options, options, first, second

    @app.callback(
        Output(f"{siting_ids.PATHWAYS}-told", "children"),
        *(
            Input(siting_ids.years(key, end), "value")
            for key, *_ in siting_pathways.PATHWAYS
            for end in siting_pathways.ENDS
        ),
        prevent_initial_call=True,
    )
    def years(*values: Any) -> Any:
        try:
            return siting_pathways.told(*siting_pathways.read(values))
        except EngineError as error:
            return state("failed", f"{str(error)[:1].upper()}{str(error)[1:]}.", title="These years cannot be used")


def _sizes(answer: Answer, study: Any, drawn: Any) -> Any:
    return siting_overview.sizes_table(answer, address(study, drawn, COUNTS))


def _register_panel(app: Dash, desk: Desk, tab: str, output: str, make: Callable[[Answer, Any, Any], Any]) -> None:
    @app.callback(
        Output(output, "children"),
        Input(siting_ids.seen(tab), "data"),
        State(siting_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def show(seen: Any, study: Any) -> Any:
        drawn, _ = looked_at(seen)
        return fill(desk, study, drawn, lambda answer: make(answer, study, drawn))
