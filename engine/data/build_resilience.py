"""Make the answer of the Resilience page that comes with the program.

    python -m engine.data.build_resilience [FOLDER] [--again]

The job itself computes the question that the page opens with.
"""

from pathlib import Path

from engine.data.answer_files import Context
from engine.data.opening_answer import OpeningAnswer
from engine.data.openings import RESILIENCE
from engine.resilience.jobs import STUDY, study_arguments, study_job
from engine.resilience.run import ResilienceRun


def _of_now(path: Path, context: Context) -> bool:
    """Return whether an answer is of the case that the question has now."""
    return ResilienceRun.load(path).case.digest == RESILIENCE.made(context.load_dataset).digest


ANSWER = OpeningAnswer(STUDY, study_arguments(RESILIENCE), study_job, _of_now)

if __name__ == "__main__":
    ANSWER.command()
