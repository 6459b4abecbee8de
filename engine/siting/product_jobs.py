"""From a shortlist to an auction, as jobs: which sites stand together, and whether what is sold does."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from engine.auction.deliverability import Delivery, Origin, Sold, TightRow
from engine.capacity.products import ProductSet
from engine.compute import HERE, JobContext, Workers
from engine.errors import QuestionError
from engine.network.model import Network
from engine.siting.hour_sets import HourSet
from engine.siting.jobs import kept_run, market_key
from engine.siting.joint_gate import CaseGate
from engine.siting.market_run import MarketRun
from engine.siting.order import AS_THE_SOURCE, OrderBy, order_of
from engine.siting.prepare import LoadDataset, own_criteria, prepared_again
from engine.siting.products import (
    SITING,
    USE,
    Made,
    SaleTerms,
    best_offers,
    failing_rows,
    placed_of,
    product_set,
    second_opinion,
    stand_together,
)
from engine.siting.question import SitingQuestion
from engine.siting.run import Ground

PRODUCTS = "siting.products"
_STEPS = 1000
_CRITERIA = ("criteria", "criteria_file", "group_weights")  # of a reader's own, in a question


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which part of a market is offered, and in which order."""

    size_mw: float | None = None  # None: all sizes
    by: OrderBy = AS_THE_SOURCE
    criteria: Mapping[str, Any] = field(default_factory=dict)  # a reader's own, as a question's JSON holds them

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return {"size_mw": self.size_mw, "by": self.by.to_json(), "criteria": dict(self.criteria)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_json` wrote. Raises QuestionError for anything else."""
        try:
            return cls(content["size_mw"], OrderBy.from_json(content["by"]), dict(content["criteria"]))
        except (KeyError, TypeError, ValueError):
            raise QuestionError("what is offered needs its size, its order and its criteria") from None

    def asked(self, question: SitingQuestion) -> SitingQuestion:
        """Return the question of a market at the threshold of the order, with the reader's own criteria."""
        plain = {name: value for name, value in question.to_json().items() if name not in _CRITERIA}
        own = {name: value for name, value in self.criteria.items() if name in _CRITERIA}
        threshold = question.threshold if self.by.threshold is None else self.by.threshold
        return replace(SitingQuestion.from_json(plain | own), threshold=threshold)


def product_arguments(market: Mapping[str, Any], terms: SaleTerms, chosen: Chosen = Chosen()) -> dict[str, Any]:
    """Return the arguments of the job: those of the market's, the terms, and what orders."""
    return {**market, "terms": asdict(terms.checked()), "chosen": chosen.to_json()}


def products_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return the product set of the best sites that stand together, as JSON.

    Raises QuestionError when the gate's or the market's results are not kept any more, or nothing can be sold.
    """
    of_market = {name: one for name, one in arguments.items() if name not in {"terms", "chosen"}}
    path = context.artifacts.open(market_key(of_market))
    if path is None:
        raise QuestionError("the market's results are not kept any more: run the market again")
    kept, terms = kept_run(arguments, context), SaleTerms(**arguments["terms"]).checked()
    chosen = Chosen.from_json(arguments["chosen"])
    asked = chosen.asked(kept.question)
    run = replace(kept, question=asked, gate=replace(kept.gate, threshold=asked.threshold))
    own = own_criteria(asked, run.network, context.load_dataset)
    order = order_of(run.gate, MarketRun.load(path), chosen.by, own)
    offers = best_offers(run, order, terms.count, chosen.size_mw)

    def report(done: int, total: int) -> None:
        context.progress(round(_STEPS * done / max(total, 1)), _STEPS, f"{done:,} of {total:,} sites tried together")

    clearing = stand_together(run, offers, report)
    origin = Made(arguments["network"], datetime.now(UTC).isoformat(timespec="seconds"))
    made = product_set(run, clearing, terms, origin, by=chosen.by, workers=context.workers)
    return {"product_set": made.to_json()}


def deliver_sites(
    network: Network,
    products: ProductSet,
    sold: Sold,
    load_dataset: LoadDataset | None = None,
    *,
    workers: Workers = HERE,
) -> Delivery:
    """Return whether what is sold of a set of sites passes the gate, made anew from the network and the question.

    Raises QuestionError where the network, the hours or a bus are not those of the set.
    """
    begin = time.perf_counter()
    asked, origin = products.question[SITING], Origin.of(products)
    if network.digest != origin.network:
        raise QuestionError(
            f"the network is not the one that the sites were screened on: theirs has the digest {origin.network[:12]}, "
            f"this one {network.digest[:12]}; nothing is said about it"
        )
    run = _ground_of(network, asked, load_dataset)
    placed = placed_of(run, asked["offers"], sold)
    verdict = CaseGate.of(run).check(placed)
    opinion = second_opinion(run, verdict, placed, workers=workers)
    total = sum(mw for _, _, mw in sold)
    word = "pass" if opinion.holds else "do not pass"
    return Delivery(
        holds=opinion.holds,
        words=f"The {total:,.0f} MW awarded {word} the gate together: {opinion.words}",
        sold=sold,
        sold_mw=(total,),
        rows=tuple(
            TightRow(0.0, row.element, row.words, "", row.margin_mw, row.used_mw, row.slack_mw)
            for row in failing_rows(run, verdict, placed)
        ),
        verdict=opinion,
        notices=(USE,),
        inputs={**asdict(origin), "case": run.prepared.case.digest},
        options={"threshold": run.question.threshold, "hours": len(run.prepared.case), "pairs": verdict.pairs},
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        time_s=time.perf_counter() - begin,
    )


def _ground_of(network: Network, asked: Mapping[str, Any], load_dataset: LoadDataset | None) -> Ground:
    """Return the hours of a product set and what may be lost in them."""
    question = SitingQuestion.from_json(asked["question"]).checked(network)
    hours = HourSet.from_json(asked["hours"])
    prepared = prepared_again(question, network, hours, asked["of_source"], load_dataset)
    if prepared.case.digest != asked["case"]:
        raise QuestionError("the hours are not those that the sites were screened in; nothing is said about them")
    return Ground.of(question, prepared)
