"""Answers about hubs for the page: from the store, from a file that came with the program, or by a job.

Everything of a study is asked for with the session's user; a question without a study is that user's own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from callbacks import auction_jobs, capacity_aside
from callbacks.asked import stored_digest
from callbacks.feeder_desk import plain
from callbacks.services import Kept, Services
from components.hubs_view import LONGEST_QUERY, question_query
from engine.data.openings import HUBS
from engine.distribution.answers import came_with
from engine.errors import EngineError, QuestionError
from engine.network.tables import NetworkTables
from engine.pricing import jobs
from engine.pricing.case import HubCase
from engine.pricing.program import check_all, programs
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun
from engine.store.answers import Answer as StoredAnswer
from engine.store.contents import Dataset
from engine.store.jobs import Job
from engine.store.records import StudyId

PAGE = "hubs"
ASKED = "hubs.question"  # kind of a long question that a link names by digest
CASE_KIND = "hubs"  # of a study's files
KEPT_RUNS = 6  # three hubs over a day take some 1 MB, three thousand some 100
_MOST_PARTIAL = 2
_CHECKED = 60  # hubs whose days are tried before the job begins

Found = Literal["answered", "partial", "running", "needed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, eq=False)
class Stands:
    """Where a study stands: its answer, what is known of it so far, or what it waits for."""

    found: Found
    run: HubRun | None = None
    key: str = ""  # of what is drawn; of a part that is known so far, with its moment
    job: Job | None = None
    message: str = ""


class Desk:
    """Answers questions about hubs for the page. One per process, safe to share between threads."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._runs: Kept[HubRun] = Kept(KEPT_RUNS)
        self._partial: Kept[HubRun] = Kept(_MOST_PARTIAL)
        self._cases: Kept[HubCase] = Kept(KEPT_RUNS)

    # The answer

    def look(self, user: str, study: str, question: HubQuestion, *, submit: bool = False) -> Stands:
        """Return the answer to a checked question, or where its job stands; ``submit`` begins the job.

        Raises NotFoundError for a study that the user may not read, QuestionError for a file that it does not hold.
        """
        self.allowed(user, study, question)
        arguments = plain(jobs.study_arguments(question))
        key = jobs.study_key(arguments)
        run = self._run(key)
        if run is not None:
            return Stands("answered", run, key)
        known = came_with(jobs.STUDY, arguments) is not None
        job = self._job(user, study, arguments, submit=submit or known)
        if job is None:
            return Stands("needed")
        if job.active:
            return self._so_far(arguments, job)
        if job.state == "done":
            run = self._run(key)
            return Stands("needed") if run is None else Stands("answered", run, key)
        return Stands("cancelled" if job.state == "cancelled" else "failed", job=job, message=job.error or "")

    def _job(self, user: str, study: str, arguments: Mapping[str, Any], *, submit: bool) -> Job | None:
        """Return the user's job on a question, begun where it is asked for; None when nobody has asked."""
        if not study:
            return auction_jobs.standing(self.services, user, jobs.STUDY, arguments, asked=submit)
        if submit:
            return self.services.jobs.submit(user, jobs.STUDY, arguments, study)
        return capacity_aside.standing(self.services, user, study, jobs.STUDY, arguments).job

    def allowed(self, user: str, study: str, question: HubQuestion) -> None:
        """Refuse what the user may not read: a study that is not his, a file that is not in it."""
        if study:
            self.services.studies.get(user, study)
        if question.dataset:
            self.file(user, study, question.dataset)

    def drawn(self, user: str, study: str, held: Any) -> HubRun | None:
        """Return the run of the Store of what is drawn; None when there is none (any more)."""
        question = question_of(held)
        if question is None:
            return None
        self.allowed(user, study, question)
        arguments = plain(jobs.study_arguments(question))
        if held.get("partial"):
            return self._so_far(arguments, None).run
        return self._run(jobs.study_key(arguments))

    # Cases and files

    def case(self, user: str, study: str, question: HubQuestion) -> HubCase:
        """Return the case of a question with its edits. Raises EngineError with everything that is wrong with it."""
        self.allowed(user, study, question)
        return self._cases.get(
            question.digest, lambda: _possible(question.made(lambda digest: self.file(user, study, digest)))
        )

    def file(self, user: str, study: str, digest: str) -> tuple[str, bytes]:
        """Return name and content of a file of the study. Raises QuestionError where it is not there."""
        for entry in self.datasets(user, study):
            if entry.digest == digest:
                return entry.name, self.services.studies.dataset(user, study, entry.id)[1]
        raise QuestionError("the file that the question names is in no study of yours: choose it again under More")

    def datasets(self, user: str, study: str) -> list[Dataset]:
        """Return the files of a study; none of no study."""
        return self.services.studies.datasets(user, study) if study else []

    def choices(self, user: str, study: str) -> list[tuple[str, str]]:
        """Return (digest, name) of the study's cases of hubs."""
        return [(entry.digest, entry.name) for entry in self.datasets(user, study) if entry.kind == CASE_KIND]

    def keep_file(self, user: str, study: str, name: str, content: bytes) -> tuple[str, str]:
        """Keep a case with the study, or where it is not the user's own with a new one; return study and digest."""
        if not study or self.services.studies.get(user, study).role != "owner":
            stem = name.rpartition(".")[0][:80] or name[:80]
            study = self.services.studies.create(user, stem, NetworkTables(name=stem))
        for entry in self.datasets(user, study):
            if entry.kind == CASE_KIND and self.services.studies.dataset(user, study, entry.id)[1] == content:
                return study, entry.digest
        return study, self.services.studies.add_dataset(user, study, name, CASE_KIND, content).digest

    # The question

    def first(self, user: str, study: str, query: Mapping[str, Any]) -> tuple[HubQuestion, list[str]]:
        """Return the question the page opens with but for one in the link itself, and what could not be read."""
        problems: list[str] = []
        digest = stored_digest(query)
        if digest is not None:
            try:
                return self._stored(user, study, digest), problems
            except EngineError as error:
                problems.append(str(error))
        saved = self.services.studies.question(user, study, PAGE) if study else None
        if saved is not None:
            try:
                return HubQuestion.from_json(saved), problems
            except QuestionError as error:
                problems.append(f"the saved question cannot be used: {error}")
        return HUBS, problems

    def query(self, user: str, study: str, question: HubQuestion) -> str:
        """Return the question as a query string; a long one is kept by the store and named by its digest."""
        text = question_query(question)
        if len(text) <= LONGEST_QUERY:
            return text
        if self._owns(user, study):
            self.services.results.put(user, study, StoredAnswer(ASKED, question.digest, question.to_json(), {}))
        else:
            self.services.artifacts.save(_kept(question.digest), json.dumps(question.to_json()).encode())
        return f"q={question.digest}"

    def remember(self, user: str, study: str, question: HubQuestion) -> None:
        """Save what is asked with the study, and see that its answer is attached to it."""
        if not self._owns(user, study):
            return
        if self.services.studies.question(user, study, PAGE) != question.to_json():
            self.services.studies.save_question(user, StudyId(study), PAGE, question.to_json())
        arguments = plain(jobs.study_arguments(question))
        attached = capacity_aside.standing(self.services, user, study, jobs.STUDY, arguments).content is not None
        if not attached and self.services.artifacts.open(jobs.study_key(arguments)) is not None:
            self.services.jobs.submit(user, jobs.STUDY, arguments, study)

    def _stored(self, user: str, study: str, digest: str) -> HubQuestion:
        kept = self.services.results.get(user, study, ASKED, digest) if study else None
        content: Any = None if kept is None else kept.content
        if content is None:
            found = self.services.artifacts.read(_kept(digest))
            content = None if found is None else json.loads(found)
        if content is None:
            raise QuestionError(
                "the question of this link is not kept any more; this is the one that the page opens with"
            )
        return HubQuestion.from_json(content)

    def _owns(self, user: str, study: str) -> bool:
        return bool(study) and self.services.studies.get(user, study).role == "owner"

    def _run(self, key: str) -> HubRun | None:
        path = self.services.artifacts.open(key)
        return None if path is None else self._runs.get(key, lambda: HubRun.load(path))

    def _so_far(self, arguments: Mapping[str, Any], job: Job | None) -> Stands:
        """Return what a running study has kept so far, nothing before its first part."""
        key = jobs.partial_key(arguments)
        path: Path | None = self.services.artifacts.open(key)
        if path is None:
            return Stands("running", job=job)
        try:
            stamped = f"{key}:{path.stat().st_mtime_ns}"
            return Stands("partial", self._partial.get(stamped, lambda: HubRun.load(path)), stamped, job)
        except (OSError, EngineError):  # it is being replaced, or the run has just ended
            return Stands("running", job=job)


def question_of(held: Any) -> HubQuestion | None:
    """Return the question in a Store of what is drawn, None for none. Raises QuestionError for one of no page."""
    if not isinstance(held, Mapping) or not isinstance(held.get("question"), Mapping):
        return None
    return HubQuestion.from_json(held["question"])


def _possible(case: HubCase) -> HubCase:
    """Return the case. Raises InfeasibleError naming what hubs cannot meet; of very many hubs the job finds that."""
    if len(case.hubs) <= _CHECKED:
        check_all(programs(case))
    return case


def _kept(digest: str) -> str:
    return f"hubs-question-{digest}.json"
