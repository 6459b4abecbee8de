"""The job of the methods side by side: ``feeder.methods``. Its answer is JSON in a file."""

import time
from collections.abc import Mapping
from typing import Any

from engine.compute import JobContext
from engine.distribution.jobs import feeder_digest, hashed
from engine.distribution.methods_run import FORMAT, MethodsOptions, run_methods
from engine.distribution.question import FeederQuestion

METHODS = "feeder.methods"
# What the job returns beside the key of its file.
METHODS_SHAPE: Mapping[str, type] = {
    "feeder": str,
    "svg": bool,
    "methods": int,
    "failures": int,
    "best": float,
    "bound": float,
    "time_s": float,
    "processor_s": float,
}


def methods_arguments(question: FeederQuestion, options: MethodsOptions | None = None) -> dict[str, Any]:
    """Return the arguments of the job."""
    return {
        "question": question.to_json(),
        "options": (options or MethodsOptions()).to_json(),
        "feeder": feeder_digest(question),
        "format": FORMAT,
    }


def methods_key(arguments: Mapping[str, Any]) -> str:
    """Return the key of the file of the answer."""
    return f"feeder-methods-{hashed(arguments)}.json"


def methods_job(arguments: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Run the methods and keep the answer. Raises what :func:`engine.distribution.methods_run.run_methods` raises."""
    started, before = time.perf_counter(), time.process_time()
    question = FeederQuestion.from_json(arguments["question"])
    options = MethodsOptions.from_json(arguments["options"])
    run = run_methods(question, options, context.load_dataset, tell=context.progress)
    key = methods_key(methods_arguments(question, options))
    context.artifacts.save(key, run.save())
    return {
        "feeder": run.question.feeder if not run.question.dataset else run.question.dataset[:12],
        "svg": options.svg,
        "methods": len(run.rows),
        "failures": len(run.failures),
        "best": min(row.objective for row in run.rows),
        "bound": run.bound,
        "time_s": time.perf_counter() - started,
        "processor_s": time.process_time() - before,
        "artifacts": [key],
    }
