"""What a page of a day asks of the engine and the store: its answers, its files, its question.

The Feeder page and the Hubs page ask about one day. A question without a study is its reader's own: its job is his, its
answer is found by what it was asked. A reader's own files lie in a study of his, which may have no network; what names
them is answered to whom may read that study, and its jobs are the study's.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

from callbacks import auction_jobs, capacity_aside
from callbacks.asked import stored_digest
from callbacks.security import current_user
from callbacks.services import Kept, Services
from components.day import LONGEST_QUERY
from components.day_ids import DayIds
from engine.distribution.answers import came_with
from engine.errors import EngineError, NotFoundError, QuestionError
from engine.network.tables import NetworkTables
from engine.store.answers import Answer as StoredAnswer
from engine.store.codec import sha256
from engine.store.contents import Dataset
from engine.store.jobs import Job
from engine.store.records import StudyId

BARE = "bare"  # marks, in the Store of what is drawn, a question that has no answer yet
MOST_PARTIAL = 2  # runs kept of which only a part is known

Found = Literal["answered", "partial", "running", "needed", "failed", "cancelled"]


class Question(Protocol):
    """A question about a day, as all of them can be kept and named."""

    @property
    def digest(self) -> str:
        """SHA-256 of the question."""

    def to_json(self) -> dict[str, Any]:
        """Return what it is read from again."""


Q = TypeVar("Q", bound=Question)
R = TypeVar("R")


@dataclass(frozen=True, slots=True, eq=False)
class Subject(Generic[Q, R]):
    """What a page of a day asks about: how its question is read and told, and how its run is computed and kept."""

    ids: DayIds  # of its page, whose name is that of a study's own question and begins what others are kept under
    opening: Q  # the question of a page that nobody has asked anything
    read: Callable[[Mapping[str, Any]], Q]  # checked; raises QuestionError
    query: Callable[[Q], str]  # as a query string
    files: Callable[[Q], Iterable[str]]  # digests of the files that it names, "" for none
    job: str  # kind of the job that answers it
    arguments: Callable[[Q], dict[str, Any]]  # of that job
    key: Callable[[Mapping[str, Any]], str]  # of the file of the answer, of the job's arguments
    partial_key: Callable[[Mapping[str, Any]], str]  # of what is known while the job runs
    load: Callable[[Path], R]
    kept_runs: int


@dataclass(frozen=True, slots=True, eq=False)
class Stands(Generic[R]):
    """Where a question stands: its answer, what is known of it so far, or what it waits for."""

    found: Found
    run: R | None = None
    key: str = ""  # of what is drawn; of a part that is known so far, with its moment
    job: Job | None = None
    message: str = ""


class DayDesk(Generic[Q, R]):
    """Answers a page's questions about a day. One per process, safe to share between threads."""

    def __init__(self, services: Services, subject: Subject[Q, R]) -> None:
        self.services = services
        self.subject = subject
        self._page = subject.ids.PAGE
        self._asked = f"{self._page}.question"  # kind of a long question that a link names by digest
        self._runs: Kept[R] = Kept(subject.kept_runs)
        self._partial: Kept[R] = Kept(MOST_PARTIAL)

    # The answer

    def look(self, user: str, study: str, question: Q, *, submit: bool = False) -> Stands[R]:
        """Return the answer to a checked question, or where its job stands; ``submit`` begins the job.

        Raises NotFoundError for a study that the user may not read, QuestionError for a file that it does not hold.
        """
        self.allowed(user, study, question)
        kind, arguments = self.subject.job, self.arguments(question)
        key = self.subject.key(arguments)
        run = self._run(key)
        if run is not None:
            return Stands("answered", run, key)
        known = self.came_with(question) is not None  # then it is given at once
        job = self.job(user, study, kind, arguments, submit=submit or known)
        if job is None:
            return Stands("needed")
        if job.active:
            return self._so_far(arguments, job)
        if job.state == "done":
            run = self._run(key)
            return Stands("needed") if run is None else Stands("answered", run, key)
        return Stands("cancelled" if job.state == "cancelled" else "failed", job=job, message=job.error or "")

    def job(self, user: str, study: str, kind: str, arguments: Mapping[str, Any], *, submit: bool) -> Job | None:
        """Return the user's job on a question, begun where it is asked for; None when nobody has asked."""
        if not study:
            return auction_jobs.standing(self.services, user, kind, arguments, asked=submit)
        if submit:
            return self.services.jobs.submit(user, kind, arguments, study)
        return capacity_aside.standing(self.services, user, study, kind, arguments).job

    def arguments(self, question: Q) -> dict[str, Any]:
        """Return the arguments of the job that answers a question."""
        return plain(self.subject.arguments(question))

    def came_with(self, question: Q) -> Mapping[str, Any] | None:
        """Return the manifest of the answer where it came with the program, else None."""
        return came_with(self.subject.job, self.arguments(question))

    def allowed(self, user: str, study: str, question: Q) -> None:
        """Refuse what the user may not read: a study that is not his, a file that is not in it."""
        if study:
            self.services.studies.get(user, study)
        self.file_names(user, study, question)

    def question_of(self, held: Any) -> Q | None:
        """Return the question in a Store of what is drawn, None for none. Raises QuestionError for one of no page."""
        if not isinstance(held, Mapping) or not isinstance(held.get("question"), Mapping):
            return None
        return self.subject.read(held["question"])

    def drawn(self, user: str, study: str, held: Any) -> R | None:
        """Return the run of the Store of what is drawn; None when there is none (any more)."""
        question = None if is_bare(held) else self.question_of(held)
        if question is None:
            return None
        self.allowed(user, study, question)
        arguments = self.arguments(question)
        if held.get("partial"):
            return self._so_far(arguments, None).run
        return self._run(self.subject.key(arguments))

    # Files

    def file(self, user: str, study: str, digest: str) -> tuple[str, bytes]:
        """Return name and content of a file of the study. Raises QuestionError where it is not there."""
        for entry in self.datasets(user, study):
            if entry.digest == digest:
                return entry.name, self.services.studies.dataset(user, study, entry.id)[1]
        raise QuestionError("the file that the question names is in no study of yours: choose it again under More")

    def file_names(self, user: str, study: str, question: Q) -> dict[str, str]:
        """Return the names of the files that a question names, by digest. Raises as :meth:`file`."""
        return {digest: self.file(user, study, digest)[0] for digest in filter(None, self.subject.files(question))}

    def datasets(self, user: str, study: str) -> list[Dataset]:
        """Return the files of a study; none of no study."""
        return self.services.studies.datasets(user, study) if study else []

    def choices(self, user: str, study: str, kind: str) -> list[tuple[str, str]]:
        """Return (digest, name) of the study's files of a kind."""
        return [(entry.digest, entry.name) for entry in self.datasets(user, study) if entry.kind == kind]

    def keep_file(self, user: str, study: str, name: str, kind: str, content: bytes) -> tuple[str, str]:
        """Keep a file with the study, or where it is not the user's own with a new one; return study and digest."""
        if not self.owns(user, study):
            stem = name.rpartition(".")[0][:80] or name[:80]
            study = self.services.studies.create(user, stem, NetworkTables(name=stem))
        digest = sha256(content)
        if any(entry.kind == kind and entry.digest == digest for entry in self.datasets(user, study)):
            return study, digest
        return study, self.services.studies.add_dataset(user, study, name, kind, content).digest

    # The question

    def first(self, user: str, study: str, query: Mapping[str, Any]) -> tuple[Q, list[str]]:
        """Return the question the page opens with but for one in the link itself, and what could not be read."""
        problems: list[str] = []
        digest = stored_digest(query)
        if digest is not None:
            try:
                return self._stored(user, study, digest), problems
            except EngineError as error:
                problems.append(str(error))
        saved = self.services.studies.question(user, study, self._page) if study else None
        if saved is not None:
            try:
                return self.subject.read(saved), problems
            except QuestionError as error:
                problems.append(f"the saved question cannot be used: {error}")
        return self.subject.opening, problems

    def query(self, user: str, study: str, question: Q) -> str:
        """Return the question as a query string; a long one is kept by the store and named by its digest."""
        text = self.subject.query(question)
        if len(text) <= LONGEST_QUERY:
            return text
        if self.owns(user, study):
            self.services.results.put(user, study, StoredAnswer(self._asked, question.digest, question.to_json(), {}))
        else:
            self.services.artifacts.save(self._kept(question.digest), json.dumps(question.to_json()).encode())
        return f"q={question.digest}"

    def remember(self, user: str, study: str, question: Q) -> None:
        """Save what is asked with the study, and see that its answer is attached to it."""
        if not self.owns(user, study):
            return
        kind = self.subject.job
        if self.services.studies.question(user, study, self._page) != question.to_json():
            self.services.studies.save_question(user, StudyId(study), self._page, question.to_json())
        arguments = self.arguments(question)
        attached = capacity_aside.standing(self.services, user, study, kind, arguments).content is not None
        if not attached and self.services.artifacts.open(self.subject.key(arguments)) is not None:
            self.services.jobs.submit(user, kind, arguments, study)

    def owns(self, user: str, study: str) -> bool:
        """Return whether there is a study and it is the user's. Raises NotFoundError for one that he may not read."""
        return bool(study) and self.services.studies.get(user, study).role == "owner"

    def _stored(self, user: str, study: str, digest: str) -> Q:
        kept = self.services.results.get(user, study, self._asked, digest) if study else None
        content: Any = None if kept is None else kept.content
        if content is None:
            found = self.services.artifacts.read(self._kept(digest))
            content = None if found is None else json.loads(found)
        if content is None:
            raise QuestionError(
                "the question of this link is not kept any more; this is the one that the page opens with"
            )
        return self.subject.read(content)

    def _kept(self, digest: str) -> str:
        """Return the name of the file of a long question of no study."""
        return f"{self._page}-question-{digest}.json"

    def _run(self, key: str) -> R | None:
        path = self.services.artifacts.open(key)
        return None if path is None else self._runs.get(key, lambda: self.subject.load(path))

    def _so_far(self, arguments: Mapping[str, Any], job: Job | None) -> Stands[R]:
        """Return what a running job has kept so far, nothing before its first part."""
        key = self.subject.partial_key(arguments)
        path: Path | None = self.services.artifacts.open(key)
        if path is None:
            return Stands("running", job=job)
        try:
            stamped = f"{key}:{path.stat().st_mtime_ns}"
            return Stands("partial", self._partial.get(stamped, lambda: self.subject.load(path)), stamped, job)
        except (OSError, EngineError):  # it is being replaced, or the run has just ended
            return Stands("running", job=job)


D = TypeVar("D", bound=DayDesk[Any, Any])
D_co = TypeVar("D_co", bound=DayDesk[Any, Any], covariant=True)


@dataclass(frozen=True, slots=True, eq=False)
class Seat(Generic[D_co]):
    """Who asks, and in which study, "" for none: every read goes through the services with this user's access."""

    desk: D_co
    user: str
    study: str

    def drawn(self: "Seat[DayDesk[Any, R]]", held: Any) -> R | None:
        """Return the run that is drawn, None when there is none (any more)."""
        return self.desk.drawn(self.user, self.study, held)

    def owner(self) -> bool:
        """Return whether what is asked is saved. Raises NotFoundError for a study that is not the user's to read."""
        return not self.study or self.desk.owns(self.user, self.study)


def seat_of(desk: D, study: Any) -> Seat[D]:
    """Return the seat of whoever asks: the session says who it is, the page only which study."""
    return Seat(desk, current_user(), study if isinstance(study, str) else "")


def is_bare(held: Any) -> bool:
    """Return whether the Store of what is drawn holds a question that has no answer yet."""
    return isinstance(held, Mapping) and held.get(BARE) is True


def plain(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job's arguments as they come back from it: plain JSON values, so that both compare equal."""
    found: dict[str, Any] = json.loads(json.dumps(arguments))
    return found


def study_of(services: Services, user: str, wanted: Any) -> str:
    """Return the study of an address if the user may read it, "" for none."""
    if not isinstance(wanted, str) or not wanted:
        return ""
    try:
        return str(services.studies.get(user, wanted).id)
    except NotFoundError:
        return ""
