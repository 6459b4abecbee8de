"""Make the answer of the Resilience page that comes with the program.

Use: ``python -m engine.data.build_resilience [FOLDER]``.

The job itself computes the question that the page opens with. An answer to the very same inputs is kept as long as it
is of the case that the question has now; ``--again`` computes it whatever there is. Answers to questions that the page
no longer opens with are deleted.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from engine.data.answer_files import HERE, Context, kept, origin, write
from engine.data.openings import RESILIENCE
from engine.resilience.jobs import STUDY, study_arguments, study_job
from engine.resilience.question import ResilienceQuestion
from engine.resilience.run import ResilienceRun


def build_resilience(folder: str, *, again: bool = False) -> list[list[Path]]:
    """Write the answer to the opening question; return its files, the manifest first."""
    question, context = RESILIENCE, Context(folder)
    arguments: dict[str, Any] = json.loads(json.dumps(study_arguments(question)))
    known = [] if again else kept(STUDY, arguments, context)
    if not (known and _of_now(question, context, known)):
        result = study_job(arguments, context)
        known = write(STUDY, arguments, result | {"origin": origin(result)}, context)
    _only(known)
    return [known]


def _only(made: list[Path]) -> None:
    """Delete every other answer of this kind."""
    for path in HERE.glob("*.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["kind"] == STUDY and path not in made:
            for key in told["files"]:
                (HERE / f"{key}.xz").unlink(missing_ok=True)
            path.unlink()


def _of_now(question: ResilienceQuestion, context: Context, files: list[Path]) -> bool:
    path = context.artifacts.open(files[1].name.removesuffix(".xz"))
    return path is not None and ResilienceRun.load(path).case.digest == question.made(context.load_dataset).digest


def main() -> None:
    """Build the answer in the folder of the command line, or in one that is gone at the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", metavar="FOLDER")
    parser.add_argument("--again", action="store_true", help="compute it whatever there is")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as own:
        print(*(files[0] for files in build_resilience(asked.folder or own, again=asked.again)), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
