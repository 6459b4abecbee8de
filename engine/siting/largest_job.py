"""The job ``siting.largest``: the largest size that qualifies at each candidate, and the count at every size."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from engine.compute import JobContext
from engine.errors import QuestionError
from engine.network.model import Network
from engine.siting.jobs import gate_arguments, question_of
from engine.siting.largest import CAP_MW, FORMAT, ladder, largest_sizes
from engine.siting.prepare import prepare
from engine.siting.question import SitingQuestion
from engine.siting.run import contingencies_of, gate_question

LARGEST = "siting.largest"
FINE_MW, COARSE_MW = 10.0, 50.0  # the steps that are offered


@dataclass(frozen=True, slots=True)
class SizesOf:
    """What was found under one envelope: C candidates, K sizes."""

    envelope: str
    largest_mw: tuple[float, ...]  # (C,), that qualifies; 0 for none
    most_mw: tuple[float, ...]  # (C,), that may: the same where all is decided
    falls: tuple[bool, ...]  # (C,), whether every smaller size qualifies too
    qualified: tuple[int, ...]  # (K,), candidates
    undecided: tuple[int, ...]  # (K,)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return one entry of what the job returned."""
        lists = {name: tuple(content[name]) for name in cls.__dataclass_fields__ if name != "envelope"}
        return cls(content["envelope"], **lists)


@dataclass(frozen=True, slots=True)
class LargestFound:
    """The answer of the job."""

    buses: tuple[str, ...]  # (C,), ids
    step_mw: float
    sizes_mw: tuple[float, ...]  # (K,)
    threshold: float
    hours: int
    contingencies: int
    processor_s: float
    envelopes: tuple[SizesOf, ...]

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return what the job returned."""
        known: dict[str, Any] = {name: content[name] for name in cls.__dataclass_fields__}
        known |= {name: tuple(content[name]) for name in ("buses", "sizes_mw")}
        known["envelopes"] = tuple(SizesOf.from_json(own) for own in content["envelopes"])
        return cls(**known)


def largest_arguments(network_digest: str, question: SitingQuestion, step_mw: float) -> dict[str, Any]:
    """Return the arguments of the job: a gate's question, whatever sizes it asks. Raises QuestionError."""
    if step_mw not in {FINE_MW, COARSE_MW}:
        raise QuestionError(f"sizes rise by {FINE_MW:g} or {COARSE_MW:g} MW, not by {step_mw:g}")
    asked = gate_arguments(network_digest, replace(question, sizes_mw=(CAP_MW,), stages=()))
    return {**asked, "threshold": question.threshold, "step_mw": step_mw, "format": FORMAT}


def largest_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Return :class:`LargestFound` as JSON values. Raises QuestionError with every problem of the question."""
    question = question_of(arguments)
    network = Network.from_tables(context.load_network(arguments["network"]))
    prepared = prepare(question.checked(network), network, context.load_dataset)
    contingencies = contingencies_of(question, prepared)
    sizes = ladder(float(arguments["step_mw"]))
    asked = replace(gate_question(question, prepared), sizes_mw=sizes)

    def report(done: int, total: int) -> None:
        context.progress(done, total, f"{done:,} of {total:,} groups of candidates")

    found = largest_sizes(
        prepared.case, contingencies, asked, workers=context.workers, progress=report, artifacts=context.artifacts
    )
    envelopes = []
    for own in found.envelopes:
        largest, most = found.largest_mw(own.name)
        qualified, undecided = found.counts_by_size(own.name)
        envelopes.append({
            "envelope": own.name, "largest_mw": largest.tolist(), "most_mw": most.tolist(),
            "falls": found.falls(own.name).tolist(), "qualified": qualified.tolist(),
            "undecided": undecided.tolist(),
        })  # fmt: skip
    return {
        "buses": [network.buses.ids[bus] for bus in found.buses.tolist()],
        "step_mw": float(arguments["step_mw"]),
        "sizes_mw": list(sizes),
        "threshold": question.threshold,
        "hours": len(prepared.case),
        "contingencies": len(contingencies),
        "processor_s": found.time_s,
        "envelopes": envelopes,
    }
