"""What the Capacity page asks of the engine and the store: margins found or computed, answers kept for a while.

Everything goes through the services with the user's access; what is kept here is keyed by the digests of
its inputs, so that it may be shared between users who may see the same network.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from callbacks.asked import first_question
from callbacks.capacity_deep import DeepAnswers, joined
from callbacks.capacity_largest_desk import LargestDesk
from callbacks.services import Kept, Services
from components.capacity_answer import Answer
from components.capacity_deep import Cell, Variant, plain
from components.capacity_view import LONGEST_QUERY, question_query
from engine.capacity import jobs
from engine.capacity.allocation import allocate
from engine.capacity.alone import alone, risk_curve
from engine.capacity.defaults import starting_question
from engine.capacity.margins import Prepared
from engine.capacity.products import ProductSet, product_set
from engine.capacity.question import CapacityQuestion
from engine.capacity.results import RiskCurve, Verdict
from engine.compute import HERE, Workers
from engine.errors import EngineError, QuestionError
from engine.network.model import Network
from engine.network.tables import NetworkTables
from engine.store.answers import Answer as StoredAnswer
from engine.store.contents import Dataset
from engine.store.jobs import Job

PAGE = "capacity"
ASKED = "capacity.question"  # kind of a long question that a link names by digest
ANSWERED = "capacity"  # kind of the last answer, for Home and for a network that changed since
KIND = jobs.PREPARE
KEPT_MARGINS = 4  # on Texas some 30 MB each beside the factors
KEPT_ANSWERS = 24
MOST_CELLS_AT_ONCE = 1_200_000  # scenarios times buses that are prepared within the request, in about half a second
MOST_CELLS_CHECKED = 5_000_000  # and that a product set is checked on while it is published, in about two seconds

Found = Literal["answered", "running", "needed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """Where a question stands: answered, or what it waits for."""

    found: Found
    answer: Answer | None = None
    job: Job | None = None
    message: str = ""


class CheckRunningError(EngineError):
    """The check of a product set is under way: it is published when its job is done."""

    def __init__(self, job: str) -> None:
        super().__init__("the set is checked apart first; it is published when the check is done")
        self.job = job


class Desk:
    """Answers capacity questions for the page. One per process, safe to share between threads."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._margins: Kept[Prepared] = Kept(KEPT_MARGINS)
        self._answers: Kept[Answer] = Kept(KEPT_ANSWERS)
        self._deep = DeepAnswers(services)
        self.largest = LargestDesk(services)

    def look(self, user: str, study: str, question: CapacityQuestion, *, submit: bool) -> Situation:
        """Return the plain answer if its margins are there, else where their job stands; ``submit`` begins the job.

        Outages, redispatch and periods are left out of it: :meth:`look_deep`. On a small network the
        margins are computed at once. Raises EngineError in words.
        """
        network, question = self.services.network(user, study), plain(question)
        arguments = jobs.prepare_arguments(network.digest, question)
        prepared = self._prepared(user, study, network, arguments)
        if prepared is None and _is_small(network, question):
            context = AtOnce(self.services, user, study, network)
            jobs.prepare_job(arguments, context)
            prepared = self._prepared(user, study, network, arguments)
        if prepared is not None:
            return Situation("answered", answer=self._answer(network, prepared, question))
        job = self._job(user, study, arguments)
        if submit and not (job and job.active):
            job = self.services.jobs.submit(user, KIND, arguments, study)
            if job.state == "done":  # computed before, by a study with the same inputs
                prepared = self._prepared(user, study, network, arguments)
                if prepared is not None:
                    return Situation("answered", answer=self._answer(network, prepared, question))
        return _standing(job)

    def look_deep(self, user: str, study: str, question: CapacityQuestion, bare: Answer, *, submit: bool) -> Situation:
        """Return the answer with outages, redispatch or periods, else where its job stands; ``submit`` begins it.

        ``bare`` is the plain answer to the same question.
        """
        network = bare.network
        found = self._whole(user, study, question, bare)
        if found is not None:
            return Situation("answered", answer=found)
        job = self._deep.job(user, study, network, question)
        if submit and not (job and job.active):
            job = self._deep.submit(user, study, network, question)
            if job.state == "done":  # computed before, by a study with the same inputs
                found = self._whole(user, study, question, bare)
                if found is not None:
                    return Situation("answered", answer=found)
        return _standing(job)

    def answer(self, user: str, study: str, content: Any, digest: Any = None, period: Any = None) -> Answer | None:
        """Return the answer to a question that the page holds as JSON, None when there is none (any more).

        Raises QuestionError when the network is not the one of ``digest`` any more: another tab edits it too.
        """
        if not isinstance(content, Mapping):
            return None
        question = CapacityQuestion.from_json(content)
        network = self.services.network(user, study)
        if digest is not None and digest != network.digest:
            raise QuestionError("the network has changed since this was drawn: press Compute, or reload the page")
        found = self._kept(user, study, network, question)
        return None if found is None else found.at_period(str(period or ""))

    def at(self, user: str, study: str, question: CapacityQuestion, digest: str) -> Answer | None:
        """Return the kept answer on a version of the network that the study's history holds; nothing is started.

        None when it was not computed, or is not kept any more. Raises EngineError in words.
        """
        return self._kept(user, study, self.services.network_version(user, study, digest), question)

    def side_by_side(self, user: str, study: str, answer: Answer) -> dict[Variant, Cell]:
        """Return the same question without and with outages, fixed supply and redispatch, as far as computed."""
        return self._deep.cells(user, study, answer)

    def margins(self, answer: Answer) -> Prepared | None:
        """Return the margins with all rows after outages that the drawn period was answered on; None where there are
        none (redispatch, the least of several periods), or they are not kept any more.
        """
        if not answer.deep:
            return answer.prepared
        return dict(self._deep.margins(answer.network, answer.question) or ()).get(answer.period)

    def start(self, user: str, study: str, question: CapacityQuestion) -> None:
        """Begin the job of an answer with outages, redispatch or periods."""
        self._deep.submit(user, study, self.services.network(user, study), question)

    def running(self, user: str, study: str) -> list[str]:
        """Return the ids of the jobs that compute answers with outages, redispatch or periods for the study."""
        return self._deep.running(user, study, self.services.network(user, study))

    def _kept(self, user: str, study: str, network: Network, question: CapacityQuestion) -> Answer | None:
        asked = plain(question)
        prepared = self._prepared(user, study, network, jobs.prepare_arguments(network.digest, asked))
        if prepared is None:
            return None
        bare = self._answer(network, prepared, asked)
        return bare if asked == question else self._whole(user, study, question, bare)

    def _whole(self, user: str, study: str, question: CapacityQuestion, bare: Answer) -> Answer | None:
        found = self._deep.find(user, study, bare.network, question)
        if found is None:
            return None
        key = (bare.network.digest, question.digest())
        return self._answers.get(key, lambda: joined(bare, question, found, self._deep.margins(bare.network, question)))

    def checked(self, user: str, study: str, answer: Answer) -> ProductSet | None:
        """Return the answer's products with the independent checker's word in their witness.

        Without the word when the states are too many to check within a request, or are not kept any more. With
        outages, redispatch or periods the check is a job of its own: raises CheckRunningError while it runs.
        Raises InfeasibleError when a promise does not hold.
        """
        products, prepared = answer.products, answer.prepared
        if products is None:
            return None
        arguments = jobs.prepare_arguments(answer.network.digest, answer.question)
        if answer.deep:
            asked = {**arguments, "question": answer.question.to_json(), "products": products.to_json()}
            job = self.services.jobs.submit(user, jobs.VERIFY, json.loads(json.dumps(asked)), study)
            if job.state != "done" or job.result is None:
                raise CheckRunningError(job.id)
            return products.with_verdict(Verdict.from_json(job.result))
        cells = prepared.scenarios * len(answer.network.buses.ids)
        if cells > MOST_CELLS_CHECKED or self.services.artifacts.open(jobs.states_key(arguments)) is None:
            return products
        given = {**arguments, "question": answer.question.to_json(), "products": products.to_json()}
        verdict = jobs.verify_job(given, AtOnce(self.services, user, study, answer.network))
        return products.with_verdict(Verdict.from_json(verdict))

    def curve(self, answer: Answer, bus: str) -> RiskCurve | None:
        """Return a bus's curve against risk; None where a box alone gives no risk levels."""
        if answer.prepared.tails is None:
            return None
        return risk_curve(answer.prepared, answer.question, bus)

    def first(self, user: str, study: str, query: Mapping[str, Any]) -> tuple[CapacityQuestion | None, list[str]]:
        """Return the question the page opens with but for one in the link itself, and what could not be read."""
        return first_question(self.services, user, study, query, ASKED, PAGE, CapacityQuestion.from_json)

    def begin(self, user: str, study: str) -> CapacityQuestion:
        """Return the question that a study opens with when nobody has asked one yet."""
        return starting_question(self.services.network(user, study))

    def query(self, user: str, study: str, question: CapacityQuestion, *, owner: bool) -> str:
        """Return the question as a query string; a long one is kept by the store and named by its digest."""
        text = question_query(question)
        if len(text) <= LONGEST_QUERY:
            return text
        if owner:
            content = question.to_json()
            self.services.results.put(user, study, StoredAnswer(ASKED, question.digest(), content, {}))
            return f"q={question.digest()}"
        return ""

    def remember(self, user: str, study: str, asked: CapacityQuestion, answer: Answer) -> None:
        """Save what is asked and the answer that is drawn with the study: Home tells it, and so does a page whose
        network changed.
        """
        content = {
            "question": answer.question.to_json(),
            "firm_mw": answer.whole.levels[0].total_mw if answer.whole.levels else None,
            "total_mw": answer.whole.levels[-1].total_mw if answer.whole.levels else None,
            "result": json.loads(json.dumps(answer.whole.to_json())),
        }
        origin = {
            "network": answer.network.digest,
            "question": answer.question.digest(),
            "date": answer.whole.provenance.date,
        }
        self.services.studies.save_question(user, study, PAGE, asked.to_json())
        self.services.results.put(user, study, StoredAnswer(ANSWERED, answer.network.digest, content, origin))

    def before(self, user: str, study: str) -> Mapping[str, Any] | None:
        """Return what was remembered last, of this network or of an earlier state of it."""
        listed = self.services.results.list(user, study, ANSWERED)
        return {"content": listed[0].content, "origin": listed[0].provenance} if listed else None

    def _prepared(self, user: str, study: str, network: Network, arguments: dict[str, Any]) -> Prepared | None:
        spec = arguments["uncertainty"]
        if spec["kind"] == "file":  # the margins' file is found by digest alone: the right is that to the data
            _entry_of(self.services, user, study, str(spec["parameters"].get("digest", "")))
        key = jobs.prepared_key(arguments)
        path = self.services.artifacts.open(key)
        if path is None:
            return None
        return self._margins.get(key, lambda: self._load(network, path))

    def _load(self, network: Network, path: Path) -> Prepared:
        return Prepared.load(path, network, self.services.factors_of(network))

    def _answer(self, network: Network, prepared: Prepared, question: CapacityQuestion) -> Answer:
        return self._answers.get((network.digest, question.digest()), lambda: solve(network, prepared, question))

    def _job(self, user: str, study: str, arguments: dict[str, Any]) -> Job | None:
        """Return the newest job of this study with these arguments."""
        listed = (job for job in self.services.jobs.list(user, study, results=False) if job.kind == KIND)
        return next((job for job in listed if dict(job.arguments) == arguments), None)


def solve(network: Network, prepared: Prepared, question: CapacityQuestion) -> Answer:
    """Return the whole answer: the allocation, every bus alone, the products. About 0.2 s on 2,000 buses."""
    result = allocate(prepared, question)
    products = product_set(prepared, question, result) if result.status == "optimal" else None
    return Answer(network, question, prepared, result, alone(prepared, question), products)


def _standing(job: Job | None) -> Situation:
    if job is None or job.state == "done":  # done, but its file was evicted since
        return Situation("needed")
    if job.active:
        return Situation("running", job=job)
    return Situation("cancelled" if job.state == "cancelled" else "failed", job=job, message=job.error or "")


def _is_small(network: Network, question: CapacityQuestion) -> bool:
    spec = question.uncertainty
    if spec.kind not in {"distribution", "box"}:
        return False
    scenarios = spec.parameters.get("scenarios", 2000) if spec.kind == "distribution" else 1
    return isinstance(scenarios, int) and scenarios * len(network.buses.ids) <= MOST_CELLS_AT_ONCE


class AtOnce:
    """The context of a job that runs within the request."""

    def __init__(self, services: Services, user: str, study: str, network: Network) -> None:
        self.artifacts = services.artifacts
        self.workers: Workers = HERE
        self._services, self._user, self._study, self._network = services, user, study, network

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Nobody watches: the answer comes with this request."""

    def load_network(self, digest: str) -> NetworkTables:
        """Return the tables of the study's own network."""
        if digest == self._network.digest:
            return self._network.tables
        return self._services.network_version(self._user, self._study, digest).tables

    def load_dataset(self, digest: str) -> tuple[str, bytes]:
        """Return a file of the study by content digest."""
        return dataset_of(self._services, self._user, self._study, digest)


def dataset_of(services: Services, user: str, study: str, digest: str) -> tuple[str, bytes]:
    """Return (filename, content) of a study's own file. Raises EngineError when it is not there."""
    found, content = services.studies.dataset(user, study, _entry_of(services, user, study, digest).id)
    return found.name, content


def _entry_of(services: Services, user: str, study: str, digest: str) -> Dataset:
    for entry in services.studies.datasets(user, study):
        if entry.digest == digest:
            return entry
    raise EngineError("the file of the uncertainty is not in this study any more: upload it again")
