"""What is looked at on the Siting page, as controls hold it and a link tells it; and the question of a link.

What comes back from a link is checked like any other input: a word that cannot be read is named, and the rest of the
link still counts.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from engine.errors import QuestionError
from engine.siting.question import SitingQuestion

TABS = (
    "ranked", "candidates", "prices", "envelopes", "zones", "sizes", "pathways", "catalogue", "studies", "agreement",
    "auction",
)  # fmt: skip
LAYERS = ("shortlist", "rate", "score", "largest", "envelopes", "lmp")
LONGEST_QUERY = 2500  # characters: a longer question is kept by the server and the link carries its digest
GROUPS = 3


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn of an answer. Envelope and size may be of no answer yet: then the first that fits is drawn."""

    envelope: str = ""
    size_mw: float | None = None
    top: int | None = None
    weights: tuple[float, ...] = (1.0,) * GROUPS  # of the groups of criteria
    pooled: bool = True
    layer: str = "shortlist"
    tab: str = "ranked"
    selection: str = ""


def read_view(query: Mapping[str, Any]) -> View:
    """Return the view of a link; what cannot be read is left at its default."""
    text = {name: str(value) for name, value in query.items()}
    weights = tuple(_number(part) for part in text.get("w", "").split(",")) if text.get("w") else ()
    known = [weight for weight in weights if weight is not None and weight >= 0]
    top = text.get("k", "")
    return View(
        envelope=text.get("env", "")[:60],
        size_mw=_number(text.get("mw", "")),
        top=int(top) if top.isdigit() and 1 <= int(top) <= 500 else None,
        weights=tuple(known) if len(known) == GROUPS and sum(known) > 0 else (1.0,) * GROUPS,
        pooled=text.get("scale", "") != "own",
        layer=text["layer"] if text.get("layer") in LAYERS else "shortlist",
        tab=text["tab"] if text.get("tab") in TABS else "ranked",
        selection=text.get("sel", "")[:120],
    )


def question_query(question: SitingQuestion, start: SitingQuestion) -> str:
    """Return the fields of a question that differ from those a study opens with, as a query string."""
    own, usual = question.to_json(), start.to_json()
    changed = {name: own.get(name, []) for name in own | usual if own.get(name) != usual.get(name)}
    return f"ask={quote(json.dumps(changed, separators=(',', ':')), safe=',:')}" if changed else ""


def read_question(query: Mapping[str, Any], onto: SitingQuestion) -> SitingQuestion | None:
    """Return the question of a link: its fields, and for the others those of ``onto``; None when it has none.

    Raises QuestionError for a link that cannot be read.
    """
    text = query.get("ask")
    if not isinstance(text, str):
        return None
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise QuestionError("the question of the link cannot be read")
    return SitingQuestion.from_json({**onto.to_json(), **content})


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
