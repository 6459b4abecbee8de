"""What the Siting page asks of the engine and the store: gates and markets found or begun, opened once, ranked again.

Everything goes through the services with the user's access; what is kept here is keyed by the hashes of its inputs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from callbacks.asked import first_question
from callbacks.capacity_aside import Standing, begin, standing
from callbacks.capacity_desk import dataset_of
from callbacks.services import Kept, Services
from callbacks.siting_largest import look as look_at_sizes
from components.siting_answer import Answer, Drawn, Gate
from components.siting_states import CORES
from components.siting_view import LONGEST_QUERY, question_query
from engine.errors import EngineError, QuestionError
from engine.network.model import Network
from engine.siting import jobs
from engine.siting.criteria import OwnCriteria
from engine.siting.defaults import starting_question
from engine.siting.gate.results import GateResult
from engine.siting.hourly_file import HourlyFile, Stamps
from engine.siting.market_run import MarketQuestion, MarketRun
from engine.siting.order import order_of
from engine.siting.prepare import own_criteria
from engine.siting.question import SitingQuestion
from engine.siting.run import GateRun
from engine.siting.shortlist import Ranked
from engine.store.answers import Answer as StoredAnswer
from engine.store.codec import dump_json
from engine.store.jobs import Job, hash_input
from engine.store.kinds import KINDS
from engine.store.records import StudyId
from engine.store.shipped import manifest

PAGE = "siting"
ASKED = "siting.question"  # kind of a long question that a link names by digest
KEPT_GATES = 3  # on Texas, 24 hours of three envelopes at five sizes take some 300 MB
KEPT_MARKETS = 6
KEPT_RANKINGS = 24
_MOST_PARTIAL = 2

Found = Literal["answered", "partial", "running", "needed", "failed", "cancelled"]


@dataclass(frozen=True, slots=True, eq=False)
class GateStands:
    """Where a gate stands: all of it, what is known of it so far, or what it waits for."""

    found: Found
    gate: Gate | None = None
    job: Job | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class MarketStands:
    """Where the market of a gate stands; one that is running has what is known so far, if anything is."""

    found: Found
    run: MarketRun | None = None
    key: str | None = None
    job: Job | None = None
    message: str = ""
    threshold: float | None = None  # that chose its sites, where it is not that of the question


class Desk:
    """Answers siting questions for the page. One per process, safe to share between threads."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._gates: Kept[Gate] = Kept(KEPT_GATES)
        self._partial: Kept[Gate] = Kept(_MOST_PARTIAL)
        self._markets: Kept[MarketRun] = Kept(KEPT_MARKETS)
        self._rankings: Kept[tuple[Ranked | None, str]] = Kept(KEPT_RANKINGS)
        self._own: Kept[OwnCriteria | None] = Kept(KEPT_RANKINGS)
        self._stamps: Kept[Stamps] = Kept(KEPT_GATES)

    # The gate

    def look(self, user: str, study: str, question: SitingQuestion, *, submit: bool = False) -> GateStands:
        """Return the gate of a checked question, or where its job stands; ``submit`` begins the job."""
        network = self.services.network(user, study)
        arguments = gate_arguments(network, question)
        stands = self._stands(user, study, jobs.GATE, arguments, jobs.gate_key(arguments), submit=submit)
        if stands.content is not None:
            return GateStands("answered", _asked(self._gate(user, study, network, arguments, stands.content), question))
        if stands.job is None:
            return GateStands("needed")
        if stands.job.active:
            gate = self._so_far(question, arguments)
            return GateStands("running" if gate is None else "partial", gate, stands.job)
        return GateStands(_ended(stands.job), job=stands.job, message=stands.job.error or "")

    def gate(self, user: str, study: str, drawn: Any) -> GateRun | None:
        """Return the run that is drawn, with the threshold that is drawn; None when there is none (any more)."""
        question = question_of(drawn)
        if question is None or drawn.get("partial"):
            return None
        return self.run_of(user, study, question)

    def run_of(self, user: str, study: str, question: SitingQuestion) -> GateRun | None:
        """Return the run of a question if it is kept, at the question's threshold; nothing is started."""
        gate = self.look(user, study, question).gate
        if gate is None or gate.run is None:
            return None
        result = replace(gate.result, threshold=question.threshold)
        return replace(gate.run, question=question, gate=result)

    def gate_s(self, user: str, study: str, drawn: Any) -> float:
        """Return how long the gate that is drawn took on two cores, s; 0 where that is not known.

        A run that went on from what was kept took less time than its processors did in all.
        """
        question = question_of(drawn)
        gate = None if question is None else self.look(user, study, question).gate
        told = {} if gate is None else gate.told
        return max(float(told.get("time_s", 0.0)), float(told.get("processor_s", 0.0)) / CORES)

    def start_gate(self, user: str, study: str, question: SitingQuestion) -> Standing:
        """Begin the gate of a question, or return where it stands."""
        network = self.services.network(user, study)
        arguments = gate_arguments(network, question.checked(network))
        return self._stands(user, study, jobs.GATE, arguments, jobs.gate_key(arguments), submit=True)

    # The market

    def look_market(
        self, user: str, study: str, question: SitingQuestion, market: MarketQuestion, *, submit: bool = False
    ) -> MarketStands:
        """Return the market of a question's gate, or where its job stands; ``submit`` begins the job."""
        network = self.services.network(user, study)
        arguments = market_arguments(network, question, market)
        key = jobs.market_key(arguments)
        stands = self._stands(user, study, jobs.MARKET, arguments, key, submit=submit)
        if stands.content is not None:
            path = self.services.artifacts.open(key)
            if path is not None:
                return MarketStands("answered", self._markets.get(key, lambda: MarketRun.load(path)), key)
            return MarketStands("needed")
        if stands.job is None:
            return MarketStands("needed")
        if stands.job.active:
            run, so_far = self._market_so_far(arguments)
            return MarketStands("running", run, so_far, stands.job)
        return MarketStands(_ended(stands.job), job=stands.job, message=stands.job.error or "")

    def market(self, user: str, study: str, drawn: Any) -> MarketRun | None:
        """Return the market run that is drawn, None when there is none (any more)."""
        question = question_of(drawn, asked=True)
        if question is None or not drawn.get("market"):
            return None
        return self.market_of(user, study, question, MarketQuestion.from_json(drawn["market_question"]))

    def market_of(self, user: str, study: str, question: SitingQuestion, market: MarketQuestion) -> MarketRun | None:
        """Return the market of a question's gate if it is kept; nothing is started."""
        stands = self.look_market(user, study, question, market)
        return stands.run if stands.found == "answered" else None

    def start_market(self, user: str, study: str, question: SitingQuestion, market: MarketQuestion) -> Standing:
        """Begin the market of a question's gate, or return where it stands."""
        network = self.services.network(user, study)
        arguments = market_arguments(network, question, market)
        return self._stands(user, study, jobs.MARKET, arguments, jobs.market_key(arguments), submit=True)

    # The answer

    def answer(self, user: str, study: str, drawn: Any) -> Answer | None:
        """Return what the page draws, from the Store that says so; None when there is none (any more).

        Raises QuestionError when the network is not the one that was screened any more: another tab edits it too.
        """
        question = question_of(drawn)
        if question is None:
            return None
        network = self.services.network(user, study)
        if drawn.get("network") != network.digest:
            raise QuestionError("the network has changed since this was drawn: press Screen, or reload the page")
        gate = self.look(user, study, question).gate
        if gate is None:
            return None
        market, key = self._market_drawn(user, study, drawn)
        found = self.drawn_of(network, gate, drawn_of(drawn), market, key, self.own_of(user, study, question))
        return (
            found if gate.partial else replace(found, ladder=look_at_sizes(self.services, user, study, question).found)
        )

    def drawn_of(  # noqa: PLR0913, PLR0917 (what was found, and what of it is drawn)
        self,
        network: Network,
        gate: Gate,
        drawn: Drawn,
        market: MarketRun | None,
        market_key: Any,
        own: OwnCriteria | None = None,
    ) -> Answer:
        """Return an answer with its ranking by the weights drawn, of the sites that qualify at the threshold drawn."""
        if market is None or not isinstance(market_key, str):
            return Answer(network, gate, drawn, own=own)
        asked = gate.question
        key = (gate.key, market_key, drawn.threshold, drawn.weights, drawn.pooled, asked.criteria, asked.criteria_file,
               asked.group_weights)  # fmt: skip
        ranked, refused = self._rankings.get(key, lambda: ranking_of(gate, market, drawn, own))
        return Answer(network, gate, drawn, market, market_key, ranked, refused, own)

    def own(self, user: str, study: str, drawn: Any) -> OwnCriteria | None:
        """Return the reader's own criteria of what is drawn, None when there are none. Raises EngineError in words."""
        question = question_of(drawn)
        return None if question is None else self.own_of(user, study, question)

    def own_of(self, user: str, study: str, question: SitingQuestion) -> OwnCriteria | None:
        """Return the reader's own criteria of a question."""
        if not question.criteria:
            return None
        network = self.services.network(user, study)
        key = (study, network.digest, question.criteria, question.criteria_file, question.group_weights)

        def load(digest: str) -> tuple[str, bytes]:
            return dataset_of(self.services, user, study, digest)

        return self._own.get(key, lambda: own_criteria(question, network, load))

    def ranked(self, user: str, study: str, drawn: Any) -> Ranked | None:
        """Return the ranking that is drawn, None while it is provisional."""
        answer = self.answer(user, study, drawn)
        return None if answer is None or answer.provisional else answer.ranked

    # The question

    def first(self, user: str, study: str, query: Mapping[str, Any]) -> tuple[SitingQuestion | None, list[str]]:
        """Return the question the page opens with but for one in the link itself, and what could not be read."""
        return first_question(self.services, user, study, query, ASKED, PAGE, SitingQuestion.from_json)

    def stamps(self, user: str, study: str, digest: str) -> Stamps:
        """Return the starts (T,) of the hours of one of a study's files. Raises EngineError when it is not there."""
        network = self.services.network(user, study)
        name, content = dataset_of(self.services, user, study, digest)
        return self._stamps.get((digest, network.digest), lambda: HourlyFile.read(name, content, network).stamps)

    def begin(self, user: str, study: str) -> SitingQuestion:
        """Return the question that a study opens with when nobody has asked one yet."""
        return starting_question(self.services.network(user, study))

    def query(self, user: str, study: str, question: SitingQuestion, *, owner: bool) -> str:
        """Return the question as a query string; a long one is kept by the store and named by its digest."""
        network = self.services.network(user, study)
        text = question_query(question, starting_question(network))
        if len(text) <= LONGEST_QUERY:
            return text
        if owner:
            digest = question.digest(network.digest)
            self.services.results.put(user, study, StoredAnswer(ASKED, digest, question.to_json(), {}))
            return f"q={digest}"
        return ""

    def remember(self, user: str, study: StudyId | str, question: SitingQuestion) -> None:
        """Save what is asked with the study."""
        self.services.studies.save_question(user, str(study), PAGE, question.to_json())

    def _stands(  # noqa: PLR0913 (whose, which, and by name whether it begins)
        self, user: str, study: str, kind: str, arguments: dict[str, Any], key: str, *, submit: bool
    ) -> Standing:
        found = standing(self.services, user, study, kind, arguments)
        if found.content is not None and self.services.artifacts.open(key) is None:
            found = Standing()  # its file was evicted since
        if found.content is None and submit and not (found.job is not None and found.job.active):
            found = begin(self.services, user, study, kind, arguments)
        return found

    def _gate(
        self, user: str, study: str, network: Network, arguments: Mapping[str, Any], told: Mapping[str, Any]
    ) -> Gate | None:
        key = jobs.gate_key(arguments)
        path = self.services.artifacts.open(key)
        if path is None:
            return None

        def load(digest: str) -> tuple[str, bytes]:
            return dataset_of(self.services, user, study, digest)

        def made() -> Gate:
            run = jobs.run_of(arguments, told, GateResult.load(path), network, load)
            return Gate(key, run.question, run.gate, run, told)

        return self._gates.get(key, made)

    def _so_far(self, question: SitingQuestion, arguments: Mapping[str, Any]) -> Gate | None:
        """Return what a running gate has kept so far, None before its first hour."""
        key = jobs.partial_key(arguments)
        path = self.services.artifacts.open(key)
        if path is None:
            return None
        try:
            stamp = path.stat().st_mtime_ns
            return self._partial.get((key, stamp), lambda: Gate(f"{key}:{stamp}", question, GateResult.load(path)))
        except (OSError, EngineError):  # it is being replaced, or the run has just ended
            return None

    def _market_drawn(self, user: str, study: str, drawn: Mapping[str, Any]) -> tuple[MarketRun | None, str | None]:
        """Return the market that is drawn and its key: whole, or while it runs what is known so far."""
        question = question_of(drawn, asked=True)
        if question is None or not drawn.get("market"):
            return None, None
        stands = self.look_market(user, study, question, MarketQuestion.from_json(drawn["market_question"]))
        return stands.run, stands.key

    def _market_so_far(self, arguments: Mapping[str, Any]) -> tuple[MarketRun | None, str | None]:
        """Return what a running market has kept so far and its key, none before its first sites."""
        key = jobs.market_partial_key(arguments)
        path = self.services.artifacts.open(key)
        if path is None:
            return None, None
        try:
            stamped = f"{key}:{path.stat().st_mtime_ns}"
            return self._markets.get(stamped, lambda: MarketRun.load(path)), stamped
        except (OSError, EngineError):  # it is being replaced, or the run has just ended
            return None, None


def _asked(gate: Gate | None, question: SitingQuestion) -> Gate | None:
    """Return a gate with the question as it is asked now: what no verdict depends on may have changed since."""
    return None if gate is None else replace(gate, question=question)


def ranking_of(
    gate: Gate, market: MarketRun, drawn: Drawn, own: OwnCriteria | None = None
) -> tuple[Ranked | None, str]:
    """Return the ranking that is drawn, or why there is none."""
    try:
        return order_of(gate, market, drawn.by, own), ""
    except QuestionError as error:
        return None, str(error)


def gate_came_with_it(network: Network, question: SitingQuestion) -> bool:
    """Return whether the verdicts of a checked question come with the program."""
    return _came_with_it(jobs.GATE, gate_arguments(network, question))


def market_came_with_it(network: Network, question: SitingQuestion, market: MarketQuestion) -> bool:
    """Return whether the market of a question comes with the program."""
    return _came_with_it(jobs.MARKET, market_arguments(network, question, market))


def _came_with_it(kind: str, arguments: dict[str, Any]) -> bool:
    return manifest(hash_input(kind, KINDS[kind], dump_json(arguments, "the arguments of a job"))) is not None


def gate_arguments(network: Network, question: SitingQuestion) -> dict[str, Any]:
    """Return the job's arguments as they come back from it: plain JSON values, so that both compare equal."""
    found: dict[str, Any] = json.loads(json.dumps(jobs.gate_arguments(network.digest, question)))
    return found


def market_arguments(network: Network, question: SitingQuestion, market: MarketQuestion) -> dict[str, Any]:
    """Return the market's, likewise."""
    found: dict[str, Any] = json.loads(json.dumps(jobs.market_arguments(network.digest, question, market)))
    return found


def question_of(drawn: Any, *, asked: bool = False) -> SitingQuestion | None:
    """Return the question of the Store of what is drawn, at the threshold drawn; ``asked``: at that of the market."""
    if not isinstance(drawn, Mapping) or not isinstance(drawn.get("question"), Mapping):
        return None
    question = SitingQuestion.from_json(drawn["question"])
    if asked and isinstance(drawn.get("market_criteria"), Mapping):
        question = SitingQuestion.from_json({**question.to_json(), **NO_CRITERIA, **drawn["market_criteria"]})
    threshold = drawn.get("market_threshold" if asked else "threshold")
    return question if threshold is None else replace(question, threshold=float(threshold))


NO_CRITERIA: Mapping[str, Any] = {"criteria": [], "criteria_file": "", "group_weights": []}


def criteria_in(question: SitingQuestion) -> dict[str, Any]:
    """Return the reader's own criteria of a question as the Store of what is drawn holds them."""
    return {name: value for name, value in question.to_json().items() if name in NO_CRITERIA}


def drawn_of(content: Mapping[str, Any]) -> Drawn:
    """Return which part is drawn, from the Store that says so. Raises QuestionError for anything else."""
    try:
        return Drawn(
            envelope=str(content["envelope"]),
            size_mw=float(content["size"]),
            threshold=float(content["threshold"]),
            top=int(content["top"]),
            weights=tuple(float(weight) for weight in content["weights"]),
            pooled=bool(content["pooled"]),
        )
    except (KeyError, TypeError, ValueError):
        raise QuestionError("what is drawn cannot be read: reload the page") from None


def _ended(job: Job) -> Found:
    return "cancelled" if job.state == "cancelled" else "failed"
