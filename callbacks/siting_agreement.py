"""The Agreement tab: terms drafted as controls change, kept as JSON, and applied to a meter's CSV."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from dash import ALL, Dash, Input, Output, State, ctx, no_update

from callbacks.siting_desk import Desk
from callbacks.siting_site import SiteSeat, named, site_seat
from callbacks.uploads import content_of
from components import ids, siting_ids
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
        if name == view.TIME_ZONE:
            continue
        try:
            given[name] = float(value)
        except (TypeError, ValueError):
            raise QuestionError(f"the term {name.replace('_', ' ')} is not a number") from None
    for name in view.PERCENT:
        given[name] /= 100.0
    if study.gate.onsite_mw is not None:
        raise QuestionError(
            "terms have one cap for each hour of the day, and the file gives on-site resources hour by hour: draft "
            "them with the on-site MW of each hour of the day, in the question"
        )
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
        time_zone=str(terms.get(view.TIME_ZONE) or "").strip(),
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


def read_signed(contents: Any) -> Agreement:
    """Return the agreement of an uploaded file, as Keep as JSON wrote it. Raises QuestionError in words."""
    try:
        content = json.loads(content_of(contents).decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise QuestionError("the file is no JSON") from None
    if not isinstance(content, Mapping):
        raise QuestionError("the file holds no agreement")
    return agreement_from_json(content)


def usual_step_min(times: Sequence[datetime]) -> float:
    """Return the median minutes from one sample to the next, 0 of a single one."""
    passed = np.diff([(moment - times[0]) / timedelta(minutes=1) for moment in times])
    return float(np.median(passed)) if passed.size else 0.0


def audited(held: Any, contents: Any, name: str, signed: Any = None) -> Any:
    """Return what a meter says of the terms: of ``signed``, a signed agreement with its name, else of the draft held.

    Without ``contents`` an invented month is judged.
    """
    against = "the draft"
    if isinstance(signed, Mapping):
        against, held = f"the signed agreement {signed.get('name')}", signed.get("agreement")
    if not isinstance(held, Mapping):
        raise QuestionError("select a candidate bus, or read a signed agreement: the meter is held against its terms")
    agreement = agreement_from_json(held)
    if contents is None:
        times, mw = invented_month(agreement, _INVENTED)
        return view.audited(audit(agreement, times, mw), "an invented month: the fifth day breaks its cap", against)
    try:
        text = content_of(contents).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise QuestionError("the file is not a CSV in UTF-8") from None
    times, mw = read_meter(text, agreement.sampling_min, agreement.time_zone)
    return view.audited(audit(agreement, times, mw), name, against, usual_step_min(times))


def register(app: Dash, desk: Desk) -> None:
    """Wire the draft, its file and the audit."""
    _register_terms(app, desk)

    @app.callback(
        Output(siting_ids.AUDIT, "children"),
        Input(siting_ids.METER, "contents"),
        Input(f"{siting_ids.METER_TRY}-pressed", "data"),
        Input(siting_ids.TERMS_HELD, "data"),
        Input(siting_ids.SIGNED, "data"),
        State(siting_ids.METER, "filename"),
        State(siting_ids.AUDIT, "children"),
        prevent_initial_call=True,
    )
    def judge(*given: Any) -> Any:
        contents, press, held, signed, name, shown = given
        by = ctx.triggered_id
        if by == siting_ids.TERMS_HELD and signed:
            return no_update
        if by in {siting_ids.TERMS_HELD, siting_ids.SIGNED}:  # other terms: what was judged by the old ones goes
            return None if shown else no_update
        if not (contents if by == siting_ids.METER else press):
            return no_update
        try:
            return static(audited(held, contents if by == siting_ids.METER else None, str(name or "a meter"), signed))
        except EngineError as error:
            return view.refused(str(error), f"{str(name or 'The meter')[:80]} cannot be judged")

    @app.callback(
        Output(siting_ids.SIGNED, "data"),
        Output(siting_ids.SIGNED_SHOWN, "children"),
        Input(siting_ids.SIGNED_FILE, "contents"),
        Input(f"{siting_ids.SIGNED_DROP}-pressed", "data"),
        State(siting_ids.SIGNED_FILE, "filename"),
        prevent_initial_call=True,
    )
    def sign(contents: Any, press: Any, name: Any) -> Any:
        if ctx.triggered_id != siting_ids.SIGNED_FILE:
            return (None, view.signed(None)) if press else (no_update, no_update)
        if not contents:
            return no_update, no_update
        try:
            found = read_signed(contents)
        except EngineError as error:  # what was read before must not be taken for this file
            return None, [view.refused(str(error), f"{str(name or 'The file')[:80]} cannot be read"), view.signed(None)]
        shown = str(name or "agreement.json")[:80]
        return {"name": shown, "agreement": found.to_json()}, view.signed(found, shown)


def _register_terms(app: Dash, desk: Desk) -> None:
    @app.callback(
        Output(siting_ids.TERMS, "children"),
        Output(siting_ids.TERMS_HELD, "data"),
        Output(siting_ids.TERMS_KEEP, "disabled"),
        Input(siting_ids.term(ALL), "value"),
        Input(siting_ids.LADDER, "value"),
        Input(ids.selection(ids.SITING), "data"),
        Input(siting_ids.ANSWERED, "data"),
        State(siting_ids.STUDY, "data"),
        State(siting_ids.term(ALL), "id"),
    )
    def write(*given: Any) -> Any:
        values, ladder, selection, drawn, study, names = given
        try:
            found = draft(site_seat(desk, study), drawn, selection, named(names, values), ladder)
        except EngineError as error:
            return view.refused(str(error)), None, True
        return (view.no_site(), None, True) if found is None else (static(view.terms(found)), found.to_json(), False)

    @app.callback(
        Output(siting_ids.TERMS_FILE, "data"),
        Input(siting_ids.TERMS_KEEP, "n_clicks"),
        State(siting_ids.TERMS_HELD, "data"),
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
