"""A question about a day as a plain function: from what the page sends to what it shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol

from callbacks import asked as questions
from callbacks.day_desk import BARE, D, Q, R, Seat, Stands, is_bare
from components.skeleton import Part
from engine.errors import EngineError

FRAME_CLASS = "hr-feeder-frame"
STALE_CLASS = "hr-feeder-frame hr-feeder-stale"
KEEP = questions.KEEP  # "leave this part of the page as it is"


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of the question: what the controls hold, what is found already."""

    words: Mapping[str, Any]
    edits: Any = None
    problems: tuple[str, ...] = ()  # what of the link could not be read
    found: Mapping[str, Any] | None = None  # the Store of what is drawn
    pressed: bool = False  # the button that begins the job was pressed


@dataclass(slots=True)
class Shown:
    """What the page shows after a question; KEEP leaves a part as it is."""

    found: Any = KEEP
    state: list[Any] = field(default_factory=list)
    frame: str = FRAME_CLASS
    compute: bool = False  # the button that begins the job shows
    jobs: list[str] | None = None  # whose end the page waits for
    query: Any = KEEP
    edited: Any = KEEP  # the sentence's word of the edits


class States(Protocol):
    """A module of what stands between a question and its answer, in words."""

    def refused(self, message: str, *, title: str = ...) -> Part:
        """Return the state of a question, or of a link, that cannot be used."""

    def read_only(self) -> Part:
        """Return the note of a reader, for whom nothing is saved."""

    def failed(self, message: str, *, cancelled: bool = ...) -> Part:
        """Return the state of a job that ended without an answer."""

    def came_with_it(self, origin: Mapping[str, Any]) -> Part:
        """Return where an answer comes from that came with the program."""


@dataclass(frozen=True, slots=True, eq=False)
class Asking(Generic[D, Q, R]):
    """What of a page's question is its own: how it is read, and what its answer is told with."""

    question_of: Callable[[Mapping[str, Any], Any], Q]  # what the controls hold; raises QuestionError
    edited: Callable[
        [Seat[D], Q], str | None
    ]  # the sentence's word of the edits; raises EngineError for impossible ones
    drawn: Callable[[R], Mapping[str, Any]]  # what the browser is told of the run that is drawn
    changed: Callable[[Q, Q], Sequence[str]]  # what of a question has changed, in words
    computing: Callable[[Seat[D], Q, Stands[R]], Sequence[Part]]  # the job that runs, and what is known so far
    to_press: Callable[..., Part]  # of (changed, has_answer=): what to press for an answer
    notes: Callable[[R], Sequence[Part]]  # what stands above an answer
    states: States
    # What the browser is told of a question without an answer, for what is drawn meanwhile; None where nothing is.
    bare: Callable[[Q], Mapping[str, Any]] | None = None


def answer_to(asking: Asking[D, Q, R], seat: Seat[D], asked: Asked) -> Shown:
    """Return what the page shows for the question that its controls hold. Refusals are told in words."""
    desk, states = seat.desk, asking.states
    try:
        owner = seat.owner()
        question = asking.question_of(asked.words, asked.edits)
        edited = asking.edited(seat, question)
        stands = desk.look(seat.user, seat.study, question, submit=asked.pressed)
        query = desk.query(seat.user, seat.study, question)
    except EngineError as error:
        return _refused(asking, error, asked)
    shown = _shown(asking, seat, asked, question, stands)
    shown.edited = edited
    if owner and stands.found == "answered":
        desk.remember(seat.user, seat.study, question)
    shown.query = query
    notes = [states.refused(problem, title="The link") for problem in asked.problems]
    shown.state = [*(notes if asked.found is None else []), *([] if owner else [states.read_only()]), *shown.state]
    return shown


def _shown(asking: Asking[D, Q, R], seat: Seat[D], asked: Asked, question: Q, stands: Stands[R]) -> Shown:
    before = None if is_bare(asked.found) else seat.desk.question_of(asked.found)
    shown = Shown()
    if stands.run is not None:
        found = {
            "question": question.to_json(),
            "key": stands.key,
            "partial": stands.found == "partial",
            **asking.drawn(stands.run),
        }
        shown.found = KEEP if found == asked.found else found
        if stands.found == "answered":
            shown.state += [*asking.notes(stands.run), *_origin(asking, seat, question)]
    elif before is not None:
        shown.frame = STALE_CLASS
    elif asking.bare is not None:
        found = {"question": question.to_json(), "key": f"bare {question.digest}", BARE: True, **asking.bare(question)}
        shown.found = KEEP if found == asked.found else found
    if stands.job is not None and stands.job.active:
        shown.state += asking.computing(seat, question, stands)
        shown.jobs = [stands.job.id]
    elif stands.found in {"failed", "cancelled"}:
        shown.state.append(asking.states.failed(stands.message, cancelled=stands.found == "cancelled"))
        shown.compute = True
    elif stands.found == "needed":
        changed = asking.changed(before, question) if before else []
        shown.state.append(asking.to_press(changed, has_answer=before is not None))
        shown.compute = True
    return shown


def _origin(asking: Asking[D, Q, R], seat: Seat[D], question: Q) -> list[Part]:
    """Return where the answer comes from, where it came with the program."""
    known = seat.desk.came_with(question)
    return [] if known is None else [asking.states.came_with_it(known["result"].get("origin", {}))]


def _refused(asking: Asking[D, Q, R], error: EngineError, asked: Asked) -> Shown:
    """Return the page with a refusal; what was drawn stays, under a hatch."""
    frame = FRAME_CLASS if asked.found is None else STALE_CLASS
    return Shown(state=[asking.states.refused("; ".join(reasons(error)))], frame=frame)


def reasons(error: EngineError) -> list[str]:
    """Return every reason of a refusal."""
    problems = getattr(error, "problems", ())
    return [problem.message for problem in problems] or [str(error)]
