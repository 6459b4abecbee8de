"""The gate over all hours of a source, as bounds on the pass rates, and its job ``siting.year``; the gate done afresh.

Hours one by one would take days on a large network. The bounds are exact: what they decide is what the exact gate
would; what they leave open is not guessed. A run has a time. The next *part* of the same question goes on where the
last one was, as does a run that was cancelled or whose machine stopped: every group of hours that was looked at is
kept.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.compute import HERE, Artifacts, JobContext, Progress, Workers
from engine.errors import QuestionError, VerdictError
from engine.network.model import Network
from engine.siting import gate_check
from engine.siting.gate.bounds import FAILED, PASSED
from engine.siting.gate.bracket import FORMAT, GateBracket
from engine.siting.gate.decide import decide
from engine.siting.gate.results import GateResult
from engine.siting.gate_check import CheckReport, Triple
from engine.siting.jobs import decided, gate_arguments, gate_key, hashed, kept_run, part_of, question_of
from engine.siting.prepare import LoadDataset, Prepared, prepare
from engine.siting.question import SitingQuestion
from engine.siting.run import CHECKED, Ground, checked_again, contingencies_of, gate_question, run_gate

YEAR, AGAIN = "siting.year", "siting.again"
MINUTES = (10, 60)  # that one part may take
_STEPS, _BOUNDED = 1000, 0.9  # of the progress of a part whose time is over; the rest is the check
YEAR_SHAPE: Mapping[str, type] = {
    "hours": int,
    "candidates": int,
    "contingencies": int,
    "decided_share": float,
    "looked_at": float,
    "groups": int,
    "time_s": float,
    "check": dict,
}
AGAIN_SHAPE: Mapping[str, type] = {"verdicts": int, "differ": int, "time_s": float, "processor_s": float, "check": dict}


@dataclass(frozen=True, slots=True, eq=False)
class YearRun(Ground):
    """A question's ground over every hour of its source, and the bounds on its pass rates."""

    bracket: GateBracket


def year_question(question: SitingQuestion) -> SitingQuestion:
    """Return the question over every hour of its source. Raises QuestionError where that is one hour."""
    if question.source == "filed":
        raise QuestionError("a network as filed is one hour: choose the hours of 2016, or a file of hours")
    return replace(question, choice="year", hours=())


def run_year(  # noqa: PLR0913 (the question, then by name how)
    question: SitingQuestion,
    network: Network,
    load_dataset: LoadDataset | None = None,
    *,
    budget_s: float | None = None,
    workers: Workers = HERE,
    progress: Progress | None = None,
    artifacts: Artifacts | None = None,
    partial: Callable[[GateBracket], None] | None = None,
) -> YearRun:
    """Return bounds on every pass rate over all hours of the source, see :func:`engine.siting.gate.decide.decide`.

    Raises QuestionError with every problem of the question.
    """
    asked = year_question(question).checked(network)
    prepared = prepare(asked, network, load_dataset)
    return _bounded(asked, prepared, budget_s, workers, progress, artifacts, partial)


def _bounded(  # noqa: PLR0913, PLR0917 (as above)
    question: SitingQuestion,
    prepared: Prepared,
    budget_s: float | None,
    workers: Workers,
    progress: Progress | None,
    artifacts: Artifacts | None,
    partial: Callable[[GateBracket], None] | None,
) -> YearRun:
    contingencies = contingencies_of(question, prepared)
    bracket = decide(
        prepared.case, contingencies, gate_question(question, prepared),
        budget_s=budget_s, workers=workers, progress=progress, artifacts=artifacts, partial=partial,
    )  # fmt: skip
    return YearRun(question, prepared, contingencies, bracket)


def checked_year(
    run: YearRun,
    *,
    count: int = CHECKED,
    seed: int = 0,
    workers: Workers = HERE,
    progress: Progress | None = None,
) -> CheckReport:
    """Return the verdicts that the bounds stand on, decided again from nothing: ``count`` of them, or all there are.

    Half of them passed and half failed, as far as there are such. Raises VerdictError at any that differs.
    """
    triples = [Triple(c.bus, c.load_mw, c.hour, c.contingency, c.passes) for c in run.bracket.claims]
    order = np.random.default_rng(seed).permutation(len(triples)).tolist()
    passed = [triples[k] for k in order if triples[k].passes]
    failed = [triples[k] for k in order if not triples[k].passes]
    half = max(count // 2, count - len(failed))
    drawn = passed[:half] + failed[: count - len(passed[:half])]
    return gate_check.report_of(
        run.prepared.case, run.contingencies, drawn, seed=seed, rating=run.question.outage_rating, workers=workers,
        progress=progress,
    )  # fmt: skip


def bracket_csv(network: Network, bracket: GateBracket) -> str:
    """Return one line per candidate, envelope and size with its bounds, and what they decide."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("bus", "name", "envelope", "nameplate_mw", "rate_least", "rate_most", "gate"))
    words = {PASSED: "passes", FAILED: "fails"}
    for envelope in bracket.envelopes:
        for size in bracket.sizes_mw:
            least, most = bracket.pass_rate(envelope, size)
            verdict = bracket.qualified(envelope, size).tolist()
            for place, bus in enumerate(bracket.buses.tolist()):
                name = network.buses.names[bus]
                bounds = f"{least[place]:.9f}", f"{most[place]:.9f}"
                gate = words.get(verdict[place], "open")
                writer.writerow((network.buses.ids[bus], name, envelope, f"{size:g}", *bounds, gate))
    return text.getvalue()


# The job


def year_arguments(network_digest: str, question: SitingQuestion, part: int, minutes: int) -> dict[str, Any]:
    """Return the arguments of one part of a question: the first is 1. Raises QuestionError."""
    if part < 1 or minutes not in MINUTES:
        raise QuestionError(f"a part counts from 1 and takes {' or '.join(map(str, MINUTES))} minutes")
    return _asked(network_digest, question) | {"part": part, "minutes": minutes}


def year_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of bounds."""
    return f"siting-year-{hashed(arguments)}.npz"


def so_far_key(network_digest: str, question: SitingQuestion) -> str:
    """Return the key of the bounds that are known while a part runs, and after it was cancelled."""
    return f"siting-year-{hashed(_asked(network_digest, question))}-partial.npz"


def _asked(network_digest: str, question: SitingQuestion) -> dict[str, Any]:
    asked = json.loads(json.dumps(gate_arguments(network_digest, year_question(question))))
    return {**asked, "threshold": question.threshold, "format": FORMAT}


def year_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Bound, check what the bounds stand on from nothing, keep. Raises QuestionError; VerdictError at a mismatch."""
    question = question_of(arguments)
    network = Network.from_tables(context.load_network(arguments["network"]))
    so_far, budget_s = so_far_key(arguments["network"], question), 60.0 * int(arguments["minutes"])
    context.progress(0, _STEPS, "every hour of the source")
    prepared = prepare(question.checked(network), network, context.load_dataset)
    start = time.perf_counter()

    def tell(done: int, total: int) -> None:
        spent = (time.perf_counter() - start) / budget_s
        share = min(1.0, max(spent, done / max(total, 1)))
        context.progress(round(_STEPS * _BOUNDED * share), _STEPS, f"{done:,} of {total:,} decided")

    run = _bounded(
        question, prepared, budget_s, context.workers, tell, context.artifacts,
        lambda known: context.artifacts.replace(so_far, known.save()),
    )  # fmt: skip
    report = checked_year(
        run,
        seed=question.seed,
        workers=context.workers,
        progress=part_of(context, _BOUNDED, 1.0 - _BOUNDED, "parts of the check from nothing"),
    )
    key, bracket = year_key(arguments), run.bracket
    context.artifacts.replace(key, bracket.save())
    return {
        "hours": bracket.hours,
        "candidates": len(bracket.buses),
        "contingencies": len(run.contingencies),
        "decided_share": bracket.decided_share,
        "looked_at": bracket.looked_at,
        "groups": bracket.groups,
        "time_s": bracket.time_s,
        "check": told_of(report),
        "artifacts": [key],
    }


def told_of(report: CheckReport) -> dict[str, Any]:
    """Return what a job tells of its check."""
    return {
        "words": report.words(),
        "count": len(report.found),
        "mismatches": len(report.mismatches),
        "seed": report.seed,
    }


# The gate of a question once more


def again_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Screen a question whose verdicts are kept from nothing, and compare both verdict by verdict.

    Raises VerdictError where one differs, QuestionError when the verdicts are not kept any more.
    """
    start, question = time.perf_counter(), question_of(arguments)
    kept = kept_run(arguments, context).gate
    run = run_gate(
        question,
        Network.from_tables(context.load_network(arguments["network"])),
        context.load_dataset,
        workers=context.workers,
        share=lambda share: context.progress(round(_STEPS * _BOUNDED * share), _STEPS, "screened afresh"),
    )
    report = checked_again(
        run,
        count=min(CHECKED, decided(run.gate)),
        seed=question.seed + 1,
        workers=context.workers,
        progress=part_of(context, _BOUNDED, 1.0 - _BOUNDED, "parts of the check from nothing"),
    )
    differ = differing(kept, run.gate)
    if differ:
        key = gate_key(gate_arguments(arguments["network"], question))
        raise VerdictError(f"{differ:,} of {decided(run.gate):,} verdicts differ from those kept as {key}")
    return {
        "verdicts": decided(run.gate),
        "differ": differ,
        "time_s": time.perf_counter() - start,
        "processor_s": float(sum(known.time_s for known in run.gate.verdicts if known is not None)),
        "check": told_of(report),
    }


def differing(one: GateResult, other: GateResult) -> int:
    """Return how many (candidate, hour, load, case) of two results of one question are not the same."""
    total = 0
    for mine, its in zip(one.verdicts, other.verdicts, strict=True):
        if mine is None or its is None:
            raise QuestionError("an hour was not screened: nothing to compare")
        both = (mine.passed ^ its.passed) | (mine.failed ^ its.failed)
        total += int(np.bitwise_count(both).sum())
    return total
