"""The Hubs page's question as a plain function: from what the page sends to what it shows."""

from typing import Any

import numpy as np

from callbacks import day_answer
from callbacks.day_answer import Asked, Asking, Shown
from callbacks.day_desk import Seat, Stands
from callbacks.hubs_desk import Desk
from components import hubs_asked, hubs_edits, hubs_states
from components.hubs_words import At, before_of, labels_of
from components.skeleton import Part
from engine.pricing import jobs
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun
from engine.pricing.searched import Searched


def _edited(seat: Seat[Desk], question: HubQuestion) -> str:
    if question.edits or question.dataset:
        seat.desk.case(seat.user, seat.study, question)
    return hubs_edits.sentence_words(question.edits)


def _drawn(run: HubRun) -> dict[str, Any]:
    over = before_of(run, At()).overloads
    return {"labels": labels_of(run), "worst": int(np.argmax(over.line_mw.sum(axis=0) + over.substation_mw))}


def _computing(seat: Seat[Desk], question: HubQuestion, stands: Stands[HubRun]) -> list[Part]:
    return hubs_states.computing(stands.job, stands.run, _searched(seat.desk, question, stands))


def _searched(desk: Desk, question: HubQuestion, stands: Stands[HubRun]) -> Searched | None:
    """Return how far the searches of a running study are; None before they have begun."""
    if stands.job is None or stands.job.state != "running":
        return None
    content = desk.services.artifacts.read(jobs.searched_key(desk.arguments(question)))
    return None if content is None else jobs.read_searched(content)


ASKING = Asking(
    question_of=hubs_asked.question_of,
    edited=_edited,
    drawn=_drawn,
    changed=hubs_asked.changed_words,
    computing=_computing,
    to_press=hubs_states.to_compute,
    notes=hubs_states.notes,
    states=hubs_states,
)


def answer_to(seat: Seat[Desk], asked: Asked) -> Shown:
    """Return what the page shows for the question that its controls hold. Refusals are told in words."""
    return day_answer.answer_to(ASKING, seat, asked)
