"""The jobs of what follows from a gate: ``siting.corridors``, flows between zones, and ``siting.clear``, who gets what.

Both make the hours of a question again; neither needs the verdicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.compute import JobContext, Progress
from engine.errors import InfeasibleError, QuestionError
from engine.network.factors import Factors
from engine.network.model import Matrix, Network
from engine.opf.dc_opf import DcOpfOptions, dc_opf
from engine.siting.ac_flow import shunt_mw
from engine.siting.case import SitingCase
from engine.siting.clearing import Applicant, Clearing, ClearingRules, JointVerdict, Offer, clear_by_score, why_left
from engine.siting.corridors import Corridor, corridors, corridors_of_buses
from engine.siting.joint_gate import CaseGate
from engine.siting.portfolio import Portfolio, best_portfolio
from engine.siting.prepare import Prepared, prepare
from engine.siting.question import SitingQuestion
from engine.siting.run import Ground

CORRIDORS, CLEAR = "siting.corridors", "siting.clear"
METHODS = ("sequence", "portfolio")
MOST_APPLICANTS, MOST_OFFERS = 100, 500
_KEPT = (
    "source", "dataset", "choice", "hours", "count", "thermal", "load_scale", "seed", "envelopes", "branches", "units",
    "outage_rating", "committed", "onsite_mw",
)  # fmt: skip


def corridors_arguments(network_digest: str, question: SitingQuestion) -> dict[str, Any]:
    """Return the arguments of the job of the corridors: the hours of a question."""
    asked = question.to_json()
    return {"network": network_digest, "question": {name: asked[name] for name in _KEPT if name in asked}}


def clear_arguments(  # noqa: PLR0913 (what is cleared, and by name how)
    network_digest: str,
    question: SitingQuestion,
    applicants: Sequence[Applicant],
    offers: Sequence[Mapping[str, Any]],
    *,
    rules: Mapping[str, Any],
    method: str,
) -> dict[str, Any]:
    """Return the arguments of a clearing. ``offers`` have bus, envelope, score, largest_mw, zone.

    ``rules`` are those of :func:`rules_of` that are set. Raises QuestionError for a method that is none, and for more
    than can be cleared.
    """
    if method not in METHODS:
        raise QuestionError(f"clearing is by {' or '.join(METHODS)}, not {method!r:.40}")
    if not applicants or len(applicants) > MOST_APPLICANTS or not offers or len(offers) > MOST_OFFERS:
        raise QuestionError(
            f"{len(applicants)} applications and {len(offers)} certified sites: 1 to {MOST_APPLICANTS}, and 1 to "
            f"{MOST_OFFERS}"
        )
    return corridors_arguments(network_digest, question) | {
        "threshold": question.threshold,
        "applicants": [
            {"name": one.name, "mw": one.mw, "date": one.date, "buses": sorted(one.buses),
             "envelopes": sorted(one.envelopes)}
            for one in applicants
        ],
        "offers": [dict(offer) for offer in offers],
        "rules": dict(rules),
        "method": method,
    }  # fmt: skip


def corridors_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return the corridors for the least-cost dispatch of every hour, and how many hours have none."""
    case = _prepared(arguments, context)[1].case
    flows, hours = least_cost_flows(case, context.progress)
    if not hours:
        raise QuestionError("no hour of the question has a dispatch that keeps every limit")
    found = corridors(case.network, flows, [case.labels[hour] for hour in hours])
    return {"corridors": corridors_json(found), "hours": len(hours), "left_out": len(case) - len(hours)}


def corridors_json(found: Sequence[Corridor]) -> list[dict[str, Any]]:
    """Return corridors as JSON values, which have no infinity: that of a branch without a rating is null."""
    return [{name: None if value == np.inf else value for name, value in asdict(one).items()} for one in found]


def corridors_from(content: Mapping[str, Any]) -> list[Corridor]:
    """Return the corridors that the job returned."""
    found = []
    for one in content["corridors"]:
        known: dict[str, Any] = {name: np.inf if value is None else value for name, value in one.items()}
        known["zones"] = tuple(one["zones"])
        found.append(Corridor(**known))
    return found


def least_cost_flows(case: SitingCase, progress: Any = None) -> tuple[Matrix, list[int]]:
    """Return the flows (T', L) of the hours that have a dispatch which keeps every limit, and these hours' places."""
    flows, hours = [], []
    for hour in range(len(case)):
        options = DcOpfOptions(
            load_mw=case.demand_mw[hour] - shunt_mw(case.network),
            p_min_mw=case.least_mw[hour],
            p_max_mw=case.largest_mw[hour],
        )
        try:
            flows.append(dc_opf(case.network, options).flow_mw)
            hours.append(hour)
        except InfeasibleError:
            pass  # told as left out
        if progress is not None:
            progress(hour + 1, len(case), f"{hour + 1:,} of {len(case):,} hours dispatched")
    return np.array(flows).reshape(len(hours), len(case.network.branches.ids)), hours


def clear_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return awards, those left without, and refusals with their reasons."""
    question, prepared = _prepared(arguments, context)
    case = prepared.case
    gate = CaseGate.of(Ground.of(question, prepared), float(arguments["threshold"]))
    corridor = corridors_of_buses(case.network, Factors.of(case.network))
    place = {bus: position for position, bus in enumerate(case.network.buses.ids)}
    unknown = sorted({bus for one in arguments["applicants"] for bus in one["buses"] if not 0 <= bus < len(place)})
    if unknown:
        raise QuestionError(f"there is no bus at position {unknown[0]}")
    applicants = [
        Applicant(one["name"], one["mw"], one["date"], frozenset(one["buses"]), frozenset(one["envelopes"]))
        for one in arguments["applicants"]
    ]
    own = {envelope.name: envelope for envelope in question.net_envelopes}
    offers = [
        Offer(
            place[one["bus"]],
            one["bus"],
            own[one["envelope"]],
            one["score"],
            one["largest_mw"],
            one["zone"],
            corridor[place[one["bus"]]],
        )
        for one in arguments["offers"]
    ]
    zones, named = ({getattr(offer, name) for offer in offers} - {""} for name in ("zone", "corridor"))
    rules = rules_of(arguments["rules"], zones, named)

    def report(done: int, total: int) -> None:
        if arguments["method"] == "sequence":
            context.progress(done, total, f"{done:,} of {total:,} pairs tried")
        else:  # no one knows how many rounds there will be
            context.progress(done, total, f"portfolios refused: {done:,}; the first that passes is the best")

    progress: Progress = report
    if arguments["method"] == "sequence":
        found = clear_by_score(applicants, offers, rules, gate, progress=progress)
        told, pairs = _told_sequence(found), [(one.applicant, one.offer) for one in found.awards]
    else:
        best = best_portfolio(applicants, offers, rules, gate, progress=progress)
        told, pairs = _told_portfolio(best, applicants), list(best.awards)
    placed = {applicant.name for applicant, _ in pairs}
    left = [one for one in applicants if one.name not in placed]
    why = {one.name: why_left(one, offers, rules, pairs, gate=gate) for one in left}
    return told | {"why": why, "order": rules.order()}


def rules_of(given: Mapping[str, Any], zones: set[str], named: set[str]) -> ClearingRules:
    """Return the rules of a clearing among zones and corridors (``named``).

    ``zone_cap_mw`` and ``corridor_cap_mw`` hold for every one of them, ``caps`` ([kind, name, MW]) for those named.
    """
    own: dict[str, Any] = {name: given[name] for name in ("tranche_mw", "tie_break", "score_step") if name in given}
    own |= {name: int(given[name]) for name in ("most_per_zone", "most_per_bus", "most_per_corridor") if name in given}
    for kind, names in (("zone", zones), ("corridor", named)):
        every = {name: float(given[f"{kind}_cap_mw"]) for name in sorted(names) if f"{kind}_cap_mw" in given}
        own[f"{kind}_cap_mw"] = every | {name: float(mw) for of, name, mw in given.get("caps", ()) if of == kind}
    return ClearingRules(**own)


def _prepared(arguments: Mapping[str, Any], context: JobContext) -> tuple[SitingQuestion, Prepared]:
    question = SitingQuestion.from_json(arguments["question"])
    network = Network.from_tables(context.load_network(arguments["network"]))
    return question, prepare(question, network, context.load_dataset)


def _award(applicant: Applicant, offer: Offer, pass_rate: float | None) -> dict[str, Any]:
    return {
        "applicant": applicant.name,
        "mw": applicant.mw,
        "bus": offer.bus_id,
        "envelope": offer.envelope.name,
        "score": offer.score,
        "zone": offer.zone,
        "corridor": offer.corridor,
        "pass_rate": pass_rate,
    }


def _told_verdict(verdict: JointVerdict) -> dict[str, Any]:
    return {
        "pairs": verdict.pairs,
        "failed": verdict.failed,
        "failed_share": verdict.failed_share,
        "allowed_share": verdict.allowed,
    }


def _told_sequence(found: Clearing) -> dict[str, Any]:
    return {
        "method": "sequence",
        "awards": [_award(one.applicant, one.offer, one.pass_rate) for one in found.awards],
        "unplaced": [one.name for one in found.unplaced],
        "refusals": [
            {"applicant": one.applicant.name, "bus": one.offer.bus_id, "envelope": one.offer.envelope.name,
             "reason": one.reason}
            for one in found.refusals
        ],
        **_told_verdict(found.verdict),
    }  # fmt: skip


def _told_portfolio(found: Portfolio, applicants: Sequence[Applicant]) -> dict[str, Any]:
    placed = {applicant.name for applicant, _ in found.awards}
    return {
        "method": "portfolio",
        "awards": [_award(applicant, offer, found.verdict.pass_rate) for applicant, offer in found.awards],
        "unplaced": [one.name for one in applicants if one.name not in placed],
        "refusals": [],
        **_told_verdict(found.verdict),
        "gap": found.gap,
        "cuts": found.cuts,
        "rounds": found.rounds,
        "status": found.status.value,
    }
