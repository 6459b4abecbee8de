"""The Hubs page's question as a plain function: from what the page sends to what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from callbacks import asked as questions
from callbacks.feeder_desk import plain
from callbacks.hubs_desk import Desk, Stands, question_of
from callbacks.security import current_user
from components import hubs_asked, hubs_edits, hubs_states
from components.hubs_words import At, before_of, labels_of
from engine.distribution.answers import came_with
from engine.errors import EngineError
from engine.pricing import jobs
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun

FRAME_CLASS = "hr-feeder-frame"
STALE_CLASS = "hr-feeder-frame hr-feeder-stale"
KEEP = questions.KEEP  # "leave this part of the page as it is"


@dataclass(frozen=True, slots=True, eq=False)
class Seat:
    """Who asks, and in which study, "" for none: every read goes through the services with this user's access."""

    desk: Desk
    user: str
    study: str

    def drawn(self, held: Any) -> HubRun | None:
        """Return the run that is drawn, None when there is none (any more)."""
        return self.desk.drawn(self.user, self.study, held)

    def owner(self) -> bool:
        """Return whether what is asked is saved. Raises NotFoundError for a study that is not the user's to read."""
        return not self.study or self.desk.services.studies.get(self.user, self.study).role == "owner"


def seat_of(desk: Desk, study: Any) -> Seat:
    """Return the seat of whoever asks: the session says who it is, the page only which study."""
    return Seat(desk, current_user(), study if isinstance(study, str) else "")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the question: what the controls hold, what is found already."""

    words: Mapping[str, Any]
    edits: Any = None
    problems: tuple[str, ...] = ()  # what of the link could not be read
    found: Mapping[str, Any] | None = None  # the Store of what is drawn
    pressed: bool = False  # Compute was pressed


@dataclass(slots=True)
class Shown:
    """What the page shows after a question; KEEP leaves a part as it is."""

    found: Any = KEEP
    state: list[Any] = field(default_factory=list)
    frame: str = FRAME_CLASS
    compute: bool = False  # the Compute button shows
    jobs: list[str] | None = None  # whose end the page waits for
    query: Any = KEEP
    edited: Any = KEEP  # the sentence's word of the edits


def answer_to(seat: Seat, asked: Asked) -> Shown:
    """Return what the page shows for the question that its controls hold. Refusals are told in words."""
    desk = seat.desk
    try:
        owner = seat.owner()
        question = hubs_asked.question_of(asked.words, asked.edits)
        if question.edits or question.dataset:
            desk.case(seat.user, seat.study, question)
        stands = desk.look(seat.user, seat.study, question, submit=asked.pressed)
        query = desk.query(seat.user, seat.study, question)
    except EngineError as error:
        return _refused(error, asked)
    shown = _shown(asked, question, stands)
    shown.edited = hubs_edits.sentence_words(question.edits)
    if owner and stands.found == "answered":
        desk.remember(seat.user, seat.study, question)
    shown.query = query
    notes = [hubs_states.refused(problem, title="The link") for problem in asked.problems]
    shown.state = [
        *(notes if asked.found is None else []),
        *([] if owner else [hubs_states.read_only()]),
        *shown.state,
    ]
    return shown


def found_of(question: HubQuestion, stands: Stands) -> dict[str, Any]:
    """Return what the Store of what is drawn holds."""
    run = stands.run
    if run is None:
        raise ValueError("nothing is found")
    over = before_of(run, At()).overloads
    return {
        "question": question.to_json(),
        "key": stands.key,
        "partial": stands.found == "partial",
        "labels": labels_of(run),
        "worst": int(np.argmax(over.line_mw.sum(axis=0) + over.substation_mw)),
    }


def _shown(asked: Asked, question: HubQuestion, stands: Stands) -> Shown:
    before = question_of(asked.found)
    shown = Shown()
    if stands.run is not None:
        found = found_of(question, stands)
        shown.found = KEEP if found == asked.found else found
        if stands.found == "answered":
            shown.state += _notes(question, stands.run)
    elif before is not None:
        shown.frame = STALE_CLASS
    if stands.job is not None and stands.job.active:
        shown.state += hubs_states.computing(stands.job, stands.run)
        shown.jobs = [stands.job.id]
    elif stands.found in {"failed", "cancelled"}:
        shown.state.append(hubs_states.failed(stands.message, cancelled=stands.found == "cancelled"))
        shown.compute = True
    elif stands.found == "needed":
        changed = hubs_asked.changed_words(before, question) if before else []
        shown.state.append(hubs_states.to_compute(changed, has_answer=before is not None))
        shown.compute = True
    return shown


def _notes(question: HubQuestion, run: HubRun) -> list[Any]:
    """Return what stands above an answer: where it comes from, and exact prices that were not found."""
    known = came_with(jobs.STUDY, plain(jobs.study_arguments(question)))
    origin = [] if known is None else [hubs_states.came_with_it(known["result"].get("origin", {}))]
    return [*hubs_states.notes(run), *origin]


def reasons(error: EngineError) -> list[str]:
    """Return every reason of a refusal."""
    problems = getattr(error, "problems", ())
    return [problem.message for problem in problems] or [str(error)]


def _refused(error: EngineError, asked: Asked) -> Shown:
    """Return the page with a refusal; what was drawn stays, under a hatch."""
    drawn = asked.found is not None
    return Shown(state=[hubs_states.refused("; ".join(reasons(error)))], frame=STALE_CLASS if drawn else FRAME_CLASS)
