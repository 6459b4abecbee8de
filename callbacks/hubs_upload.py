"""A case of hubs of the reader's own: read, shown with what was understood, then taken into a study."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from dash import Dash, Input, Output, State, no_update

from callbacks.hubs_answer import Seat, reasons, seat_of
from callbacks.hubs_desk import Desk
from callbacks.network_import import uploaded
from components import hubs_asked, hubs_ids, hubs_upload, ids
from engine.errors import EngineError, QuestionError
from engine.pricing.files import MOST_BYTES, from_json, to_json
from engine.pricing.program import check_all, programs
from engine.pricing.question import HubQuestion
from engine.store.codec import sha256

UPLOAD = hubs_ids.UPLOAD


def offer(seat: Seat, contents: Any, name: Any) -> tuple[Any, dict[str, str] | None]:
    """Return what was understood of an uploaded file, and what takes it; None where it cannot be taken."""
    sent = contents[0] if isinstance(contents, list) and contents else contents
    title = str(name[0] if isinstance(name, list) and name else name or "case.json")[:100]
    try:
        case = from_json(uploaded(title, sent, MOST_BYTES)).checked()
        check_all(programs(case))
    except EngineError as error:
        return hubs_upload.refused(reasons(error), title), None
    content = to_json(case)
    seat.desk.services.artifacts.save(_key(seat.user, sha256(content)), content)
    return hubs_upload.understood(case, title), {"digest": sha256(content), "name": title}


def take(seat: Seat, held: Any, question: HubQuestion) -> str:
    """Keep the case that was shown and return the address of a question about it, which weighs as the file says.

    Raises EngineError in words.
    """
    digest, name = (held.get("digest"), held.get("name")) if isinstance(held, Mapping) else (None, None)
    if not isinstance(digest, str) or not isinstance(name, str):
        raise QuestionError("choose the file of a case first")
    content = seat.desk.services.artifacts.read(_key(seat.user, digest))
    if content is None:
        raise QuestionError("this case is not kept any more: choose its file again")
    case = from_json(content)
    study, kept = seat.desk.keep_file(seat.user, seat.study, name, content)
    terms, prices = case.terms, case.prices
    asked = replace(
        question, case=HubQuestion().case, dataset=kept, edits=(), line_per_mwh=terms.line_per_mwh,
        substation_per_mwh=terms.substation_per_mwh, level=terms.level, smooth=terms.smooth, fair=terms.fair,
        fairness=terms.fairness, least_per_mwh=prices.least, most_per_mwh=prices.most, exports=prices.exports,
        kappa=case.curvature.share, hours=max(2, min(case.periods, HubQuestion().hours)),
    ).checked()  # fmt: skip
    query = seat.desk.query(seat.user, study, asked)
    return f"/hubs?{urlencode({'study': study})}" + (f"&{query}" if query else "")


def register(app: Dash, desk: Desk) -> None:
    """Wire the upload."""

    @app.callback(
        Output(f"{UPLOAD}-shown", "children"),
        Output(f"{UPLOAD}-offer", "data"),
        Output(f"{UPLOAD}-take", "hidden"),
        Output(UPLOAD, "contents"),
        Input(UPLOAD, "contents"),
        State(UPLOAD, "filename"),
        State(hubs_ids.STUDY, "data"),
        prevent_initial_call=True,
    )
    def show(contents: Any, name: Any, study: Any) -> Any:
        if not contents:
            return (no_update,) * 4
        panel, offered = offer(seat_of(desk, study), contents, name)
        return panel, offered, offered is None, None  # emptied, so that the same file, mended, can be sent again

    @app.callback(
        Output(ids.LOCATION, "href", allow_duplicate=True),
        Output(f"{UPLOAD}-message", "children"),
        inputs={"clicks": Input(f"{UPLOAD}-take", "n_clicks")},
        state={
            "held": State(f"{UPLOAD}-offer", "data"),
            "words": {name: State(hubs_ids.word(name), "value") for name in hubs_asked.NAMES},
            "study": State(hubs_ids.STUDY, "data"),
        },
        prevent_initial_call=True,
    )
    def taken(clicks: Any, held: Any, words: dict[str, Any], study: Any) -> Any:
        if not clicks:
            return no_update, no_update
        try:
            question = hubs_asked.question_of(words, [])
        except QuestionError:
            question = HubQuestion()
        try:
            return take(seat_of(desk, study), held, question), ""
        except EngineError as error:
            return no_update, "; ".join(reasons(error))


def _key(user: str, digest: str) -> str:
    """Return the name of what is kept for a user: nobody finds what another one uploaded, not even by its digest."""
    return f"hubs-offer-{sha256(json.dumps([user, digest]))}"
