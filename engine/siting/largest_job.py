"""The job ``siting.largest``: which sizes of a ladder qualify at each candidate."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.compute import JobContext
from engine.errors import QuestionError
from engine.network.model import Network
from engine.siting.gate.bounds import UNKNOWN
from engine.siting.jobs import gate_arguments, hashed, question_of
from engine.siting.largest import CAP_MW, FORMAT, LargestSizes, ladder, largest_sizes
from engine.siting.prepare import prepare
from engine.siting.question import SitingQuestion
from engine.siting.run import contingencies_of, gate_question

LARGEST = "siting.largest"
FINE_MW, COARSE_MW = 10.0, 50.0  # the steps that are offered
# What the job returns beside the key of its file, which :class:`engine.siting.largest.LargestSizes` reads.
LARGEST_SHAPE: Mapping[str, type] = {
    "candidates": int,
    "contingencies": int,
    "verdicts": int,
    "undecided": int,
    "time_s": float,
    "processor_s": float,
}


@dataclass(frozen=True, slots=True, eq=False)
class LargestFound:
    """The answer of the job."""

    sizes: LargestSizes
    told: Mapping[str, Any]  # what the job returned; with "origin" where it came with the program

    @property
    def step_mw(self) -> float:
        """Return by how much the sizes rise."""
        return self.sizes.sizes_mw[0]


def largest_arguments(network_digest: str, question: SitingQuestion, step_mw: float) -> dict[str, Any]:
    """Return the arguments of the job: a gate's question, whatever sizes it asks. Raises QuestionError."""
    if step_mw not in {FINE_MW, COARSE_MW}:
        raise QuestionError(f"sizes rise by {FINE_MW:g} or {COARSE_MW:g} MW, not by {step_mw:g}")
    asked = gate_arguments(network_digest, replace(question, sizes_mw=(CAP_MW,), stages=()))
    return {**asked, "threshold": question.threshold, "step_mw": step_mw, "format": FORMAT}


def largest_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of verdicts."""
    return f"siting-largest-{hashed(arguments)}.npz"


def largest_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Decide the sizes and keep the verdicts. Raises QuestionError with every problem of the question."""
    started = time.perf_counter()
    question = question_of(arguments)
    network = Network.from_tables(context.load_network(arguments["network"]))
    prepared = prepare(question.checked(network), network, context.load_dataset)
    contingencies = contingencies_of(question, prepared)
    asked = replace(gate_question(question, prepared), sizes_mw=ladder(float(arguments["step_mw"])))

    def report(done: int, total: int) -> None:
        context.progress(done, total, f"{done:,} of {total:,} groups of candidates")

    found = largest_sizes(
        prepared.case, contingencies, asked, workers=context.workers, progress=report, artifacts=context.artifacts
    )
    key = largest_key(arguments)
    context.artifacts.save(key, found.save())
    return {
        "candidates": len(found.buses),
        "contingencies": len(contingencies),
        "verdicts": found.verdicts.size,
        "undecided": int((found.verdicts == UNKNOWN).sum()),
        "time_s": time.perf_counter() - started,
        "processor_s": found.time_s,
        "artifacts": [key],
    }
