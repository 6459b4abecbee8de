"""The Feeder page's question as a plain function: from what the page sends to what it shows."""

from typing import Any

from callbacks import day_answer
from callbacks.day_answer import Asked, Asking, Shown
from callbacks.day_desk import Seat, Stands
from callbacks.feeder_desk import Desk
from components import feeder_asked, feeder_edits, feeder_states
from components.skeleton import Part
from engine.distribution.question import FeederQuestion
from engine.distribution.run import FeederRun


def _edited(seat: Seat[Desk], question: FeederQuestion) -> str:
    seat.desk.check(seat.user, seat.study, question)
    centres = len(seat.desk.base(seat.user, seat.study, question).centres)
    return feeder_edits.sentence_words(centres, feeder_asked.changes_of(question))


def _drawn(run: FeederRun) -> dict[str, Any]:
    return {"labels": list(run.labels), "cases": ["on" if case.svg else "off" for case in run.cases]}


def _computing(_seat: Seat[Desk], _question: FeederQuestion, stands: Stands[FeederRun]) -> list[Part]:
    return feeder_states.computing(stands.job, stands.run)


def _notes(run: FeederRun) -> list[Part]:
    """Return the limits that could not be kept."""
    return [*feeder_states.over_limits(run), *feeder_states.flagged(run)]


def _bare(question: FeederQuestion) -> dict[str, Any]:
    return {"labels": list(question.labels), "cases": []}


ASKING = Asking(
    question_of=feeder_asked.question_of,
    edited=_edited,
    drawn=_drawn,
    changed=feeder_asked.changed_words,
    computing=_computing,
    to_press=feeder_states.to_solve,
    notes=_notes,
    states=feeder_states,
    bare=_bare,
)


def answer_to(seat: Seat[Desk], asked: Asked) -> Shown:
    """Return what the page shows for the question that its controls hold. Refusals are told in words."""
    return day_answer.answer_to(ASKING, seat, asked)
