"""The Resilience page's question as a plain function: from what the page sends to what it shows."""

from typing import Any

from callbacks import day_answer
from callbacks.day_answer import Asked, Asking, Shown
from callbacks.day_desk import Seat, Stands
from callbacks.resilience_desk import Desk
from components import resilience_asked, resilience_edits, resilience_states
from components.resilience_words import At, labels_of, shock_of
from components.skeleton import Part
from engine.resilience import jobs
from engine.resilience.placement import Mark
from engine.resilience.question import ResilienceQuestion
from engine.resilience.run import ResilienceRun


def _edited(seat: Seat[Desk], question: ResilienceQuestion) -> str:
    if question != seat.desk.subject.opening:
        seat.desk.case(seat.user, seat.study, question)  # what cannot be is refused before a job begins
    return resilience_edits.sentence_words(resilience_asked.edits_between(question.types))


def _drawn(run: ResilienceRun) -> dict[str, Any]:
    start = int(run.case.scenarios.start[shock_of(run, At())])
    return {"labels": labels_of(run), "worst": min(start + 1, run.case.steps - 1)}


def _computing(seat: Seat[Desk], question: ResilienceQuestion, stands: Stands[ResilienceRun]) -> list[Part]:
    return resilience_states.computing(stands.job, stands.run, _searched(seat.desk, question, stands))


def _searched(desk: Desk, question: ResilienceQuestion, stands: Stands[ResilienceRun]) -> tuple[Mark, ...]:
    """Return the rounds of the search of a running study; none before it has begun."""
    if stands.job is None or stands.job.state != "running":
        return ()
    content = desk.services.artifacts.read(jobs.searched_key(desk.arguments(question)))
    return () if content is None else jobs.read_searched(content)


ASKING = Asking(
    question_of=resilience_asked.question_of,
    edited=_edited,
    drawn=_drawn,
    changed=resilience_asked.changed_words,
    computing=_computing,
    to_press=resilience_states.to_compute,
    notes=resilience_states.notes,
    states=resilience_states,
)


def answer_to(seat: Seat[Desk], asked: Asked) -> Shown:
    """Return what the page shows for the question that its controls hold. Refusals are told in words."""
    return day_answer.answer_to(ASKING, seat, asked)
