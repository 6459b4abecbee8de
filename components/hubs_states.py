"""The strip between the question about hubs and its answer, in words: what runs, what is wrong, what has changed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dash import html

from components.format import duration
from components.hubs_live import live
from components.skeleton import Part, progress_card, state

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


def came_with_it(origin: Mapping[str, Any]) -> html.Div:
    """Return where an answer comes from that was computed before, by these programs, and came with them."""
    seconds = origin.get("seconds")
    took = duration(float(seconds) if isinstance(seconds, int | float) else 0.0)
    when = str(origin.get("computed_at", ""))[:10]
    words = f"Came with this program, which computed it on {when} in {took}. Once more, from nothing: Files, Python."
    return html.Div(html.P(words), className="hr-muted hr-feeder-origin", role="status")


def failed(message: str, *, cancelled: bool = False) -> html.Div:
    """Return the state of a job that ended without an answer."""
    if cancelled:
        return state("empty", "Nothing was kept of it; Compute begins it again.", title="The study was cancelled")
    return state("failed", f"{_sentence(message)} Change the question, or press Compute.", title="The study failed")


def refused(message: str, *, title: str = "This question cannot be answered") -> html.Div:
    """Return the state of a question that is outside its range, every problem on a line."""
    lines = [_sentence(line) for line in message.split("; ") if line.strip()]
    if len(lines) == 1:
        return state("failed", lines[0], title=title)
    return state("failed", f"{len(lines)} things to mend:", title=title, details=lines)


def read_only() -> html.Div:
    """Return the note of a reader: words can be changed here, and nothing is saved."""
    return state("read-only", "You may change the words and look; nothing is saved with the study.")


def notes(run: "HubRun") -> list[Part]:
    """Return what stands above an answer: exact prices that were not found."""
    message = str(run.facts["exact"].get("message", ""))
    if not run.question.exact or not message:
        return []
    words = f"{_sentence(message)} Quick prices stand; more time or a wider gap is under More."
    return [state("partial", words, title="No exact prices")]


def nothing_yet() -> html.Div:
    """Return what panels say before there is an answer."""
    return state("empty", "This fills once prices are found: press Compute in the question bar.")


def _sentence(message: str) -> str:
    words = message.strip().rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."
