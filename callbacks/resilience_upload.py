"""Shocks of the reader's own: read against the question when they come, made fewer, and taken into a study."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from dash import Dash, Input, Output, State, no_update

from callbacks.day_answer import reasons
from callbacks.day_desk import Seat, seat_of
from callbacks.day_upload import Offer, address_of, offered, register_upload, taken
from callbacks.network_import import uploaded
from callbacks.resilience_desk import SHOCKS_KIND, Desk
from components import resilience_asked, resilience_ids, resilience_upload
from components.day_fields import integer
from components.siting_typed import amount
from engine.errors import EngineError, QuestionError
from engine.resilience.case import MOST_SCENARIOS, PlacementCase
from engine.resilience.question import ResilienceQuestion
from engine.resilience.reduction import Method, distances, reduction
from engine.resilience.shock_files import MOST_BYTES, from_csv, to_csv

Words = Mapping[str, Any]  # what the controls of the question hold, its edits under "edits"
MOST_SHOCKS = 2_000  # that are made fewer while the reader waits
MOST_COMPARED = {"forward": 4e8, "medoids": 5e7}  # shocks squared times those that are kept: some seconds


def offer(seat: Seat[Desk], contents: Any, name: Any, words: Words) -> tuple[Any, Offer | None]:
    """Return what was understood of an uploaded file, and what takes it; None where it does not fit the question."""
    sent = contents[0] if isinstance(contents, list) and contents else contents
    title = str(name[0] if isinstance(name, list) and name else name or "shocks.csv")[:100]
    try:
        content = uploaded(title, sent, MOST_BYTES)
        read = _with(_bare(seat, _question(words)), content)
    except EngineError as error:
        return resilience_upload.refused(reasons(error), title), None
    return resilience_upload.understood(read, title), offered(seat, content, title)


def fewer(seat: Seat[Desk], count: Any, method: Any, words: Words) -> tuple[Any, Offer]:
    """Return what some of the question's shocks, that stand for all, come to, and what takes them.

    Raises EngineError in words: for a number that is none, for more than can be compared while a reader waits, and for
    a question that cannot be asked.
    """
    question = replace(_question(words), atoms=0)
    case = seat.desk.case(seat.user, seat.study, question)
    given, most = case.scenarios, MOST_COMPARED.get(method)
    if most is None:
        raise QuestionError(f"shocks are made fewer by {' or '.join(resilience_upload.WAYS.values())}")
    kept = integer(amount(count, "number of shocks to keep", 1, len(given)), "number of shocks to keep")
    if len(given) > MOST_SHOCKS or len(given) ** 2 * kept > most:
        raise QuestionError(
            f"{kept:,} of {len(given):,} shocks are too many to compare while you wait: keep fewer, at most "
            f"{max(1, int(most / len(given) ** 2)):,} of {min(len(given), MOST_SHOCKS):,}"
        )
    method_: Method = "medoids" if method == "medoids" else "forward"
    apart = distances(given, case.step_h)
    found = reduction(apart, given.probability, kept, method_)
    order = np.argsort(found.kept)
    some = given.taken(found.kept[order], found.probability[order])
    content = to_csv(some, case.campuses, case.links)
    panel = resilience_upload.reduced(case, found, apart, method_)
    return panel, offered(seat, content, f"{kept}-of-{len(given)}-shocks.csv")


def take(seat: Seat[Desk], held: Any, question: ResilienceQuestion) -> str:
    """Keep the shocks that were shown and return the address of the question with them.

    Raises EngineError with everything that does not fit the feeder, the campuses and the steps of the question, which
    may have changed since.
    """
    name, content = taken(
        seat,
        held,
        first="choose a file of shocks first",
        gone="this file is not kept any more: choose it again",
    )
    size = len(_with(_bare(seat, question), content).scenarios)
    told = min(max(size, 2), MOST_SCENARIOS)  # what the sentence says: the file has its own
    study, kept = seat.desk.keep_file(seat.user, seat.study, name, SHOCKS_KIND, content)
    return address_of(seat.desk, seat.user, study, replace(question, shocks_file=kept, scenarios=told).checked())


def _question(words: Words) -> ResilienceQuestion:
    told = dict(words)
    return resilience_asked.question_of(told, told.pop("edits", None))


def _bare(seat: Seat[Desk], question: ResilienceQuestion) -> PlacementCase:
    """Return the case of a question without shocks of a file."""
    return seat.desk.case(seat.user, seat.study, replace(question, shocks_file="", atoms=0))


def _with(case: PlacementCase, content: bytes) -> PlacementCase:
    """Return a case with the shocks of a file. Raises EngineError with everything that does not fit."""
    return replace(case, scenarios=from_csv(content, case.campuses, case.steps, case.links)).checked()


def register(app: Dash, desk: Desk) -> None:
    """Wire the upload, and the press that makes shocks fewer."""
    at = resilience_ids.UPLOAD
    words = {name: State(resilience_ids.word(name), "value") for name in resilience_asked.NAMES}
    words |= {"edits": State(resilience_ids.EDITS, "data")}
    register_upload(
        app, desk, words, offer, lambda seat, held, told: take(seat, held, _question(told)), fitted=True
    )  # fmt: skip

    @app.callback(
        Output(f"{at}-shown", "children", allow_duplicate=True),
        Output(f"{at}-offer", "data", allow_duplicate=True),
        Output(f"{at}-take", "hidden", allow_duplicate=True),
        inputs={"clicks": Input(resilience_ids.fewer("press"), "n_clicks")},
        state={
            "count": State(resilience_ids.fewer("count"), "value"),
            "method": State(resilience_ids.fewer("method"), "value"),
            "words": words,
            "study": State(resilience_ids.STUDY, "data"),
        },
        prevent_initial_call=True,
    )
    def reduce(clicks: Any, count: Any, method: Any, words: dict[str, Any], study: Any) -> Any:
        if not clicks:
            return no_update, no_update, no_update
        try:
            panel, made = fewer(seat_of(desk, study), count, method, words)
        except EngineError as error:
            return resilience_upload.refused(reasons(error), ""), None, True
        return panel, made, False
