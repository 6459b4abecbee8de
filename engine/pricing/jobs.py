"""The job of a study of hubs: ``hubs.study``.

A job's arguments are its inputs' hash; the answer goes into a file under a key made of the same arguments. While it
runs, what is known lies under :func:`partial_key`, and how far its searches are under :func:`searched_key`; nothing
reads either once it has ended.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from engine.compute import JobContext
from engine.errors import UncertaintyDataError
from engine.pricing.question import HubQuestion
from engine.pricing.run import FORMAT, HubRun, run_hubs
from engine.pricing.searched import Searched

STUDY = "hubs.study"
# What the job returns beside the key of its file.
STUDY_SHAPE: Mapping[str, type] = {
    "hubs": int,
    "periods": int,
    "none": float,  # $, of overloads without prices
    "quick": float,  # $, the objective of quick prices
    "floor": float,
    "time_s": float,
    "processor_s": float,
}
_PARTS = 100_000  # of the progress: of a search of hours, one is a second
_EVERY_S = 1.0  # how often it is kept how far the searches are


def study_arguments(question: HubQuestion) -> dict[str, Any]:
    """Return the arguments of the job; files are in the question by their digests."""
    return {"question": question.to_json(), "format": FORMAT}


def study_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of the answer."""
    return f"hubs-study-{_hashed(arguments)}.npz"


def partial_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of what is known while the job runs."""
    return f"hubs-study-{_hashed(arguments)}-partial.npz"


def searched_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of how far the searches of a running job are."""
    return f"hubs-study-{_hashed(arguments)}-searched.json"


def read_searched(content: bytes) -> Searched:
    """Return how far the searches are. Raises UncertaintyDataError for what :func:`study_job` did not write."""
    try:
        return Searched.from_json(json.loads(content))
    except ValueError:
        raise UncertaintyDataError("not a record of a search for prices") from None


def _hashed(arguments: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()[:40]


def study_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Run a study and keep it. Raises what :func:`engine.pricing.run.run_hubs` raises."""
    question = HubQuestion.from_json(arguments["question"])
    asked, before = study_arguments(question), time.process_time()
    kept_at = float("-inf")

    context.artifacts.replace(searched_key(asked), json.dumps(Searched(0.0).to_json()).encode())  # not a former run's

    def keep(found: Searched) -> None:
        nonlocal kept_at
        now = time.monotonic()
        if now - kept_at >= _EVERY_S:
            kept_at = now
            context.artifacts.replace(searched_key(asked), json.dumps(found.to_json()).encode())

    run = run_hubs(
        question,
        context.load_dataset,
        progress=lambda share, words: context.progress(int(_PARTS * share), _PARTS, words),
        partial=lambda known: context.artifacts.replace(partial_key(asked), known.save()),
        searched=keep,
    )
    key = study_key(asked)
    context.artifacts.save(key, run.save())
    return summary(run) | {"processor_s": time.process_time() - before, "artifacts": [key]}


def summary(run: HubRun) -> dict[str, Any]:
    """Return what a list of answers shows of one; with the processor's time its fields are :data:`STUDY_SHAPE`."""
    none, quick = run.of("none", "quadratic"), run.of("quick", "quadratic")
    if none is None or quick is None:
        raise ValueError("a study of hubs has no outcome without prices, or with quick ones")
    return {
        "hubs": len(run.case.hubs),
        "periods": run.case.periods,
        "none": none.overload_cost,
        "quick": quick.objective,
        "floor": run.floor,
        "time_s": float(run.provenance["time_s"]),
    }
