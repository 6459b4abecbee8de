"""What stands between a question about a day and its answer, alike on each page of a day: refusals, failures, notes."""

import re
from collections.abc import Mapping
from typing import Any

from dash import html

from components.format import duration
from components.skeleton import state

# What follows "; " begins another problem, unless it is the limit of the one before: "inventory is -1; it must be 0 to
# 1000", "beta is 2; 0 to below 1", "line 6-26 closes a loop; a feeder is a tree".
_NEXT = re.compile(r"; (?!it must |a feeder is a tree|above 0|[\d.,]+ to )")


def came_with_it(origin: Mapping[str, Any]) -> html.Div:
    """Return where an answer comes from that was computed before, by these programs, and came with them."""
    seconds = origin.get("seconds")
    took = duration(float(seconds) if isinstance(seconds, int | float) else 0.0)
    when = str(origin.get("computed_at", ""))[:10]
    words = f"Came with this program, which computed it on {when} in {took}. Once more, from nothing: Files, Python."
    return html.Div(html.P(words), className="hr-muted hr-feeder-origin", role="status")


def ended(message: str, press: str, *, cancelled: bool) -> html.Div:
    """Return the state of a job that ended without an answer; ``press`` is the word of the button that begins it."""
    if cancelled:
        return state("empty", f"Nothing was kept of it; {press} begins it again.", title="The study was cancelled")
    words = f"{full_sentence(message)} Change the question, or press {press}."
    return state("failed", words, title="The study failed")


def refused(message: str, *, title: str = "This question cannot be answered") -> html.Div:
    """Return the state of a question that is outside its range, every problem on a line."""
    lines = [full_sentence(line) for line in _NEXT.split(message) if line.strip()]
    if len(lines) == 1:
        return state("failed", lines[0], title=title)
    return state("failed", f"{len(lines)} things to mend:", title=title, details=lines)


def read_only() -> html.Div:
    """Return the note of a reader: words can be changed here, and nothing is saved."""
    return state("read-only", "You may change the words and look; nothing is saved with the study.")


def full_sentence(message: str) -> str:
    """Return a message with a capital and a stop."""
    words = message.strip().rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."
