"""Certified sites as what an auction sells: a load of an envelope at a bus, tried together, with scores as reserves.

Sites are certified one by one and need not stand together. So they are taken in the order of their scores, each one
tried with all that were taken before it, and only what passes the gate as a whole is sold. A part of that can still
fail, where one load relieves a limit that another needs: the gate judges what is awarded again after every round.

The reserve of a lot is r0 (2 - C) per MW with the score C of its site: a worse site costs more. Source: section 8 of
the specification, clearing (iii).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.capacity.products import Product, ProductSet, Witness, WitnessRow
from engine.capacity.results import Provenance, Verdict, Violation
from engine.compute import HERE, Progress, Workers
from engine.errors import QuestionError
from engine.program import SOLVER
from engine.siting.case import SitingCase
from engine.siting.clearing import (
    Applicant,
    Clearing,
    ClearingRules,
    JointVerdict,
    Offer,
    Placed,
    clear_by_score,
)
from engine.siting.contingencies import Contingencies
from engine.siting.envelopes import envelope_from_json
from engine.siting.gate_check import EDGE_MW, Triple, judge
from engine.siting.joint_gate import CaseGate
from engine.siting.order import AS_THE_SOURCE, OrderBy
from engine.siting.run import GateRun, Ground
from engine.siting.shortlist import Ranked

SITING = "siting"  # the field of a product set's question that tells it from one of the capacity part
MOST_OFFERS = 200
_SHOWN = 10
_CHECKED = 200  # hours and outages of the whole set that are decided again
USE = "indicative only: a linear (DC) gate over stated hours and outages, no voltage or stability limits"


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """What of the shortlist is offered, and from which price."""

    count: int = 10  # sites tried, best score first, one envelope and size per bus
    reserve_per_mw: float = 100.0  # r0, currency units

    def checked(self) -> "SaleTerms":
        """Return the terms. Raises QuestionError for numbers that are none."""
        if not 1 <= self.count <= MOST_OFFERS:
            raise QuestionError(f"1 to {MOST_OFFERS} sites can be offered, not {self.count}")
        if not 0.0 <= self.reserve_per_mw <= 1e6:
            raise QuestionError(f"the reserve is {self.reserve_per_mw:g} per MW: 0 to 1,000,000")
        return self


@dataclass(frozen=True, slots=True)
class Made:
    """From which network a set was made, and when."""

    network_digest: str  # of the network that was asked about: the one screened may have more units in service
    date: str  # UTC, ISO 8601


def reserve(score: float, terms: SaleTerms) -> float:
    """Return r0 (2 - C), per MW."""
    return terms.reserve_per_mw * (2.0 - score)


def best_offers(run: GateRun, order: Ranked, count: int, size_mw: float | None = None) -> list[Offer]:
    """Return the best ``count`` certified places, best first; each bus once, with its best envelope and size.

    Only those of one nameplate where ``size_mw`` is given.
    """
    network, found = run.network, dict[int, Offer]()
    for place in np.lexsort((order.place, -order.score)).tolist():
        placed = order.sites[place].placement
        wanted = placed is not None and size_mw in {None, placed.nameplate_mw}
        if wanted and placed is not None and placed.bus not in found and len(found) < count:
            found[placed.bus] = Offer(
                bus=placed.bus,
                bus_id=network.buses.ids[placed.bus],
                envelope=placed.envelope,
                score=float(order.score[place]),
                largest_mw=placed.nameplate_mw,
                zone=network.buses.zones[placed.bus],
            )
    return list(found.values())


def stand_together(run: GateRun, offers: Sequence[Offer], progress: Progress | None = None) -> Clearing:
    """Return which offers pass the gate together, taken in the order of their scores, and why the others do not.

    Raises QuestionError when the hours without them fail more often than the threshold allows.
    """
    gate = CaseGate.of(run)
    alone = gate.check(())
    if not alone.passes:
        raise QuestionError(f"before any site is added {alone.words()}: nothing can be offered")
    supply = [
        Applicant(offer.bus_id, offer.largest_mw, "", frozenset({offer.bus}), frozenset({offer.envelope.name}))
        for offer in offers
    ]
    return clear_by_score(supply, offers, ClearingRules(), gate, progress=progress)


def product_set(  # noqa: PLR0913 (what stands together, and by name how it came about)
    run: GateRun,
    clearing: Clearing,
    terms: SaleTerms,
    made: Made,
    *,
    by: OrderBy = AS_THE_SOURCE,
    workers: Workers = HERE,
) -> ProductSet:
    """Return what stands together as products, one a site, with the gate's word on all of them and a second opinion.

    ``by`` is how the scores were made.

    Raises QuestionError when nothing stands.
    """
    offers = [award.offer for award in clearing.awards]
    if not offers:
        raise QuestionError("no site of the shortlist passes the gate, tried with those before it")
    placed = [Placed(offer.bus, offer.envelope, offer.largest_mw) for offer in offers]
    verdict = CaseGate.of(run).check(placed)
    products = tuple(Product(_id(offer), offer.bus_id, offer.largest_mw, 0.0, "envelope") for offer in offers)
    case, question = run.prepared.case, run.question
    terms_of = {
        product.id: {
            "bus": offer.bus_id,
            "envelope": offer.envelope.to_json(),
            "score": offer.score,
            "reserve_per_mw": reserve(offer.score, terms),
        }
        for product, offer in zip(products, offers, strict=True)
    }
    asked = {
        SITING: {
            "question": question.to_json(),
            "hours": run.prepared.hours.to_json(),
            "of_source": run.prepared.of_source,
            "case": case.digest,
            "offers": terms_of,
            "order": by.to_json(),
            "reserve": f"{terms.reserve_per_mw:g} (2 - score) per MW",
        }
    }
    tried = len(clearing.awards) + len(clearing.unplaced)
    provenance = Provenance(
        network=case.network.name,
        network_digest=made.network_digest,
        uncertainty_digest=case.digest,
        question_digest=question.digest(made.network_digest),
        seed=question.seed,
        source=case.source,
        data=case.network.tables.source,
        solver=SOLVER,
        date=made.date,
        sentence=f"{len(products)} of {tried} sites, tried in the order of their scores, pass the gate together",
    )
    refused = tuple(f"{one.offer.bus_id} {one.offer.envelope.name}: {one.reason}" for one in clearing.refusals)
    return ProductSet(
        products=products,
        lost_to_rounding_mw=0.0,
        rounded_away=(),
        question=asked,
        provenance={name: getattr(provenance, name) for name in provenance.__dataclass_fields__},
        witness=Witness(
            rows=tuple(
                WitnessRow(row.element, row.words, 0.0, row.margin_mw, row.used_mw, row.slack_mw)
                for row in failing_rows(run, verdict, placed)
            ),
            rows_checked=verdict.pairs,
            downward_closed=False,
            verdict=second_opinion(run, verdict, placed, workers=workers),
        ),
        notices=(
            USE,
            "a part of these sites can fail where all pass: what is awarded is judged after each round",
            *refused,
        ),
    )


def placed_of(run: Ground, offers: Mapping[str, Any], sold: Sequence[tuple[str, float, float]]) -> list[Placed]:
    """Return the loads of what is sold (bus, risk, MW). Raises QuestionError for a bus that the set does not sell."""
    network = run.network
    place = {bus: position for position, bus in enumerate(network.buses.ids)}
    envelope_at = {one["bus"]: envelope_from_json(one["envelope"]) for one in offers.values()}
    unknown = [bus for bus, _, _ in sold if bus not in envelope_at]
    if unknown:
        raise QuestionError(f"bus {unknown[0]!r} is sold, but the product set has no product there")
    return [Placed(place[bus], envelope_at[bus], mw) for bus, _, mw in sold]


@dataclass(frozen=True, slots=True)
class FailingRow:
    """An hour and an outage that fail: the room that the ray proves, and what the loads take of it."""

    element: str
    words: str
    hour: str
    margin_mw: float
    used_mw: float

    @property
    def slack_mw(self) -> float:
        """Return what is left: below zero."""
        return self.margin_mw - self.used_mw


def failing_rows(run: Ground, verdict: JointVerdict, placed: Sequence[Placed]) -> list[FailingRow]:
    """Return the hours and outages that fail with the loads, the one that lacks most first, ten at most."""
    found = []
    case = run.prepared.case
    for failure in verdict.failures:
        hour = case.at(np.array([failure.hour]))
        used = sum(float(failure.price[one.bus] * one.level_mw(hour.hour_of_day, hour.onsite_mw)[0]) for one in placed)
        element, words = run.contingencies.ids[failure.contingency], failure.words
        found.append(FailingRow(element, words, case.labels[failure.hour], failure.room_mw, used))
    return sorted(found, key=lambda row: row.slack_mw)[:_SHOWN]


def second_opinion(
    run: Ground, verdict: JointVerdict, placed: Sequence[Placed], *, workers: Workers = HERE, seed: int = 0
) -> Verdict:
    """Return what the independent check in bus angles says of the loads together, on hours and outages drawn from all.

    Every failure that the gate counted is in the sample as far as it has room for them; the rest is drawn from those
    that passed. It does not hold where more fail than the threshold allows, or where the check differs from the gate.
    """
    loads = case_with(run.prepared.case, placed)
    lost = run.contingencies
    failed = {(one.hour, int(lost.same_as[one.contingency])) for one in verdict.failures}
    triples = [Triple(run.network.slack, 0.0, hour, lost_at, False) for hour, lost_at in sorted(failed)]
    triples = triples[: _CHECKED // 2] + _passing(run, failed, _CHECKED - min(len(triples), _CHECKED // 2), seed)
    found = judge(loads, lost, triples, rating=run.question.outage_rating, workers=workers)
    wrong = [one for one in found if not one.agrees]
    words = (
        f"with these loads {verdict.words()}; "
        f"{len(found):,} hours and outages decided again from nothing: {len(wrong)} differ"
    )
    broken = [] if verdict.passes else [Violation("gate", "", 0.0, 0.0, words)]
    broken += [
        Violation("gate", lost.ids[one.triple.contingency], 0.0, min(one.overload_mw, 1e9), "decided otherwise")
        for one in wrong
    ]
    return Verdict(
        holds=not broken,
        largest_violation_mw=max((one.over_mw for one in broken), default=0.0),
        tolerance_mw=EDGE_MW,
        rows_checked=len(found),
        violations=tuple(broken[:20]),
        dropped_factors_mw=0.0,
        dropped_factors_at="",
        words=words,
    )


def case_with(case: SitingCase, placed: Sequence[Placed]) -> SitingCase:
    """Return the case with all loads drawn."""
    for one in placed:
        case = case.with_load(one.bus, one.level_mw(case.hour_of_day, case.onsite_mw))
    return case


def _passing(run: Ground, failed: set[tuple[int, int]], count: int, seed: int) -> list[Triple]:
    lost: Contingencies = run.contingencies
    generator = np.random.default_rng(seed)
    every = len(run.prepared.case) * len(lost.distinct)
    drawn = generator.choice(every, size=min(count, every), replace=False).tolist()
    pairs = [(at // len(lost.distinct), int(lost.distinct[at % len(lost.distinct)])) for at in drawn]
    return [Triple(run.network.slack, 0.0, hour, at, True) for hour, at in pairs if (hour, at) not in failed]


def _id(offer: Offer) -> str:
    return f"{offer.bus_id}-{offer.envelope.name.replace(' ', '-')}"
