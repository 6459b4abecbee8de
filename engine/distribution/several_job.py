"""The job of several feeders at once: ``feeder.several``. Its answer is JSON in a file.

Rows are kept question by question, so that a run that was stopped goes on where it was.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from engine.compute import JobContext, Kept
from engine.distribution.jobs import hashed, study_arguments
from engine.distribution.question import FeederQuestion
from engine.distribution.several import FORMAT, dump_rows, load_rows, run_several
from engine.errors import QuestionError

SEVERAL = "feeder.several"
# What the job returns beside the key of its file.
SEVERAL_SHAPE: Mapping[str, type] = {
    "questions": int,
    "rows": int,
    "failures": int,
    "workers": str,
    "time_s": float,
    "processor_s": float,
}


def several_arguments(questions: Sequence[FeederQuestion]) -> dict[str, Any]:
    """Return the arguments of the job: those of each question's study."""
    return {"studies": [study_arguments(each) for each in questions], "format": FORMAT}


def several_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of the answer."""
    return f"feeder-several-{hashed(arguments)}.json"


def several_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Answer all questions and keep the table. Raises what :func:`engine.distribution.several.run_several` raises."""
    started, before = time.perf_counter(), time.process_time()
    try:
        questions = [FeederQuestion.from_json(each["question"]) for each in arguments["studies"]]
    except (LookupError, TypeError):
        raise QuestionError("a study of several feeders needs a list of questions") from None
    asked = several_arguments(questions)
    # A row tells its place in the list, so it is kept by the place as well.
    keys = [f"feeder-several-{hashed({'at': at, **each})}-row.json" for at, each in enumerate(asked["studies"])]

    def tell(done: int, total: int) -> None:
        context.progress(done, total, f"{done} of {total} feeders")

    run = run_several(
        questions,
        context.load_dataset,
        workers=context.workers,
        progress=tell,
        kept=Kept(context.artifacts, keys, dump_rows, load_rows),
    )
    key = several_key(asked)
    context.artifacts.save(key, run.save())
    return {
        "questions": len(questions),
        "rows": len(run.rows),
        "failures": len(run.failures),
        "workers": str(run.provenance["workers"]),
        "time_s": time.perf_counter() - started,
        "processor_s": time.process_time() - before,
        "artifacts": [key],
    }
