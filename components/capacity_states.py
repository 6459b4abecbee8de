"""The states of the Capacity page in plain words: what it waits for, what was refused, which limits leave nothing."""

from collections.abc import Sequence
from typing import Any

from dash import html

from components import capacity_ids
from components.capacity_answer import Answer
from components.capacity_results import sentence
from components.capacity_words import SET_NOTES
from components.format import count, megawatts, number, percent
from components.skeleton import Part, button, progress_card, state
from engine.capacity.over import LISTED
from engine.capacity.results import OverLimit

MOST_ROWS = 12
CUTOFFS = (0.05, 0.1, 0.2)  # distribution factors below one of these are dropped by many operators
HARDLY = 0.005  # of what is asked: less than this is hardly anything
COUNTED = "exceeded after outages before any addition"  # in the notice that counts them
FULL_MW = 0.1  # less room than this is none
_EVERY_SITE = "Every site adds to one of them, be it by a small part of its power."


def over_limit_state(rows: Sequence[OverLimit], *, can_change: bool = True) -> html.Div:
    """Return the limits that are exceeded before any addition, with the choice to stop or to hold them."""
    listed = sorted((row for row in rows if row.level == 0), key=lambda row: -row.over_mw)
    lines = [_over_words(row) for row in listed[:MOST_ROWS]]
    if len(listed) > MOST_ROWS:
        lines.append(f"and {number(len(listed) - MOST_ROWS)} more, in the table What binds")
    return state(
        "infeasible",
        "Existing demand alone exceeds these limits in its worst states, so no addition keeps them. Stop here and mend "
        "the network or the states, or hold these limits at their present level: then nothing may make them worse.",
        title=f"{_limits(listed)} exceeded before anything is added",
        details=lines,
        action=[
            button(
                "Hold them at their present level", capacity_ids.HOLD, primary=True, **{"data-capacity-zero": "hold"}
            ),
            button("Stop", capacity_ids.STOP, disabled=True, title="This is the present choice"),
        ]
        if can_change
        else None,
    )


def _over_words(row: OverLimit) -> str:
    where = f" in {row.state}" if row.state else ""
    load = f"{megawatts(row.load_mw)} on {megawatts(row.limit.limit_mw)}"
    return f"{sentence(row.limit.words)}: {load}, {megawatts(row.over_mw)} over{where}"


def held_state(answer: Answer) -> html.Div:
    """Return the note that limits are held, with the way back; where they leave nothing, with the ways to some room."""
    rows = answer.result.over_limit
    worst = max(rows, key=lambda row: row.over_mw)
    words = f"{sentence(worst.limit.words)} is over by {megawatts(worst.over_mw)}, the most of them."
    counted = [line for line in answer.result.notices if COUNTED in line and "at risk" not in line]
    if len(counted) > 1:  # of single periods, beside those of the year round
        words += f" By period: {'; '.join(line.rpartition(': ')[2] for line in counted[1:])}."
    title = f"{_limits(rows)} exceeded already, held at the present level"
    if counted:  # after outages the worst are listed only: the engine's own count is told, not that of the list
        title = sentence(counted[0])
        title = title.replace(" worst are listed", " worst stand in the table What binds")
    actions: list[Part] = [button("Stop instead", capacity_ids.STOP, **{"data-capacity-zero": "stop"})]
    if nothing_left(answer):
        title = f"Hardly anything can be added: {title[:1].lower()}{title[1:]}"
        words += f" {_EVERY_SITE}"
        if answer.question.security == "n-1" and answer.question.uncertainty.parameters.get("security") == "n-1":
            words += " Some hours cannot be dispatched secure; an answer may be left once small factors are dropped."
        actions = [*_ways_to_room(answer), *actions]
    return state("partial", words, title=title, action=actions)


def full_state(answer: Answer) -> html.Div:
    """Return the note that limits which are full, but not exceeded, leave nothing, with the ways to some room."""
    level = answer.result.levels[0]
    full = sum(binding.margin_mw < FULL_MW for binding in level.binding)
    words = f"{sentence(level.binding[0].words)}." if level.binding else ""
    title = f"Hardly anything can be added: {count(full or len(level.binding), 'limit')} stop every site"
    return state("partial", words, title=title, action=_ways_to_room(answer))


def nothing_left(answer: Answer) -> bool:
    """Return whether hardly anything of what is asked can be added."""
    levels = answer.result.levels
    return bool(levels) and levels[0].total_mw < HARDLY * sum(answer.result.demand_mw)


def _ways_to_room(answer: Answer) -> list[Part]:
    """Return the presses that a planner would try: drop small factors, dispatch the hours secure for outages.

    On a meshed network every site has some factor on every limit, so that one limit without room stops them all.
    """
    drops = [share for share in CUTOFFS if share > answer.question.cutoff]
    ways = [_way(f"Drop factors under {percent(share)}", "cutoff", f"{100 * share:g}") for share in drops]
    spec = answer.question.uncertainty
    if answer.question.security == "n-1" and spec.kind == "hourly" and spec.parameters.get("security") != "n-1":
        ways.insert(0, _way("Dispatch the hours secure for outages", "dispatch", "n-1"))
    if ways:
        ways[0].className += " hr-button-primary"
    return ways


def _way(text: str, word: str, value: str) -> html.Button:
    return html.Button(text, type="button", className="hr-button", **{"data-capacity-set": f"{word}={value}"})


def _limits(rows: Sequence[OverLimit]) -> str:
    """Return how many limits these are; after outages the engine lists the worst of them only."""
    limits = {(row.limit.kind, row.limit.element, row.limit.outage) for row in rows}
    after = [sum(bool(row.limit.outage) for row in rows if row.level == level) for level in {row.level for row in rows}]
    words = count(len(limits), "limit")
    return f"{words} or more" if max(after, default=0) >= LISTED else words


def large_box() -> html.Div:
    """Return the note that a box is of no use on a grid of this size, and what to ask instead."""
    return state("partial", SET_NOTES["box"], title="A box of independent ranges on a large grid")


def computing(job: Any, *, again: bool = False) -> html.Div:
    """Return the card of the running job: it follows the job by itself, and its Cancel works."""
    title = "Computing the room on every limit, again" if again else "Computing the room on every limit"
    return progress_card(
        title, done=job.done, total=job.total or None, message=job.message, eta_s=job.eta_s, job=job.id
    )


def earlier(words: str) -> html.Div:
    """Return what the study answered before, while the answer for what it holds now is computed."""
    return state("stale", f"{words}. The network or the question has changed since.", title="Before")


def to_compute(reasons: Sequence[str], *, has_answer: bool, before: str = "") -> html.Div:
    """Return the state of a question whose states must be computed first; Compute stands in the question bar."""
    if has_answer:
        what = ", ".join(reasons) or "the question"
        return state(
            "stale", f"Changed since: {what}. What is drawn is the answer of before; press Compute for the new one."
        )
    return state(
        "empty",
        "The room on every limit is computed once for these states and this supply: press Compute. After that a new "
        "risk level, demand, objective or list of sites is answered at once.",
        title="Not computed yet",
        details=[before] if before else (),
    )


def failed(message: str, *, cancelled: bool = False) -> html.Div:
    """Return the state of a job that ended without an answer."""
    if cancelled:
        return state(
            "empty",
            "The computation was cancelled; nothing was changed. Press Compute to start it again.",
            title="Cancelled",
        )
    return state("failed", f"{message} Press Compute to try again.", title="The computation failed")


def refused(message: str, *, title: str = "This question cannot be answered") -> html.Div:
    """Return the state of a question that is outside its stated range."""
    return state("failed", sentence(message), title=title)


def read_only() -> html.Div:
    """Return the note of a reader: words can be changed here, and nothing is saved."""
    return state(
        "read-only", "You may change the words and look; nothing is saved. Duplicate the study to keep your own."
    )
