"""What the Feeder page asks of the engine and the store: answers as of any day, and feeders opened once."""

from callbacks.day_desk import DayDesk, Stands, Subject
from callbacks.services import Kept, Services
from components import feeder_ids
from components.feeder_asked import unedited
from components.feeder_view import question_query
from engine.distribution import jobs
from engine.distribution.cases import placed
from engine.distribution.feeder import Feeder
from engine.distribution.files import from_json
from engine.distribution.question import FeederQuestion
from engine.distribution.run import FeederRun

FEEDER_KIND, WORK_KIND = "feeder", "feeder-work"  # of a study's files
KEPT_RUNS = 8  # of IEEE 37, 24 hours of both cases take some 5 MB
SUBJECT = Subject(
    ids=feeder_ids,
    opening=FeederQuestion(),
    read=lambda content: FeederQuestion.from_json(content).checked(),
    query=question_query,
    files=lambda question: (question.dataset, question.workload),
    job=jobs.STUDY,
    arguments=jobs.study_arguments,
    key=jobs.study_key,
    partial_key=jobs.partial_key,
    load=FeederRun.load,
    kept_runs=KEPT_RUNS,
)


class Desk(DayDesk[FeederQuestion, FeederRun]):
    """Answers questions about feeders for the page. One per process, safe to share between threads."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, SUBJECT)
        self._feeders: Kept[Feeder] = Kept(KEPT_RUNS)

    def unedited(self, user: str, study: str, question: FeederQuestion, *, submit: bool = False) -> Stands[FeederRun]:
        """Return the answer to the same question without its edits."""
        return self.look(user, study, unedited(question), submit=submit)

    def base(self, user: str, study: str, question: FeederQuestion) -> Feeder:
        """Return the feeder before its edits, of the library without the ratings that AC power flow would give it."""
        if question.dataset:
            return self._feeders.get(question.dataset, lambda: from_json(self.file(user, study, question.dataset)[1]))
        return placed(question.feeder)

    def bare(self, user: str, study: str, question: FeederQuestion) -> Feeder:
        """Return the feeder with its edits, as it is drawn before it is solved."""
        self.allowed(user, study, question)
        base = self.base(user, study, question)
        return question.edited(base) if question.edits or question.batteries else base

    def check(self, user: str, study: str, question: FeederQuestion) -> None:
        """Raise QuestionError with every edit that cannot be made."""
        self.bare(user, study, question)
