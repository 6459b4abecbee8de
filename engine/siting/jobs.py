"""The jobs of a siting study: ``siting.gate``, ``siting.market`` and ``siting.ac``.

A job's arguments are its inputs' hash; what is large goes into files under keys made of the same arguments. While the
gate runs, what is known so far lies under :func:`partial_key`; nothing reads it once the run has ended.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.compute import JobContext, Progress
from engine.errors import QuestionError
from engine.network.factors import Factors
from engine.network.model import Network
from engine.siting.ac_check import ac_check
from engine.siting.contingencies import Contingencies
from engine.siting.gate.results import FORMAT as GATE_FORMAT
from engine.siting.gate.results import GateResult
from engine.siting.gate_time import screened_share
from engine.siting.hour_sets import HourSet
from engine.siting.market_run import FORMAT as MARKET_FORMAT
from engine.siting.market_run import MarketQuestion, run_market
from engine.siting.prepare import prepare, prepared_again
from engine.siting.question import SHORTLIST, SitingQuestion
from engine.siting.run import CHECKED, GateRun, checked_again, ground_of, remade, screened

GATE, MARKET, AC = "siting.gate", "siting.market", "siting.ac"
_STEPS = 1000
# What the jobs return beside the keys of their files.
GATE_SHAPE: Mapping[str, type] = {
    "hours": dict,
    "of_source": int,
    "candidates": int,
    "contingencies": int,
    "verdicts": int,
    "undecided": int,
    "check": dict,
    "time_s": float,
    "processor_s": float,
}
MARKET_SHAPE: Mapping[str, type] = {"sites": int, "served": int, "gap": float, "base_gap": float, "time_s": float}


def gate_arguments(network_digest: str, question: SitingQuestion) -> dict[str, Any]:
    """Return the arguments of the gate's job."""
    return {"network": network_digest, "question": question.of_gate(), "format": GATE_FORMAT}


def gate_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of verdicts."""
    return f"siting-gate-{hashed(arguments)}.npz"


def partial_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the verdicts that are known while the gate runs."""
    return f"siting-gate-{hashed(arguments)}-partial.npz"


def market_arguments(network_digest: str, question: SitingQuestion, market: MarketQuestion) -> dict[str, Any]:
    """Return the arguments of the market's job: the gate's, and what is asked of the market."""
    found: dict[str, Any] = {}
    if question.screened_mw != question.sizes_mw:  # stages of energisation are gated only
        found["sizes_mw"] = list(question.sizes_mw)
    if question.shortlist != SHORTLIST:  # sites whose place on it is open are solved again
        found["shortlist"] = question.shortlist
    if gates := [criterion for criterion in question.criteria if criterion.gates]:
        found |= {"criteria": [one.to_json() for one in gates], "criteria_file": question.criteria_file}
    return (
        found
        | gate_arguments(network_digest, question)
        | {
            "threshold": question.threshold,
            "market": market.to_json(),
            "market_format": MARKET_FORMAT,
        }
    )


def market_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of the market run."""
    return f"siting-market-{hashed(arguments)}.npz"


def market_partial_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of what is known while the market runs."""
    return f"siting-market-{hashed(arguments)}-partial.npz"


def ac_arguments(network_digest: str, question: SitingQuestion, bus: str, load_mw: float, hour: int) -> dict[str, Any]:
    """Return the arguments of the AC power flows of one site: its load in one hour, by its position in the source."""
    asked = question.to_json()
    kept = ("source", "dataset", "thermal", "load_scale", "seed", "branches", "units", "committed")
    return {
        "network": network_digest,
        "question": {name: asked[name] for name in kept},
        "bus": bus,
        "load_mw": round(load_mw, 6),
        "hour": hour,
    }


def question_of(arguments: Mapping[str, Any]) -> SitingQuestion:
    """Return the question in a job's arguments; the gate's have no threshold of their own."""
    names = ("threshold", "shortlist", "criteria", "criteria_file")
    own = {name: arguments[name] for name in names if name in arguments}
    return SitingQuestion.from_json({**arguments["question"], **own})


def gate_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Screen, check a sample from nothing, keep the verdicts. Raises QuestionError; VerdictError at a mismatch."""
    started = time.perf_counter()
    question = question_of(arguments)
    ground = ground_of(question, Network.from_tables(context.load_network(arguments["network"])), context.load_dataset)
    screening = screened_share(ground)
    asked, counted = gate_arguments(arguments["network"], question), [0, 0]

    def count(done: int, total: int) -> None:
        counted[:] = done, total

    def tell(share: float) -> None:
        words = f"{counted[0]:,} of {counted[1]:,} parts of the hours screened"
        context.progress(round(_STEPS * screening * share), _STEPS, words)

    run = screened(
        ground,
        workers=context.workers,
        progress=count,
        share=tell,
        artifacts=context.artifacts,
        partial=lambda known: context.artifacts.replace(partial_key(asked), known.save()),
    )
    verdicts = decided(run.gate)
    report = checked_again(
        run,
        count=min(CHECKED, verdicts),
        seed=question.seed,
        workers=context.workers,
        progress=part_of(context, screening, 1.0 - screening, "parts of the check from nothing"),
    )
    key = gate_key(asked)
    context.artifacts.save(key, run.gate.save())
    return {
        "hours": run.prepared.hours.to_json(),
        "of_source": run.prepared.of_source,
        "candidates": len(run.gate.buses),
        "contingencies": len(run.contingencies),
        "verdicts": verdicts,
        "undecided": run.gate.undecided,
        "check": {
            "words": report.words(),
            "count": len(report.found),
            "mismatches": len(report.mismatches),
            "seed": report.seed,
        },
        "time_s": time.perf_counter() - started,
        "processor_s": float(sum(known.time_s for known in run.gate.verdicts if known is not None)),
        "artifacts": [key],
    }


def market_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Run the market of the sites that passed a gate that was run before, and keep it.

    Raises QuestionError when the gate's verdicts are not kept any more.
    """
    started = time.perf_counter()
    market = MarketQuestion.from_json(arguments["market"])
    run = kept_run(arguments, context)
    if "sizes_mw" in arguments:
        sizes = tuple(float(mw) for mw in arguments["sizes_mw"])
        run = replace(run, question=replace(run.question, sizes_mw=sizes))
    words = "the days without a site are committed"

    def told(now: str) -> None:
        nonlocal words
        words = now

    def report(done: int, total: int) -> None:
        context.progress(round(_STEPS * done / max(total, 1)), _STEPS, words)

    found = run_market(
        run,
        market,
        context.load_dataset,
        workers=context.workers,
        progress=report,
        artifacts=context.artifacts,
        partial=lambda known: context.artifacts.replace(market_partial_key(arguments), known.save()),
        told=told,
    )
    key = market_key(arguments)
    context.artifacts.save(key, found.save())
    served = [site for site in found.sites if site.served]
    return {
        "sites": len(found.sites),
        "served": len(served),
        "gap": max((site.gap for site in served), default=0.0),
        "base_gap": found.base.gap,
        "time_s": time.perf_counter() - started,
        "artifacts": [key],
    }


def ac_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return the AC power flows of a site's base and worst outages, as :class:`AcReport` writes them."""
    question = question_of({"question": {**arguments["question"], "choice": "list", "hours": [arguments["hour"]]}})
    if question.source == "filed":
        question = question_of({"question": {**arguments["question"], "choice": "one", "hours": []}})
    network = Network.from_tables(context.load_network(arguments["network"]))
    case = prepare(question, network, context.load_dataset).case
    lost = Contingencies.of(Factors.of(case.network), question.rule, case)
    if arguments["bus"] not in case.network.buses.ids:
        raise QuestionError(f"there is no bus {arguments['bus']!r:.60}")
    bus = case.network.buses.ids.index(arguments["bus"])
    report = ac_check(case, lost, bus, arguments["load_mw"], 0, progress=part_of(context, 0.0, 1.0, "power flows"))
    return dict(report.to_json())


def kept_run(arguments: Mapping[str, Any], context: JobContext) -> GateRun:
    """Return the gate's run whose verdicts a job of the same question kept. Raises QuestionError when they are gone."""
    question = question_of(arguments)
    path = context.artifacts.open(gate_key(gate_arguments(arguments["network"], question)))
    if path is None:
        raise QuestionError("the gate's verdicts are not kept any more: run the gate again")
    gate = replace(GateResult.load(path), threshold=question.threshold)
    network = Network.from_tables(context.load_network(arguments["network"]))
    return remade(question, prepare(question, network, context.load_dataset), gate)


def run_of(
    arguments: Mapping[str, Any], result: Mapping[str, Any], gate: GateResult, network: Network, load_dataset: Any
) -> GateRun:
    """Return the run of a gate's job from what it returned and its file: only its own hours are made again."""
    question = question_of(arguments)
    hours = HourSet.from_json(result["hours"])
    found = remade(question, prepared_again(question, network, hours, result["of_source"], load_dataset), gate)
    return replace(found, checked=result["check"])


def decided(gate: GateResult) -> int:
    """Return how many (candidate, hour, level, contingency) were decided, equal loads of an hour counted once."""
    total = 0
    for known in gate.verdicts:
        if known is not None:
            total += len(known.levels_mw) * len(gate.buses) * len(gate.ids)
    return total


def hashed(arguments: Mapping[str, Any]) -> str:
    """Return what a file is named by: the hash of what it was computed from."""
    text = json.dumps(dict(arguments), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def part_of(context: JobContext, start: float, share: float, words: str) -> Progress:
    """Return the report of one stage as a share of the job's bar."""

    def report(done: int, total: int) -> None:
        place = round(_STEPS * (start + share * done / max(total, 1)))
        context.progress(place, _STEPS, f"{done:,} of {total:,} {words}")

    return report
