"""The Agreement tab: terms drafted as controls change, kept as JSON, and applied to a meter's CSV."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks.siting_desk import Desk
from callbacks.siting_site import SiteSeat, named, site_seat
from callbacks.uploads import content_of
from components import ids
from components import siting_agreement as view
from components.skeleton import parse_element
from components.static import static
from engine.errors import EngineError, QuestionError
from engine.siting.agreement import LADDER_DAYS, Agreement, Rung, agreement_from_json
from engine.siting.audit import audit, invented_month
from engine.siting.meter import read_meter

_INVENTED = date(2026, 6, 1)
_LONGEST_LADDER = 2000


def draft(seat: SiteSeat, drawn: Any, selection: Any, terms: Mapping[str, Any], ladder: Any) -> Agreement | None:
    """Return the agreement that the controls hold for the selected candidate, None without one.

    Raises QuestionError with what is wrong.
    """
    study = seat.read(drawn)
    bus = None if study is None else study.bus(parse_element(selection))
    if study is None or bus is None or bus not in study.gate.buses:
        return None
    own = next(one for one in study.gate.envelopes if one.name == study.envelope)
    given: dict[str, float] = {}
    for name, value in terms.items():
        try:
            given[name] = float(value)
        except (TypeError, ValueError):
            raise QuestionError(f"the term {name.replace('_', ' ')} is not a number") from None
    for name in view.PERCENT:
        given[name] /= 100.0
    return Agreement(
        site=study.words(bus),
        envelope=own,
        nameplate_mw=study.size_mw,
        sampling_min=int(given["sampling_min"]),
        response_min=int(given["response_min"]),
        tolerance_mw=given["tolerance_mw"],
        tolerance_share=given["tolerance_share"],
        energy_band=given["energy_band"],
        least_coverage=given["least_coverage"],
        ladder=ladder_of(ladder),
    ).checked()


def ladder_of(text: Any) -> tuple[Rung, ...]:
    """Return the rungs of ``3: cure plan`` lines. Raises QuestionError naming the line."""
    found = []
    for line in str(text or "")[:_LONGEST_LADDER].splitlines():
        days, colon, consequence = line.partition(":")
        if not line.strip():
            continue
        if not colon or not days.strip().isdigit() or not consequence.strip():
            raise QuestionError(
                f"the ladder's line {line.strip()[:40]!r} is not a number of days (1 to {LADDER_DAYS}), a colon, and "
                "what follows"
            )
        found.append(Rung(int(days), consequence.strip()))
    return tuple(found)


def audited(held: Any, contents: Any, name: str) -> Any:
    """Return what a meter says of the terms held; without ``contents`` an invented month is judged."""
    if not isinstance(held, Mapping):
        raise QuestionError("select a candidate bus first: the meter is held against its draft")
    agreement = agreement_from_json(held)
    if contents is None:
        times, mw = invented_month(agreement, _INVENTED)
        return view.audited(audit(agreement, times, mw), "an invented month: the fifth day breaks its cap")
    try:
        text = content_of(contents).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise QuestionError("the file is not a CSV in UTF-8") from None
    times, mw = read_meter(text)
    return view.audited(audit(agreement, times, mw), name)


def register(app: Dash, desk: Desk) -> None:
    """Wire the draft, its file and the audit."""
    _register_terms(app, desk)

    @app.callback(
        Output(ids.SITING_AUDIT, "children"),
        Input(ids.SITING_METER, "contents"),
        Input(f"{ids.SITING_METER_TRY}-pressed", "data"),
        Input(ids.SITING_TERMS_HELD, "data"),
        State(ids.SITING_METER, "filename"),
        State(ids.SITING_AUDIT, "children"),
        prevent_initial_call=True,
    )
    def judge(contents: Any, press: Any, held: Any, name: Any, shown: Any) -> Any:
        by = ctx.triggered_id
        if by == ids.SITING_TERMS_HELD:  # other terms: what was judged by the old ones goes
            return None if shown else no_update
        if not (contents if by == ids.SITING_METER else press):
            return no_update
        try:
            return static(audited(held, contents if by == ids.SITING_METER else None, str(name or "a meter")))
        except EngineError as error:
            return view.refused(str(error))


def _register_terms(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(ids.SITING_TERMS, "children"),
        Output(ids.SITING_TERMS_HELD, "data"),
        Input(ids.siting_term(ALL), "value"),
        Input(ids.SITING_LADDER, "value"),
        Input(ids.selection(ids.SITING), "data"),
        Input(ids.SITING_ANSWERED, "data"),
        State(ids.SITING_STUDY, "data"),
        State(ids.siting_term(ALL), "id"),
    )
    def write(*given: Any) -> Any:
        values, ladder, selection, drawn, study, names = given
        try:
            found = draft(site_seat(desk, study), drawn, selection, named(names, values), ladder)
        except EngineError as error:
            return view.refused(str(error)), None
        return (view.no_site(), None) if found is None else (static(view.terms(found)), found.to_json())

    @app.callback(
        Output(ids.SITING_TERMS_FILE, "data"),
        Input(ids.SITING_TERMS_KEEP, "n_clicks"),
        State(ids.SITING_TERMS_HELD, "data"),
        prevent_initial_call=True,
    )
    def keep(clicks: int | None, held: Any) -> Any:
        if not clicks or not isinstance(held, Mapping):
            return no_update
        try:
            content = json.dumps(agreement_from_json(held).to_json(), indent=1)
        except EngineError:
            return no_update
        return {"filename": "agreement.json", "content": content, "type": "application/json", "base64": False}
