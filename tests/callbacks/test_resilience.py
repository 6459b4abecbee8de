"""The Resilience page without a browser: its question, jobs, links and saved files.

What is solved here is six shocks over eight steps of IEEE 33, once.
"""

import base64
import csv
import io
import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from callbacks import resilience_files
from callbacks.day_answer import FRAME_CLASS, STALE_CLASS
from callbacks.day_desk import Seat
from callbacks.job_banner import job_record
from callbacks.resilience_desk import SHOCKS_KIND, Desk
from callbacks.resilience_panes import rows_of
from callbacks.resilience_tabs import MADE
from callbacks.services import Services
from components import resilience_asked, resilience_question
from components.resilience_asked import (
    edits_between,
    held_edits,
)
from components.resilience_view import FIRST_TAB, TABS, at_of, question_query, read_question, read_view
from components.resilience_words import At
from engine.data.openings import RESILIENCE
from engine.errors import QuestionError
from engine.resilience.modules import STANDARD
from engine.resilience.question import ResilienceQuestion
from engine.resilience.run import ResilienceRun, run_resilience
from engine.resilience.shock_files import to_csv
from tests.callbacks.resilience_seats import (
    EDITED,
    SMALL,
    Screen,
    anne_fixture,
    services_fixture,
    work,
)
from tests.callbacks.screen import ANNE, BEN, text

FIXTURES = (anne_fixture, services_fixture)  # found by their names here


@pytest.fixture(scope="module")
def computed(anne: Seat[Desk]) -> Seat[Desk]:
    """Anne, once her small study is computed by a press and a runner."""
    screen = Screen(anne)
    before = screen.ask()
    assert before.compute
    assert before.jobs is None
    assert "Not computed yet" in text(before.state)
    pressed = screen.ask(pressed=True)
    assert pressed.jobs
    assert "Placing modules" in text(pressed.state)
    assert work(anne) == 1
    done = screen.ask()
    assert (done.compute, done.jobs, done.frame) == (False, None, FRAME_CLASS)
    return anne


@pytest.fixture
def solved(computed: Seat[Desk]) -> Screen:
    """A page that stands on the answer to Anne's small study."""
    screen = Screen(computed)
    screen.ask()
    return screen


# The question


@pytest.mark.parametrize(
    "question",
    [
        RESILIENCE,
        ResilienceQuestion(),
        EDITED,
        ResilienceQuestion(feeder="ieee123", shocks_file="f" * 64, traces_file="a" * 64, every_bus=True, weight=0.0,
                           beta=0.9, doubt="wasserstein", radius=0.25, atoms=5, route="extensive form", gap=0.01,
                           events=12.5, amplitude=0.55, seed=3, steps=24, step_min=30.0, folds=3, margin_pu=0.002,
                           information=True),
        ResilienceQuestion(feeder="e" * 64, doubt="none"),
        ResilienceQuestion(types=(*STANDARD[:3], replace(STANDARD[3], inventory=0, ramp_mw_per_min=2.0))),
    ],
)  # fmt: skip
def test_controls_and_links_give_the_question_back(question: ResilienceQuestion) -> None:
    words, edits = resilience_asked.words_of(question), held_edits(edits_between(question.types))
    assert resilience_asked.question_of(json.loads(json.dumps(words)), json.loads(json.dumps(edits))) == question
    query = {name: values[0] for name, values in parse_qs(question_query(question)).items()}
    assert read_question(query) == (None if question == RESILIENCE else question)
    assert resilience_question.plain_sentence(question).endswith(("?", "."))


def test_a_number_that_a_browser_writes_without_its_point_is_the_same_question() -> None:
    """17500.0 comes back from a browser as 17500: the answer must still be found."""
    told = json.loads(json.dumps(SMALL.to_json()).replace(".0,", ",").replace(".0}", "}"))
    assert ResilienceQuestion.from_json(told).digest == SMALL.digest


def test_everything_that_cannot_be_asked_is_told_at_once_and_nothing_is_lost(solved: Screen) -> None:
    found = solved.found
    unread = solved.ask(weight="much", steps="1.5")
    assert "2 things to mend" in text(unread.state)
    for part in ("weight of the tail is a number, not 'much'", "number of steps is whole, not 1.5"):
        assert part in text(unread.state), part
    beyond = solved.ask(weight=2, steps=8, budget=-1)
    for part in ("weight of the tail is 2: 0 to 1", "budget, $ a year, is -1"):
        assert part in text(beyond.state), part
    assert beyond.frame == STALE_CLASS
    assert solved.found == found
    assert solved.ask(weight=0.5, budget=30_000).frame == FRAME_CLASS


@pytest.mark.parametrize(
    "ask", ["{", "[]", '{"scenarios":"x"}', '{"nothing":1}', '{"scenarios":1}', '{"types":[]}', "1" * 5000]
)
def test_a_link_that_cannot_be_read_is_refused(ask: str) -> None:
    with pytest.raises(QuestionError):
        read_question({"ask": ask})


def test_a_view_is_read_from_a_link_as_far_as_it_goes() -> None:
    view = read_view({"method": "CVaR", "shock": "3", "hour": "7", "tab": "curve", "sel": "bus:14"})
    assert (view.at, view.hour, view.tab) == (At("CVaR", 3, 7, "bus:14"), 7, "curve")
    other = read_view({"method": "x", "shock": "-1", "hour": "1e9", "tab": "z", "sel": ["a"]})
    assert (other.at, other.hour, other.tab) == (At(), None, FIRST_TAB)
    assert at_of(None) == At()
    assert at_of({"shock": 5}).shock == 5


# The answer


def test_the_job_gives_what_the_engine_gives(solved: Screen) -> None:
    run = solved.run()
    again = run_resilience(SMALL, lambda digest: ("", digest.encode()))
    assert [each.method for each in run.planned] == [each.method for each in again.planned]
    for one, other in zip(run.planned, again.planned, strict=True):
        assert one.objective == pytest.approx(other.objective, rel=2 * SMALL.gap)
    assert run.case.digest == again.case.digest


def test_somebody_else_s_run_is_drawn_only_from_what_he_may_read(services: Services, solved: Screen) -> None:
    ben = Seat(Desk(services), BEN, "")
    held = dict(solved.found)
    held["question"] = held["question"] | {"shocks_file": "e" * 64}
    with pytest.raises(QuestionError, match="no study of yours"):
        ben.drawn(held)
    assert ben.drawn({"question": "nonsense"}) is None


def test_a_changed_word_makes_the_answer_stale_and_says_which(solved: Screen) -> None:
    shown = solved.ask(radius=0.2)
    assert shown.frame == STALE_CLASS
    assert shown.compute
    assert "the radius of doubt" in text(shown.state)


def test_a_job_s_entry_leads_back_to_what_it_was_asked(solved: Screen) -> None:
    job = solved.seat.desk.services.jobs.list(ANNE, results=False)[0]
    record = job_record(job, {"/resilience": "resilience"})
    query = {name: values[0] for name, values in parse_qs(urlsplit(record["href"]).query).items()}
    assert read_question(query) == SMALL
    assert record["title"] == "Placement of modules"


def test_a_feeder_that_is_not_there_is_refused_before_a_job_begins(solved: Screen) -> None:
    shown = solved.ask(pressed=True, feeder="file:" + "d" * 64)
    assert shown.jobs is None
    assert "no study of yours" in text(shown.state)
    assert work(solved.seat) == 0


# Files


@pytest.mark.parametrize("kind", resilience_files.KINDS)
def test_every_file_of_an_answer_is_whole(solved: Screen, kind: str) -> None:
    run = solved.run()
    made = resilience_files.file_of(solved.seat, run, kind, At(), "methods")
    content = base64.b64decode(made["content"]) if made["base64"] else made["content"].encode()
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert len(rows) == 3 * len(run.planned)  # own, fresh and shifted shocks
        assert {row["case_digest"] for row in rows} == {run.case.digest}
    elif kind == "json":
        told = json.loads(content)
        assert ResilienceQuestion.from_json(told["question"]) == SMALL
        assert [sum(row["count"] for row in plan["modules"]) for plan in told["plans"]] == [
            int(each.plan.sum()) for each in run.planned
        ]
    elif kind == "npz":
        assert ResilienceRun.load(content).case.digest == run.case.digest
    elif kind == "shocks":
        assert content == to_csv(run.case.scenarios, run.case.campuses, run.case.links)
    else:
        held: dict[str, Any] = {"__name__": "read"}
        exec(compile(content.decode(), made["filename"], "exec"), held)  # noqa: S102 (lines of our own)
        assert ResilienceQuestion.from_json(json.loads(held["QUESTION"])) == SMALL
        assert run.case.digest in content.decode()


def test_every_tab_has_rows_for_its_file(solved: Screen) -> None:
    assert set(MADE) == set(TABS)
    for tab in TABS:
        name, rows = rows_of(solved.run(), At(), tab)
        assert name == tab
        assert all(rows) or tab in {"modules", "radius"}
    assert rows_of(solved.run(), At(), "nowhere")[0] == "numbers"


def test_an_owner_s_question_is_saved_with_the_study(services: Services, solved: Screen) -> None:
    desk = solved.seat.desk
    study, _ = desk.keep_file(ANNE, "", "shocks.csv", SHOCKS_KIND, b"scenario,step,campus,draw_mw\n")
    mine = Screen(Seat(desk, ANNE, study))
    mine.ask()
    assert desk.first(ANNE, study, {})[0] == SMALL
    assert services.studies.question(ANNE, study, "resilience") == SMALL.to_json()
