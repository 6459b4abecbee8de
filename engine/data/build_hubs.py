"""Make the answer of the Hubs page that comes with the program.

    python -m engine.data.build_hubs [FOLDER] [--again]

The job itself computes the question that the page opens with.
"""

from pathlib import Path

from engine.data.answer_files import Context
from engine.data.opening_answer import OpeningAnswer
from engine.data.openings import HUBS
from engine.pricing.jobs import STUDY, study_arguments, study_job
from engine.pricing.run import HubRun


def _of_now(path: Path, context: Context) -> bool:
    """Return whether an answer is of the case that the question has now."""
    return HubRun.load(path).case.digest == HUBS.made(context.load_dataset).digest


ANSWER = OpeningAnswer(STUDY, study_arguments(HUBS), study_job, _of_now)

if __name__ == "__main__":
    ANSWER.command()
