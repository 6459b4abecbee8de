"""The job of a study of placement: ``resilience.study``.

A job's arguments are its inputs' hash; the answer goes into a file under a key made of the same arguments. While it
runs, what is known lies under :func:`partial_key`, and the marks of its search under :func:`searched_key`; nothing
reads either once it has ended.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from engine.compute import JobContext, Workers
from engine.errors import UncertaintyDataError
from engine.resilience.compare import CHOSEN
from engine.resilience.placement import Mark
from engine.resilience.question import ResilienceQuestion
from engine.resilience.run import FORMAT, ResilienceRun, run_resilience

STUDY = "resilience.study"
# What the job returns beside the key of its file.
STUDY_SHAPE: Mapping[str, type] = {
    "modules": int,
    "shocks": int,
    "capital": float,  # $ a year
    "objective": float,
    "gap": float,
    "unserved_mwh": float,  # CVaR of an event, on the shocks of the case
    "unserved_without_mwh": float,  # the same without modules
    "time_s": float,
}
_PARTS = 100_000  # of the progress


def study_arguments(question: ResilienceQuestion) -> dict[str, Any]:
    """Return the arguments of the job; files are in the question by their digests."""
    return {"question": question.to_json(), "format": FORMAT}


def study_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of the answer."""
    return f"resilience-study-{_hashed(arguments)}.npz"


def partial_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of what is known while the job runs."""
    return f"resilience-study-{_hashed(arguments)}-partial.npz"


def searched_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the marks of the search of a running job."""
    return f"resilience-study-{_hashed(arguments)}-searched.json"


def read_searched(content: bytes) -> tuple[Mark, ...]:
    """Return the marks. Raises UncertaintyDataError for what :func:`study_job` did not write."""
    try:
        return tuple(Mark(**each) for each in json.loads(content))
    except (TypeError, ValueError):
        raise UncertaintyDataError("not a record of a search for a plan") from None


def _hashed(arguments: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()[:40]


def study_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Run a study and keep it. Raises what :func:`engine.resilience.run.run_resilience` raises."""
    question = ResilienceQuestion.from_json(arguments["question"])
    asked = study_arguments(question)
    workers: Workers = context.workers

    def keep(marks: tuple[Mark, ...]) -> None:
        told = [asdict(mark) for mark in marks]
        context.artifacts.replace(searched_key(asked), json.dumps(told).encode())

    keep(())  # not a former run's
    run = run_resilience(
        question,
        context.load_dataset,
        workers=workers,
        progress=lambda share, words: context.progress(int(_PARTS * share), _PARTS, words),
        partial=lambda known: context.artifacts.replace(partial_key(asked), known.save()),
        searched=keep,
    )
    key = study_key(asked)
    context.artifacts.save(key, run.save())
    return summary(run) | {"artifacts": [key]}


def summary(run: ResilienceRun) -> dict[str, Any]:
    """Return what a list of answers shows of one: its fields are :data:`STUDY_SHAPE`."""
    chosen, none = run.of(CHOSEN), run.of("none")
    with_, without = run.metrics(CHOSEN), run.metrics("none")
    if chosen is None or none is None or with_ is None or without is None:
        raise ValueError("a study of placement has no plan, or none without modules")
    return {
        "modules": int(chosen.plan.sum()),
        "shocks": len(run.case.scenarios),
        "capital": with_.capital,
        "objective": chosen.own_objective,
        "gap": max(0.0, 1.0 - chosen.bound / chosen.own_objective) if chosen.own_objective > 0.0 else 0.0,
        "unserved_mwh": with_.cvar_unserved_mwh,
        "unserved_without_mwh": without.cvar_unserved_mwh,
        "time_s": float(run.provenance["time_s"]),
    }
