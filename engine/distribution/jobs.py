"""The job of a feeder study: ``feeder.study``.

A job's arguments are its inputs' hash; the answer goes into a file under a key made of the same arguments. While the
second case runs, the first lies under :func:`partial_key`; nothing reads it once the run has ended.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from engine.compute import JobContext
from engine.distribution import library
from engine.distribution.cases import PLACES
from engine.distribution.question import FeederQuestion
from engine.distribution.run import FORMAT, CaseRun, FeederRun, run_feeder

STUDY = "feeder.study"
# What the job returns beside the key of its file.
STUDY_SHAPE: Mapping[str, type] = {
    "feeder": str,
    "digest": str,
    "hours": int,
    "cases": int,
    "flags": int,
    "violations": int,
    "error_pu": float,
    "time_s": float,
    "processor_s": float,  # of this process: AC power flows are solved in another
}


def study_arguments(question: FeederQuestion) -> dict[str, Any]:
    """Return the arguments of the job: files are in the question by their digests, the library's feeder by its own."""
    return {"question": question.to_json(), "feeder": feeder_digest(question), "format": FORMAT}


def feeder_digest(question: FeederQuestion) -> str:
    """Return the beginning of the digest of the library's feeder, "" where the question names a file or none."""
    known = not question.dataset and question.feeder in PLACES
    return library.load(question.feeder).digest[:40] if known else ""


def study_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of the answer."""
    return f"feeder-study-{hashed(arguments)}.npz"


def partial_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of what is known while the job runs."""
    return f"feeder-study-{hashed(arguments)}-partial.npz"


def study_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Run a study and keep it. Raises what :func:`engine.distribution.run.run_feeder` raises."""
    question = FeederQuestion.from_json(arguments["question"])
    asked, before = study_arguments(question), time.process_time()

    def tell(done: int, total: int) -> None:
        context.progress(done, total, f"{done:,} of about {total:,} AC power flows")

    run = run_feeder(
        question,
        context.load_dataset,
        progress=tell,
        partial=lambda known: context.artifacts.replace(partial_key(asked), known.save()),
    )
    key = study_key(asked)
    context.artifacts.save(key, run.save())
    return summary(run) | {"processor_s": time.process_time() - before, "artifacts": [key]}


def summary(run: FeederRun) -> dict[str, Any]:
    """Return what a list of answers shows of one; with the processor's time its fields are :data:`STUDY_SHAPE`."""
    return {
        "feeder": run.feeder.name,
        "digest": run.feeder.digest,
        "hours": len(run.labels),
        "cases": len(run.cases),
        "flags": sum(len(each.facts["flags"]) for each in run.cases),
        "violations": sum(len(each.facts["violations"]) for each in run.cases),
        "error_pu": max(_error(each) for each in run.cases),
        "time_s": float(run.provenance["time_s"]),
    }


def _error(case: CaseRun) -> float:
    return float(abs(case.error_pu).max())


def hashed(arguments: Mapping[str, Any]) -> str:
    """Return 40 characters of the SHA-256 of arguments."""
    text = json.dumps(dict(arguments), sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:40]
