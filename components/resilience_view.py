"""What the address of the Resilience page holds: a question, what of its answer is drawn, and which tab."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from components.day import LONGEST_QUERY, asked_in
from components.resilience_asked import edits_between
from components.resilience_words import METHODS, SETS, At
from engine.data.openings import RESILIENCE
from engine.errors import QuestionError
from engine.resilience.case import MOST_STEPS
from engine.resilience.compare import CHOSEN, Method
from engine.resilience.question import ResilienceQuestion

TABS: Mapping[str, str] = {
    "modules": "Modules",
    "methods": "Methods",
    "outcomes": "Distribution",
    "curve": "Curve",
    "film": "A shock",
    "radius": "Radius",
    "rolled": "Without foresight",
    "search": "Search",
    "checks": "Checks",
}
FIRST_TAB = "modules"


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn of an answer, and which tab of the drawer; the step None for the first of the event."""

    at: At
    hour: int | None = None
    tab: str = FIRST_TAB


def read_view(query: Mapping[str, Any]) -> View:
    """Return the view of a link; what cannot be read is left at its default."""
    told = {name: value for name, value in query.items() if isinstance(value, str)}
    at = at_of(told)
    hour = _whole(told.get("hour"), MOST_STEPS)
    return View(at, hour, told["tab"] if told.get("tab") in TABS else FIRST_TAB)


def at_of(held: Any) -> At:
    """Return what is looked at from a link or a Store; what cannot be read is left at its default."""
    told = held if isinstance(held, Mapping) else {}
    method = str(told.get("method", ""))
    return At(
        method=cast("Method", method) if method in METHODS else CHOSEN,
        shock=_whole(told.get("shock"), 100_001) or 0,
        hour=_whole(told.get("hour"), MOST_STEPS) or 0,
        selection=str(told.get("selection") or told.get("sel") or "")[:200],
        on=str(told["on"]) if str(told.get("on", "")) in SETS else "",
    )


def _whole(value: Any, below: int) -> int | None:
    text = str("" if value is None else value)
    known = text.isdecimal() and text.isascii() and len(text) <= 6 and int(text) < below
    return int(text) if known else None


def question_query(question: ResilienceQuestion) -> str:
    """Return the fields of a question that differ from the usual ones, as a query string; "" for the opening one."""
    if question == RESILIENCE:
        return ""
    own, usual = question.to_json(), ResilienceQuestion().to_json()
    changed = {name: value for name, value in own.items() if value != usual[name]}
    return f"ask={quote(json.dumps(changed, separators=(',', ':')), safe=',:')}"


def job_query(kind: str, arguments: Any) -> str:
    """Return the query string of what a job of this page was asked; "" for other jobs and for what is too long."""
    asked = arguments.get("question") if kind.startswith("resilience.") and isinstance(arguments, dict) else None
    if not isinstance(asked, dict):
        return ""
    try:
        query = question_query(read(asked))
    except QuestionError:
        return ""
    return query if len(query) <= LONGEST_QUERY else ""


def read_question(query: Mapping[str, Any]) -> ResilienceQuestion | None:
    """Return the question of a link, None when it has none. Raises QuestionError for one that cannot be used."""
    content = asked_in(query)
    return None if content is None else read(content)


def read(content: Mapping[str, Any]) -> ResilienceQuestion:
    """Return a question that this page can hold. Raises QuestionError for any other."""
    question = ResilienceQuestion.from_json(content).checked()
    edits_between(question.types)
    return question
