"""The question that a page opens with: that of its link where the server keeps it, else the study's own."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from callbacks.services import Services
from engine.errors import QuestionError

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
