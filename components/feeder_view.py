"""What is looked at on the Feeder page, as controls hold it and a link tells it; and the question of a link.

What comes back from a link is checked like any other input: a word that cannot be read is left at its default, a
question that cannot be read is told.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

from components.day import LONGEST_QUERY, asked_in
from components.feeder_layers import CASES, LAYERS, At, CaseKey
from engine.distribution.question import FeederQuestion
from engine.errors import QuestionError

TABS: Mapping[str, str] = {
    "buses": "Buses",
    "links": "Links",
    "prices": "Prices",
    "schedules": "Schedules",
    "profile": "Profile",
    "unbalance": "Unbalance",
    "effect": "SVG effect",
    "methods": "Methods",
    "several": "Feeders",
    "checks": "Checks",
}
FIRST_HOUR = 19  # of the worked day: its dearest
_MOST_HOURS = 24


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn of an answer, and which tab of the drawer."""

    at: At = field(default_factory=lambda: At(hour=FIRST_HOUR))
    tab: str = "buses"


def read_view(query: Mapping[str, Any]) -> View:
    """Return the view of a link; what cannot be read is left at its default."""
    told = {name: value for name, value in query.items() if isinstance(value, str)}
    return View(at_of(told), told["tab"] if told.get("tab") in TABS else "buses")


def at_of(held: Any) -> At:
    """Return what is looked at from a link or a Store; what cannot be read is left at its default."""
    told = held if isinstance(held, Mapping) else {}
    case, layer, hour = str(told.get("case", "")), str(told.get("layer", "")), str(told.get("hour", ""))
    known = hour.isdecimal() and hour.isascii() and len(hour) <= 2 and int(hour) < _MOST_HOURS
    return At(
        case=cast("CaseKey", case) if case in CASES else At().case,
        hour=int(hour) if known else FIRST_HOUR,
        layer=layer if layer in LAYERS else At().layer,
        selection=str(told.get("selection") or told.get("sel") or "")[:120],
    )


def question_query(question: FeederQuestion) -> str:
    """Return the fields of a question that differ from those that the page opens with, as a query string."""
    own, usual = question.to_json(), FeederQuestion().to_json()
    changed = {name: value for name, value in own.items() if value != usual[name]}
    for edit in changed.get("edits", ()):
        for name in [name for name, value in edit.items() if value == _EDIT[name]]:
            del edit[name]
    return f"ask={quote(json.dumps(changed, separators=(',', ':')), safe=',:')}" if changed else ""


def job_query(kind: str, arguments: Any) -> str:
    """Return the query string of what a job of this page was asked; "" for other jobs and for what is too long."""
    asked = arguments.get("question") if kind.startswith("feeder.") and isinstance(arguments, dict) else None
    if not isinstance(asked, dict):
        return ""
    try:
        query = question_query(FeederQuestion.from_json(asked))
    except QuestionError:
        return ""
    tab = "tab=methods" if kind == "feeder.methods" else ""
    return "&".join(part for part in (query, tab) if part) if len(query) <= LONGEST_QUERY else ""


_EDIT: Mapping[str, Any] = {"kind": None, "name": "", "bus": "", "value": 0.0, "phases": "abc"}


def read_question(query: Mapping[str, Any]) -> FeederQuestion | None:
    """Return the question of a link, None when it has none. Raises QuestionError for one that cannot be used."""
    content = asked_in(query)
    return None if content is None else FeederQuestion.from_json(content).checked()
