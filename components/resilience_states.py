"""The strip between the question about modules and its answer, in words: what runs, what is wrong, what has changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from components.day_states import came_with_it, ended, read_only, refused
from components.format import percent
from components.resilience_live import live
from components.resilience_words import dollars
from components.skeleton import Part, progress_card, state
from engine.program import Status
from engine.resilience.compare import CHOSEN
from engine.resilience.placement import Mark, gap

__all__ = ["came_with_it", "computing", "failed", "notes", "nothing_yet", "read_only", "refused", "to_compute"]

if TYPE_CHECKING:
    from engine.resilience.run import ResilienceRun


def computing(job: Any, run: "ResilienceRun | None", marks: Sequence[Mark] = ()) -> list[Part]:
    """Return the card of the running study, how its search goes, and what is known so far."""
    card = progress_card(
        "Placing modules", done=job.done, total=job.total or None, message=job.message, eta_s=job.eta_s, job=job.id
    )
    parts = [card, *([] if (chart := live(marks, over=run is not None)) is None else [chart])]
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
        "Modules are placed so that shocks of the campuses cost least, the tail weighed with the mean, and the plan is "
        "judged on shocks that it was not made for: press Compute. A hundred shocks take some minutes.",
        title="Not computed yet",
    )


def failed(message: str, *, cancelled: bool = False) -> html.Div:
    """Return the state of a job that ended without an answer."""
    return ended(message, "Compute", cancelled=cancelled)


def notes(run: "ResilienceRun") -> list[Part]:
    """Return what stands above an answer: a search whose time ran out before its gap was closed."""
    chosen = run.of(CHOSEN)
    if chosen is None or chosen.status is Status.OPTIMAL:
        return []
    left = gap(chosen.own_objective, chosen.bound)
    words = (
        f"The search ended with a gap of {percent(left, 2)}: the plan costs {dollars(chosen.own_objective)} a year, "
        f"and none costs less than {dollars(chosen.bound)}. More time or a wider gap is under More."
    )
    return [state("partial", words, title="Not proved to the gap that was asked")]


def nothing_yet() -> html.Div:
    """Return what panels say before there is an answer. It takes the focus: a panel may scroll."""
    return html.Div(
        state("empty", "This fills once modules are placed: press Compute in the question bar."), tabIndex=0
    )
