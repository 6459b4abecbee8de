"""The strip between the question about hubs and its answer, in words: what runs, what is wrong, what has changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from components.day_states import came_with_it, ended, full_sentence, read_only, refused
from components.hubs_live import live
from components.skeleton import Part, progress_card, state

__all__ = ["came_with_it", "computing", "failed", "notes", "nothing_yet", "read_only", "refused", "to_compute"]

if TYPE_CHECKING:
    from engine.pricing.run import HubRun
    from engine.pricing.searched import Searched


def computing(job: Any, run: "HubRun | None", searched: "Searched | None" = None) -> list[Part]:
    """Return the card of the running study, how its searches go, and what is known so far."""
    card = progress_card(
        "Finding prices", done=job.done, total=job.total or None, message=job.message, eta_s=job.eta_s, job=job.id
    )
    parts = [card, *([] if (chart := live(searched)) is None else [chart])]
    if run is None:
        return parts
    return [*parts, state("partial", "What is drawn is known already; the rest is being computed.", title="So far")]


def to_compute(changed: Sequence[str], *, has_answer: bool) -> html.Div:
    """Return the state of a question that nobody has computed yet; Compute stands in the question bar."""
    if has_answer:
        what = ", ".join(changed) or "the question"
        return state("stale", f"Changed since: {what}. What is drawn is the answer of before; press Compute.")
    return state(
        "empty",
        "Every hub answers the operator's prices at least cost to itself; prices are sought that keep the network "
        "within its limits: press Compute. A few hubs take less than a minute.",
        title="Not computed yet",
    )


def failed(message: str, *, cancelled: bool = False) -> html.Div:
    """Return the state of a job that ended without an answer."""
    return ended(message, "Compute", cancelled=cancelled)


def notes(run: "HubRun") -> list[Part]:
    """Return what stands above an answer: exact prices that were not found."""
    message = str(run.facts["exact"].get("message", ""))
    if not run.question.exact or not message:
        return []
    words = f"{full_sentence(message)} Quick prices stand; more time or a wider gap is under More."
    return [state("partial", words, title="No exact prices")]


def nothing_yet() -> html.Div:
    """Return what panels say before there is an answer."""
    return state("empty", "This fills once prices are found: press Compute in the question bar.")
