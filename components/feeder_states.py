"""The strip between the feeder's question and its answer, in words: what runs, what is wrong, what has changed."""

from collections.abc import Sequence
from typing import Any

from dash import html

from components.day_states import came_with_it, ended, read_only, refused
from components.feeder_layers import case_words
from components.format import count, duration
from components.skeleton import Part, progress_card, state
from engine.distribution import jobs
from engine.distribution.answers import came_with
from engine.distribution.question import FeederQuestion
from engine.distribution.run import FeederRun

__all__ = [
    "came_with_it", "computing", "failed", "flagged", "nothing_yet", "over_limits", "read_only", "refused", "to_solve",
]  # fmt: skip


def computing(job: Any, run: FeederRun | None) -> list[Part]:
    """Return the card of the running study, and what is known so far."""
    card = progress_card(
        "Solving the day", done=job.done, total=job.total or None, message=job.message, eta_s=job.eta_s, job=job.id
    )
    if run is None:
        return [card]
    done = "without" if not run.cases[0].svg else "with"
    words = f"The case {done} static var generators is drawn; the other one is being solved."
    return [card, state("partial", words, title="So far")]


def to_solve(changed: Sequence[str], *, has_answer: bool) -> html.Div:
    """Return the state of a question that nobody has solved yet; Solve stands in the question bar."""
    if has_answer:
        what = ", ".join(changed) or "the question"
        return state("stale", f"Changed since: {what}. What is drawn is the answer of before; press Solve.")
    return state(
        "empty",
        "Every hour is operated at least cost, its prices are taken apart, and AC power flow judges it: press Solve."
        f"{_measured()}",
        title="Not solved yet",
    )


def _measured() -> str:
    """Return how long the worked day took where its answer was computed; nothing where none came with the program."""
    known = came_with(jobs.STUDY, jobs.study_arguments(FeederQuestion()))
    if known is None:
        return ""
    origin = known["result"]["origin"]
    processors = count(int(origin["processors"]), "processor")
    return f" The worked day took {duration(float(origin['seconds']))} where it was computed, with {processors}."


def failed(message: str, *, cancelled: bool = False) -> html.Div:
    """Return the state of a job that ended without an answer."""
    return ended(message, "Solve", cancelled=cancelled)


def over_limits(run: FeederRun) -> list[Part]:
    """Return the note that limits are exceeded whatever is done, with the cases where they are."""
    found = [
        f"{case_words(case)}: {count(len(case.facts['violations']), 'limit')}"
        for case in run.cases
        if case.facts["violations"]
    ]
    if not found:
        return []
    words = (
        f"No operation keeps every limit in every hour ({'; '.join(found)}). Each is exceeded as little as its price "
        "allows, and the prices there are those of exceeding it. Lower the loads, move a data centre, or add an SVG; "
        "the tab Checks names every one."
    )
    return [state("infeasible", words, title="Limits cannot be kept")]


def flagged(run: FeederRun) -> list[Part]:
    """Return the note that AC finds limits exceeded which the linear flow keeps, for each case where it does."""
    return [
        html.P(
            f"{case_words(case)}, AC power flow finds {count(len(case.facts['flags']), 'limit')} "
            "exceeded that the linear flow keeps: see Checks.",
            className="hr-feeder-flagged",
            role="status",
        )
        for case in run.cases
        if case.facts["flags"]
    ]


def nothing_yet() -> html.Div:
    """Return what panels say before there is an answer."""
    return state("empty", "This fills once the day is solved: press Solve in the question bar.")
