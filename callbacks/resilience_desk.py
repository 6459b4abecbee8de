"""What the Resilience page asks of the engine and the store: answers as of any day, and cases made once."""

from callbacks.day_desk import DayDesk, Subject
from callbacks.services import Kept, Services
from components import resilience_ids
from components.resilience_view import question_query, read
from engine.data.openings import RESILIENCE
from engine.resilience import jobs
from engine.resilience.case import PlacementCase
from engine.resilience.question import FEEDERS, ResilienceQuestion
from engine.resilience.run import ResilienceRun

SHOCKS_KIND = "shocks"  # of a study's files
KEPT_RUNS = 6
SUBJECT = Subject(
    ids=resilience_ids,
    opening=RESILIENCE,
    read=read,
    query=question_query,
    files=lambda question: (
        question.shocks_file,
        question.traces_file,
        "" if question.feeder in FEEDERS else question.feeder,
    ),
    job=jobs.STUDY,
    arguments=jobs.study_arguments,
    key=jobs.study_key,
    partial_key=jobs.partial_key,
    load=ResilienceRun.load,
    kept_runs=KEPT_RUNS,
)


class Desk(DayDesk[ResilienceQuestion, ResilienceRun]):
    """Answers questions about modules for the page. One per process, safe to share between threads."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, SUBJECT)
        self._cases: Kept[PlacementCase] = Kept(KEPT_RUNS)

    def case(self, user: str, study: str, question: ResilienceQuestion) -> PlacementCase:
        """Return the case of a question. Raises EngineError with everything that is wrong with it."""
        self.allowed(user, study, question)
        return self._cases.get(question.digest, lambda: question.made(lambda digest: self.file(user, study, digest)))
