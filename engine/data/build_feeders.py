"""Make the answers of the Feeder page that come with the program: ``python -m engine.data.build_feeders [FOLDER]``.

For the question that the page opens with the jobs themselves compute the study, and the methods side by side without
and with static var generators; then the worked days of the four IEEE feeders at once. Answers to the same inputs are
kept.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.compute import JobContext
from engine.data.answer_files import Context, kept, origin, write
from engine.distribution import jobs
from engine.distribution.methods_job import METHODS, methods_arguments, methods_job
from engine.distribution.methods_run import MethodsOptions
from engine.distribution.question import FeederQuestion
from engine.distribution.several import default_questions
from engine.distribution.several_job import SEVERAL, several_arguments, several_job

Job = Callable[[dict[str, Any], JobContext], dict[str, Any]]


def build_feeders(folder: str) -> list[list[Path]]:
    """Write the answers to the opening question; return their files, each answer's manifest first."""
    question = FeederQuestion()
    made = [_made(jobs.STUDY, jobs.study_job, jobs.study_arguments(question), folder)]
    for svg in (False, True):
        asked = methods_arguments(question, MethodsOptions(svg=svg))
        made.append(_made(METHODS, methods_job, asked, folder))
    made.append(_made(SEVERAL, several_job, several_arguments(default_questions()), folder))
    return made


def _made(kind: str, job: Job, asked: dict[str, Any], folder: str) -> list[Path]:
    context, arguments = Context(folder), json.loads(json.dumps(asked))
    if known := kept(kind, arguments, context):
        return known
    result = job(arguments, context)
    return write(kind, arguments, result | {"origin": origin(result)}, context)


def main() -> None:
    """Build the answers in the folder of the command line, or in one that is gone at the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", metavar="FOLDER")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as own:
        print(*(files[0] for files in build_feeders(asked.folder or own)), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
