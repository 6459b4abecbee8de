"""What the Hubs page asks of the engine and the store: answers as of any day, and cases made once."""

from callbacks.day_desk import DayDesk, Subject
from callbacks.services import Kept, Services
from components import hubs_ids
from components.hubs_view import question_query
from engine.data.openings import HUBS
from engine.pricing import jobs
from engine.pricing.case import HubCase
from engine.pricing.program import check_all, programs
from engine.pricing.question import HubQuestion
from engine.pricing.run import HubRun

CASE_KIND = "hubs"  # of a study's files
KEPT_RUNS = 6  # three hubs over a day take some 1 MB, three thousand some 100
_CHECKED = 60  # hubs whose days are tried before the job begins
SUBJECT = Subject(
    ids=hubs_ids,
    opening=HUBS,
    read=HubQuestion.from_json,
    query=question_query,
    files=lambda question: (question.dataset,),
    job=jobs.STUDY,
    arguments=jobs.study_arguments,
    key=jobs.study_key,
    partial_key=jobs.partial_key,
    load=HubRun.load,
    kept_runs=KEPT_RUNS,
)


class Desk(DayDesk[HubQuestion, HubRun]):
    """Answers questions about hubs for the page. One per process, safe to share between threads."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, SUBJECT)
        self._cases: Kept[HubCase] = Kept(KEPT_RUNS)

    def case(self, user: str, study: str, question: HubQuestion) -> HubCase:
        """Return the case of a question with its edits. Raises EngineError with everything that is wrong with it."""
        self.allowed(user, study, question)
        return self._cases.get(
            question.digest, lambda: _possible(question.made(lambda digest: self.file(user, study, digest)))
        )


def _possible(case: HubCase) -> HubCase:
    """Return the case. Raises InfeasibleError naming what hubs cannot meet; of very many hubs the job finds that."""
    if len(case.hubs) <= _CHECKED:
        check_all(programs(case))
    return case
