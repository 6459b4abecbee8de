"""What the address of the Hubs page holds: a question, what of its answer is drawn, and which tab of the drawer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from components.day import LONGEST_QUERY, asked_in
from components.hubs_words import OUTCOMES, SHOWS, At, Show
from engine.data.openings import HUBS
from engine.errors import QuestionError
from engine.pricing.case import MOST_PERIODS
from engine.pricing.question import HubQuestion

TABS: Mapping[str, str] = {
    "prices": "Prices",
    "lines": "Network",
    "hubs": "Hubs",
    "schedules": "Schedules",
    "models": "Models",
    "steps": "Convergence",
    "realtime": "Real time",
    "checks": "Checks",
}
FIRST_TAB = "prices"


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn of an answer, and which tab of the drawer; the hour None for that of the largest overload."""

    at: At
    hour: int | None = None
    tab: str = FIRST_TAB


def read_view(query: Mapping[str, Any]) -> View:
    """Return the view of a link; what cannot be read is left at its default."""
    told = {name: value for name, value in query.items() if isinstance(value, str)}
    at = at_of(told)
    return View(at, at.hour if _hour(told) is not None else None, told["tab"] if told.get("tab") in TABS else FIRST_TAB)


def at_of(held: Any) -> At:
    """Return what is looked at from a link or a Store; what cannot be read is left at its default."""
    told = held if isinstance(held, Mapping) else {}
    show, outcome = str(told.get("show", "")), str(told.get("outcome", ""))
    return At(
        show=cast("Show", show) if show in SHOWS else At().show,
        outcome=outcome if outcome in OUTCOMES else At().outcome,
        hour=_hour(told) or 0,
        selection=str(told.get("selection") or told.get("sel") or "")[:200],
    )


def _hour(told: Mapping[str, Any]) -> int | None:
    text = str(told.get("hour", ""))
    known = text.isdecimal() and text.isascii() and len(text) <= 3 and int(text) < MOST_PERIODS
    return int(text) if known else None


def question_query(question: HubQuestion) -> str:
    """Return the fields of a question that differ from the usual ones, as a query string; "" for the opening one."""
    if question == HUBS:
        return ""
    own, usual = question.to_json(), HubQuestion().to_json()
    changed = {name: value for name, value in own.items() if value != usual[name]}
    return f"ask={quote(json.dumps(changed, separators=(',', ':')), safe=',:')}"


def job_query(kind: str, arguments: Any) -> str:
    """Return the query string of what a job of this page was asked; "" for other jobs and for what is too long."""
    asked = arguments.get("question") if kind.startswith("hubs.") and isinstance(arguments, dict) else None
    if not isinstance(asked, dict):
        return ""
    try:
        query = question_query(HubQuestion.from_json(asked))
    except QuestionError:
        return ""
    return query if len(query) <= LONGEST_QUERY else ""


def read_question(query: Mapping[str, Any]) -> HubQuestion | None:
    """Return the question of a link, None when it has none. Raises QuestionError for one that cannot be used."""
    content = asked_in(query)
    return None if content is None else HubQuestion.from_json(content).checked()
