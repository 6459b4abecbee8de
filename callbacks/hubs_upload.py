"""A case of hubs of the reader's own: read, shown with what was understood, then taken into a study."""

from dataclasses import replace
from typing import Any

from dash import Dash, State

from callbacks.day_answer import reasons
from callbacks.day_desk import Seat
from callbacks.day_upload import Offer, address_of, offered, register_upload, taken
from callbacks.hubs_desk import CASE_KIND, Desk
from callbacks.network_import import uploaded
from components import hubs_asked, hubs_ids, hubs_upload
from engine.errors import EngineError, QuestionError
from engine.pricing.files import MOST_BYTES, from_json, to_json
from engine.pricing.program import check_all, programs
from engine.pricing.question import HubQuestion


def offer(seat: Seat[Desk], contents: Any, name: Any) -> tuple[Any, Offer | None]:
    """Return what was understood of an uploaded file, and what takes it; None where it cannot be taken."""
    sent = contents[0] if isinstance(contents, list) and contents else contents
    title = str(name[0] if isinstance(name, list) and name else name or "case.json")[:100]
    try:
        case = from_json(uploaded(title, sent, MOST_BYTES)).checked()
        check_all(programs(case))
    except EngineError as error:
        return hubs_upload.refused(reasons(error), title), None
    return hubs_upload.understood(case, title), offered(seat, to_json(case), title)


def take(seat: Seat[Desk], held: Any, question: HubQuestion) -> str:
    """Keep the case that was shown and return the address of a question about it, which weighs as the file says.

    Raises EngineError in words.
    """
    name, content = taken(
        seat,
        held,
        first="choose the file of a case first",
        gone="this case is not kept any more: choose its file again",
    )
    case = from_json(content)
    study, kept = seat.desk.keep_file(seat.user, seat.study, name, CASE_KIND, content)
    terms, prices = case.terms, case.prices
    asked = replace(
        question, case=HubQuestion().case, dataset=kept, edits=(), line_per_mwh=terms.line_per_mwh,
        substation_per_mwh=terms.substation_per_mwh, level=terms.level, smooth=terms.smooth, fair=terms.fair,
        fairness=terms.fairness, least_per_mwh=prices.least, most_per_mwh=prices.most, exports=prices.exports,
        kappa=case.curvature.share, hours=max(2, min(case.periods, HubQuestion().hours)),
    ).checked()  # fmt: skip
    return address_of(seat.desk, seat.user, study, asked)


def register(app: Dash, desk: Desk) -> None:
    """Wire the upload."""

    def took(seat: Seat[Desk], held: Any, words: dict[str, Any]) -> str:
        try:
            question = hubs_asked.question_of(words, [])
        except QuestionError:
            question = HubQuestion()
        return take(seat, held, question)

    words = {name: State(hubs_ids.word(name), "value") for name in hubs_asked.NAMES}
    register_upload(app, desk, words, offer, took)
