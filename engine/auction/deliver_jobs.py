"""``auction.deliverability``: whether what is awarded can be delivered, as a job after each round.

Its arguments say what is sold at which bus and risk, not who holds it: equal awards are one question, and its answer
is stored once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from engine.auction.deliverability import Award, Delivery, Origin, deliver, levels_of, margins_of, own_of, sold_of
from engine.auction.rules import Configuration
from engine.capacity import jobs
from engine.capacity.answer import Margins, keep, open_margins, work_out
from engine.capacity.margins import Prepared, prepare
from engine.capacity.products import ProductSet
from engine.capacity.question import CapacityQuestion
from engine.capacity.uncertainty import States
from engine.compute import JobContext
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.siting.product_jobs import deliver_sites
from engine.siting.products import SITING

DELIVER = "auction.deliverability"
_STEPS = 1000
_STATES, _MARGINS = 0.3, 0.5  # of the progress bar, when they are done


def deliver_arguments(
    configuration: Configuration, products: ProductSet, network_digest: str, awarded: Sequence[Award]
) -> dict[str, Any]:
    """Return the arguments of the job for an auction that sells ``products``, published on ``network_digest``.

    Raises QuestionError when the auction has no network, sells another set, or the set is of another network.
    """
    if not configuration.product_set_digest:
        raise QuestionError("the products of this auction come from no network: there is nothing to deliver them by")
    origin = Origin.of(products)
    if configuration.product_set_digest != origin.product_set:
        raise QuestionError(
            f"the product set is not the one that this auction sells: digest {origin.product_set[:12]} instead of "
            f"{configuration.product_set_digest[:12]}"
        )
    for name, digest in (("this auction's", configuration.network_digest), ("the published", network_digest)):
        if digest != origin.network:
            raise QuestionError(
                f"{name} network is not the one that the products were computed from: digest {digest[:12]} instead of "
                f"{origin.network[:12]}"
            )
    sold = sold_of(awarded)
    if SITING in products.question:
        return {"network": network_digest, SITING: products.to_json(), "sold": [list(row) for row in sold]}
    question = CapacityQuestion.from_json(products.question)
    levels_of(question, sold)
    return {
        **jobs.prepare_arguments(network_digest, question),
        "question": question.to_json(),
        "origin": asdict(origin),
        "sold": [list(row) for row in sold],
    }


def deliver_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return the :class:`Delivery` for ``arguments`` (of :func:`deliver_arguments`) as JSON.

    The network is loaded by its digest, the states are those kept for it or made anew. Raises QuestionError where the
    digest of anything that was loaded is not the product set's.
    """
    network = Network.from_tables(context.load_network(arguments["network"]))
    sold = tuple((str(bus), float(risk), float(mw)) for bus, risk, mw in arguments["sold"])
    if SITING in arguments:
        context.progress(0, 1, "the gate, for all that is awarded together")
        products = ProductSet.from_json(arguments[SITING])
        return deliver_sites(network, products, sold, context.load_dataset, workers=context.workers).to_json()
    question, origin = CapacityQuestion.from_json(arguments["question"]), Origin(**arguments["origin"])
    origin.check(network, question)
    factors = Factors.of(network)
    states = jobs.states_of(arguments, network, factors, context, share=_STATES)
    context.progress(round(_STEPS * _STATES), _STEPS, "margins of every limit")
    margins = _margins(arguments, question, states, factors, context)

    def report(done: int, total: int) -> None:
        share = _MARGINS + (1.0 - _MARGINS) * done / max(1, total)
        context.progress(round(_STEPS * share), _STEPS, f"checking every limit, {done} of {total}")

    report(0, 1)
    found = deliver(network, question, origin, sold, states, margins=margins, factors=factors, progress=report)
    return found.to_json()


def witness(found: Delivery, awarded: Sequence[Award]) -> dict[str, Any]:
    """Return what is kept with a round: the answer, and per lot the blocks held and by whom.

    Raises QuestionError when the answer is to other awards.
    """
    if sold_of(awarded) != found.sold:
        raise QuestionError("this answer is to other awards than these")
    return {**found.to_json(), "awards": [asdict(award) for award in awarded]}


def _margins(
    arguments: Mapping[str, Any], question: CapacityQuestion, states: States, factors: Factors, context: JobContext
) -> Margins:
    """Return the margins that were kept for this network and question, else make and keep them."""
    if question.recourse == "redispatch":
        return ()
    network, artifacts = factors.network, context.artifacts
    if question.security == "base" and question.period == "year":
        key = jobs.prepared_key(jobs.prepare_arguments(arguments["network"], question))
        path = artifacts.open(key)
        if path is not None:
            return margins_of(network, question, states, Prepared.load(path, network, factors))
        prepared = prepare(network, question, states, factors=factors)
        artifacts.save(key, prepared.save())
        return margins_of(network, question, states, prepared)
    asked = jobs.answer_arguments(arguments["network"], question)
    kept = open_margins(artifacts, asked, network, factors)
    if kept is None:
        worked = work_out(network, question, states, margins=factors)
        keep(artifacts, asked, worked)
        kept = worked.margins
    return own_of(kept)
