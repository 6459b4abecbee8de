"""What the questions of all pages share: the one that a page opens with, and how its answer is written to the page.

A page opens with the question of its link where the server keeps it, else with the study's own.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from dash import Dash, Input, Output, State, no_update

from callbacks.services import Services
from components import ids
from engine.errors import QuestionError

KEEP = object()  # "leave this part of the page as it is"
Parts = Mapping[str, tuple[str, str]]  # component and property of each part of a page that a question writes

Question = TypeVar("Question")

_DIGEST = re.compile(r"[0-9a-f]{64}")


def stored_digest(query: Mapping[str, Any]) -> str | None:
    """Return the digest of a question that the link leaves to the server, None when it carries its own."""
    text = query.get("q")
    return text if isinstance(text, str) and _DIGEST.fullmatch(text) else None


def first_question(  # noqa: PLR0913, PLR0917 (who asks where, and how a question is kept)
    services: Services,
    user: str,
    study: str,
    query: Mapping[str, Any],
    kind: str,
    page: str,
    read: Callable[[Mapping[str, Any]], Question],
) -> tuple[Question | None, list[str]]:
    """Return the question but for one in the link itself, and what could not be read, in words.

    ``kind`` is that of the answers in which questions are kept, ``page`` the key of the study's own.
    """
    problems: list[str] = []
    digest = stored_digest(query)
    if digest is not None:
        kept = services.results.get(user, study, kind, digest)
        if kept is not None:
            return read(kept.content), problems
        problems.append("the question of this link is not kept any more; this is the study's own")
    saved = services.studies.question(user, study, page)
    if saved is not None:
        try:
            return read(saved), problems
        except QuestionError as error:
            problems.append(f"the saved question cannot be used: {error}")
    return None, problems


def question_callback(
    app: Dash, parts: Parts, given: Mapping[str, Any], held: Mapping[str, State]
) -> Callable[[Callable[[dict[str, Any], dict[str, Any]], Any]], Any]:
    """Return what wires a page's question: a function of what its controls ``given`` and of what the page ``held``.

    It returns what :func:`told` makes. ``given`` are inputs, or mappings of them. It is called when the page is drawn.
    """
    found: Callable[[Callable[[dict[str, Any], dict[str, Any]], Any]], Any] = app.callback(
        output={
            "parts": {name: Output(*target) for name, target in parts.items()},
            "wake": Output(ids.JOBS_WAKE, "data", allow_duplicate=True),
        },
        inputs={"given": given},
        state={"held": held},
        prevent_initial_call="initial_duplicate",
    )
    return found


def inputs_of(names: Iterable[str], place: Callable[[str], str]) -> dict[str, Input]:
    """Return the values of a page's words as inputs, by their names."""
    return {name: Input(place(name), "value") for name in names}


def written(made: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the parts of a page are written with; a part to keep is left alone."""
    return {name: no_update if value is KEEP else value for name, value in made.items()}


def parts_of(shown: Any, parts: Parts) -> dict[str, Any]:
    """Return what ``shown`` has for each part; the Solve button is hidden where it has nothing to solve."""
    return {name: getattr(shown, name) for name in parts if hasattr(shown, name)} | {"compute": not shown.compute}


def told(parts: Mapping[str, Any], jobs: Any) -> dict[str, Any]:
    """Return what a page's question gives back: its parts, and a wake of the banner where there are jobs to follow."""
    return {"parts": dict(parts), "wake": time.time() if jobs else no_update}
