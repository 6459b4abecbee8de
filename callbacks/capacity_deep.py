"""Answers with outages, redispatch or periods: found in the store, or computed by a job; the plain answer meanwhile."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from callbacks.services import Kept, Services
from components.capacity_answer import Answer
from components.capacity_deep import VARIANTS, Cell, Variant, plain, variant_of
from engine.capacity import jobs
from engine.capacity.answer import Answer as Computed
from engine.capacity.answer import Margins, open_margins
from engine.capacity.products import ProductSet, product_set
from engine.capacity.question import CapacityQuestion
from engine.errors import EngineError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.store.codec import dump_json
from engine.store.jobs import Job, hash_input
from engine.store.kinds import KINDS

KIND = jobs.ANSWER
KEPT = 24
KEPT_MARGINS = 2  # answers; on Texas some 30 MB for each period


def is_plain(question: CapacityQuestion) -> bool:
    """Return whether a question is answered at once from its margins."""
    return plain(question) == question


class DeepAnswers:
    """The answers that jobs compute. One per process, safe to share between threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: Kept[Computed] = Kept(KEPT)
        self._margins: Kept[Margins] = Kept(KEPT_MARGINS)

    def find(self, user: str, study: str, network: Network, question: CapacityQuestion) -> Computed | None:
        """Return the stored answer on that network, which ``user`` may read; None when it was not computed."""
        arguments = jobs.answer_arguments(network.digest, question)
        key = hash_input(KIND, KINDS[KIND], dump_json(arguments, "a capacity question"))
        try:
            return self._kept.get(key, lambda: self._read(user, study, arguments, key))
        except _NotThereError:
            return None

    def job(self, user: str, study: str, network: Network, question: CapacityQuestion) -> Job | None:
        """Return the newest job of this study for that answer."""
        return self._job(user, study, jobs.answer_arguments(network.digest, question))

    def margins(self, network: Network, question: CapacityQuestion) -> Margins | None:
        """Return the margins by period that the answer's job kept; none with redispatch, None when they are gone."""
        arguments = jobs.answer_arguments(network.digest, question)
        key = dump_json(arguments, "a capacity question")
        factors = self._services.factors_of(network)
        try:
            return self._margins.get(key, lambda: self._open(arguments, network, factors))
        except _NotThereError:
            return None

    def _open(self, arguments: Mapping[str, Any], network: Network, factors: Factors) -> Margins:
        found = open_margins(self._services.artifacts, arguments, network, factors)
        if found is None:
            raise _NotThereError
        return found

    def submit(self, user: str, study: str, network: Network, question: CapacityQuestion) -> Job:
        """Ask for the answer; one that is under way or done already is given again."""
        return self._services.jobs.submit(user, KIND, jobs.answer_arguments(network.digest, question), study)

    def cells(self, user: str, study: str, answer: Answer) -> dict[Variant, Cell]:
        """Return the four answers side by side: those that are there, and how far the others are."""
        network, question = answer.network, answer.question
        listed = self._services.jobs.list(user, study, active_only=True, results=False)
        active = [job for job in listed if job.kind == KIND]
        cells = {}
        for variant in VARIANTS:
            asked = variant_of(question, *variant)
            result = self._result(user, study, answer, asked)
            arguments = jobs.answer_arguments(network.digest, asked)
            share = next((job.fraction for job in active if dict(job.arguments) == arguments), None)
            cells[variant] = Cell(result, None if result else share)
        return cells

    def running(self, user: str, study: str, network: Network) -> list[str]:
        """Return the ids of the study's jobs that compute such an answer on that network."""
        listed = self._services.jobs.list(user, study, active_only=True, results=False)
        return [job.id for job in listed if job.kind == KIND and job.arguments["network"] == network.digest]

    def _result(self, user: str, study: str, answer: Answer, asked: CapacityQuestion) -> Any:
        if asked == answer.question:
            return answer.whole
        if is_plain(asked):
            return answer.base
        found = self.find(user, study, answer.network, asked)
        return None if found is None else found.result

    def _read(self, user: str, study: str, arguments: Mapping[str, Any], key: str) -> Computed:
        kept = self._services.results.get(user, study, KIND, key)
        content = None if kept is None else kept.content
        if content is None:  # a reader's: only his job has it
            job = self._job(user, study, arguments)
            content = self._services.jobs.get(user, job.id).result if job and job.state == "done" else None
        if content is None or not self._services.artifacts.has(content.get("artifacts", ())):
            raise _NotThereError
        try:
            return Computed.from_json(content)
        except (EngineError, LookupError, TypeError, ValueError) as error:  # of another version of the product
            raise _NotThereError from error

    def _job(self, user: str, study: str, arguments: Mapping[str, Any]) -> Job | None:
        listed = (job for job in self._services.jobs.list(user, study, results=False) if job.kind == KIND)
        return next((job for job in listed if dict(job.arguments) == arguments), None)


class _NotThereError(Exception):
    """An answer is not in the store; raised so that its absence is not kept."""


def joined(bare: Answer, question: CapacityQuestion, found: Computed, margins: Margins | None) -> Answer:
    """Return what is drawn for ``question``: its computed answer beside the plain one ``bare``.

    ``margins`` are those of its job, None when they are not kept any more: then there are no products.
    """
    return replace(
        bare,
        question=question,
        result=found.result,
        products=None if margins is None else _products(question, found, margins),
        base=bare.result,
        periods=found.periods,
    )


def _products(question: CapacityQuestion, found: Computed, margins: Margins) -> ProductSet | None:
    """Return the products of the year round; with periods, the witness is of all of them."""
    if found.result.status != "optimal":
        return None
    if not margins:
        return product_set(None, question, found.result)
    own = [one for one in margins if one[0]] or list(margins)  # of the periods, where there are any
    sets = [(name, product_set(prepared, question, found.result)) for name, prepared in own]
    rows = [
        replace(row, words=f"{name}: {row.words}" if name else row.words)
        for name, one in sets
        for row in one.witness.rows
    ]
    rows.sort(key=lambda row: (row.level, row.slack_mw))
    first = sets[0][1]
    checked = sum(one.witness.rows_checked for _, one in sets)
    return replace(first, witness=replace(first.witness, rows=tuple(rows), rows_checked=checked))
