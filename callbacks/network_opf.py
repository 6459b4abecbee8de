"""The DC-OPF of a study: solved at once where that is quick, else by a job; every answer is kept with the study."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from callbacks.services import Kept, Services
from engine.errors import EngineError, QuestionError, SolverError
from engine.opf.jobs import KIND, answer, opf_arguments
from engine.opf.question import OpfQuestion
from engine.opf.results import OpfAnswer
from engine.store.answers import Answer as StoredAnswer
from engine.store.codec import dump_json
from engine.store.jobs import Job, hash_input
from engine.store.kinds import KINDS

PAGE = "network"
KEPT_ANSWERS = 16  # of a grid of 10,000 buses about 1 MB each
AT_ONCE_S = 0.8  # what a solve may take within the request before it becomes a job

Found = Literal["answered", "running", "failed", "cancelled", "needed"]


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Where a question stands: answered, or what it waits for."""

    found: Found
    answer: OpfAnswer | None = None
    job: Job | None = None
    message: str = ""


class _NotKeptError(LookupError):
    """There is no answer to this question here."""


class OpfDesk:
    """Answers DC-OPF questions for the page. One per process, safe to share between threads."""

    def __init__(self, services: Services, at_once_s: float = AT_ONCE_S) -> None:
        self.services = services
        self._at_once_s = at_once_s  # 0: everything is a job
        # By study too: an answer that another study has is not kept with this one, and would be gone with the process.
        self._answers: Kept[OpfAnswer] = Kept(KEPT_ANSWERS)

    def ask(self, user: str, study: str, question: OpfQuestion, *, submit: bool) -> Standing:
        """Return the answer for the study's present network: kept, or solved now; else, with ``submit``, its job.

        Raises NetworkDataError while the network is half drawn.
        """
        network = self.services.network(user, study)
        found = self.find(user, study, network.digest, question)
        if found is not None:
            return Standing("answered", found)
        arguments = opf_arguments(network.digest, question)
        job = self._job(user, study, arguments)
        if job is not None and job.active:
            return Standing("running", job=job)
        if self._at_once_s > 0 and self.services.studies.get(user, study).role == "owner":
            made = self._at_once(user, study, question)
            if made is not None:
                return Standing("answered", made)
        if not submit:
            return Standing("needed")
        job = self.services.jobs.submit(user, KIND, arguments, study)
        if job.state == "done" and job.result is not None:
            return Standing("answered", OpfAnswer.from_json(job.result))
        return Standing("running", job=job)

    def find(self, user: str, study: str, digest: str, question: OpfQuestion) -> OpfAnswer | None:
        """Return the answer that is kept for a version of the study's network, None when there is none.

        Raises NotFoundError when the version is none of the study's, or the study none of the user's.
        """
        self.services.studies.has_network_version(user, study, digest)
        arguments = opf_arguments(digest, question)
        try:
            return self._answers.get((study, input_hash(arguments)), lambda: self._stored(user, study, arguments))
        except _NotKeptError:
            return None

    def standing(self, user: str, study: str, digest: str, question: OpfQuestion) -> Standing:
        """Return where a question stands without beginning anything."""
        found = self.find(user, study, digest, question)
        if found is not None:
            return Standing("answered", found)
        job = self._job(user, study, opf_arguments(digest, question))
        if job is None or job.state == "done":
            return Standing("needed")
        if job.active:
            return Standing("running", job=job)
        return Standing("cancelled" if job.state == "cancelled" else "failed", job=job, message=job.error)

    def saved(self, user: str, study: str) -> tuple[OpfQuestion, str] | None:
        """Return what was asked last on this study, and the digest of its network then; None when nothing was."""
        content = self.services.studies.question(user, study, PAGE)
        if not isinstance(content, Mapping) or not isinstance(content.get("network"), str):
            return None
        try:
            return OpfQuestion.from_json(content.get("question")), content["network"]
        except QuestionError:
            return None

    def save(self, user: str, study: str, digest: str, question: OpfQuestion) -> None:
        """Keep what is asked, so that the page opens with it."""
        content = {"question": question.to_json(), "network": digest}
        self.services.studies.save_question(user, study, PAGE, content)

    def _at_once(self, user: str, study: str, question: OpfQuestion) -> OpfAnswer | None:
        """Solve within the request and keep the answer with the study; None when that takes too long."""
        factors = self.services.factors(user, study)
        try:
            made = answer(factors.network, question, factors=factors, time_limit_s=self._at_once_s)
        except SolverError:
            return None
        key = input_hash(opf_arguments(made.network_digest, question))
        origin = {
            "computed_by": KIND,
            "version": KINDS[KIND].version,
            "computed_at": made.made,
            "seconds": None if made.dispatch is None else round(made.dispatch.time_s, 3),
            "input_hash": key,
        }
        self.services.results.put(user, study, StoredAnswer(KIND, key, made.to_json(), origin))
        return self._answers.get((study, key), lambda: made)

    def _stored(self, user: str, study: str, arguments: Mapping[str, Any]) -> OpfAnswer:
        kept = self.services.results.get(user, study, KIND, input_hash(arguments))
        content = None if kept is None else kept.content
        if content is None:  # a reader's: only his job has it
            job = self._job(user, study, arguments)
            content = None if job is None or job.state != "done" else job.result
        if content is None:
            raise _NotKeptError
        try:
            return OpfAnswer.from_json(content)
        except (EngineError, KeyError, TypeError) as error:  # of another version of the product
            raise _NotKeptError from error

    def _job(self, user: str, study: str, arguments: Mapping[str, Any]) -> Job | None:
        """Return the newest job of this study with these arguments."""
        listed = (job for job in self.services.jobs.list(user, study) if job.kind == KIND)
        return next((job for job in listed if dict(job.arguments) == arguments), None)


def input_hash(arguments: Mapping[str, Any]) -> str:
    """Return the hash of all that an answer depends on: the one under which the store keeps it."""
    return hash_input(KIND, KINDS[KIND], dump_json(arguments, "the question of a DC-OPF"))
